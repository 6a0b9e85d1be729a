//! Waits until a long command is over, and says on what and for how long.

#![expect(clippy::print_stderr, reason = "progress")]

use crate::out::Out;
use console::{
    admin::{Admin, Unreachable},
    command::{Action, Command, Long, Redrive},
    present::harmless,
    wrong::Wrong,
};
use serde_json::{Value, json};
use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// This many looks in a row may fail.
const FAILURES: u32 = 5;

/// Returns a command's final answer: with `--wait` once it is over, otherwise its first answer at once.
pub(crate) async fn until_over(
    admin: &dyn Admin,
    command: &Command,
    first: Value,
    out: &Out,
) -> Result<Value, Wrong> {
    let waits = |long: &Long| long.wait && long.action != Action::Stop;
    match command {
        _ if first["ok"] != true => Ok(first),
        Command::Backfill(long) if waits(long) => over(admin, "backfill", first, out).await,
        Command::Rebase(long) if waits(long) => over(admin, "rebase", first, out).await,
        Command::Redrive(Redrive { wait: true, .. }) if first["data"]["sent"] != 0 => {
            empty(admin, out).await?;
            Ok(first)
        }
        _ => Ok(first),
    }
}

/// Until `status` says that it is over.
async fn over(admin: &dyn Admin, name: &str, first: Value, out: &Out) -> Result<Value, Wrong> {
    let mut progress = Progress::new(*out);
    let event = json!({ "command": name, "action": "status" });
    let mut report = first;
    while report["ok"] == true && report["data"]["done"] == false {
        let data = &report["data"];
        let since = data["began"].as_str().unwrap_or("?");
        progress.show(&format!("{name}, begun {since}: {} hints in {} pages", data["sent"], data["pages"]));
        tokio::time::sleep(PAUSE).await;
        report = progress.patiently(admin, &event).await?;
    }
    progress.end();
    Ok(report)
}

/// Until no message waits.
async fn empty(admin: &dyn Admin, out: &Out) -> Result<(), Wrong> {
    let mut progress = Progress::new(*out);
    let event = json!({ "command": "overview" });
    loop {
        let report = progress.patiently(admin, &event).await?;
        let waiting = &report["data"]["waiting"];
        if *waiting == 0 {
            progress.end();
            return Ok(());
        }
        progress.show(&format!("redrive: {waiting} messages wait in the queue"));
        tokio::time::sleep(PAUSE).await;
    }
}

/// Progress: at a terminal one line that is overwritten, else a line for each change.
struct Progress {
    out: Out,
    began: Instant,
    shown: String,
    terminal: bool,
    failures: u32,
}

impl Progress {
    fn new(out: Out) -> Self {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let terminal = io::stderr().is_terminal() && !dumb;
        Progress { out, began: Instant::now(), shown: String::new(), terminal, failures: 0 }
    }

    fn show(&mut self, text: &str) {
        let text = harmless(text);
        let waited = self.began.elapsed().as_secs();
        if self.terminal {
            eprint!("\r\u{1b}[2K{text} ({waited} s)");
        } else if self.shown != text {
            self.out.say(&format!("{text} ({waited} s)"));
        }
        self.shown = text;
    }

    fn end(&self) {
        if self.terminal && !self.shown.is_empty() {
            eprint!("\r\u{1b}[2K");
        }
    }

    /// An answer, though some looks fail: what is waited for continues meanwhile.
    async fn patiently(&mut self, admin: &dyn Admin, event: &Value) -> Result<Value, Wrong> {
        loop {
            match admin.invoke(event).await {
                Err(Unreachable::Failed(why)) if self.failures < FAILURES => {
                    self.failures += 1;
                    self.show(&format!("no answer, asked again: {why}"));
                    tokio::time::sleep(PAUSE).await;
                }
                answer => {
                    self.failures = 0;
                    return answer.map_err(|unreachable| unreachable.wrong());
                }
            }
        }
    }
}
