//! A world under load: its people, its clock, and what is counted.

use crate::{
    dice::Dice,
    figures::{Figures, cpu},
    meter::Meter,
    people::Deal,
};
use jiff::SignedDuration;
use local::world::{DEAD, Options, QUEUE, World};
use simulators::weather::Weather;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What was counted when the storm began.
struct Began {
    at: Instant,
    cpu: Option<f64>,
    calls: u64,
    changes: u64,
    table: u64,
    events: u64,
}

pub(crate) struct Storm {
    pub(crate) world: World,
    pub(crate) meter: Arc<Meter>,
    pub(crate) dice: Dice,
    pub(crate) deals: Vec<Deal>,
    /// What people did so far.
    pub(crate) events: u64,
    /// What turned out wrong on the way.
    pub(crate) wrong: Vec<String>,
    pub(crate) profile: &'static str,
    scale: usize,
    seed: u64,
    began: Began,
    told: Instant,
}

/// Minutes after which everything must have come to rest: parked items are tried again for a day.
const PATIENCE: u32 = 2 * 1440;
/// Minutes without a write that count as rest.
const STILL: u32 = 4;

impl Storm {
    /// An empty world whose pollers have made their first start.
    pub(crate) async fn open(profile: &'static str, scale: u32, seed: u64) -> anyhow::Result<Self> {
        let world = World::start(Options::default()).await?;
        world.clock.stop();
        // The limit is per web server; how many there are is the vendor's matter.
        world.dataverse.system().switches.burst_limit = None;
        world.tick().await?;
        world.advance(60);
        let meter = Meter::watch(&world);
        let began = Began { at: Instant::now(), cpu: cpu(), calls: 0, changes: 0, table: 0, events: 0 };
        Ok(Storm {
            world,
            meter,
            dice: Dice::new(seed),
            deals: vec![],
            events: 0,
            wrong: vec![],
            profile,
            scale: scale as usize,
            seed,
            began,
            told: Instant::now(),
        })
    }

    /// So many of the full run's.
    pub(crate) fn share(&self, full: usize) -> usize {
        full.div_ceil(self.scale)
    }

    /// From here on it counts.
    pub(crate) fn begin(&mut self) {
        self.began = Began {
            at: Instant::now(),
            cpu: cpu(),
            calls: self.meter.calls(),
            changes: self.meter.changes(),
            table: self.table(),
            events: self.events,
        };
        self.tell("the storm begins");
    }

    /// Of all calls to the vendors, tokens included, so many fail.
    pub(crate) fn faults(&self, chance: f64) {
        let weather = Weather::mixed(self.seed, chance);
        self.world.login.weather(Some(weather.clone()));
        self.world.partner_center.weather(Some(weather.clone()));
        self.world.dataverse.weather(Some(weather));
    }

    pub(crate) fn crm_down(&self) {
        self.world.dataverse.weather(Some(Weather::down(self.seed)));
    }

    pub(crate) fn fair(&self) {
        self.world.login.weather(None);
        self.world.partner_center.weather(None);
        self.world.dataverse.weather(None);
    }

    fn tell(&mut self, what: &str) {
        let (messages, _) = self.world.aws.system().waiting(QUEUE, self.world.now());
        let clock = self.world.now().strftime("%d %H:%M:%S").to_string();
        let wall = self.began.at.elapsed().as_secs();
        println!(
            "{}: {wall} s, simulated {clock}: {what}: {} events, {messages} in the queue, {} calls, {} writes",
            self.profile,
            self.events,
            self.meter.calls(),
            self.meter.writes(),
        );
        self.told = Instant::now();
    }

    /// A line of progress, not too often.
    pub(crate) fn progress(&mut self, what: &str) {
        if self.told.elapsed() >= Duration::from_secs(10) {
            self.tell(what);
        }
    }

    /// Webhooks and messages until nothing moves at this instant; several writers at once, as deployed.
    pub(crate) async fn flow(&mut self) -> anyhow::Result<()> {
        loop {
            let told = self.world.webhooks().await;
            let writer = || Box::pin(self.world.pump());
            let (a, b, c, d) = tokio::join!(writer(), writer(), writer(), writer());
            self.progress("working");
            if told + a? + b? + c? + d? == 0 {
                return Ok(());
            }
        }
    }

    /// Time goes by, and hidden messages come back on the way.
    pub(crate) async fn pass(&mut self, seconds: i64) -> anyhow::Result<()> {
        let end = self.world.now() + SignedDuration::from_secs(seconds);
        loop {
            self.flow().await?;
            let now = self.world.now();
            let next = self.world.aws.system().waiting(QUEUE, now).1.filter(|at| *at < end);
            let next = next.map_or(end, |at| at.max(now + SignedDuration::from_secs(1)).min(end));
            self.world.clock.advance(next.duration_since(now));
            if next >= end {
                return self.flow().await;
            }
        }
    }

    pub(crate) async fn tick(&self) -> anyhow::Result<()> {
        Box::pin(self.world.tick()).await.map(drop)
    }

    /// A minute with its tick.
    pub(crate) async fn minute(&mut self) -> anyhow::Result<()> {
        self.pass(60).await?;
        self.tick().await?;
        self.flow().await?;
        self.learn();
        Ok(())
    }

    /// Until no message, no webhook and nothing parked is left and no write happens any more.
    pub(crate) async fn rest(&mut self) -> anyhow::Result<()> {
        let mut still = 0;
        for _ in 0..PATIENCE {
            let before = self.meter.writes();
            self.minute().await?;
            self.progress("coming to rest");
            let left = self.left() + self.world.partner_center.system().pending();
            let parked = if left == 0 { self.world.parked().await?.len() } else { 0 };
            still = if left + parked == 0 && self.meter.writes() == before { still + 1 } else { 0 };
            if still == STILL {
                return Ok(());
            }
        }
        let parked = self.world.parked().await?;
        let first: Vec<_> = parked.iter().take(3).collect();
        anyhow::bail!(
            "it does not come to rest: {} in the queue, {} parked: {first:?}",
            self.left(),
            parked.len()
        )
    }

    pub(crate) fn left(&self) -> usize {
        self.world.aws.system().waiting(QUEUE, self.world.now()).0
    }

    pub(crate) fn dead(&self) -> usize {
        self.world.aws.system().waiting(DEAD, self.world.now()).0
    }

    /// Calls of writer and poller to the table.
    fn table(&self) -> u64 {
        let calls = self.world.table_calls();
        calls.iter().map(|c| c.reads + c.writes + c.transactions).sum()
    }

    /// Since the storm began; `lost` and `doubled` are the check's.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            profile: self.profile,
            events: self.events - self.began.events,
            changes: self.meter.changes() - self.began.changes,
            calls: self.meter.calls() - self.began.calls,
            hot_reads: self.meter.hot_reads(),
            table: self.table() - self.began.table,
            lost: 0,
            doubled: 0,
            left: self.left(),
            dead: self.dead(),
            wall: self.began.at.elapsed().as_secs_f64(),
            cpu: cpu().zip(self.began.cpu).map(|(now, before)| now - before),
        }
    }
}
