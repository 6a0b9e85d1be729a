//! Reads a page of a feed (vendors/dataverse.md, *Pages*): it separates rows from deletions and keeps links as path
//! and query. It has no side effects: every input is either a page or a reason why it is none.

use super::wire::ROOT;
use serde_json::{Map as Object, Value};
use std::sync::atomic::{AtomicU32, Ordering};

/// The member that leads to the next page.
const NEXT: &str = "@odata.nextLink";

/// How many rows a page of a feed is asked for. If an answer was too large, all later pages are asked for fewer.
#[derive(Debug)]
pub(super) struct PageSize(AtomicU32);

impl PageSize {
    pub(super) fn of(rows: u32) -> Self {
        PageSize(AtomicU32::new(rows.max(1)))
    }

    pub(super) fn rows(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// `false`: a page has one row already.
    pub(super) fn halve(&self) -> bool {
        let rows = self.rows();
        self.0.store((rows / 2).max(1), Ordering::Relaxed);
        rows > 1
    }
}

/// One page of changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The changes, in the order of the page.
    pub lines: Vec<Line>,
    /// Where the next page begins, as path and query below the configured origin.
    pub next: Option<String>,
    /// Where later changes begin, also as path and query; only the last page has it.
    pub resume: Option<String>,
}

/// One entry of a page of changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A row as it is now.
    Row(Object<String, Value>),
    /// A deleted row: its id, in lower case.
    Gone(String),
}

/// Why a body is not a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It has no list of rows.
    #[error("no `value`")]
    NoValue,
    /// It has a member for a link, but that is no text.
    #[error("`{0}` is no link")]
    NoLink(&'static str),
    /// A row is no object, or a deletion has no id.
    #[error("a row without its id")]
    NoId,
    /// A link does not lead below the service root, so no token is sent there.
    #[error("`{name}` leads elsewhere: `{link}`")]
    Elsewhere {
        /// The member: `@odata.nextLink` or `@odata.deltaLink`.
        name: &'static str,
        /// The link, as Dataverse gave it.
        link: String,
    },
}

impl Page {
    /// Reads a body that was answered with 200.
    pub fn read(mut body: Object<String, Value>) -> Result<Self, Unreadable> {
        let Some(Value::Array(values)) = body.remove("value") else { return Err(Unreadable::NoValue) };
        let (next, resume) = (link(&body, NEXT)?, link(&body, "@odata.deltaLink")?);
        let lines = values.into_iter().map(Line::read).collect::<Result<_, _>>()?;
        Ok(Page { lines, next, resume })
    }
}

impl Line {
    fn read(value: Value) -> Result<Self, Unreadable> {
        let Value::Object(row) = value else { return Err(Unreadable::NoId) };
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let deleted = text("@odata.context").is_some_and(|c| c.ends_with("/$deletedEntity"));
        if deleted || row.contains_key("reason") && text("id").is_some() {
            return text("id").map(|id| Line::Gone(id.to_lowercase())).ok_or(Unreadable::NoId);
        }
        Ok(Line::Row(row))
    }
}

/// The rows of a page of a plain list, and where the next page begins.
pub(super) fn rows(body: &mut Value) -> Result<(Vec<Value>, Option<String>), Unreadable> {
    let Some(body) = body.as_object_mut() else { return Err(Unreadable::NoValue) };
    let Some(Value::Array(rows)) = body.remove("value") else { return Err(Unreadable::NoValue) };
    Ok((rows, link(body, NEXT)?))
}

fn link(body: &Object<String, Value>, name: &'static str) -> Result<Option<String>, Unreadable> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(link)) => {
            let elsewhere = || Unreadable::Elsewhere { name, link: link.clone() };
            on_our_origin(link).map(Some).ok_or_else(elsewhere)
        }
        Some(_) => Err(Unreadable::NoLink(name)),
    }
}

/// Path and query of a link, if it leads below the service root.
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
    use serde_json::json;

    fn read(body: Value) -> Result<Page, Unreadable> {
        let Value::Object(body) = body else { panic!("{body}") };
        Page::read(body)
    }

    #[test]
    fn rows_and_deletions_are_told_apart() {
        let context =
            "https://contoso-sales.crm.dynamics.com/api/data/v9.2/$metadata#opportunities/$deletedEntity";
        let row =
            json!({ "opportunityid": "5f4c7d8e-2b13-4a69-bd0c-91e6f2a7c004", "reason": "a column's name" });
        let page = read(json!({ "value": [
            row, { "@odata.context": context, "id": "AB" }, { "id": "CD", "reason": "deleted" },
        ] }));
        let row = row.as_object().unwrap().clone();
        let lines = vec![Line::Row(row), Line::Gone("ab".into()), Line::Gone("cd".into())];
        assert_eq!(page, Ok(Page { lines, next: None, resume: None }));
    }

    #[test]
    fn what_is_no_page_is_told_why() {
        assert_eq!(read(json!({})), Err(Unreadable::NoValue));
        assert_eq!(read(json!({ "value": {} })), Err(Unreadable::NoValue));
        for row in [json!(7), json!({ "@odata.context": "x/$deletedEntity" })] {
            assert_eq!(read(json!({ "value": [row] })), Err(Unreadable::NoId));
        }
        let link = "https://evil.example/secret?x";
        for name in ["@odata.nextLink", "@odata.deltaLink"] {
            let elsewhere = Err(Unreadable::Elsewhere { name, link: link.to_owned() });
            assert_eq!(read(json!({ "value": [], name: link })), elsewhere);
            assert_eq!(read(json!({ "value": [], name: 7 })), Err(Unreadable::NoLink(name)));
        }
    }

    #[test]
    fn a_short_list_is_the_last_page_only_without_a_next_link() {
        let next = "/api/data/v9.2/accounts?$skiptoken=1";
        let linked = format!("https://contoso-sales.crm.dynamics.com{next}");
        let read = |mut body: Value| rows(&mut body);
        assert_eq!(read(json!({ "value": [1] })), Ok((vec![json!(1)], None)));
        assert_eq!(read(json!({ "value": [1], NEXT: linked })), Ok((vec![json!(1)], Some(next.to_owned()))));
        assert_eq!(read(json!({ "value": [1], NEXT: true })), Err(Unreadable::NoLink(NEXT)));
        assert_eq!(read(json!([])), Err(Unreadable::NoValue));
    }

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

    proptest::proptest! {
        #[test]
        fn no_link_leaves_the_service_root(link in "((https?|ftp)://)?[a-z@:.]{0,6}(/api/data/v9.2)?[/a-z.%\\\\?#@:]{0,20}", any in ".*") {
            for link in [link, any] {
                let Some(kept) = on_our_origin(&link) else { continue };
                let url = reqwest::Url::parse(&format!("https://contoso-sales.crm.dynamics.com{kept}")).unwrap();
                proptest::prop_assert_eq!(url.host_str(), Some("contoso-sales.crm.dynamics.com"));
                proptest::prop_assert_eq!(url.path().rsplit_once('/').unwrap().0, ROOT);
            }
        }
    }
}
