//! A lead that becomes an opportunity: accepted in Partner Center, or qualified by its seller. One link throughout.
//!
//! (1) Accepted and still open: claim, then `QualifyLead` in one transaction with its customer, only in the version that
//! was read. (2) Qualified, by whomever: the lead leads to its opportunity, so an answer that got lost, and a seller's
//! own doing, are the same case; nothing is qualified or created again. (3) What an opportunity is born with and the
//! lead could not hand on (Referral Identifier, Sync) is written, only in the version that was read, only where nothing
//! is shown. Where a CRM qualifies outside a transaction and fills in of its own what it must have, all that the
//! opportunity would have been made with is written, with what the lead's seller had edited: nobody has written it but
//! ourselves, so nobody's word is lost. What it is filled in with is saved first: should the answer be lost, that is no
//! edit of its seller. It begins with the lead read anew: it takes no version to qualify it so, and it may have been
//! edited until then. (4) One save moves the link: record, alias, no claim. The lead's alias stays: its opportunity never
//! gets a second referral. From there the opportunity is settled like any other; a seller's qualifying accepts the
//! referral by the opportunity's status, with the opportunity's values.
//!
//! Whoever dies between two steps leaves a claim and a lead that is qualified: (2) goes on after the deadline. A lead
//! that was qualified without an opportunity keeps the link: its status alone accepts the referral, once no read lags
//! any more.

use super::{outage_or_wait, read::Sides};
use crate::{
    deal,
    failure::{Failure, Written},
    identity::links_back,
    link::{Claim, LOST_RACES_AN_HOUR, Memory, image, is_digest},
    planted::{self, Bug},
    portion::first_portion,
    ports::{Crm, Links, Ports, Qualified, Ready, Seen},
    run::Ended,
    table::{Change, Expect, Key},
    work::{Overtaken, Work},
};
use mapping::{
    Direction, Fields, Map, RecordPatch, Referral, Side, Trim, Value,
    names::{REFERRAL_ID, STATUS, VALUE},
};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the link.
pub(super) enum Next {
    /// It is the opportunity's now.
    Moved,
    /// It stays the lead's for now.
    Stays,
    Ended(Ended),
}

/// Why it does not go on.
enum Stop {
    Failed(Failure),
    Overtaken(Overtaken),
    Ended(Ended),
    /// In the vendor's words, or what is missing.
    Refused(String),
    /// Qualified without an opportunity.
    NoDeal,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failed(failure)
    }
}

/// The record is a lead that is qualified, or should be.
pub(super) fn is_due<P: Ports>(work: &Work<'_, P>, sides: &Sides) -> bool {
    let (map, shown) = (work.map(), sides.shown());
    let status = |fields: Option<&Fields>, side: Side| {
        fields.and_then(|f| f.get(STATUS)).or(work.link.side(side).images.get(STATUS)).cloned()
    };
    let Some(crm) = status(shown.crm, Side::Crm) else { return false };
    let accepted =
        || status(shown.partner_center, Side::PartnerCenter).is_some_and(|pc| deal::was_accepted(&pc));
    map.is_qualified(&crm) && !planted::is(Bug::LeadNotFollowed) || map.is_open_lead(&crm) && accepted()
}

/// Follows a lead that is due. Both sides were just read.
pub(super) async fn follow<P: Ports>(
    work: &mut Work<'_, P>,
    referral: &Referral,
    lead: &Seen,
) -> Result<Result<Next, Overtaken>, Failure> {
    let map = work.map();
    let wanted = map.referral_field(STATUS, referral).and_then(|status| map.to_crm(STATUS, &status).ok());
    let print = work.fingerprint(&BTreeMap::from([(STATUS, wanted.as_ref().unwrap_or(&Value::Null))]));
    let shows = map.record_field(STATUS, &lead.record);
    let mut qualified = shows.is_some_and(|status| map.is_qualified(&status));
    // An open lead goes on as it is; of a qualified one nothing can be written any more.
    let set_aside = |words: String, qualified: bool| match qualified {
        true => Next::Ended(Ended::done("parked", words)),
        false => Next::Stays,
    };
    if let Some(parked) = work.link.parked.get(STATUS).filter(|p| p.holds(&print, work.run.now())) {
        return Ok(Ok(set_aside(parked.reason.clone(), qualified)));
    }
    match Box::pin(deal_of(work, referral, lead, &mut qualified)).await {
        Ok(()) => Ok(Ok(Next::Moved)),
        Err(Stop::NoDeal) => Ok(Ok(Next::Stays)),
        Err(Stop::Ended(ended)) => Ok(Ok(Next::Ended(ended))),
        Err(Stop::Overtaken(overtaken)) => Ok(Err(overtaken)),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Refused(words)) => {
            work.park(STATUS, &words, print, Some(Side::Crm));
            Ok(Ok(set_aside(words, qualified)))
        }
    }
}

