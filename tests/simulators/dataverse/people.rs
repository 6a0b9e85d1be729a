//! The org as it is found: users, currencies, roles; and people who act in it, by the same rules as the API.

use super::metadata::{Column, ColumnKind, KeyStatus};
use super::refusal::{DataverseOutcome, DataverseRefusal};
use super::store::{DataverseRow, DataverseWriter};
use super::{BusinessRule, Dataverse};
use crate::login::{ADMINISTRATOR_CLIENT, DYNAMICS_CLIENT};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The application user of the connector; what `WhoAmI` answers.
pub const INTEGRATION_USER: &str = "1d6a8e90-3c55-ef11-a316-000d3a5b7c21";
/// The application user of an administrator, for set-up.
pub const ADMINISTRATOR: &str = "1d6a8e90-3c55-ef11-a316-000d3a5b7c99";
pub const SELLER: &str = "2e7b9fa1-4d66-ef11-a316-000d3a5b7c22";
pub const OTHER_SELLER: &str = "3f8ca0b2-5e77-ef11-a316-000d3a5b7c23";
/// Whom plug-ins of the platform run as.
pub const SYSTEM: &str = "00000000-0000-0000-0000-000000000051";
pub const EUR: &str = "9a1f3b52-7d11-ef11-8e4e-000d3a8c1f00";
pub const USD: &str = "9a1f3b52-7d11-ef11-8e4e-000d3a8c1f01";
pub const CHF: &str = "9a1f3b52-7d11-ef11-8e4e-000d3a8c1f02";
pub const GBP: &str = "9a1f3b52-7d11-ef11-8e4e-000d3a8c1f03";
pub const BASE_CURRENCY: &str = USD;
/// A connection role of category Sales Team, and one of category Stakeholder.
pub const SALES_TEAM_ROLE: &str = "be0c2b01-0000-4000-8000-000000001001";
pub const STAKEHOLDER_ROLE: &str = "be0c2b01-0000-4000-8000-000000001000";
const PUBLISHER: &str = "be0c2b01-0000-4000-8000-00000000aa01";
const SOLUTION: &str = "be0c2b01-0000-4000-8000-00000000aa02";
pub(super) const BUSINESS_UNIT: &str = "0a5c7e91-3c55-ef11-a316-000d3a5b7c00";
pub(super) const ORGANIZATION: &str = "4c1d6e22-9b0a-ef11-9f83-000d3a123400";

impl Dataverse {
    pub(super) fn furnish(&mut self) {
        let by = writer_of_the_platform();
        let user = |first: &str, last: &str, mail: &str, phone: &str, app: Option<&str>| {
            json!({ "firstname": first, "lastname": last, "internalemailaddress": mail,
                    "address1_telephone1": phone, "title": "Account Executive", "applicationid": app })
        };
        let currency = |code: &str, name: &str, symbol: &str, rate: f64| {
            json!({ "isocurrencycode": code, "currencyname": name, "currencysymbol": symbol,
                    "currencyprecision": 2, "exchangerate": rate })
        };
        let rows = [
            ("systemusers", SYSTEM, user("", "SYSTEM", "", "", None)),
            ("systemusers", INTEGRATION_USER, user("#", "Co-sell Connector", "", "", Some(DYNAMICS_CLIENT))),
            ("systemusers", ADMINISTRATOR, user("#", "Set-up", "", "", Some(ADMINISTRATOR_CLIENT))),
            (
                "systemusers",
                SELLER,
                user("Sara", "Klein", "sara.klein@partner.example", "+49 711 555001", None),
            ),
            (
                "systemusers",
                OTHER_SELLER,
                user("Tom", "Abara", "tom.abara@partner.example", "+1 425 555 0102", None),
            ),
            ("transactioncurrencies", USD, currency("USD", "US Dollar", "$", 1.0)),
            ("transactioncurrencies", EUR, currency("EUR", "Euro", "€", 0.92)),
            ("transactioncurrencies", CHF, currency("CHF", "Swiss Franc", "CHF", 0.88)),
            ("transactioncurrencies", GBP, currency("GBP", "Pound Sterling", "£", 0.79)),
            // As an earlier tool left them.
            (
                "publishers",
                PUBLISHER,
                json!({ "uniquename": "csl", "friendlyname": "csl", "customizationprefix": "csl",
                        "customizationoptionvalueprefix": 20_000 }),
            ),
            (
                "solutions",
                SOLUTION,
                json!({ "uniquename": "CoSellLink", "friendlyname": "CoSellLink", "version": "1.0.0.0",
                        "publisherid@odata.bind": format!("/publishers({PUBLISHER})") }),
            ),
            ("organizations", ORGANIZATION, json!({ "name": "contoso", "languagecode": 1033 })),
            ("connectionroles", SALES_TEAM_ROLE, json!({ "name": "Account Manager", "category": 1001 })),
            ("connectionroles", STAKEHOLDER_ROLE, json!({ "name": "Stakeholder", "category": 1000 })),
        ];
        for (set, id, columns) in rows {
            let Value::Object(columns) = columns else { continue };
            let table = self.tables[set].clone();
            let changes = self.changes(&table, &columns).expect("the org's own rows are valid");
            self.insert(&table, id, changes, &by).expect("the org's own rows are valid");
        }
        self.furnish_forms();
        self.touched.clear();
        self.previous.clear();
        self.lagging.clear();
    }

