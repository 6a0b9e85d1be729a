//! Forms and views of the org: `systemforms` with their drafts, `RetrieveUnpublished`, `PublishXml`. Written from Microsoft
//! Learn (*Form XML schema*, the table reference of `systemform`, *PublishXml*); what a form may hold is checked harder
//! than the schema does: ids, columns, control classes, grids, languages.

use super::address::{Address, options};
use super::columns::metadata_id;
use super::metadata::{ColumnKind, Table};
use super::people::writer_of_the_platform;
use super::refusal::{DataverseOutcome, bad_payload, no_such_row, not_modelled, refuse};
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use roxmltree::{Document, Node};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

const GRID: &str = "{E7A81278-8635-4D9E-8D4D-59480B391C5B}";
/// What only the connector writes, as its documents tell administrators to lay it out.
const READ_ONLY: [&str; 5] = [
    "cosell_referralid",
    "cosell_referrallink",
    "cosell_microsoftcrmid",
    "cosell_referralprogram",
    "cosell_audit",
];

/// The classes of the controls that show a column of this type; empty: not modelled.
fn classes(kind: &ColumnKind) -> &'static [&'static str] {
    const TEXT: &str = "{4273EDBD-AC1D-40D3-9FB2-095C621B552D}";
    const URL: &str = "{71716B6C-711E-476C-8AB8-5D11542BFB47}";
    match kind {
        ColumnKind::Text { .. } => &[TEXT, URL],
        ColumnKind::Memo { .. } => &["{E0DECE4B-6FC8-4A8F-A065-082708572369}"],
        ColumnKind::Boolean { .. } => {
            &["{67FAC785-CD58-4F9F-ABB3-4B7DDC6ED5ED}", "{B0C6723A-8503-4FD7-BB28-C8A06AC933C2}"]
        }
        ColumnKind::Choice { .. } => &["{3EF39988-22BB-4F0B-BBBE-64B5A3748AEE}"],
        ColumnKind::Money { .. } => &["{533B9E00-756B-4312-95A0-DC888637AC78}"],
        ColumnKind::Date | ColumnKind::DateTime => &["{5B773807-9FB2-42DB-97C3-7A91EFF8ADFF}"],
        ColumnKind::Decimal => &["{C3EFE0C3-0EC6-42BE-8349-CBD9079DFD8E}"],
        ColumnKind::Lookup { .. } => &["{270BD3DB-D9AF-4782-9025-509E298DEC0A}"],
        _ => &[],
    }
}

impl Dataverse {
    /// `PATCH systemforms(id)`: a draft, seen by nobody before it is published.
    pub(super) fn change_form(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        address: &Address,
    ) -> DataverseOutcome<Response> {
        self.may_customize(call, "")?;
        let Address::Id(id) = address else { return Err(not_modelled("a form by alternate key")) };
        if call.request.header("if-match") != Some("*") {
            return Err(not_modelled("a form without `If-Match: *`"));
        }
        let shape = self.answer_shape(call, table)?;
        let body = self.object("systemform", &call.request.body)?;
        let Some(row) = self.get(&table.set, id).cloned() else { return Err(no_such_row(table, id)) };
        let (Some(xml), 1) = (body.get("formxml").and_then(Value::as_str), body.len()) else {
            return Err(not_modelled("a change of a form beyond its XML"));
        };
        self.check_form(row["objecttypecode"].as_str().unwrap_or_default(), xml)?;
        self.drafts.insert(id.clone(), xml.to_owned());
        let uri = format!("{}/{}({id})", self.root(), table.set);
        self.written(call, table, id, &uri, 200, &shape)
    }

    /// Answers `GET systemforms(id)/Microsoft.Dynamics.CRM.RetrieveUnpublished()`: the form, or its draft.
    pub(super) fn unpublished_form(
        &self,
        call: &DataverseCall,
        table: &Table,
        address: &Address,
    ) -> DataverseOutcome<Response> {
        let Address::Id(id) = address else { return Err(not_modelled("a form by alternate key")) };
        let options = options(&call.request.query)?;
        self.only(&options, &["$select"])?;
        let shape = self.shape(table, options.get("$select"), None)?;
        let mut row = self.get(&table.set, id).cloned().ok_or_else(|| no_such_row(table, id))?;
        if let Some(draft) = self.drafts.get(id) {
            row.insert("formxml".into(), json!(draft));
        }
        let body = self.show(table, &row, &shape, false);
        Ok(self.ok(call, body))
    }

