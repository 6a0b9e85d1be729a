//! Stages of opportunities: what a stage makes of the other fields, and what an admin makes of the stages.

use super::Salesforce;
use super::metadata::Object;
use super::store::SalesforceRow;
use super::times;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Name, probability, closed, won, forecast category.
const STAGES: [(&str, i64, bool, bool, &str); 10] = [
    ("Prospecting", 10, false, false, "Pipeline"),
    ("Qualification", 10, false, false, "Pipeline"),
    ("Needs Analysis", 20, false, false, "Pipeline"),
    ("Value Proposition", 50, false, false, "Pipeline"),
    ("Id. Decision Makers", 60, false, false, "Pipeline"),
    ("Perception Analysis", 70, false, false, "Pipeline"),
    ("Proposal/Price Quote", 75, false, false, "Pipeline"),
    ("Negotiation/Review", 90, false, false, "Pipeline"),
    ("Closed Won", 100, true, true, "Closed"),
    ("Closed Lost", 0, true, false, "Omitted"),
];

impl Salesforce {
    pub(super) fn furnish_stages(&mut self) {
        for (name, probability, closed, won, forecast) in STAGES {
            self.add_stage(name, probability, closed, won);
            let last = self.rows.get_mut("OpportunityStage").and_then(|rows| rows.values_mut().next_back());
            last.expect("just added").insert("ForecastCategoryName".into(), json!(forecast));
        }
    }

    /// A new stage, after all others.
    pub fn add_stage(&mut self, name: &str, probability: i64, closed: bool, won: bool) {
        let forecast = match (closed, won) {
            (true, true) => "Closed",
            (true, false) => "Omitted",
            _ => "Pipeline",
        };
        let order = self.rows("OpportunityStage").len() + 1;
        let stage = json!({ "ApiName": name, "MasterLabel": name, "IsActive": true, "IsClosed": closed, "IsWon": won,
            "DefaultProbability": probability as f64, "ForecastCategory": forecast,
            "ForecastCategoryName": forecast, "SortOrder": order });
        self.furnish_row("OpportunityStage", None, stage);
    }

    /// An admin gives a stage another name, and the opportunities in it with it: only their `SystemModstamp` moves.
    pub fn rename_stage(&mut self, old: &str, new: &str, now: Timestamp) {
        for row in self.rows.get_mut("OpportunityStage").into_iter().flat_map(|rows| rows.values_mut()) {
            if row["ApiName"] == old {
                row.insert("ApiName".into(), json!(new));
                row.insert("MasterLabel".into(), json!(new));
            }
        }
        for row in self.rows.get_mut("Opportunity").into_iter().flat_map(|rows| rows.values_mut()) {
            if row["StageName"] == old {
                row.insert("StageName".into(), json!(new));
                row.insert("SystemModstamp".into(), json!(times::stamp(now)));
            }
        }
    }

    /// An admin takes a stage out of use: it stays where it stands, and is refused from now on.
    pub fn deactivate_stage(&mut self, name: &str) {
        for row in self.rows.get_mut("OpportunityStage").into_iter().flat_map(|rows| rows.values_mut()) {
            if row["ApiName"] == name {
                row.insert("IsActive".into(), json!(false));
            }
        }
    }

    /// Closed, won, probability, forecast and expected amount follow the stage.
    pub(super) fn settle_stage(
        &self,
        object: &Object,
        old: Option<&SalesforceRow>,
        row: &mut SalesforceRow,
        changes: &SalesforceRow,
    ) {
        if object.name != "Opportunity" {
            return;
        }
        let stage =
            self.rows("OpportunityStage").into_iter().find(|stage| stage["ApiName"] == row["StageName"]);
        let of = |name: &str, default: Value| stage.map_or(default, |stage| stage[name].clone());
        row.insert("IsClosed".into(), of("IsClosed", json!(false)));
        row.insert("IsWon".into(), of("IsWon", json!(false)));
        if old.is_none_or(|old| old["StageName"] != row["StageName"]) {
            for (name, source) in
                [("Probability", "DefaultProbability"), ("ForecastCategoryName", "ForecastCategoryName")]
            {
                if changes.get(name).is_none_or(Value::is_null) {
                    row.insert(name.into(), of(source, Value::Null));
                }
            }
        }
        let forecast = match row["ForecastCategoryName"].as_str() {
            Some("Best Case") => json!("BestCase"),
            Some("Commit") => json!("Forecast"),
            Some(other) => json!(other),
            None => Value::Null,
        };
        row.insert("ForecastCategory".into(), forecast);
        let number = |name: &str| row[name].as_f64();
        let expected = number("Amount").zip(number("Probability")).map(|(a, p)| (a * p).round() / 100.0);
        row.insert("ExpectedRevenue".into(), json!(expected));
    }
}
