//! The question before an act. Without a terminal nothing is asked: the flag that answers it is named.

use console::{
    command::Cosell,
    wrong::{Code, Wrong},
};
use std::io::{self, IsTerminal, Write};
use tokio::sync::oneshot;

/// Returns if the command needs no confirmation or the user gives it.
pub(crate) async fn confirm(asked: &Cosell, name: &str) -> Result<(), Wrong> {
    let Some(question) = asked.command.question().filter(|_| !asked.yes) else { return Ok(()) };
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(nobody(&question));
    }
    _ = write!(io::stderr(), "{name}: {question} [y/N] ");
    // A thread of its own: Ctrl-C ends the program while it waits.
    let (answer, answered) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map(|_| line);
        _ = answer.send(read.unwrap_or_default());
    });
    judge(&answered.await.unwrap_or_default())
}

fn nobody(question: &str) -> Wrong {
    let wrong = Wrong::new(Code::NoTerminal, format!("{question} There is no terminal to ask at"));
    wrong.cured("--yes answers it")
}

/// Judges what was typed: no input is a no.
fn judge(typed: &str) -> Result<(), Wrong> {
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Wrong::new(Code::Declined, "nothing was done")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one() {
        for yes in ["y\n", "Yes\r\n", " YES "] {
            assert!(judge(yes).is_ok(), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yep\n", "\u{1b}"] {
            assert_eq!(judge(no).unwrap_err().code.exit(), 3, "{no:?}");
        }
    }

    #[test]
    fn without_a_terminal_the_flag_is_named() {
        let wrong = nobody("Compare every deal anew?");
        assert_eq!(wrong.code.exit(), 2);
        assert!(wrong.to_string().contains("--yes"), "{wrong}");
    }
}
