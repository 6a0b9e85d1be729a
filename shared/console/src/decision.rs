//! What a log line of the functions says of a deal. One reading of it, whether the line comes from CloudWatch Logs or from
//! a function in this process.

use crate::present::harmless;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When it was written.
    pub at: Timestamp,
    /// The deal's end in Partner Center, where the line names it.
    pub referral: Option<String>,
    /// The deal's end in the CRM, where the line names it.
    pub record: Option<String>,
    /// One word, or two.
    pub decision: String,
    /// Why.
    pub reason: String,
}

/// Reads a line. `None`: it is no decision, or one that says nothing: a tick that found nothing to stop at, a message that
/// was received and whose outcome has a line of its own.
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
    /// For programs.
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
    /// Of an answer to `explain`, whose question named one of them.
    pub fn of(event: &Value, report: &Value) -> Self {
        let link = &report["data"]["link"];
        let ids = [&event["referral"], &event["record"], &link["referral"], &link["record"]].into_iter();
        Deal(ids.filter_map(|id| id.as_str().map(str::to_owned)).collect())
    }

    /// Whether a decision is about it; one that names both ends tells the other one.
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
