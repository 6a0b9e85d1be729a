//! What is checked without a word of anybody's API: whose clock goes wrong.

use crate::report::Report;
use clients::outside;
use jiff::SignedDuration;

/// Differences of clocks that are worth a word, and that break something.
const NOTABLE: SignedDuration = SignedDuration::from_mins(1);
const WRONG: SignedDuration = SignedDuration::from_mins(5);

/// Whether the systems' clocks and ours agree, by the dates of what they answered just now.
pub(crate) fn clocks(worker: &outside::App, report: &mut Report) {
    let before = report.lines.len();
    let skews =
        [("Partner Center", worker.outside.partner_center.skew()), ("the CRM", worker.outside.crm.skew())];
    let known = skews.into_iter().filter_map(|(name, skew)| Some((name, skew?)));
    let mut compared = 0;
    for (name, skew) in known {
        compared += 1;
        let words = format!("the clock of {name} and ours differ by {} s", skew.as_secs());
        let cure = "AWS keeps ours right: it is the other one, or something between that keeps old answers; tokens and deadlines go wrong";
        match skew.abs() {
            skew if skew > WRONG => report.fault(words, cure),
            skew if skew > NOTABLE => report.warn(words, cure),
            _ => {}
        }
    }
    if compared > 0 && report.lines.len() == before {
        report.good("all clocks agree");
    }
}