async fn deal_of<P: Ports>(
    work: &mut Work<'_, P>,
    referral: &Referral,
    lead: &Seen,
    qualified: &mut bool,
) -> Result<(), Stop> {
    let run = work.run.clone();
    let id = &lead.record.id;
    let mut new = run.map.new_record(referral).map_err(|missing| {
        let words: Vec<_> = missing.iter().map(ToString::to_string).collect();
        Stop::Refused(format!("cannot become an opportunity yet: {}", words.join("; ")))
    })?;
    first_portion(run.map, &mut new, &mut Fields::new(), run.ports.crm().rows_at_once());
    let edits = edited(work, lead);
    let mut with_edits = new.clone();
    with_edits.columns.extend(run.map.record_patch(&edits, &Trim::default()).unwrap_or_default().columns);
    let Qualified { mut deal, ours } = match *qualified {
        true => {
            if work.claim_is_over() {
                save(work).await?;
            }
            if planted::is(Bug::QualifiedAgain) {
                let prepared = run.ports.crm().prepare(&new).await;
                let Ready { prepared, .. } = ended(work, prepared).await?;
                let written = run.ports.crm().create(&new, prepared).await;
                Qualified { deal: ended(work, written).await?, ours: false }
            } else {
                run.ports.crm().qualified(id).await?.ok_or_else(|| no_deal(work))?
            }
        }
        false => {
            claim(work, lead).await?;
            let written = run.ports.crm().qualify(id, &lead.version, &with_edits).await;
            let shown = ended(work, written).await?;
            *qualified = true;
            let deal = shown.ok_or_else(|| look_again(work, "the lead was qualified"))?;
            Qualified { deal, ours: false }
        }
    };
    let record = deal.record.id.clone();
    let carries = run.map.record_referral_id(&deal.record);
    // Once it carries the identifier a write of ours has filled in what there was to fill; that its answer got lost makes
    // no one else's words ours.
    let (bare, ours) = (carries.is_none(), ours && carries.is_none());
    if let Some(other) = carries.filter(|other| other != referral.id()) {
        return Err(Stop::Refused(format!(
            "its opportunity `{record}` carries another referral's id, `{other}`"
        )));
    }
    let taken = run.ports.links().read(&[Key::record(&record), Key::intent(&record)]).await?;
    if taken.iter().any(Option::is_some) {
        return Err(Stop::Refused(format!("its opportunity `{record}` belongs to another referral")));
    }
    let shows_nothing = |column: &str| {
        matches!(
            deal.record.columns.get(column),
            None | Some(serde_json::Value::Null | serde_json::Value::Bool(false))
        )
    };
    let born_with = |column: &str| {
        let unit = run.map.unit_of(Side::Crm, column).and_then(|name| run.map.unit(name));
        unit.is_some_and(|unit| !unit.is_kept_in_step() || unit.name == REFERRAL_ID) && shows_nothing(column)
    };
    let columns: BTreeMap<_, _> = match ours {
        true => with_edits.columns,
        false => new.columns.into_iter().filter(|(column, _)| born_with(column)).collect(),
    };
    // One that its seller has closed meanwhile takes nothing more: its alias leads to the link all the same.
    let closed = run.map.record_field(STATUS, &deal.record).is_some_and(|s| run.map.is_closed_in_crm(&s));
    let filled_before = work.link.filling.clone();
    if bare {
        work.link.filling = if ours && !closed { filling(work, referral, &edits) } else { BTreeMap::new() };
    }
    if !columns.is_empty() && !closed {
        claim(work, &deal).await?;
        let patch = RecordPatch { columns, ..RecordPatch::default() };
        let written = run.ports.crm().patch(&record, &deal.version, &patch).await;
        if matches!(written, Written::Lost) {
            // The read was old: an earlier attempt of ours may have come first.
            work.link.filling = filled_before;
        }
        let shown = ended(work, written).await?;
        if ours {
            deal = shown.ok_or_else(|| look_again(work, "its opportunity was filled in"))?;
        }
    }
    move_to(work, referral, lead, &deal);
    save(work).await
}

