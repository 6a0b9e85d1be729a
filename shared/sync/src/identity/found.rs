//! Finds the record that an earlier attempt has created, and links it.

use super::kind_of;
use crate::{
    identity::consent::{may_link, refused_by_referral},
    planted::{self, Bug},
    ports::{Crm, Ports, Seen},
    rows::{
        aliases::{alias_of, links_back, remember_lead},
        parking::{Aside, park_besides},
        referrals::referral_print,
        run::Run,
        stop::Outcome,
        work::{AUDIT_LENGTH, Work},
    },
    settle::{Look, settle_on},
    state::{failure::Failure, image::image, link::State, parked},
};
use mapping::{Map, RecordKind, Referral, names::STATUS};
use std::collections::BTreeSet;

/// The record that an earlier attempt has created. The referral may have been accepted after that attempt began to
/// create a lead.
pub(super) async fn made_before<P: Ports>(
    work: &mut Work<'_, P>,
    referral: &Referral,
) -> Result<Option<Seen>, Failure> {
    let (run, id) = (work.run.clone(), referral.id());
    let mut seen = run.ports.crm().find(RecordKind::Opportunity, id).await?;
    if let Some(lead) = seen.as_ref().and_then(|deal| deal.lead.clone()) {
        // A seller qualified the lead before we knew that it was created: the link begins with the lead and then moves.
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

/// Links a record that carries the referral's id and has no link. Meanwhile it may have come to belong to another
/// referral, which names it.
pub(super) async fn found_again<P: Ports>(mut work: Work<'_, P>, referral: Referral, seen: Seen) -> Outcome {
    let record = &seen.record.id;
    // No create of ours was saved, so a user has typed the identifier.
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
    agree_on_what_was_left_out(&mut work, &seen);
    born(&mut work, &referral);
    Box::pin(found(work, referral, seen)).await
}

/// A field that the create left out of the record and that is still empty: the empty field is the state both sides began
/// with, not an edit by a seller. A field that has been filled in since has no such state, and counts as an edit.
fn agree_on_what_was_left_out<P: Ports>(work: &mut Work<'_, P>, seen: &Seen) {
    let map = work.run.map.of(seen.record.id.kind);
    let shown = map.record_fields(&seen.record);
    let without = |unit: &&String| !work.link.crm.images.contains_key(*unit);
    let units: Vec<String> = work.link.partner_center.images.keys().filter(without).cloned().collect();
    for unit in units {
        if let Some(empty) = shown.get(&unit).filter(|value| map.says_nothing(&unit, value)) {
            work.link.crm.images.insert(unit, image(empty));
        }
    }
}

/// Whether the referral itself names this record.
fn names_back<P: Ports>(run: &Run<'_, P>, referral: &Referral, seen: &Seen) -> bool {
    let named = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
    named.is_some_and(|named| named.id == seen.record.id.id)
}

/// Links the record that was created, and settles the link.
pub(super) async fn found<P: Ports>(mut work: Work<'_, P>, referral: Referral, seen: Seen) -> Outcome {
    work.link.claim = None;
    work.link.state = State::Linked;
    work.link.record = Some(seen.record.id.clone());
    if !work.is_fresh() {
        // The record was created from the referral: a unit without a base is one that lost it, not one with a new rule.
        let (map, before) = (work.map(), work.run.map);
        work.link.is_read_by(map, before);
    }
    // A create makes open records. If the referral is closed already, the status gets no base and follows by its
    // action. If it was only accepted since the create was sent, the status keeps its base and goes to the CRM as any
    // change.
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

/// Notes that the record was created. Its Audit field shows the decisions up to then.
pub(super) fn born<P: Ports>(work: &mut Work<'_, P>, referral: &Referral) {
    work.note("created", created(work.map(), referral), true);
    work.link.journal.shown(AUDIT_LENGTH);
}

/// The first line of the Audit field: that the record was created, and until when the seller should answer.
pub(super) fn created(map: &Map, referral: &Referral) -> String {
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

/// The fingerprint of a create: the referral's state and the map, which may add what was missing.
pub(super) fn create_print<P: Ports>(run: &Run<'_, P>, referral: &Referral) -> String {
    parked::print(&referral_print(referral), run.map)
}
