//! Reads changes (vendors/salesforce.md, *Changes*): rows in the order of `SystemModstamp`, deleted ones included,
//! resumed by key. Two rounds overlap, and rows that the overlap lists again are skipped: a record by its version, a
//! child row because its position remembers it.

use super::{
    Salesforce,
    composite::Part,
    place::{FeedPosition, OVERLAP, THRIFT},
    records::Records,
    rows::{SOLUTION, SOLUTION_OPPORTUNITY, instant},
    soql::{any_of, is_name},
    wire::{PAGE, QueryFailed},
};
use crate::http::was_too_large;
use jiff::Timestamp;
use mapping::{RecordId, RecordKind, names};
use serde_json::Value;
use sync::{
    failure::Failure,
    ports::{Changed, Changes, Feed, Position},
};

/// The most ids in one query for the records to which changed rows belong.
const MANY: usize = 100;
/// The fewest fields that identify a row and its position.
const BARE: &str = "Id, SystemModstamp, IsDeleted";
const CONTACT_ROLE: &str = "OpportunityContactRole";
const TEAM_MEMBER: &str = "OpportunityTeamMember";

impl Salesforce {
    pub(super) async fn feed(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        let operation = format!("read changed {}", feed.as_str());
        let Some(mut place) = FeedPosition::read(position) else { return Ok(Changes::Expired) };
        if place.after.is_none() && self.is_too_soon(feed, position) {
            return Ok(Changes::Page { rows: vec![], next: None, resume: Some(place.to_string()) });
        }
        let of_party = matches!(feed, Feed::Contacts | Feed::Accounts | Feed::ContactRoles | Feed::SalesTeam);
        if of_party && *position == Position::Start {
            // A walk over all customers is not a change of any of them; only later changes are.
            let resume = Some(FeedPosition::at(self.wire.now() - OVERLAP).to_string());
            return Ok(Changes::Page { rows: vec![], next: None, resume });
        }
        let child = "Id, OpportunityId, SystemModstamp, IsDeleted";
        let (object, select) = match feed {
            Feed::Opportunities => (
                "Opportunity",
                format!("{}, IsDeleted, {}", self.fields.own_select(), self.fields.role_select()),
            ),
            Feed::Solutions => {
                (SOLUTION, format!("Id, {SOLUTION_OPPORTUNITY}, LastModifiedDate, SystemModstamp, IsDeleted"))
            }
            Feed::ContactRoles => (CONTACT_ROLE, child.to_owned()),
            Feed::SalesTeam if self.features().await?.teams => (TEAM_MEMBER, child.to_owned()),
            // Teams may be switched on later, so the position is kept.
            Feed::SalesTeam => {
                let resume = Some(place.to_string());
                return Ok(Changes::Page { rows: vec![], next: None, resume });
            }
            Feed::Contacts => ("Contact", "Id, SystemModstamp, IsDeleted".to_owned()),
            Feed::Accounts => ("Account", "Id, SystemModstamp, IsDeleted".to_owned()),
            Feed::Leads => ("Lead", format!("{}, IsDeleted", self.lead_fields.own_select())),
        };
        let mut which = place.which();
        if matches!(feed, Feed::ContactRoles | Feed::SalesTeam) {
            which = format!("({which}) AND {}", self.in_step("Opportunity."));
        }
        let which = format!("FROM {object} WHERE {which} ORDER BY SystemModstamp, Id");
        let Some((records, date, limit)) = self.fitting_page(&operation, &select, &which).await? else {
            return Ok(Changes::Expired);
        };
        let (rows, unfinished) = records.so_far();
        let last = rows.last().and_then(|row| {
            Some((instant(row["SystemModstamp"].as_str()?)?, row["Id"].as_str()?.to_owned()))
        });
        // Either limit, ours or Salesforce's, may have ended the page. What follows the last row is asked for by its
        // key, which never expires.
        let more = unfinished || rows.len() >= limit as usize;
        if more && last.is_none() {
            return Err(self.wire.retryable(&operation, "a page without a last row to go on behind"));
        }
        let rows = match feed {
            Feed::Leads | Feed::Opportunities => rows,
            _ => place.tell(rows, date),
        };
        let next = last.clone().filter(|_| more).map(|(at, id)| place.after(at, id).to_string());
        // A row whose stamp is some minutes older than this answer was committed before it. If the answer has no time,
        // the last row that was read counts in its place.
        let seen = last.or(place.after.clone()).map(|(at, _)| at);
        let covered = date.or(seen).map_or(place.from, |at| at - OVERLAP).max(place.from);
        let resume = next.is_none().then(|| place.next_round(covered).to_string());
        let rows = self.told(&operation, feed, &rows, date).await?;
        Ok(Changes::Page { rows, next, resume })
    }

