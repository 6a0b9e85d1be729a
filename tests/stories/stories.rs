//! Stories on the command line: many, one in words, the smallest that breaks (`--help`).

use local::arguments;
use mapping::CrmKind;
use std::{
    collections::BTreeMap,
    io::IsTerminal,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use stories::{
    find::Teller,
    kept::Kept,
    known::Known,
    play::{Outcome, play},
    story::Story,
};

const HELP: &str = "\
random stories of a company, told to the real functions and the simulators, and judged from outside

usage: cargo run --release --example stories -- [options]

  --stories N      so many stories of each CRM, 200 unless told
  --seed S         the first seed, 1 unless told
  --crm X          dynamics365 or salesforce alone
  --replay SEED    tells one story in words, and what became of it; with both CRMs unless --crm names one
  --file FILE      tells a kept story
  --shrink KIND    with --replay: the smallest story of that seed that breaks in this way; `any`: in its first one
  --keep FILE      ... and keeps it there as JSON
  --all            known faults count too
  --threads N      so many at the same time, 2 unless told
  --help           this

it ends with 0 if nothing unknown broke, 1 if something did or a mended fault is still excused, 2 if it does not
understand";

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Wanted {
    stories: u64,
    seed: u64,
    crms: Vec<CrmKind>,
    replay: Option<u64>,
    file: Option<PathBuf>,
    shrink: Option<String>,
    keep: Option<PathBuf>,
    all: bool,
    threads: usize,
}

fn parse(words: &mut dyn Iterator<Item = String>) -> Result<Option<Wanted>, String> {
    let mut wanted = Wanted {
        stories: 200,
        seed: 1,
        crms: vec![CrmKind::Dynamics365, CrmKind::Salesforce],
        replay: None,
        file: None,
        shrink: None,
        keep: None,
        all: false,
        threads: 2,
    };
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or_else(|| format!("`{word}`: a value is missing"));
        let number = |text: String| {
            text.parse::<u64>().map_err(|_| format!("`{word} {text}`: expected a whole number"))
        };
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--stories" => wanted.stories = number(next()?)?,
            "--seed" => wanted.seed = number(next()?)?,
            "--crm" => wanted.crms = vec![next()?.parse().map_err(|e| format!("`--crm`: {e}"))?],
            "--replay" => wanted.replay = Some(number(next()?)?),
            "--file" => wanted.file = Some(next()?.into()),
            "--shrink" => wanted.shrink = Some(next()?),
            "--keep" => wanted.keep = Some(next()?.into()),
            "--all" => wanted.all = true,
            "--threads" => wanted.threads = number(next()?)?.clamp(1, 64) as usize,
            other => return Err(format!("`{other}` is not known")),
        }
    }
    if wanted.shrink.is_some() && wanted.replay.is_none() {
        return Err("`--shrink` goes with `--replay`".to_owned());
    }
    if wanted.keep.is_some() && wanted.shrink.is_none() {
        return Err("`--keep` goes with `--shrink`".to_owned());
    }
    Ok(Some(wanted))
}

fn main() -> ExitCode {
    let wanted = match arguments::read(HELP, parse) {
        Ok(wanted) => wanted,
        Err(code) => return code,
    };
    // A panic is a violation with words of its own.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(file) = &wanted.file {
        let kept = Kept::read(file).and_then(|kept| Ok((kept.crm()?, kept.story)));
        return match kept {
            Ok((crm, story)) => told(&[crm], |_| story.clone()),
            Err(e) => {
                eprintln!("--file {e}");
                ExitCode::from(2)
            }
        };
    }
    match (wanted.replay, &wanted.shrink) {
        (Some(seed), None) => told(&wanted.crms, |crm| Teller::new(crm).story(seed)),
        (Some(seed), Some(kind)) => shrunken(&wanted, seed, kind),
        (None, _) => many(&wanted),
    }
}

