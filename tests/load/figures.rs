//! What a profile cost and how it ended, as a table.

/// One line of the table.
pub(crate) struct Figures {
    pub(crate) profile: &'static str,
    pub(crate) events: u64,
    pub(crate) changes: u64,
    pub(crate) calls: u64,
    pub(crate) hot_reads: Option<u64>,
    pub(crate) table: u64,
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    pub(crate) left: usize,
    pub(crate) dead: usize,
    pub(crate) wall: f64,
    /// Of the whole process, simulators included; `None`: this system does not tell.
    pub(crate) cpu: Option<f64>,
}

const HEAD: [&str; 13] = [
    "profile",
    "events",
    "changes",
    "outside calls",
    "calls per change",
    "reads of the hot referral",
    "table operations",
    "lost",
    "doubled",
    "left in queue",
    "dead letters",
    "wall seconds",
    "CPU ms per event",
];

/// Events: what people did. Changes: writes of ours that a vendor carried out.
pub(crate) fn print(rows: &[Figures]) {
    let cells = |f: &Figures| {
        let optional = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        [
            f.profile.to_owned(),
            f.events.to_string(),
            f.changes.to_string(),
            f.calls.to_string(),
            format!("{:.2}", f.calls as f64 / f.changes.max(1) as f64),
            optional(f.hot_reads.map(|n| n.to_string())),
            f.table.to_string(),
            f.lost.to_string(),
            f.doubled.to_string(),
            f.left.to_string(),
            f.dead.to_string(),
            format!("{:.1}", f.wall),
            optional(f.cpu.map(|seconds| format!("{:.2}", seconds * 1000.0 / f.events.max(1) as f64))),
        ]
    };
    let lines: Vec<[String; 13]> =
        std::iter::once(HEAD.map(str::to_owned)).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    println!();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().enumerate().map(|(n, cell)| format!("{cell:>width$}", width = width(n))).collect();
        println!("{}", cells.join(" | "));
    }
}

/// Seconds of CPU this process has used, where the system tells by `/proc` (in hundredths of a second).
pub(crate) fn cpu() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}
