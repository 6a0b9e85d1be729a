//! The record that is made of a referral: created once, found again where an attempt died, linked.

use super::{alias_of, kind_of, links_back, look_up, referral_print, remember_lead};
use crate::{
    audit::Line,
    consent::{may_link, refused_by_referral},
    failure::{Failure, Refused, Written},
    link::{Claim, Link, State, image},
    park::{Aside, park, park_besides, parked_row},
    parked,
    planted::{self, Bug},
    portion::first_portion,
    ports::{Crm, Links, Ports, Ready, Seen},
    run::{Ended, Run, Story},
    settle::{Look, settle_on},
    version::Version,
    work::{AUDIT_LENGTH, Overtaken, Work},
};
use jiff::SignedDuration;
use mapping::{CrmValue, Map, NewRecord, RecordKind, RecordPatch, Referral, Side, Value, names::STATUS};
use std::collections::BTreeSet;

/// A new record for a new referral.
pub(super) async fn create<P: Ports>(run: &Run<'_, P>, referral: Referral) -> Story {
    if referral.is_terminal() && !matches!(referral.substatus(), "Won" | "Lost") {
        return Ok(Ended::done(
            "skipped",
            format!("it was closed as {} before it was ever linked", referral.substatus()),
        ));
    }
    let link = Link::new(referral.id().clone(), None, State::Creating);
    Box::pin(create_as(Work::fresh(run, link), referral)).await
}

/// A create whose outcome was not saved: the record is there, or it is created now.
pub async fn resume<P: Ports>(run: &Run<'_, P>, link: Link, rev: u64) -> Story {
    let now = run.now();
    if let Some(claim) = link.claim.as_ref().filter(|c| now <= c.deadline) {
        let after = claim.deadline.duration_since(now) + SignedDuration::from_secs(1);
        return Ok(Ended::Later { after, why: "the record is being created".into() });
    }
    let id = link.referral.clone();
    let Some(referral) = look_up(run, &id).await? else {
        return park(run, id.as_str(), "Partner Center does not show this referral any more", "gone").await;
    };
    let mut work = Work::loaded(run, link, rev);
    work.link.claim = None;
    let looks = !planted::is(Bug::CreateNotLookedFor) && !planted::is(Bug::Upsert);
    let seen = made_before(&mut work, &referral).await?;
    match seen.filter(|_| looks) {
        Some(seen) => Box::pin(found_again(work, referral, seen)).await,
        None => Box::pin(create_as(work, referral)).await,
    }
}

/// What an earlier attempt made of a referral. It may have been accepted since it was about to become a lead.
async fn made_before<P: Ports>(work: &mut Work<'_, P>, referral: &Referral) -> Result<Option<Seen>, Failure> {
    let (run, id) = (work.run.clone(), referral.id());
    let mut seen = run.ports.crm().find(RecordKind::Opportunity, id).await?;
    if let Some(lead) = seen.as_ref().and_then(|deal| deal.lead.clone()) {
        // A seller qualified the lead before its create was known: the link begins with the lead and moves.
        match run.ports.crm().fetch(&lead).await? {
            Some(lead) => seen = Some(lead),
            None => {
                work.link.partner_center.images.clear();
                work.link.crm.images.clear();
            }
        }
    }
    let forgets = planted::is(Bug::LeadNotLookedFor) && kind_of(&run, referral) == RecordKind::Opportunity;
    if seen.is_none() && run.map.has_leads() && !forgets {
        seen = run.ports.crm().find(RecordKind::Lead, id).await?;
    }
    Ok(seen)
}

