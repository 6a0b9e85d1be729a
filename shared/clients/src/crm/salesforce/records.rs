//! The rows of a query's answer. Whether it is the last page is said by `done` and not by the number of rows, because
//! `batchSize` is a hint and child rows count towards it (vendors/salesforce.md, *Queries*). An answer that is not the
//! last page and names no next page cannot be used.

use super::{
    composite::Composite,
    errors::{SalesforceError, SalesforceMeaning},
    wire::SalesforceWire,
};
use serde_json::{Value, json};
use sync::failure::Failure;

/// The most pages of an answer. No real one has more: one that never ends is the vendor's fault and must not block a
/// run.
const MOST_PAGES: usize = 1000;

/// The rows of one or more pages, and where the next page is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Records {
    rows: Vec<Value>,
    /// The next page, below the root; `None`: there is none.
    next: Option<String>,
}

impl Records {
    /// Reads the body of a 200. `None`: it is not the answer to a query, or more rows follow and it does not say
    /// where.
    pub(super) fn read(body: &Value) -> Option<Self> {
        let rows = body["records"].as_array()?.clone();
        let next = match body["done"].as_bool()? {
            true => None,
            false => Some(locator(body["nextRecordsUrl"].as_str()?)?.to_owned()),
        };
        Some(Records { rows, next })
    }

    /// Reads the answer to a query in a composite.
    pub(super) fn of_part(part: &Value) -> Option<Self> {
        Records::read(&part["body"]).filter(|_| part["httpStatusCode"].as_u64() == Some(200))
    }

    /// These rows and those of the next page.
    fn and(mut self, more: Records) -> Self {
        self.rows.extend(more.rows);
        Records { rows: self.rows, next: more.next }
    }

    /// All rows; `None`: more follow.
    pub(super) fn all(self) -> Option<Vec<Value>> {
        self.next.is_none().then_some(self.rows)
    }

    /// The rows so far, and whether more follow, for a caller that asks for those by the last row's key.
    pub(super) fn so_far(self) -> (Vec<Value>, bool) {
        (self.rows, self.next.is_some())
    }
}

impl SalesforceWire {
    /// Reads the further pages of all queries in a composite's answer.
    pub(super) async fn complete(&self, operation: &str, found: &mut Composite) -> Result<(), Failure> {
        for part in found.parts.values_mut().filter(|part| part["body"]["done"] == false) {
            if let Some(begun) = Records::of_part(part) {
                let rows = self.finished(operation, begun).await?;
                part["body"] = json!({ "done": true, "records": rows });
            }
        }
        Ok(())
    }

    /// All rows of a query; `path` is its resource.
    pub(super) async fn query(&self, operation: &str, path: &str) -> Result<Vec<Value>, Failure> {
        let begun = self.page(operation, path).await?.map_err(|said| self.failed(operation, &said))?;
        self.finished(operation, begun).await
    }

    /// All rows, from these pages on to the last one.
    async fn finished(&self, operation: &str, begun: Records) -> Result<Vec<Value>, Failure> {
        let mut records = begun;
        for _ in 0..MOST_PAGES {
            let Some(next) = records.next.take() else { return Ok(records.rows) };
            let page = self.page(operation, &next).await?.map_err(|said| match said.meaning() {
                // The caller's next attempt begins a new query.
                SalesforceMeaning::Expired => self.retryable(operation, said.to_string()),
                _ => self.failed(operation, &said),
            })?;
            records = records.and(page);
        }
        Err(self.unusable(operation, "the pages do not end"))
    }

    async fn page(&self, operation: &str, path: &str) -> Result<Result<Records, SalesforceError>, Failure> {
        let shown = self.get(operation, path).await?;
        Ok(shown.and_then(|body| Records::read(&body).ok_or_else(SalesforceError::unpaged)))
    }
}

/// The part of a link below the root, such as `query/01g…-2000`. Its host is left out, so that no token is sent
/// anywhere else.
fn locator(link: &str) -> Option<&str> {
    let below = link.strip_prefix("/services/data/v")?.split_once('/')?.1;
    let (resource, id) = below.rsplit_once('/')?;
    let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let known = matches!(resource, "query" | "queryAll" | "tooling/query");
    (plain && known).then_some(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "/services/data/v62.0/query/01gD0000002HU6KIAW-2000";

    #[test]
    fn done_says_whether_these_are_all() {
        let last = Records::read(&json!({ "done": true, "records": [1], "totalSize": 1 })).unwrap();
        assert_eq!((last.next.as_deref(), last.clone().all()), (None, Some(vec![json!(1)])));
        let short = Records::read(&json!({ "done": false, "records": [0], "nextRecordsUrl": NEXT })).unwrap();
        assert_eq!(short.next.as_deref(), Some("query/01gD0000002HU6KIAW-2000"));
        assert_eq!(short.clone().all(), None, "more follow");
        assert_eq!(short.clone().so_far(), (vec![json!(0)], true));
        assert_eq!(short.and(last).all(), Some(vec![json!(0), json!(1)]));
    }

    #[test]
    fn an_unfinished_answer_without_a_next_page_is_none() {
        for body in [
            json!({ "records": [] }),
            json!({ "done": true }),
            json!({ "done": false, "records": [] }),
            json!({ "done": false, "records": [], "nextRecordsUrl": "https://evil.example/query/1" }),
            json!([]),
        ] {
            assert_eq!(Records::read(&body), None, "{body}");
        }
    }

    #[test]
    fn only_pages_of_queries_are_followed() {
        assert_eq!(locator("/services/data/v62.0/tooling/query/01g-2"), Some("tooling/query/01g-2"));
        for link in [
            "/services/data/v62.0/sobjects/01g",
            "/services/data/v62.0/query/../limits",
            "/services/data/v62.0/query/01g?x=1",
            "/services/data/v62.0/query/",
            "//evil.example/services/data/v62.0/query/01g",
            "",
        ] {
            assert_eq!(locator(link), None, "{link}");
        }
    }
}
