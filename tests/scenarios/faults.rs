//! Every scenario once more with one thing going wrong at each of its k outside calls: the answer lost, the request lost,
//! throttling, an outage, and the handler killed before and after the call took effect. All end right.
//!
//! Without more, one call of each scenario is struck; `FAULTS=each` strikes each call in one of the ways in turn,
//! `FAULTS=third:N` every third of these (N from 0 to 2: together they are all), and `FAULTS=all` each call in every way.
//! A failure is named `scenario:call:way`, and
//! `FAULT=scenario:call:way cargo test --test scenarios one_fault` plays it again.

use simulators::server::{Blow, FaultKind, Strike};
use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

thread_local! {
    static STRIKE: RefCell<Option<Arc<Strike>>> = const { RefCell::new(None) };
}

/// What the stage that opens on this thread shall suffer.
pub(crate) fn strike() -> Option<Arc<Strike>> {
    STRIKE.with_borrow(Clone::clone)
}

/// Whether it has suffered it.
pub(crate) fn struck() -> bool {
    STRIKE.with_borrow(|strike| strike.as_ref().is_some_and(|strike| strike.has_struck()))
}

fn ways() -> Vec<(&'static str, Blow)> {
    let answer = |status: u16, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Blow::Fault(FaultKind::Answer { status, headers, body: String::new() })
    };
    vec![
        ("answer-lost", Blow::Fault(FaultKind::DropAfter)),
        ("429", answer(429, &[("retry-after", "7")])),
        ("killed-after", Blow::Kill { after_commit: true }),
        ("503", answer(503, &[])),
        ("500-after", Blow::Fault(FaultKind::AnswerAfter { status: 500, body: "<html>".into() })),
        ("killed-before", Blow::Kill { after_commit: false }),
        ("request-lost", Blow::Fault(FaultKind::DropBefore)),
    ]
}

/// What became of a scenario.
struct Played {
    /// How many calls it made.
    calls: u32,
    /// Whether it came as far as the call that was to be struck.
    struck: bool,
    /// Whether it ended right.
    right: bool,
}

/// Plays the scenario with that strike.
fn play(scenario: fn(), at: u32, blow: Blow) -> Played {
    let strike = Strike::new(at, blow);
    STRIKE.set(Some(strike.clone()));
    let ended = catch_unwind(AssertUnwindSafe(scenario));
    STRIKE.set(None);
    Played { calls: strike.seen(), struck: strike.has_struck(), right: ended.is_ok() }
}

/// Strikes the calls of each scenario.
pub(crate) fn every(file: &str, scenarios: &[(&str, fn())]) {
    let wanted = std::env::var("FAULTS").unwrap_or_default();
    let third = wanted.strip_prefix("third:").map(|n| n.parse::<usize>().expect("`third:N`") % 3);
    let ways = ways();
    let mut wrong = vec![];
    for (turn, (name, scenario)) in scenarios.iter().enumerate() {
        let calls = play(*scenario, u32::MAX, Blow::Fault(FaultKind::DropAfter)).calls;
        let (mut played, mut missed) = (0, vec![]);
        for call in 0..calls {
            for (n, (way, blow)) in ways.iter().enumerate() {
                let in_turn = n == (turn + call as usize) % ways.len();
                let chosen = match wanted.as_str() {
                    "all" => true,
                    "each" => in_turn,
                    _ if third.is_some() => in_turn && third == Some((turn + call as usize) % 3),
                    _ => in_turn && call == turn as u32 % calls,
                };
                if chosen {
                    played += 1;
                    let ended = play(*scenario, call, blow.clone());
                    if !ended.right {
                        wrong.push(format!("{name}:{call}:{way}"));
                    }
                    if !ended.struck {
                        missed.push(format!("{call}:{way}"));
                    }
                }
            }
        }
        let apart = if missed.is_empty() { "" } else { ", not struck: " };
        println!("{file}::{name}: {calls} outside calls, {played} faults{apart}{}", missed.join(", "));
        // What runs side by side may make a call less than when they were counted: the last ones may not be reached.
        if played > 0 && missed.len() == played {
            wrong.push(format!("{name}: none of its faults struck ({})", missed.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{} ended wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// `FAULT=scenario:call:way`, if it is one of these scenarios.
pub(crate) fn one(scenarios: &[(&str, fn())]) {
    let Ok(wanted) = std::env::var("FAULT") else { return };
    let mut parts = wanted.split(':');
    let (Some(name), Some(call), Some(way)) = (parts.next(), parts.next(), parts.next()) else {
        panic!("`FAULT={wanted}`: expected `scenario:call:way`");
    };
    let call = call.parse().unwrap_or_else(|e| panic!("`FAULT={wanted}`: {e}"));
    let ways = ways();
    let blow = ways.iter().find(|(known, _)| *known == way);
    let (_, blow) = blow.unwrap_or_else(|| panic!("`{way}`: expected one of {:?}", ways.iter().map(|w| w.0)));
    if let Some((_, scenario)) = scenarios.iter().find(|(known, _)| *known == name) {
        let ended = play(*scenario, call, blow.clone());
        assert!(ended.right, "ended wrong: {wanted}");
        assert!(ended.struck, "not struck: {wanted}: it made {} calls", ended.calls);
    }
}

/// Names the scenarios of a file that must also end right when something fails.
macro_rules! whatever_fails {
    ($($name:ident,)+) => {
        const SCENARIOS: &[(&str, fn())] = &[$((stringify!($name), $name)),+];

        #[test]
        fn whatever_fails() {
            crate::faults::every(module_path!(), SCENARIOS);
        }

        #[test]
        fn one_fault() {
            crate::faults::one(SCENARIOS);
        }
    };
}
pub(crate) use whatever_fails;
