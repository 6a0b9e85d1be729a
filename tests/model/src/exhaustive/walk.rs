//! One way through the small world: what may happen next, and what tells one state from another.

use super::{Small, held};
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
    collections::HashSet,
    fmt::{self, Write as _},
    hash::{DefaultHasher, Hasher},
    sync::Mutex,
};

/// How one way ended.
pub(super) enum Way {
    /// At a state that was seen before.
    Seen,
    /// At rest.
    End,
}

pub(super) type Walked = (Way, Vec<(usize, usize)>, Vec<String>, Vec<String>);

pub(super) fn walk(
    small: &Small,
    start: &Start,
    path: Vec<(usize, usize)>,
    seen: Option<&Mutex<HashSet<u64>>>,
) -> Walked {
    let given = path.len();
    let (world, id) = (start.world.again(Dice::Script { path, at: 0 }), &start.referral);
    let mut executor = Executor::new(&world);
    let record = world.lock().crm.all().map(|(id, _)| id.clone()).next().unwrap_or_default();
    let mut left = Left { portal: small.edits, seller: small.edits, ticks: small.ticks };
    let way = loop {
        let options = options(&world, &executor, &left);
        {
            let mut state = world.lock();
            let beyond = matches!(&state.dice, Dice::Script { at, .. } if *at >= given);
            if let (true, Some(seen)) = (beyond, seen)
                && !held(seen).insert(digest(&state, &executor, &left))
            {
                break Way::Seen;
            }
            let chosen = state.dice.choose(options.len());
            drop(state);
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
                    let (column, value) =
                        if field == 0 { ("name", NAMES[value]) } else { ("description", NOTES[value]) };
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
        }
    };
    if matches!(way, Way::End) {
        calm(&world, executor);
    }
    let mut state = world.lock();
    let Dice::Script { path, .. } = std::mem::replace(&mut state.dice, Dice::seeded(0)) else {
        return (way, vec![], vec!["the script is gone".into()], vec![]);
    };
    let violations = state.violations.drain(..).map(|violation| violation.to_string()).collect();
    (way, path, violations, std::mem::take(&mut state.trace.lines))
}

/// One deal, accepted and linked; the marks are set.
pub(super) struct Start {
    world: World,
    referral: ReferralId,
}

impl Start {
    pub(super) fn new(small: &Small, trace: bool) -> Self {
        let mut faults = Faults::scripted(&small.allowed, small.faults);
        faults.on = false;
        let script = Dice::Script { path: vec![], at: 0 };
        let world = World::new(&LEAN, script, faults, trace);
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
        drop(executor);
        world.lock().faults.on = true;
        Start { world, referral }
    }
}

/// What people and the poller may still do.
struct Left {
    portal: u32,
    seller: u32,
    ticks: u32,
}

#[derive(Clone, Copy, Debug)]
enum Choice {
    Step(usize),
    Writer(usize),
    Tick,
    /// Field and value.
    Portal(usize, usize),
    Seller(usize, usize),
    Land,
    Wait,
    End,
}

/// Everything that may happen next.
fn options(world: &World, executor: &Executor<'_>, left: &Left) -> Vec<Choice> {
    let state = world.lock();
    let (writers, pollers) = executor.running();
    let mut options: Vec<Choice> = (0..writers + pollers).map(Choice::Step).collect();
    if writers < 2 {
        options.extend((0..state.queue.ready(state.now).len()).map(Choice::Writer));
    }
    if left.ticks > 0 && pollers == 0 {
        options.push(Choice::Tick);
    }
    // A value is what it was in the beginning or another one; a field that shows it already is left alone.
    for field in 0..2 {
        for value in [0, 1] {
            if left.portal > 0 {
                options.push(Choice::Portal(field, value));
            }
            if left.seller > 0 {
                options.push(Choice::Seller(field, value + usize::from(value == 1)));
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
    _ = write!(hash, "{:?}{:?}{:?}{:?}", state.table, state.queue.messages, state.late, state.ledger);
    _ = write!(hash, "{left:?}");
    executor.told(&mut hash);
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
