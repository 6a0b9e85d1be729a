//! The one story of a link: read, merge, claim, write, save. Every caller (webhook, sweep, poll, retry) only says
//! where to look.

mod lead;
mod merged;
mod note;
mod outcome;
mod read;
mod write;

pub(crate) use read::{older_than_hint, older_than_seen};

use crate::{
    failure::{Failure, Written},
    help,
    hold::hold,
    link::{Claim, LOST_RACES_AN_HOUR, State},
    merge::{differing, merge},
    planted::{self, Bug},
    ports::{Links, Ports, Seen},
    run::{Ended, Run, Story},
    table::{Item, Key, Row},
    work::{Overtaken, Work},
};
use jiff::{SignedDuration, Timestamp};
use lead::Next;
use mapping::{RecordKind, Referral, ReferralId, Side};
use outcome::{done, finish, freeze_contacts, heal_over, park_refused, take_plan};
use read::Sides;
use write::next_write;

/// Races lost in one run before the queue takes over.
const ROUNDS: u32 = 3;
/// Outside writes of one run: each side's values, the steps of a status, an action, the Audit field.
const WRITES: u32 = 8;

/// Where the caller says to look.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The referral changed, as somebody says.
    pub referral: bool,
    /// Something in its engagement changed, as somebody says.
    pub engagement: bool,
    /// ... at this instant: an older read is looked at again.
    pub since: Option<Timestamp>,
    /// The record changed, as somebody says.
    pub record: bool,
    /// ... in a version of this order: an older read is looked at again.
    pub at_least: Option<i64>,
    /// The record was deleted, as its feed says.
    pub gone: bool,
    /// A row of the record that was just read (own columns only).
    pub row: Option<Seen>,
    /// The referral as it was just read.
    pub body: Option<Referral>,
}

impl Look {
    /// Somebody else saved: what was read stays a reason to look, not a state to decide on.
    pub(crate) fn anew(self) -> Self {
        Look {
            referral: self.referral || self.body.is_some(),
            record: self.record || self.row.is_some(),
            body: None,
            row: None,
            ..self
        }
    }
}

/// Settles the link of a referral, starting from `row` if the caller has just read it.
pub async fn settle<P: Ports>(
    run: &Run<'_, P>,
    referral: &ReferralId,
    row: Option<Row>,
    mut look: Look,
) -> Story {
    let mut row = row;
    let engagement = look.engagement;
    for _ in 0..ROUNDS {
        let current = match row.take() {
            Some(row) => Some(row),
            None => run.ports.links().read(&[Key::link(referral)]).await?.pop().flatten(),
        };
        let Some(Row { rev, item: Item::Link(link), .. }) = current else {
            return Ok(Ended::done("skipped", "the link is gone"));
        };
        match Box::pin(settle_once(Work::loaded(run, *link, rev), &mut look)).await? {
            Ok(ended) => return Ok(ended),
            Err(Overtaken) => look = Look { engagement, ..look.anew() },
        }
    }
    Ok(Ended::later(2, "others are working on this link"))
}

/// Continues with a link that was just made, in the same run.
pub(crate) async fn settle_on<P: Ports>(work: Work<'_, P>, mut look: Look) -> Story {
    let run = work.run.clone();
    let referral = work.link.referral.clone();
    let fresh = work.is_fresh() && !planted::is(Bug::AdoptionGivenUp);
    match Box::pin(settle_once(work, &mut look)).await? {
        Ok(ended) => Ok(ended),
        // Whoever was first may have died: it is not known that there is a link.
        Err(Overtaken) if fresh => Ok(Ended::later(2, "somebody else is linking it")),
        Err(Overtaken) => {
            settle(&run, &referral, None, Look { referral: true, record: true, ..look.anew() }).await
        }
    }
}

pub(crate) type Attempt = Result<Result<Ended, Overtaken>, Failure>;

