//! What sellers see: our columns on Dynamics 365's main forms, in a section *Microsoft Partner Center*, with the grid of
//! Microsoft Solutions. One form of a table is enough; the others are the organisation's own.

mod xml;

use crate::report::Report;
use clients::crm::dynamics::{
    Dynamics,
    definitions::{SOLUTION_LOOKUP, SOLUTIONS, table_name},
    forms::Form,
};
use mapping::{Map, WantedColumn, WantedKind, WantedTable};
use sync::failure::Failure;
use xml::{Cell, Shown, What};

const BY_HAND: &str = "put them there in Power Apps (functions/README.md, For sellers); `forms_by_api = false` under [vendor] of the map keeps us away";

/// The tables whose rows sellers open.
const TABLES: [WantedTable; 4] =
    [WantedTable::Opportunity, WantedTable::Lead, WantedTable::Solution, WantedTable::SolutionDetail];

/// What a table's form needs, without the grid.
fn fields(map: &Map, table: WantedTable) -> Vec<WantedColumn> {
    let wanted = map.wanted_columns().into_iter();
    let mut fields: Vec<_> =
        wanted.filter(|column| column.table == table && map.is_ours(&column.name)).collect();
    // Rows of our own tables are made by sellers, too.
    if matches!(table, WantedTable::Solution | WantedTable::SolutionDetail) {
        fields.iter_mut().for_each(|field| field.read_only = false);
    }
    if table == WantedTable::Solution && !fields.is_empty() {
        let kind = WantedKind::Lookup(String::new(), String::new());
        let (name, label) = (SOLUTION_LOOKUP.to_lowercase(), "Solution".to_owned());
        let at = String::new();
        fields.insert(
            0,
            WantedColumn {
                table,
                name,
                label,
                kind,
                key: false,
                written: false,
                read_only: false,
                optional: false,
                at,
            },
        );
    }
    fields
}

fn has_grid(map: &Map, table: WantedTable) -> bool {
    table == WantedTable::Opportunity && !fields(map, WantedTable::Solution).is_empty()
}

/// Which control shows it (FormXml, *control*; unverified for columns of an organisation's own types).
fn class(column: &WantedColumn) -> &'static str {
    match &column.kind {
        WantedKind::Text(_) if column.name.ends_with("link") => "{71716B6C-711E-476C-8AB8-5D11542BFB47}",
        WantedKind::Text(_) => "{4273EDBD-AC1D-40D3-9FB2-095C621B552D}",
        WantedKind::Memo(_) => "{E0DECE4B-6FC8-4A8F-A065-082708572369}",
        WantedKind::Boolean => "{67FAC785-CD58-4F9F-ABB3-4B7DDC6ED5ED}",
        WantedKind::Choice(_) => "{3EF39988-22BB-4F0B-BBBE-64B5A3748AEE}",
        WantedKind::Money => "{533B9E00-756B-4312-95A0-DC888637AC78}",
        WantedKind::Date => "{5B773807-9FB2-42DB-97C3-7A91EFF8ADFF}",
        WantedKind::Number => "{C3EFE0C3-0EC6-42BE-8349-CBD9079DFD8E}",
        WantedKind::Lookup(..) => "{270BD3DB-D9AF-4782-9025-509E298DEC0A}",
    }
}

/// Warns of what is on no form, and of what only we write and a user could edit.
pub(crate) async fn check(
    crm: &Dynamics,
    map: &Map,
    is_there: impl Fn(WantedTable, &str) -> bool,
    report: &mut Report,
) {
    let before = report.lines.len();
    for table in TABLES {
        let name = table_name(table);
        let fields: Vec<_> =
            fields(map, table).into_iter().filter(|field| is_there(table, &field.name)).collect();
        if fields.is_empty() {
            continue;
        }
        let forms = match crm.main_forms(name).await {
            Ok(forms) => forms,
            Err(failure) => {
                let cure = "the application user's role needs read on System Form (tab Customization)";
                return report.warn(format!("the forms are not looked at: {failure}"), cure);
            }
        };
        let shown: Vec<(&Form, Vec<Shown>)> =
            forms.iter().filter_map(|form| Some((form, xml::shown(&form.xml).ok()?))).collect();
        let on_a_form = |name: &str| shown.iter().any(|(_, shown)| shown.iter().any(|one| one.name == name));
        let mut missing: Vec<&str> =
            fields.iter().filter(|f| !on_a_form(&f.name)).map(|f| f.label.as_str()).collect();
        if has_grid(map, table) && !on_a_form(table_name(WantedTable::Solution)) {
            missing.push("the grid of Microsoft Solutions");
        }
        if !missing.is_empty() {
            let words = format!("on no main form of `{name}`: {}", missing.join(", "));
            report.warn(
                words,
                "`provision` puts them there, or do it in Power Apps (functions/README.md, For sellers)",
            );
        }
        for (form, shown) in &shown {
            let editable = |field: &&WantedColumn| {
                field.read_only && shown.iter().any(|one| one.name == field.name && !one.read_only)
            };
            let editable: Vec<&str> = fields.iter().filter(editable).map(|f| f.label.as_str()).collect();
            if !editable.is_empty() {
                report.warn(
                    format!("form `{}` of `{name}` lets sellers type in {}", form.name, editable.join(", ")),
                    "make them read-only in Power Apps: only the connector writes there",
                );
            }
        }
    }
    if report.lines.len() == before {
        report.good("sellers find every column of ours on a main form, those of the connector read-only");
    }
}

