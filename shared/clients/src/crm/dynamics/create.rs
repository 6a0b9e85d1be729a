//! Creates an opportunity and the rows that it lacks: one batch of reads, then one change set, carried out as a whole
//! or not at all and create-only, with the reads of the result in the same batch.

use super::{
    Dynamics,
    batch::{Item, Outcome, Reply, Request},
    errors::{DataverseError, DataverseMeaning},
    odata::{guid, is_name, set_of},
    owner,
    party::{Choice, PartyTable},
    wire::{self, FailedBatch},
};
use crate::crm::not_begun::NotBegun;
use futures_util::future::try_join_all;
use mapping::{NewRecord, Party, RecordKind, child_id, names::SOLUTIONS};
use serde_json::{Map as Object, Value, json};
use sync::{
    failure::Written,
    ports::{Ready, Seen},
};

/// How many merges are followed, from a row that was merged to the one that is left.
const MERGES: usize = 5;

/// The row of an account or contact, and the request that creates it or writes our key into it.
pub(super) struct Settled {
    pub(super) id: String,
    request: Option<Request>,
    pub(super) key: String,
    /// Why this row was chosen, as text for the audit.
    told: Option<String>,
}

/// The account and the contact of a new record.
pub(super) struct Customer {
    pub(super) account: String,
    pub(super) contact: Option<String>,
    /// The requests that create them or write our key into them.
    pub(super) requests: Vec<Request>,
    /// What is known to be there once those requests were carried out, by entity set.
    pub(super) settled: Vec<(&'static str, Settled)>,
    /// The rows that the caller's further reads found.
    further: Vec<Vec<Value>>,
}

/// What was looked up for a new record.
#[derive(Default)]
pub struct PreparedChangeSet {
    /// The binds of its lookups.
    binds: Object<String, Value>,
    /// The requests before the record's own: of the customer and of the catalogue.
    before: Vec<Request>,
    /// The requests after the record's own: rows of its lists.
    after: Vec<Request>,
    /// The accounts and contacts that are remembered once the change set was carried out.
    parties: Vec<(&'static str, Settled)>,
}

impl Dynamics {
    pub(super) async fn create_record(&self, new: &NewRecord, prepared: PreparedChangeSet) -> Written<Seen> {
        let (kind, operation, id) = (new.kind, operation(new), record_id(new));
        let mut body = match self.body(&new.columns).await {
            Ok(body) => body,
            Err(not_begun) => return not_begun.written(),
        };
        body.extend(prepared.binds);
        body.insert(self.key_of(kind).to_owned(), json!(new.referral.as_str()));
        let path = format!("{}({id})", set_of(kind.as_str()));
        let record = Request::write("PATCH", path, Value::Object(body)).with("If-None-Match", "*");
        let requests = prepared.before.into_iter().chain([record]).chain(prepared.after).collect();
        // Read by key, so that another record that holds the referral's id is found too.
        let own = self.record_by_key_request(kind, &new.referral);
        let mut items = vec![Item::ChangeSet(requests), Item::One(own)];
        if kind == RecordKind::Opportunity {
            items.extend(self.lists_requests(&id).into_iter().map(Item::One));
        }
        let outcomes = match self.wire.batch_write(&operation, &items).await {
            Ok(outcomes) => outcomes,
            Err(FailedBatch::Answered(said)) => return self.wire.ended(&operation, &said, []),
            Err(FailedBatch::Unanswered(unanswered)) => return wire::DataverseWire::unanswered(unanswered),
        };
        let mut outcomes = outcomes.into_iter();
        let Some(set) = outcomes.next() else { return Written::Unknown(self.unreadable(&operation)) };
        let mut reads = outcomes.filter_map(|o| if let Outcome::One(reply) = o { Some(reply) } else { None });
        let (record, lists) = (reads.next(), reads.collect::<Vec<_>>());
        if let Some(reply) = set.refusal() {
            return self.not_created(&operation, new, &DataverseError::of_reply(reply), record.as_ref());
        }
        for (set, party) in prepared.parties {
            self.known.put(set, &party.key, &party.id);
        }
        self.remember_details(new.lists.get(SOLUTIONS).map(Vec::as_slice).unwrap_or_default());
        let shown = match record {
            Some(record) if kind == RecordKind::Lead => self.shown_lead(&operation, &record).await,
            Some(record) => self.shown(&operation, &record, &lists).await,
            None => Ok(None),
        };
        self.happened(&operation, shown)
    }

