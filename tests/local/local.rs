//! The local run: the whole connector on this machine, with nothing but Rust and a C compiler.

use local::{arguments, check, world};
use mapping::CrmKind;
use std::process::ExitCode;

mod desk;
mod events;
mod hands;
mod live;

const HELP: &str = "\
The whole co-sell connector on this machine: simulated Partner Center, Dynamics 365 or Salesforce, SQS and Secrets
Manager, an embedded DynamoDB, and the real functions between them.

usage: cargo run --example local -- [options]

  --check        play a deal both ways and print what was expected and seen; exit 0 if all of it holds, 1 if not
  --crm X        dynamics365 (default), salesforce
  --map FILE     lay a field map over the default one
  --port N       first of six ports (default: any free ones)
  --page N       the page's port (default: 7070; 0: any free one)
  --seed N       one call in twenty to the vendors fails, in ways drawn from N; `--check` has fair weather
  --help         this

Without --check it prints the address of a page, on which you act as Microsoft, partner, seller or bad luck and see what
follows; ready `curl` lines for the same; and one line for each step, until Ctrl-C.";

struct Arguments {
    check: bool,
    seed: Option<u64>,
    map: Option<String>,
    crm: CrmKind,
    port: u16,
    page: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments::read(HELP, parse) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let map = match arguments.map.as_deref().map(std::fs::read_to_string).transpose() {
        Ok(map) => map,
        Err(e) => {
            eprintln!("--map `{}`: {e}", arguments.map.unwrap_or_default());
            return ExitCode::from(2);
        }
    };
    let crm = Some(arguments.crm);
    let options = world::Options { map, crm, port: arguments.port, ..world::Options::default() };
    let world = match world::World::start(options).await {
        Ok(world) => world,
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::from(2);
        }
    };
    if let Err(fault) = world.fit() {
        eprintln!("the simulated organisation cannot be as the map wants it: {fault}");
        return ExitCode::from(2);
    }
    let result = match arguments.check {
        true => check::run(&world).await,
        false => live::run(&world, arguments.seed, arguments.page).await.map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

/// `Ok(None)`: help was asked for.
fn parse(words: &mut dyn Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let crm = CrmKind::Dynamics365;
    let mut arguments =
        Arguments { check: false, seed: None, map: None, crm, port: 0, page: console::local::PORT };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}`: a value is missing"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--check" => arguments.check = true,
            "--map" => arguments.map = Some(value()?),
            "--crm" => arguments.crm = value()?.parse().map_err(|e| format!("`--crm`: {e}"))?,
            "--port" => {
                let text = value()?;
                let port = text.parse::<u16>().ok().filter(|port| *port <= 65_530);
                arguments.port = port.ok_or_else(|| format!("`--port {text}`: expected 0 to 65530"))?;
            }
            "--page" => {
                let text = value()?;
                arguments.page = text.parse().map_err(|_| format!("`--page {text}`: expected 0 to 65535"))?;
            }
            "--seed" => {
                let text = value()?;
                let seed = text.parse::<u64>();
                arguments.seed = Some(seed.map_err(|_| format!("`--seed {text}`: expected a whole number"))?);
            }
            other => return Err(format!("`{other}` is not known")),
        }
    }
    Ok(Some(arguments))
}
