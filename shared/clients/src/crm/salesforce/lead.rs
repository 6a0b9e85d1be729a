//! Leads (vendors/salesforce.md, *Leads*). An accepted lead becomes an opportunity, which is created in one composite
//! with a write of the lead under its version, so that it happens only to the lead as it was read; the opportunity's
//! Referral Identifier prevents a second one. Or, if the map says so, the lead is converted (convert.rs) and then
//! names its opportunity.

use super::{Salesforce, composite::Part, rows::object_of, soql::quoted, wire::QueryFailed};
use crate::crm::not_begun::NotBegun;
use mapping::{ConvertLead, NewRecord, RecordId, RecordKind};
use serde_json::{Value, json};
use sync::{
    failure::{Failure, Written},
    ports::{Qualified, Seen},
    version::Version,
};

/// A converted lead's lookup of its opportunity.
const CONVERTED: &str = "ConvertedOpportunityId";

impl Salesforce {
    /// Reads which lead became this opportunity.
    pub(super) fn origin_part(&self, opportunity: &str) -> Option<Part> {
        let soql = format!("SELECT Id FROM Lead WHERE {CONVERTED} = {} LIMIT 1", quoted(opportunity));
        self.map.has_leads().then(|| Part::query("shown_lead", &soql))
    }

    pub(super) async fn qualify_lead(
        &self,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
    ) -> Written<Option<Seen>> {
        let operation = format!("make an opportunity of `{lead}`");
        // An earlier attempt may have created it, and its run may have ended before it saved that.
        match self.opportunity_of(&operation, new).await {
            Ok(Some(seen)) => return Written::Done(Some(seen)),
            Ok(None) => {}
            Err(not_begun) => return not_begun.written(),
        }
        if self.map.vendor().convert_lead == ConvertLead::Soap {
            return self.convert_lead(lead, version, new).await.map(|()| None);
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
        self.create_after(vec![own], new, ready.prepared).await.map(Some)
    }

    async fn opportunity_of(&self, operation: &str, new: &NewRecord) -> Result<Option<Seen>, NotBegun> {
        let parts = self.parts_by_referral(self.features().await?, &new.referral);
        Ok(self.read(operation, RecordKind::Opportunity, &parts).await?)
    }

    /// A write of the lead that changes nothing, under its version. `None`: the lead has changed by now.
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

    /// A merged lead is deleted, and names the lead that is left.
    pub(super) async fn master_of(&self, lead: &RecordId) -> Result<Option<RecordId>, Failure> {
        let operation = format!("find the master of `{lead}`");
        let id = quoted(self.id(&operation, lead)?);
        let soql = format!("SELECT MasterRecordId FROM {} WHERE Id = {id}", object_of(lead.kind));
        let (records, _) = self.wire.query_all(&operation, &soql).await.map_err(|failed| match failed {
            QueryFailed::Failed(failure) => failure,
            QueryFailed::Expired => self.wire.retryable(&operation, "its page is no longer there"),
        })?;
        let master = |row: &Value| row["MasterRecordId"].as_str().map(str::to_owned);
        let master = records.so_far().0.first().and_then(master);
        Ok(master.map(|id| RecordId { kind: lead.kind, id }))
    }

    pub(super) async fn deal_of_lead(&self, lead: &RecordId) -> Result<Option<Qualified>, Failure> {
        let operation = format!("find the opportunity of `{lead}`");
        let id = self.id(&operation, lead)?;
        let soql = format!("SELECT {CONVERTED}, CreatedById FROM Lead WHERE Id = {}", quoted(id));
        let answer = self.wire.look(&operation, &[Part::query("lead", &soql)]).await?;
        let rows = answer.rows("lead").map_err(|said| self.wire.failed(&operation, &said))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let Some(named) = row[CONVERTED].as_str() else { return Ok(None) };
        let mut parts = self.parts_by_id(self.features().await?, RecordKind::Opportunity, named);
        parts.extend(self.origin_part(named));
        let converts = self.map.vendor().convert_lead == ConvertLead::Soap;
        parts.extend(converts.then(|| writers_part(named)));
        let answer = self.wire.look(&operation, &parts).await?;
        let seen = self.shown(RecordKind::Opportunity, &answer).map_err(|said| {
            self.known.forget();
            self.wire.failed(&operation, &said)
        })?;
        let deal = seen.ok_or_else(|| {
            self.wire.retryable(&operation, format!("opportunity `{named}` cannot be read yet"))
        })?;
        let writers = if converts { answer.rows("writers") } else { Ok(vec![]) };
        let writers = writers.map_err(|said| self.wire.failed(&operation, &said))?;
        // The connector created the lead, so the lead's creator is the connector's user.
        let us = row["CreatedById"].as_str();
        let ours = |row: &Value| WRITERS.iter().all(|writer| us.is_some() && row[*writer].as_str() == us);
        Ok(Some(Qualified { deal, ours: writers.first().is_some_and(ours) }))
    }
}

/// The fields for who created an opportunity, and who wrote it last.
const WRITERS: [&str; 2] = ["CreatedById", "LastModifiedById"];

/// Sent after the read of the opportunity itself: a user who writes in between is seen here, or else the version that
/// was read is an old one.
fn writers_part(opportunity: &str) -> Part {
    let soql = format!("SELECT {} FROM Opportunity WHERE Id = {}", WRITERS.join(", "), quoted(opportunity));
    Part::query("writers", &soql)
}

/// The lead in the answer to [`Salesforce::origin_part`].
pub(super) fn origin(rows: &[Value]) -> Option<RecordId> {
    let id = rows.first()?["Id"].as_str()?;
    Some(RecordId { kind: RecordKind::Lead, id: id.to_owned() })
}
