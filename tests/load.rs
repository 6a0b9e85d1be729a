//! Load and outage at the wire: the whole connector under many events, faults and bad days. Nothing may be lost,
//! nothing doubled, and everything must come to rest.

use std::process::ExitCode;

#[path = "load/backfill.rs"]
mod backfill;
#[path = "load/burst.rs"]
mod burst;
#[path = "load/check.rs"]
mod check;
#[path = "load/dice.rs"]
mod dice;
#[path = "load/figures.rs"]
mod figures;
#[path = "load/meter.rs"]
mod meter;
#[path = "load/outage.rs"]
mod outage;
#[path = "load/people.rs"]
mod people;
#[path = "load/replay.rs"]
mod replay;
#[path = "load/shown.rs"]
mod shown;
#[path = "load/silence.rs"]
mod silence;
#[path = "load/steady.rs"]
mod steady;
#[path = "load/storm.rs"]
mod storm;

use figures::Figures;
use local::arguments;
use storm::Storm;

const HELP: &str = "\
Load and outage at the wire: the real functions between simulated Partner Center, Dynamics 365, SQS and an embedded
DynamoDB, by a clock that only the run moves. After each storm everything must come to rest: both vendors show the
same, nothing lost, nothing doubled, no message left, no write any more.

usage: cargo run --release --example load -- --profile NAME [options]

  --profile X    steady   200 events a second for ten minutes, 5 % of all calls to the vendors fail
                 burst    10,000 events at once, 1,000 of them on one referral, which costs at most 10 reads
                 outage   the CRM is down for an hour
                 silence  no webhook arrives for a day
                 replay   runs crash until their messages are dead letters; these are replayed twice, shuffled
                 backfill 5,000 referrals that were there before; the first load is killed three times
                 all      one after the other
  --scale N      one Nth of the events, same checks (default 1)
  --seed N       another storm (default 1)
  --help         this

exit 0: all of it holds; 1: something is wrong; 2: usage";

const PROFILES: [&str; 6] = ["steady", "burst", "outage", "silence", "replay", "backfill"];

struct Arguments {
    profiles: Vec<&'static str>,
    scale: u32,
    seed: u64,
}

// One thread: the same seed plays as nearly the same as real sockets allow, and CPU is what the work costs.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match arguments::read(HELP, parse) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let mut rows = vec![];
    let mut right = true;
    for profile in arguments.profiles {
        match play(profile, arguments.scale, arguments.seed).await {
            Ok((figures, wrong)) => {
                for line in &wrong {
                    println!("{profile}: WRONG: {line}");
                }
                right &= wrong.is_empty();
                rows.push(figures);
            }
            Err(e) => {
                println!("{profile}: WRONG: {e:#}");
                right = false;
            }
        }
    }
    figures::print(&rows);
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One profile in a world of its own: its figures, and all that is wrong.
async fn play(profile: &'static str, scale: u32, seed: u64) -> anyhow::Result<(Figures, Vec<String>)> {
    let mut storm = Storm::open(profile, scale, seed).await?;
    match profile {
        "steady" => steady::run(&mut storm).await?,
        "burst" => burst::run(&mut storm).await?,
        "outage" => outage::run(&mut storm).await?,
        "backfill" => backfill::run(&mut storm).await?,
        "silence" => silence::run(&mut storm).await?,
        _ => replay::run(&mut storm).await?,
    }
    check::close(storm).await
}

/// `Ok(None)`: help was asked for.
fn parse(words: &mut dyn Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut arguments = Arguments { profiles: vec![], scale: 1, seed: 1 };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}`: a value is missing"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--profile" => {
                let text = value()?;
                let chosen = PROFILES.iter().filter(|name| text == "all" || **name == text);
                arguments.profiles = chosen.copied().collect();
                if arguments.profiles.is_empty() {
                    return Err(format!("`--profile {text}`: expected one of {}, all", PROFILES.join(", ")));
                }
            }
            "--scale" => {
                let text = value()?;
                let scale = text.parse::<u32>().ok().filter(|scale| *scale > 0);
                arguments.scale =
                    scale.ok_or_else(|| format!("`--scale {text}`: expected a whole number from 1"))?;
            }
            "--seed" => {
                let text = value()?;
                arguments.seed =
                    text.parse().map_err(|_| format!("`--seed {text}`: expected a whole number"))?;
            }
            other => return Err(format!("`{other}` is not known")),
        }
    }
    if arguments.profiles.is_empty() {
        return Err("`--profile`: name one".to_owned());
    }
    Ok(Some(arguments))
}
