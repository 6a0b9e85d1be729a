//! Creates the record of a referral, once: the attempt is saved before it is sent.

use super::{
    found::{born, create_print, created, found, found_again, made_before},
    kind_of,
};
use crate::{
    merge::portion::first_portion,
    planted::{self, Bug},
    ports::{Crm, Links, Ports, Ready, Seen},
    rows::{
        parking::{Aside, park, park_besides, parked_row},
        run::{Ended, Run},
        stop::Outcome,
        work::{AUDIT_LENGTH, Work},
    },
    state::{
        audit::Line,
        deal,
        failure::{Refused, Written},
        image::image,
        link::{Claim, Link, State},
        version::Version,
    },
};
use mapping::{CrmValue, Fields, Map, NewRecord, RecordPatch, Referral, Side, Value};

/// Creates a record for a referral that has none. A referral that was closed, neither won nor lost, before it was
/// linked gets none.
pub(super) async fn create<P: Ports>(run: &Run<'_, P>, referral: Referral) -> Outcome {
    if referral.is_terminal() && !matches!(referral.substatus(), "Won" | "Lost") {
        return Ok(Ended::done(
            "skipped",
            format!("it was closed as {} before it was ever linked", referral.substatus()),
        ));
    }
    let link = Link::new(referral.id().clone(), None, State::Creating);
    Box::pin(create_as(Work::fresh(run, link), referral)).await
}

/// What the CRM is asked to create.
struct Wanted {
    new: NewRecord,
    /// The referral's units, with lists as far as the create contains them.
    fields: Fields,
}

/// The record that a referral needs; `Err`: what is missing.
fn wanted<P: Ports>(run: &Run<'_, P>, referral: &Referral) -> Result<Wanted, String> {
    let map = run.map.of(kind_of(run, referral));
    let mut new = map.new_record(referral).map_err(|missing| {
        let words: Vec<_> = missing.iter().map(ToString::to_string).collect();
        format!("cannot become a record yet: {}", words.join("; "))
    })?;
    let mut fields = map.referral_fields(referral);
    first_portion(map, &mut new, &mut fields, run.ports.crm().rows_at_once());
    Ok(Wanted { new, fields })
}

/// Looks up what the record needs, saves the attempt, creates the record, and settles the link with the answer.
pub(super) async fn create_as<P: Ports>(mut work: Work<'_, P>, referral: Referral) -> Outcome {
    let run = work.run.clone();
    let new_here = work.is_fresh();
    let print = || create_print(&run, &referral);
    let Wanted { mut new, fields } = match wanted(&run, &referral) {
        Ok(wanted) => wanted,
        Err(words) => return park(&run, referral.id().as_str(), &words, &print()).await,
    };
    if let Some(parked) = parked_row(&run, referral.id().as_str()).await? {
        if parked.holds(&print(), run.now()) {
            return Ok(Ended::done("parked", parked.reason));
        }
        // An earlier attempt may have created a record, which may belong to another referral by now.
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
        Written::Later(failure) | Written::Unknown(failure) => return Err(failure.into()),
        Written::Exists | Written::Lost => return Ok(Ended::later(1, "its customer is changing")),
    };
    write_down(&mut work, &referral, &fields, told, &new);
    if !work.try_save().await? {
        return Ok(Ended::later(1, "somebody else is creating the record"));
    }
    show_decisions(&work, &referral, &mut new);
    match run.ports.crm().create(&new, prepared).await {
        Written::Done(seen) => {
            agree(&mut work, &referral, &new, &fields, &seen);
            born(&mut work, &referral);
            Box::pin(found(work, referral, seen)).await
        }
        Written::Exists => already_there(work, referral, new, new_here).await,
        Written::Lost => {
            work.link.claim = None;
            work.try_save().await?;
            Ok(Ended::later(1, "its customer was created by somebody else at the same time"))
        }
        Written::Later(failure) => {
            work.link.claim = None;
            work.try_save().await?;
            Err(failure.into())
        }
        Written::Refused(refused) => refuse(&work, &referral, refused).await,
        Written::Unknown(failure) => {
            let why = format!("it is not known whether the record was created: {failure}");
            Ok(run.just_after(run.deadline(), why))
        }
    }
}