    /// `POST PublishXml`: the drafts of the named tables become what everybody sees.
    pub(super) fn publish_xml(&mut self, call: &DataverseCall) -> DataverseOutcome<Response> {
        self.may_customize(call, "")?;
        let body = self.object("PublishXml", &call.request.body)?;
        let wrong = |text: &str| bad_payload("PublishXml", text);
        let xml = body.get("ParameterXml").and_then(Value::as_str).ok_or_else(|| wrong("ParameterXml"))?;
        let document = Document::parse(xml).map_err(|why| wrong(&why.to_string()))?;
        let root = document.root_element();
        let entities = root.children().filter(|node| node.is_element() && node.has_tag_name("entities"));
        if !root.has_tag_name("importexportxml") {
            return Err(wrong("ParameterXml: importexportxml"));
        }
        let named = entities.flat_map(|node| node.children()).filter(Node::is_element);
        let named: Vec<String> = named.filter_map(|node| Some(node.text()?.to_owned())).collect();
        if named.is_empty() || named.iter().any(|name| self.table_named(name).is_none()) {
            return Err(wrong("ParameterXml: entity"));
        }
        for (id, xml) in std::mem::take(&mut self.drafts) {
            let row = self.rows.get_mut("systemforms").and_then(|rows| rows.get_mut(&id)).expect("a form");
            if named.iter().any(|name| row["objecttypecode"] == **name) {
                row.insert("formxml".into(), json!(xml));
            } else {
                self.drafts.insert(id, xml);
            }
        }
        Ok(Response::new(204).with("OData-Version", "4.0"))
    }

