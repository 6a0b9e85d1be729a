//! The CRM of this stack: a closed set, so that `match` finds every place where another one must be thought of.

pub mod dynamics;

use dynamics::Dynamics;
use jiff::Timestamp;
use mapping::{Action, Map, NewRecord, RecordId, RecordKind, RecordPatch, ReferralId};
use std::sync::Arc;
use sync::{
    failure::{Failure, Written},
    ports::{Changes, Feed, Position, Ready, Seen},
};

/// One of the CRMs.
pub enum Crm {
    /// Dynamics 365 Sales.
    Dynamics(Dynamics),
}

impl Crm {
    /// The same environment through another map.
    #[must_use]
    pub fn with_map(&self, map: Arc<Map>) -> Self {
        match self {
            Crm::Dynamics(crm) => Crm::Dynamics(crm.with_map(map)),
        }
    }
}

impl sync::ports::Crm for Crm {
    type Prepared = dynamics::Prepared;

    async fn fetch(&self, id: &RecordId) -> Result<Option<Seen>, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.fetch(id).await,
        }
    }

    async fn find(&self, kind: RecordKind, referral: &ReferralId) -> Result<Option<Seen>, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.find(kind, referral).await,
        }
    }

    async fn prepare(&self, new: &NewRecord) -> Written<Ready<Self::Prepared>> {
        match self {
            Crm::Dynamics(crm) => crm.prepare(new).await,
        }
    }

    async fn create(&self, new: &NewRecord, prepared: Self::Prepared) -> Written<Seen> {
        match self {
            Crm::Dynamics(crm) => crm.create(new, prepared).await,
        }
    }

    async fn patch(
        &self,
        id: &RecordId,
        version: &sync::version::Version,
        patch: &RecordPatch,
    ) -> Written<Option<Seen>> {
        match self {
            Crm::Dynamics(crm) => crm.patch(id, version, patch).await,
        }
    }

    async fn act(&self, id: &RecordId, action: &Action) -> Written<Option<Seen>> {
        match self {
            Crm::Dynamics(crm) => crm.act(id, action).await,
        }
    }

    fn feeds(&self) -> &'static [Feed] {
        match self {
            Crm::Dynamics(crm) => crm.feeds(),
        }
    }

    async fn qualify(
        &self,
        lead: &RecordId,
        version: &sync::version::Version,
        new: &NewRecord,
    ) -> Written<Seen> {
        match self {
            Crm::Dynamics(crm) => crm.qualify(lead, version, new).await,
        }
    }

    async fn qualified(&self, lead: &RecordId) -> Result<Option<Seen>, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.qualified(lead).await,
        }
    }

    async fn changes(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.changes(feed, position).await,
        }
    }
}

/// An instant as both CRMs write it in queries: UTC, whole seconds, never later than it is.
pub(crate) fn whole_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
