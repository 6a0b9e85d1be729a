//! Change tracking: the initial load, delta links with tokens that expire, deletions after changes.

use super::address::decode;
use super::metadata::Table;
use super::read::{Options, PageCursor, PagePosition};
use super::refusal::{DataverseOutcome, bad_request, not_modelled, refuse};
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A token given out in a `deltaLink`: valid for its table and columns only.
#[derive(Clone, Debug)]
pub(super) struct DeltaToken {
    pub text: String,
    pub set: String,
    pub version: u64,
    pub issued: Timestamp,
    pub select: Option<String>,
}

impl Dataverse {
    /// Every delta token given out so far is answered with ExpiredVersionStamp.
    pub fn expire_delta_tokens(&mut self) {
        self.version += 1;
        for set in self.tables.keys() {
            self.oldest_token.insert(set.clone(), self.version);
        }
    }

    /// The metadata of a table changed: its tokens are void.
    pub(super) fn expire_tokens_of(&mut self, set: &str) {
        self.version += 1;
        self.oldest_token.insert(set.to_owned(), self.version);
    }

    fn token(&self, call: &DataverseCall, table: &Table, options: &Options) -> DataverseOutcome<DeltaToken> {
        let text = &options["$deltatoken"];
        let mut known = self.tokens.iter().filter(|t| t.set == table.set && t.text == *text).peekable();
        if known.peek().is_none() {
            return Err(bad_request(format!("The delta token '{text}' is not valid.")));
        }
        let token = known.find(|t| t.select.as_ref() == options.get("$select"));
        let token = token.ok_or_else(|| not_modelled("a delta token with another `$select`"))?;
        let age = call.now.as_second() - token.issued.as_second();
        let oldest = self.oldest_token.get(&table.set).copied().unwrap_or(0);
        if age > self.switches.delta_days * 86_400 || token.version < oldest {
            let text = "Version stamp associated with the client has expired. Please perform a full sync.";
            return Err(refuse(self.switches.expired_status, "0x80044352", text));
        }
        Ok(token.clone())
    }

    /// Ids of rows changed (by version) and deleted since a version.
    fn changed_since(&self, table: &Table, since: u64) -> (Vec<String>, Vec<String>) {
        let rows = self.rows.get(&table.set).into_iter().flat_map(|rows| rows.keys());
        let mut changed: Vec<(u64, &String)> = rows
            .filter_map(|id| Some((self.seen(&table.set, id)?["versionnumber"].as_u64()?, id)))
            .filter(|(version, _)| *version > since)
            .collect();
        changed.sort();
        let mut deleted: Vec<String> = vec![];
        for (_, id) in self.deleted.get(&table.set).into_iter().flatten().filter(|d| d.0 > since) {
            if self.get(&table.set, id).is_none() && !deleted.contains(id) {
                deleted.push(id.clone());
            }
        }
        (changed.into_iter().map(|(_, id)| id.clone()).collect(), deleted)
    }

    pub(super) fn delta_count(
        &self,
        call: &DataverseCall,
        table: &Table,
        options: &Options,
    ) -> DataverseOutcome<usize> {
        self.only(options, &["$deltatoken"])?;
        let text = &options["$deltatoken"];
        let select = self.tokens.iter().find(|t| t.text == *text).and_then(|t| t.select.clone());
        let mut options = options.clone();
        options.extend(select.map(|s| ("$select".to_owned(), s)));
        let token = self.token(call, table, &options)?;
        let (changed, deleted) = self.changed_since(table, token.version);
        Ok(changed.len() + deleted.len())
    }

    pub(super) fn delta(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        mut options: Options,
    ) -> DataverseOutcome<Response> {
        for name in ["$filter", "$orderby", "$expand", "$top"] {
            if options.contains_key(name) {
                let text = format!(
                    "The \"{name}\" query parameter isn't supported when Change Tracking is enabled."
                );
                return Err(bad_request(text));
            }
        }
        self.only(&options, &["$select", "$deltatoken", "$skiptoken"])?;
        if !table.tracked || self.switches.untracked.contains(&table.name) {
            return Err(bad_request(format!(
                "Change tracking is not enabled for the entity {}.",
                table.name
            )));
        }
        let cursor = self.cursor(call, table, &mut options)?;
        let shape = self.shape(table, options.get("$select"), None)?;
        let initial = !options.contains_key("$deltatoken");
        let number = cursor.as_ref().map_or(1, |c| c.page);
        let (mut rows, mut deleted, mut until) = match cursor.map(|c| c.at) {
            Some(PagePosition::Delta { rows, deleted, until }) => (rows, deleted, until),
            _ if initial => (self.changed_since(table, 0).0, vec![], self.settled(table)),
            _ => {
                let token = self.token(call, table, &options)?;
                let (rows, deleted) = self.changed_since(table, token.version);
                (rows, deleted, self.settled(table))
            }
        };
        let most = self.page_size(call);
        let page: Vec<String> = rows.drain(..rows.len().min(most)).collect();
        let gone: Vec<String> = deleted.drain(..deleted.len().min(most - page.len())).collect();
        let mut value = self.show_ids(table, &page, &shape, call.prefer.annotations);
        let context = format!("{}/$metadata#{}/$deletedEntity", self.root(), table.set);
        let tombstone = |id: &String| json!({ "@odata.context": context, "id": id, "reason": "deleted" });
        value.extend(gone.iter().map(tombstone));
        let mut body = Map::new();
        let tail = if initial { "" } else { "/$delta" };
        body.insert("@odata.context".into(), json!(self.context(table, &options, tail)));
        body.insert("value".into(), Value::Array(value));
        if rows.is_empty() && deleted.is_empty() {
            if initial && self.switches.delta_token_from_last_page {
                until = self.settled(table);
            }
            body.insert("@odata.deltaLink".into(), json!(self.delta_link(call, table, &options, until)));
        } else {
            let at = PagePosition::Delta { rows, deleted, until };
            let (set, prefer) = (table.set.clone(), call.prefer.clone());
            let next = PageCursor { set, options, prefer, page: number + 1, given: 0, at };
            body.insert("@odata.nextLink".into(), json!(self.next_link(call, next)));
        }
        self.aged(&table.set, None);
        Ok(self.ok(call, body))
    }

    /// The version up to which a reader has seen everything: rows that are still stale come again.
    fn settled(&self, table: &Table) -> u64 {
        let stale = self.lagging.keys().filter(|(set, _)| *set == table.set);
        let versions = stale.filter_map(|(set, id)| self.get(set, id)?["versionnumber"].as_u64());
        versions.map(|v| v - 1).min().unwrap_or(self.version)
    }

    fn delta_link(&mut self, call: &DataverseCall, table: &Table, options: &Options, version: u64) -> String {
        let issued = call.now;
        let text = issued.strftime(&format!("{version}!%m/%d/%Y %H:%M:%S")).to_string();
        let encoded = text.replace('!', "%21").replace('/', "%2f").replace(' ', "%20").replace(':', "%3a");
        debug_assert_eq!(decode(&encoded).as_deref(), Some(text.as_str()));
        let select = options.get("$select").cloned();
        let set = table.set.clone();
        self.tokens.push(DeltaToken { text, set, version, issued, select });
        let kept: Vec<&str> = call
            .request
            .query
            .split('&')
            .filter(|p| p.starts_with("$select=") || p.starts_with("%24select="))
            .collect();
        let kept = kept.first().map(|k| format!("{k}&")).unwrap_or_default();
        format!("{}/{}?{kept}$deltatoken={encoded}", self.root(), table.set)
    }
}
