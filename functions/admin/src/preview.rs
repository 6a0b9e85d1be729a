//! What would be written now, and why: the stories of `sync` run with the ports of a dry run, which write nothing.

use crate::{
    App,
    command::About,
    dry::{Dry, Write},
    report::Report,
    walk::{self, One, Place},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sync::{
    failure::Failure,
    hint::{Hint, Subject},
    ports::{Links, Ports},
    receive::{keys, receive},
    run::Ended,
    table::{Key, Row},
};

/// One deal takes at most this long.
pub(crate) const ONE: SignedDuration = SignedDuration::from_secs(20);

/// Previews one deal, or all for as long as there is time.
pub(crate) async fn preview(app: &App, about: Option<About>, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let dry = Dry::new(worker.clone());
    let mut report = Report::default();
    let mut data: Vec<Value> = vec![];
    match about {
        Some(about) => {
            look(&dry, about.into(), ends, &mut report, &mut data).await;
        }
        None => {
            let mut next = Some(Place::start());
            let mut looked = 0;
            while let Some(place) = next {
                let page = walk::page(&worker, &place).await?;
                for one in page.found {
                    if worker.outside.clock().now() + ONE > ends {
                        report.warn(
                            format!("no time for more than {looked}"),
                            "one by one, with `referral` or `record`",
                        );
                        report.data = json!(data);
                        return Ok(report);
                    }
                    looked += 1;
                    look(&dry, one, ends, &mut report, &mut data).await;
                }
                next = page.next;
            }
            report.good(format!("{looked} looked at, nothing written"));
        }
    }
    report.data = json!(data);
    Ok(report)
}

/// What would be written in one deal; nothing, if its story fails. Only a wide failure is an error.
pub(crate) async fn writes(dry: &Dry, one: One, ends: Timestamp) -> Result<Vec<Write>, Failure> {
    writes_of(dry, one.subject().1, ends).await
}

/// The same for any subject of a hint.
pub(crate) async fn writes_of(dry: &Dry, subject: Subject, ends: Timestamp) -> Result<Vec<Write>, Failure> {
    let story = story(dry, subject, ends).await;
    let writes = dry.take();
    match story {
        Err(failure) if failure.wide => Err(failure),
        _ => Ok(writes),
    }
}

/// Adds one deal to the report. A failure is a line of its own and does not stop the other deals.
async fn look(dry: &Dry, one: One, ends: Timestamp, report: &mut Report, data: &mut Vec<Value>) {
    let (about, subject) = one.subject();
    let ended = story(dry, subject, ends).await;
    let writes = dry.take();
    for write in &writes {
        report.good(format!("{about}: would write: {}", write.words));
    }
    let decision = match ended {
        Ok(Ended::Done(decision)) => format!("{}: {}", decision.decision, decision.reason),
        Ok(Ended::Later { why, .. }) => format!("later: {why}"),
        Err(failure) if !writes.is_empty() => format!("later: {}", failure.text),
        Err(failure) => {
            report.failed(&failure);
            return;
        }
    };
    report.good(format!("{about}: {decision}"));
    let writes: Vec<_> =
        writes.into_iter().map(|write| json!({ "what": write.words, "data": write.data })).collect();
    data.push(json!({ "about": about, "decision": decision, "writes": writes }));
}

async fn story(dry: &Dry, subject: Subject, ends: Timestamp) -> sync::run::Story {
    let run = dry.run(ends);
    let hint = Hint::new(subject, "preview", run.now());
    let rows = dry.read(&keys(&hint)).await?.into_iter().flatten();
    let rows: BTreeMap<Key, Row> = rows.map(|row| (row.key.clone(), row)).collect();
    Box::pin(receive(&run, std::slice::from_ref(&hint), &rows, &Default::default())).await
}
