//! What annotations say about a value: the text a person would read, and where a lookup points.

use super::Dataverse;
use super::metadata::{ColumnKind, Table};
use super::store::{DataverseRow, TARGET};
use super::values::date;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const FORMATTED: &str = "@OData.Community.Display.V1.FormattedValue";

impl Dataverse {
    pub(super) fn annotate(
        &self,
        table: &Table,
        row: &DataverseRow,
        name: &str,
        value: &Value,
        shown: &mut Map<String, Value>,
    ) {
        let Some(column) = table.column_of_property(name) else { return };
        let number = value.as_i64().unwrap_or_default();
        let text = match &column.kind {
            ColumnKind::State => table.state_label(number).to_owned(),
            ColumnKind::Status => table.reason_label(number).to_owned(),
            ColumnKind::Choice { options } => {
                options.iter().find(|o| o.0 == number).map_or_else(String::new, |o| o.1.clone())
            }
            ColumnKind::Boolean { .. } => (if *value == json!(true) { "Yes" } else { "No" }).to_owned(),
            ColumnKind::Lookup { targets } => {
                let target = row.get(&format!("{name}{TARGET}")).and_then(Value::as_str);
                let target = target.or_else(|| targets.first().map(|t| t.1.as_str())).unwrap_or_default();
                shown.insert(format!("{name}{TARGET}"), json!(target));
                let navigation = targets.iter().find(|t| t.1 == target).map(|t| t.0.as_str());
                if !column.read_only {
                    let annotation = format!("{name}@Microsoft.Dynamics.CRM.associatednavigationproperty");
                    shown.insert(annotation, json!(navigation));
                }
                let table = self.table_named(target);
                let row = table.as_ref().and_then(|t| self.get(&t.set, value.as_str()?));
                let title = table.as_ref().zip(row).and_then(|(t, r)| r.get(&t.title)?.as_str());
                title.unwrap_or_default().to_owned()
            }
            ColumnKind::Money { .. } => self.money(row, name, value),
            ColumnKind::Integer { .. } | ColumnKind::BigInt | ColumnKind::Decimal => value.to_string(),
            ColumnKind::Date => value
                .as_str()
                .and_then(date)
                .map_or_else(String::new, |d| d.strftime("%-m/%-d/%Y").to_string()),
            ColumnKind::DateTime => {
                let time: Option<Timestamp> = value.as_str().and_then(|text| text.parse().ok());
                time.map_or_else(String::new, |t| t.strftime("%-m/%-d/%Y %-I:%M %p").to_string())
            }
            ColumnKind::Id | ColumnKind::Text { .. } | ColumnKind::Memo { .. } => return,
        };
        shown.insert(format!("{name}{FORMATTED}"), json!(text));
    }

    /// `€125,000.00`; amounts in the base currency have its symbol.
    fn money(&self, row: &DataverseRow, name: &str, value: &Value) -> String {
        let own = row.get("_transactioncurrencyid_value").and_then(Value::as_str);
        let id = own.filter(|_| !name.ends_with("_base")).unwrap_or(super::people::BASE_CURRENCY);
        let currency = self.get("transactioncurrencies", id);
        let symbol = currency.and_then(|c| c["currencysymbol"].as_str()).unwrap_or_default();
        let decimals = currency.and_then(|c| c["currencyprecision"].as_u64()).unwrap_or(2) as usize;
        let amount = value.as_f64().unwrap_or_default();
        let digits = format!("{:.decimals$}", amount.abs());
        let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{}{symbol}{grouped}{rest}", if amount < 0.0 { "-" } else { "" })
    }
}
