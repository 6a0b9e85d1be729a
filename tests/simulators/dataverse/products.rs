//! The amount of an opportunity that follows its products (`isrevenuesystemcalculated`). The products themselves are not
//! modelled: people set their total.

use super::Dataverse;
use super::store::{DataverseRow, DataverseWriter};
use jiff::Timestamp;
use serde_json::{Value, json};

const CALCULATED: &str = "isrevenuesystemcalculated";
const AMOUNT: &str = "estimatedvalue";

impl Dataverse {
    /// A person gives an opportunity products of this total: they own the amount, and whatever else is written to it
    /// is accepted and ignored.
    pub fn act_products(
        &mut self,
        opportunity_id: &str,
        by: &str,
        total: f64,
        now: Timestamp,
    ) -> Result<(), String> {
        let changes = [(CALCULATED.to_owned(), json!(true)), (AMOUNT.to_owned(), json!(total))];
        self.change_revenue(opportunity_id, by, DataverseRow::from_iter(changes), now)
    }

    /// A person removes the products: the amount stays and is again what is written to it.
    pub fn act_no_products(&mut self, opportunity_id: &str, by: &str, now: Timestamp) -> Result<(), String> {
        let changes = DataverseRow::from_iter([(CALCULATED.to_owned(), json!(false))]);
        self.change_revenue(opportunity_id, by, changes, now)
    }

    fn change_revenue(
        &mut self,
        id: &str,
        by: &str,
        changes: DataverseRow,
        now: Timestamp,
    ) -> Result<(), String> {
        let by = DataverseWriter { user: by.to_owned(), now, action: false, late: 0 };
        self.act(|org| {
            let table = org.table("opportunities")?;
            org.update(&table, id, changes, &by)
        })
    }
}

/// Drops a written amount that the products own. Who sets the flag in the same write sets the amount too: `true` comes
/// from `act_products` only, `false` gives it back.
pub(super) fn without_owned_amount(old: &DataverseRow, changes: &mut DataverseRow) {
    let calculated = old.get(CALCULATED).and_then(Value::as_bool) == Some(true);
    if calculated && !changes.contains_key(CALCULATED) {
        changes.remove(AMOUNT);
    }
}