/// A write happened that shows nothing: what came of it is read, and the lead with it.
fn look_again<P: Ports>(work: &mut Work<'_, P>, what: &str) -> Stop {
    work.link.claim = None;
    work.link.crm.settled = None;
    Stop::Ended(Ended::later(2, format!("{what}: what it shows is read anew")))
}

/// It was qualified without an opportunity, or a read that lags does not show the opportunity yet.
fn no_deal<P: Ports>(work: &Work<'_, P>) -> Stop {
    let grace = work.run.settings.grace;
    match work.link.crm.seen_long_ago(work.began, grace) || planted::is(Bug::NoDealBelieved) {
        true => Stop::NoDeal,
        false => Stop::Ended(Ended::later(60, "the qualified lead does not show its opportunity yet")),
    }
}

/// What the seller wrote into the lead: an opportunity made beside it shows it too. So it does what may be the seller's:
/// where nobody knows what both showed when they agreed, the opportunity's merge decides, and says so.
fn edited<P: Ports>(work: &Work<'_, P>, lead: &Seen) -> Fields {
    let (agreed, map) = (&work.link.crm.images, work.run.map);
    let is_edit = |unit: &String, value: &Value| {
        let is_edit = agreed.get(unit).is_none_or(|before| *before != image(value));
        goes_both_ways(map, unit) && !is_empty(value) && is_edit
    };
    work.map()
        .kept_record_fields(&lead.record)
        .into_iter()
        .filter(|(unit, value)| is_edit(unit, value))
        .collect()
}

/// What the opportunity shows of the referral once it is filled in: its base, should the answer be lost.
fn filling<P: Ports>(
    work: &Work<'_, P>,
    referral: &Referral,
    edits: &Fields,
) -> BTreeMap<String, (Value, Value)> {
    let (map, agreed) = (work.run.map, &work.link.partner_center.images);
    let told = map.referral_fields(referral).into_iter();
    told.filter(|(unit, value)| {
        let moved = agreed.get(unit).is_some_and(|agreed| *agreed != image(value));
        moved && goes_both_ways(map, unit) && !edits.contains_key(unit)
    })
    .filter_map(|(unit, value)| {
        let shows = map.to_crm(&unit, &value).ok()?;
        Some((unit, (image(&value), image(&shows))))
    })
    .collect()
}

/// What a person's edit on either side may be of, but for the status.
fn goes_both_ways(map: &Map, unit: &str) -> bool {
    unit != STATUS && map.unit(unit).is_some_and(|u| u.direction == Direction::Both && !u.list)
}

/// Placed before each write, kept until the link has moved.
async fn claim<P: Ports>(work: &mut Work<'_, P>, on: &Seen) -> Result<(), Stop> {
    if !work.run.may_write() {
        return Err(Stop::Ended(Ended::later(0, "this run has no time left to qualify the lead")));
    }
    if !work.brake_allows(STATUS) {
        work.link.claim = None;
        return Err(Stop::Ended(Ended::done("parked", "oscillates")));
    }
    let (base, deadline) = (Some(on.version.clone()), work.run.deadline());
    work.link.claim = Some(Claim { side: Side::Crm, units: BTreeSet::new(), base, deadline });
    save(work).await
}

async fn save<P: Ports>(work: &mut Work<'_, P>) -> Result<(), Stop> {
    work.save().await?.map_err(Stop::Overtaken)
}

/// How a write under the claim ended. Done: the claim stays.
async fn ended<P: Ports, T>(work: &mut Work<'_, P>, written: Written<T>) -> Result<T, Stop> {
    let now = work.run.now();
    match written {
        Written::Done(shown) => Ok(shown),
        Written::Lost | Written::Exists => {
            work.link.claim = None;
            work.link.crm.settled = None;
            if work.link.lost_races.add(now) > LOST_RACES_AN_HOUR {
                work.brake(STATUS);
            }
            Err(Stop::Ended(Ended::later(1, "somebody else changed it while the lead was being qualified")))
        }
        Written::Later(failure) => {
            work.link.claim = None;
            save(work).await?;
            Err(Stop::Failed(failure))
        }
        Written::Refused(refused) => {
            work.link.claim = None;
            Err(Stop::Refused(match refused.field {
                Some(field) => format!("`{field}`: {}", refused.text),
                None => refused.text,
            }))
        }
        Written::Unknown(failure) => {
            Err(Stop::Ended(outage_or_wait(work, "the lead was qualified", failure).await?))
        }
    }
}

