//! A lead becomes an opportunity because its referral was accepted in Partner Center, or because its seller qualified
//! it. It is one link throughout.
//!
//! (1) Accepted, and the lead is still open: claim, then `QualifyLead` in one transaction with its customer, only in
//! the version that was read.
//!
//! (2) Qualified, by us or by a user: the opportunity is read through the lead, so a lost answer and a seller's own
//! step are the same case. Nothing is qualified or created again.
//!
//! (3) What the lead could not hand on (Referral Identifier, Sync) is written to the opportunity, only in the version
//! that was read and only where nothing is shown. Where a CRM qualifies outside a transaction and fills in required
//! fields itself, everything that the opportunity would have been created with is written, with the seller's edits of
//! the lead: only we have written the opportunity, so no edit is lost. The values are saved first: if the answer is
//! lost, they do not count as a seller's edits. The lead is read again before, since such a qualifying takes no version
//! and the lead may have been edited until then.
//!
//! (4) One save moves the link: record, alias, no claim. The lead's alias stays, so its opportunity never gets a second
//! referral. From here on the opportunity is settled like any other. If a seller qualified the lead, the opportunity's
//! status accepts the referral, with the opportunity's values.
//!
//! A run that dies between two steps leaves a claim and a qualified lead: step (2) follows after the deadline. A lead
//! that was qualified without an opportunity keeps the link; its status alone accepts the referral, once no replica
//! lags any more.

mod base;

use super::{look::Look, pass::Pass, sides::Sides};
use crate::{
    merge::portion::first_portion,
    planted::{self, Bug},
    ports::{Crm, Links, Ports, Qualified, Ready, Seen},
    rows::{hold::not_known, run::Ended, stop::Stop, work::Work},
    state::{
        deal,
        failure::Written,
        link::{Claim, LOST_RACES_AN_HOUR},
        table::Key,
    },
};
use base::{edited, filling, move_to};
use mapping::{
    Fields, Map, NewRecord, RecordPatch, Referral, Side, Trim, Value,
    names::{REFERRAL_ID, STATUS},
};
use std::collections::{BTreeMap, BTreeSet};

/// Why the link does not move to an opportunity now.
enum Hitch {
    Stop(Stop),
    /// The vendor's message, or what is missing.
    Refused(String),
    /// The lead was qualified without an opportunity.
    NoDeal,
}

impl<S: Into<Stop>> From<S> for Hitch {
    fn from(stop: S) -> Self {
        Hitch::Stop(stop.into())
    }
}

/// Whether the record is a lead that is qualified, or should be.
fn is_due<P: Ports>(work: &Work<'_, P>, sides: &Sides) -> bool {
    let (map, shown) = (work.map(), sides.shown());
    let status = |fields: Option<&Fields>, side: Side| {
        fields.and_then(|f| f.get(STATUS)).or(work.link.side(side).images.get(STATUS)).cloned()
    };
    let Some(crm) = status(shown.crm, Side::Crm) else { return false };
    let accepted =
        || status(shown.partner_center, Side::PartnerCenter).is_some_and(|pc| deal::was_accepted(&pc));
    map.is_qualified(&crm) && !planted::is(Bug::LeadNotFollowed) || map.is_open_lead(&crm) && accepted()
}

/// Follows a lead that is due. `true`: read the sides again, by id, or those of the opportunity that took the lead's
/// place.
pub(super) async fn follow_if_due<P: Ports>(
    work: &mut Work<'_, P>,
    pass: &mut Pass,
    look: &mut Look,
) -> Result<bool, Stop> {
    let known = pass.followed.is_some() && pass.followed == pass.sides.version(Side::Crm);
    if known || !is_due(work, &pass.sides) {
        return Ok(false);
    }
    let Some((referral, seen)) = pass.sides.whole() else { return Ok(true) };
    pass.followed = Some(seen.version.clone());
    if !follow(work, &referral, &seen).await? {
        return Ok(false);
    }
    // From here on the opportunity is settled, with the referral as it was just read.
    if let Some(deal) = work.link.record.clone() {
        (pass.record, pass.sides) = (deal, Sides::default());
        pass.written += 1;
        *look = Look { referral: true, record: true, body: Some(referral), ..Look::default() };
    }
    Ok(true)
}

