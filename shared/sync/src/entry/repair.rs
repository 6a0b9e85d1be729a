//! What an administrator does to a link by hand. Each function returns a hint where to look, and `settle` does the
//! rest. It changes only what the table stores, over the revision that was read; but `disconnect` writes Sync at the
//! record, and `relink` of a referral without a link adopts at once.

use crate::{
    engagement::conclude,
    identity::adopt,
    ports::{Crm, Found, Links, Ports, Referrals},
    rows::{
        aliases::alias_of,
        run::{Ended, Run},
        work::Work,
    },
    state::{
        failure::{Failure, Written},
        hint::{Hint, Subject},
        intent::{Intent, Step},
        link::{Link, State},
        memory::Memory,
        table::{Change, Expect, Item, Key, Row},
    },
};
use mapping::{Fields, RecordId, ReferralId, Trim, Value, names::SYNC};

/// A hint where to look now; the inner `Err`: why it was not done, as text for the administrator.
pub type Repaired = Result<Result<Hint, String>, Failure>;

/// Makes a parked item due now. `row`: its row among the parked ones.
pub async fn try_now<P: Ports>(run: &Run<'_, P>, row: Row) -> Repaired {
    const MESSAGE: &str = "a message that could not be read, no deal: `redrive` takes it up";
    let Item::Parked(mut parked) = row.item else { return Ok(Err("nothing is parked there".into())) };
    // The id of a message has the form of a referral's.
    let subject = Subject::parked(&row.key.sk).filter(|_| parked.body.is_none());
    let Some(subject) = subject else { return Ok(Err(MESSAGE.into())) };
    let now = run.now();
    parked.next_try = now;
    let mut changes = vec![Change::put(row.key, Expect::Rev(row.rev), Item::Parked(parked))];
    if let Some(referral) = subject.referral()
        && let Some((mut link, rev)) = read_link(run, referral).await?
    {
        for unit in link.parked.values_mut() {
            unit.next_try = now;
        }
        changes.push(Change::put(Key::link(referral), Expect::Rev(rev), Item::Link(Box::new(link))));
    }
    if !run.ports.links().commit(changes).await? {
        return Ok(Err(OTHERS.into()));
    }
    Ok(Ok(Hint::new(subject, "retry", now)))
}

/// Looks at a detached link again, whose record may be back. `to`: another record takes the place of the old one, or is
/// linked with a referral that has no link; both sides are then compared without a base.
pub async fn relink<P: Ports>(run: &Run<'_, P>, referral: &ReferralId, to: Option<RecordId>) -> Repaired {
    let Some((link, rev)) = read_link(run, referral).await? else {
        return match to {
            Some(record) => link_by_hand(run, referral, record).await,
            None => Ok(Err(NO_LINK.into())),
        };
    };
    let (Some(record), old) = (to.or_else(|| link.record.clone()), link.record.clone()) else {
        return Ok(Err("its record is still being created".into()));
    };
    let found = match run.ports.crm().fetch(&record).await? {
        Some(seen) => seen.record.id,
        None => {
            let words = format!("the CRM does not have `{record}`: restore it there, or name another record");
            return Ok(Err(words));
        }
    };
    let mut work = Work::loaded(run, link, rev);
    if old.as_ref() != Some(&found) {
        let rows = run.ports.links().read(&[Key::record(&found), Key::intent(&found)]).await?;
        match rows.into_iter().flatten().next().map(|row| row.item) {
            None => {}
            Some(Item::Alias { referral: other }) => {
                return Ok(Err(format!("`{found}` belongs to referral `{other}` already")));
            }
            Some(_) => return Ok(Err(format!("`{found}` is just becoming a referral of its own"))),
        }
        if let Some(words) = in_flight(run, &work.link) {
            return Ok(Err(words));
        }
        let alias = Item::Alias { referral: referral.clone() };
        work.besides.push(Change::put(Key::record(&found), Expect::Absent, alias));
        work.besides.extend(old.iter().map(|old| Change::delete(Key::record(old), Expect::Any)));
        let children = std::mem::take(&mut work.link.children);
        work.besides.extend(children.iter().map(|id| Change::delete(Key::child(id), Expect::Any)));
        forget(&mut work.link);
        work.link.readings.clear();
        work.link.crm = Memory::default();
        work.link.related = None;
        work.link.parked.clear();
        work.link.awaiting.clear();
        work.link.record = Some(found.clone());
        work.note("relinked", format!("an administrator linked it with `{found}`"), true);
    }
    if matches!(work.link.state, State::Detached | State::Closed) {
        work.link.state = State::Linked;
        work.link.gone = None;
        work.link.crm.settled = None;
        work.link.partner_center.settled = None;
        work.note("revived", "an administrator looked for its record again", false);
    }
    if !work.try_save().await? {
        return Ok(Err(OTHERS.into()));
    }
    let subject = Subject::Record { record: found, referral: Some(referral.clone()), seen: None };
    Ok(Ok(Hint::new(subject, "relink", run.now())))
}

