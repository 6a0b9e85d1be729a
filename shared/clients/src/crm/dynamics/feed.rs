//! Change tracking (dataverse.md §8), and the poll by `modifiedon` beside it. Positions are kept as path and query on
//! the configured origin: no token follows a link anywhere else.

use super::{
    Dynamics,
    columns::{SOLUTION, SOLUTION_OPPORTUNITY},
    errors::{Meaning, Said},
    odata::{escaped, id_of, set_of, value_of},
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
        let Some(Value::Object(mut body)) = answer.json().filter(|_| answer.status == 200) else {
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
        let Some(Value::Array(values)) = body.remove("value") else {
            return Err(self.wire.retryable(&operation, "unreadable answer: no `value`"));
        };
        let link = |name: &str| match body.get(name).and_then(Value::as_str) {
            None => Ok(None),
            Some(link) => on_our_origin(link)
                .map(Some)
                .ok_or_else(|| self.wire.unusable(&operation, format!("`{name}` leads elsewhere: `{link}`"))),
        };
        let (next, resume) = (link("@odata.nextLink")?, link("@odata.deltaLink")?);
        let rows = self.changed(&operation, feed, &values).await?;
        Ok(Changes::Page { rows, next, resume })
    }

    /// A next page must be asked for with the preferences of its first one; the path tells which those were.
    fn preferences(&self, path: &str) -> String {
        let size = format!("odata.maxpagesize={}", self.page);
        let tells =
            |option: &str| path.contains(&format!("${option}=")) || path.contains(&format!("%24{option}="));
        if tells("deltatoken") || tells("filter") { size } else { format!("odata.track-changes,{size}") }
    }

    async fn changed(&self, operation: &str, feed: Feed, values: &[Value]) -> Result<Vec<Changed>, Failure> {
        let mut wanted = BTreeSet::new();
        if feed == Feed::Opportunities {
            for row in values.iter().filter_map(Value::as_object) {
                wanted.extend(self.columns.lookups(row, &[]));
            }
        }
        let texts = self.lookups.texts(&self.wire, wanted).await?;
        let mut changed = vec![];
        for value in values {
            let unreadable = || self.wire.retryable(operation, "unreadable answer: a row without its id");
            let row = value.as_object().ok_or_else(unreadable)?;
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            let deleted = text("@odata.context").is_some_and(|c| c.ends_with("/$deletedEntity"));
            if deleted || row.contains_key("reason") && text("id").is_some() {
                changed.push(Changed::Gone(text("id").ok_or_else(unreadable)?.to_lowercase()));
                continue;
            }
            changed.push(match feed {
                Feed::Opportunities => Changed::Record(self.seen(row, &texts, false).ok_or_else(unreadable)?),
                Feed::Solutions => match text(&value_of(SOLUTION_OPPORTUNITY)) {
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

/// Path and query of a link, if it lies below our service root.
fn on_our_origin(link: &str) -> Option<String> {
    let rest = match link.split_once("://") {
        _ if link.starts_with('/') => link,
        Some(("http" | "https", rest)) => &rest[rest.find('/')?..],
        _ => return None,
    };
    let path = rest.split(['?', '#']).next()?;
    let below = path.strip_prefix(ROOT)?.strip_prefix('/')?;
    let plain = !below.is_empty() && !below.contains(['/', '%', '\\']) && !below.contains("..");
    plain.then(|| rest.split('#').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_kept_as_path_and_query_below_the_service_root() {
        let query = "/api/data/v9.2/opportunities?$select=name&$deltatoken=919042%2108%2f22%2f2017";
        for origin in
            ["https://contoso-sales.crm.dynamics.com", "http://127.0.0.1:4711", "https://evil.example", ""]
        {
            assert_eq!(on_our_origin(&format!("{origin}{query}")).as_deref(), Some(query));
        }
        assert_eq!(on_our_origin(&format!("https://x{query}#part")).as_deref(), Some(query));
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_refused() {
        for link in [
            "https://contoso-sales.crm.dynamics.com",
            "https://contoso-sales.crm.dynamics.com/api/data/v9.1/opportunities?x",
            "https://contoso-sales.crm.dynamics.com/api/data/v9.2/../../secret?x",
            "https://contoso-sales.crm.dynamics.com/api/data/v9.2/%2e%2e/secret",
            "ftp://contoso/api/data/v9.2/opportunities",
            "//evil.example/api/data/v9.2/opportunities",
            "",
        ] {
            assert_eq!(on_our_origin(link), None, "{link}");
        }
    }
}