/// Follows the lead after both sides were just read. `true`: the link has moved to the opportunity.
async fn follow<P: Ports>(work: &mut Work<'_, P>, referral: &Referral, lead: &Seen) -> Result<bool, Stop> {
    let map = work.map();
    let wanted = map.referral_field(STATUS, referral).and_then(|status| map.to_crm(STATUS, &status).ok());
    let print = work.fingerprint(&BTreeMap::from([(STATUS, wanted.as_ref().unwrap_or(&Value::Null))]));
    let shows = map.record_field(STATUS, &lead.record);
    let mut qualified = shows.is_some_and(|status| map.is_qualified(&status));
    let parked = work.link.parked.get(STATUS).filter(|p| p.holds(&print, work.run.now()));
    let words = match parked.map(|parked| parked.reason.clone()) {
        Some(words) => words,
        None => match Box::pin(deal_of(work, referral, lead, &mut qualified)).await {
            Ok(()) => return Ok(true),
            Err(Hitch::NoDeal) => return Ok(false),
            Err(Hitch::Stop(Stop::Ended(ended))) => return Err(work.end(ended).await),
            Err(Hitch::Stop(stop)) => return Err(stop),
            Err(Hitch::Refused(words)) => {
                work.park(STATUS, &words, print, Some(Side::Crm));
                words
            }
        },
    };
    // An open lead is settled as it is; to a qualified one nothing can be written any more.
    match qualified {
        true => Err(work.end(Ended::done("parked", words)).await),
        false => Ok(false),
    }
}

/// Finds or makes the opportunity, fills it in, and moves the link to it.
async fn deal_of<P: Ports>(
    work: &mut Work<'_, P>,
    referral: &Referral,
    lead: &Seen,
    qualified: &mut bool,
) -> Result<(), Hitch> {
    let run = work.run.clone();
    let mut new = run.map.new_record(referral).map_err(|missing| {
        let words: Vec<_> = missing.iter().map(ToString::to_string).collect();
        Hitch::Refused(format!("cannot become an opportunity yet: {}", words.join("; ")))
    })?;
    first_portion(run.map, &mut new, &mut Fields::new(), run.ports.crm().rows_at_once());
    let edits = edited(work, lead);
    let mut with_edits = new.clone();
    with_edits.columns.extend(run.map.record_patch(&edits, &Trim::default()).unwrap_or_default().columns);
    let Qualified { mut deal, ours } = match *qualified {
        true => already_qualified(work, lead, &new).await?,
        false => Qualified { deal: qualify(work, lead, &with_edits, qualified).await?, ours: false },
    };
    // An opportunity that carries the identifier was filled in by a write of ours already. That this write's answer was
    // lost does not make a user's values ours.
    let bare = is_free(work, referral, &deal).await?;
    let ours = ours && bare;
    let columns: BTreeMap<_, _> = match ours {
        true => with_edits.columns,
        false => {
            let born_with = |column: &String| is_born_with(run.map, column, &deal);
            new.columns.into_iter().filter(|(column, _)| born_with(column)).collect()
        }
    };
    // An opportunity that its seller has closed meanwhile takes no write; its alias leads to the link all the same.
    let closed = run.map.record_field(STATUS, &deal.record).is_some_and(|s| run.map.is_closed_in_crm(&s));
    let filled_before = work.link.filling.clone();
    if bare {
        work.link.filling = if ours && !closed { filling(work, referral, &edits) } else { BTreeMap::new() };
    }
    if !columns.is_empty() && !closed {
        claim(work, &deal).await?;
        let patch = RecordPatch { columns, ..RecordPatch::default() };
        let written = run.ports.crm().patch(&deal.record.id, &deal.version, &patch).await;
        if matches!(written, Written::Lost) {
            // The read was old: an earlier attempt of ours may have written first.
            work.link.filling = filled_before;
        }
        let shown = ended(work, written).await?;
        if ours {
            deal = shown.ok_or_else(|| look_again(work, "its opportunity was filled in"))?;
        }
    }
    move_to(work, referral, lead, &deal);
    Ok(work.save().await?)
}

/// Reads the opportunity of a lead that is qualified: nothing is qualified or created again.
async fn already_qualified<P: Ports>(
    work: &mut Work<'_, P>,
    lead: &Seen,
    new: &NewRecord,
) -> Result<Qualified, Hitch> {
    let crm = work.run.ports.crm();
    if work.claim_is_over() {
        work.save().await?;
    }
    if planted::is(Bug::QualifiedAgain) {
        let prepared = crm.prepare(new).await;
        let Ready { prepared, .. } = ended(work, prepared).await?;
        let written = crm.create(new, prepared).await;
        return Ok(Qualified { deal: ended(work, written).await?, ours: false });
    }
    crm.qualified(&lead.record.id).await?.ok_or_else(|| no_deal(work))
}