/// Saves what was learnt, or ends the attempt because somebody else saved.
macro_rules! save {
    ($work:expr) => {
        if let Err(overtaken) = $work.save().await? {
            return Ok(Err(overtaken));
        }
    };
}
use save;

/// One attempt, with whatever the first save carries besides.
pub(crate) async fn settle_once<P: Ports>(mut work: Work<'_, P>, look: &mut Look) -> Attempt {
    let Some(mut record) = work.link.record.clone() else {
        return Ok(Ok(Ended::later(30, "the record is being created")));
    };
    if let Some(ended) = rests(&work, look) {
        return Ok(Ok(ended));
    }
    let mut sides = Sides::default();
    let (mut lost, mut written) = (0, 0);
    // The version of a lead that was followed: another one may be qualified by now.
    let mut followed = None;
    loop {
        match sides.read(&mut work, look, &record).await? {
            Ok(None) => {}
            Ok(Some(ended)) => {
                save!(work);
                return Ok(Ok(ended));
            }
            Err(overtaken) => return Ok(Err(overtaken)),
        }
        if lead::is_due(&work, &sides) && (followed.is_none() || followed != sides.version(Side::Crm)) {
            let Some((referral, seen)) = sides.whole() else { continue };
            followed = Some(seen.version.clone());
            match lead::follow(&mut work, &referral, &seen).await? {
                Ok(Next::Stays) => {}
                Ok(Next::Moved) => {
                    // From here it is the opportunity's story, with the referral as it was just read.
                    let Some(deal) = work.link.record.clone() else { continue };
                    (record, sides, written) = (deal, Sides::default(), written + 1);
                    *look = Look { referral: true, record: true, body: Some(referral), ..Look::default() };
                    continue;
                }
                Ok(Next::Ended(ended)) => {
                    save!(work);
                    return Ok(Ok(ended));
                }
                Err(overtaken) => return Ok(Err(overtaken)),
            }
        }
        match note::settle_debts(&mut work, &sides).await? {
            Ok(None) => {}
            Ok(Some(ended)) => return Ok(Ok(ended)),
            Err(overtaken) => return Ok(Err(overtaken)),
        }
        let mut plan = merge(work.map(), &work.link, sides.shown());
        if record.kind == RecordKind::Opportunity {
            help::look(&work, &sides.for_help(), &mut plan);
            freeze_contacts(&work, &sides, &mut plan);
        }
        if let Some(side) = plan.need {
            // A page's row does not show everything: fetch the whole.
            if sides.read_anew(side) {
                continue;
            }
            plan.incomplete = true;
        }
        if heal_over(&mut work, &plan, &sides) {
            // What waited for it may go now.
            continue;
        }
        take_plan(&mut work, &mut plan);
        let Some(write) = next_write(&mut work, &mut plan, &sides) else {
            if note::owes_news(&mut work, &sides) {
                continue;
            }
            let seen = sides.crm.as_ref().map(|read| read.shown.clone());
            let begun = match (plan.invite.take(), seen) {
                (Some(request), Some(seen)) => help::begin(&mut work, request, seen).await?,
                _ => None,
            };
            finish(&mut work, &sides, &plan);
            save!(work);
            if let Some(begun) = begun {
                return begun.go_on(&work).await.map(Ok);
            }
            return Ok(Ok(match written {
                0 => Ended::done("unchanged", agreement(&work, &sides)),
                n => Ended::done("settled", format!("{n} written")),
            }));
        };
        if written >= WRITES || !work.run.may_write() {
            save!(work);
            return Ok(Ok(Ended::later(0, "this run has no time left for another write")));
        }
        let base = sides.version(write.side).or_else(|| work.link.side(write.side).settled.clone());
        let Some(base) =
            base.filter(|_| !write.is_action() || sides.crm_fetched || planted::is(Bug::ActionUnread))
        else {
            // A condition needs a version; an action takes none and reads the state just before.
            sides.force(write.side);
            continue;
        };
        if !work.brake_allows(&write.name()) {
            save!(work);
            return Ok(Ok(Ended::done("parked", "oscillates")));
        }
        // Claim: binds everyone from here to its deadline. The loser of a conflict was noted when the write was
        // chosen and is saved in the same transaction, before it is overwritten.
        let claim = Claim {
            side: write.side,
            units: write.units.clone(),
            base: Some(base.clone()),
            deadline: work.run.deadline(),
        };
        work.link.claim = Some(claim).filter(|_| !planted::is(Bug::NoClaim));
        save!(work);
        written += 1;
        match write.send(&work, &base, &sides, &record).await {
            Written::Unknown(failure) if planted::is(Bug::UnknownIsLater) => {
                work.link.claim = None;
                save!(work);
                return Err(failure);
            }
            Written::Lost if planted::is(Bug::LostIsDone) => {
                work.link.claim = None;
                done(&mut work, &write, base, write.unseen(), &mut sides);
            }
            Written::Done(answer) => {
                work.link.claim = None;
                done(&mut work, &write, base, answer, &mut sides);
            }
            Written::Lost | Written::Exists => {
                work.link.claim = None;
                let now = work.run.now();
                let memory = work.link.side_mut(write.side);
                memory.settled = None;
                // The condition did not hold: what we held is old.
                memory.wrote_over(&base, now);
                lost += 1;
                if work.link.lost_races.add(work.run.now()) > LOST_RACES_AN_HOUR {
                    work.brake(&write.name());
                    save!(work);
                    return Ok(Ok(Ended::done("parked", "oscillates")));
                }
                if lost >= ROUNDS {
                    save!(work);
                    return Ok(Ok(Ended::later(5, "the other side keeps changing")));
                }
                sides.force(write.side);
            }
            Written::Later(failure) => {
                work.link.claim = None;
                save!(work);
                return Err(failure);
            }
            Written::Refused(refused) => {
                work.link.claim = None;
                park_refused(&mut work, &write, refused);
            }
            Written::Unknown(failure) => {
                return Ok(Ok(outage_or_wait(&work, "the write happened", failure).await?));
            }
        }
    }
}

