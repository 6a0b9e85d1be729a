//! Products of an opportunity: while it has some they own its amount. The line items themselves are not modelled.

use super::Salesforce;
use super::metadata::Object;
use super::refusal::SalesforceOutcome;
use super::store::{SalesforceRow, SalesforceWriter};
use jiff::Timestamp;
use serde_json::{Value, json};

impl Salesforce {
    /// A person gives an opportunity products of this total, or others: `Amount` is the total, and what anybody else writes
    /// there is accepted and ignored.
    pub fn act_products(
        &mut self,
        opportunity: &str,
        by: &str,
        total: f64,
        now: Timestamp,
    ) -> Result<(), String> {
        let by = SalesforceWriter::person(by, now);
        self.act(|org| org.set_products(opportunity, &by, Some(total)))
    }

    /// A person takes the products away: the amount stays, and may be written again.
    pub fn act_no_products(&mut self, opportunity: &str, by: &str, now: Timestamp) -> Result<(), String> {
        let by = SalesforceWriter::person(by, now);
        self.act(|org| org.set_products(opportunity, &by, None))
    }

    fn set_products(&mut self, id: &str, by: &SalesforceWriter, total: Option<f64>) -> SalesforceOutcome<()> {
        let object = self.named("Opportunity")?;
        let old = self.live(&object.name, id)?.clone();
        let mut changes =
            SalesforceRow::from_iter([("HasOpportunityLineItem".to_owned(), json!(total.is_some()))]);
        if let Some(total) = total {
            changes.insert("Amount".into(), json!((total * 100.0).round() / 100.0));
        }
        let mut row = old.clone();
        row.extend(changes.clone());
        self.settle_stage(&object, Some(&old), &mut row, &changes);
        self.check(&object, Some((id, &old)), &row, &changes, by)?;
        self.commit(&object, id, row, by);
        Ok(())
    }

    /// The amount of an opportunity with products stays, whatever a write says.
    pub(super) fn settle_products(object: &Object, old: Option<&SalesforceRow>, row: &mut SalesforceRow) {
        let Some(old) = old.filter(|_| object.name == "Opportunity") else { return };
        if old["HasOpportunityLineItem"] == json!(true) {
            row.insert("Amount".into(), old.get("Amount").cloned().unwrap_or(Value::Null));
        }
    }
}
