//! Parks a referral or record that has no link.

use crate::{
    ports::{Links, Ports, Seen},
    rows::{
        run::{Ended, Run},
        stop::Outcome,
    },
    state::{
        audit::Line,
        failure::Failure,
        parked::Parked,
        table::{Change, Expect, Item, Key, Row},
        version::Version,
    },
};
use mapping::RecordId;

/// What is to be parked, and why.
pub(crate) struct Aside<'a> {
    /// A referral's or a record's id.
    pub(crate) what: &'a str,
    pub(crate) words: &'a str,
    /// The fingerprint of its inputs.
    pub(crate) fingerprint: &'a str,
    /// For a record: the version in which it was judged. A feed's row of the record is skipped until it shows a newer
    /// version.
    pub(crate) version: Option<Version>,
    /// For a referral: the record whose consent is missing.
    pub(crate) waits_for: Option<RecordId>,
}

impl<'a> Aside<'a> {
    /// Only the id is known, no version.
    pub(crate) fn new(what: &'a str, words: &'a str, fingerprint: &'a str) -> Self {
        Aside { what, words, fingerprint, version: None, waits_for: None }
    }
}

/// What is parked under this id.
pub(crate) async fn parked_row<P: Ports>(run: &Run<'_, P>, what: &str) -> Result<Option<Parked>, Failure> {
    Ok(match run.ports.links().read(&[Key::parked(what)]).await?.pop().flatten() {
        Some(Row { item: Item::Parked(parked), .. }) => Some(parked),
        _ => None,
    })
}

/// Parks a referral, or a record of which only the id is known.
pub(crate) async fn park<P: Ports>(run: &Run<'_, P>, what: &str, words: &str, fingerprint: &str) -> Outcome {
    park_besides(run, Aside::new(what, words, fingerprint), vec![]).await
}

/// Parks a record as it was just read.
pub(crate) async fn park_record<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    words: &str,
    fingerprint: &str,
) -> Outcome {
    let what = &seen.record.id.to_string();
    let version = Some(seen.version.clone());
    park_besides(run, Aside { version, ..Aside::new(what, words, fingerprint) }, vec![]).await
}

/// Parks, with an audit line if the reason is new, in one transaction with other changes.
pub(crate) async fn park_besides<P: Ports>(
    run: &Run<'_, P>,
    Aside { what, words, fingerprint, version, waits_for }: Aside<'_>,
    mut changes: Vec<Change>,
) -> Outcome {
    let before = parked_row(run, what).await?;
    let now = run.now();
    let again = Parked::again(words.to_owned(), None, fingerprint.to_owned(), now, before.as_ref());
    let parked = Parked { version, waits_for, ..again };
    let known = {
        let before = before.as_ref();
        before.is_some_and(|before| before.fingerprint == fingerprint || before.tells(words, fingerprint))
    };
    if before.as_ref() != Some(&parked) {
        changes.push(Change::put(Key::parked(what), Expect::Any, Item::Parked(parked)));
    }
    if !known {
        let about = if what.contains('/') { format!("RECORD#{what}") } else { format!("REFERRAL#{what}") };
        let line = Line { at: now, decision: "parked".into(), text: words.to_owned() }.bounded();
        let kept = now + run.settings.audit_kept;
        changes.push(Change::put(Key::audit(&about, now, 0, 0), Expect::Any, Item::Audit(line)).until(kept));
    }
    if !changes.is_empty() && !run.ports.links().commit(changes).await? {
        return Ok(Ended::later(1, "others are working on it"));
    }
    Ok(Ended::done("parked", words))
}