/// Puts what is missing on one main form of each table, and publishes. A refused form is reported and fails nothing:
/// the columns work without it. `made`: what was done.
pub(crate) async fn give(
    crm: &Dynamics,
    map: &Map,
    is_there: impl Fn(WantedTable) -> bool,
    made: &mut Vec<String>,
    report: &mut Report,
) -> Result<(), Failure> {
    if !map.vendor().forms_by_api {
        return Ok(());
    }
    let mut changed: Vec<(&str, String)> = vec![];
    for table in TABLES.into_iter().filter(|table| is_there(*table)) {
        match give_one(crm, map, table, report).await {
            Ok(form) => changed.extend(form.map(|form| (table_name(table), form))),
            Err(failure) if failure.is_retryable() => return Err(failure),
            Err(failure) => report.warn(failure.to_string(), BY_HAND),
        }
    }
    publish(crm, &changed, report, |table, form| {
        made.push(format!("section Microsoft Partner Center on form `{form}` of `{table}`"));
    })
    .await
}

async fn publish(
    crm: &Dynamics,
    changed: &[(&str, String)],
    report: &mut Report,
    mut done: impl FnMut(&str, &str),
) -> Result<(), Failure> {
    if changed.is_empty() {
        return Ok(());
    }
    let tables: Vec<&str> = changed.iter().map(|(table, _)| *table).collect();
    match crm.publish(&tables).await {
        Ok(()) => changed.iter().for_each(|(table, form)| done(table, form)),
        Err(failure) if failure.is_retryable() => return Err(failure),
        Err(failure) => report.warn(failure.to_string(), BY_HAND),
    }
    Ok(())
}

/// The name of the form whose draft now has everything; `None`: nothing to publish.
async fn give_one(
    crm: &Dynamics,
    map: &Map,
    table: WantedTable,
    report: &mut Report,
) -> Result<Option<String>, Failure> {
    let name = table_name(table);
    let forms = crm.main_forms(name).await?;
    let mut cells: Vec<Cell> = fields(map, table)
        .into_iter()
        .map(|field| {
            let what = What::Field { class: class(&field), read_only: field.read_only };
            Cell { name: field.name, label: field.label, what }
        })
        .collect();
    if has_grid(map, table) {
        let rows = table_name(WantedTable::Solution);
        if let Some(view) = crm.default_view(rows).await? {
            let what = What::Grid { view, relationship: SOLUTIONS.to_owned() };
            cells.push(Cell { name: rows.to_owned(), label: "Microsoft Solutions".to_owned(), what });
        }
    }
    if forms.iter().any(|form| matches!(xml::with(&form.xml, &form.id, &cells), Ok(None))) {
        return Ok(None);
    }
    // The one that has our section already, else the one most see.
    let ours = |form: &&Form| form.xml.contains(&xml::mark());
    let chosen = forms.iter().find(ours).or(forms.iter().find(|form| form.default)).or(forms.first());
    let Some(form) = chosen else {
        report.warn(format!("`{name}` has no main form that is shown"), BY_HAND);
        return Ok(None);
    };
    let wanted = xml::with(&form.xml, &form.id, &cells);
    draft(crm, form, name, wanted, report).await
}

/// Makes `wanted` the form's draft, unless a user has a draft of it: publishing would publish that, too.
async fn draft(
    crm: &Dynamics,
    form: &Form,
    table: &str,
    wanted: Result<Option<String>, String>,
    report: &mut Report,
) -> Result<Option<String>, Failure> {
    let wanted = match wanted {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return Ok(None),
        Err(why) => {
            report.warn(format!("form `{}` of `{table}` is left alone: {why}", form.name), BY_HAND);
            return Ok(None);
        }
    };
    let draft = crm.draft_of(form).await?;
    if draft != wanted {
        if draft != form.xml {
            report.warn(
                format!(
                    "form `{}` of `{table}` has changes that nobody has published: left alone",
                    form.name
                ),
                "publish or discard them in Power Apps, then once more",
            );
            return Ok(None);
        }
        crm.save_draft(form, &wanted).await?;
    }
    Ok(Some(form.name.clone()))
}

/// Takes our columns and tables off the main forms that show them; says which. What a form still shows cannot be
/// deleted.
pub(crate) async fn take(
    crm: &Dynamics,
    ours: impl Fn(&str) -> bool,
    report: &mut Report,
) -> Result<Vec<String>, Failure> {
    let mut changed = vec![];
    for table in [WantedTable::Opportunity, WantedTable::Lead, WantedTable::Account, WantedTable::Contact] {
        let name = table_name(table);
        for form in crm.main_forms(name).await? {
            let wanted = xml::without(&form.xml, &ours);
            changed.extend(draft(crm, &form, name, wanted, report).await?.map(|form| (name, form)));
        }
    }
    let mut taken = vec![];
    publish(crm, &changed, report, |table, form| taken.push(format!("form `{form}` of `{table}`"))).await?;
    Ok(taken)
}
