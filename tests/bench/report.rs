//! The tables and the JSON.

use crate::figure::{Figure, Start};
use serde_json::{Value, json};

/// Prints how the functions start, then what each case costs.
pub(crate) fn print(starts: &[Start], figures: &[Figure]) {
    let megabytes = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |b| format!("{:.1}", b as f64 / 1e6));
    let head = ["function", "binary MB", "init ms, median", "fastest", "first event ms", "peak MB"];
    let rows = starts.iter().map(|start| {
        let fastest = start.init_ms.iter().copied().fold(f64::INFINITY, f64::min);
        vec![
            start.function.clone(),
            megabytes(start.bytes),
            format!("{:.1}", start.median_init()),
            format!("{fastest:.1}"),
            start.first_ms.map_or("-".to_owned(), |ms| format!("{ms:.1}")),
            megabytes(start.peak_bytes),
        ]
    });
    table(&head, rows.collect());
    let head = [
        "case",
        "events",
        "runs",
        "calls",
        "bytes",
        "table reads",
        "writes",
        "RU",
        "WU",
        "queue",
        "CPU us",
        "run p50 ms",
        "p99 ms",
        "events/s",
    ];
    println!("\nfor each event (runs: for each run)");
    table(&head, figures.iter().map(row).collect());
}

fn row(figure: &Figure) -> Vec<String> {
    let counts = figure.counts;
    let each = |count: u64| {
        let text = format!("{:.2}", figure.each(count));
        text.strip_suffix(".00").unwrap_or(&text).to_owned()
    };
    vec![
        figure.name(),
        figure.events.to_string(),
        figure.invocations().to_string(),
        each(counts.outside),
        format!("{:.0}", figure.each(counts.outside_bytes)),
        each(counts.table_reads),
        each(counts.table_writes),
        each(counts.read_units),
        each(counts.write_units),
        each(counts.queue),
        figure.processor().map_or("-".to_owned(), |us| format!("{us:.0}")),
        format!("{:.2}", figure.quantile(0.5)),
        format!("{:.2}", figure.quantile(0.99)),
        format!("{:.0}", figure.per_second()),
    ]
}

/// The first column to the left, numbers to the right.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) {
    let mut lines = vec![head.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for line in &lines {
        let cell = |(n, cell): (usize, &String)| {
            let width = widths[n];
            if n == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        };
        println!("{}", line.iter().enumerate().map(cell).collect::<Vec<_>>().join(" | "));
    }
}

/// Everything, for who wants to compare runs.
pub(crate) fn json(load: &str, starts: &[Start], figures: &[Figure], dollars: Value) -> Value {
    json!({
        "load": load, "starts": starts, "figures": figures.iter().map(Figure::json).collect::<Vec<_>>(),
        "cost": dollars,
    })
}
