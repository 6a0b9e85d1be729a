//! The local run: the whole connector on this machine, with nothing but Rust and a C compiler.

use console::command::Demo;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    local::run::run(&Demo::alone()).await
}
