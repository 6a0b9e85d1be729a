//! Leads (vendors/dataverse.md, *Leads*). `QualifyLead` is sent in one change set with its customer and with a write
//! of the lead under its version: it takes effect once, and only on the lead as it was read.

use super::{
    Dynamics,
    batch::{Item, Outcome, Reply, Request},
    errors::{DataverseError, DataverseMeaning},
    odata::{escaped, guid, id_of, set_of, value_of},
    wire::{self, FailedBatch},
};
use crate::crm::not_begun::NotBegun;
use mapping::{NewRecord, RecordId, RecordKind};
use serde_json::{Value, json};
use sync::{
    failure::{Failure, Written},
    ports::Seen,
    version::Version,
};

/// An opportunity's lookup of the lead that became it.
pub(super) const ORIGIN: &str = "originatingleadid";
/// A merged lead's lookup of the lead that is left. The merged lead is deactivated; no user has disqualified it.
pub(super) const MASTER: &str = "masterid";
/// A lead's lookup of the opportunity it became.
const QUALIFYING: &str = "qualifyingopportunityid";

/// Whether this lead was merged into another one.
pub(super) fn was_merged(row: &serde_json::Map<String, Value>) -> bool {
    row.get(&value_of(MASTER)).is_some_and(|master| !master.is_null())
}

impl Dynamics {
    pub(super) async fn qualify_lead(
        &self,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
    ) -> Written<Seen> {
        let operation = format!("qualify `{lead}`");
        let id = match self.id(&operation, lead) {
            Ok(id) => id,
            Err(failure) => return NotBegun::from(failure).written(),
        };
        let customer = match self.customer(&operation, new, vec![]).await {
            Ok(customer) => customer,
            Err(not_begun) => return not_begun.written(),
        };
        let mut requests = customer.requests;
        let path = format!("{}({id})", set_of(RecordKind::Lead.as_str()));
        let mut binds = json!({ "parentaccountid@odata.bind": format!("/accounts({})", customer.account) });
        if let Some(contact) = &customer.contact {
            binds["parentcontactid@odata.bind"] = json!(format!("/contacts({contact})"));
        }
        requests.push(Request::write("PATCH", &path, binds).with("If-Match", version.token.as_str()));
        let wishes = json!({
            "CreateAccount": false, "CreateContact": false, "CreateOpportunity": true,
            // -1 stands for the default status.
            "Status": self.map.qualified_reason().unwrap_or(-1),
            "OpportunityCustomerId": {
                "@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": customer.account,
            },
        });
        requests.push(Request::write("POST", format!("{path}/Microsoft.Dynamics.CRM.QualifyLead"), wishes));
        let items = [Item::ChangeSet(requests), Item::One(self.deal_request(&id))];
        let outcomes = match self.wire.batch_write(&operation, &items).await {
            Ok(outcomes) => outcomes,
            Err(FailedBatch::Answered(said)) => return self.wire.ended(&operation, &said, []),
            Err(FailedBatch::Unanswered(unanswered)) => return wire::DataverseWire::unanswered(unanswered),
        };
        let Some(set) = outcomes.first() else { return Written::Unknown(self.unreadable(&operation)) };
        if let Some(reply) = set.refusal() {
            let said = DataverseError::of_reply(reply);
            if matches!(said.meaning(), DataverseMeaning::Taken | DataverseMeaning::Gone) {
                self.forget();
                return Written::Lost;
            }
            return self.wire.ended(&operation, &said, []);
        }
        for (set, party) in customer.settled {
            self.known.put(set, &party.key, &party.id);
        }
        let shown = match outcomes.get(1) {
            Some(Outcome::One(reply)) => self.deal(&operation, reply, None).await,
            _ => Ok(None),
        };
        // If the opportunity could not be read, a later read finds it by the lead.
        self.happened(&operation, shown)
    }

    pub(super) async fn master_of(&self, lead: &RecordId) -> Result<Option<RecordId>, Failure> {
        let operation = format!("find the master of `{lead}`");
        let id = self.id(&operation, lead)?;
        let own = Request::get(format!("{}({id})?$select={}", set_of(lead.kind.as_str()), value_of(MASTER)));
        let replies = self.wire.batch_read(&operation, vec![own]).await?;
        let row = self.row(&operation, &replies[0])?;
        let master = row.as_ref().and_then(|row| row.get(&value_of(MASTER))?.as_str()).and_then(guid);
        Ok(master.map(|id| RecordId { kind: lead.kind, id }))
    }

    pub(super) async fn deal_of_lead(&self, lead: &RecordId) -> Result<Option<Seen>, Failure> {
        let operation = format!("find the opportunity of `{lead}`");
        let id = self.id(&operation, lead)?;
        let property = value_of(QUALIFYING);
        let set = set_of(RecordKind::Lead.as_str());
        let own = Request::get(format!("{set}({id})?$select={property}"));
        let replies = self.wire.batch_read(&operation, vec![self.deal_request(&id), own]).await?;
        let lead = self.row(&operation, &replies[1])?;
        let named = lead.as_ref().and_then(|row| row.get(&property)?.as_str()).and_then(guid);
        if let Some(seen) = self.deal(&operation, &replies[0], named.as_deref()).await? {
            return Ok(Some(seen));
        }
        let Some(named) = named else { return Ok(None) };
        // The opportunity does not name the lead any more, or a replica lags.
        let request = self.record_request(RecordKind::Opportunity, &named);
        let replies = self.wire.batch_read(&operation, vec![request]).await?;
        match self.row(&operation, &replies[0])? {
            Some(row) => self.own(&operation, RecordKind::Opportunity, &row, true).await.map(Some),
            None => Err(self.wire.retryable(&operation, format!("opportunity `{named}` cannot be read yet"))),
        }
    }

    /// The opportunities that name this lead as their origin, oldest first.
    fn deal_request(&self, lead: &str) -> Request {
        let filter = escaped(&format!("{} eq {lead}", value_of(ORIGIN)));
        let query = self.columns.record_query();
        let set = set_of(RecordKind::Opportunity.as_str());
        Request::get(format!("{set}?{query}&$filter={filter}&$orderby={}", escaped("createdon asc")))
    }

    /// The opportunity that the lead names, else the oldest that names the lead.
    async fn deal(
        &self,
        operation: &str,
        reply: &Reply,
        named: Option<&str>,
    ) -> Result<Option<Seen>, Failure> {
        let rows = self.wire.list(operation, reply).await?;
        let id = |row: &&Value| row.get(id_of("opportunity")).and_then(Value::as_str).and_then(guid);
        let chosen = rows.iter().find(|row| named.is_some() && id(row).as_deref() == named);
        match chosen.or(rows.first()).and_then(Value::as_object) {
            Some(row) => self.own(operation, RecordKind::Opportunity, row, true).await.map(Some),
            None => Ok(None),
        }
    }
}
