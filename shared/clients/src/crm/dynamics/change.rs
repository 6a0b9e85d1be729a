//! Changes an opportunity that exists: its columns under a version, the rows of its solutions, and its closing.

use super::{
    Dynamics,
    batch::{Item, Outcome, Request},
    columns::{SOLUTION, SOLUTION_DETAIL_LOOKUP, SOLUTION_KEY},
    errors::{DataverseError, DataverseMeaning},
    odata::{id_of, set_of},
    patch::Patched,
    wire::{self, FailedBatch},
};
use crate::crm::not_begun::NotBegun;
use crate::session::Unanswered;
use mapping::{Action, ListChange, RecordId, RecordKind, RecordPatch, names::SOLUTIONS};
use serde_json::{Value, json};
use sync::{failure::Written, ports::Seen, version::Version};

/// In [`PartyCache`](super::PartyCache): opportunities for which a change set failed because of a row of a
/// solution.
const IN_THE_WAY: &str = "in the way";

impl Dynamics {
    pub(super) async fn patch_record(
        &self,
        id: &RecordId,
        version: &Version,
        patch: &RecordPatch,
    ) -> Written<Option<Seen>> {
        let (operation, kind) = (format!("patch `{id}`"), id.kind);
        let set = set_of(kind.as_str());
        let prepared = self.prepared_patch(&operation, id, version, patch).await;
        let (id, body, rows) = match prepared {
            Ok(prepared) => prepared,
            Err(not_begun) => return not_begun.written(),
        };
        let sent = || patch.columns.keys().map(String::as_str);
        if rows.is_empty() && body.is_empty() {
            return Written::Done(None);
        }
        if !rows.is_empty() {
            let mut requests = vec![];
            if !body.is_empty() {
                let own = Request::write("PATCH", format!("{set}({id})"), Value::Object(body));
                requests.push(own.with("If-Match", version.token.as_str()));
            }
            requests.extend(rows);
            return self.change_set(&operation, &id, requests, true, sent()).await;
        }
        let path = format!("{set}({id})?$select={}", self.columns_of(kind).own_select());
        let own = Request::patch(path, &version.token, Value::Object(body));
        match self.patched(&operation, own).await {
            Patched::Done(None) => Written::Done(None),
            Patched::Done(Some(row)) => Written::Done(self.own(&operation, kind, &row, false).await.ok()),
            Patched::Said(said) => self.not_patched(&operation, &said, sent()),
            Patched::Unanswered(unanswered) => wire::DataverseWire::unanswered(unanswered),
        }
    }

