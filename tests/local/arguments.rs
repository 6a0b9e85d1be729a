//! The command line of an example: help and faults end it the same way everywhere.

use std::process::ExitCode;

/// What was asked for; else how to end: 0 after the help, 2 after a fault. `parse`: `Ok(None)` asks for help.
pub fn read<T>(
    help: &str,
    parse: impl FnOnce(&mut dyn Iterator<Item = String>) -> Result<Option<T>, String>,
) -> Result<T, ExitCode> {
    match parse(&mut std::env::args().skip(1)) {
        Ok(Some(arguments)) => Ok(arguments),
        Ok(None) => {
            println!("{help}");
            Err(ExitCode::SUCCESS)
        }
        Err(fault) => {
            eprintln!("{fault}\n\n{help}");
            Err(ExitCode::from(2))
        }
    }
}
