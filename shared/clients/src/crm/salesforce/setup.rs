//! What the set-up check reads of an org beside its fields: stages, currencies, the day's requests.

use super::{Salesforce, soql::escaped};
use serde_json::Value;
use sync::failure::Failure;

/// A stage of opportunities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its API name, which no translation changes.
    pub name: String,
    /// Whether it is in use.
    pub active: bool,
    /// Whether it is closed, won or lost.
    pub closed: bool,
    /// Whether it is won.
    pub won: bool,
}

impl Salesforce {
    /// All stages, also those that are no longer in use.
    pub async fn stages(&self) -> Result<Vec<Stage>, Failure> {
        let soql = "SELECT ApiName, IsActive, IsClosed, IsWon FROM OpportunityStage";
        let rows = self.rows("look at the stages", soql).await?;
        let read = |row: &Value| {
            let flag = |name: &str| row[name] == true;
            let name = row["ApiName"].as_str()?.to_owned();
            Some(Stage { name, active: flag("IsActive"), closed: flag("IsClosed"), won: flag("IsWon") })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// The codes of the active currencies; only an org with several currencies has this object.
    pub async fn currencies(&self) -> Result<Vec<String>, Failure> {
        let soql = "SELECT IsoCode FROM CurrencyType WHERE IsActive = true ORDER BY IsoCode";
        let rows = self.rows("look at the currencies", soql).await?;
        Ok(rows.iter().filter_map(|row| row["IsoCode"].as_str().map(str::to_owned)).collect())
    }

    /// API requests in 24 hours: how many are left, and how many are allowed.
    pub async fn requests_left(&self) -> Result<(u64, u64), Failure> {
        let operation = "look at the limits";
        let shown = self.wire.get(operation, "limits").await?;
        let shown = shown.map_err(|said| self.wire.failed(operation, &said))?;
        let number = |name: &str| shown["DailyApiRequests"][name].as_u64().unwrap_or_default();
        Ok((number("Remaining"), number("Max")))
    }

    /// All rows of a query.
    pub(super) async fn rows(&self, operation: &str, soql: &str) -> Result<Vec<Value>, Failure> {
        self.wire.query(operation, &format!("query?q={}", escaped(soql))).await
    }
}