    fn not_patched<'a, T>(
        &self,
        operation: &str,
        said: &DataverseError,
        sent: impl IntoIterator<Item = &'a str>,
    ) -> Written<T> {
        if said.meaning() == DataverseMeaning::Gone {
            // What is gone may be a row that the record points to: it is looked up again.
            self.lookups.forget();
        }
        self.wire.ended(operation, said, sent)
    }

    async fn prepared_patch(
        &self,
        operation: &str,
        id: &RecordId,
        version: &Version,
        patch: &RecordPatch,
    ) -> Result<(String, serde_json::Map<String, Value>, Vec<Request>), NotBegun> {
        let (kind, id) = (id.kind, self.id(operation, id)?);
        if patch.action.is_some() {
            return Err(NotBegun::refused("statecode", "an action is not part of a patch"));
        }
        let of_opportunity = kind == RecordKind::Opportunity;
        if let Some(list) = patch.lists.keys().find(|l| *l != SOLUTIONS || !of_opportunity) {
            return Err(NotBegun::refused(list, "only the list of solutions is written"));
        }
        if !version.token.starts_with("W/\"") {
            return Err(NotBegun::refused("versionnumber", format!("`{}` is no version", version.token)));
        }
        let body = self.body(&patch.columns).await?;
        let rows = match patch.lists.get(SOLUTIONS) {
            Some(change) => self.list_requests(operation, &id, change).await?,
            None => vec![],
        };
        Ok((id, body, rows))
    }

    /// The requests that add rows to the solutions and delete rows from them.
    async fn list_requests(
        &self,
        operation: &str,
        id: &str,
        change: &ListChange,
    ) -> Result<Vec<Request>, NotBegun> {
        let unknown = self.unknown_details(&change.add)?;
        let mut looks: Vec<Request> = self.details_request(&unknown).into_iter().collect();
        let details = looks.len();
        // Only after a row made a change set fail: which of the rows to be added are there already.
        looks.extend(self.known.get(IN_THE_WAY, id).and_then(|_| self.taken_request(id, &change.add)));
        let present = looks.len();
        if !change.remove.is_empty() {
            looks.push(self.solutions_request(id));
        }
        let replies = if looks.is_empty() { vec![] } else { self.wire.batch_read(operation, looks).await? };
        let lists = self.lists(operation, &replies).await?;
        let found = if details == 1 { lists[0].as_slice() } else { &[] };
        let taken = lists[details..present].first().map(Vec::as_slice).unwrap_or_default();
        let (mut requests, added) = self.solution_requests(id, &change.add, found, taken).await?;
        requests.extend(added);
        for row in lists.get(present).into_iter().flatten() {
            let key =
                row.get(SOLUTION_DETAIL_LOOKUP).and_then(|d| d.get(SOLUTION_KEY)).and_then(Value::as_str);
            let of = |name: &str| row.get(name).and_then(Value::as_str);
            let goes = key.is_some_and(|key| change.remove.iter().any(|r| r.eq_ignore_ascii_case(key)));
            if let (true, Some(row), Some(etag)) = (goes, of(&id_of(SOLUTION)), of("@odata.etag")) {
                let path = format!("{}({row})", set_of(SOLUTION));
                requests.push(
                    Request { method: "DELETE", body: None, ..Request::get(path) }.with("If-Match", etag),
                );
            }
        }
        Ok(requests)
    }

    pub(super) async fn close_record(&self, id: &RecordId, action: &Action) -> Written<Option<Seen>> {
        let operation = format!("close `{id}`");
        let id = match self.id(&operation, id) {
            Ok(id) => id,
            Err(failure) => return NotBegun::from(failure).written(),
        };
        let (message, status, subject, reason) = match action {
            Action::Win { status } => ("WinOpportunity", status, "Won in Partner Center", None),
            Action::Lose { status, reason } => {
                ("LoseOpportunity", status, "Closed in Partner Center", reason.as_deref())
            }
        };
        let mut close =
            json!({ "subject": subject, "opportunityid@odata.bind": format!("/opportunities({id})") });
        if let Some(reason) = reason {
            close["description"] = json!(reason);
        }
        let body = json!({ "Status": status, "OpportunityClose": close });
        let request = Request::write("POST", message, body);
        self.change_set(&operation, &id, vec![request], false, ["statecode", "statuscode"]).await
    }

    /// Carries out a change set and reads the record after it.
    async fn change_set<'a>(
        &self,
        operation: &str,
        id: &str,
        requests: Vec<Request>,
        with_lists: bool,
        sent: impl IntoIterator<Item = &'a str>,
    ) -> Written<Option<Seen>> {
        let mut items =
            vec![Item::ChangeSet(requests), Item::One(self.record_request(RecordKind::Opportunity, id))];
        if with_lists {
            items.extend(self.lists_requests(id).into_iter().map(Item::One));
        }
        let outcomes = match self.wire.batch_write(operation, &items).await {
            Ok(outcomes) => outcomes,
            Err(FailedBatch::Answered(said)) => return self.not_patched(operation, &said, sent),
            Err(FailedBatch::Unanswered(Unanswered::NotSent(failure))) => return Written::Later(failure),
            Err(FailedBatch::Unanswered(Unanswered::Unknown(failure))) => return Written::Unknown(failure),
        };
        let Some(set) = outcomes.first() else { return Written::Unknown(self.unreadable(operation)) };
        if let Some(reply) = set.refusal() {
            let said = DataverseError::of_reply(reply);
            let row_in_the_way = matches!(said.meaning(), DataverseMeaning::Taken | DataverseMeaning::Gone);
            if with_lists && row_in_the_way {
                // Another run or a user has just added or deleted this row: read again and decide again.
                self.forget();
                self.known.put(IN_THE_WAY, id, id);
                return Written::Lost;
            }
            return self.not_patched(operation, &said, sent);
        }
        // The change set was carried out; if a read failed, only the record after it is missing.
        let mut reads = outcomes.into_iter().skip(1).filter_map(|outcome| match outcome {
            Outcome::One(reply) => Some(reply),
            Outcome::Set(_) => None,
        });
        let Some(record) = reads.next() else { return Written::Done(None) };
        let seen = match self.row(operation, &record) {
            Ok(Some(_)) if with_lists => {
                let lists: Vec<_> = reads.collect();
                self.shown(operation, &record, &lists).await.ok().flatten()
            }
            Ok(Some(row)) => self.own(operation, RecordKind::Opportunity, &row, true).await.ok(),
            _ => None,
        };
        Written::Done(seen)
    }
}
