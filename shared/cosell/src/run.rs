//! One command, from its words to its exit code.

use crate::{ask, out::Out, tail, target::Target, wait};
use clap::CommandFactory;
use console::{
    admin::{Admin, Unreachable},
    command::{Command, Cosell, Demo},
    page::{self, Page},
    wrong::{Code, Wrong},
};
use serde_json::{Value, json};
use std::{
    io::{self, Read},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

/// The exit code if the answer has a fault.
const FAULTS: u8 = 1;
/// Something long is still under way, or had no time left.
const NOT_FINAL: u8 = 5;
/// The exit code that shells use for a program that Ctrl-C ended.
const STOPPED: u8 = 130;

pub(crate) async fn run(asked: Cosell) -> Result<ExitCode, Wrong> {
    let out = Out::new(&asked);
    match &asked.command {
        Command::Completions { shell } => {
            let mut text = vec![];
            clap_complete::generate(*shell, &mut Cosell::command(), "cosell", &mut text);
            out.put(&String::from_utf8_lossy(&text))?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Demo(wanted) => return demo(wanted).await,
        _ => {}
    }
    // Read before Ctrl-C is handled here: reading standard input blocks.
    let event = asked.command.event(read).map_err(|words| Wrong::new(Code::Usage, words))?;
    let acts = !asked.command.only_looks();
    tokio::select! {
        biased;
        done = Box::pin(reached(&asked, &out, event)) => done.map(ExitCode::from),
        _ = tokio::signal::ctrl_c() => {
            out.say(if acts { "\ncosell: stopped; what was sent is carried out all the same" } else { "\ncosell: stopped" });
            Ok(ExitCode::from(STOPPED))
        }
    }
}

/// Carries out a command that needs the admin function.
async fn reached(asked: &Cosell, out: &Out, event: Option<Value>) -> Result<u8, Wrong> {
    let target = Target::of(asked)?;
    let wrong = |unreachable: Unreachable| unreachable.wrong();
    let event = match (&asked.command, event) {
        (Command::Tail(wanted), _) => return tail::follow(&target, wanted, out).await,
        (command, event) => {
            let admin = target.admin().await?;
            if !command.only_looks() || matches!(command, Command::Console(_)) {
                // Asked first: if this program cannot understand the function's answers, it fails before the act and
                // not after it. It also shows what the user may do, which a page needs from its beginning.
                admin.invoke(&json!({ "command": "help" })).await.map_err(wrong)?;
            }
            match (command, event) {
                (Command::Console(wanted), _) => return serve(admin, wanted.port, out).await,
                (_, None) => return whoami(admin.as_ref(), out),
                (_, Some(event)) => (admin, event),
            }
        }
    };
    let (admin, event) = event;
    ask::confirm(asked, &admin.name()).await?;
    let name = event["command"].as_str().unwrap_or_default();
    let first = admin.invoke(&event).await.map_err(wrong)?;
    let report = wait::until_over(admin.as_ref(), &asked.command, first, out).await?;
    out.report(name, &report)?;
    Ok(code(&asked.command, &report))
}

/// The exit code for an answer.
fn code(command: &Command, report: &Value) -> u8 {
    let is_long = matches!(
        command,
        Command::Backfill(_) | Command::Rebase(_) | Command::Provision | Command::Deprovision(_)
    );
    match () {
        () if report["ok"] != true => FAULTS,
        () if is_long && report["data"]["done"] == false => NOT_FINAL,
        () => 0,
    }
}

/// Serves the page until Ctrl-C.
async fn serve(admin: Arc<dyn Admin>, port: u16, out: &Out) -> Result<u8, Wrong> {
    let served = page::serve(Page { admin, crm: None, simulated: None }, port).await;
    let served = served.map_err(|e| {
        let wrong = Wrong::new(Code::Failed, format!("port {port} of this machine: {e}"));
        wrong.cured("another program has it: --port N, 0 for any free one")
    })?;
    match out.json {
        true => out.json(&json!({ "schema_version": 1, "url": served.url }))?,
        false => out.put(&format!("{}\n", served.url))?,
    }
    out.say("open it in a browser on this machine; it is good for one use. Ctrl-C ends.");
    served.until_stopped().await;
    Err(Wrong::new(Code::Failed, "the page has ended"))
}

fn whoami(admin: &dyn Admin, out: &Out) -> Result<u8, Wrong> {
    let (name, flags) = (admin.name(), admin.flags());
    match out.json {
        true => out.json(&json!({ "schema_version": 1, "name": name, "flags": flags }))?,
        false => out.put(&format!("{name} ({flags})\n"))?,
    }
    Ok(0)
}

#[cfg(feature = "demo")]
async fn demo(wanted: &Demo) -> Result<ExitCode, Wrong> {
    Ok(Box::pin(local::run::run(wanted)).await)
}

#[cfg(not(feature = "demo"))]
async fn demo(_: &Demo) -> Result<ExitCode, Wrong> {
    let wrong = Wrong::new(Code::NotBuilt, "demo: this program was built without the local run");
    Err(wrong.cured("`cargo install --path shared/cosell`, with its default features"))
}

/// A map's text, from a file, or from standard input for `-`.
fn read(file: &Path) -> Result<String, String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        let read = io::stdin().read_to_string(&mut text);
        return read.map(|_| text).map_err(|e| format!("standard input: {e}"));
    }
    std::fs::read_to_string(file).map_err(|e| format!("`{}`: {e}", file.display()))
}
