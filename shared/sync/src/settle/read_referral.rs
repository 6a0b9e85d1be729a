//! Reads Partner Center's side of a link, and what a referral shows.

use super::{
    judge::{judge, stale},
    look::Look,
    microsoft,
    sides::{Read, Sides},
};
use crate::{
    planted::{self, Bug},
    ports::Ports,
    rows::{
        late::older_than_hint,
        referrals::look_up,
        run::Ended,
        stop::Stop,
        work::{WHOLE, Work},
    },
    state::version::Version,
};
use mapping::{Fields, Referral, Side, Value};

/// The fingerprint of a link that is parked because its referral cannot be read; it heals when the referral can be
/// read.
const GONE: &str = "gone";

impl Sides {
    /// Reads Partner Center's side, judges its claim, and remembers the version as seen.
    pub(super) async fn read_partner_center<P: Ports>(
        &mut self,
        work: &mut Work<'_, P>,
        look: &mut Look,
    ) -> Result<(), Stop> {
        look.referral = true;
        let believed = look.body.is_some() && planted::is(Bug::OldPageBelieved);
        if look.engagement {
            if work.claim_is_over() {
                work.save().await?;
            }
            microsoft::look(work, look).await?;
        }
        let by_id = work.link.claim.is_some() || self.forced.contains(&Side::PartnerCenter);
        // It is not known when a body was read: one older than the newest version seen is read again by id.
        let memory = &work.link.partner_center;
        let fits = |referral: &Referral| believed || !memory.is_stale(&Version::of_referral(referral));
        let referral = match look.body.take().filter(|body| !by_id && fits(body)) {
            Some(referral) => Some(referral),
            None => {
                if work.claim_is_over() {
                    work.save().await?;
                }
                look_up(&work.run, &work.link.referral).await?
            }
        };
        let Some(referral) = referral else {
            if planted::is(Bug::ForbiddenDropped) {
                return Err(work.end(Ended::done("skipped", "it cannot be read")).await);
            }
            let words = "Partner Center does not show this referral any more";
            work.park(WHOLE, words, GONE.to_owned(), Some(Side::PartnerCenter));
            // What the CRM showed was not compared: the change of a child row has no version by which it would be
            // noticed later.
            work.link.partner_center.settled = None;
            work.link.crm.settled = None;
            return Err(work.end(Ended::done("parked", words)).await);
        };
        let version = Version::of_referral(&referral);
        let again = stale(work, Side::PartnerCenter, &version);
        let again = again.or_else(|| older_than_hint(&work.run, look.since, &referral));
        if let Some(again) = again.filter(|_| !believed) {
            return Err(work.end(again).await);
        }
        let referral = renamed(work, referral);
        let fields = referral_fields(work, &referral);
        judge(work, Side::PartnerCenter, &version, &fields);
        let now = work.run.now();
        work.link.partner_center.saw(&version, now);
        if work.link.parked.get(WHOLE).is_some_and(|parked| parked.fingerprint == GONE) {
            work.heal(WHOLE);
        }
        self.partner_center = Some(Read { fields, version, shown: referral });
        Ok(())
    }
}

/// A referral may still name the lead that its record was. That reference is ours and counts as empty.
pub(super) fn renamed<P: Ports>(work: &Work<'_, P>, referral: Referral) -> Referral {
    let lead = work.link.lead.as_ref();
    match referral.external_reference() {
        Some(named) if lead.is_some_and(|lead| lead.id.eq_ignore_ascii_case(named)) => {
            referral.without_external_reference()
        }
        _ => referral,
    }
}

/// The units that a referral shows. A closed referral hides data: its empty fields are not observed.
pub(super) fn referral_fields<P: Ports>(work: &Work<'_, P>, referral: &Referral) -> Fields {
    let mut fields = work.map().kept_referral_fields(referral);
    if referral.is_terminal() && !planted::is(Bug::HiddenIsEmpty) {
        fields.retain(|_, value| !value.is_null());
    }
    // Only Microsoft's half may hold Microsoft's own number.
    if let (Some(unit), Some(id)) = (work.map().microsoft_crm_id(), &work.link.microsoft_crm_id)
        && fields.get(unit).is_none_or(Value::is_null)
    {
        fields.insert(unit.to_owned(), Value::Text(id.clone()));
    }
    fields
}
