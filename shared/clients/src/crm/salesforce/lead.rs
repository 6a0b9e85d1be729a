//! Leads (salesforce.md §9). An accepted lead becomes an opportunity: created beside it in one composite, with a write of
//! the lead under its version, so that it happens only to the lead that was read; its Referral Identifier keeps it from
//! being made twice. A lead that a seller converted names its opportunity.

use super::{Salesforce, soql::quoted, wire::Part};
use crate::crm::not_begun::NotBegun;
use mapping::{NewRecord, RecordId, RecordKind};
use serde_json::{Value, json};
use sync::{
    failure::{Failure, Written},
    ports::Seen,
    version::Version,
};

/// A lead's way to the opportunity it was converted into.
const CONVERTED: &str = "ConvertedOpportunityId";

impl Salesforce {
    /// What shows which lead an opportunity was made of.
    pub(super) fn origin_part(&self, opportunity: &str) -> Option<Part> {
        let soql = format!("SELECT Id FROM Lead WHERE {CONVERTED} = {} LIMIT 1", quoted(opportunity));
        self.map.has_leads().then(|| Part::query("shown_lead", &soql))
    }

    pub(super) async fn qualify_lead(
        &self,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
    ) -> Written<Seen> {
        let operation = format!("make an opportunity of `{lead}`");
        // Made already, and whoever made it did not live to say so.
        match self.opportunity_of(&operation, new).await {
            Ok(Some(seen)) => return Written::Done(seen),
            Ok(None) => {}
            Err(not_begun) => return not_begun.written(),
        }
        let own = match self.own_write(&operation, lead, version, new).await {
            Ok(Some(part)) => part,
            Ok(None) => return Written::Lost,
            Err(not_begun) => return not_begun.written(),
        };
        let ready = match self.prepared(new).await {
            Ok(ready) => ready,
            Err(not_begun) => return not_begun.written(),
        };
        self.create_after(vec![own], new, ready.prepared).await
    }

    async fn opportunity_of(&self, operation: &str, new: &NewRecord) -> Result<Option<Seen>, NotBegun> {
        let parts = self.parts_by_referral(self.features().await?, &new.referral);
        Ok(self.read(operation, RecordKind::Opportunity, &parts).await?)
    }

    /// A write of the lead that changes nothing, under its version. `None`: it is another one by now.
    async fn own_write(
        &self,
        operation: &str,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
    ) -> Result<Option<Part>, NotBegun> {
        let id = self.id(operation, lead)?;
        let Some(modified) = self.modified(operation, lead.kind, id, version).await? else { return Ok(None) };
        let body = json!({ self.key_of(RecordKind::Lead): new.referral.as_str() });
        Ok(Some(Part::update("lead", "Lead", id, body).unmodified_since(modified)))
    }

    pub(super) async fn deal_of_lead(&self, lead: &RecordId) -> Result<Option<Seen>, Failure> {
        let operation = format!("find the opportunity of `{lead}`");
        let id = self.id(&operation, lead)?;
        let soql = format!("SELECT {CONVERTED} FROM Lead WHERE Id = {}", quoted(id));
        let answer = self.wire.look(&operation, &[Part::query("lead", &soql)]).await?;
        let rows = answer.rows("lead").map_err(|said| self.wire.failed(&operation, &said))?;
        let named = rows.first().and_then(|row| row[CONVERTED].as_str());
        let Some(named) = named else { return Ok(None) };
        let deal = RecordId { kind: RecordKind::Opportunity, id: named.to_owned() };
        let seen = sync::ports::Crm::fetch(self, &deal).await?;
        seen.map(Some).ok_or_else(|| {
            self.wire.retryable(&operation, format!("opportunity `{named}` cannot be read yet"))
        })
    }
}

/// The lead that a row of [`Salesforce::origin_part`] names.
pub(super) fn origin(rows: &[Value]) -> Option<RecordId> {
    let id = rows.first()?["Id"].as_str()?;
    Some(RecordId { kind: RecordKind::Lead, id: id.to_owned() })
}
