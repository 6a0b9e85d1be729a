//! Calls to one Dataverse environment: headers, paths on the configured origin, batches, and how each call ended.

use super::{
    batch::{self, Batch, Item, Outcome, Reply},
    errors::{DataverseError, DataverseMeaning},
    page,
};
use crate::{
    http::{Answer, Http},
    session::{Session, Unanswered},
    token::Tokens,
};
use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::sync::Arc;
use sync::failure::{Failure, Refused, System, Written};
use uuid::Uuid;

/// The service root below the origin.
pub(super) const ROOT: &str = "/api/data/v9.2";

/// The most pages of a list. No real list has more: one that never ends is the vendor's fault and must not block a
/// run.
const MOST_PAGES: usize = 1000;

#[derive(Clone)]
pub(super) struct DataverseWire {
    session: Session,
    origin: String,
}

/// Why a batch with writes has no outcomes.
pub(super) enum FailedBatch {
    /// Dataverse answered the batch as a whole.
    Answered(DataverseError),
    /// There was no answer, or no readable one.
    Unanswered(Unanswered),
}

impl DataverseWire {
    pub(super) fn new(http: Http, tokens: Arc<Tokens>, origin: &str) -> Self {
        let origin = origin.trim_end_matches('/').to_owned();
        // Entra knows a Dataverse environment by its URL.
        let session = Session::new(http, tokens, &origin, System::Crm);
        DataverseWire { session, origin }
    }

    pub(super) fn skew(&self) -> Option<SignedDuration> {
        self.session.skew()
    }

    pub(super) fn retryable(&self, operation: &str, text: impl Into<String>) -> Failure {
        self.session.retryable(operation, false, text)
    }

    pub(super) fn failed(&self, operation: &str, said: &DataverseError) -> Failure {
        let (class, wide) = said.of_read();
        self.session.failure(operation, class, wide, said.to_string())
    }

    /// A failure that every call meets until an administrator fixes its cause.
    pub(super) fn held(&self, operation: &str, said: &DataverseError) -> Failure {
        let class = sync::failure::Class::Retryable { after: said.after };
        self.session.failure(operation, class, true, said.to_string())
    }

    pub(super) fn unusable(&self, operation: &str, text: impl Into<String>) -> Failure {
        self.session.failure(operation, sync::failure::Class::Permanent, false, text)
    }

