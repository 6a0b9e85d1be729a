//! The one story of a link: read both sides, follow its lead, write the notes that are owed, plan, write, save. Every
//! caller (webhook, sweep, poll, retry) only says where to look.

mod answer;
mod help;
mod judge;
mod lead;
mod look;
mod merged;
mod microsoft;
mod note;
mod outcome;
mod pass;
mod read_crm;
mod read_referral;
mod send;
mod sides;
mod write;

use crate::{
    merge::{Plan, differing, merge},
    planted::{self, Bug},
    ports::{Links, Ports},
    rows::{
        run::{Ended, Run},
        stop::{Outcome, Stop},
        work::Work,
    },
    state::{
        link::State,
        table::{Item, Key, Row},
    },
};
pub(crate) use help::sent as help_was_asked;
pub(crate) use judge::stale;
pub(crate) use look::Look;
use mapping::{RecordKind, ReferralId};
use outcome::{finish, freeze_contacts, heal_over, take_plan};
use pass::Pass;
use send::{claim, send_and_record};
use sides::Sides;
use write::next_write;

/// How many lost races end a run; then the queue takes over.
const ROUNDS: u32 = 3;

/// Settles the link of a referral. `row`: the link's row, if the caller has just read it.
pub(crate) async fn settle<P: Ports>(
    run: &Run<'_, P>,
    referral: &ReferralId,
    mut row: Option<Row>,
    mut look: Look,
) -> Outcome {
    let engagement = look.engagement;
    for _ in 0..ROUNDS {
        let current = match row.take() {
            Some(row) => Some(row),
            None => run.ports.links().read(&[Key::link(referral)]).await?.pop().flatten(),
        };
        let Some(Row { rev, item: Item::Link(link), .. }) = current else {
            return Ok(Ended::done("skipped", "the link is gone"));
        };
        match Box::pin(settle_once(Work::loaded(run, *link, rev), &mut look)).await {
            Err(Stop::Overtaken) => look = Look { engagement, ..look.anew() },
            outcome => return outcome,
        }
    }
    Ok(Ended::later(2, "others are working on this link"))
}

/// Settles a link that was just made, in the same run.
pub(crate) async fn settle_on<P: Ports>(work: Work<'_, P>, mut look: Look) -> Outcome {
    let run = work.run.clone();
    let referral = work.link.referral.clone();
    let fresh = work.is_fresh() && !planted::is(Bug::AdoptionGivenUp);
    match Box::pin(settle_once(work, &mut look)).await {
        // The other run may have died before it saved a link: the message returns to the queue.
        Err(Stop::Overtaken) if fresh => Ok(Ended::later(2, "somebody else is linking it")),
        Err(Stop::Overtaken) => {
            settle(&run, &referral, None, Look { referral: true, record: true, ..look.anew() }).await
        }
        outcome => outcome,
    }
}

/// One attempt to settle a link; `work` may hold changes for the first save. [`Stop::Overtaken`]: another run saved the
/// link.
pub(crate) async fn settle_once<P: Ports>(mut work: Work<'_, P>, look: &mut Look) -> Outcome {
    let Some(record) = work.link.record.clone() else {
        return Ok(Ended::later(30, "the record is being created"));
    };
    if let Some(ended) = rests(&work, look) {
        return Ok(ended);
    }
    let mut pass = Pass::new(record);
    loop {
        pass.sides.read(&mut work, look, &pass.record).await?;
        if lead::follow_if_due(&mut work, &mut pass, look).await? {
            continue;
        }
        note::settle_debts(&mut work, &pass.sides).await?;
        let Some(mut plan) = plan(&mut work, &mut pass.sides) else { continue };
        let Some(write) = next_write(&mut work, &mut plan, &pass.sides) else {
            if note::owes_news(&mut work, &pass.sides) {
                continue;
            }
            return end(&mut work, &pass, plan).await;
        };
        let Some(base) = claim(&mut work, &mut pass, &write).await? else { continue };
        send_and_record(&mut work, &mut pass, write, base).await?;
    }
}

/// Decides what happens next. `None`: a side has to be read first, or a unit that was parked has just healed.
fn plan<P: Ports>(work: &mut Work<'_, P>, sides: &mut Sides) -> Option<Plan> {
    let mut plan = merge(work.map(), &work.link, sides.shown());
    if work.link.record.as_ref().is_some_and(|record| record.kind == RecordKind::Opportunity) {
        help::look(work, &sides.for_help(), &mut plan);
        freeze_contacts(work, sides, &mut plan);
    }
    if let Some(side) = plan.need {
        // A page's row does not show everything: read the record by id.
        if sides.read_anew(side) {
            return None;
        }
        plan.incomplete = true;
    }
    if heal_over(work, &plan, sides) {
        return None;
    }
    take_plan(work, &mut plan);
    Some(plan)
}

/// Nothing is left to write: saves what may be settled.
async fn end<P: Ports>(work: &mut Work<'_, P>, pass: &Pass, mut plan: Plan) -> Outcome {
    let seen = pass.sides.crm.as_ref().map(|read| read.shown.clone());
    let begun = match (plan.invite.take(), seen) {
        (Some(request), Some(seen)) => help::begin(work, request, seen).await?,
        _ => None,
    };
    finish(work, &pass.sides, &plan);
    work.save().await?;
    if let Some(begun) = begun {
        return Err(Stop::Invites(Box::new(begun)));
    }
    Ok(match pass.written {
        0 => Ended::done("unchanged", agreement(work, &pass.sides)),
        n => Ended::done("settled", format!("{n} written")),
    })
}

/// The reason for the log where nothing was written.
fn agreement<P: Ports>(work: &Work<'_, P>, sides: &Sides) -> String {
    let differ = differing(work.map(), &work.link, sides.shown());
    match differ.is_empty() {
        true => "both sides agree".to_owned(),
        false => format!("nothing to write; both sides keep their own {}", differ.join(", ")),
    }
}

/// Why the link is not looked at now, if it is not: detached, stopped, parked by the brake, or claimed.
fn rests<P: Ports>(work: &Work<'_, P>, look: &Look) -> Option<Ended> {
    let now = work.run.now();
    let record = look.record || look.row.is_some();
    match work.link.state {
        State::Detached if !record => return Some(Ended::done("skipped", "detached: the record is gone")),
        State::Stopped if !record => {
            return Some(Ended::done("skipped", "Sync with Partner Center is set to No"));
        }
        _ if work.is_braked() => return Some(Ended::done("skipped", "parked: it oscillates")),
        _ => {}
    }
    let claim = work
        .link
        .claim
        .as_ref()
        .filter(|claim| now <= claim.deadline && !planted::is(Bug::ClaimTakenOver))?;
    Some(work.run.just_after(claim.deadline, "a write is in flight"))
}
