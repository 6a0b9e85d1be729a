//! `cosell`: the connector's command line. This file reads the arguments and sets the exit code; [`run`] does the rest.
//! The commands and what an answer looks like are in the library `console`.
//!
//! - [`run`]: one command, from its words to its exit code
//! - [`target`]: the local run or a deployed stack
//! - [`ask`]: the question before an act
//! - [`wait`]: until a long command has ended
//! - [`tail`]: decisions as they are made
//! - [`out`]: answers to standard output, the rest to standard error

#![expect(clippy::print_stderr, reason = "a command line's messages")]

mod ask;
mod out;
mod run;
mod tail;
mod target;
mod wait;

use clap::Parser;
use console::{command::Cosell, present::harmless};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // clap ends with 2 itself where the words are wrong.
    let asked = Cosell::parse();
    match Box::pin(run::run(asked)).await {
        Ok(code) => code,
        Err(wrong) => {
            let text = wrong.to_string();
            let lines = text.lines().map(harmless).collect::<Vec<_>>();
            eprintln!("cosell: {}", lines.join("\n"));
            ExitCode::from(wrong.code.exit())
        }
    }
}