    /// A change set that failed has written nothing. Dataverse does not say which request failed, so the read after it
    /// decides: `Exists` if a record holds the referral's id.
    fn not_created(
        &self,
        operation: &str,
        new: &NewRecord,
        said: &DataverseError,
        record: Option<&Reply>,
    ) -> Written<Seen> {
        match said.meaning() {
            DataverseMeaning::Taken | DataverseMeaning::Lost | DataverseMeaning::Gone => {
                if record.is_some_and(|r| r.status == 200) {
                    return Written::Exists;
                }
                self.forget();
                Written::Lost
            }
            _ => {
                let list = new.lists.values().flatten().flat_map(|row| row.keys());
                let party = |p: &'_ Party| p.columns.keys().cloned().collect::<Vec<_>>();
                let mut sent: Vec<String> = new.columns.keys().chain(list).cloned().collect();
                sent.extend(party(&new.account));
                sent.extend(new.contact.iter().flat_map(party));
                self.wire.ended(operation, said, sent.iter().map(String::as_str))
            }
        }
    }

    pub(super) async fn prepared(&self, new: &NewRecord) -> Result<Ready<PreparedChangeSet>, NotBegun> {
        let operation = operation(new);
        let rows = new.lists.get(SOLUTIONS).map(Vec::as_slice).unwrap_or_default();
        let missing = self.unknown_details(rows)?;
        let mut further = owner::requests(&new.owner)?;
        let owners = further.len();
        further.extend(self.details_request(&missing));
        let customer = self.customer(&operation, new, further).await?;
        let (owners, details) = customer.further.split_at(owners);
        let mut binds = Object::new();
        let mut told: Vec<String> = owner::bind(&new.owner, owners, &mut binds).into_iter().collect();
        told.extend(customer.settled.iter().filter_map(|(_, party)| party.told.clone()));
        let account = format!("/accounts({})", customer.account);
        binds.insert("parentaccountid@odata.bind".into(), json!(account));
        binds.insert("customerid_account@odata.bind".into(), json!(account));
        if let Some(contact) = &customer.contact {
            binds.insert("parentcontactid@odata.bind".into(), json!(format!("/contacts({contact})")));
        }
        let details = details.first().map(Vec::as_slice).unwrap_or_default();
        let (details, after) = self.solution_requests(&record_id(new), rows, details, &[]).await?;
        let before = customer.requests.into_iter().chain(details).collect();
        Ok(Ready { prepared: PreparedChangeSet { binds, before, after, parties: customer.settled }, told })
    }

    pub(super) async fn prepared_lead(&self, new: &NewRecord) -> Result<Ready<PreparedChangeSet>, NotBegun> {
        let (operation, owners) = (operation(new), owner::requests(&new.owner)?);
        let owners =
            if owners.is_empty() { vec![] } else { self.wire.batch_read(&operation, owners).await? };
        let mut binds = Object::new();
        let told = owner::bind(&new.owner, &self.lists(&operation, &owners).await?, &mut binds);
        let prepared = PreparedChangeSet { binds, ..PreparedChangeSet::default() };
        Ok(Ready { prepared, told: told.into_iter().collect() })
    }

    /// Reads account, contact and `further` in one batch, and prepares the requests that create what is missing.
    pub(super) async fn customer(
        &self,
        operation: &str,
        new: &NewRecord,
        further: Vec<Request>,
    ) -> Result<Customer, NotBegun> {
        let account_rule = self.map.account();
        let account = PartyTable {
            set: "accounts",
            id: "accountid",
            key: &account_rule.key,
            match_on: &account_rule.match_on,
            country: self.map.country_column().filter(|name| is_name(name)),
            alike: account_rule.alike,
            create: account_rule.create,
        };
        let contact_rule = self.map.contact();
        let contact = PartyTable {
            set: "contacts",
            id: "contactid",
            key: &contact_rule.key,
            match_on: &contact_rule.match_on,
            country: None,
            alike: false,
            create: contact_rule.create,
        };
        // A map may name no key column for contacts; one for accounts is required.
        let contact = new.contact.as_ref().filter(|_| is_name(contact.key)).map(|party| (contact, party));
        if !is_name(account.key) {
            return Err(NotBegun::refused("account.key", "the map names no key column for accounts"));
        }

        let mut looks = self.looks(&account, &new.account);
        let accounts = looks.len();
        if let Some((place, party)) = &contact {
            looks.extend(self.looks(place, party));
        }
        let parties = looks.len();
        looks.extend(further);
        let replies = if looks.is_empty() { vec![] } else { self.wire.batch_read(operation, looks).await? };
        let mut lists = self.lists(operation, &replies).await?;

        let account_row = self.settled(&account, &new.account, &lists[..accounts], None).await?;
        let account_row = account_row.ok_or_else(|| {
            NotBegun::refused(
                "account.name",
                format!("no account matches, and none may be created (`{}`)", account.key),
            )
        })?;
        let mut customer = Customer {
            account: account_row.id.clone(),
            contact: None,
            requests: account_row.request.clone().into_iter().collect(),
            settled: vec![],
            further: vec![],
        };
        if let Some((place, party)) = &contact {
            let bind = format!("/accounts({})", account_row.id);
            if let Some(row) = self.settled(place, party, &lists[accounts..parties], Some(&bind)).await? {
                customer.contact = Some(row.id.clone());
                customer.requests.extend(row.request.clone());
                customer.settled.push((place.set, row));
            }
        }
        customer.settled.push((account.set, account_row));
        customer.further = lists.split_off(parties);
        Ok(customer)
    }