/// One story in words, and what became of it.
fn told(crms: &[CrmKind], story: impl Fn(CrmKind) -> Story) -> ExitCode {
    let mut fine = true;
    for crm in crms {
        let story = story(*crm);
        println!("with {crm}:");
        for line in story.lines() {
            println!("  {line}");
        }
        let outcome = play(&story, *crm);
        println!("what happened:");
        for line in &outcome.trace {
            println!("  {line}");
        }
        for violation in &outcome.violations {
            println!("violation: {}: {}", violation.kind, violation.words);
        }
        fine &= outcome.violations.is_empty();
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn shrunken(wanted: &Wanted, seed: u64, kind: &str) -> ExitCode {
    for crm in &wanted.crms {
        let teller = Teller::new(*crm);
        let outcome = teller.play(seed);
        let found = outcome.violations.iter().find(|v| kind == "any" || v.kind == kind);
        let Some(found) = found else {
            println!("{crm}: nothing of the kind");
            continue;
        };
        let story = teller.shrink(seed, &found.kind);
        println!("{crm}, {}: {}", found.kind, found.words);
        for line in story.lines() {
            println!("  {line}");
        }
        if let Some(file) = &wanted.keep {
            let kept = Kept {
                fault: found.words.chars().take(200).collect(),
                kind: found.kind.clone(),
                open: true,
                crm: crm.to_string(),
                seed,
                story,
            };
            if let Err(e) = kept.write(file) {
                eprintln!("--keep {e}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::FAILURE
}

/// What broke, how often, and where first.
#[derive(Default)]
struct Tally {
    kinds: BTreeMap<String, (u64, String, CrmKindAt)>,
}

type CrmKindAt = Option<(CrmKind, u64)>;

fn many(wanted: &Wanted) -> ExitCode {
    let began = Instant::now();
    let tasks: Vec<(CrmKind, u64)> = (0..wanted.stories)
        .flat_map(|n| wanted.crms.iter().map(move |crm| (*crm, wanted.seed + n)))
        .collect();
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    let longest = Mutex::new((Duration::ZERO, 0, CrmKind::Dynamics365));
    std::thread::scope(|scope| {
        for _ in 0..wanted.threads {
            std::thread::Builder::new()
                .stack_size(16 << 20)
                .spawn_scoped(scope, || {
                    let tellers: Vec<(CrmKind, Teller)> =
                        wanted.crms.iter().map(|crm| (*crm, Teller::new(*crm))).collect();
                    loop {
                        let n = next.fetch_add(1, Relaxed);
                        let Some((crm, seed)) = usize::try_from(n).ok().and_then(|n| tasks.get(n)) else {
                            return;
                        };
                        let teller = tellers.iter().find(|(of, _)| of == crm).map(|(_, teller)| teller);
                        let start = Instant::now();
                        let outcome = teller.map(|teller| teller.play(*seed)).unwrap_or_default();
                        let mut longest = longest.lock().unwrap_or_else(PoisonError::into_inner);
                        if start.elapsed() > longest.0 {
                            *longest = (start.elapsed(), *seed, *crm);
                        }
                        drop(longest);
                        note(&tally, &outcome, *crm, *seed);
                        progress(n + 1, tasks.len() as u64, began);
                    }
                })
                .expect("a thread");
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    let longest = longest.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{} stories in {seconds:.1} s, {:.1} a second; the longest {:.1} s ({} {})",
        tasks.len(),
        tasks.len() as f64 / seconds,
        longest.0.as_secs_f64(),
        longest.2,
        longest.1
    );
    let known = stories::known::known();
    let mut unknown = 0;
    for (kind, (times, words, at)) in &tally.kinds {
        let faults = known.iter().find(|known| known.covers(kind)).map(|known| known.faults.join(", "));
        if faults.is_none() {
            unknown += 1;
        }
        if wanted.all || faults.is_none() {
            let (crm, seed) = at.unwrap_or((CrmKind::Dynamics365, 0));
            let cut: String = words.chars().take(260).collect();
            println!(
                "{times:5} {kind} [{}] first: --crm {crm} --replay {seed}\n      {cut}",
                faults.unwrap_or("new".into())
            );
        }
    }
    println!("{} kinds of violations, {unknown} of them not known", tally.kinds.len());
    if nothing_mended_is_excused(&known) && unknown == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Names the lines of `known.txt` that excuse a fault whose kept stories are all mended.
fn nothing_mended_is_excused(known: &[Known]) -> bool {
    let kept = match Kept::all() {
        Ok(kept) => kept,
        Err(e) => {
            eprintln!("the kept stories: {e}");
            return false;
        }
    };
    let mut fine = true;
    for line in known {
        let mended = line.mended(&kept);
        if !mended.is_empty() {
            fine = false;
            println!("known.txt excuses `{}` by what is mended: {}", line.kind, mended.join(", "));
        }
    }
    fine
}

fn note(tally: &Mutex<Tally>, outcome: &Outcome, crm: CrmKind, seed: u64) {
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    for violation in &outcome.violations {
        let entry = tally.kinds.entry(violation.kind.clone()).or_insert((
            0,
            violation.words.clone(),
            Some((crm, seed)),
        ));
        entry.0 += 1;
        if entry.2.is_some_and(|(_, first)| seed < first) {
            entry.1.clone_from(&violation.words);
            entry.2 = Some((crm, seed));
        }
    }
}

/// On standard error: a line that is written over at a terminal, else one for each tenth.
fn progress(done: u64, all: u64, began: Instant) {
    let rate = done as f64 / began.elapsed().as_secs_f64();
    if std::io::stderr().is_terminal() {
        eprint!("\r{done} of {all} stories, {rate:.1} a second ");
    } else if done.is_multiple_of(all.div_ceil(10).max(1)) {
        eprintln!("{done} of {all} stories, {rate:.1} a second");
    }
}
