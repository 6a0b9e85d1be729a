//! Conversion of a lead by `convertLead`: no transaction of ours, and no version it could be conditional on. So what it
//! needs comes first (the customer, found or made by its unique keys as for any opportunity), the lead is read last, and
//! whatever a conversion does not hand on is written afterwards by whoever looks at the converted lead.

use super::{
    Salesforce,
    composite::Part,
    create::Prepared,
    errors::Meaning,
    rows::{Condition, instant},
    soap::{self, Conversion},
    soql::{is_id, quoted},
};
use crate::{crm::not_begun::NotBegun, session::Unanswered};
use mapping::{CrmValue, NewRecord, RecordId, RecordKind};
use serde_json::Value;
use sync::{failure::Written, version::Version};

/// The lead was converted by somebody else.
const CONVERTED_ALREADY: &str = "CANNOT_UPDATE_CONVERTED_LEAD";

/// The field of the opportunity's name, which the conversion takes.
const NAME: &str = "Name";

/// Whom the opportunity will belong to, by their ids.
struct Customer {
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
            Err(said) if matches!(said.meaning(), Meaning::Taken | Meaning::Gone) => Written::Lost,
            Err(said) => self.wire.ended(&operation, &said, new.columns.keys().map(String::as_str)),
        }
    }

    /// The customer's rows that are missing are made before: with our keys, so that a second time finds them.
    async fn made(&self, operation: &str, new: &NewRecord, prepared: Prepared) -> Written<Customer> {
        let Prepared { before, account, contact, .. } = prepared;
        if before.is_empty() {
            return Written::Done(Customer { account, contact });
        }
        let answer = match self.wire.write(operation, &before).await {
            Ok(answer) => answer,
            Err(unwritten) => return self.wire.unwritten(operation, unwritten),
        };
        if let Some(said) = answer.refusal() {
            return self.not_created(operation, &said, new);
        }
        // Found by its key from now on, if the answer should not say it.
        let id = |id: String| answer.id(&id).map(str::to_owned);
        match id(account) {
            Some(account) => Written::Done(Customer { account, contact: contact.and_then(id) }),
            None => Written::Lost,
        }
    }

    /// What is asked for. `None`: the lead shows something else by now, or is converted. It may still be edited between
    /// this look and the conversion: the protocol reads the lead once more afterwards.
    async fn conversion(
        &self,
        operation: &str,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
        customer: Customer,
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
        let is_still = |row: &&Value| match Condition::of(version) {
            Condition::Modified(at) => row["LastModifiedDate"].as_str().and_then(instant) == Some(at),
            Condition::Fresh(digest) => fields.digest(row) == digest,
            Condition::None => false,
        };
        if own.iter().find(is_still).is_none() {
            return Ok(None);
        }
        // Salesforce takes a contact of that very account only; else it makes one of the lead.
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

    /// The map's own if it is one of the organisation's, else the organisation's first.
    fn converted_status(&self, statuses: &[Value]) -> Option<String> {
        let wanted = self.map.qualified_stage();
        let is_wanted = |row: &&Value| {
            ["ApiName", "MasterLabel"].iter().any(|name| row[*name].as_str() == wanted.as_deref())
        };
        let row = statuses.iter().find(is_wanted).or(statuses.first())?;
        row["MasterLabel"].as_str().map(str::to_owned)
    }
}
