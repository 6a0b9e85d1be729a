//! The model on the command line: many schedules, one in words, the planted bugs, the whole small world (`--help`).

#[path = "../../local/arguments.rs"]
mod arguments;

use mapping::CrmKind;
use model::{
    Invariant, Setting,
    exhaustive::{KINDS, Small, explore, replay},
    faults::Allowed,
    planted::{Hunt, SOUGHT, hunt_all},
    run,
    schedule::kinds,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use sync::planted::{Bug, plant};

/// What to write after `--help`.
const HELP: &str = "\
the protocol in a deterministic simulation: each seed is a schedule of edits, runs and faults

  --schedules N       so many schedules, 10000 unless told; with --planted-bugs so many at most for each bug, 40000
  --seed S            the first one, 1 unless told
  --crm salesforce    with Salesforce's versions and feeds (whole seconds, late commits); dynamics365 unless told
  --every N           only each Nth seed from there
  --replay SEED       one schedule in words; with --bug NAME as it goes with that bug
  --planted-bugs      each planted bug by itself until it is seen: 1 if one stays alive; a rare one at the seed that
                      is known to show it, unless --seed says where to begin
  --bug NAME          only this one
  --calm              no faults
  --with KINDS        these kinds of faults too, --without KINDS not these, --only KINDS nothing
                      else, and those often
  --exhaustive        the whole small world: --edits N a side, --faults N, --ticks N, --states N at most;
                      --choices LIST goes one way of it, in words

it ends with 0 if everything held, 1 if not, 2 if it does not understand";

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Wanted {
    schedules: Option<u64>,
    seed: u64,
    every: u64,
    replay: Option<u64>,
    small: Option<Small>,
    choices: Option<Vec<usize>>,
    planted: bool,
    bug: Option<Bug>,
    crm: CrmKind,
    allowed: Allowed,
}

/// `None`: only help is wanted.
fn wanted(words: &mut dyn Iterator<Item = String>) -> Result<Option<Wanted>, String> {
    let mut wanted = Wanted {
        schedules: None,
        seed: 1,
        every: 1,
        replay: None,
        small: None,
        choices: None,
        planted: false,
        bug: None,
        crm: CrmKind::Dynamics365,
        allowed: Allowed::new(true),
    };
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("`{text}` is no number"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--schedules" => wanted.schedules = Some(number(next()?)?),
            "--seed" => wanted.seed = number(next()?)?,
            "--every" => wanted.every = number(next()?)?,
            "--replay" => wanted.replay = Some(number(next()?)?),
            "--crm" => wanted.crm = next()?.parse().map_err(|e| format!("{e}"))?,
            "--planted-bugs" => wanted.planted = true,
            "--bug" => {
                let name = next()?;
                let named = Bug::ALL.iter().find(|bug| format!("{bug:?}") == name);
                wanted.bug = Some(*named.ok_or_else(|| format!("`{name}` is no planted bug"))?);
            }
            "--exhaustive" => _ = small(&mut wanted),
            "--edits" => {
                small(&mut wanted).edits = next()?.parse().map_err(|_| "`--edits` needs a number")?
            }
            "--faults" => {
                small(&mut wanted).faults = next()?.parse().map_err(|_| "`--faults` needs a number")?
            }
            "--ticks" => {
                small(&mut wanted).ticks = next()?.parse().map_err(|_| "`--ticks` needs a number")?
            }
            "--states" => {
                small(&mut wanted).most = next()?.parse().map_err(|_| "`--states` needs a number")?
            }
            "--choices" => {
                let text = next()?;
                let choices: Result<Vec<usize>, _> = text.split(',').map(str::parse).collect();
                wanted.choices = Some(choices.map_err(|_| format!("`{text}` is no list of choices"))?);
            }
            "--calm" => wanted.allowed = Allowed::new(false),
            "--with" => wanted.allowed.set(&next()?, true)?,
            "--without" => wanted.allowed.set(&next()?, false)?,
            "--only" => {
                wanted.allowed = Allowed::only(&next()?)?;
            }
            _ => return Err(format!("`{word}` is not known, see `--help`")),
        }
    }
    if wanted.bug.is_some() && !wanted.planted && wanted.replay.is_none() {
        return Err("`--bug` goes with `--planted-bugs` or `--replay`".into());
    }
    Ok(Some(wanted))
}

