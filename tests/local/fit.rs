//! An organisation as a map describes it: what the map names and the simulated CRM lacks is made, as its administrator would.
//! What is there stays as it is, so that a map that does not fit it fails here as it fails there.

use crate::{words, world::World};
use mapping::{CrmKind, Map, RecordKind, WantedColumn, WantedKind, WantedTable};
use serde_json::{Value, json};

/// Characters of a text that the map does not limit.
const LENGTH: usize = 255;

impl World {
    /// Makes what the map in effect names.
    pub fn fit(&self) -> Result<(), String> {
        let map = self.map();
        for wanted in map.wanted_columns() {
            self.make(&map, &wanted)?;
        }
        // What a template alone names says nothing of its type.
        for (relation, table) in
            [("", WantedTable::Opportunity), ("account", WantedTable::Account), ("owner", WantedTable::Owner)]
        {
            for column in map.columns(relation) {
                self.make(&map, &of_template(table, &column.name))?;
            }
        }
        if self.crm() == CrmKind::Salesforce {
            self.make_stages(&map);
        }
        Ok(())
    }

    fn make(&self, map: &Map, wanted: &WantedColumn) -> Result<(), String> {
        let set = words::set(self.crm(), set_of(wanted.table));
        let fault = |e: String| format!("`{}`: `{set}.{}`: {e}", wanted.at, wanted.name);
        match self.crm() {
            CrmKind::Dynamics365 => {
                let mut org = self.dataverse.system();
                if org.columns(set).contains(&wanted.name.to_lowercase()) {
                    return Ok(());
                }
                if let WantedKind::Lookup(table, column) = &wanted.kind {
                    org.add_custom_lookup(set, &spelt(map, wanted), table, column);
                    return Ok(());
                }
                org.add_custom_column(set, &in_dataverse(wanted)).map_err(fault)
            }
            CrmKind::Salesforce => {
                let (now, mut org) = (self.now(), self.salesforce.system());
                if org.field_names(set).contains(&wanted.name) {
                    return Ok(());
                }
                let full = format!("{set}.{}", wanted.name);
                org.add_custom_field(&full, &in_salesforce(wanted), true, now).map_err(fault)
            }
        }
    }

    fn make_stages(&self, map: &Map) {
        let mut org = self.salesforce.system();
        for stage in map.wanted_stages() {
            if org.rows("OpportunityStage").iter().all(|row| row["ApiName"] != stage.name) {
                org.add_stage(&stage.name, if stage.won { 100 } else { 0 }, stage.closed, stage.won);
            }
        }
    }
}

fn set_of(table: WantedTable) -> &'static str {
    match table {
        WantedTable::Opportunity => "opportunities",
        WantedTable::Lead => "leads",
        WantedTable::Account => "accounts",
        WantedTable::Contact => "contacts",
        WantedTable::Owner => "users",
        WantedTable::Solution => "solutions",
        WantedTable::SolutionDetail => "solution_details",
    }
}

fn of_template(table: WantedTable, name: &str) -> WantedColumn {
    let (kind, at) = (WantedKind::Text(None), "template".to_owned());
    let (name, label) = (name.to_owned(), name.to_owned());
    let (key, read_only, written, optional) = (false, false, false, false);
    WantedColumn { table, name, label, kind, key, read_only, written, optional, at }
}

/// A lookup's navigation property is in its schema name's case, which only the map knows.
fn spelt(map: &Map, wanted: &WantedColumn) -> String {
    let (kind, relation) = match wanted.table {
        WantedTable::Account => (RecordKind::Opportunity, "account"),
        WantedTable::Contact => (RecordKind::Opportunity, "contact"),
        WantedTable::Lead => (RecordKind::Lead, ""),
        _ => (RecordKind::Opportunity, ""),
    };
    let columns = map.of(kind).columns(relation);
    let known = columns.into_iter().find(|column| column.name.eq_ignore_ascii_case(&wanted.name));
    known.map_or_else(|| wanted.name.clone(), |column| column.name)
}

/// The metadata of a column, as Dataverse takes it.
fn in_dataverse(wanted: &WantedColumn) -> Value {
    let of = |kind: &str| json!({ "@odata.type": format!("Microsoft.Dynamics.CRM.{kind}AttributeMetadata") });
    let mut column = match &wanted.kind {
        WantedKind::Text(length) => {
            let mut text = of("String");
            text["MaxLength"] = json!(length.unwrap_or(LENGTH).min(4000));
            text
        }
        WantedKind::Memo(length) => {
            let mut memo = of("Memo");
            memo["MaxLength"] = json!(length);
            memo
        }
        WantedKind::Boolean => of("Boolean"),
        WantedKind::Money => of("Money"),
        WantedKind::Date => {
            let mut date = of("DateTime");
            date["Format"] = json!("DateOnly");
            date
        }
        // A constant's options are not in the map.
        WantedKind::Choice(options) if options.is_empty() => of("Integer"),
        WantedKind::Choice(options) => {
            let label =
                |label: &str| json!({ "LocalizedLabels": [{ "Label": label, "LanguageCode": 1033 }] });
            let options = options.iter().map(|(value, text)| json!({ "Value": value, "Label": label(text) }));
            let mut choice = of("Picklist");
            choice["OptionSet"] = json!({ "Options": options.collect::<Vec<_>>() });
            choice
        }
        WantedKind::Number | WantedKind::Lookup(..) => of("Integer"),
    };
    column["SchemaName"] = json!(wanted.name);
    column
}

/// The metadata of a field, as Salesforce takes it.
fn in_salesforce(wanted: &WantedColumn) -> Value {
    let mut field = match &wanted.kind {
        WantedKind::Memo(length) => json!({ "type": "LongTextArea", "length": length, "visibleLines": 5 }),
        WantedKind::Text(Some(length)) if *length > LENGTH => {
            json!({ "type": "LongTextArea", "length": length, "visibleLines": 5 })
        }
        WantedKind::Text(length) => json!({ "type": "Text", "length": length.unwrap_or(LENGTH) }),
        WantedKind::Boolean => json!({ "type": "Checkbox", "defaultValue": false }),
        WantedKind::Money => json!({ "type": "Currency", "precision": 18, "scale": 2 }),
        WantedKind::Date => json!({ "type": "Date" }),
        WantedKind::Number => json!({ "type": "Number", "precision": 18, "scale": 0 }),
        WantedKind::Choice(options) if options.is_empty() => json!({ "type": "Text", "length": LENGTH }),
        WantedKind::Choice(options) => {
            let value = |(value, label): &(Value, String)| json!({ "valueName": value, "label": label, "default": false });
            let values: Vec<Value> = options.iter().map(value).collect();
            let set =
                json!({ "restricted": true, "valueSetDefinition": { "sorted": false, "value": values } });
            json!({ "type": "Picklist", "valueSet": set })
        }
        WantedKind::Lookup(table, _) => {
            let way = format!("{}_of_it", wanted.name.trim_end_matches("__c"));
            json!({ "type": "Lookup", "referenceTo": table, "relationshipName": way })
        }
    };
    field["label"] = json!(wanted.label);
    if wanted.key {
        (field["unique"], field["externalId"]) = (json!(true), json!(true));
    }
    field
}