    fn check_form(&self, table: &str, xml: &str) -> DataverseOutcome<()> {
        let wrong = |text: String| refuse(400, "0x80040203", format!("The form XML is not valid: {text}"));
        let table = self.table_named(table).ok_or_else(|| wrong(format!("no table {table}")))?;
        let document = Document::parse(xml).map_err(|why| wrong(why.to_string()))?;
        if !document.root_element().has_tag_name("form") {
            return Err(wrong("the root is not form".into()));
        }
        let (mut ids, mut controls) = (BTreeSet::new(), BTreeSet::new());
        for node in document.descendants().filter(Node::is_element) {
            let name = node.tag_name().name();
            let parent = node.parent_element().map_or("", |parent| parent.tag_name().name());
            let expected: &[&str] = match name {
                "section" => &["sections"],
                "row" => &["rows"],
                "cell" => &["row"],
                "control" => &["cell"],
                "sections" => &["column"],
                _ => &[],
            };
            if !expected.is_empty() && !expected.contains(&parent) {
                return Err(wrong(format!("{name} in {parent}")));
            }
            if matches!(name, "tab" | "section" | "cell") {
                let id = node.attribute("id").filter(|id| is_guid(id));
                let id = id.ok_or_else(|| wrong(format!("{name} without an id")))?;
                if !ids.insert(id.to_lowercase()) {
                    return Err(wrong(format!("the id {id} is there twice")));
                }
            }
            match name {
                "row" => check_row(&node).map_err(wrong)?,
                "control" => {
                    let id = node.attribute("id").ok_or_else(|| wrong("control without an id".into()))?;
                    if !controls.insert(id.to_owned()) {
                        return Err(wrong(format!("the control {id} is there twice")));
                    }
                    self.check_control(&table, &node).map_err(wrong)?;
                }
                "label" if node.attribute("languagecode") != Some(&self.language().to_string()) => {
                    return Err(wrong("a language that the org does not have".into()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_control(&self, table: &Table, control: &Node<'_, '_>) -> Result<(), String> {
        let class = control.attribute("classid").filter(|id| is_guid(id)).ok_or("control without a class")?;
        let class = class.to_uppercase();
        if let Some(name) = control.attribute("datafieldname") {
            let column = table.columns.get(name).ok_or_else(|| format!("no column {name}"))?;
            let classes = classes(&column.kind);
            return match classes.is_empty() || classes.contains(&class.as_str()) {
                true => Ok(()),
                false => Err(format!("the control of {name} is of another type than its column")),
            };
        }
        if class != GRID {
            return Ok(());
        }
        let parameter = |name: &str| {
            let found = control.descendants().find(|node| node.has_tag_name(name));
            found.and_then(|node| node.text()).ok_or_else(|| format!("a grid without {name}"))
        };
        let (view, relationship) = (parameter("ViewId")?, parameter("RelationshipName")?);
        let target = parameter("TargetEntityType")?;
        let view = self.get("savedqueries", &view.trim_matches(['{', '}']).to_lowercase());
        if view.is_none_or(|view| view["returnedtypecode"] != target) {
            return Err(format!("no such view of {target}"));
        }
        let related = |children: &super::metadata::Children| {
            children.navigation == relationship && children.table == target
        };
        if !table.children.iter().any(related) {
            return Err(format!("no relationship {relationship} to {target}"));
        }
        Ok(())
    }

    /// The forms and the view that a table comes with, showing its name, and `fields` besides.
    pub(super) fn default_forms(&mut self, table: &str, fields: &[(&str, bool)], grid: bool) {
        let table = self.table_named(table).expect("a table");
        let xml = self.form_xml(&table, "main", fields, grid);
        let name = if table.name.starts_with("cosell_") { "Information" } else { "Main" };
        self.add_form(&table.name, name, 2, true, true, &xml);
        let view = json!({ "name": format!("Active {}", table.set), "returnedtypecode": table.name,
                           "querytype": 0, "isdefault": true });
        self.furnish_row("savedqueries", &metadata_id(&format!("view.{}", table.name)), &view);
    }

    fn add_form(&mut self, table: &str, name: &str, kind: i64, default: bool, active: bool, xml: &str) {
        let columns = json!({ "name": name, "objecttypecode": table, "type": kind, "isdefault": default,
                              "formactivationstate": i64::from(active), "formxml": xml });
        self.furnish_row("systemforms", &metadata_id(&format!("form.{table}.{name}")), &columns);
    }

    fn furnish_row(&mut self, set: &str, id: &str, columns: &Value) {
        let table = self.tables[set].clone();
        let columns = columns.as_object().expect("columns");
        let changes = self.changes(&table, columns).expect("the org's own rows are valid");
        self.insert(&table, id, changes, &writer_of_the_platform()).expect("the org's own rows are valid");
        self.touched.clear();
    }

    /// All forms and views, with whatever columns of ours the tables have by now: laid out by hand.
    pub(super) fn furnish_forms(&mut self) {
        for set in ["systemforms", "savedqueries"] {
            self.rows.insert(set.to_owned(), Default::default());
        }
        self.drafts.clear();
        for name in ["opportunity", "lead", "account", "contact", "cosell_solution", "cosell_solutiondetail"]
        {
            let Some(table) = self.table_named(name) else { continue };
            let ours = table.columns.values().filter(|column| {
                let shown = !column.name.ends_with("key") && column.name != "cosell_opportunityid";
                column.name.starts_with("cosell_")
                    && column.name != table.title
                    && shown
                    && column.name != table.id
            });
            let fields: Vec<(&str, bool)> = ours
                .map(|column| (column.name.as_str(), READ_ONLY.contains(&column.name.as_str())))
                .collect();
            self.default_forms(name, &fields, false);
        }
        let table = self.table_named("opportunity").expect("a table");
        if !table.children.is_empty() {
            // The view it needs is there by now.
            let fields: Vec<(&str, bool)> = table
                .columns
                .keys()
                .filter(|name| name.starts_with("cosell_"))
                .map(|name| (name.as_str(), READ_ONLY.contains(&name.as_str())))
                .collect();
            let xml = self.form_xml(&table, "main", &fields, true);
            self.publish_form("Main", "opportunity", &xml);
        }
        // Forms that are nobody's business: another main form, one that is not shown, and one of another kind.
        let other = self.form_xml(&table, "other", &[], false);
        self.add_form("opportunity", "Another", 2, false, true, &other);
        self.add_form("opportunity", "Old", 2, false, false, &other);
        self.add_form("opportunity", "Quick", 7, true, true, &other);
    }

    fn form_xml(&self, table: &Table, seed: &str, fields: &[(&str, bool)], grid: bool) -> String {
        let id = |of: &str| format!("{{{}}}", metadata_id(&format!("{}.{seed}.{of}", table.name)));
        let (mut rows, language) = (String::new(), self.language());
        for (name, read_only) in [(table.title.as_str(), false)].iter().chain(fields) {
            let Some(class) = classes(&table.columns[*name].kind).first() else { continue };
            let cell = id(name);
            let _ = writeln!(
                rows,
                "<row><cell id=\"{cell}\"><labels><label description=\"{name}\" languagecode=\"{language}\" /></labels>\
                 <control id=\"{name}\" classid=\"{class}\" datafieldname=\"{name}\" disabled=\"{read_only}\" /></cell></row>"
            );
        }
        if grid {
            let (cell, view) = (id("grid"), metadata_id("view.cosell_solution"));
            let _ = write!(
                rows,
                "<row><cell id=\"{cell}\"><control id=\"Solutions\" classid=\"{GRID}\"><parameters><ViewId>{{{view}}}</ViewId>\
                 <RelationshipName>cosell_solution_OpportunityId</RelationshipName>\
                 <TargetEntityType>cosell_solution</TargetEntityType></parameters></control></cell></row>"
            );
        }
        let (tab, section) = (id("tab"), id("section"));
        format!(
            "<form>\n  <tabs>\n    <tab name=\"SUMMARY\" id=\"{tab}\"><labels><label description=\"Summary &amp; more\" \
             languagecode=\"{language}\" /></labels><columns><column width=\"100%\"><sections>\n<section name=\"theirs\" id=\"{section}\" \
             columns=\"11\"><labels><label description=\"General\" languagecode=\"{language}\" /></labels><rows>{rows}</rows></section>\n\
             </sections></column></columns></tab>\n  </tabs>\n  <!-- theirs -->\n  <events><event name=\"onload\" /></events>\n</form>"
        )
    }

    /// The XML of a form as everybody sees it.
    pub fn form(&self, name: &str, table: &str) -> String {
        let row = &self.rows["systemforms"][&metadata_id(&format!("form.{table}.{name}"))];
        row["formxml"].as_str().expect("XML").to_owned()
    }

    /// An administrator changes a form and publishes it.
    pub fn publish_form(&mut self, name: &str, table: &str, xml: &str) {
        self.check_form(table, xml).expect("valid");
        let id = metadata_id(&format!("form.{table}.{name}"));
        let row = self.rows.get_mut("systemforms").and_then(|rows| rows.get_mut(&id)).expect("a form");
        row.insert("formxml".into(), json!(xml));
    }

    /// An administrator is at work on a form and has not published it.
    pub fn draft_form(&mut self, name: &str, table: &str, xml: &str) {
        self.check_form(table, xml).expect("valid");
        self.drafts.insert(metadata_id(&format!("form.{table}.{name}")), xml.to_owned());
    }

    /// Which form of which table shows a column of a table, or rows of it; drafts count, too.
    pub(super) fn shown_on(&self, table: &str, column: Option<&str>) -> Option<String> {
        let rows = self.rows("systemforms").into_iter();
        let all = rows.flat_map(|row| {
            let id = row["formid"].as_str().unwrap_or_default();
            let drafts = self.drafts.get(id).map(String::as_str);
            [row["formxml"].as_str(), drafts].into_iter().flatten().map(move |xml| (row, xml))
        });
        all.filter(|(row, xml)| match column {
            Some(column) => {
                row["objecttypecode"] == *table && xml.contains(&format!("datafieldname=\"{column}\""))
            }
            None => row["objecttypecode"] != *table && xml.contains(&format!("<TargetEntityType>{table}<")),
        })
        .map(|(row, _)| row["name"].as_str().unwrap_or("?").to_owned())
        .next()
    }
}

/// No more cells than the section has columns.
fn check_row(row: &Node<'_, '_>) -> Result<(), String> {
    let section = row.ancestors().find(|node| node.has_tag_name("section"));
    let columns = section.and_then(|section| section.attribute("columns")).map(str::len);
    let span =
        |cell: Node<'_, '_>| cell.attribute("colspan").and_then(|n| n.parse::<usize>().ok()).unwrap_or(1);
    let cells: usize = row.children().filter(|node| node.has_tag_name("cell")).map(span).sum();
    match columns {
        Some(columns) if cells > columns => Err("more cells than columns".to_owned()),
        _ => Ok(()),
    }
}

fn is_guid(text: &str) -> bool {
    let inside = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|id| super::values::guid(id).is_some())
}