    /// The first rows, as many as fit into one answer: half as many each time the answer was too large. For a row that
    /// alone is too large only [`BARE`] is read, and its record is then read by its id. `None`: Salesforce does not
    /// know the page any more.
    async fn fitting_page(
        &self,
        operation: &str,
        select: &str,
        which: &str,
    ) -> Result<Option<(Records, Option<Timestamp>, u32)>, Failure> {
        let mut limit = PAGE;
        let mut select = select;
        loop {
            let soql = format!("SELECT {select} {which} LIMIT {limit}");
            match self.wire.query_all(operation, &soql).await {
                Ok((records, date)) => return Ok(Some((records, date, limit))),
                Err(QueryFailed::Expired) => return Ok(None),
                Err(QueryFailed::Failed(failure)) if was_too_large(&failure) && select != BARE => match limit
                {
                    1 => select = BARE,
                    _ => limit /= 2,
                },
                Err(QueryFailed::Failed(failure)) => return Err(failure),
            }
        }
    }

    /// The changes of records that the rows of a page stand for.
    async fn told(
        &self,
        operation: &str,
        feed: Feed,
        rows: &[Value],
        date: Option<Timestamp>,
    ) -> Result<Vec<Changed>, Failure> {
        Ok(match feed {
            Feed::Leads => rows.iter().filter_map(|row| self.changed_lead(row, date)).collect(),
            Feed::Opportunities => rows.iter().filter_map(|row| self.changed(row, date)).collect(),
            Feed::Solutions => {
                let of = |row: &Value| row[SOLUTION_OPPORTUNITY].as_str().map(opportunity);
                rows.iter().filter_map(of).map(Changed::Child).collect()
            }
            Feed::ContactRoles | Feed::SalesTeam => {
                let of = |row: &Value| row["OpportunityId"].as_str().map(opportunity);
                rows.iter().filter_map(of).map(Changed::Child).collect()
            }
            _ => self.followed(operation, feed, rows).await?,
        })
    }

    /// Whether to skip this round, because most of the day's calls are used: changes are read less often, so that
    /// calls are left to write them.
    fn is_too_soon(&self, feed: Feed, position: &Position) -> bool {
        if self.wire.used() < self.map.vendor().api_share || !matches!(position, Position::At(_)) {
            return false;
        }
        let now = self.wire.now();
        let soon = !self.known.asked_again(feed.as_str(), now, THRIFT);
        if soon {
            tracing::warn!(
                part = feed.as_str(),
                used = self.wire.used(),
                "few calls are left: not asked this time"
            );
        }
        soon
    }

    fn changed(&self, row: &Value, date: Option<Timestamp>) -> Option<Changed> {
        if row["IsDeleted"] == true {
            return Some(Changed::Gone(row["Id"].as_str()?.to_owned()));
        }
        if is_bare(row) {
            return Some(Changed::Child(opportunity(row["Id"].as_str()?)));
        }
        let mut seen = self.fields.seen(row, false, date)?;
        self.fields.add_role(&mut seen.record, row);
        Some(Changed::Record(seen))
    }

    fn changed_lead(&self, row: &Value, date: Option<Timestamp>) -> Option<Changed> {
        if row["IsDeleted"] == true {
            return Some(Changed::Gone(row["Id"].as_str()?.to_owned()));
        }
        if is_bare(row) {
            let id = row["Id"].as_str()?.to_owned();
            return Some(Changed::Child(RecordId { kind: RecordKind::Lead, id }));
        }
        self.lead_fields.seen(row, false, date).map(Changed::Record)
    }

    /// The condition for an open opportunity with Sync = Yes; `way` leads from the row to its opportunity.
    fn in_step(&self, way: &str) -> String {
        let sync = self.map.column(names::SYNC).filter(|column| is_name(column));
        let sync = sync.map(|column| format!(" AND {way}{column} = true"));
        format!("{way}IsClosed = false{}", sync.unwrap_or_default())
    }

    /// The opportunities that a changed contact or account concerns.
    async fn followed(&self, operation: &str, feed: Feed, rows: &[Value]) -> Result<Vec<Changed>, Failure> {
        let ids: Vec<&str> = rows.iter().filter_map(|row| row["Id"].as_str()).collect();
        let mut changed = vec![];
        for ids in ids.chunks(MANY) {
            let among = any_of(ids);
            let soql = match feed {
                Feed::Contacts => format!(
                    "SELECT OpportunityId FROM {CONTACT_ROLE} WHERE ContactId IN ({among}) AND {}",
                    self.in_step("Opportunity.")
                ),
                // Once an opportunity has its referral, its customer is neither changed by us nor sent again.
                _ => format!(
                    "SELECT Id FROM Opportunity WHERE AccountId IN ({among}) AND {} = null AND {}",
                    self.key,
                    self.in_step("")
                ),
            };
            let answer = self.wire.look(operation, &[Part::query("followed", &soql)]).await?;
            let found = answer.rows("followed").map_err(|said| self.wire.failed(operation, &said))?;
            let id = |row: &Value| row["OpportunityId"].as_str().or(row["Id"].as_str()).map(opportunity);
            changed.extend(found.iter().filter_map(id).map(Changed::Child));
        }
        Ok(changed)
    }
}

/// Whether only [`BARE`] was read of a row, because it is too large with all its fields.
fn is_bare(row: &Value) -> bool {
    row.as_object()
        .is_some_and(|row| row.keys().all(|name| name == "attributes" || BARE.contains(name.as_str())))
}

fn opportunity(id: &str) -> RecordId {
    RecordId { kind: RecordKind::Opportunity, id: id.to_owned() }
}
