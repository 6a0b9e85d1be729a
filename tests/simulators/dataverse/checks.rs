//! What every write is checked against before it is committed, and the columns the platform computes.

use super::metadata::{ColumnKind, KeyStatus, Table};
use super::refusal::{DataverseOutcome, bad_payload, key_violated, refuse};
use super::store::{DataverseRow, TARGET};
use super::values::rounded;
use super::{BusinessRule, Dataverse};
use serde_json::{Value, json};

impl Dataverse {
    pub(super) fn check_rules(&self, table: &Table, changes: &DataverseRow) -> DataverseOutcome<()> {
        for rule in self.rules.iter().filter(|r| r.table == table.set || r.table == table.name) {
            let touches = rule
                .column
                .as_ref()
                .is_none_or(|c| changes.contains_key(c) || changes.contains_key(&format!("_{c}_value")));
            if touches {
                return Err(refuse(400, "0x80040265", rule.message.clone()));
            }
        }
        Ok(())
    }

    /// What a plug-in of the organisation insists on in new rows.
    pub(super) fn check_demands(&self, table: &Table, changes: &DataverseRow) -> DataverseOutcome<()> {
        let lacks = |rule: &&BusinessRule| {
            let column = rule.column.as_deref().unwrap_or_default();
            rule.table == table.set && changes.get(column).is_none_or(Value::is_null)
        };
        match self.demands.iter().find(lacks) {
            Some(rule) => Err(refuse(400, "0x80040265", rule.message.clone())),
            None => Ok(()),
        }
    }

    pub(super) fn check_reason(&self, table: &Table, row: &DataverseRow, state: i64) -> DataverseOutcome<()> {
        let reason = row["statuscode"].as_i64().unwrap_or_default();
        if table.reason_fits(state, reason) {
            return Ok(());
        }
        let mut kind = table.name.clone();
        kind[..1].make_ascii_uppercase();
        let text = format!(
            "{reason} is not a valid status code for state code {kind}State.{} with Id {}.",
            table.state_label(state),
            row[&table.id].as_str().unwrap_or_default()
        );
        Err(refuse(400, "0x80048408", text))
    }

    pub(super) fn check_state_change(
        &self,
        table: &Table,
        old: &DataverseRow,
        changes: &mut DataverseRow,
    ) -> DataverseOutcome<()> {
        if table.states.is_empty() {
            return Ok(());
        }
        let state = changes.get("statecode").and_then(Value::as_i64);
        if let Some(state) = state {
            if !table.states.iter().any(|s| s.value == state) {
                return Err(bad_payload(&table.set, format!("'{state}' is not a valid state.")));
            }
            if state != 0 && table.name == "opportunity" && self.switches.state_by_patch_refused {
                let label = table.state_label(state);
                let verb = if state == 1 { "Win" } else { "Lose" };
                let text = format!(
                    "This message can not be used to set the state of opportunity to {label}. In order to set the \
                     state of opportunity to {label}, use the {verb}OpportunityRequest message instead."
                );
                return Err(refuse(400, "0x80040203", text));
            }
            if !changes.contains_key("statuscode") && old["statecode"] != json!(state) {
                if self.switches.reason_required_with_state {
                    let text =
                        format!("statuscode is required with state code {}.", table.state_label(state));
                    return Err(refuse(400, "0x80048408", text));
                }
                changes.insert("statuscode".into(), json!(table.default_reason(state)));
            }
        }
        let closed = table.name == "opportunity" && old["statecode"] != json!(0);
        if closed && state != Some(0) && self.switches.closed_refuses_updates {
            return Err(refuse(400, "0x80040265", "This opportunity is closed and cannot be changed."));
        }
        Ok(())
    }

    pub(super) fn check_keys(&self, table: &Table, id: &str, row: &DataverseRow) -> DataverseOutcome<()> {
        for key in table.keys.iter().filter(|k| k.status == KeyStatus::Active) {
            let value = |column: &String| match &row[column] {
                Value::Null => None,
                Value::String(text) => Some((column.clone(), text.clone())),
                other => Some((column.clone(), other.to_string())),
            };
            // The index skips nulls.
            let Some(pairs) = key.columns.iter().map(value).collect::<Option<Vec<_>>>() else { continue };
            let kept =
                |old: &DataverseRow| key.columns.iter().all(|column| old.get(column) == Some(&row[column]));
            if self.get(&table.set, id).is_some_and(kept) {
                continue;
            }
            if self.find(&table.set, &pairs).is_some_and(|other| other != id) {
                if self.switches.duplicate_as_race {
                    return Err(super::refusal::already_there());
                }
                let (column, value) = &pairs[0];
                return Err(key_violated(
                    &key.schema_name.replace("_key", " key"),
                    &key.label,
                    column,
                    value,
                ));
            }
        }
        Ok(())
    }

    pub(super) fn compute(&self, table: &Table, row: &mut DataverseRow) {
        if table.columns.contains_key("fullname") {
            let names = ["firstname", "lastname"].map(|n| row[n].as_str().unwrap_or_default().to_owned());
            let full = names.join(" ").trim().to_owned();
            row.insert("fullname".into(), if full.is_empty() { Value::Null } else { json!(full) });
        }
        if table.columns.contains_key("owninguser") {
            row.insert("_owninguser_value".into(), row["_ownerid_value"].clone());
            row.insert(format!("_owninguser_value{TARGET}"), json!("systemuser"));
        }
        if !table.has_money() {
            return;
        }
        let currency = row["_transactioncurrencyid_value"].as_str();
        let currency = currency.and_then(|id| self.get("transactioncurrencies", id));
        let precision = currency.and_then(|c| c["currencyprecision"].as_u64()).unwrap_or(2);
        let decimals = self.switches.money_decimals.unwrap_or(precision as u32);
        let rate = currency.and_then(|c| c["exchangerate"].as_f64());
        row.insert("exchangerate".into(), json!(rate));
        for column in
            table.columns.values().filter(|c| matches!(c.kind, ColumnKind::Money { .. }) && !c.read_only)
        {
            let amount = row[&column.name].as_f64().map(|a| rounded(a, decimals));
            let base = amount.zip(rate).map(|(a, r)| rounded(a / r, 4));
            row.insert(column.name.clone(), json!(amount));
            row.insert(format!("{}_base", column.name), json!(base));
        }
    }
}
