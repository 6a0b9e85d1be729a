//! What the functions cost. Their own binaries run as processes behind a small Runtime API, between the simulators and an
//! embedded table; nothing of them is linked in here.

mod cost;
mod expected;
mod figure;
mod function;
mod growth;
mod ingress;
mod instructions;
mod meter;
mod peers;
mod play;
mod plot;
mod poller;
mod report;
mod stage;
mod table;
mod tally;
mod writer;

#[path = "../local/arguments.rs"]
mod arguments;

use anyhow::{Context, ensure};
use figure::{Figure, Start, round};
use function::{Function, Program};
use play::Play;
use serde_json::json;
use stage::Stage;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

const HELP: &str = "\
What the functions cost: start, calls, bytes, table operations, processor, memory, dollars; beside the ingress the same
job in plain Python and plain TypeScript. Builds the release binaries, prints tables, writes bench.json and bench.svg
below target/bench. Times are this machine's and believed only while nothing else runs on it: nothing depends on them.

usage: cargo run --release --example bench -- [options]

  --no-build       take the binaries that are there
  --no-peers       nothing beside it
  --rounds N       events of each case (50)
  --links N,N      numbers of links in the table for the growth cases (100,10000); a million takes minutes and gigabytes
  --count          only calls, bytes and table operations, of debug binaries, few rounds, beside tests/bench/expected.json
  --update         with --count: what is seen becomes what is expected
  --instructions   only instructions for each event, by valgrind
  --help           this

Exit code: 0 all well, 1 a count is not as expected or something failed, 2 bad usage.";

/// Deals in step before anything is measured.
const DEALS: usize = 100;
const FEW_DEALS: usize = 12;
const FEW_ROUNDS: usize = 2;
const STARTS: usize = 7;
const FUNCTIONS: [&str; 4] = ["ingress", "writer", "poller", "admin"];

struct Arguments {
    build: bool,
    peers: bool,
    rounds: usize,
    links: Vec<usize>,
    mode: Mode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    All,
    Count { update: bool },
    Instructions,
}

pub(crate) struct Folders {
    /// Ours, with `expected.json` and the peers.
    sources: PathBuf,
    /// Release builds of the functions; debug builds for `--count`.
    pub(crate) binaries: PathBuf,
    /// Logs, and what is written.
    pub(crate) work: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments::read(HELP, parse) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
    let executable = std::env::current_exe()?;
    let target = executable.ancestors().nth(3).context("a target folder")?.to_owned();
    let count = matches!(arguments.mode, Mode::Count { .. });
    let binaries = target.join(if count { "debug" } else { "release" });
    if arguments.build {
        build(&sources, &target, count).await?;
    }
    let folders = Folders { sources, binaries, work: target.join("bench") };
    std::fs::create_dir_all(&folders.work)?;
    match arguments.mode {
        Mode::All => everything(arguments, &folders).await,
        Mode::Count { update } => counts(&folders, update).await,
        Mode::Instructions => instructions::print(&folders).await.map(|()| true),
    }
}

/// Each one alone, as it is built for deployment: together they would lend each other features. Counts do not depend on
/// that, and all together they take what other tests have built.
async fn build(sources: &Path, target: &Path, debug: bool) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let alone = FUNCTIONS.map(|function| vec!["--release", "-p", function]);
    // With an example as this one is built: tests' features are in, and nothing is compiled twice.
    let together = vec![vec!["--workspace", "--bins", "--example", "bench"]];
    let builds = if debug { together } else { alone.to_vec() };
    for how in builds {
        let mut command = tokio::process::Command::new(&cargo);
        command.args(["build", "--locked"]).args(&how).arg("--target-dir").arg(target).current_dir(sources);
        // `cargo run` tells us who we are; a build script that asks for these names (ring's) would run again, and all
        // that stands on it be built twice.
        for (name, _) in std::env::vars_os() {
            let told = name
                .to_str()
                .is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_"));
            if told {
                command.env_remove(name);
            }
        }
        ensure!(command.status().await?.success(), "`cargo build {}` failed", how.join(" "));
    }
    Ok(())
}

