//! Creates an opportunity and the rows that it lacks: first reads, then one composite of which all or nothing is
//! carried out. It is create-only: the Referral Identifier is a unique external id, and so are the keys of account and
//! contact.

use super::{
    Salesforce,
    composite::Part,
    errors::{SalesforceError, SalesforceMeaning},
    party::PartyObject,
    soql::{any_of, is_id, is_name},
};
use crate::crm::not_begun::NotBegun;
use mapping::{Duplicates, NewRecord, Owner, Party, RecordKind, names::SOLUTIONS};
use serde_json::{Value, json};
use sync::{
    failure::Written,
    ports::{Ready, Seen},
};

/// What was looked up for a new record.
#[derive(Default)]
pub struct PreparedComposite {
    /// The requests before the record's own: those of the customer.
    pub(super) before: Vec<Part>,
    /// The account; an id, or a reference to the request that creates it. The contact likewise.
    pub(super) account: String,
    pub(super) contact: Option<String>,
    owner: Option<String>,
    /// The rows of the catalogue that were found.
    details: Vec<Value>,
}

impl Salesforce {
    pub(super) async fn prepared(&self, new: &NewRecord) -> Result<Ready<PreparedComposite>, NotBegun> {
        let operation = operation(new);
        if new.kind == RecordKind::Lead {
            return self.prepared_lead(&operation, new).await;
        }
        let (account, contact) = self.places();
        if !is_name(account.key) {
            return Err(NotBegun::refused("account.key", "the map names no key field for accounts"));
        }
        let contact = new.contact.as_ref().filter(|_| is_name(contact.key)).map(|party| (contact, party));
        let rows = new.lists.get(SOLUTIONS).map(Vec::as_slice).unwrap_or_default();
        let adopted = |place: &PartyObject<'_>, party: &Party| self.known.adopted(place.object, &party.key);
        let persons = self.features().await?.persons;
        let exact = |reference: &str, place: &PartyObject<'_>, party: &Party| {
            place.exact(reference, party, adopted(place, party), persons)
        };
        let mut looks = vec![exact("account", &account, &new.account)];
        looks.extend(account.likeness("alike", &new.account, persons));
        looks.extend(contact.as_ref().map(|(place, party)| exact("contact", place, party)));
        looks.extend(self.details_query(rows)?);
        looks.extend(owner_query(&new.owner)?);
        let found = self.wire.look(&operation, &looks).await?;
        let rows = |reference: &str| match looks.iter().any(|look| look.reference == reference) {
            true => found.rows(reference).map_err(|said| self.wire.failed(&operation, &said)),
            false => Ok(vec![]),
        };

