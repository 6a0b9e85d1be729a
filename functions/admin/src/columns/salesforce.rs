//! What a Salesforce org says of itself held against the map: objects, fields, picklists, stages. Fields that are not
//! there and fields that field-level security hides look the same to the connector's user.

mod settings;
mod twin;

use crate::{report::Report, sign_in};
use clients::crm::salesforce::{
    SOLUTION_LOOKUPS, Salesforce,
    describe::{Described, DescribedField},
    object_of_table,
    provision::rights::PERMISSION_SET,
};
use mapping::{Map, WantedColumn, WantedKind, WantedTable};
use std::collections::BTreeMap;
use sync::failure::Failure;
pub(crate) use twin::{Twins, twin};

/// The objects a map names, as the user sees them; those that are not there are missing.
pub(crate) async fn described(
    crm: &Salesforce,
    tables: impl IntoIterator<Item = WantedTable>,
) -> Result<BTreeMap<WantedTable, Described>, Failure> {
    let mut seen = BTreeMap::new();
    for table in tables {
        if let Some(described) = crm.describe(object_of_table(table)).await? {
            seen.insert(table, described);
        }
    }
    Ok(seen)
}

/// The tables a map names; with solutions, both of their objects.
pub(crate) fn tables(wanted: &[WantedColumn]) -> Vec<WantedTable> {
    let mut tables: Vec<WantedTable> = wanted.iter().map(|column| column.table).collect();
    if tables.contains(&WantedTable::SolutionDetail) {
        tables.push(WantedTable::Solution);
    }
    tables.sort();
    tables.dedup();
    tables
}

/// Everything of the map that the org does not have, or not so.
pub(crate) async fn check(crm: &Salesforce, map: &Map, report: &mut Report) -> Result<(), Failure> {
    let wanted = map.wanted_columns();
    let tables = tables(&wanted);
    let seen = described(crm, tables.iter().copied()).await?;
    let before = report.lines.len();
    for table in &tables {
        check_object(*table, seen.get(table), report);
    }
    let mut twins = Twins::default();
    for column in &wanted {
        if let Some(object) = seen.get(&column.table) {
            check_column(map, &wanted, column, object, &mut twins, report);
        }
    }
    if let Some(solution) = seen.get(&WantedTable::Solution) {
        for lookup in SOLUTION_LOOKUPS.iter().filter(|lookup| !solution.fields.contains_key(**lookup)) {
            report.fault(
                format!(
                    "`Microsoft_Solution__c.{lookup}` is not there, or the connector's user may not read it"
                ),
                "`provision` makes it",
            );
        }
    }
    let stages = map.wanted_stages();
    check_stages(crm, map, report).await?;
    twins.told(&wanted, report);
    if report.lines.len() == before {
        report.good(format!(
            "all {} fields and {} stages of the map are there and fit",
            wanted.len(),
            stages.len()
        ));
    }
    settings::notes(crm, map, report).await
}

/// The whole of the CRM's part of `doctor`.
pub(crate) async fn doctor(crm: &Salesforce, map: &Map, report: &mut Report) {
    if let Err(failure) = check(crm, map, report).await {
        return report.fault(failure.to_string(), sign_in::salesforce::of(&failure.text));
    }
    if let Err(failure) = settings::tell(crm, map, report).await {
        report.fault(failure.to_string(), sign_in::salesforce::of(&failure.text));
    }
}

fn check_object(table: WantedTable, seen: Option<&Described>, report: &mut Report) {
    let name = object_of_table(table);
    let Some(seen) = seen else {
        let cure = format!(
            "`provision` makes our own objects and grants them; by hand: deploy `shared/salesforce`, and assign the permission set {PERMISSION_SET} to the connector's user"
        );
        return report
            .fault(format!("there is no object `{name}`, or the connector's user may not see it"), &cure);
    };
    let written = table != WantedTable::Owner;
    let changed = written && table != WantedTable::SolutionDetail;
    for (denied, right) in [(written && !seen.createable, "create"), (changed && !seen.updateable, "edit")] {
        if denied {
            report.fault(
                format!("the connector's user may not {right} `{name}`"),
                &format!("object permission in the permission set {PERMISSION_SET} or in the user's profile"),
            );
        }
    }
}

