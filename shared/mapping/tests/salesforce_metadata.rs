//! The custom fields and objects of Salesforce in source format, as an administrator deploys them with the Salesforce
//! CLI. They are made from the map and compared file by file; `UPDATE_CASES=1` rewrites them.

#![expect(clippy::expect_used, reason = "a test that panics has failed")]
#![expect(clippy::disallowed_methods, reason = "the crate is pure; its metadata are files")]

use mapping::{CrmKind, Map, WantedColumn, WantedKind, WantedTable};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const SPACE: &str = "http://soap.sforce.com/2006/04/metadata";
const SOLUTION: &str = "Microsoft_Solution__c";
const DETAIL: &str = "Microsoft_Solution_Detail__c";

fn object(table: WantedTable) -> &'static str {
    match table {
        WantedTable::Opportunity => "Opportunity",
        WantedTable::Lead => "Lead",
        WantedTable::Account => "Account",
        WantedTable::Contact => "Contact",
        WantedTable::Owner => "User",
        WantedTable::Solution => SOLUTION,
        WantedTable::SolutionDetail => DETAIL,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One XML element for each pair.
fn elements(pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(String::new(), |mut all, (name, text)| {
        let _ = writeln!(all, "    <{name}>{}</{name}>", escaped(text));
        all
    })
}

fn custom_field(name: &str, label: &str, rest: &str) -> String {
    let first = elements(&[("fullName", name), ("label", label)]);
    format!("{HEAD}<CustomField xmlns=\"{SPACE}\">\n{first}{rest}</CustomField>\n")
}

fn field(column: &WantedColumn) -> String {
    let key = if column.key { "true" } else { "false" };
    let rest = match &column.kind {
        WantedKind::Text(_) if column.name.ends_with("Link__c") => {
            elements(&[("type", "Url"), ("required", "false")])
        }
        WantedKind::Text(length) => {
            let length = length.unwrap_or(100).min(255).to_string();
            let unique = [("unique", key), ("caseSensitive", "false"), ("externalId", key)];
            let first = elements(&[("type", "Text"), ("length", &length), ("required", "false")]);
            first + &elements(if column.key { &unique } else { &unique[2..] })
        }
        WantedKind::Memo(length) => {
            let length = length.to_string();
            elements(&[("type", "LongTextArea"), ("length", &length), ("visibleLines", "10")])
        }
        WantedKind::Boolean => elements(&[("type", "Checkbox"), ("defaultValue", "false")]),
        WantedKind::Choice(options) => {
            let mut values = String::new();
            for (value, label) in options {
                let value = escaped(value.as_str().expect("a text"));
                let label = escaped(label);
                let _ = write!(
                    values,
                    "            <value>\n                <fullName>{value}</fullName>\n                <default>false</default>\n                <label>{label}</label>\n            </value>\n"
                );
            }
            elements(&[("type", "Picklist"), ("required", "false")])
                + "    <valueSet>\n        <restricted>true</restricted>\n        <valueSetDefinition>\n            <sorted>false</sorted>\n"
                + &values
                + "        </valueSetDefinition>\n    </valueSet>\n"
        }
        other => panic!("`{}`: {other:?} is no custom field of ours", column.name),
    };
    custom_field(&column.name, &column.label, &rest)
}

/// Deleting an opportunity deletes its rows of Microsoft Solutions; a row of the catalogue that is in use cannot be
/// deleted.
fn lookups() -> [(&'static str, String); 2] {
    let to_deal = [
        ("type", "MasterDetail"),
        ("referenceTo", "Opportunity"),
        ("relationshipName", "Microsoft_Solutions"),
        ("relationshipOrder", "0"),
        ("reparentableMasterDetail", "false"),
        ("writeRequiresMasterRead", "false"),
    ];
    let to_detail = [
        ("type", "Lookup"),
        ("referenceTo", DETAIL),
        ("relationshipName", "Microsoft_Solutions"),
        ("deleteConstraint", "Restrict"),
        ("required", "true"),
    ];
    [
        ("Opportunity__c", custom_field("Opportunity__c", "Opportunity", &elements(&to_deal))),
        ("Solution_Detail__c", custom_field("Solution_Detail__c", "Solution Detail", &elements(&to_detail))),
    ]
}

fn custom_object(label: &str, plural: &str, name_field: &str, sharing: &str) -> String {
    let rest = elements(&[("label", label), ("pluralLabel", plural), ("deploymentStatus", "Deployed")]);
    let sharing = elements(&[("sharingModel", sharing)]);
    format!(
        "{HEAD}<CustomObject xmlns=\"{SPACE}\">\n{rest}    <nameField>\n{name_field}    </nameField>\n{sharing}</CustomObject>\n"
    )
}

fn permission_set(fields: &BTreeSet<String>) -> String {
    let mut inside = elements(&[("label", "Co-sell connector"), ("hasActivationRequired", "false")]);
    for name in fields {
        let rights = elements(&[("field", name), ("readable", "true"), ("editable", "true")]);
        let _ = write!(inside, "    <fieldPermissions>\n{}    </fieldPermissions>\n", indented(&rights));
    }
    // Rights to opportunities require those to customers, and rights to child rows require those to opportunities.
    let objects = [
        ("Account", "false"),
        ("Contact", "false"),
        ("Lead", "false"),
        ("Opportunity", "false"),
        (DETAIL, "false"),
        (SOLUTION, "true"),
    ];
    for (name, delete) in objects {
        let rights = elements(&[
            ("object", name),
            ("allowCreate", "true"),
            ("allowRead", "true"),
            ("allowEdit", "true"),
            ("allowDelete", delete),
            ("viewAllRecords", "true"),
            ("modifyAllRecords", "false"),
        ]);
        let _ = write!(inside, "    <objectPermissions>\n{}    </objectPermissions>\n", indented(&rights));
    }
    format!("{HEAD}<PermissionSet xmlns=\"{SPACE}\">\n{inside}</PermissionSet>\n")
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("    {line}\n")).collect()
}

/// The contents of files, by their paths below `shared/salesforce`.
fn all() -> BTreeMap<PathBuf, String> {
    let map = Map::standard(CrmKind::Salesforce);
    let mut files = BTreeMap::new();
    let mut rights = BTreeSet::new();
    let mut put = |object: &str, name: &str, text: String| {
        let path = format!("main/default/objects/{object}/fields/{name}.field-meta.xml");
        files.insert(PathBuf::from(path), text);
    };
    for column in map.wanted_columns().iter().filter(|column| map.is_ours(&column.name)) {
        put(object(column.table), &column.name, field(column));
        rights.insert(format!("{}.{}", object(column.table), column.name));
    }
    for (name, text) in lookups() {
        put(SOLUTION, name, text);
    }
    // Both lookups are required fields, to which no rights can be granted: Salesforce refuses a deployment with such
    // rights.
    let number = indented(&elements(&[
        ("label", "Microsoft Solution"),
        ("type", "AutoNumber"),
        ("displayFormat", "MS-{000000}"),
    ]));
    let title = indented(&elements(&[("label", "Solution Name"), ("type", "Text")]));
    for (name, text) in [
        (SOLUTION, custom_object("Microsoft Solution", "Microsoft Solutions", &number, "ControlledByParent")),
        (
            DETAIL,
            custom_object("Microsoft Solution Detail", "Microsoft Solution Details", &title, "ReadWrite"),
        ),
    ] {
        files.insert(PathBuf::from(format!("main/default/objects/{name}/{name}.object-meta.xml")), text);
    }
    let set = "main/default/permissionsets/Cosell_Connector.permissionset-meta.xml";
    files.insert(PathBuf::from(set), permission_set(&rights));
    let project = "{\n  \"packageDirectories\": [{ \"path\": \"main\", \"default\": true }],\n  \"sourceApiVersion\": \"62.0\"\n}\n";
    files.insert(PathBuf::from("sfdx-project.json"), project.to_owned());
    files
}

fn present(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            present(&path, root, found);
        } else {
            let text = fs::read_to_string(&path).expect("a text file");
            found.insert(path.strip_prefix(root).expect("below").to_owned(), text);
        }
    }
}

#[test]
fn the_metadata_is_the_maps_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../salesforce");
    let wanted = all();
    if std::env::var_os("UPDATE_CASES").is_some() {
        let _ = fs::remove_dir_all(&root);
        for (path, text) in &wanted {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
    }
    let mut found = BTreeMap::new();
    present(&root, &root, &mut found);
    let (names, theirs): (Vec<_>, Vec<_>) = (wanted.keys().collect(), found.keys().collect());
    assert_eq!(names, theirs, "UPDATE_CASES=1 rewrites them");
    for (path, text) in &wanted {
        assert_eq!(text, &found[path], "{}: UPDATE_CASES=1 rewrites it", path.display());
    }
}
