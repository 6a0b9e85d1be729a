//! Converts a lead by `convertLead`, which is no part of a transaction and cannot be conditional on a version. So the
//! customer comes first (found or created by its unique keys, as for any opportunity), and the lead is read last. What
//! the conversion does not copy is written later, when the protocol settles the opportunity of the converted lead.

use super::{
    Salesforce,
    composite::Part,
    create::PreparedComposite,
    errors::SalesforceMeaning,
    rows::{Precondition, instant},
    soap::{self, Conversion},
    soql::{is_id, quoted},
};
use crate::{crm::not_begun::NotBegun, session::Unanswered};
use mapping::{CrmValue, NewRecord, RecordId, RecordKind};
use serde_json::Value;
use sync::{failure::Written, version::Version};

/// The lead was already converted, by another run or by a user.
const CONVERTED_ALREADY: &str = "CANNOT_UPDATE_CONVERTED_LEAD";

/// The field with the opportunity's name, which is an argument of the conversion.
const NAME: &str = "Name";

/// The ids of the account and contact of the new opportunity.
struct CustomerIds {
    account: String,
    contact: Option<String>,
}

impl Salesforce {
    pub(super) async fn convert_lead(
        &self,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
    ) -> Written<()> {
        let operation = format!("convert `{lead}`");
        let ready = match self.prepared(new).await {
            Ok(ready) => ready,
            Err(not_begun) => return not_begun.written(),
        };
        let customer = match self.made(&operation, new, ready.prepared).await {
            Written::Done(customer) => customer,
            other => return other.map(|_| ()),
        };
        let asked = match self.conversion(&operation, lead, version, new, customer).await {
            Ok(Some(asked)) => asked,
            Ok(None) => return Written::Lost,
            Err(not_begun) => return not_begun.written(),
        };
        let answer = match self.wire.soap(&operation, |session| asked.envelope(session)).await {
            Ok(answer) => answer,
            Err(Unanswered::NotSent(failure)) => return Written::Later(failure),
            Err(Unanswered::Unknown(failure)) => return Written::Unknown(failure),
        };
        match soap::converted(&answer) {
            Ok(()) => Written::Done(()),
            Err(said) if said.code == CONVERTED_ALREADY => Written::Lost,
            Err(said) if matches!(said.meaning(), SalesforceMeaning::Taken | SalesforceMeaning::Gone) => {
                Written::Lost
            }
            Err(said) => self.wire.ended(&operation, &said, new.columns.keys().map(String::as_str)),
        }
    }

    /// Creates the customer's rows that are missing. They carry our keys, so that a second attempt finds them.
    async fn made(
        &self,
        operation: &str,
        new: &NewRecord,
        prepared: PreparedComposite,
    ) -> Written<CustomerIds> {
        let PreparedComposite { before, account, contact, .. } = prepared;
        if before.is_empty() {
            return Written::Done(CustomerIds { account, contact });
        }
        let answer = match self.wire.write(operation, &before).await {
            Ok(answer) => answer,
            Err(unwritten) => return self.wire.unwritten(operation, unwritten),
        };
        if let Some(said) = answer.refusal() {
            return self.not_created(operation, &said, new);
        }
        // If the answer contains no id, the next attempt finds the row by its key.
        let id = |id: String| answer.id(&id).map(str::to_owned);
        match id(account) {
            Some(account) => Written::Done(CustomerIds { account, contact: contact.and_then(id) }),
            None => Written::Lost,
        }
    }

    /// The arguments of the conversion. `None`: the lead has other values by now, or is converted. A user may still
    /// edit the lead between this read and the conversion, so the protocol reads it once more afterwards.
    async fn conversion(
        &self,
        operation: &str,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
        customer: CustomerIds,
    ) -> Result<Option<Conversion>, NotBegun> {
        let id = self.id(operation, lead)?;
        let fields = self.fields_of(RecordKind::Lead);
        let mut looks = vec![
            Part::query(
                "statuses",
                "SELECT ApiName, MasterLabel FROM LeadStatus WHERE IsConverted = true \
                 ORDER BY IsDefault DESC, SortOrder",
            ),
            Part::query(
                "own",
                &format!("SELECT {} FROM Lead WHERE Id = {}", fields.own_select(), quoted(id)),
            ),
        ];
        if let Some(contact) = &customer.contact {
            let soql = format!("SELECT AccountId FROM Contact WHERE Id = {}", quoted(contact));
            looks.insert(0, Part::query("contact", &soql));
        }
        let found = self.wire.look(operation, &looks).await?;
        let rows = |reference: &str| found.rows(reference).map_err(|said| self.wire.failed(operation, &said));
        let own = rows("own")?;
        let is_still = |row: &&Value| match Precondition::of(version) {
            Precondition::Modified(at) => row["LastModifiedDate"].as_str().and_then(instant) == Some(at),
            Precondition::Fresh(digest) => fields.digest(row) == digest,
            Precondition::None => false,
        };
        if own.iter().find(is_still).is_none() {
            return Ok(None);
        }
        // Salesforce accepts only a contact of the same account; without one it creates a contact from the lead.
        let contact = match customer.contact {
            Some(contact) => {
                let of = rows("contact")?;
                let same = of.first().is_some_and(|row| row["AccountId"] == customer.account.as_str());
                Some(contact).filter(|_| same)
            }
            None => None,
        };
        let statuses = rows("statuses")?;
        let status = self.converted_status(&statuses).ok_or_else(|| {
            NotBegun::refused("LeadStatus", "the organisation has no status for a converted lead")
        })?;
        Ok(Some(Conversion {
            account: Some(customer.account).filter(|id| is_id(id)),
            contact,
            status,
            lead: id.to_owned(),
            opportunity_name: match new.columns.get(NAME) {
                Some(CrmValue::Plain(Value::String(name))) => Some(name.clone()),
                _ => None,
            },
        }))
    }

    /// The status that the map names, if the organisation has it, else the first one in the query's order.
    fn converted_status(&self, statuses: &[Value]) -> Option<String> {
        let wanted = self.map.qualified_stage();
        let is_wanted = |row: &&Value| {
            ["ApiName", "MasterLabel"].iter().any(|name| row[*name].as_str() == wanted.as_deref())
        };
        let row = statuses.iter().find(is_wanted).or(statuses.first())?;
        row["MasterLabel"].as_str().map(str::to_owned)
    }
}