fn check_column(
    map: &Map,
    all: &[WantedColumn],
    wanted: &WantedColumn,
    object: &Described,
    twins: &mut Twins,
    report: &mut Report,
) {
    let name = format!("{}.{}", object_of_table(wanted.table), wanted.name);
    let Some(field) = object.fields.get(&wanted.name) else {
        let fields = object.fields.iter().map(|(name, field)| (name.as_str(), Some(field)));
        return match twin(map, all, wanted, fields) {
            Some(other) => twins.add(wanted, &other),
            None if super::optional(map, wanted, &name, Err(None), report) => {}
            None => missing(map, wanted, &name, report),
        };
    };
    let fits = suits(&wanted.kind, &field.kind);
    let kind = if fits { Ok(()) } else { Err(Some(field.kind.as_str())) };
    if super::optional(map, wanted, &name, kind, report) {
        return;
    }
    if !fits {
        report.fault(
            format!("`{name}` ({}) is of type {}", wanted.label, field.kind),
            "another field, or another `kind` in the map",
        );
        return;
    }
    if let WantedKind::Text(Some(length)) | WantedKind::Memo(length) = &wanted.kind
        && field.length > 0
        && field.length < *length as u64
    {
        report.warn(
            format!("`{name}` takes {} characters, the map thinks {length}", field.length),
            "lengthen the field, or set `length` in the map: longer text would be refused",
        );
    }
    for value in missing_values(wanted, field) {
        report.fault(
            format!("`{name}` has no active value `{value}`"),
            "`provision` adds it to a field of ours; else add it in Object Manager, or change `values` in the map",
        );
    }
    if wanted.key && !(field.unique && field.external_id) {
        let cure = if map.is_ours(&wanted.name) {
            "`provision` makes it one; by hand: Object Manager, the field, External ID and Unique".to_owned()
        } else {
            format!(
                "make it one in Object Manager; a package's field cannot be changed: make one of your own and name it in the map (`{}`)",
                wanted.at
            )
        };
        report.fault(format!("`{name}` is no unique external id: two rows could carry the same"), &cure);
    }
    let changes = matches!(wanted.table, WantedTable::Opportunity | WantedTable::Lead);
    if wanted.written && !(field.createable && (field.updateable || !changes)) {
        report.fault(
            format!("the connector's user may not edit `{name}` ({})", wanted.label),
            &format!("field-level security: edit access in the permission set {PERMISSION_SET}; `provision` grants our own fields"),
        );
    }
}

fn missing(map: &Map, wanted: &WantedColumn, name: &str, report: &mut Report) {
    let words = format!("`{name}` ({}) is not there, or the connector's user may not read it", wanted.label);
    if wanted.name == "CurrencyIsoCode" {
        return report.fault(
            words,
            "this org has one currency: set `fields.currency.crm = \"\"` and `fields.currency.constant = \"EUR\"` (yours) in the map; or switch multi-currency on (Setup, Company Information)",
        );
    }
    let cure = if map.is_ours(&wanted.name) {
        format!(
            "`provision` makes and grants it; if it is there, the permission set {PERMISSION_SET} must grant it (field-level security) and be assigned to the user"
        )
    } else {
        format!(
            "make it in Object Manager and grant it (field-level security), or name another one in the map (`{}`)",
            wanted.at
        )
    };
    report.fault(words, &cure);
}

/// The picklist values a map names that a field does not have.
pub(crate) fn missing_values(wanted: &WantedColumn, field: &DescribedField) -> Vec<String> {
    let WantedKind::Choice(options) = &wanted.kind else { return vec![] };
    let named = options.iter().filter_map(|(value, _)| value.as_str());
    let unknown = named.filter(|value| field.kind == "picklist" && !field.values.iter().any(|v| v == value));
    unknown.map(str::to_owned).collect()
}

async fn check_stages(crm: &Salesforce, map: &Map, report: &mut Report) -> Result<(), Failure> {
    let stages = crm.stages().await?;
    for wanted in map.wanted_stages() {
        let (name, at) = (&wanted.name, &wanted.at);
        let active = stages.iter().find(|stage| stage.active && stage.name == *name);
        let Some(stage) = active else {
            report.fault(
                format!("there is no active stage `{name}`"),
                &format!(
                    "name one of yours in the map (`{at}`), or add it: Object Manager, Opportunity, Stage"
                ),
            );
            continue;
        };
        if (stage.closed, stage.won) != (wanted.closed, wanted.won) {
            let is = match (stage.closed, stage.won) {
                (_, true) => "won",
                (true, false) => "closed and lost",
                (false, false) => "open",
            };
            report.fault(
                format!("the stage `{name}` is {is}, which is not what the map means by it"),
                &format!("name another one in the map (`{at}`)"),
            );
        }
    }
    Ok(())
}

/// Whether values of a rule fit into a field of Salesforce's type.
pub(super) fn suits(wanted: &WantedKind, kind: &str) -> bool {
    match wanted {
        // Status, names of people, countries: of the CRM's own types.
        WantedKind::Text(None) => true,
        WantedKind::Text(_) => {
            matches!(
                kind,
                "string" | "textarea" | "url" | "phone" | "email" | "picklist" | "id" | "encryptedstring"
            )
        }
        WantedKind::Memo(_) => matches!(kind, "textarea" | "string"),
        WantedKind::Boolean => kind == "boolean",
        WantedKind::Choice(_) => matches!(kind, "picklist" | "string"),
        WantedKind::Money | WantedKind::Number => matches!(kind, "currency" | "double" | "int" | "percent"),
        WantedKind::Date => matches!(kind, "date" | "datetime"),
        WantedKind::Lookup(..) => kind == "reference",
    }
}
