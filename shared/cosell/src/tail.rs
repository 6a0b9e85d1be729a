//! Follows decisions: those of the local run, or in the logs of a stack.

use crate::{out::Out, target::Target};
use console::{
    command::Tail,
    decision::{self, Deal, Decision},
    local::Local,
    present::{harmless, harmless_json},
    wrong::{Code, Wrong},
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Where they come from.
enum Source {
    /// The local run, with the number of the last decision that it returned.
    Local(Local, u64),
    #[cfg(feature = "aws")]
    Stack(Box<console::logs::Logs>),
}

/// Follows decisions until Ctrl-C.
pub(crate) async fn follow(target: &Target, wanted: &Tail, out: &Out) -> Result<u8, Wrong> {
    let mut deal = deal(target, wanted).await?;
    let since = Timestamp::now() - wanted.since.unwrap_or(SignedDuration::ZERO);
    let (mut source, pause) = open(target, since).await?;
    out.say("following decisions; Ctrl-C ends");
    loop {
        for decision in source.next().await?.iter().filter(|decision| decision.at >= since) {
            if deal.as_mut().is_none_or(|deal| deal.is(decision)) {
                out.put(&line(decision, out.json))?;
            }
        }
        tokio::time::sleep(pause).await;
    }
}

fn line(decision: &Decision, json: bool) -> String {
    let text = if json { harmless_json(&decision.json(), false) } else { decision.text() };
    text + "\n"
}

/// Both ends of the deal that was named.
async fn deal(target: &Target, wanted: &Tail) -> Result<Option<Deal>, Wrong> {
    let event = wanted.deal().map_err(|words| Wrong::new(Code::Usage, words))?;
    let Some(event) = event else { return Ok(None) };
    let report = target.admin().await?.invoke(&event).await.map_err(|unreachable| unreachable.wrong())?;
    if report["ok"] != true {
        let line = &report["lines"][0];
        let text = harmless(line["text"].as_str().unwrap_or("the deal is not known"));
        return Err(Wrong::new(Code::Failed, text).cured(line["cure"].as_str().unwrap_or_default()));
    }
    Ok(Some(Deal::of(&event, &report)))
}

#[cfg_attr(
    not(feature = "aws"),
    expect(clippy::unused_async, unused_variables, reason = "looks log groups up")
)]
async fn open(target: &Target, since: Timestamp) -> Result<(Source, Duration), Wrong> {
    match target {
        Target::Local(local) => Ok((Source::Local(*local, 0), Duration::from_millis(500))),
        #[cfg(feature = "aws")]
        Target::Stack(stack) => {
            let (profile, region) = (stack.profile.as_deref(), stack.region.as_deref());
            let logs = console::logs::Logs::open(&stack.name, profile, region, since).await;
            let logs = logs.map_err(|unreachable| unreachable.wrong())?;
            Ok((Source::Stack(Box::new(logs)), Duration::from_secs(2)))
        }
        #[cfg(not(feature = "aws"))]
        Target::Stack(stack) => Err(stack.without_aws()),
    }
}

impl Source {
    /// What is new, oldest first.
    async fn next(&mut self) -> Result<Vec<Decision>, Wrong> {
        match self {
            Source::Local(local, last) => {
                let told = local.decisions(*last).await.map_err(|unreachable| unreachable.wrong())?;
                *last = told.iter().filter_map(|one| one["n"].as_u64()).fold(*last, u64::max);
                Ok(told.iter().filter_map(decision::of_json).collect())
            }
            #[cfg(feature = "aws")]
            Source::Stack(logs) => logs.next().await.map_err(|unreachable| unreachable.wrong()),
        }
    }
}
