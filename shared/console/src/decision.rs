//! Reads decisions from the functions' log lines. The same code reads the lines of CloudWatch Logs and those of a
//! function in this process.

use crate::present::harmless;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A decision about a deal, as a log line has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When it was written.
    pub at: Timestamp,
    /// The deal's end in Partner Center, where the line names it.
    pub referral: Option<String>,
    /// The deal's end in the CRM, where the line names it.
    pub record: Option<String>,
    /// What was decided, in a word or two.
    pub decision: String,
    /// The reason, as the log has it.
    pub reason: String,
}

/// Reads a line. `None`: it holds no decision, or one of no interest: a tick's numbers, or that a message was received,
/// whose outcome has a line of its own.
pub fn read(at: Timestamp, line: &Value) -> Option<Decision> {
    let text = |name: &str| line[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let decision = text("decision").filter(|word| !["polled", "received"].contains(&word.as_str()))?;
    let reason = text("reason").or_else(|| text("message")).unwrap_or_default();
    let cure = text("cure").map(|cure| format!(" ({cure})")).unwrap_or_default();
    let (referral, record) = match (text("referral.id"), text("record.id")) {
        // The poller names both ends by one field.
        (None, Some(id)) if !id.contains('/') && id.len() == GUID => (Some(id), None),
        ends => ends,
    };
    Some(Decision { at, referral, record, decision, reason: reason + &cure })
}

/// Characters of a referral's id.
const GUID: usize = 36;

/// Reads what [`Decision::json`] writes.
pub fn of_json(value: &Value) -> Option<Decision> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    Some(Decision {
        at: value["at"].as_str()?.parse().ok()?,
        referral: text("referral"),
        record: text("record"),
        decision: text("decision")?,
        reason: text("reason")?,
    })
}

impl Decision {
    /// The same for programs, with the schema's version.
    pub fn json(&self) -> Value {
        json!({
            "schema_version": crate::admin::SCHEMA, "at": self.at, "referral": self.referral, "record": self.record,
            "decision": self.decision, "reason": self.reason,
        })
    }

    /// For people: time, deal, decision, reason.
    pub fn text(&self) -> String {
        let deal = self.referral.as_ref().or(self.record.as_ref()).map_or("-", String::as_str);
        let at = self.at.strftime("%Y-%m-%dT%H:%M:%SZ");
        harmless(&format!("{at}  {deal:<GUID$}  {:<10}  {}", self.decision, self.reason))
            .trim_end()
            .to_owned()
    }
}

/// A deal's ids, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Deal(BTreeSet<String>);

impl Deal {
    /// From an event of `explain`, which names one of the ids, and its answer, which holds the others.
    pub fn of(event: &Value, report: &Value) -> Self {
        let link = &report["data"]["link"];
        let ids = [&event["referral"], &event["record"], &link["referral"], &link["record"]].into_iter();
        Deal(ids.filter_map(|id| id.as_str().map(str::to_owned)).collect())
    }

    /// Whether a decision is about this deal. From a decision that names both ends, an id not known before is learnt.
    pub fn is(&mut self, decision: &Decision) -> bool {
        let ids = || [&decision.referral, &decision.record].into_iter().flatten();
        let is = ids().any(|id| self.0.contains(id));
        if is {
            self.0.extend(ids().cloned());
        }
        is
    }
}

#[cfg(test)]
mod tests;