    /// All rows of an entity set.
    pub fn rows(&self, set: &str) -> Vec<&DataverseRow> {
        self.rows.get(set).into_iter().flat_map(|rows| rows.values()).collect()
    }

    /// One row with all its columns.
    pub fn row(&self, set: &str, id: &str) -> Option<&DataverseRow> {
        self.get(set, id)
    }

    pub(super) fn act<T>(&mut self, act: impl FnOnce(&mut Self) -> DataverseOutcome<T>) -> Result<T, String> {
        let outcome = self.atomically(act);
        self.touched.clear();
        outcome.map_err(|refusal| match refusal {
            DataverseRefusal::Vendor { status, code, message, .. } => format!("{status} {code} {message}"),
            DataverseRefusal::NotModelled(why) => format!("not modelled: {why}"),
        })
    }

    /// A person creates a row; columns as in a POST (`x@odata.bind` for lookups). Returns its id.
    pub fn act_create(
        &mut self,
        set: &str,
        by: &str,
        columns: Value,
        now: Timestamp,
    ) -> Result<String, String> {
        let by = writer(by, now);
        self.act(|org| {
            let (table, columns) = (org.table(set)?, object(columns));
            let changes = org.changes(&table, &columns)?;
            let id =
                changes.get(&table.id).and_then(Value::as_str).map_or_else(|| org.new_id(), str::to_owned);
            org.insert(&table, &id, changes, &by)?;
            Ok(id)
        })
    }

    /// A person changes columns of a row.
    pub fn act_edit(
        &mut self,
        set: &str,
        id: &str,
        by: &str,
        columns: Value,
        now: Timestamp,
    ) -> Result<(), String> {
        self.act_late_edit(set, id, by, columns, now, 0)
    }

    /// An edit whose `modifiedon` lies some seconds before its commit.
    pub fn act_late_edit(
        &mut self,
        set: &str,
        id: &str,
        by: &str,
        columns: Value,
        now: Timestamp,
        late: i64,
    ) -> Result<(), String> {
        let by = DataverseWriter { late, ..writer(by, now) };
        self.act(|org| {
            let table = org.table(set)?;
            let changes = org.changes(&table, &object(columns))?;
            org.update(&table, id, changes, &by)
        })
    }

    pub fn act_delete(&mut self, set: &str, id: &str, by: &str, now: Timestamp) -> Result<(), String> {
        let by = writer(by, now);
        self.act(|org| {
            let table = org.table(set)?;
            org.remove(&table, id, &by)
        })
    }

    /// A person closes an opportunity as won; `close` may hold `actualrevenue`, `actualend`, `description`.
    pub fn act_win(&mut self, id: &str, by: &str, close: Value, now: Timestamp) -> Result<(), String> {
        self.act_close(1, 3, id, by, close, now)
    }

    /// As lost, with its reason (4 Canceled, 5 Out-Sold).
    pub fn act_lose(
        &mut self,
        id: &str,
        by: &str,
        reason: i64,
        close: Value,
        now: Timestamp,
    ) -> Result<(), String> {
        self.act_close(2, reason, id, by, close, now)
    }

    fn act_close(
        &mut self,
        state: i64,
        reason: i64,
        id: &str,
        by: &str,
        close: Value,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut close = object(close);
        close.insert("opportunityid@odata.bind".into(), json!(format!("/opportunities({id})")));
        let by = DataverseWriter { action: true, ..writer(by, now) };
        self.act(|org| org.close_opportunity(state, reason, &close, &by))
    }

    pub fn act_reopen(&mut self, id: &str, by: &str, now: Timestamp) -> Result<(), String> {
        self.act_edit("opportunities", id, by, json!({ "statecode": 0, "statuscode": 1 }), now)
    }

    /// From now on writes to the table (that touch the column) are refused with this message.
    pub fn rule(&mut self, table: &str, column: Option<&str>, message: &str) {
        let rule =
            BusinessRule { table: table.into(), column: column.map(str::to_owned), message: message.into() };
        self.rules.push(rule);
    }

    /// From now on rows of the table are not created without the column.
    pub fn demand(&mut self, table: &str, column: &str, message: &str) {
        let rule = BusinessRule { table: table.into(), column: Some(column.into()), message: message.into() };
        self.demands.push(rule);
    }