/// Qualifies an open lead, only in the version that was read.
async fn qualify<P: Ports>(
    work: &mut Work<'_, P>,
    lead: &Seen,
    new: &NewRecord,
    qualified: &mut bool,
) -> Result<Seen, Hitch> {
    claim(work, lead).await?;
    let written = work.run.ports.crm().qualify(&lead.record.id, &lead.version, new).await;
    let shown = ended(work, written).await?;
    *qualified = true;
    Ok(shown.ok_or_else(|| look_again(work, "the lead was qualified"))?)
}

/// Refuses an opportunity that belongs to another referral. `true`: it carries no Referral Identifier yet.
async fn is_free<P: Ports>(work: &Work<'_, P>, referral: &Referral, deal: &Seen) -> Result<bool, Hitch> {
    let (run, record) = (&work.run, &deal.record.id);
    let carries = run.map.record_referral_id(&deal.record);
    let bare = carries.is_none();
    if let Some(other) = carries.filter(|other| other != referral.id()) {
        let words = format!("its opportunity `{record}` carries another referral's id, `{other}`");
        return Err(Hitch::Refused(words));
    }
    let taken = run.ports.links().read(&[Key::record(record), Key::intent(record)]).await?;
    if taken.iter().any(Option::is_some) {
        return Err(Hitch::Refused(format!("its opportunity `{record}` belongs to another referral")));
    }
    Ok(bare)
}

/// Whether a column is one that an opportunity is created with and that its lead could not hand on, and shows nothing.
fn is_born_with(map: &Map, column: &str, deal: &Seen) -> bool {
    let shows_nothing = matches!(
        deal.record.columns.get(column),
        None | Some(serde_json::Value::Null | serde_json::Value::Bool(false))
    );
    let unit = map.unit_of(Side::Crm, column).and_then(|name| map.unit(name));
    shows_nothing && unit.is_some_and(|unit| !unit.is_kept_in_step() || unit.name == REFERRAL_ID)
}

/// A write happened and its answer shows nothing: its result is read again, and the lead with it.
fn look_again<P: Ports>(work: &mut Work<'_, P>, what: &str) -> Stop {
    work.link.claim = None;
    work.link.crm.settled = None;
    Ended::later(2, format!("{what}: what it shows is read anew")).into()
}

/// The lead was qualified without an opportunity, or a late read does not show the opportunity yet.
fn no_deal<P: Ports>(work: &Work<'_, P>) -> Hitch {
    let grace = work.run.settings.grace;
    match work.link.crm.seen_long_ago(work.began, grace) || planted::is(Bug::NoDealBelieved) {
        true => Hitch::NoDeal,
        false => Ended::later(60, "the qualified lead does not show its opportunity yet").into(),
    }
}

/// Saves a claim before each write; it is kept until the link has moved.
async fn claim<P: Ports>(work: &mut Work<'_, P>, on: &Seen) -> Result<(), Stop> {
    if !work.run.may_write() {
        return Err(Ended::later(0, "this run has no time left to qualify the lead").into());
    }
    if !work.brake_allows(STATUS) {
        work.link.claim = None;
        return Err(Ended::done("parked", "oscillates").into());
    }
    let (base, deadline) = (Some(on.version.clone()), work.run.deadline());
    work.link.claim = Some(Claim { side: Side::Crm, units: BTreeSet::new(), base, deadline });
    work.save().await
}

/// Acts on how a write under the claim ended. After `Done` the claim stays.
async fn ended<P: Ports, T>(work: &mut Work<'_, P>, written: Written<T>) -> Result<T, Hitch> {
    let now = work.run.now();
    match written {
        Written::Done(shown) => Ok(shown),
        Written::Lost | Written::Exists => {
            work.link.claim = None;
            work.link.crm.settled = None;
            if work.link.lost_races.add(now) > LOST_RACES_AN_HOUR {
                work.brake(STATUS);
            }
            Err(Ended::later(1, "somebody else changed it while the lead was being qualified").into())
        }
        Written::Later(failure) => {
            work.link.claim = None;
            work.save().await?;
            Err(failure.into())
        }
        Written::Refused(refused) => {
            work.link.claim = None;
            Err(Hitch::Refused(match refused.field {
                Some(field) => format!("`{field}`: {}", refused.text),
                None => refused.text,
            }))
        }
        Written::Unknown(failure) => {
            Err(not_known(&work.run, "the lead was qualified", failure).await?.into())
        }
    }
}
