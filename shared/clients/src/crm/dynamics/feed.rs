//! Reads changes: by change tracking (vendors/dataverse.md, *Change tracking*), or by `modifiedon` from an instant on.
//! Positions are kept as path and query below the configured origin, so that a link cannot lead a token anywhere else.

use super::{
    Dynamics, RECORD1,
    columns::{CONNECTION_ID, SOLUTION, SOLUTION_OPPORTUNITY},
    errors::{DataverseError, DataverseMeaning},
    lead,
    odata::{self, any_of, escaped, guid, id_of, set_of, value_of},
    page::{Line, Page, Unreadable},
    wire::ROOT,
};
use crate::{crm::whole_second, http::was_too_large};
use mapping::{RecordId, RecordKind, names};
use serde_json::Value;
use std::collections::BTreeSet;
use sync::{
    failure::Failure,
    in_log::in_log,
    ports::{Changed, Changes, Feed, Position},
};

/// A table whose rows concern opportunities.
struct Followed {
    /// The column whose id is looked for in opportunities.
    id: &'static str,
    /// The properties of an opportunity that may hold this id.
    shown_in: &'static [&'static str],
    /// A change concerns only opportunities that have no referral yet.
    before_the_referral: bool,
}

const CONTACT: Followed = Followed {
    id: "contactid",
    shown_in: &["_parentcontactid_value", "_customerid_value"],
    before_the_referral: false,
};
const ACCOUNT: Followed = Followed {
    id: "accountid",
    shown_in: &["_parentaccountid_value", "_customerid_value"],
    before_the_referral: true,
};
/// A connection joins two records; the first is the opportunity.
const CONNECTION: Followed =
    Followed { id: RECORD1, shown_in: &["opportunityid"], before_the_referral: false };

/// Whether a path asks for changes since a position or an instant, and not for a page of a walk over the whole table.
fn is_live(path: &str) -> bool {
    let tells =
        |option: &str| path.contains(&format!("${option}=")) || path.contains(&format!("%24{option}="));
    tells("deltatoken") || tells("filter")
}

impl Dynamics {
    pub(super) async fn feed(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        let operation = format!("read changes of {}", feed.as_str());
        let (table, select) = match feed {
            Feed::Leads => ("lead", self.lead_columns.own_select()),
            Feed::Opportunities => ("opportunity", self.columns.own_select()),
            Feed::Solutions => {
                (SOLUTION, format!("{},{},versionnumber", id_of(SOLUTION), value_of(SOLUTION_OPPORTUNITY)))
            }
            Feed::Contacts => ("contact", "contactid".to_owned()),
            Feed::Accounts => ("account", "accountid".to_owned()),
            Feed::SalesTeam => ("connection", format!("{CONNECTION_ID},{RECORD1}")),
            // In Dataverse the contact is a column of the opportunity.
            Feed::ContactRoles => return Ok(Changes::Page { rows: vec![], next: None, resume: None }),
        };
        let path = self.path(&operation, table, &select, position)?;
        let answer = match self.wire.get(&operation, &path, &self.preferences(&path)).await {
            Err(failure) if was_too_large(&failure) && self.page.halve() => {
                // The page size cannot change between the pages of one round, so a round that has begun starts again.
                return match position {
                    Position::At(path) if !path.contains("deltatoken") => Ok(Changes::Expired),
                    _ => Box::pin(self.feed(feed, position)).await,
                };
            }
            answer => answer?,
        };
        let Some(Value::Object(body)) = answer.json().filter(|_| answer.status == 200) else {
            return self.unread(feed, position, &operation, &DataverseError::of(&answer));
        };
        let page = Page::read(body).map_err(|e| match e {
            Unreadable::Elsewhere { .. } => self.wire.unusable(&operation, e.to_string()),
            Unreadable::NoValue | Unreadable::NoId | Unreadable::NoLink(_) => {
                self.wire.retryable(&operation, format!("unreadable answer: {e}"))
            }
        })?;
        let rows = match feed {
            // A walk over all customers is not a change of any of them; only later changes are.
            Feed::Contacts | Feed::Accounts | Feed::SalesTeam if !is_live(&path) => vec![],
            Feed::Contacts => self.of_party(&operation, &CONTACT, page.lines).await?,
            Feed::Accounts => self.of_party(&operation, &ACCOUNT, page.lines).await?,
            Feed::SalesTeam => {
                // A deleted connection is reported by its id; an alias leads from that to the opportunity.
                let gone = page.lines.iter().filter_map(|line| match line {
                    Line::Gone(id) => Some(Changed::Gone(id.clone())),
                    Line::Row(_) => None,
                });
                let gone: Vec<_> = gone.collect();
                let mut rows = self.of_party(&operation, &CONNECTION, page.lines).await?;
                rows.extend(gone);
                rows
            }
            _ => self.changed(&operation, feed, page.lines).await?,
        };
        Ok(Changes::Page { rows, next: page.next, resume: page.resume })
    }

    /// Path and query of a request for a page.
    fn path(
        &self,
        operation: &str,
        table: &str,
        select: &str,
        position: &Position,
    ) -> Result<String, Failure> {
        let set = set_of(table);
        Ok(match position {
            Position::Start => format!("{ROOT}/{set}?$select={select}"),
            Position::At(path) => {
                let known = path
                    .strip_prefix(ROOT)
                    .and_then(|p| p.strip_prefix('/'))
                    .and_then(|p| p.strip_prefix(set.as_str()));
                if !known.is_some_and(|rest| rest.starts_with('?')) {
                    let words = format!("`{path}` is no position of this feed");
                    return Err(self.wire.unusable(operation, words));
                }
                path.clone()
            }
            Position::Since(at) => {
                let filter = escaped(&format!("modifiedon ge {}", whole_second(*at)));
                let order = escaped(&format!("modifiedon asc,{} asc", id_of(table)));
                format!("{ROOT}/{set}?$select={select}&$filter={filter}&$orderby={order}")
            }
        })
    }