    /// Sends a GET. `path` is below the origin.
    pub(super) async fn get(&self, operation: &str, path: &str, prefer: &str) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.origin);
        let build = |http: &Http| {
            let request = common(http.request(Method::GET, &url)).header("If-None-Match", "null");
            if prefer.is_empty() { request } else { request.header("Prefer", prefer) }
        };
        self.session.read(operation, build).await
    }

    /// All rows of a list, page after page.
    pub(super) async fn rows(&self, operation: &str, query: &str) -> Result<Vec<Value>, Failure> {
        self.following(operation, vec![], Some(format!("{ROOT}/{query}"))).await
    }

    /// All rows of a list whose first page is a reply in a batch.
    pub(super) async fn list(&self, operation: &str, reply: &Reply) -> Result<Vec<Value>, Failure> {
        let body = reply.json().filter(|_| reply.status == 200);
        let mut body = body.ok_or_else(|| self.failed(operation, &DataverseError::of_reply(reply)))?;
        let (rows, next) = page::rows(&mut body).map_err(|e| self.unread(operation, &e))?;
        self.following(operation, rows, next).await
    }

    /// These rows and those of the pages from `next` on.
    async fn following(
        &self,
        operation: &str,
        mut rows: Vec<Value>,
        mut next: Option<String>,
    ) -> Result<Vec<Value>, Failure> {
        for _ in 0..MOST_PAGES {
            let Some(path) = next else { return Ok(rows) };
            let answer = self.get(operation, &path, "").await?;
            let body = answer.json().filter(|_| answer.status == 200);
            let mut body = body.ok_or_else(|| self.failed(operation, &DataverseError::of(&answer)))?;
            let (more, after) = page::rows(&mut body).map_err(|e| self.unread(operation, &e))?;
            rows.extend(more);
            next = after;
        }
        Err(self.unusable(operation, "the pages do not end"))
    }

    fn unread(&self, operation: &str, why: &page::Unreadable) -> Failure {
        match why {
            page::Unreadable::Elsewhere { .. } => self.unusable(operation, why.to_string()),
            _ => self.retryable(operation, format!("unreadable answer: {why}")),
        }
    }

    /// Sends a PATCH by itself, with the headers that it would have in a batch.
    pub(super) async fn patch(
        &self,
        operation: &str,
        request: &batch::Request,
    ) -> Result<Answer, Unanswered> {
        let url = format!("{}{ROOT}/{}", self.origin, request.path);
        let build = |http: &Http| {
            let patch = common(http.request(Method::PATCH, &url));
            let headers = request.headers.iter();
            headers.fold(patch, |patch, (name, value)| patch.header(*name, value)).json(&request.body)
        };
        self.session.write(operation, build).await
    }

    /// Creates a row under an id of ours, unless that exists.
    pub(super) async fn create_only(
        &self,
        operation: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Unanswered> {
        let url = format!("{}{ROOT}/{path}", self.origin);
        let build =
            |http: &Http| common(http.request(Method::PATCH, &url)).header("If-None-Match", "*").json(body);
        self.session.write(operation, build).await
    }

    /// Sends a POST of set-up; what it creates becomes part of `solution`, unless that is empty.
    pub(super) async fn post(
        &self,
        operation: &str,
        path: &str,
        body: &Value,
        solution: &str,
    ) -> Result<Answer, Unanswered> {
        let url = format!("{}{ROOT}/{path}", self.origin);
        let build = |http: &Http| {
            let request = common(http.request(Method::POST, &url)).json(body);
            if solution.is_empty() { request } else { request.header("MSCRM.SolutionUniqueName", solution) }
        };
        self.session.write(operation, build).await
    }

    /// Sends a DELETE of set-up, whatever the version of what it deletes.
    pub(super) async fn delete(&self, operation: &str, path: &str) -> Result<Answer, Unanswered> {
        let url = format!("{}{ROOT}/{path}", self.origin);
        self.session.write(operation, |http| common(http.request(Method::DELETE, &url))).await
    }

    /// Reads in one batch, or in several if they are too many; one reply each, in order.
    pub(super) async fn batch_read(
        &self,
        operation: &str,
        reads: Vec<batch::Request>,
    ) -> Result<Vec<Reply>, Failure> {
        let items: Vec<Item> = reads.into_iter().map(Item::One).collect();
        let mut all = vec![];
        for batch in Batch::apart(&items) {
            all.extend(self.read_batch(operation, batch).await?);
        }
        Ok(all)
    }

    async fn read_batch(&self, operation: &str, batch: Batch<'_>) -> Result<Vec<Reply>, Failure> {
        let id = Uuid::new_v4().simple().to_string();
        let answer = self.session.read(operation, |http| self.batch(http, batch, &id)).await?;
        let outcomes =
            outcomes(&answer).ok_or_else(|| self.failed(operation, &DataverseError::of(&answer)))?;
        let count = outcomes.len();
        let replies: Vec<Reply> = outcomes.into_iter().filter_map(one).collect();
        if count != batch.len() || replies.len() != batch.len() {
            let failing = replies.iter().find(|r| r.status >= 400).map(DataverseError::of_reply);
            return Err(failing.map_or_else(
                || self.retryable(operation, format!("{count} answers to {} reads", batch.len())),
                |said| self.failed(operation, &said),
            ));
        }
        Ok(replies)
    }

    /// Sends a batch with writes. Too many requests for one batch are refused without sending any.
    pub(super) async fn batch_write(
        &self,
        operation: &str,
        items: &[Item],
    ) -> Result<Vec<Outcome>, FailedBatch> {
        let batch = Batch::of(items).ok_or_else(|| FailedBatch::Answered(DataverseError::too_many()))?;
        let id = Uuid::new_v4().simple().to_string();
        let sent = self.session.write(operation, |http| self.batch(http, batch, &id)).await;
        let answer = sent.map_err(FailedBatch::Unanswered)?;
        match outcomes(&answer) {
            Some(outcomes) if !outcomes.is_empty() => Ok(outcomes),
            _ => Err(FailedBatch::Answered(DataverseError::of(&answer))),
        }
    }

    fn batch(&self, http: &Http, batch: Batch<'_>, id: &str) -> RequestBuilder {
        common(http.request(Method::POST, &format!("{}{ROOT}/$batch", self.origin)))
            .header("If-None-Match", "null")
            .header("Content-Type", batch::content_type(id))
            // Each item gets an outcome of its own: a missing row does not prevent the reads after it.
            .header("Prefer", "odata.continue-on-error")
            .body(batch::encode(batch, ROOT, id))
    }

    /// How a write ended that was answered without success. `sent`: the columns in it.
    pub(super) fn ended<'a, T>(
        &self,
        operation: &str,
        said: &DataverseError,
        sent: impl IntoIterator<Item = &'a str>,
    ) -> Written<T> {
        let failure = || self.failed(operation, said);
        let refused = || Refused { field: None, text: said.to_string() };
        match said.meaning() {
            DataverseMeaning::Lost => Written::Lost,
            DataverseMeaning::Later { .. } => Written::Later(failure()),
            DataverseMeaning::Unknown { wide } => Written::Unknown(self.session.failure(
                operation,
                sync::failure::Class::Retryable { after: said.after },
                wide,
                said.to_string(),
            )),
            DataverseMeaning::Right | DataverseMeaning::Gone | DataverseMeaning::Expired => {
                Written::Refused(refused())
            }
            DataverseMeaning::Refused | DataverseMeaning::Taken => {
                Written::Refused(Refused { field: said.field(sent), text: said.to_string() })
            }
        }
    }

    /// How a write without an answer ended.
    pub(super) fn unanswered<T>(unanswered: Unanswered) -> Written<T> {
        match unanswered {
            Unanswered::NotSent(failure) => Written::Later(failure),
            Unanswered::Unknown(failure) => Written::Unknown(failure),
        }
    }
}

fn common(request: RequestBuilder) -> RequestBuilder {
    request
        .header("Accept", "application/json")
        .header("OData-MaxVersion", "4.0")
        .header("OData-Version", "4.0")
}

/// The outcomes of a batch, even if its outer status is 400 because a change set failed.
fn outcomes(answer: &Answer) -> Option<Vec<Outcome>> {
    batch::decode(answer.header("content-type")?, &answer.body)
}

fn one(outcome: Outcome) -> Option<Reply> {
    match outcome {
        Outcome::One(reply) => Some(reply),
        Outcome::Set(_) => None,
    }
}
