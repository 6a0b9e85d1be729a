//! Violations whose fault is known and not mended yet, by `known.txt`: what is listed there does not end a run with 1.
//! Whoever mends a fault takes its lines away.

/// A kind of violation, and the faults that show so.
pub struct Known {
    /// A kind, or its beginning with `*` at the end.
    pub kind: String,
    pub faults: Vec<String>,
}

impl Known {
    pub fn covers(&self, kind: &str) -> bool {
        match self.kind.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == self.kind,
        }
    }
}

/// All of them: lines of `kind = fault, fault`, `#` before a remark.
pub fn known() -> Vec<Known> {
    let lines = include_str!("../known.txt").lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(" = "));
    let known = |(kind, faults): (&str, &str)| Known {
        kind: kind.trim().to_owned(),
        faults: faults.split(',').map(|fault| fault.trim().to_owned()).collect(),
    };
    pairs.map(known).collect()
}
