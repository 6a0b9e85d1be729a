//! Between the page and the world: what the page asks is put on a desk and answered by the loop that runs the world, one
//! thing after the other.

use crate::decisions::Decisions;
use console::{
    admin::{Admin, Unreachable, report},
    local,
    page::Simulated,
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::OnceLock;
use tokio::sync::{mpsc, oneshot};

/// What is asked, and where its answer goes.
pub(crate) enum Asked {
    Admin(Value, oneshot::Sender<Value>),
    State(oneshot::Sender<Value>),
    Act(Value, oneshot::Sender<Result<Value, String>>),
}

/// The page's end of the desk; the loop that runs the world has the other.
pub(crate) struct Desk {
    asked: mpsc::Sender<Asked>,
    port: OnceLock<u16>,
    decisions: Decisions,
}

impl Desk {
    /// With the world's end.
    pub(crate) fn new(decisions: Decisions) -> (Self, mpsc::Receiver<Asked>) {
        let (asked, answered) = mpsc::channel(16);
        (Desk { asked, port: OnceLock::new(), decisions }, answered)
    }

    /// Where the page listens, once it does.
    pub(crate) fn is_at(&self, port: u16) {
        self.port.get_or_init(|| port);
    }

    /// `None`: the world has ended.
    async fn ask<T>(&self, asked: impl FnOnce(oneshot::Sender<T>) -> Asked) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.asked.send(asked(answer)).await.ok()?;
        answered.await.ok()
    }
}

impl Admin for Desk {
    fn invoke<'a>(&'a self, event: &'a Value) -> BoxFuture<'a, Result<Value, Unreachable>> {
        Box::pin(async {
            match self.ask(|answer| Asked::Admin(event.clone(), answer)).await {
                Some(answer) => report(answer),
                None => Err(Unreachable::Failed("the local run has ended".to_owned())),
            }
        })
    }

    fn name(&self) -> String {
        "local run".to_owned()
    }

    fn flags(&self) -> String {
        local::Local::at(*self.port.get_or_init(|| local::PORT)).flags()
    }
}

impl Simulated for Desk {
    fn state(&self) -> BoxFuture<'_, Value> {
        Box::pin(async { self.ask(Asked::State).await.unwrap_or_else(|| json!({})) })
    }

    fn decisions(&self, after: u64) -> Vec<Value> {
        self.decisions.after(after)
    }

    fn act<'a>(&'a self, act: &'a Value) -> BoxFuture<'a, Result<Value, String>> {
        Box::pin(async {
            let ended = || Err("the local run has ended".to_owned());
            self.ask(|answer| Asked::Act(act.clone(), answer)).await.unwrap_or_else(ended)
        })
    }
}
