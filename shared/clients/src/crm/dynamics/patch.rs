//! Conditional PATCHes of records: a single one by itself, several in one batch, each with its own condition and
//! outcome.

use super::{
    Dynamics,
    batch::{Item, Outcome, Reply, Request},
    errors::DataverseError,
    wire::FailedBatch,
};
use crate::{http::Answer, session::Unanswered};
use serde_json::{Map as Object, Value};

/// The most PATCHes in one batch, because Dataverse may take two minutes for a single one.
const MOST: usize = 25;

/// How a PATCH was answered.
pub(super) enum Patched {
    /// It was carried out; the row after it, if the answer contains it.
    Done(Option<Object<String, Value>>),
    /// Dataverse answered with anything else.
    Said(DataverseError),
    /// There was no answer, or no readable one.
    Unanswered(Unanswered),
}

impl Patched {
    fn of(answer: &Answer) -> Self {
        Self::read(answer.status, answer.json()).unwrap_or_else(|| Patched::Said(DataverseError::of(answer)))
    }

    fn of_reply(reply: &Reply) -> Self {
        Self::read(reply.status, reply.json())
            .unwrap_or_else(|| Patched::Said(DataverseError::of_reply(reply)))
    }

    fn read(status: u16, body: Option<Value>) -> Option<Self> {
        match body {
            _ if status == 204 => Some(Patched::Done(None)),
            Some(Value::Object(row)) if (200..300).contains(&status) => Some(Patched::Done(Some(row))),
            _ => None,
        }
    }
}

impl Dynamics {
    /// Sends a PATCH together with those that other tasks of this run ask for at about the same time.
    pub(super) async fn patched(&self, operation: &str, patch: Request) -> Patched {
        let patched = self.patches.send(patch, MOST, |patches| self.patch_all(operation, patches)).await;
        patched.unwrap_or_else(|| {
            Patched::Unanswered(self.unknown(operation, "who sent it for several was stopped"))
        })
    }

    async fn patch_all(&self, operation: &str, patches: Vec<Request>) -> Vec<Patched> {
        if patches.len() == 1 {
            return self.patch_each(operation, &patches).await;
        }
        let items: Vec<Item> = patches.iter().cloned().map(Item::One).collect();
        let all = |patched: &dyn Fn() -> Patched| items.iter().map(|_| patched()).collect();
        match self.wire.batch_write(operation, &items).await {
            // Outcomes belong to writes by their order alone.
            Ok(outcomes) if outcomes.len() != items.len() => {
                let words = format!("{} answers to {} writes", outcomes.len(), items.len());
                all(&|| Patched::Unanswered(self.unknown(operation, &words)))
            }
            Ok(outcomes) => outcomes.iter().map(|outcome| self.outcome(operation, outcome)).collect(),
            Err(FailedBatch::Answered(said)) if said.is_of_the_batch() => {
                self.patch_each(operation, &patches).await
            }
            Err(FailedBatch::Answered(said)) => all(&|| Patched::Said(said.clone())),
            Err(FailedBatch::Unanswered(unanswered)) => all(&|| Patched::Unanswered(unanswered.clone())),
        }
    }

    async fn patch_each(&self, operation: &str, patches: &[Request]) -> Vec<Patched> {
        let mut patched = vec![];
        for patch in patches {
            patched.push(match self.wire.patch(operation, patch).await {
                Ok(answer) => Patched::of(&answer),
                Err(unanswered) => Patched::Unanswered(unanswered),
            });
        }
        patched
    }

    fn outcome(&self, operation: &str, outcome: &Outcome) -> Patched {
        match outcome {
            Outcome::One(reply) => Patched::of_reply(reply),
            Outcome::Set(_) => Patched::Unanswered(self.unknown(operation, "answered as a change set")),
        }
    }

    fn unknown(&self, operation: &str, words: &str) -> Unanswered {
        Unanswered::Unknown(self.wire.retryable(operation, words))
    }
}
