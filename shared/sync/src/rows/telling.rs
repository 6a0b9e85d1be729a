//! Parks a record that lacks something or was refused, and writes the reason to its Audit field for its seller.

use crate::{
    ports::{Crm, Ports, Seen},
    rows::{
        parking::{Aside, park_besides, parked_row},
        run::{Ended, Run},
        stop::{Outcome, Stop},
        work::AUDIT_LENGTH,
    },
    state::{
        audit::{Journal, Line},
        failure::Written,
        parked::print,
        table::Change,
        version::Version,
    },
};
use mapping::{Fields, Mark, Trim};

/// Parks a record that lacks what Partner Center needs: the reason names everything that is missing, and the seller
/// sees it in the Audit field. The record heals by itself when the fields are filled.
pub(crate) async fn lacking<P: Ports>(run: &Run<'_, P>, seen: &Seen, words: &str) -> Outcome {
    let print = print(words, run.map);
    park_and_tell(run, seen, words, &print, vec![]).await
}

/// Parks a record. The same reason with the same inputs is written to its Audit field once.
pub(crate) async fn park_and_tell<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    words: &str,
    print: &str,
    besides: Vec<Change>,
) -> Outcome {
    let what = seen.record.id.to_string();
    let before = parked_row(run, &what).await?;
    let told = before.is_some_and(|parked| parked.tells(words, print));
    let mut version = seen.version.clone();
    if !told {
        // The Audit field is written first: the reason of a parked record counts as reported.
        version = tell(run, seen, words, Some(Mark::Failed)).await?.unwrap_or(version);
    }
    let aside = Aside { version: Some(version), ..Aside::new(&what, words, print) };
    park_besides(run, aside, besides).await
}

/// Writes one line to the Audit field of a record without a link. If the CRM refuses it, the reason is still in the
/// parked row. `mark`: `None` for a record that its seller has not given to Partner Center. Returns the record's
/// version after the write, if it is known.
pub(crate) async fn tell<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    words: &str,
    mark: Option<Mark>,
) -> Result<Option<Version>, Stop> {
    let mut journal = Journal::default();
    journal.note(Line { at: run.now(), decision: "parked".into(), text: words.to_owned() }, true);
    let trim = Trim {
        mark,
        name: run.map.of(seen.record.id.kind).shown_name(&seen.record).map(str::to_owned),
        audit: journal.to_show(AUDIT_LENGTH),
        ..Trim::default()
    };
    let Ok(patch) = run.map.of(seen.record.id.kind).record_patch(&Fields::new(), &trim) else {
        return Ok(None);
    };
    if !run.may_write() {
        return Err(Ended::later(0, "this run has no time left to tell the seller").into());
    }
    match run.ports.crm().patch(&seen.record.id, &seen.version, &patch).await {
        Written::Later(failure) => Err(failure.into()),
        Written::Lost | Written::Unknown(_) => Err(Ended::later(10, "the seller was not told yet").into()),
        Written::Done(shown) => Ok(shown.map(|shown| shown.version)),
        Written::Refused(_) | Written::Exists => Ok(None),
    }
}
