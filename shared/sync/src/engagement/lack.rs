//! A record that lacks something, or was refused: set aside, and its seller is told why.

use crate::{
    audit::{Journal, Line},
    failure::{Failure, Written},
    identity::{park_besides, parked_row},
    link::digest,
    ports::{Crm, Ports, Seen},
    run::{Ended, Run, Story},
    table::Change,
    work::AUDIT_LENGTH,
};
use mapping::{Fields, Mark, Trim};

/// Lacks what the other side needs: parked naming everything at once, and the seller sees it in Audit. Heals by
/// itself when the field arrives.
pub(super) async fn lacking<P: Ports>(run: &Run<'_, P>, seen: &Seen, words: &str) -> Story {
    let print = digest(&format!("{}{words}", run.map.hash()));
    park_and_tell(run, seen, words, &print, vec![]).await
}

/// Sets a record aside; the seller is told once for the same reason and inputs.
pub(super) async fn park_and_tell<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    words: &str,
    print: &str,
    besides: Vec<Change>,
) -> Story {
    let what = seen.record.id.to_string();
    let before = parked_row(run, &what).await?;
    let told = before.is_some_and(|parked| parked.fingerprint == print && parked.reason == words);
    // Told first: what is set aside counts as told.
    if !told && let Some(again) = tell(run, seen, words).await? {
        return Ok(again);
    }
    park_besides(run, &what, words, print, besides).await
}

/// Shows one line in the Audit field of a record that has no link; what to do if that has to be tried again. The CRM
/// may refuse it: the parked row still says it.
pub(super) async fn tell<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    words: &str,
) -> Result<Option<Ended>, Failure> {
    let mut journal = Journal::default();
    journal.note(Line { at: run.now(), decision: "parked".into(), text: words.to_owned() }, true);
    let trim = Trim {
        mark: Some(Mark::Failed),
        name: run.map.shown_name(&seen.record).map(str::to_owned),
        audit: journal.to_show(AUDIT_LENGTH),
        ..Trim::default()
    };
    let Ok(patch) = run.map.record_patch(&Fields::new(), &trim) else { return Ok(None) };
    if !run.may_write() {
        return Ok(Some(Ended::later(0, "this run has no time left to tell the seller")));
    }
    match run.ports.crm().patch(&seen.record.id, &seen.version, &patch).await {
        Written::Later(failure) => Err(failure),
        Written::Lost | Written::Unknown(_) => Ok(Some(Ended::later(10, "the seller was not told yet"))),
        _ => Ok(None),
    }
}
