//! Change tracking (dataverse.md §8), and the poll by `modifiedon` beside it. Positions are kept as path and query on
//! the configured origin: no token follows a link anywhere else.

use super::{
    Dynamics,
    columns::{SOLUTION, SOLUTION_OPPORTUNITY},
    errors::{Meaning, Said},
    odata::{escaped, id_of, set_of, value_of},
    page::{Line, Page, Unreadable},
    wire::ROOT,
};
use crate::crm::whole_second;
use mapping::{RecordId, RecordKind};
use serde_json::Value;
use std::collections::BTreeSet;
use sync::{
    failure::Failure,
    ports::{Changed, Changes, Feed, Position},
};

impl Dynamics {
    pub(super) async fn feed(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        let operation = format!("read changes of {}", feed.as_str());
        let (table, select) = match feed {
            Feed::Leads => ("lead", self.lead_columns.own_select()),
            Feed::Opportunities => ("opportunity", self.columns.own_select()),
            Feed::Solutions => {
                (SOLUTION, format!("{},{},versionnumber", id_of(SOLUTION), value_of(SOLUTION_OPPORTUNITY)))
            }
        };
        let set = set_of(table);
        let path = match position {
            Position::Start => format!("{ROOT}/{set}?$select={select}"),
            Position::At(path) => {
                let known = path
                    .strip_prefix(ROOT)
                    .and_then(|p| p.strip_prefix('/'))
                    .and_then(|p| p.strip_prefix(set.as_str()));
                if !known.is_some_and(|rest| rest.starts_with('?')) {
                    return Err(self
                        .wire
                        .unusable(&operation, format!("`{path}` is no position of this feed")));
                }
                path.clone()
            }
            Position::Since(at) => {
                let filter = escaped(&format!("modifiedon ge {}", whole_second(*at)));
                let order = escaped(&format!("modifiedon asc,{} asc", id_of(table)));
                format!("{ROOT}/{set}?$select={select}&$filter={filter}&$orderby={order}")
            }
        };
        let answer = self.wire.get(&operation, &path, &self.preferences(&path)).await?;
        let Some(Value::Object(body)) = answer.json().filter(|_| answer.status == 200) else {
            let said = Said::of(&answer);
            return match (said.meaning(), position) {
                (Meaning::Expired, _) => Ok(Changes::Expired),
                // A page of a walk that the vendor no longer knows, or a column that is gone: a walk from the
                // start tells them apart.
                (_, Position::At(_)) if said.code == "0x80060888" => Ok(Changes::Expired),
                // A table that cannot be followed at all is everybody's.
                (Meaning::Right, _) => Err(self.wire.held(&operation, &said)),
                _ => Err(self.wire.failed(&operation, &said)),
            };
        };
        let page = Page::read(body).map_err(|e| match e {
            Unreadable::Elsewhere { .. } => self.wire.unusable(&operation, e.to_string()),
            Unreadable::NoValue | Unreadable::NoId => {
                self.wire.retryable(&operation, format!("unreadable answer: {e}"))
            }
        })?;
        let rows = self.changed(&operation, feed, page.lines).await?;
        Ok(Changes::Page { rows, next: page.next, resume: page.resume })
    }

    /// A next page must be asked for with the preferences of its first one; the path tells which those were.
    fn preferences(&self, path: &str) -> String {
        let size = format!("odata.maxpagesize={}", self.page);
        let tells =
            |option: &str| path.contains(&format!("${option}=")) || path.contains(&format!("%24{option}="));
        if tells("deltatoken") || tells("filter") { size } else { format!("odata.track-changes,{size}") }
    }

    async fn changed(&self, operation: &str, feed: Feed, lines: Vec<Line>) -> Result<Vec<Changed>, Failure> {
        let kind = match feed {
            Feed::Leads => Some(RecordKind::Lead),
            Feed::Opportunities => Some(RecordKind::Opportunity),
            Feed::Solutions => None,
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
                Some(kind) => Changed::Record(self.seen(kind, &row, &texts, false).ok_or_else(unreadable)?),
                None => match text(&value_of(SOLUTION_OPPORTUNITY)) {
                    Some(id) => {
                        Changed::Child(RecordId { kind: RecordKind::Opportunity, id: id.to_lowercase() })
                    }
                    // Taken off its opportunity: as good as deleted there.
                    None => Changed::Gone(text(&id_of(SOLUTION)).ok_or_else(unreadable)?.to_lowercase()),
                },
            });
        }
        Ok(changed)
    }
}