        let mut told = vec![];
        let mut before = vec![];
        let mut columns = new.account.columns.clone();
        let left_out = self.coded("Account", "Billing", &mut columns).await?;
        let chosen =
            self.choose(&account, &new.account, &columns, &rows("account")?, &rows("alike")?, None)?;
        let chosen = chosen.ok_or_else(|| {
            let text = format!("no account matches, and none may be created (`{}`)", account.key);
            NotBegun::refused("account.Name", text)
        })?;
        told.extend(left_out.filter(|_| chosen.id.starts_with('@')));
        before.extend(chosen.part);
        told.extend(chosen.told);
        let account_id = chosen.id;
        let mut contact_id = None;
        if let Some((place, party)) = &contact
            && let Some(chosen) =
                self.choose(place, party, &party.columns, &rows("contact")?, &[], Some(&account_id))?
        {
            before.extend(chosen.part);
            told.extend(chosen.told);
            contact_id = Some(chosen.id);
        }
        let (owner, nobody) = owner_of(&new.owner, &rows("owner")?);
        told.extend(nobody);
        let details = rows("details")?;
        let prepared = PreparedComposite { before, account: account_id, contact: contact_id, owner, details };
        Ok(Ready { prepared, told })
    }

    /// A new lead has an owner, but no account and no contact.
    async fn prepared_lead(
        &self,
        operation: &str,
        new: &NewRecord,
    ) -> Result<Ready<PreparedComposite>, NotBegun> {
        let left_out = self.coded("Lead", "", &mut new.columns.clone()).await?;
        let Some(look) = owner_query(&new.owner)? else {
            return Ok(Ready {
                prepared: PreparedComposite::default(),
                told: left_out.into_iter().collect(),
            });
        };
        let found = self.wire.look(operation, &[look]).await?;
        let rows = found.rows("owner").map_err(|said| self.wire.failed(operation, &said))?;
        let (owner, nobody) = owner_of(&new.owner, &rows);
        Ok(Ready {
            prepared: PreparedComposite { owner, ..PreparedComposite::default() },
            told: left_out.into_iter().chain(nobody).collect(),
        })
    }

    pub(super) async fn create_record(&self, new: &NewRecord, prepared: PreparedComposite) -> Written<Seen> {
        self.create_after(vec![], new, prepared).await
    }

    /// Creates the record, with other requests before it in the same composite.
    pub(super) async fn create_after(
        &self,
        first: Vec<Part>,
        new: &NewRecord,
        prepared: PreparedComposite,
    ) -> Written<Seen> {
        let operation = operation(new);
        let parts = match self.create_parts(&operation, first, new, prepared).await {
            Ok(parts) => parts,
            Err(not_begun) => return not_begun.written(),
        };
        let answer = match self.wire.write(&operation, &parts).await {
            Ok(answer) => answer,
            Err(unwritten) => return self.wire.unwritten(&operation, unwritten),
        };
        match answer.refusal() {
            None => match self.shown(new.kind, &answer) {
                Ok(Some(seen)) => Written::Done(seen),
                Ok(None) => Written::Unknown(self.wire.retryable(&operation, "created, and not shown")),
                Err(said) => Written::Unknown(self.wire.retryable(&operation, said.to_string())),
            },
            Some(said) => self.not_created(&operation, &said, new),
        }
    }

    pub(super) fn not_created<T>(
        &self,
        operation: &str,
        said: &SalesforceError,
        new: &NewRecord,
    ) -> Written<T> {
        match said.meaning() {
            // Only the message says whose unique value exists already: that of the record's key, or of an account or
            // contact.
            SalesforceMeaning::Taken if said.to_string().contains(self.key_of(new.kind)) => Written::Exists,
            SalesforceMeaning::Taken | SalesforceMeaning::Lost | SalesforceMeaning::Gone => Written::Lost,
            // Prepared again, now with the rows that the duplicate rule names.
            _ if self.adopts(said, new) => Written::Lost,
            _ => {
                let list = new.lists.values().flatten().flat_map(|row| row.keys());
                let parties = [Some(&new.account), new.contact.as_ref()];
                let parties = parties.into_iter().flatten().flat_map(|party| party.columns.keys());
                let sent = new.columns.keys().chain(list).chain(parties).map(String::as_str);
                self.wire.ended(operation, said, sent)
            }
        }
    }

    /// Whether a duplicate rule stopped the create and named rows to be used instead, if the map permits that. It does
    /// so for the next attempt, and returns `false` for rows that were tried already.
    fn adopts(&self, said: &SalesforceError, new: &NewRecord) -> bool {
        if self.map.vendor().duplicates != Duplicates::Adopt {
            return false;
        }
        let parties = [("Account", Some(&new.account)), ("Contact", new.contact.as_ref())];
        let mut adopts = false;
        for (object, party) in parties {
            let named = said.duplicates.iter().find(|(of, id)| of == object && is_id(id));
            if let (Some(party), Some((_, id))) = (party, named)
                && self.known.adopted(object, &party.key).as_deref() != Some(id)
            {
                self.known.adopt(object, &party.key, id);
                adopts = true;
            }
        }
        adopts
    }

    async fn create_parts(
        &self,
        operation: &str,
        first: Vec<Part>,
        new: &NewRecord,
        prepared: PreparedComposite,
    ) -> Result<Vec<Part>, NotBegun> {
        let has = self.features().await?;
        let mut columns = new.columns.clone();
        if new.kind == RecordKind::Lead {
            self.coded("Lead", "", &mut columns).await?;
        }
        let mut body = self.body(&columns)?;
        body.insert(self.key_of(new.kind).to_owned(), json!(new.referral.as_str()));
        body.extend(prepared.owner.map(|owner| (new.owner.column.clone(), json!(owner))));
        let mut parts = first;
        parts.extend(prepared.before);
        if new.kind == RecordKind::Lead {
            parts.push(Part::create("own", "Lead", Value::Object(body)));
            parts.extend(self.parts_by_key(has, new.kind, &new.referral));
            return Ok(parts);
        }
        body.insert("AccountId".to_owned(), json!(prepared.account));
        parts.push(Part::create("opportunity", "Opportunity", Value::Object(body)));
        if let Some(contact) = prepared.contact {
            let role = json!({
                "OpportunityId": "@{opportunity.id}", "ContactId": contact, "IsPrimary": true,
            });
            parts.push(Part::create("role", "OpportunityContactRole", role));
        }
        let rows = new.lists.get(SOLUTIONS).map(Vec::as_slice).unwrap_or_default();
        let solutions = self.new_solutions("@{opportunity.id}", rows, &prepared.details)?;
        let reads = self.parts_by_referral(has, &new.referral);
        let others = parts.len() + reads.len();
        parts.extend(self.with_catalogue(operation, solutions, others).await?);
        parts.extend(reads);
        Ok(parts)
    }
}

/// The query for those of the wanted owners who exist and are active.
fn owner_query(owner: &Owner) -> Result<Option<Part>, NotBegun> {
    let Some(first) = owner.wanted.first() else { return Ok(None) };
    let (table, column) = (&first.table, &first.column);
    let one_place = owner.wanted.iter().all(|wish| (&wish.table, &wish.column) == (table, column));
    if !one_place || !is_name(table) || !is_name(column) {
        return Err(NotBegun::refused("owner", "[owner] and from_team name one table and column"));
    }
    let texts = any_of(owner.wanted.iter().map(|wish| &wish.text));
    let active = if table == "User" { " AND IsActive = true" } else { "" };
    let soql = format!("SELECT Id, {column} FROM {table} WHERE {column} IN ({texts}){active}");
    Ok(Some(Part::query("owner", &soql)))
}

/// The first of the wanted owners who exists; and, if none does, a text for sellers.
fn owner_of(owner: &Owner, rows: &[Value]) -> (Option<String>, Option<String>) {
    let found = owner.wanted.iter().find_map(|wish| {
        let shows = |row: &&Value| {
            let text = row[wish.column.as_str()].as_str();
            text.is_some_and(|text| text.to_lowercase() == wish.text.to_lowercase())
        };
        rows.iter().find(shows)?["Id"].as_str().map(str::to_owned)
    });
    let nobody = (found.is_none() && !owner.wanted.is_empty()).then(|| {
        let named: Vec<&str> = owner.wanted.iter().map(|wish| wish.text.as_str()).collect();
        format!("nobody here is `{}`: the connector's own user owns the record", named.join("`, `"))
    });
    (found, nobody)
}

fn operation(new: &NewRecord) -> String {
    format!("create {} (referral `{}`)", new.kind.as_str(), new.referral)
}
