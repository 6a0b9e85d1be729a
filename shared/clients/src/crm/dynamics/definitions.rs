//! Reads the environment's metadata (vendors/dataverse.md, *Metadata*) and creates the tables and columns that the map
//! needs. Only set-up commands use it, because calls about metadata take seconds.

use super::{
    Dynamics,
    columns::{SOLUTION, SOLUTION_DETAIL, SOLUTION_DETAIL_LOOKUP, SOLUTION_OPPORTUNITY},
    errors::DataverseError,
    wire::ROOT,
};
use futures_util::future::try_join_all;
use mapping::{WantedColumn, WantedKind, WantedTable};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sync::failure::Failure;

/// The publisher and the solution of everything that set-up creates, so that it can be found, exported and removed as
/// one.
const PUBLISHER: &str = "cosellconnector";
pub(super) const PREFIX: &str = "cosell";
pub(super) const SOLUTION_NAME: &str = "CosellConnector";
const TYPES: &str = "Microsoft.Dynamics.CRM.";

/// The language of our labels' texts, in whatever language they must be saved.
const ENGLISH: i64 = 1033;

/// The state of a key whose index is built.
pub const ACTIVE: &str = "Active";
/// The state of a key whose index could not be built because rows share a value.
pub const FAILED: &str = "Failed";

/// The relationship from an opportunity to its rows of Microsoft Solutions.
pub const SOLUTIONS: &str = "cosell_solution_OpportunityId";
/// The lookup from a row of Microsoft Solutions to its row of the catalogue.
pub const SOLUTION_LOOKUP: &str = SOLUTION_DETAIL_LOOKUP;

/// A table as the environment has it.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Whether change tracking is on.
    pub tracked: bool,
    /// The columns, by name.
    pub columns: BTreeMap<String, Column>,
    /// The alternate keys: the columns of each, and the state of its index.
    pub keys: Vec<(Vec<String>, String)>,
}

impl Table {
    /// The state of the alternate key that consists of this column alone.
    pub fn key_of(&self, column: &str) -> Option<&str> {
        let key = self.keys.iter().find(|(columns, _)| columns.len() == 1 && columns[0] == column);
        key.map(|(_, state)| state.as_str())
    }
}

/// A column as the environment has it.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Dataverse's name for its type: `String`, `Memo`, `Picklist`, …
    pub kind: String,
    /// The most characters it can hold, if it is text.
    pub length: Option<u64>,
    /// The values of its options, if it is a choice.
    pub options: Vec<i64>,
}

/// The vendor's name of a table.
pub fn table_name(table: WantedTable) -> &'static str {
    match table {
        WantedTable::Opportunity => "opportunity",
        WantedTable::Lead => "lead",
        WantedTable::Account => "account",
        WantedTable::Contact => "contact",
        WantedTable::Owner => "systemuser",
        WantedTable::Solution => SOLUTION,
        WantedTable::SolutionDetail => SOLUTION_DETAIL,
    }
}

impl Dynamics {
    /// The definition of a table; `None`: there is none of this name.
    pub async fn table(&self, name: &str) -> Result<Option<Table>, Failure> {
        let operation = format!("read the definition of `{name}`");
        let path = format!("EntityDefinitions(LogicalName='{name}')");
        let query = format!("{ROOT}/{path}?$select=LogicalName,ChangeTrackingEnabled");
        let answer = self.wire.get(&operation, &query, "").await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let body = answer.json().filter(|_| answer.status == 200);
        let body = body.ok_or_else(|| self.wire.failed(&operation, &DataverseError::of(&answer)))?;
        let mut table = Table { tracked: body["ChangeTrackingEnabled"] == true, ..Table::default() };
        let list = |tail: &str| format!("{path}/{tail}");
        let queries = [
            list("Attributes?$select=LogicalName,AttributeType"),
            list(&format!("Attributes/{TYPES}StringAttributeMetadata?$select=LogicalName,MaxLength")),
            list(&format!("Attributes/{TYPES}MemoAttributeMetadata?$select=LogicalName,MaxLength")),
            list(&format!(
                "Attributes/{TYPES}PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet"
            )),
            list("Keys?$select=SchemaName,KeyAttributes,EntityKeyIndexStatus"),
        ];
        let lists = try_join_all(queries.iter().map(|query| self.wire.rows(&operation, query))).await?;
        let [columns, texts, memos, choices, keys] = &lists[..] else { return Ok(None) };
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        for row in columns {
            let column = Column { kind: text(row, "AttributeType"), ..Column::default() };
            table.columns.insert(text(row, "LogicalName"), column);
        }
        for row in texts.iter().chain(memos) {
            if let Some(column) = table.columns.get_mut(&text(row, "LogicalName")) {
                column.length = row["MaxLength"].as_u64();
            }
        }
        for row in choices {
            if let Some(column) = table.columns.get_mut(&text(row, "LogicalName")) {
                let options = row["OptionSet"]["Options"].as_array();
                column.options = options.into_iter().flatten().filter_map(|o| o["Value"].as_i64()).collect();
            }
        }
        for row in keys {
            let columns = row["KeyAttributes"].as_array().into_iter().flatten();
            let columns = columns.filter_map(|c| c.as_str().map(str::to_owned)).collect();
            table.keys.push((columns, text(row, "EntityKeyIndexStatus")));
        }
        Ok(Some(table))
    }