    pub fn clear_rules(&mut self) {
        self.rules.clear();
        self.demands.clear();
        self.rewrites.clear();
    }

    /// Takes a right (`read`, `create`, `write`, `delete`, `append`, `append_to`) on a table from the integration user.
    pub fn deny(&mut self, table: &str, right: &str) {
        self.denied.push((table.to_owned(), right.to_owned()));
    }

    pub fn allow_all(&mut self) {
        self.denied.clear();
    }

    /// The next reads of a row still show it as it was before its last write.
    pub fn stale(&mut self, set: &str, id: &str, reads: u32) {
        let key = (set.to_owned(), id.to_owned());
        if self.previous.contains_key(&key) {
            self.lags(&key, reads);
        }
    }

    /// The org before provisioning: none of our columns and keys on the standard tables, none of our tables.
    pub fn unprovision(&mut self) {
        self.tables.retain(|set, _| !set.starts_with("cosell_"));
        self.rows.retain(|set, _| !set.starts_with("cosell_"));
        for table in self.tables.values_mut() {
            let table = std::sync::Arc::make_mut(table);
            table.columns.retain(|name, _| !name.starts_with("cosell_"));
            table.keys.retain(|key| !key.schema_name.starts_with("cosell_"));
            table.children.retain(|c| !c.table.starts_with("cosell_"));
        }
        for row in self.rows.values_mut().flat_map(|rows| rows.values_mut()) {
            row.retain(|name, _| !name.starts_with("cosell_"));
        }
        self.furnish_forms();
    }

    /// An org whose base language is another one: every label has to be there in it.
    pub fn base_language(&mut self, code: i64) {
        let org = self.rows.get_mut("organizations").and_then(|rows| rows.get_mut(ORGANIZATION));
        org.expect("the org").insert("languagecode".into(), json!(code));
        self.furnish_forms();
    }

    pub(super) fn language(&self) -> i64 {
        self.rows["organizations"][ORGANIZATION]["languagecode"].as_i64().expect("a language")
    }

    /// The application user is disabled: its application is no member of the organization any more.
    pub fn disable_user(&mut self, id: &str) {
        if let Some(user) = self.rows.get_mut("systemusers").and_then(|users| users.get_mut(id)) {
            user.insert("isdisabled".to_owned(), json!(true));
        }
    }

    /// The columns of a table.
    pub fn columns(&self, set: &str) -> Vec<String> {
        self.tables[set].columns.keys().cloned().collect()
    }

    /// An administrator deletes a column.
    pub fn drop_column(&mut self, set: &str, column: &str) {
        let table = std::sync::Arc::make_mut(self.tables.get_mut(set).expect("a table"));
        table.columns.remove(column).expect("a column");
        for row in self.rows.get_mut(set).into_iter().flat_map(|rows| rows.values_mut()) {
            row.remove(column);
        }
    }

    /// An administrator takes an option out of a choice.
    pub fn drop_option(&mut self, set: &str, column: &str, option: i64) {
        match &mut self.column_mut(set, column).kind {
            ColumnKind::Choice { options } => options.retain(|(value, _)| *value != option),
            other => panic!("`{column}` is no choice: {other:?}"),
        }
    }

    /// A text column that takes fewer characters.
    pub fn shorten_column(&mut self, set: &str, column: &str, length: usize) {
        self.column_mut(set, column).kind = ColumnKind::Text { max: length };
    }

    fn column_mut(&mut self, set: &str, column: &str) -> &mut Column {
        let table = std::sync::Arc::make_mut(self.tables.get_mut(set).expect("a table"));
        table.columns.get_mut(column).expect("a column")
    }

    /// Sets the status of an alternate key: `Pending`, `InProgress`, `Active`, `Failed`.
    pub fn key_status(&mut self, set: &str, column: &str, status: &str) -> Result<(), String> {
        let status = match status {
            "Pending" => KeyStatus::Pending,
            "InProgress" => KeyStatus::InProgress,
            "Active" => KeyStatus::Active,
            "Failed" => KeyStatus::Failed,
            other => return Err(format!("no key status `{other}`")),
        };
        let table = self.tables.get_mut(set).ok_or_else(|| format!("no table `{set}`"))?;
        let keys = &mut std::sync::Arc::make_mut(table).keys;
        let key =
            keys.iter_mut().find(|k| k.columns == [column]).ok_or_else(|| format!("no key `{column}`"))?;
        key.status = status;
        Ok(())
    }
}

/// Whoever furnished the org.
pub(super) fn writer_of_the_platform() -> DataverseWriter {
    let now = "2026-01-05T08:00:00Z".parse().expect("a time");
    DataverseWriter { user: SYSTEM.to_owned(), now, action: true, late: 0 }
}

fn writer(by: &str, now: Timestamp) -> DataverseWriter {
    DataverseWriter { user: by.to_owned(), now, action: false, late: 0 }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