    /// What an answer that is not a page means.
    fn unread(
        &self,
        feed: Feed,
        position: &Position,
        operation: &str,
        said: &DataverseError,
    ) -> Result<Changes, Failure> {
        let of_party = matches!(feed, Feed::Contacts | Feed::Accounts | Feed::SalesTeam);
        match (said.meaning(), position) {
            (DataverseMeaning::Expired, _) => Ok(Changes::Expired),
            // Change tracking is off, or the right is missing: the feed is then read by time, or what its rows would
            // change waits for the next read of the opportunity.
            (DataverseMeaning::Right | DataverseMeaning::Refused, Position::At(_)) if of_party => {
                Ok(Changes::Expired)
            }
            (DataverseMeaning::Right | DataverseMeaning::Refused, _) if of_party => {
                tracing::warn!(
                    part = feed.as_str(),
                    reason = in_log(&said.to_string()),
                    "is not followed by its changes"
                );
                Ok(Changes::Page { rows: vec![], next: None, resume: None })
            }
            // Dataverse does not know the position any more (with a code of its own or without one), or a column is
            // gone: a walk from the start finds out which.
            (DataverseMeaning::Gone | DataverseMeaning::Refused, Position::At(_)) => Ok(Changes::Expired),
            // A main table that cannot be followed at all concerns every record, so it holds the whole system.
            (DataverseMeaning::Right, _) => Err(self.wire.held(operation, said)),
            _ => Err(self.wire.failed(operation, said)),
        }
    }

    /// A next page must be requested with the same preferences as the first one; the path says which those were.
    fn preferences(&self, path: &str) -> String {
        let size = format!("odata.maxpagesize={}", self.page.rows());
        if is_live(path) { size } else { format!("odata.track-changes,{size}") }
    }

    /// The open opportunities with Sync = Yes to which the changed accounts, contacts or connections belong.
    async fn of_party(
        &self,
        operation: &str,
        party: &Followed,
        lines: Vec<Line>,
    ) -> Result<Vec<Changed>, Failure> {
        let id = |line: &Line| match line {
            Line::Row(row) => row.get(party.id).and_then(Value::as_str).and_then(guid),
            Line::Gone(_) => None,
        };
        let ids: Vec<String> = lines.iter().filter_map(id).collect();
        let sync = self.map.column(names::SYNC).filter(|column| odata::is_name(column));
        let mut changed = vec![];
        // As many ids as fit into the filter of one URL.
        for some in ids.chunks(50) {
            let points: Vec<String> =
                party.shown_in.iter().map(|property| any_of(property, some.iter().cloned())).collect();
            let mut terms = vec![format!("({})", points.join(" or ")), "statecode eq 0".to_owned()];
            terms.extend(sync.map(|column| format!("{column} eq true")));
            if party.before_the_referral {
                terms.push(format!("{} eq null", self.key));
            }
            let filter = escaped(&terms.join(" and "));
            let query = format!("opportunities?$select=opportunityid&$filter={filter}");
            for row in self.wire.rows(operation, &query).await? {
                let id = row.get("opportunityid").and_then(Value::as_str).and_then(guid);
                changed.extend(id.map(|id| Changed::Child(RecordId { kind: RecordKind::Opportunity, id })));
            }
        }
        Ok(changed)
    }

    async fn changed(&self, operation: &str, feed: Feed, lines: Vec<Line>) -> Result<Vec<Changed>, Failure> {
        let kind = match feed {
            Feed::Leads => Some(RecordKind::Lead),
            Feed::Opportunities => Some(RecordKind::Opportunity),
            Feed::Solutions | Feed::Contacts | Feed::Accounts | Feed::ContactRoles | Feed::SalesTeam => None,
        };
        let mut wanted = BTreeSet::new();
        if let Some(kind) = kind {
            for line in &lines {
                if let Line::Row(row) = line {
                    wanted.extend(self.columns_of(kind).lookups(row, &[]));
                }
            }
        }
        let texts = self.lookups.texts(&self.wire, wanted).await?;
        let unreadable = || self.wire.retryable(operation, "unreadable answer: a row without its id");
        let mut changed = vec![];
        for line in lines {
            let row = match line {
                Line::Gone(id) => {
                    changed.push(Changed::Gone(id));
                    continue;
                }
                Line::Row(row) => row,
            };
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            changed.push(match kind {
                Some(RecordKind::Lead) if lead::was_merged(&row) => {
                    Changed::Gone(text(&id_of("lead")).ok_or_else(unreadable)?.to_lowercase())
                }
                Some(kind) => Changed::Record(self.seen(kind, &row, &texts, false).ok_or_else(unreadable)?),
                None => match text(&value_of(SOLUTION_OPPORTUNITY)) {
                    Some(id) => {
                        Changed::Child(RecordId { kind: RecordKind::Opportunity, id: id.to_lowercase() })
                    }
                    // A row that was removed from its opportunity counts as deleted.
                    None => Changed::Gone(text(&id_of(SOLUTION)).ok_or_else(unreadable)?.to_lowercase()),
                },
            });
        }
        Ok(changed)
    }
}
