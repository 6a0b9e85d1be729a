//! The CRM of this stack: an enum, so that the compiler finds every `match` to which another CRM must be added.

pub mod dynamics;
mod html;
mod not_begun;
pub mod salesforce;
mod solution_row;

use dynamics::Dynamics;
use jiff::{SignedDuration, Timestamp};
use mapping::{Action, Map, NewRecord, RecordId, RecordKind, RecordPatch, ReferralId};
use salesforce::Salesforce;
use std::sync::Arc;
use sync::{
    failure::{Failure, Written},
    note::Note,
    ports::{Changes, Feed, Position, Qualified, Ready, Seen},
};

/// One of the CRMs.
pub enum Crm {
    /// Dynamics 365 Sales, by Dataverse's Web API.
    Dynamics(Dynamics),
    /// Salesforce Sales Cloud, by its REST API.
    Salesforce(Salesforce),
}

/// What was looked up before a create, by CRM.
pub enum Prepared {
    /// For Dynamics 365, as a change set.
    Dynamics(Box<dynamics::PreparedChangeSet>),
    /// For Salesforce, as a composite.
    Salesforce(Box<salesforce::PreparedComposite>),
}

/// A value as the CRM can store it.
fn stored(value: &serde_json::Value) -> serde_json::Value {
    value.as_str().map_or_else(|| value.clone(), |text| mapping::storable(text).into())
}

impl Crm {
    /// The same environment through another map.
    #[must_use]
    pub fn with_map(&self, map: Arc<Map>) -> Self {
        match self {
            Crm::Dynamics(crm) => Crm::Dynamics(crm.with_map(map)),
            Crm::Salesforce(crm) => Crm::Salesforce(crm.with_map(map)),
        }
    }

    /// By how much its clock is ahead of ours, by its last answer.
    pub fn skew(&self) -> Option<SignedDuration> {
        match self {
            Crm::Dynamics(crm) => crm.skew(),
            Crm::Salesforce(crm) => crm.skew(),
        }
    }
}

impl sync::ports::Crm for Crm {
    type Prepared = Prepared;

    async fn fetch(&self, id: &RecordId) -> Result<Option<Seen>, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.fetch(id).await,
            Crm::Salesforce(crm) => crm.fetch(id).await,
        }
    }

    async fn find(&self, kind: RecordKind, referral: &ReferralId) -> Result<Option<Seen>, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.find(kind, referral).await,
            Crm::Salesforce(crm) => crm.find(kind, referral).await,
        }
    }

    fn rows_at_once(&self) -> usize {
        match self {
            Crm::Dynamics(crm) => crm.rows_at_once(),
            Crm::Salesforce(crm) => crm.rows_at_once(),
        }
    }

    async fn prepare(&self, new: &NewRecord) -> Written<Ready<Self::Prepared>> {
        match self {
            Crm::Dynamics(crm) => {
                let to = |Ready { prepared, told }| Ready {
                    prepared: Prepared::Dynamics(Box::new(prepared)),
                    told,
                };
                crm.prepare(new).await.map(to)
            }
            Crm::Salesforce(crm) => {
                let to = |Ready { prepared, told }| Ready {
                    prepared: Prepared::Salesforce(Box::new(prepared)),
                    told,
                };
                crm.prepare(new).await.map(to)
            }
        }
    }

    async fn create(&self, new: &NewRecord, prepared: Self::Prepared) -> Written<Seen> {
        match (self, prepared) {
            (Crm::Dynamics(crm), Prepared::Dynamics(prepared)) => crm.create(new, *prepared).await,
            (Crm::Salesforce(crm), Prepared::Salesforce(prepared)) => crm.create(new, *prepared).await,
            // What was prepared by this CRM is created in it.
            (_, Prepared::Dynamics(_) | Prepared::Salesforce(_)) => Written::Lost,
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
            Crm::Salesforce(crm) => crm.patch(id, version, patch).await,
        }
    }

    async fn act(&self, id: &RecordId, action: &Action) -> Written<Option<Seen>> {
        match self {
            Crm::Dynamics(crm) => crm.act(id, action).await,
            Crm::Salesforce(crm) => crm.act(id, action).await,
        }
    }

    async fn add_note(&self, id: &RecordId, note: &Note) -> Written<()> {
        match self {
            Crm::Dynamics(crm) => crm.add_note(id, note).await,
            Crm::Salesforce(crm) => crm.add_note(id, note).await,
        }
    }

    fn feeds(&self) -> &'static [Feed] {
        match self {
            Crm::Dynamics(crm) => crm.feeds(),
            Crm::Salesforce(crm) => crm.feeds(),
        }
    }

    async fn qualify(
        &self,
        lead: &RecordId,
        version: &sync::version::Version,
        new: &NewRecord,
    ) -> Written<Option<Seen>> {
        match self {
            Crm::Dynamics(crm) => crm.qualify(lead, version, new).await,
            Crm::Salesforce(crm) => crm.qualify(lead, version, new).await,
        }
    }

    async fn qualified(&self, lead: &RecordId) -> Result<Option<Qualified>, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.qualified(lead).await,
            Crm::Salesforce(crm) => crm.qualified(lead).await,
        }
    }

    async fn merged_into(&self, record: &RecordId) -> Result<Option<RecordId>, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.merged_into(record).await,
            Crm::Salesforce(crm) => crm.merged_into(record).await,
        }
    }

    async fn changes(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        match self {
            Crm::Dynamics(crm) => crm.changes(feed, position).await,
            Crm::Salesforce(crm) => crm.changes(feed, position).await,
        }
    }
}

/// An instant as both CRMs write it in queries: UTC, whole seconds, never later than it is.
pub(crate) fn whole_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
