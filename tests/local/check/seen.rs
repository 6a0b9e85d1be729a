//! What a check has seen, as tables a person reads.

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    step: String,
    expected: String,
    seen: String,
}

/// What a path took: outside calls, reads and saves of the table.
struct Cost {
    path: String,
    budget: String,
    calls: usize,
    table: (u64, u64),
}

#[derive(Default)]
pub struct Seen {
    rows: Vec<Row>,
    costs: Vec<Cost>,
}

impl Row {
    fn ok(&self) -> bool {
        self.expected == self.seen
    }
}

impl Seen {
    pub fn step(&mut self, step: &str, expected: String, seen: String) {
        self.rows.push(Row { step: step.to_owned(), expected, seen });
    }

    pub fn cost(&mut self, path: &str, budget: &str, calls: usize, table: (u64, u64)) {
        self.costs.push(Cost { path: path.to_owned(), budget: budget.to_owned(), calls, table });
    }

    /// What is not as expected.
    pub fn wrong(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| !row.ok()).collect()
    }

    pub fn print(&self) {
        let width = self.rows.iter().map(|row| row.step.chars().count()).max().unwrap_or(0);
        let wide = self.rows.iter().map(|row| row.expected.chars().count()).max().unwrap_or(0);
        println!("{:<width$} | {:<wide$} | {:<wide$} | ok", "step", "expected", "seen");
        for row in &self.rows {
            let ok = if row.ok() { "ok" } else { "NOT OK" };
            println!("{:<width$} | {:<wide$} | {:<wide$} | {ok}", row.step, row.expected, row.seen);
        }
        println!("\n{:<50} | outside calls (budget) | table reads | table saves", "what it costs");
        for Cost { path, budget, calls, table: (reads, saves) } in &self.costs {
            println!("{path:<50} | {calls:>5} ({budget:>3})            | {reads:>11} | {saves:>11}");
        }
    }
}
