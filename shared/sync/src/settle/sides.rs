//! Both sides of a link as far as this run has read them, and the decision which of them has to be read.

use super::{help, look::Look, read_crm::stop_or_go};
use crate::{
    merge::SideFields,
    ports::{Ports, Seen},
    rows::{stop::Stop, work::Work},
    state::{link::State, version::Version},
};
use mapping::{Fields, RecordId, Referral, Side};
use std::collections::BTreeSet;

/// One side as this run has read it.
pub(super) struct Read<T> {
    pub(super) shown: T,
    pub(super) fields: Fields,
    pub(super) version: Version,
}

/// Both sides; `None`: not read by this run.
#[derive(Default)]
pub(super) struct Sides {
    pub(super) partner_center: Option<Read<Referral>>,
    pub(super) crm: Option<Read<Seen>>,
    /// Whether the CRM's side was read by id, lists included, and not taken from a page.
    pub(super) crm_fetched: bool,
    /// The sides that must be read by id, even if a row or a body is at hand.
    pub(super) forced: BTreeSet<Side>,
}

impl Sides {
    /// The input of the merge: a side that was not read stands at its settled version.
    pub(super) fn shown(&self) -> SideFields<'_> {
        SideFields {
            partner_center: self.partner_center.as_ref().map(|read| &read.fields),
            crm: self.crm.as_ref().map(|read| &read.fields),
        }
    }

    pub(super) fn for_help(&self) -> help::ReadSides<'_> {
        help::ReadSides {
            referral: self.partner_center.as_ref().map(|read| &read.shown),
            record: self.crm.as_ref().map(|read| &read.shown),
        }
    }

    /// The version that was read.
    pub(super) fn version(&self, side: Side) -> Option<Version> {
        match side {
            Side::PartnerCenter => self.partner_center.as_ref().map(|read| read.version.clone()),
            Side::Crm => self.crm.as_ref().map(|read| read.version.clone()),
        }
    }

    /// The units of a side, as far as they were read.
    pub(super) fn fields(&self, side: Side) -> Fields {
        let shown = self.shown();
        let fields = if side == Side::Crm { shown.crm } else { shown.partner_center };
        fields.cloned().unwrap_or_default()
    }

    /// Discards what was read of a side, so that it is read by id. `false`: that was already asked for.
    pub(super) fn force(&mut self, side: Side) -> bool {
        match side {
            Side::PartnerCenter => self.partner_center = None,
            Side::Crm => self.crm = None,
        }
        self.forced.insert(side)
    }

    /// Has a side read by id, once. `false`: that was done, and it shows no more.
    pub(super) fn read_anew(&mut self, side: Side) -> bool {
        !self.forced.contains(&side) && self.force(side)
    }

    /// Counts a write's answer as a read of its side.
    pub(super) fn answered(&mut self, side: Side) {
        self.forced.remove(&side);
    }

    /// Both sides, if both were read and the CRM's by id; otherwise a side that is missing is read next.
    pub(super) fn whole(&mut self) -> Option<(Referral, Seen)> {
        match (&self.partner_center, &self.crm) {
            (Some(referral), Some(seen)) if self.crm_fetched => {
                return Some((referral.shown.clone(), seen.shown.clone()));
            }
            (None, _) => self.force(Side::PartnerCenter),
            _ => self.force(Side::Crm),
        };
        None
    }

    pub(super) fn both_read(&self) -> bool {
        self.partner_center.is_some() && self.crm.is_some()
    }

    /// Reads each side that has no settled version, that the hint is about, that has to be read by id, or whose claim
    /// must be judged.
    pub(super) async fn read<P: Ports>(
        &mut self,
        work: &mut Work<'_, P>,
        look: &mut Look,
        record: &RecordId,
    ) -> Result<(), Stop> {
        let due = |sides: &Self, work: &Work<'_, P>, side: Side, hinted: bool| {
            let judging = work.link.claim.as_ref().is_some_and(|claim| claim.side == side);
            hinted || judging || work.link.side(side).settled.is_none() || sides.forced.contains(&side)
        };
        if self.crm.is_none() && due(self, work, Side::Crm, look.record || look.row.is_some()) {
            self.read_crm(work, look, record).await?;
        }
        let stopped = work.link.state == State::Stopped;
        if let Some(seen) = &self.crm
            && let Some(ended) = stop_or_go(work, seen)
        {
            return Err(work.end(ended).await);
        }
        // While the link was stopped, Microsoft's messages were not read.
        look.engagement |= stopped && work.link.state == State::Linked;
        let hinted = look.referral || look.body.is_some();
        if self.partner_center.is_none() && due(self, work, Side::PartnerCenter, hinted) {
            return self.read_partner_center(work, look).await;
        }
        Ok(())
    }
}
