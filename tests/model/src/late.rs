//! Requests on their way after their sender gave up or died.

use crate::{trace::say, world::State};
use jiff::Timestamp;
use mapping::{Action, NewRecord, RecordId, RecordPatch, ReferralId};
use std::sync::Arc;
use sync::{note::Note, table::Change, version::Version};

/// A request that will still land.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    pub(crate) at: Timestamp,
    pub(crate) by: Arc<str>,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Save(Vec<Change>),
    PatchReferral(ReferralId, String, Vec<serde_json::Value>),
    CreateReferral(String),
    CreateRecord(Box<NewRecord>),
    PatchRecord(RecordId, Version, RecordPatch),
    Act(RecordId, Action),
    Qualify(RecordId, Version, Box<NewRecord>),
    Note(RecordId, Note),
}

impl State {
    /// A request lands; nobody waits for its answer.
    pub(crate) fn land(&mut self, late: Late) {
        let by = late.by;
        match late.what {
            What::Save(changes) => {
                let saved = self.apply_save(changes);
                say!(self, by, "a late save lands: {saved}");
            }
            What::PatchReferral(id, etag, operations) => {
                say!(self, by, "a late patch of the referral lands");
                _ = self.patch_referral(&id, Some(&etag), &operations, true);
            }
            What::CreateReferral(body) => {
                say!(self, by, "a late create of a referral lands");
                _ = self.create_referral(&body);
            }
            What::CreateRecord(new) => {
                say!(self, by, "a late create of a record lands");
                _ = self.create_record(&new, None);
            }
            What::PatchRecord(id, version, patch) => {
                say!(self, by, "a late patch of the record lands");
                _ = self.patch_record(&id, &version, &patch);
            }
            What::Qualify(id, version, new) => {
                say!(self, by, "a late qualification of the lead lands");
                _ = self.qualify(&id.id, Some((&version, &new)), true);
            }
            What::Note(id, note) => {
                say!(self, by, "a late note lands");
                _ = self.put_note(&id, &note);
            }
            What::Act(id, action) => {
                say!(self, by, "a late action lands");
                _ = self.close_record(&id.id, &action, true);
            }
        }
    }
}