/// Links a referral and a record without a link: the administrator's command replaces the consent of the side that does
/// not name the other.
async fn link_by_hand<P: Ports>(run: &Run<'_, P>, id: &ReferralId, record: RecordId) -> Repaired {
    let Found::Referral(referral) = run.ports.referrals().fetch(id).await? else {
        return Ok(Err(format!("Partner Center does not show referral `{id}`")));
    };
    if !referral.belongs_to(&run.settings.organization) {
        return Ok(Err(format!("referral `{id}` is another organisation's")));
    }
    let Some(seen) = run.ports.crm().fetch(&record).await? else {
        return Ok(Err(format!("the CRM does not have `{record}`")));
    };
    if let Some(other) = alias_of(run, &record).await? {
        return Ok(Err(format!("`{record}` belongs to referral `{other}` already")));
    }
    let outcome = adopt(run, *referral, seen).await;
    match conclude(run, outcome).await? {
        Ended::Done(decision) if decision.decision == "parked" => Ok(Err(decision.reason)),
        Ended::Later { why, .. } => Ok(Err(format!("{why}; again in a moment"))),
        Ended::Done(_) => {
            let subject = Subject::Record { record, referral: Some(id.clone()), seen: None };
            Ok(Ok(Hint::new(subject, "relink", run.now())))
        }
    }
}

/// Sets Sync with Partner Center to No at the record, as its seller could: both sides stay as they are until it is Yes
/// again.
pub async fn disconnect<P: Ports>(run: &Run<'_, P>, referral: &ReferralId) -> Repaired {
    let Some((link, _)) = read_link(run, referral).await? else { return Ok(Err(NO_LINK.into())) };
    let Some(record) = link.record else { return Ok(Err("its record is still being created".into())) };
    let Some(seen) = run.ports.crm().fetch(&record).await? else {
        return Ok(Err(format!("the CRM does not have `{record}` any more: nothing is kept in step")));
    };
    let off = Fields::from_iter([(SYNC.to_owned(), Value::Bool(false))]);
    let patch = match run.map.of(record.kind).record_patch(&off, &Trim::default()) {
        Ok(patch) => patch,
        Err(refusal) => return Ok(Err(refusal.to_string())),
    };
    match run.ports.crm().patch(&record, &seen.version, &patch).await {
        Written::Done(_) => {}
        Written::Lost | Written::Exists => return Ok(Err(OTHERS.into())),
        Written::Later(failure) | Written::Unknown(failure) => return Err(failure),
        Written::Refused(refused) => return Ok(Err(refused.text)),
    }
    let subject = Subject::Record { record, referral: Some(referral.clone()), seen: None };
    Ok(Ok(Hint::new(subject, "disconnect", run.now())))
}

/// For a table that was restored from a backup and so is older than both sides: takes the base from a link. Both sides
/// are read and compared: equal values agree, of different ones the owner's stands and the loser is audited.
pub async fn rebase<P: Ports>(run: &Run<'_, P>, link: Link, rev: u64) -> Repaired {
    let Some(record) = link.record.clone().filter(|_| link.state != State::Creating) else {
        return Ok(Err("its record is still being created".into()));
    };
    if let Some(words) = in_flight(run, &link) {
        return Ok(Err(words));
    }
    let referral = link.referral.clone();
    let mut work = Work::loaded(run, link, rev);
    forget(&mut work.link);
    work.note("rebased", "an administrator restored the table: both sides are compared anew", false);
    if !work.try_save().await? {
        return Ok(Err(OTHERS.into()));
    }
    let subject = Subject::Record { record, referral: Some(referral), seen: None };
    Ok(Ok(Hint::new(subject, "rebase", run.now())))
}

/// What `explain` reports about an intent.
pub fn intent_in_words(intent: &Intent) -> String {
    let half = match intent.step {
        Step::Own => "our own referral",
        Step::Microsoft => "Microsoft's half",
    };
    let unknown =
        if intent.unknown.is_some() { "; an earlier request may have been carried out" } else { "" };
    format!("{half} is being created since {}{unknown}", intent.began)
}

const NO_LINK: &str = "no link: nothing in the table leads from this referral to a record";
const OTHERS: &str = "others are working on it; again in a moment";

async fn read_link<P: Ports>(
    run: &Run<'_, P>,
    referral: &ReferralId,
) -> Result<Option<(Link, u64)>, Failure> {
    let row = run.ports.links().read(&[Key::link(referral)]).await?.pop().flatten();
    Ok(match row {
        Some(Row { rev, item: Item::Link(link), .. }) => Some((*link, rev)),
        _ => None,
    })
}

fn in_flight<P: Ports>(run: &Run<'_, P>, link: &Link) -> Option<String> {
    let claim = link.claim.as_ref().filter(|claim| run.now() <= claim.deadline)?;
    Some(format!("a write is in flight until {}; again after that", claim.deadline))
}

/// Takes the base, the settled versions and the claim from a link; the versions seen stay.
fn forget(link: &mut Link) {
    for memory in [&mut link.partner_center, &mut link.crm] {
        memory.images.clear();
        memory.settled = None;
    }
    link.claim = None;
    link.shortened.clear();
}