async fn create_as<P: Ports>(mut work: Work<'_, P>, referral: Referral) -> Story {
    let run = work.run.clone();
    let new_here = work.is_fresh();
    let kind = kind_of(&run, &referral);
    let map = run.map.of(kind);
    let mut new = match map.new_record(&referral) {
        Ok(new) => new,
        Err(missing) => {
            let words: Vec<_> = missing.iter().map(ToString::to_string).collect();
            let words = format!("cannot become a record yet: {}", words.join("; "));
            return park(&run, referral.id().as_str(), &words, &create_print(&run, &referral)).await;
        }
    };
    let mut fields = map.referral_fields(&referral);
    first_portion(map, &mut new, &mut fields, run.ports.crm().rows_at_once());
    if let Some(parked) = parked_row(&run, referral.id().as_str()).await? {
        if parked.holds(&create_print(&run, &referral), run.now()) {
            return Ok(Ended::done("parked", parked.reason));
        }
        // An attempt came before this one: what it made may belong to another referral by now.
        if let Some(seen) = made_before(&mut work, &referral).await? {
            return Box::pin(found_again(work, referral, seen)).await;
        }
    }
    if !run.may_write() {
        return Ok(Ended::later(0, "this run has no time left for a create"));
    }
    let Ready { prepared, told } = match run.ports.crm().prepare(&new).await {
        Written::Done(ready) => ready,
        Written::Refused(refused) => return refuse(&work, &referral, refused).await,
        Written::Later(failure) | Written::Unknown(failure) => return Err(failure),
        Written::Exists | Written::Lost => return Ok(Ended::later(1, "its customer is changing")),
    };
    // The base, should the answer be lost: what was asked for, in each side's words.
    for (unit, value) in &fields {
        let goes = map.unit(unit).is_some_and(|unit| unit.to_crm());
        if let (true, Some(crm)) = (goes, asked_for(map, &new, unit, value)) {
            work.link.partner_center.images.insert(unit.clone(), image(value));
            work.link.crm.images.insert(unit.clone(), image(&crm));
        }
    }
    work.link.engagement = referral.engagement().cloned();
    let version = Version::of_referral(&referral);
    work.link.partner_center.saw(&version, run.now());
    // Told ahead: a run that dies with the create half known has told it, too.
    let left_out = new.left_out.iter().map(|lack| format!("left out: {lack}"));
    let defaults = new.defaults.iter().filter_map(|(unit, value)| {
        let unit = map.unit(unit).filter(|unit| unit.is_kept_in_step())?;
        let (label, value) = (&unit.label, value.text()?);
        Some(format!("`{label}` is empty in Partner Center: `{value}` stands here until somebody changes it"))
    });
    for words in told.into_iter().chain(left_out).chain(defaults) {
        if !work.link.journal.lines().iter().any(|line| line.text == words) {
            work.note("chosen", words, true);
        }
    }
    work.link.claim = Some(Claim {
        side: Side::Crm,
        units: fields.keys().cloned().collect(),
        base: None,
        deadline: run.deadline(),
    });
    if let Err(Overtaken) = work.save().await? {
        return Ok(Ended::later(1, "somebody else is creating the record"));
    }
    // The Audit field is born with the record: no write of its own.
    let mut journal = work.link.journal.clone();
    journal.note(Line { at: run.now(), decision: "created".into(), text: created(map, &referral) }, true);
    let audit = map.audit_column().and_then(|(column, _)| Some((column, journal.to_show(AUDIT_LENGTH)?)));
    if let Some((column, text)) = audit {
        new.columns.insert(column.to_owned(), CrmValue::Plain(text.into()));
    }
    match run.ports.crm().create(&new, prepared).await {
        Written::Done(seen) => {
            let shown = map.record_fields(&seen.record);
            for (unit, value) in &fields {
                let Some(crm) = shown.get(unit) else { continue };
                // What reads differently from what was asked for was changed by somebody since.
                let asked = map.unit(unit).is_some_and(|unit| unit.to_crm());
                match asked_for(map, &new, unit, value) {
                    Some(asked_for) if asked && !map.shows(unit, Side::Crm, &asked_for, crm) => {
                        work.link.agree(unit, value, &asked_for)
                    }
                    _ => work.link.agree(unit, value, crm),
                }
            }
            // What only the CRM has goes out as a change of its own.
            work.link.forget(&map.units().filter(|u| u.only_while_empty).map(|u| u.name.clone()).collect());
            born(&mut work, &referral);
            Box::pin(found(work, referral, seen)).await
        }
        Written::Exists => match run.ports.crm().find(kind, referral.id()).await? {
            Some(seen) if planted::is(Bug::Upsert) => {
                let patch = RecordPatch { columns: new.columns, ..RecordPatch::default() };
                let _ = run.ports.crm().patch(&seen.record.id, &seen.version, &patch).await;
                Ok(Ended::later(1, "overwritten"))
            }
            Some(seen) if new_here => {
                // Its key was taken before we asked for it.
                let gone = work.remove();
                work.run.ports.links().commit(gone).await?;
                let link = Link::new(referral.id().clone(), None, State::Creating);
                Box::pin(found_again(Work::fresh(&run, link), referral, seen)).await
            }
            Some(seen) => Box::pin(found_again(work, referral, seen)).await,
            None => {
                work.link.claim = None;
                let _ = work.save().await?;
                Ok(Ended::later(5, "the record is there, but cannot be read yet"))
            }
        },
        Written::Lost => {
            work.link.claim = None;
            let _ = work.save().await?;
            Ok(Ended::later(1, "its customer was created by somebody else at the same time"))
        }
        Written::Later(failure) => {
            work.link.claim = None;
            let _ = work.save().await?;
            Err(failure)
        }
        Written::Refused(refused) => refuse(&work, &referral, refused).await,
        Written::Unknown(failure) => {
            let after = run.deadline().duration_since(run.now()) + SignedDuration::from_secs(1);
            Ok(Ended::Later {
                after,
                why: format!("it is not known whether the record was created: {failure}"),
            })
        }
    }
}

