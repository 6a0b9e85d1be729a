//! Who runs next: one task a step, or something outside happens, or time goes on. Dropping a future is a crash.

use crate::{
    faults::Kind,
    handlers::{Answer, poller, writer},
    queue::{Message, Queue},
    trace::{say, short},
    world::{Running, World},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use sync::batch::Verdict;

/// The writer's time-out in `template.yaml`.
const WRITER: SignedDuration = SignedDuration::from_secs(60);
/// The poller's time-out in `template.yaml`.
const POLLER: SignedDuration = SignedDuration::from_secs(300);
/// At most so many writers run at once.
const WRITERS: usize = 3;
/// No schedule is longer: it does not come to rest.
const STEPS: u32 = 60_000;

struct Task<'w> {
    story: Pin<Box<dyn Future<Output = Answer> + Send + 'w>>,
    messages: Vec<Message>,
    polls: bool,
    running: Running,
    steps: u32,
}

/// The tasks of a schedule.
pub(crate) struct Executor<'w> {
    world: &'w World,
    tasks: Vec<Task<'w>>,
    started: u32,
    steps: u32,
}

impl<'w> Executor<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Executor { world, tasks: vec![], started: 0, steps: 0 }
    }

    /// A tick of the poller, on its way.
    pub(crate) fn start_tick(&mut self) {
        let world = self.world;
        world.lock().counts.ticks += 1;
        let ends = world.lock().now + POLLER;
        self.start("poller", ends, vec![], true, Box::pin(poller(world, ends)));
    }

    pub(crate) fn start_writer(&mut self, group: &str) {
        let world = self.world;
        let (messages, ends) = {
            let mut state = world.lock();
            let now = state.now;
            let messages = state.queue.receive(group, 10, now);
            state.counts.received += 1;
            (messages, now + WRITER)
        };
        if messages.is_empty() {
            return;
        }
        {
            let mut state = world.lock();
            let state = &mut *state;
            let hints =
                || messages.iter().map(|m| format!("{} #{}", m.hint.from, m.received)).collect::<Vec<_>>();
            say!(state, "queue", "{} -> writer {}: {:?}", short(group), self.started + 1, hints());
        }
        let story = Box::pin(writer(world, messages.clone(), ends));
        self.start("writer", ends, messages, false, story);
    }

    fn start(
        &mut self,
        name: &str,
        ends: Timestamp,
        messages: Vec<Message>,
        polls: bool,
        story: Pin<Box<dyn Future<Output = Answer> + Send + 'w>>,
    ) {
        self.started += 1;
        let mut state = self.world.lock();
        let skew = match state.strikes(Kind::Skew) {
            true => SignedDuration::from_millis(state.dice.between(-2_000, 2_000)),
            false => SignedDuration::ZERO,
        };
        let name = format!("{name} {}", self.started).into();
        // Its own clock says when it ends; the platform's kills it.
        let running = Running { name, ends, skew, seen: 0, edits: state.counts.edits };
        self.tasks.push(Task { story, messages, polls, running, steps: 0 });
    }

    /// One step of one task. `false`: there is none.
    fn step(&mut self) -> bool {
        if self.tasks.is_empty() {
            return false;
        }
        let chosen = self.world.lock().dice.below(self.tasks.len());
        self.step_of(chosen);
        true
    }

    /// One step of this task, or its end.
    pub(crate) fn step_of(&mut self, chosen: usize) {
        {
            let mut state = self.world.lock();
            if state.strikes(Kind::Crash) {
                let state = &mut *state;
                say!(state, self.tasks[chosen].running.name, "CRASH");
                drop(self.tasks.swap_remove(chosen));
                return;
            }
            state.runs = self.tasks[chosen].running.clone();
        }
        let ended = self.tasks[chosen].story.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut state = self.world.lock();
        self.tasks[chosen].running.seen = state.runs.seen;
        self.tasks[chosen].steps += 1;
        if let Poll::Ready(answer) = ended {
            let task = self.tasks.swap_remove(chosen);
            let ids: Vec<u64> = task.messages.iter().map(|m| m.id).collect();
            match answer {
                Answer::Of(Verdict::Acknowledge) => state.queue.delete(&ids),
                Answer::Of(Verdict::Again(after)) => {
                    // Whole seconds, never sooner than asked.
                    let seconds = after.as_secs().max(0) + i64::from(after.subsec_nanos() > 0);
                    let until = state.now + SignedDuration::from_secs(seconds);
                    state.queue.hide(&ids, until);
                }
                Answer::Failed | Answer::Ticked => {}
            }
        }
    }

    /// How many writers and pollers run.
    pub(crate) fn running(&self) -> (usize, usize) {
        let pollers = self.tasks.iter().filter(|t| t.polls).count();
        (self.tasks.len() - pollers, pollers)
    }

    /// Where each run stands, for telling states apart: in whatever order they are kept.
    pub(crate) fn told(&self, queue: &Queue, to: &mut impl std::fmt::Write) {
        let stands = self.tasks.iter().map(|task| {
            let places: Vec<_> = task.messages.iter().map(|m| queue.place(m.id)).collect();
            format!("{:?}", (task.polls, task.steps, task.running.seen, task.running.ends, places))
        });
        let mut stands: Vec<String> = stands.collect();
        stands.sort_unstable();
        stands.iter().for_each(|one| _ = to.write_str(one));
    }

    /// How many runs have begun.
    pub(crate) fn started(&self) -> u32 {
        self.started
    }

    /// Goes on in a world in which so many runs have begun, and none is under way.
    pub(crate) fn after(world: &'w World, started: u32) -> Self {
        Executor { started, ..Executor::new(world) }
    }

    /// Nothing can be done now: time goes on until something can.
    pub(crate) fn wait(&mut self) {
        let by = {
            let state = self.world.lock();
            state
                .queue
                .next(state.now)
                .map_or(SignedDuration::from_secs(60), |at| at.duration_since(state.now))
        };
        self.time_goes_on(by);
    }

    /// Runs whose time is up are killed; late requests and webhooks land.
    fn time_goes_on(&mut self, by: SignedDuration) {
        let mut state = self.world.lock();
        let target = state.now + by;
        while let Some(next) = state.late.iter().map(|l| l.at).filter(|at| *at <= target).min() {
            state.now = state.now.max(next);
            let at = state.late.iter().position(|l| l.at == next).unwrap_or(0);
            let late = state.late.remove(at);
            state.land(late);
        }
        state.now = state.now.max(target);
        let now = state.now;
        state.queue.land(now);
        let state = &mut *state;
        self.tasks.retain(|task| {
            let alive = task.running.ends > now;
            if !alive {
                say!(state, task.running.name, "its time is up: killed");
            }
            alive
        });
    }

    /// The hostile phase: `acts` things that people do, and everything else as it comes.
    pub(crate) fn storm(&mut self, acts: u32) {
        let mut left = acts;
        let mut calm = 0;
        let mut tick_at = self.world.lock().now;
        // After the last act the storm goes on for a while.
        while (left > 0 || calm < 60) && self.steps < STEPS {
            self.steps += 1;
            if left == 0 {
                calm += 1;
            }
            let (now, ready, roll) = {
                let mut state = self.world.lock();
                let ready = state.queue.ready(state.now);
                (state.now, ready, state.dice.below(100))
            };
            let writers = self.tasks.iter().filter(|t| !t.polls).count();
            let idle = self.tasks.is_empty() && ready.is_empty();
            match roll {
                0..=4 if left > 0 => {
                    self.world.lock().somebody_acts();
                    left -= 1;
                }
                5..=16 if !ready.is_empty() && writers < WRITERS => {
                    let group = self.world.lock().dice.pick(&ready).clone();
                    self.start_writer(&group);
                }
                17 if now >= tick_at => {
                    tick_at = now + SignedDuration::from_secs(60);
                    self.start_tick();
                    if self.world.lock().strikes(Kind::DoubleTick) {
                        self.start_tick();
                    }
                }
                18 => {
                    let by = self.world.lock().dice.between(1_000, 15_000);
                    self.time_goes_on(SignedDuration::from_millis(by));
                }
                19 if self.world.lock().dice.below(12) == 0 => {
                    let by = self.world.lock().dice.between(30_000, 400_000);
                    self.time_goes_on(SignedDuration::from_millis(by));
                }
                20 => self.redeliver(),
                _ if idle && now >= tick_at && self.ticks_soon() => {
                    tick_at = now + SignedDuration::from_secs(60);
                    self.start_tick();
                }
                _ if idle => {
                    let by = self.world.lock().dice.between(2_000, 90_000);
                    self.time_goes_on(SignedDuration::from_millis(by));
                }
                _ => {
                    self.step();
                    let by = self.world.lock().dice.between(1, 120);
                    self.time_goes_on(SignedDuration::from_millis(by));
                }
            }
        }
    }

    /// The poller hardly ever waits where nothing else finds what it misses.
    fn ticks_soon(&self) -> bool {
        let mut state = self.world.lock();
        state.faults.sort.roundless && state.dice.below(2) == 0
    }

    /// At least once is sometimes twice at the same time.
    fn redeliver(&mut self) {
        let mut state = self.world.lock();
        let now = state.now;
        let running: Vec<u64> = self.tasks.iter().flat_map(|t| t.messages.iter().map(|m| m.id)).collect();
        if !running.is_empty() && state.strikes(Kind::Redelivery) {
            state.queue.hide(&running, now);
            let state = &mut *state;
            say!(state, "queue", "shows messages again that are being worked on");
        }
    }

    /// Calm: everything that is ready is worked off, one after the other.
    pub(crate) fn drain(&mut self) -> bool {
        loop {
            self.steps += 1;
            if self.steps > STEPS {
                return false;
            }
            while self.step() {
                self.time_goes_on(SignedDuration::from_millis(20));
                self.steps += 1;
                if self.steps > STEPS {
                    return false;
                }
            }
            let (ready, next) = {
                let state = self.world.lock();
                let next = [state.queue.next(state.now), state.late.iter().map(|l| l.at).min()];
                (
                    state.queue.ready(state.now),
                    next.into_iter().flatten().min().map(|at| at.duration_since(state.now)),
                )
            };
            match (ready.first(), next) {
                (Some(group), _) => self.start_writer(group),
                (None, Some(by)) => self.time_goes_on(by + SignedDuration::from_millis(1)),
                (None, None) => return true,
            }
        }
    }

    /// Time passes, the poller ticks, and what that brings is worked off.
    pub(crate) fn rest(&mut self, minutes: i64) -> bool {
        self.time_goes_on(SignedDuration::from_mins(minutes));
        self.start_tick();
        self.drain()
    }

    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }
}
