//! The local run from its flags to its exit code: what `cargo run --example local` and `cosell demo` are.

use crate::{check, live, world};
use console::command::Demo;
use std::process::ExitCode;

/// Runs it: 0 as asked, 1 a check failed, 2 usage.
pub async fn run(wanted: &Demo) -> ExitCode {
    let world = match Box::pin(start(wanted)).await {
        Ok(world) => world,
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::from(2);
        }
    };
    let result = match wanted.check {
        true => Box::pin(check::run(&world)).await,
        false => Box::pin(live::run(&world, wanted.seed, wanted.page)).await.map(|()| true),
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

async fn start(wanted: &Demo) -> Result<world::World, String> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path).map_err(|e| format!("--map `{}`: {e}", path.display()))
    };
    let map = wanted.map.as_ref().map(read).transpose()?;
    let crm = wanted.crm.word().parse().map_err(|e| format!("--crm: {e}"))?;
    let options = world::Options { map, crm: Some(crm), port: wanted.port, ..world::Options::default() };
    let world = world::World::start(options).await.map_err(|e| e.to_string())?;
    world
        .fit()
        .map_err(|fault| format!("the simulated organisation cannot be as the map wants it: {fault}"))?;
    Ok(world)
}