    /// The ISO codes of the environment's currencies.
    pub async fn currencies(&self) -> Result<Vec<String>, Failure> {
        let query = "transactioncurrencies?$select=isocurrencycode";
        let rows = self.wire.rows("read the currencies", query).await?;
        Ok(rows.iter().filter_map(|row| row["isocurrencycode"].as_str().map(str::to_owned)).collect())
    }

    /// Creates the publisher and the solution for new columns if they are missing; returns whether the solution was.
    pub async fn make_solution(&self) -> Result<bool, Failure> {
        let wire = &self.wire;
        let query = format!("solutions?$select=solutionid&$filter=uniquename eq '{SOLUTION_NAME}'");
        if !wire.rows("look for our solution", &query).await?.is_empty() {
            return Ok(false);
        }
        let query = format!("publishers?$select=publisherid&$filter=customizationprefix eq '{PREFIX}'");
        let found = wire.rows("look for our publisher", &query).await?;
        let publisher = match found.first().and_then(|row| row["publisherid"].as_str()) {
            Some(id) => id.to_owned(),
            None => {
                let body = json!({
                    "uniquename": PUBLISHER, "friendlyname": "Co-sell connector",
                    "customizationprefix": PREFIX, "customizationoptionvalueprefix": 10000,
                });
                self.make("make our publisher", "publishers", &body, false).await?
            }
        };
        let body = json!({
            "uniquename": SOLUTION_NAME, "friendlyname": "Co-sell connector", "version": "1.0.0.0",
            "publisherid@odata.bind": format!("/publishers({publisher})"),
        });
        self.make("make our solution", "solutions", &body, false).await?;
        Ok(true)
    }

    /// Creates one of our tables with its name column; its other columns are created one by one.
    pub async fn make_table(&self, table: WantedTable) -> Result<(), Failure> {
        let (schema, title, plural) = match table {
            WantedTable::Solution => ("cosell_Solution", "Microsoft Solution", "Microsoft Solutions"),
            _ => ("cosell_SolutionDetail", "Microsoft Solution Detail", "Microsoft Solution Details"),
        };
        let body = json!({
            "@odata.type": format!("{TYPES}EntityMetadata"),
            "SchemaName": schema,
            "DisplayName": label(title), "DisplayCollectionName": label(plural),
            "Description": label("Made by the co-sell connector."),
            "OwnershipType": "UserOwned", "IsActivity": false, "HasActivities": false, "HasNotes": false,
            "ChangeTrackingEnabled": true,
            "Attributes": [{
                "@odata.type": format!("{TYPES}StringAttributeMetadata"),
                "AttributeType": "String", "AttributeTypeName": { "Value": "StringType" },
                "SchemaName": "cosell_Name", "IsPrimaryName": true,
                "DisplayName": label("Name"), "Description": label("Made by the co-sell connector."),
                "RequiredLevel": required("None"), "MaxLength": 850, "FormatName": { "Value": "Text" },
            }],
        });
        let operation = format!("make table `{}`", table_name(table));
        self.make(&operation, "EntityDefinitions", &body, true).await.map(drop)
    }

