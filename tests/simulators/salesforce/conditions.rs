//! `If-Modified-Since` and `If-Unmodified-Since` of one row.

use super::Salesforce;
use super::call::Step;
use super::metadata::Object;
use super::refusal::{SalesforceOutcome, SalesforceRefusal, not_modelled, refuse};
use super::times;

impl Salesforce {
    /// `If-Modified-Since` and `If-Unmodified-Since`, by `LastModifiedDate`.
    pub(super) fn check_conditions(&self, step: &Step, object: &Object, id: &str) -> SalesforceOutcome<()> {
        if step.header("if-match").is_some() || step.header("if-none-match").is_some() {
            return Err(not_modelled("entity tags of rows: only Account has them"));
        }
        let modified =
            self.row(&object.name, id).and_then(|row| times::instant(row["LastModifiedDate"].as_str()?));
        let asked = |name: &str| match step.header(name) {
            None => Ok(None),
            Some(text) => {
                let given = times::from_http_date(text);
                given.map(Some).ok_or_else(|| not_modelled(format!("`{name}: {text}`")))
            }
        };
        if let (Some(since), Some(modified)) = (asked("if-unmodified-since")?, modified)
            && modified > since
        {
            let told = "The resource has been modified since the given date";
            return Err(match self.switches.precondition_body {
                true => refuse(412, "PRECONDITION_FAILED", told),
                false => SalesforceRefusal::Bare(412),
            });
        }
        match (asked("if-modified-since")?, modified) {
            (Some(_), _) if step.method != "GET" => Err(not_modelled("`If-Modified-Since` on a write")),
            (Some(since), Some(modified)) if modified <= since => Err(SalesforceRefusal::Bare(304)),
            _ => Ok(()),
        }
    }
}