/// What there is to say where nothing is written.
fn agreement<P: Ports>(work: &Work<'_, P>, sides: &Sides) -> String {
    let differ = differing(work.map(), &work.link, sides.shown());
    match differ.is_empty() {
        true => "both sides agree".to_owned(),
        false => format!("nothing to write; both sides keep their own {}", differ.join(", ")),
    }
}

/// A write may have happened: its claim stays, and nobody looks before its deadline.
async fn outage_or_wait<P: Ports>(
    work: &Work<'_, P>,
    what: &str,
    failure: Failure,
) -> Result<Ended, Failure> {
    if failure.wide {
        hold(&work.run, &failure).await?;
    }
    let after = work.run.deadline().duration_since(work.run.now()) + SignedDuration::from_secs(1);
    let why = format!("it is not known whether {what}: {failure}");
    Ok(Ended::Later { after, why })
}

/// Why nothing is looked at now: gone, stopped, set aside, or claimed.
fn rests<P: Ports>(work: &Work<'_, P>, look: &Look) -> Option<Ended> {
    let now = work.run.now();
    let record = look.record || look.row.is_some();
    match work.link.state {
        State::Detached if !record => return Some(Ended::done("skipped", "detached: the record is gone")),
        State::Stopped if !record => {
            return Some(Ended::done("skipped", "Sync with Partner Center is set to No"));
        }
        _ if work.is_braked() => return Some(Ended::done("skipped", "set aside: it oscillates")),
        _ => {}
    }
    let claim = work
        .link
        .claim
        .as_ref()
        .filter(|claim| now <= claim.deadline && !planted::is(Bug::ClaimTakenOver))?;
    let after = claim.deadline.duration_since(now) + SignedDuration::from_secs(1);
    Some(Ended::Later { after, why: "a write is in flight".into() })
}
