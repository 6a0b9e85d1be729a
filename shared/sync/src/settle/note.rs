//! Notes at the record: Microsoft's messages, and what became of a record that is closed and takes only notes. A note
//! is owed from the save that remembers its text until the CRM has answered, so a run that dies loses none. A claim
//! keeps every other run from writing it meanwhile; after the claim's deadline the CRM itself shows whether the note is
//! there.

use super::sides::Sides;
use crate::{
    planted::{self, Bug},
    ports::{Crm, Ports},
    rows::{
        hold::not_known,
        run::Ended,
        stop::Stop,
        work::{AUDIT_LENGTH, Work},
    },
    state::{deal, failure::Written, in_log::in_log, link::Claim, note::Note},
};
use mapping::{RecordKind, Side, names::STATUS};
use std::collections::BTreeSet;

/// Makes a note of the lines that the Audit field should show but no longer can, since the record is closed. `true`:
/// there are some.
pub(super) fn owes_news<P: Ports>(work: &mut Work<'_, P>, sides: &Sides) -> bool {
    let shown = sides.shown().crm.and_then(|fields| fields.get(STATUS));
    let status = shown.or(work.link.crm.images.get(STATUS));
    let closed = status.is_some_and(|status| deal::is_closed_record(work.map(), status));
    let deal = work.link.record.as_ref().is_some_and(|record| record.kind == RecordKind::Opportunity);
    if !closed || !deal || !work.run.map.switches().microsoft_note {
        return false;
    }
    let Some(text) = work.link.journal.news() else { return false };
    work.link.notes.push(Note { half: work.link.referral.clone(), text });
    work.link.journal.shown(AUDIT_LENGTH);
    true
}

/// Writes the notes that are owed, oldest first.
pub(super) async fn settle_debts<P: Ports>(work: &mut Work<'_, P>, sides: &Sides) -> Result<(), Stop> {
    if !work.run.map.switches().microsoft_note {
        work.link.notes.clear();
    }
    while let (Some(note), Some(record)) = (work.link.notes.first().cloned(), work.link.record.clone()) {
        claim(work, sides).await?;
        let written = work.run.ports.crm().add_note(&record, &note).await;
        if !matches!(written, Written::Unknown(_)) {
            work.link.claim = None;
        }
        match written {
            Written::Done(()) | Written::Exists => {}
            Written::Refused(refused) => {
                tracing::warn!(referral.id = %work.link.referral, record.id = %record.id, decision = "refused",
                    reason = in_log(&refused.text), "a note was refused");
                let what =
                    if note.half == work.link.referral { "what became of it" } else { "what Microsoft said" };
                let words = format!("{what} is not noted at the record: {}", refused.text);
                work.note("refused", words, true);
            }
            Written::Lost => {
                return Err(work.end(Ended::later(2, "others are working on the record's notes")).await);
            }
            Written::Later(failure) => {
                work.save().await?;
                return Err(failure.into());
            }
            Written::Unknown(failure) => {
                return Err(not_known(&work.run, "the note was written", failure).await?.into());
            }
        }
        work.link.notes.retain(|owed| *owed != note);
    }
    Ok(())
}

/// Saves a claim without units before a note is written.
async fn claim<P: Ports>(work: &mut Work<'_, P>, sides: &Sides) -> Result<(), Stop> {
    if !work.run.may_write() {
        return Err(work.end(Ended::later(0, "this run has no time left for a note")).await);
    }
    if !work.brake_allows("note") {
        return Err(work.end(Ended::done("parked", "oscillates")).await);
    }
    let base = sides.version(Side::Crm).or_else(|| work.link.crm.settled.clone());
    let (units, deadline) = (BTreeSet::new(), work.run.deadline());
    work.link.claim = Some(Claim { side: Side::Crm, units, base, deadline });
    if planted::is(Bug::NoteUnclaimed) {
        work.link.claim = None;
    }
    if planted::is(Bug::NoteNotOwed) {
        work.link.notes.remove(0);
    }
    work.save().await
}
