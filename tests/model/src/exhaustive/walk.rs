//! One way through the small world: what may happen next, and what tells one state from another.

use super::{Seen, Small};
use crate::{
    dice::Dice,
    executor::Executor,
    faults::Faults,
    invariant::Invariant,
    invariants,
    samples::{CUSTOMERS, NAMES, NOTES, incoming},
    schedule::LEAN,
    trace::say,
    world::{State, World},
};
use jiff::SignedDuration;
use mapping::ReferralId;
use serde_json::json;
use std::{
    fmt::{self, Write as _},
    hash::{DefaultHasher, Hasher},
    sync::Arc,
};

/// How one way ended.
pub(super) enum Way {
    /// At a state that was seen before.
    Seen,
    /// At rest: nothing is left to happen.
    End,
}

/// A way that was walked.
pub(super) struct Walked {
    pub(super) way: Way,
    /// (chosen, of how many).
    pub(super) path: Vec<(usize, usize)>,
    /// Where nobody was at work, and after how many choices: other ways go on from there, not from the very beginning.
    pub(super) points: Vec<(usize, Arc<Point>)>,
    pub(super) violations: Vec<String>,
    pub(super) trace: Vec<String>,
}

/// A state in which nobody is at work.
pub(super) struct Point {
    world: World,
    referral: ReferralId,
    started: u32,
    left: Left,
    /// The choices that lead here.
    pub(super) chosen: Vec<u8>,
}

/// What people and the poller may still do.
#[derive(Clone, Copy, Debug)]
struct Left {
    portal: u32,
    seller: u32,
    ticks: u32,
}

impl Point {
    /// One deal, accepted and linked; the marks are set.
    pub(super) fn first(small: &Small, trace: bool) -> Arc<Self> {
        let mut faults = Faults::scripted(&small.allowed, small.faults);
        faults.on = false;
        let world = World::new(&LEAN, Dice::script(vec![]), faults, trace);
        let mut executor = Executor::new(&world);
        executor.rest(1);
        executor.rest(1);
        let referral = {
            let mut state = world.lock();
            state.now += SignedDuration::from_mins(1);
            let mut body = incoming(CUSTOMERS[0]);
            body["status"] = json!("Active");
            body["substatus"] = json!("Accepted");
            state.receive_referral(body)
        };
        executor.rest(1);
        executor.rest(1);
        let started = executor.started();
        drop(executor);
        world.lock().faults.on = true;
        let left = Left { portal: small.edits, seller: small.edits, ticks: small.ticks };
        Arc::new(Point { world, referral, started, left, chosen: vec![] })
    }
}

pub(super) fn walk(from: &Arc<Point>, path: Vec<(usize, usize)>, seen: Option<&Seen>) -> Walked {
    let given = path.len();
    let (world, id) = (from.world.again(Dice::script(path)), &from.referral);
    let mut executor = Executor::after(&world, from.started);
    let record = world.lock().crm.all().map(|(id, _)| id.clone()).next().unwrap_or_default();
    let (mut left, mut points) = (from.left, vec![(0, from.clone())]);
    let way = loop {
        let options = options(&world, &executor, &left, &record);
        let taken = world.lock().dice.taken().to_vec();
        if let (true, Some(seen)) = (taken.len() >= given, seen) {
            if !seen.is_new(digest(&world.lock(), &executor, &left)) {
                break Way::Seen;
            }
            if !taken.is_empty() && executor.running() == (0, 0) {
                let mut chosen = from.chosen.clone();
                chosen.extend(taken.iter().map(|(chosen, _)| *chosen as u8));
                let (referral, started) = (id.clone(), executor.started());
                let world = world.again(Dice::script(vec![]));
                points.push((taken.len(), Arc::new(Point { world, referral, started, left, chosen })));
            }
        }
        let chosen = world.lock().dice.choose(options.len());
        match options[chosen] {
            Choice::Step(task) => executor.step_of(task),
            Choice::Writer(n) => {
                let group = {
                    let state = world.lock();
                    state.queue.ready(state.now)[n].clone()
                };
                executor.start_writer(&group);
            }
            Choice::Tick => {
                left.ticks -= 1;
                executor.start_tick();
            }
            Choice::Portal(field, value) => {
                left.portal -= 1;
                let (path, value) = match field {
                    0 => ("/name", NAMES[value]),
                    _ => ("/details/notes", NOTES[value]),
                };
                world.lock().colleague(id, path, json!(value));
            }
            Choice::Seller(field, value) => {
                left.seller -= 1;
                let (column, value) = seller_writes(field, value);
                world.lock().sales(&record, column, json!(value));
            }
            Choice::Land => {
                let mut state = world.lock();
                let late = state.late.remove(0);
                state.land(late);
            }
            Choice::Wait => executor.wait(),
            Choice::End => break Way::End,
        }
    };
    if matches!(way, Way::End) {
        calm(&world, executor);
    }
    let mut state = world.lock();
    let path = state.dice.taken().to_vec();
    let violations = state.violations.drain(..).map(|violation| violation.to_string()).collect();
    Walked { way, path, points, violations, trace: std::mem::take(&mut state.trace.lines) }
}