    /// The queries that find an account or contact; none if its row is known.
    fn looks(&self, place: &PartyTable<'_>, party: &Party) -> Vec<Request> {
        if self.known.get(place.set, &party.key).is_some() {
            return vec![];
        }
        let by_key = place.by_key(party, &new_id(place, party));
        std::iter::once(by_key).chain(place.by_match(party)).chain(place.by_likeness(party)).collect()
    }

    pub(super) async fn lists(
        &self,
        operation: &str,
        replies: &[Reply],
    ) -> Result<Vec<Vec<Value>>, NotBegun> {
        Ok(try_join_all(replies.iter().map(|reply| self.wire.list(operation, reply))).await?)
    }

    /// The row of an account or contact; `None`: there is none, and the map does not let one be created.
    async fn settled(
        &self,
        place: &PartyTable<'_>,
        party: &Party,
        found: &[Vec<Value>],
        account: Option<&str>,
    ) -> Result<Option<Settled>, NotBegun> {
        let key = party.key.clone();
        if let Some(id) = self.known.get(place.set, &party.key).filter(|_| found.is_empty()) {
            return Ok(Some(Settled { id, request: None, key, told: None }));
        }
        let none = vec![];
        let rows = |n: usize| found.get(n).unwrap_or(&none);
        let by_key = rows(0);
        let same: Vec<Value> =
            rows(1).iter().filter(|row| !place.is_elsewhere(party, row)).cloned().collect();
        let exact = !same.is_empty();
        let matches = if exact { same } else { place.alike(party, rows(2)) };
        let path = |id: &str| format!("{}({id})", place.set);
        let told = |id: &str| place.told(party, &matches, exact, id);
        let new = new_id(place, party);
        let mut choice = place.choose(party, &new, by_key, &matches);
        if let Choice::Follow { id } = choice {
            choice = match self.master(place, &id).await? {
                Some(id) => Choice::Use { id },
                // The merge leads to no active row: the rows are matched again, as if this one were only deactivated.
                None => place.choose(party, &new, &without_masters(by_key), &matches),
            };
        }
        Ok(match choice {
            Choice::Missing | Choice::Follow { .. } => None,
            Choice::Use { id } => Some(Settled { told: told(&id), id, request: None, key }),
            Choice::Mark { id, etag } => {
                let body = json!({ place.key: party.key });
                let request = Request::write("PATCH", path(&id), body).with("If-Match", etag);
                Some(Settled { told: told(&id), id, request: Some(request), key })
            }
            Choice::Create { id, keyed } => {
                let mut body = self.body(&party.columns).await?;
                if keyed {
                    body.insert(place.key.to_owned(), json!(party.key));
                }
                if let Some(account) = account {
                    body.insert("parentcustomerid_account@odata.bind".into(), json!(account));
                }
                let request =
                    Request::write("PATCH", path(&id), Value::Object(body)).with("If-None-Match", "*");
                Some(Settled { id, request: Some(request), key, told: None })
            }
        })
    }
}

impl Dynamics {
    /// The active row that is left after a merge, which may itself have been merged; `None`: it is gone or
    /// deactivated, or more than [`MERGES`] merges lead to it.
    async fn master(&self, place: &PartyTable<'_>, id: &str) -> Result<Option<String>, NotBegun> {
        let operation = format!("follow a merge of {}", place.set);
        let mut id = id.to_owned();
        for _ in 0..MERGES {
            let Some(wanted) = guid(&id) else { return Ok(None) };
            let replies = self.wire.batch_read(&operation, vec![place.by_id(&wanted)]).await?;
            let rows = self.lists(&operation, &replies).await?;
            let Some(row) = rows.first().and_then(|rows| rows.first()) else { return Ok(None) };
            if row["statecode"] == 0 {
                return Ok(Some(id));
            }
            match row["_masterid_value"].as_str().filter(|_| row["merged"] == true) {
                Some(master) => id = master.to_owned(),
                None => return Ok(None),
            }
        }
        Ok(None)
    }
}

/// The rows without their masters: as if they had been deactivated and not merged.
fn without_masters(rows: &[Value]) -> Vec<Value> {
    let mut rows = rows.to_vec();
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        row.remove("_masterid_value");
    }
    rows
}

fn operation(new: &NewRecord) -> String {
    format!("create {} (referral `{}`)", new.kind.as_str(), new.referral)
}

/// The id of a record that this connector creates: every run derives the same one from the referral's id.
fn record_id(new: &NewRecord) -> String {
    child_id(&[new.kind.as_str(), new.referral.as_str()])
}

/// The id of an account or contact that this connector creates: every run derives the same one from its key.
fn new_id(place: &PartyTable<'_>, party: &Party) -> String {
    child_id(&[place.set, &party.key])
}
