//! A user merged a lead into another one, its master: the referral continues with the master and is not declined.

use crate::{
    ports::{Crm, Links, Ports, Seen},
    rows::{
        run::Ended,
        stop::Stop,
        work::{WHOLE, Work},
    },
    state::{
        failure::Written,
        memory::Memory,
        table::{Change, Expect, Item, Key},
    },
};
use mapping::{Direction, Fields, RecordId, RecordKind, Trim, Unit, Value, names::SYNC};
use std::collections::BTreeSet;

/// The longest chain of merged leads that is followed: a master may have been merged itself.
const CHAIN: usize = 5;

/// Moves the link of a lead that is not shown any more to its master; `None`: the lead was not merged.
pub(super) async fn follow<P: Ports>(
    work: &mut Work<'_, P>,
    record: &RecordId,
) -> Result<Option<Ended>, Stop> {
    if record.kind != RecordKind::Lead {
        return Ok(None);
    }
    let crm = work.run.ports.crm();
    let Some(mut master) = crm.merged_into(record).await? else { return Ok(None) };
    for _ in 0..CHAIN {
        let Some(next) = crm.merged_into(&master).await? else { break };
        master = next;
    }
    let rows = work.run.ports.links().read(&[Key::record(&master), Key::intent(&master)]).await?;
    let taken = rows.into_iter().flatten().any(|row| match row.item {
        Item::Alias { referral } => referral != work.link.referral,
        _ => true,
    });
    work.link.crm.settled = None;
    if taken {
        let words = format!("its lead was merged into `{master}`, which belongs to another referral");
        work.park(WHOLE, &words, words.clone(), None);
        return Ok(Some(Ended::done("parked", words)));
    }
    let seen = take_up(work, &master).await?;
    let shown = work.map().record_fields(&seen.record);
    move_to(work, master, &shown);
    Ok(Some(Ended::later(1, "its lead was merged into another one, which takes its place")))
}

/// Reads the master and sets its Sync to Yes: the lead that went into it was kept in step, and the CRM keeps the
/// master's own Sync. A run that dies after this write repeats this step.
async fn take_up<P: Ports>(work: &mut Work<'_, P>, master: &RecordId) -> Result<Seen, Stop> {
    let crm = work.run.ports.crm();
    let Some(seen) = crm.fetch(master).await? else {
        let ended = Ended::later(60, "the lead that it was merged into cannot be read yet");
        return Err(work.end(ended).await);
    };
    if work.map().wants_referral(&seen.record) == Some(true) {
        return Ok(seen);
    }
    let on = Fields::from_iter([(SYNC.to_owned(), Value::Bool(true))]);
    let Ok(patch) = work.map().record_patch(&on, &Trim::default()) else { return Ok(seen) };
    if !work.run.may_write() {
        let ended = Ended::later(0, "this run has no time left for another write");
        return Err(work.end(ended).await);
    }
    match crm.patch(master, &seen.version, &patch).await {
        // Refused: the link moves, and is stopped until its seller sets Sync.
        Written::Done(_) | Written::Refused(_) => Ok(seen),
        Written::Lost | Written::Exists | Written::Unknown(_) => {
            let ended = Ended::later(5, "the lead that it was merged into is changing");
            Err(work.end(ended).await)
        }
        Written::Later(failure) => Err(failure.into()),
    }
}

/// Moves the link. A value that differs between master and lead is the seller's choice and stays an edit. A value that
/// is empty in the master was removed by no user, and a unit that only we write has to be written again: both lose
/// their base.
fn move_to<P: Ports>(work: &mut Work<'_, P>, master: RecordId, shown: &Fields) {
    let map = work.map();
    let empty = |unit: &Unit| shown.get(&unit.name).is_none_or(Value::is_null);
    let ours = map.units().filter(|unit| unit.direction == Direction::ToCrm || empty(unit));
    let ours: BTreeSet<String> = ours.map(|unit| unit.name.clone()).collect();
    let link = &mut work.link;
    link.forget(&ours);
    link.readings.retain(|unit, _| !ours.contains(unit));
    link.crm = Memory { images: std::mem::take(&mut link.crm.images), ..Memory::default() };
    link.partner_center.settled = None;
    (link.related, link.gone, link.claim) = (None, None, None);
    link.children.clear();
    // The lead's alias stays: hints about the lead may still be on their way.
    let alias = Item::Alias { referral: link.referral.clone() };
    work.besides.push(Change::put(Key::record(&master), Expect::Any, alias));
    work.note("merged", format!("the lead was merged into `{master}`, which takes its place"), true);
    work.link.record = Some(master);
}