#[derive(Clone, Copy, Debug)]
enum Choice {
    Step(usize),
    Writer(usize),
    Tick,
    /// Which field a colleague edits in Partner Center, and which value it gets; the next one is the same in the CRM.
    Portal(usize, usize),
    Seller(usize, usize),
    Land,
    Wait,
    End,
}

/// What a seller writes: column and value.
fn seller_writes(field: usize, value: usize) -> (&'static str, &'static str) {
    if field == 0 { ("name", NAMES[value]) } else { ("description", NOTES[value]) }
}

/// Whoever writes what is there does nothing.
fn shows(state: &State, record: &str, (column, value): (&str, &str)) -> bool {
    state.crm.now(record).is_some_and(|shape| shape.own.get(column).is_some_and(|shown| shown == value))
}

/// Everything that may happen next.
fn options(world: &World, executor: &Executor<'_>, left: &Left, record: &str) -> Vec<Choice> {
    let state = world.lock();
    let (writers, pollers) = executor.running();
    let mut options: Vec<Choice> = (0..writers + pollers).map(Choice::Step).collect();
    if writers < 2 {
        options.extend((0..state.queue.ready(state.now).len()).map(Choice::Writer));
    }
    if left.ticks > 0 && pollers == 0 {
        options.push(Choice::Tick);
    }
    // A value is what it was in the beginning or another one.
    for field in 0..2 {
        for value in [0, 1] {
            if left.portal > 0 {
                options.push(Choice::Portal(field, value));
            }
            let value = value + usize::from(value == 1);
            if left.seller > 0 && !shows(&state, record, seller_writes(field, value)) {
                options.push(Choice::Seller(field, value));
            }
        }
    }
    if !state.late.is_empty() {
        options.push(Choice::Land);
    }
    if writers + pollers == 0 {
        let waits = state.queue.ready(state.now).is_empty() && !state.queue.is_empty();
        options.push(if waits { Choice::Wait } else { Choice::End });
    }
    options
}

/// Faults stop, everything is worked off, and nothing more is written.
fn calm(world: &World, mut executor: Executor<'_>) {
    {
        let mut state = world.lock();
        state.faults.on = false;
        let state = &mut *state;
        say!(state, "----", "calm");
    }
    let mut rests = executor.drain();
    for minutes in [6, 16, 61, 400] {
        rests = rests && executor.rest(minutes);
    }
    let before = world.lock().counts.writes;
    rests = rests && executor.rest(16);
    let mut state = world.lock();
    if !rests {
        state.violate(Invariant::Rest, "it does not come to rest".into());
    }
    if state.counts.writes > before {
        state.violate(Invariant::Rest, "writes after everything had come to rest".into());
    }
    invariants::check(&mut state);
}

/// What tells one state from another. The clock only goes on where somebody waits, and is in what is hashed.
fn digest(state: &State, executor: &Executor<'_>, left: &Left) -> u64 {
    let mut hash = Hashed(DefaultHasher::new());
    // What nobody can see any more (older versions) tells no states apart.
    for referral in state.center.all() {
        _ = write!(hash, "{}", referral.body());
    }
    for (id, shape) in state.crm.all() {
        _ = write!(hash, "{id}{shape:?}");
    }
    let left = (left.portal, left.seller, left.ticks, state.faults.left, state.now);
    state.table.told(&mut hash);
    state.queue.told(&mut hash);
    for late in &state.late {
        _ = write!(hash, "{:?}{:?}", late.at, late.what);
    }
    _ = write!(hash, "{:?}{left:?}", state.ledger);
    executor.told(&state.queue, &mut hash);
    hash.0.finish()
}

/// Text that is only hashed.
struct Hashed(DefaultHasher);

impl fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
