//! Synchronous plug-ins of the customer's that store another value than the one that was sent.

use super::Dataverse;
use super::metadata::Table;
use super::refusal::DataverseOutcome;
use super::store::DataverseRow;
use super::values::{check, rounded};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a plug-in makes of a value; values of another type stay as they are.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginRewrite {
    /// Without blanks and line breaks at the end.
    TrimEnd,
    /// A text in capital letters.
    Upper,
    /// One blank for several in a row.
    SingleBlanks,
    /// A number with so many decimals, half away from zero.
    Round(u32),
    /// With this text in front, once.
    Prefix(String),
}

impl PluginRewrite {
    fn of(&self, value: &Value) -> Value {
        match (self, value) {
            (PluginRewrite::TrimEnd, Value::String(text)) => json!(text.trim_end()),
            (PluginRewrite::Upper, Value::String(text)) => json!(text.to_uppercase()),
            (PluginRewrite::SingleBlanks, Value::String(text)) => {
                let mut single = String::new();
                for c in text.chars() {
                    if c != ' ' || !single.ends_with(' ') {
                        single.push(c);
                    }
                }
                json!(single)
            }
            (PluginRewrite::Prefix(prefix), Value::String(text)) if !text.starts_with(prefix.as_str()) => {
                json!(format!("{prefix}{text}"))
            }
            (PluginRewrite::Round(decimals), Value::Number(number)) if number.is_f64() => {
                json!(rounded(number.as_f64().expect("a float"), *decimals))
            }
            _ => value.clone(),
        }
    }
}

impl Dataverse {
    /// From now on each create and update that sets the column stores what the plug-in makes of the value; several
    /// plug-ins of one column run in the order they were given.
    pub fn rewrite(&mut self, set: &str, column: &str, rewrite: PluginRewrite) {
        assert!(self.tables[set].columns.contains_key(column), "no column `{column}` in `{set}`");
        self.rewrites.push((set.to_owned(), column.to_owned(), rewrite));
    }

    /// The changes as the plug-ins leave them, checked again as the platform does after a plug-in.
    pub(super) fn rewritten(
        &self,
        table: &Table,
        mut changes: DataverseRow,
    ) -> DataverseOutcome<DataverseRow> {
        for (_, name, rewrite) in self.rewrites.iter().filter(|(set, _, _)| *set == table.set) {
            if let (Some(column), Some(value)) = (table.columns.get(name), changes.get(name)) {
                let stored = check(table, column, &rewrite.of(value), &self.switches)?;
                changes.insert(name.clone(), stored);
            }
        }
        Ok(changes)
    }
}
