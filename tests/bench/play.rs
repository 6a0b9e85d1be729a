//! The functions between their upstreams, and what people and AWS do to them.

use crate::{
    Folders,
    figure::{Figure, Start, round},
    function::Function,
    stage::{Batch, Stage},
};
use anyhow::{Context, ensure};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Deals are made so long ago: what the sweep lists again because it overlaps is no part of a change's cost.
const AGO: SignedDuration = SignedDuration::from_hours(2);
/// After so many ticks every echo has been seen and nothing is left to do.
const TICKS: usize = 4;

pub(crate) struct Play {
    pub(crate) stage: Stage,
    pub(crate) ingress: Function,
    pub(crate) writer: Function,
    pub(crate) poller: Function,
    /// Ids of deals that are linked and accepted.
    pub(crate) referrals: Vec<String>,
    /// Whose turn it is: changes go round, since too many to one link within an hour are braked.
    turn: usize,
    edits: u64,
}

impl Play {
    /// Starts the three functions, one of them `under` a tool; nothing is linked yet.
    pub(crate) async fn start(folders: &Folders, under: Option<(&str, &[String])>) -> anyhow::Result<Self> {
        let stage = Stage::start().await?;
        stage.clock.advance(-AGO);
        let start = async |name: &str| {
            let mut program = stage.program(name, &folders.binaries);
            let tool = under.filter(|(watched, _)| *watched == name).map(|(_, tool)| tool);
            program.command.splice(..0, tool.into_iter().flatten().cloned());
            Function::start(&program, &folders.work).await
        };
        let (ingress, writer, poller) =
            (start("ingress").await?, start("writer").await?, start("poller").await?);
        Ok(Play { stage, ingress, writer, poller, referrals: vec![], turn: 0, edits: 0 })
    }

    /// So many deals referred and accepted, the past over, every function warm. `starts` gets the first events' time.
    pub(crate) async fn furnish(&mut self, deals: usize, starts: &mut [Start]) -> anyhow::Result<()> {
        let tick = self.poller.invoke(&json!({})).await?;
        first(starts, "poller", tick.wall.as_secs_f64());
        self.refer(deals)?;
        self.enqueue().await?;
        let batch = self.stage.batch(1).context("a first hint")?;
        let answer = self.writer.invoke(&batch.event).await?;
        first(starts, "writer", answer.wall.as_secs_f64());
        self.stage.acknowledge(&batch, &answer.body)?;
        self.work(10).await?;
        self.accept().await?;
        self.rest().await?;
        self.stage.clock.advance(AGO);
        // Tokens have expired meanwhile.
        self.change(1)?;
        self.enqueue().await?;
        self.work(1).await?;
        self.rest().await
    }

    /// Ticks and hints until all echoes are over.
    pub(crate) async fn rest(&mut self) -> anyhow::Result<()> {
        for _ in 0..TICKS {
            self.poller.invoke(&json!({})).await?;
            self.enqueue().await?;
            self.work(10).await?;
        }
        Ok(())
    }

    /// Microsoft refers so many deals.
    pub(crate) fn refer(&mut self, deals: usize) -> anyhow::Result<()> {
        for _ in 0..deals {
            self.edits += 1;
            let over = json!({ "name": format!("Harbor Line – site {}", self.edits) });
            let now = self.stage.now();
            let id = self.stage.partner_center.system().refer(&over, now);
            self.referrals.push(id);
        }
        Ok(())
    }

    /// The partner accepts all deals that wait for it.
    pub(crate) async fn accept(&mut self) -> anyhow::Result<()> {
        for id in &self.referrals {
            let now = self.stage.now();
            let mut system = self.stage.partner_center.system();
            if system.referrals()[id]["status"] == "New" {
                system.act(id, "accept", None, now).map_err(|e| anyhow::anyhow!(e))?;
            }
        }
        self.enqueue().await?;
        self.work(10).await
    }

    /// Whose turn it is next.
    pub(crate) fn next(&mut self) -> String {
        self.turn = (self.turn + 1) % self.referrals.len();
        self.referrals[self.turn].clone()
    }

    /// A number never used before.
    pub(crate) fn number(&mut self) -> u64 {
        self.edits += 1;
        self.edits
    }

    /// So many deals get another value in Partner Center.
    pub(crate) fn change(&mut self, deals: usize) -> anyhow::Result<()> {
        for _ in 0..deals {
            let (id, value) = (self.next(), 50_000 + self.number());
            self.stage.edit_referral(&id, json!({ "/details/dealValue": value }))?;
        }
        Ok(())
    }

    /// Webhooks go to the ingress and become hints.
    pub(crate) async fn enqueue(&mut self) -> anyhow::Result<()> {
        for event in self.stage.webhooks() {
            let answer = self.ingress.invoke(&event).await?;
            ensure!(answer.body["statusCode"] == 200, "the ingress answers {}", answer.body);
        }
        Ok(())
    }

    /// The writer works off what waits.
    pub(crate) async fn work(&mut self, most: usize) -> anyhow::Result<()> {
        while let Some(batch) = self.stage.batch(most) {
            let answer = self.writer.invoke(&batch.event).await?;
            self.stage.acknowledge(&batch, &answer.body)?;
        }
        Ok(())
    }

    /// The same, measured. Answers the batches.
    pub(crate) async fn measured(&mut self, figure: &mut Figure, most: usize) -> anyhow::Result<Vec<Batch>> {
        let mut batches = vec![];
        while let Some(batch) = self.stage.batch(most) {
            let events = batch.messages();
            let answer = figure.invoke(&self.stage.tally, &mut self.writer, events, &batch.event).await?;
            self.stage.acknowledge(&batch, &answer)?;
            batches.push(batch);
        }
        Ok(batches)
    }

    /// The poller runs once, measured.
    pub(crate) async fn tick(&mut self, figure: &mut Figure, events: usize) -> anyhow::Result<Value> {
        figure.invoke(&self.stage.tally, &mut self.poller, events, &json!({})).await
    }
}

fn first(starts: &mut [Start], function: &str, seconds: f64) {
    for start in starts.iter_mut().filter(|start| start.function == function) {
        start.first_ms = Some(round(seconds * 1e3));
    }
}