async fn everything(arguments: &Arguments, folders: &Folders) -> anyhow::Result<bool> {
    let load = meter::load();
    let stage = Stage::start().await?;
    let mut programs: Vec<Program> =
        FUNCTIONS.iter().map(|name| stage.program(name, &folders.binaries)).collect();
    if arguments.peers {
        programs.extend(peers::install(&stage, &folders.sources, &folders.work).await);
    }
    let mut starts = vec![];
    for program in &programs {
        starts.push(start(program, &folders.work).await?);
    }
    let mut figures = vec![];
    for (program, start) in programs.iter().zip(&mut starts) {
        if ["writer", "poller", "admin"].contains(&program.name.as_str()) {
            continue;
        }
        // A webhook takes little: so there are many.
        let rounds = arguments.rounds * 4;
        figures.extend(ingress::measure(&stage, program, &folders.work, rounds, start).await?);
    }
    drop(stage);
    let mut play = Play::start(folders, None).await?;
    play.furnish(DEALS, &mut starts).await?;
    figures.extend(poller::measure(&mut play, arguments.rounds).await?);
    figures.extend(writer::measure(&mut play, arguments.rounds).await?);
    figures.extend(growth::measure(&mut play, &arguments.links).await?);
    for (name, function) in [("writer", &play.writer), ("poller", &play.poller)] {
        for start in starts.iter_mut().filter(|start| start.function == name) {
            start.peak_bytes = function.peak();
        }
    }
    println!("load average {load} before, {} after\n", meter::load());
    report::print(&starts, &figures);
    let dollars = cost::print(&figures)?;
    let json = serde_json::to_string_pretty(&report::json(&load, &starts, &figures, dollars))?;
    let written = [("bench.json", json), ("bench.svg", plot::svg(&load, &starts, &figures))];
    for (name, text) in written {
        let path = folders.work.join(name);
        std::fs::write(&path, text)?;
        println!("written: {}", path.display());
    }
    Ok(known(&figures))
}

/// No request met a simulator that did not know it.
fn known(figures: &[Figure]) -> bool {
    figures.iter().all(|figure| figure.counts.unknown == 0)
}

async fn start(program: &Program, logs: &Path) -> anyhow::Result<Start> {
    let mut inits = vec![];
    let mut peak = None;
    for _ in 0..STARTS {
        let function = Function::start(program, logs).await?;
        inits.push(round(function.init.as_secs_f64() * 1e3));
        peak = function.peak();
    }
    let bytes = program.command.last().and_then(|file| std::fs::metadata(file).ok()).map(|file| file.len());
    let ours = FUNCTIONS.contains(&program.name.as_str());
    Ok(Start {
        function: program.name.clone(),
        bytes: bytes.filter(|_| ours),
        init_ms: inits,
        first_ms: None,
        peak_bytes: peak,
    })
}

async fn counts(folders: &Folders, update: bool) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut play = Play::start(folders, None).await?;
    play.furnish(FEW_DEALS, &mut []).await?;
    let mut figures = poller::measure(&mut play, FEW_ROUNDS).await?;
    figures.extend(writer::measure(&mut play, FEW_ROUNDS).await?);
    figures.extend(growth::measure(&mut play, &[FEW_DEALS, 20 * FEW_DEALS]).await?);
    let file = folders.sources.join("expected.json");
    if update {
        expected::write(&figures, &file)?;
        println!("written: {}", file.display());
        return Ok(known(&figures));
    }
    let differences = expected::compare(&figures, &file)?;
    for figure in &figures {
        println!("{}: {}", figure.name(), json!(figure.counted()));
    }
    println!("{} cases counted in {:.1} s", figures.len(), began.elapsed().as_secs_f64());
    for line in &differences {
        println!("NOT AS EXPECTED {line}");
    }
    Ok(differences.is_empty() && known(&figures))
}

/// `Ok(None)`: help was asked for.
fn parse(words: &mut dyn Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut arguments =
        Arguments { build: true, peers: true, rounds: 50, links: vec![100, 10_000], mode: Mode::All };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}`: a value is missing"));
        let number = |text: &str| {
            let number = text.parse::<usize>().ok().filter(|n| *n > 0);
            number.ok_or_else(|| format!("`{text}`: expected a whole number from 1"))
        };
        match (word.as_str(), arguments.mode) {
            ("--help" | "-h", _) => return Ok(None),
            ("--no-build", _) => arguments.build = false,
            ("--no-peers", _) => arguments.peers = false,
            ("--rounds", _) => arguments.rounds = number(&value()?)?,
            ("--links", _) => arguments.links = value()?.split(',').map(number).collect::<Result<_, _>>()?,
            ("--count", Mode::All) => arguments.mode = Mode::Count { update: false },
            ("--update", Mode::Count { .. }) => arguments.mode = Mode::Count { update: true },
            ("--instructions", Mode::All) => arguments.mode = Mode::Instructions,
            _ => return Err(format!("`{word}` is not known, or not here")),
        }
    }
    Ok(Some(arguments))
}