fn small(wanted: &mut Wanted) -> &mut Small {
    wanted.small.get_or_insert_with(|| {
        let mut allowed = Allowed::new(false);
        for kind in KINDS {
            _ = allowed.set(kind.word(), true);
        }
        Small { edits: 1, faults: 1, ticks: 1, allowed, most: 0 }
    })
}

/// The small world, whole.
fn whole(small: &Small, choices: Option<&[usize]>) -> ExitCode {
    if let Some(choices) = choices {
        let (violations, trace) = replay(small, choices);
        for line in trace.into_iter().chain(violations.iter().map(|words| format!("violation: {words}"))) {
            println!("{line}");
        }
        return if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let began = Instant::now();
    let report = explore(small);
    let extent = if report.whole { "all" } else { "not all" };
    println!(
        "{} edits a side, {} faults, {} ticks: {} states, {extent} of them, {} ways, {} ends checked, longest {} choices, {:.1} s",
        small.edits,
        small.faults,
        small.ticks,
        report.states,
        report.ways,
        report.ends,
        report.longest,
        began.elapsed().as_secs_f64()
    );
    for (words, choices) in &report.broken {
        let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
        println!(
            "{words}\n  --exhaustive --edits {} --faults {} --ticks {} --choices {}",
            small.edits,
            small.faults,
            small.ticks,
            choices.join(",")
        );
    }
    if report.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    let help = format!("{HELP}\n\nfaults: {}", kinds().join(", "));
    let wanted = match arguments::read(&help, wanted) {
        Ok(wanted) => wanted,
        Err(code) => return code,
    };
    if let Some(small) = &wanted.small {
        return whole(small, wanted.choices.as_deref());
    }
    if wanted.planted {
        return planted_bugs(&wanted);
    }
    if let Some(seed) = wanted.replay {
        plant(wanted.bug);
        let outcome = run(seed, &Setting { allowed: wanted.allowed, crm: wanted.crm, trace: true });
        for line in &outcome.trace {
            println!("{line}");
        }
        for words in &outcome.violations {
            println!("violation: {words}");
        }
        return if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    many(&wanted)
}

/// Each planted bug: how many schedules until it is seen, and what gives it away.
fn planted_bugs(wanted: &Wanted) -> ExitCode {
    let setting = Setting { allowed: wanted.allowed.clone(), crm: wanted.crm, trace: false };
    let most = wanted.schedules.unwrap_or(40_000);
    let bugs: Vec<Bug> = wanted.bug.map_or_else(|| Bug::ALL.to_vec(), |bug| vec![bug]);
    println!("| planted bug | schedules | seed | invariants | first words |\n|---|---|---|---|---|");
    let hunts =
        hunt_all(&bugs, (wanted.seed, wanted.every), most, &setting, |hunt| println!("{}", row(hunt)));
    let missed = hunts.iter().filter(|hunt| hunt.caught.is_none());
    let (sought, alive): (Vec<_>, Vec<_>) = missed.partition(|hunt| SOUGHT.contains(&hunt.bug));
    let (sought, alive) = (sought.len(), alive.len());
    let schedules: u64 = hunts.iter().map(|hunt| hunt.schedules).sum();
    println!("\n{} planted bugs, {alive} alive, {sought} still sought, {schedules} schedules", hunts.len());
    for broken in hunts.iter().flat_map(|hunt| &hunt.broken).collect::<BTreeSet<_>>() {
        println!("broken without any bug: --replay {broken}");
    }
    let idle = |invariant: &&Invariant| {
        let trips = |hunt: &Hunt| hunt.caught.as_ref().is_some_and(|c| c.all.contains(invariant));
        !hunts.iter().any(trips)
    };
    let idle: Vec<_> = Invariant::ALL.iter().filter(idle).map(|i| i.word()).collect();
    let idle = if wanted.bug.is_none() { idle } else { vec![] };
    if !idle.is_empty() {
        println!("tripped by no bug: {}", idle.join(", "));
    }
    let clean = hunts.iter().all(|hunt| hunt.broken.is_empty());
    if alive == 0 && idle.is_empty() && clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(hunt: &Hunt) -> String {
    match &hunt.caught {
        Some(caught) => {
            let words: String = caught.words.chars().take(100).collect();
            let (schedules, seed) = (hunt.schedules, caught.seed);
            let only =
                if caught.only.is_empty() { String::new() } else { format!(" --only {}", caught.only) };
            let all: Vec<_> = caught.all.iter().map(|invariant| invariant.word()).collect();
            format!("| {:?} | {schedules} | {seed}{only} | {} | {words} |", hunt.bug, all.join(", "))
        }
        None => {
            format!("| {:?} | ALIVE after {} | - | - | {} |", hunt.bug, hunt.schedules, hunt.bug.sentence())
        }
    }
}

/// A word after so many schedules: ten million take an hour.
const TELL: u64 = 100_000;

fn many(wanted: &Wanted) -> ExitCode {
    let began = Instant::now();
    let schedules = wanted.schedules.unwrap_or(10_000);
    let setting = Setting { allowed: wanted.allowed.clone(), crm: wanted.crm, trace: false };
    let next = AtomicU64::new(0);
    let totals = [const { AtomicU64::new(0) }; 5];
    let broken: Mutex<BTreeMap<String, (u64, u64)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    if n >= schedules {
                        return;
                    }
                    if n > 0 && n.is_multiple_of(TELL) {
                        let broken = broken.lock().unwrap_or_else(PoisonError::into_inner).len();
                        eprintln!("{n} of {schedules} schedules, {broken} kinds of violations");
                    }
                    let seed = wanted.seed + n * wanted.every;
                    let outcome = run(seed, &setting);
                    let figures =
                        [outcome.steps, outcome.acts, outcome.faults, outcome.calls, outcome.linked];
                    for (total, figure) in totals.iter().zip(figures) {
                        total.fetch_add(u64::from(figure), Relaxed);
                    }
                    for words in outcome.violations {
                        let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
                        let kind = without_ids(&words.to_string());
                        // Said at once: the table below comes when all is over.
                        if !broken.contains_key(&kind) {
                            eprintln!("{words}   (--replay {seed})");
                        }
                        let entry = broken.entry(kind).or_insert((seed, 0));
                        *entry = (entry.0.min(seed), entry.1 + 1);
                    }
                }
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let [steps, acts, faults, calls, linked] = totals.map(|t| t.into_inner());
    println!(
        "{schedules} schedules in {seconds:.1} s ({:.0} a second): {steps} steps, {acts} acts, {faults} faults, {calls} outside calls, {linked} linked",
        schedules as f64 / seconds
    );
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut kinds: Vec<_> = broken.iter().collect();
    kinds.sort_by_key(|(_, (_, count))| std::cmp::Reverse(*count));
    for (words, (seed, count)) in &kinds {
        println!("{count:>6} x {words}   (--replay {seed})");
    }
    if kinds.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Violations of one kind count as one: ids and values left out.
fn without_ids(words: &str) -> String {
    let mut kind = String::new();
    for word in words.split(' ') {
        let id = word.trim_end_matches(':');
        let is_id = id.len() == 4 && id.bytes().all(|b| b.is_ascii_hexdigit());
        kind.push_str(if is_id { "…" } else { word });
        kind.push(' ');
    }
    kind.chars().take(110).collect()
}
