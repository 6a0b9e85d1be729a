//! Instructions for each event, by callgrind: a shorter and a longer run, and what the longer one needed more.

use crate::{
    Folders,
    figure::Figure,
    ingress::Case,
    play::Play,
    poller::idle,
    report::table,
    stage::Latency,
    writer::{changed, unchanged},
};
use anyhow::Context;
use std::{fs, path::Path};

const DEALS: usize = 10;
const RUNS: [usize; 2] = [5, 45];

#[derive(Clone, Copy)]
enum Watched {
    Ingress(Case),
    WriterChanged(usize),
    WriterUnchanged,
    PollerIdle,
}

/// Runs each case under valgrind, which takes minutes, and prints a line as soon as one is counted, then a table.
pub(crate) async fn print(folders: &Folders) -> anyhow::Result<()> {
    let mut rows = vec![];
    for (function, case, watched) in [
        ("ingress", "verified", Watched::Ingress(Case::Verified)),
        ("ingress", "verified and enqueued", Watched::Ingress(Case::Enqueued)),
        ("ingress", "refused: certificate's address", Watched::Ingress(Case::ForeignAddress)),
        ("writer", "changed, batch of 1", Watched::WriterChanged(1)),
        ("writer", "changed, batch of 10", Watched::WriterChanged(10)),
        ("writer", "nothing mapped changed, batch of 1", Watched::WriterUnchanged),
        ("poller", "idle tick", Watched::PollerIdle),
    ] {
        let mut seen = vec![];
        for runs in RUNS {
            seen.push(run(folders, function, watched, runs).await?);
        }
        let [(few, less), (many, more)] = seen[..] else { continue };
        let each = more.saturating_sub(less) / (many - few).max(1);
        rows.push(vec![format!("{function}: {case}"), (many - few).to_string(), each.to_string()]);
        println!("{function}: {case}: {each} instructions for each event");
    }
    println!();
    table(&["case", "events", "instructions for each"], rows);
    Ok(())
}

/// Events and instructions of one run.
async fn run(folders: &Folders, function: &str, watched: Watched, runs: usize) -> anyhow::Result<(u64, u64)> {
    let out = folders.work.join(format!("callgrind.{function}"));
    let _ = fs::remove_file(&out);
    let tool = [
        "valgrind".to_owned(),
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={}", out.display()),
    ];
    let mut play = Play::start(folders, Some((function, &tool))).await?;
    let events = match watched {
        Watched::Ingress(case) => {
            for number in 0..runs {
                let event = case.event(&play.stage, number);
                play.ingress.invoke(&event).await?;
            }
            runs as u64
        }
        _ => {
            play.furnish(DEALS, &mut []).await?;
            play.rest().await?;
            work(&mut play, watched, runs).await?.events
        }
    };
    let Play { ingress, writer, poller, .. } = play;
    for ended in [ingress, writer, poller] {
        ended.end().await?;
    }
    Ok((events, total(&out)?))
}

async fn work(play: &mut Play, watched: Watched, runs: usize) -> anyhow::Result<Figure> {
    match watched {
        // At most two to each link, or they would be braked.
        Watched::WriterChanged(10) => changed(play, runs.div_ceil(10), 10, Latency::NONE).await,
        Watched::WriterChanged(batch) => changed(play, runs, batch, Latency::NONE).await,
        Watched::WriterUnchanged => unchanged(play, runs).await,
        _ => idle(play, runs, Latency::NONE).await,
    }
}

fn total(file: &Path) -> anyhow::Result<u64> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals:").or(line.strip_prefix("summary:")));
    Ok(line.context("callgrind's totals")?.trim().parse()?)
}
