//! `cosell`: the connector's command line.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line's output")]

use clap::{CommandFactory, Parser};
use console::{
    admin::{Admin, Unreachable},
    command::{Command, Cosell},
    local::Local,
    page::{self, Page},
    present::{self, Look},
};
use serde_json::Value;
use std::{
    io::{self, IsTerminal, Read, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const DECLINED: u8 = 3;
const SIGN_IN: u8 = 4;

#[tokio::main]
async fn main() -> ExitCode {
    // clap ends with 2 itself where the words are wrong.
    let asked = Cosell::parse();
    match run(asked).await {
        Ok(code) => ExitCode::from(code),
        Err((code, words)) => {
            let lines = words.lines().map(present::harmless).collect::<Vec<_>>();
            eprintln!("cosell: {}", lines.join("\n"));
            ExitCode::from(code)
        }
    }
}

type Failed = (u8, String);

async fn run(asked: Cosell) -> Result<u8, Failed> {
    if let Command::Completions { shell } = &asked.command {
        clap_complete::generate(*shell, &mut Cosell::command(), "cosell", &mut io::stdout());
        return Ok(0);
    }
    let event = asked.command.event(read).map_err(|words| (USAGE, words))?;
    let admin = open(&asked).await?;
    match (&asked.command, event) {
        (Command::Console(wanted), _) => serve(admin, wanted.port).await,
        (_, None) => {
            println!("{} ({})", admin.name(), admin.flags());
            Ok(0)
        }
        (command, Some(event)) => {
            confirm(command, admin.as_ref(), asked.yes)?;
            let name = event["command"].as_str().unwrap_or_default().to_owned();
            let report = admin.invoke(&event).await.map_err(failed)?;
            print(&name, &report, asked.json);
            Ok(if report["ok"] == true { 0 } else { FAILED })
        }
    }
}

fn failed(unreachable: Unreachable) -> Failed {
    match unreachable {
        Unreachable::SignIn(words) => (SIGN_IN, words),
        Unreachable::Failed(words) => (FAILED, words),
    }
}

async fn open(asked: &Cosell) -> Result<Arc<dyn Admin>, Failed> {
    match (&asked.local, &asked.stack) {
        (Some(port), _) => Ok(Arc::new(Local::at(*port))),
        (None, Some(name)) => stack(name, asked).await,
        (None, None) => Err((USAGE, "which one: --stack NAME (or COSELL_STACK), or --local".to_owned())),
    }
}

#[cfg(feature = "aws")]
async fn stack(name: &str, asked: &Cosell) -> Result<Arc<dyn Admin>, Failed> {
    let (profile, region) = (asked.profile.as_deref(), asked.region.as_deref());
    let stack = console::stack::Stack::open(name, profile, region).await.map_err(failed)?;
    Ok(Arc::new(stack))
}

#[cfg(not(feature = "aws"))]
async fn stack(name: &str, _: &Cosell) -> Result<Arc<dyn Admin>, Failed> {
    let words = "this program was built without AWS: `cargo install --path shared/console --features aws`";
    Err((USAGE, format!("--stack {name}: {words}")))
}

/// Until Ctrl-C.
async fn serve(admin: Arc<dyn Admin>, port: u16) -> Result<u8, Failed> {
    let served = page::serve(Page { admin, crm: None, simulated: None }, port).await;
    let served = served.map_err(|e| (FAILED, format!("port {port} of this machine: {e}")))?;
    println!("{}", served.url);
    eprintln!("open it in a browser on this machine; it is good for one use. Ctrl-C ends.");
    tokio::select! {
        () = served.until_stopped() => Ok(FAILED),
        _ = tokio::signal::ctrl_c() => Ok(130),
    }
}

/// Asks whoever sits there. Nobody there: the flag is named, and nothing happens.
fn confirm(command: &Command, admin: &dyn Admin, yes: bool) -> Result<(), Failed> {
    let Some(question) = command.question().filter(|_| !yes) else { return Ok(()) };
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err((USAGE, format!("{question} There is nobody to ask: --yes says so")));
    }
    eprint!("{}: {question} [y/N] ", admin.name());
    _ = io::stderr().flush();
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    match read.is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        true => Ok(()),
        false => Err((DECLINED, "nothing was done".to_owned())),
    }
}

fn print(command: &str, report: &Value, json: bool) {
    if json {
        println!("{report:#}");
        return;
    }
    let terminal = io::stdout().is_terminal();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(120);
    let look = Look { width: terminal.then_some(width), colour: terminal && !plain };
    print!("{}", present::text(command, report, look));
}

/// A map's text.
fn read(file: &Path) -> Result<String, String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        return io::stdin()
            .read_to_string(&mut text)
            .map(|_| text)
            .map_err(|e| format!("standard input: {e}"));
    }
    std::fs::read_to_string(file).map_err(|e| format!("`{}`: {e}", file.display()))
}