/// Prepares the save before the create: the claim, and as images the values that are asked for, which are the base if
/// the answer is lost.
fn write_down<P: Ports>(
    work: &mut Work<'_, P>,
    referral: &Referral,
    fields: &Fields,
    told: Vec<String>,
    new: &NewRecord,
) {
    let map = work.run.map.of(kind_of(&work.run, referral));
    for (unit, value) in fields {
        if !map.unit(unit).is_some_and(|unit| unit.to_crm()) {
            continue;
        }
        work.link.partner_center.images.insert(unit.clone(), image(value));
        match asked_for(map, new, unit, value) {
            Some(crm) => work.link.crm.images.insert(unit.clone(), image(&crm)),
            // Left out of the record: what it shows instead is known once it is read.
            None => work.link.crm.images.remove(unit),
        };
    }
    work.link.engagement = referral.engagement().cloned();
    let now = work.run.now();
    work.link.partner_center.saw(&Version::of_referral(referral), now);
    // Reported before the create: a run that dies without knowing its outcome has reported it, too.
    let left_out = new.left_out.iter().map(ToString::to_string);
    let defaults = new.defaults.iter().filter_map(|(unit, value)| deal::by_default(map, unit, value));
    for words in told.into_iter().chain(left_out).chain(defaults) {
        if !work.link.journal.lines().iter().any(|line| line.text == words) {
            work.note("chosen", words, true);
        }
    }
    let (units, deadline) = (fields.keys().cloned().collect(), work.run.deadline());
    work.link.claim = Some(Claim { side: Side::Crm, units, base: None, deadline });
}

/// Puts the Audit field's text into the create, so that it needs no write of its own.
fn show_decisions<P: Ports>(work: &Work<'_, P>, referral: &Referral, new: &mut NewRecord) {
    let map = work.run.map.of(kind_of(&work.run, referral));
    let mut journal = work.link.journal.clone();
    let text = created(map, referral);
    journal.note(Line { at: work.run.now(), decision: "created".into(), text }, true);
    let audit = map.audit_column().and_then(|(column, _)| Some((column, journal.to_show(AUDIT_LENGTH)?)));
    if let Some((column, text)) = audit {
        new.columns.insert(column.to_owned(), CrmValue::Plain(text.into()));
    }
}

/// Saves what both sides agree on once the record is created: what was asked for, or the form in which the answer shows
/// it.
fn agree<P: Ports>(
    work: &mut Work<'_, P>,
    referral: &Referral,
    new: &NewRecord,
    fields: &Fields,
    seen: &Seen,
) {
    let map = work.run.map.of(kind_of(&work.run, referral));
    let shown = map.record_fields(&seen.record);
    for (unit, value) in fields {
        let Some(crm) = shown.get(unit) else { continue };
        // A value that differs from what was asked for was changed by a user since.
        let asked = map.unit(unit).is_some_and(|unit| unit.to_crm());
        match asked_for(map, new, unit, value) {
            Some(asked_for) if asked && !map.shows(unit, Side::Crm, &asked_for, crm) => {
                work.link.agree(unit, value, &asked_for)
            }
            _ => work.link.agree(unit, value, crm),
        }
    }
    // A unit that is only filled while it is empty has no base, so that the CRM's value is sent as a change.
    work.link.forget(&map.units().filter(|u| u.only_while_empty).map(|u| u.name.clone()).collect());
}

/// The key of the create is taken: by an earlier attempt of ours, or by a record that had it before.
async fn already_there<P: Ports>(
    mut work: Work<'_, P>,
    referral: Referral,
    new: NewRecord,
    new_here: bool,
) -> Outcome {
    let run = work.run.clone();
    let kind = kind_of(&run, &referral);
    match run.ports.crm().find(kind, referral.id()).await? {
        Some(seen) if planted::is(Bug::Upsert) => {
            let patch = RecordPatch { columns: new.columns, ..RecordPatch::default() };
            let _ = run.ports.crm().patch(&seen.record.id, &seen.version, &patch).await;
            Ok(Ended::later(1, "overwritten"))
        }
        Some(seen) if new_here => {
            // This was our first attempt, so the record had the key before.
            run.ports.links().commit(work.remove()).await?;
            let link = Link::new(referral.id().clone(), None, State::Creating);
            Box::pin(found_again(Work::fresh(&run, link), referral, seen)).await
        }
        Some(seen) => Box::pin(found_again(work, referral, seen)).await,
        None => {
            work.link.claim = None;
            work.try_save().await?;
            Ok(Ended::later(5, "the record is there, but cannot be read yet"))
        }
    }
}

/// The value that a unit of the new record should have: the map's default, else the referral's value.
fn asked_for(map: &Map, new: &NewRecord, unit: &str, value: &Value) -> Option<Value> {
    new.defaults.get(unit).cloned().or_else(|| map.to_crm(unit, value).ok())
}

/// The create was refused: the link is deleted and the referral parked with the reason.
async fn refuse<P: Ports>(work: &Work<'_, P>, referral: &Referral, refused: Refused) -> Outcome {
    let words = match &refused.field {
        Some(field) => format!("`{field}`: {}", refused.text),
        None => refused.text,
    };
    let print = create_print(&work.run, referral);
    let what = referral.id().as_str();
    park_besides(&work.run, Aside::new(what, &words, &print), work.remove()).await
}