/// The opportunity takes the lead's place, with the base it would have had from the beginning: a seller's edits of the
/// lead are still edits. What only ever comes from Partner Center has no base.
fn move_to<P: Ports>(work: &mut Work<'_, P>, referral: &Referral, lead: &Seen, deal: &Seen) {
    let (of_leads, map) = (work.map(), work.run.map);
    let (was, is) = (of_leads.kept_record_fields(&lead.record), map.kept_record_fields(&deal.record));
    let link = &mut work.link;
    let (before, crm) =
        (std::mem::take(&mut link.partner_center.images), std::mem::take(&mut link.crm.images));
    let (shortened, filling) = (std::mem::take(&mut link.shortened), std::mem::take(&mut link.filling));
    let told = map.referral_fields(referral);
    for (unit, agreed) in before.iter().filter(|(unit, _)| *unit != STATUS) {
        let Some(rule) = map.unit(unit).filter(|u| !u.list && !u.only_while_empty) else { continue };
        let (Some(shown), Some(based)) = (is.get(unit), crm.get(unit)) else { continue };
        if let Some(same) = told.get(unit).filter(|told| map.equal(unit, told, shown)) {
            // What it was filled in with is no edit of its seller.
            link.agree(unit, same, shown);
        } else if let Some((agreed, filled)) = filling.get(unit) {
            link.partner_center.images.insert(unit.clone(), agreed.clone());
            link.crm.images.insert(unit.clone(), filled.clone());
        } else if was.get(unit) == Some(shown) {
            let base = if planted::is(Bug::LeadEditsSwallowed) { image(shown) } else { based.clone() };
            link.partner_center.images.insert(unit.clone(), agreed.clone());
            link.crm.images.insert(unit.clone(), base);
            link.shortened.extend(shortened.get(unit).cloned());
        } else if rule.direction == Direction::Both && !is_empty(shown) && !is_digest(agreed) {
            // The seller edited the opportunity since.
            if let Ok(would_show) = map.to_crm(unit, agreed) {
                link.agree(unit, agreed, &would_show);
            }
        }
    }
    // What the lead could not hand on, or was not let to, is empty until Partner Center's value is in it.
    for unit in map.units().filter(|u| u.direction == Direction::Both && !u.only_while_empty) {
        let empty =
            |shown: &&Value| is_empty(shown) || unit.name == VALUE && shown.member("deal_value").is_null();
        let handed_on = of_leads.unit(&unit.name).is_some() && was.get(&unit.name).is_none_or(is_empty);
        if let Some(shown) = is.get(&unit.name).filter(empty).filter(|_| !handed_on) {
            link.agree(&unit.name, &Value::Null, shown);
        }
    }
    // What a referral that is closed by now had shown when the lead was qualified is not known: without a base, whatever
    // the seller says of the opportunity is told before it is closed.
    let status = map.referral_field(STATUS, referral).or(before.get(STATUS).cloned());
    if let Some(now) = status.filter(|now| !deal::is_terminal(now))
        && let Ok(would_show) = map.to_crm(STATUS, &now)
    {
        link.agree(STATUS, &now, &would_show);
    }
    // Leads and opportunities have rules of one name: what stands here now is the opportunity's.
    link.is_read_by(map, of_leads);
    link.partner_center.settled = None;
    // Another row: its versions have nothing to do with the lead's.
    link.crm = Memory { images: std::mem::take(&mut link.crm.images), ..Memory::default() };
    link.lead = link.record.replace(deal.record.id.clone());
    link.claim = None;
    work.heal(STATUS);
    work.link.parked.retain(|_, parked| parked.side != Some(Side::Crm));
    work.besides.extend(links_back(&work.link, &deal.record.id));
    work.besides.push(Change::delete(Key::intent(&deal.record.id), Expect::Absent));
    work.note("qualified", "the lead became this opportunity", true);
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Map(members) => members.values().all(Value::is_null),
        value => value.is_null(),
    }
}