    /// Creates the lookups of a row of Microsoft Solutions to its opportunity and to its row of the catalogue, if
    /// missing.
    pub async fn make_lookups(&self, solution: &Table) -> Result<Vec<&'static str>, Failure> {
        let mut made = vec![];
        for (lookup, referenced, title) in [
            (SOLUTION_OPPORTUNITY, "opportunity", "Opportunity"),
            (SOLUTION_DETAIL_LOOKUP, SOLUTION_DETAIL, "Solution"),
        ] {
            if solution.columns.contains_key(&lookup.to_lowercase()) {
                continue;
            }
            let body = json!({
                "@odata.type": format!("{TYPES}OneToManyRelationshipMetadata"),
                "SchemaName": format!("cosell_solution_{}", lookup.trim_start_matches("cosell_")),
                "ReferencedEntity": referenced, "ReferencedAttribute": format!("{referenced}id"),
                "ReferencingEntity": SOLUTION,
                "CascadeConfiguration": {
                    "Assign": "NoCascade", "Merge": "NoCascade", "Reparent": "NoCascade", "Share": "NoCascade",
                    "Unshare": "NoCascade",
                    // Deleting an opportunity deletes its rows; a row of the catalogue that is in use cannot be
                    // deleted.
                    "Delete": if referenced == "opportunity" { "Cascade" } else { "Restrict" },
                },
                "Lookup": {
                    "@odata.type": format!("{TYPES}LookupAttributeMetadata"),
                    "AttributeType": "Lookup", "AttributeTypeName": { "Value": "LookupType" },
                    "SchemaName": lookup, "DisplayName": label(title),
                    "Description": label("Made by the co-sell connector."),
                    "RequiredLevel": required("ApplicationRequired"),
                },
            });
            self.make(&format!("make lookup `{lookup}`"), "RelationshipDefinitions", &body, true).await?;
            made.push(lookup);
        }
        Ok(made)
    }

    /// Creates a column of the wanted kind, with the label that sellers read.
    pub async fn make_column(&self, column: &WantedColumn) -> Result<(), Failure> {
        let mut body = json!({
            "SchemaName": column.name,
            "DisplayName": label(&column.label), "Description": label("Made by the co-sell connector."),
            "RequiredLevel": required("None"),
        });
        let kind = match &column.kind {
            WantedKind::Text(length) => {
                body["MaxLength"] = json!(length.unwrap_or(100).min(4000));
                let url = column.name.ends_with("link");
                body["FormatName"] = json!({ "Value": if url { "Url" } else { "Text" } });
                "String"
            }
            WantedKind::Memo(length) => {
                body["MaxLength"] = json!(length);
                body["Format"] = json!("TextArea");
                "Memo"
            }
            WantedKind::Boolean => {
                body["DefaultValue"] = json!(false);
                let option = |value: i64, text: &str| json!({ "Value": value, "Label": label(text) });
                body["OptionSet"] = json!({ "TrueOption": option(1, "Yes"), "FalseOption": option(0, "No") });
                "Boolean"
            }
            WantedKind::Choice(options) => {
                let options: Vec<Value> = options
                    .iter()
                    .map(|(value, text)| json!({ "Value": value, "Label": label(text) }))
                    .collect();
                body["OptionSet"] = json!({
                    "@odata.type": format!("{TYPES}OptionSetMetadata"),
                    "IsGlobal": false, "OptionSetType": "Picklist", "Options": options,
                });
                "Picklist"
            }
            WantedKind::Money => {
                body["PrecisionSource"] = json!(2);
                "Money"
            }
            WantedKind::Number => "Decimal",
            WantedKind::Date => {
                body["Format"] = json!("DateOnly");
                body["DateTimeBehavior"] = json!({ "Value": "DateOnly" });
                "DateTime"
            }
            WantedKind::Lookup(..) => {
                let words =
                    format!("`{}` is a lookup: only an administrator knows to which table", column.name);
                return Err(self.wire.unusable("make a column", words));
            }
        };
        body["@odata.type"] = json!(format!("{TYPES}{kind}AttributeMetadata"));
        body["AttributeType"] = json!(kind);
        body["AttributeTypeName"] = json!({ "Value": format!("{kind}Type") });
        let table = table_name(column.table);
        let path = format!("EntityDefinitions(LogicalName='{table}')/Attributes");
        self.make(&format!("make column `{table}.{}`", column.name), &path, &body, true).await.map(drop)
    }

    /// Creates an alternate key of one column. A job of Dataverse builds its index, which takes seconds to minutes.
    pub async fn make_key(&self, column: &WantedColumn) -> Result<(), Failure> {
        let table = table_name(column.table);
        let body = json!({
            "SchemaName": format!("{}_key", column.name), "DisplayName": label(&format!("{} key", column.label)),
            "KeyAttributes": [column.name],
        });
        let path = format!("EntityDefinitions(LogicalName='{table}')/Keys");
        self.make(&format!("make a key of `{table}.{}`", column.name), &path, &body, true).await.map(drop)
    }

    /// The environment's base language. Every label needs a text in it; texts in other languages are translations.
    async fn language(&self) -> Result<i64, Failure> {
        if let Some(known) = self.language.get() {
            return Ok(*known);
        }
        let query = "organizations?$select=languagecode";
        let rows = self.wire.rows("read the environment's language", query).await?;
        let code = rows.first().and_then(|row| row["languagecode"].as_i64()).unwrap_or(ENGLISH);
        Ok(*self.language.get_or_init(|| code))
    }

    /// Sends a POST of set-up and returns the id of what was created. `ours`: it becomes part of our solution.
    async fn make(&self, operation: &str, path: &str, body: &Value, ours: bool) -> Result<String, Failure> {
        let solution = if ours { SOLUTION_NAME } else { "" };
        let mut body = body.clone();
        speak(&mut body, self.language().await?);
        let answer = self.wire.post(operation, path, &body, solution).await?;
        if answer.is_success() {
            let id = answer.header("odata-entityid").unwrap_or_default();
            let id = id.rsplit_once('(').map_or("", |(_, id)| id.trim_end_matches(')'));
            return Ok(id.to_owned());
        }
        Err(self.wire.failed(operation, &DataverseError::of(&answer)))
    }
}

/// Sets the language of all labels.
fn speak(body: &mut Value, language: i64) {
    match body {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "LanguageCode" => *member = json!(language),
                    _ => speak(member, language),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|one| speak(one, language)),
        _ => {}
    }
}

fn label(text: &str) -> Value {
    json!({
        "@odata.type": format!("{TYPES}Label"),
        "LocalizedLabels": [
            { "@odata.type": format!("{TYPES}LocalizedLabel"), "Label": text, "LanguageCode": ENGLISH },
        ],
    })
}

fn required(level: &str) -> Value {
    json!({
        "Value": level, "CanBeChanged": true, "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
    })
}
