//! Violations whose fault is known and not mended yet, by `known.txt`: what is listed there does not end a run with 1.
//! Whoever mends a fault takes its lines away.

use crate::kept::Kept;

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

    /// Its faults that are mended by what is kept.
    pub fn mended(&self, kept: &[Kept]) -> Vec<String> {
        self.faults.iter().filter(|fault| is_mended(fault, kept)).cloned().collect()
    }
}

/// Whether stories of it are kept, and none of them is open.
fn is_mended(fault: &str, kept: &[Kept]) -> bool {
    let open: Vec<bool> = kept.iter().filter(|kept| kept.number() == fault).map(|kept| kept.open).collect();
    !open.is_empty() && !open.contains(&true)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mended_fault_is_excused() {
        let kept = Kept::all().expect("the kept stories");
        for known in known() {
            assert_eq!(known.mended(&kept), Vec::<String>::new(), "`{}` in known.txt", known.kind);
        }
        let fault = |faults: &[&str]| Known {
            kind: "lost:*".to_owned(),
            faults: faults.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(fault(&["K3.4", "K0.0", "K3.4 of leads"]).mended(&kept), ["K3.4"]);
    }
}
