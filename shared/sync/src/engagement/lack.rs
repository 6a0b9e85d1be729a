//! A record that lacks something, or was refused: set aside, and its seller is told why.

use crate::{
    audit::{Journal, Line},
    failure::{Failure, Written},
    park::{Aside, park_besides, parked_row},
    parked::print,
    ports::{Crm, Ports, Seen},
    run::{Ended, Run, Story},
    table::Change,
    version::Version,
    work::AUDIT_LENGTH,
};
use mapping::{Fields, Mark, Trim};

/// Lacks what the other side needs: parked naming everything at once, and the seller sees it in Audit. Heals by
/// itself when the field arrives.
pub(super) async fn lacking<P: Ports>(run: &Run<'_, P>, seen: &Seen, words: &str) -> Story {
    let print = print(words, run.map);
    park_and_tell(run, seen, words, &print, vec![]).await
}

/// Sets a record aside; the seller is told once for the same reason and inputs.
pub(crate) async fn park_and_tell<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    words: &str,
    print: &str,
    besides: Vec<Change>,
) -> Story {
    let what = seen.record.id.to_string();
    let before = parked_row(run, &what).await?;
    let told = before.is_some_and(|parked| parked.tells(words, print));
    let mut version = seen.version.clone();
    if !told {
        // Told first: what is set aside counts as told.
        match tell(run, seen, words, Some(Mark::Failed)).await? {
            Told::Shown(shown) => version = shown.unwrap_or(version),
            Told::Again(again) => return Ok(again),
        }
    }
    let aside = Aside { version: Some(version), ..Aside::new(&what, words, print) };
    park_besides(run, aside, besides).await
}

/// Whether a seller was told.
pub(crate) enum Told {
    /// As well as can be; the version that shows it, if it is known.
    Shown(Option<Version>),
    /// Has to be tried again.
    Again(Ended),
}

/// Shows one line in the Audit field of a record that has no link. The CRM may refuse it: the parked row still says it.
/// `mark`: none at a record that its seller has not given to Partner Center.
pub(crate) async fn tell<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    words: &str,
    mark: Option<Mark>,
) -> Result<Told, Failure> {
    let mut journal = Journal::default();
    journal.note(Line { at: run.now(), decision: "parked".into(), text: words.to_owned() }, true);
    let trim = Trim {
        mark,
        name: run.map.of(seen.record.id.kind).shown_name(&seen.record).map(str::to_owned),
        audit: journal.to_show(AUDIT_LENGTH),
        ..Trim::default()
    };
    let Ok(patch) = run.map.of(seen.record.id.kind).record_patch(&Fields::new(), &trim) else {
        return Ok(Told::Shown(None));
    };
    if !run.may_write() {
        return Ok(Told::Again(Ended::later(0, "this run has no time left to tell the seller")));
    }
    Ok(match run.ports.crm().patch(&seen.record.id, &seen.version, &patch).await {
        Written::Later(failure) => return Err(failure),
        Written::Lost | Written::Unknown(_) => Told::Again(Ended::later(10, "the seller was not told yet")),
        Written::Done(shown) => Told::Shown(shown.map(|shown| shown.version)),
        Written::Refused(_) | Written::Exists => Told::Shown(None),
    })
}