/// What a unit of the new record is to show: the referral's value, else the map's.
fn asked_for(map: &Map, new: &NewRecord, unit: &str, value: &Value) -> Option<Value> {
    new.defaults.get(unit).cloned().or_else(|| map.to_crm(unit, value).ok())
}

/// Nothing was made: the link goes, the reason stays.
async fn refuse<P: Ports>(work: &Work<'_, P>, referral: &Referral, refused: Refused) -> Story {
    let words = match &refused.field {
        Some(field) => format!("`{field}`: {}", refused.text),
        None => refused.text,
    };
    let print = create_print(&work.run, referral);
    let what = referral.id().as_str();
    park_besides(&work.run, Aside::new(what, &words, &print), work.remove()).await
}

/// A record of ours shows the decisions up to its create.
fn born<P: Ports>(work: &mut Work<'_, P>, referral: &Referral) {
    work.note("created", created(work.map(), referral), true);
    work.link.journal.shown(AUDIT_LENGTH);
}

/// What the seller reads first, and until when to answer.
fn created(map: &Map, referral: &Referral) -> String {
    let mut words = "created from the referral in Partner Center".to_owned();
    if let Some(at) = referral.expires().filter(|_| referral.is_new()) {
        let day = at.strftime("%Y-%m-%d");
        words += &format!("; it expires on {day} unless it is accepted or declined");
    }
    if let Some(ahead) = map.registration_ahead(referral) {
        words += &format!("; {ahead}");
    }
    words
}

/// A record of ours that nobody had seen yet. Meanwhile it may have come to belong to another referral: by its
/// opportunity, which that one names.
async fn found_again<P: Ports>(mut work: Work<'_, P>, referral: Referral, seen: Seen) -> Story {
    let record = &seen.record.id;
    // Before a create of ours is written down nothing is of our making: somebody typed the identifier.
    if work.is_fresh()
        && !names_back(&work.run, &referral, &seen)
        && let Err(lacks) = may_link(&work.run, &referral, &seen)
    {
        return Box::pin(refused_by_referral(&work.run, &referral, &seen, &lacks)).await;
    }
    if let Some(other) = alias_of(&work.run, record).await?.filter(|other| other != referral.id()) {
        let words = format!("its record `{record}` belongs to referral `{other}` by now");
        let print = create_print(&work.run, &referral);
        let aside = Aside::new(referral.id().as_str(), &words, &print);
        return park_besides(&work.run, aside, work.remove()).await;
    }
    born(&mut work, &referral);
    Box::pin(found(work, referral, seen)).await
}

/// Whether the referral itself names this record.
fn names_back<P: Ports>(run: &Run<'_, P>, referral: &Referral, seen: &Seen) -> bool {
    let named = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
    named.is_some_and(|named| named.id == seen.record.id.id)
}

/// The record of a create is known: link it and go on.
async fn found<P: Ports>(mut work: Work<'_, P>, referral: Referral, seen: Seen) -> Story {
    work.link.claim = None;
    work.link.state = State::Linked;
    work.link.record = Some(seen.record.id.clone());
    if !work.is_fresh() {
        // Made of the referral just now: what has no base lost it on the way.
        let (map, before) = (work.map(), work.run.map);
        work.link.is_read_by(map, before);
    }
    // A create makes open records: the status of a deal that is closed already has no base and follows by its action.
    // One that was only accepted since the create was sent keeps its base, and goes to the CRM as any change.
    let crm = work.map().record_field(STATUS, &seen.record);
    let pc = work.map().referral_field(STATUS, &referral);
    if let (Some(pc), Some(crm)) = (pc, crm)
        && referral.is_terminal()
        && !work.map().equal(STATUS, &pc, &crm)
    {
        work.link.forget(&BTreeSet::from([STATUS.to_owned()]));
    }
    work.besides.extend(links_back(&work.link, &seen.record.id));
    remember_lead(&mut work, &seen);
    settle_on(
        work,
        Look { referral: true, record: true, body: Some(referral), row: Some(seen), ..Look::default() },
    )
    .await
}

/// What a refused create depends on: another map may bring what was missing.
fn create_print<P: Ports>(run: &Run<'_, P>, referral: &Referral) -> String {
    parked::print(&referral_print(referral), run.map)
}
