//! What changed (salesforce.md §7): rows by `SystemModstamp`, deleted ones included, in order and resumed by key. A
//! stamp is taken before the commit, so each round begins some minutes before the newest one seen; what was seen
//! already is skipped by its version.

use super::{
    Salesforce,
    rows::{SOLUTION, SOLUTION_OPPORTUNITY, instant},
    soql::{any_of, instant as literal, is_id, quoted},
    wire::{PAGE, Part, QueryFailed},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{RecordId, RecordKind, names};
use serde_json::Value;
use sync::{
    failure::Failure,
    ports::{Changed, Changes, Feed, Position},
};

/// The longest a transaction may run before it commits.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// Rows of one answer that are asked for by those they point to.
const MANY: usize = 100;

/// Where a round is: `from` there it began, `after` this row it goes on.
struct Place {
    from: Timestamp,
    after: Option<(Timestamp, String)>,
}

impl Place {
    fn read(position: &Position) -> Option<Self> {
        match position {
            Position::Start => Some(Place { from: Timestamp::UNIX_EPOCH, after: None }),
            Position::Since(at) => Some(Place { from: *at, after: None }),
            Position::At(text) => {
                let mut parts = text.split(' ');
                let from = parts.next()?.parse().ok()?;
                let after = match (parts.next(), parts.next()) {
                    (Some(at), Some(id)) => Some((at.parse().ok()?, id.to_owned())),
                    (None, None) => None,
                    _ => return None,
                };
                Some(Place { from, after })
            }
        }
    }

    /// The rows of this page.
    fn which(&self) -> String {
        match &self.after {
            None => format!("SystemModstamp >= {}", literal(self.from)),
            Some((at, id)) => {
                let (at, id) = (literal(*at), quoted(id));
                format!("(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {id}))")
            }
        }
    }
}

impl Salesforce {
    pub(super) async fn feed(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        let operation = format!("read changed {}", feed.as_str());
        let Some(place) =
            Place::read(position).filter(|place| place.after.as_ref().is_none_or(|(_, id)| is_id(id)))
        else {
            return Ok(Changes::Expired);
        };
        let (object, select) = match feed {
            Feed::Opportunities => (
                "Opportunity",
                format!("{}, IsDeleted, {}", self.fields.own_select(), self.fields.role_select()),
            ),
            Feed::Solutions => {
                (SOLUTION, format!("Id, {SOLUTION_OPPORTUNITY}, LastModifiedDate, SystemModstamp, IsDeleted"))
            }
            Feed::Contacts => ("Contact", "Id, SystemModstamp, IsDeleted".to_owned()),
            Feed::Accounts => ("Account", "Id, SystemModstamp, IsDeleted".to_owned()),
            Feed::Leads | Feed::SalesTeam => {
                return Err(self.wire.unusable(&operation, "Salesforce has no such feed"));
            }
        };
        let which = place.which();
        let soql =
            format!("SELECT {select} FROM {object} WHERE {which} ORDER BY SystemModstamp, Id LIMIT {PAGE}");
        let (rows, date) = match self.wire.query_all(&operation, &soql).await {
            Ok(page) => page,
            Err(QueryFailed::Expired) => return Ok(Changes::Expired),
            Err(QueryFailed::Failed(failure)) => return Err(failure),
        };
        let last = rows.last().and_then(|row| {
            Some((instant(row["SystemModstamp"].as_str()?)?, row["Id"].as_str()?.to_owned()))
        });
        let full = rows.len() >= PAGE as usize;
        let next = last.as_ref().filter(|_| full).map(|(at, id)| format!("{} {at} {id}", place.from));
        let resume = match (&next, &last) {
            (Some(_), _) => None,
            // Nothing is later than what was seen, some minutes back for what was not committed yet.
            (None, Some((at, _))) => Some((*at - OVERLAP).max(place.from).to_string()),
            (None, None) => {
                Some(place.after.as_ref().map_or(place.from, |(at, _)| *at - OVERLAP).to_string())
            }
        };
        let rows = match feed {
            Feed::Opportunities => rows.iter().filter_map(|row| self.changed(row, date)).collect(),
            Feed::Solutions => {
                let of = |row: &Value| row[SOLUTION_OPPORTUNITY].as_str().map(opportunity);
                rows.iter().filter_map(of).map(Changed::Child).collect()
            }
            _ => self.followed(&operation, feed, &rows).await?,
        };
        Ok(Changes::Page { rows, next, resume })
    }

    fn changed(&self, row: &Value, date: Option<Timestamp>) -> Option<Changed> {
        if row["IsDeleted"] == true {
            return Some(Changed::Gone(row["Id"].as_str()?.to_owned()));
        }
        let mut seen = self.fields.seen(RecordKind::Opportunity, row, false, date)?;
        self.fields.add_role(&mut seen.record, row);
        Some(Changed::Record(seen))
    }

    /// The opportunities that a changed contact or account matters to.
    async fn followed(&self, operation: &str, feed: Feed, rows: &[Value]) -> Result<Vec<Changed>, Failure> {
        let ids: Vec<&str> = rows.iter().filter_map(|row| row["Id"].as_str()).collect();
        let mut changed = vec![];
        for ids in ids.chunks(MANY) {
            let among = any_of(ids);
            let soql = match (feed, self.map.column(names::SYNC)) {
                (Feed::Contacts, _) => {
                    format!("SELECT OpportunityId FROM OpportunityContactRole WHERE ContactId IN ({among})")
                }
                // The customer of a deal that has its referral is never changed by us, nor sent again.
                (_, Some(sync)) => format!(
                    "SELECT Id FROM Opportunity WHERE AccountId IN ({among}) AND {} = null AND {sync} = true",
                    self.key
                ),
                (_, None) => return Ok(vec![]),
            };
            let answer = self.wire.look(operation, &[Part::query("followed", &soql)]).await?;
            let found = answer.rows("followed").map_err(|said| self.wire.failed(operation, &said))?;
            let id = |row: &Value| row["OpportunityId"].as_str().or(row["Id"].as_str()).map(opportunity);
            changed.extend(found.iter().filter_map(id).map(Changed::Child));
        }
        Ok(changed)
    }
}

fn opportunity(id: &str) -> RecordId {
    RecordId { kind: RecordKind::Opportunity, id: id.to_owned() }
}
