//! The template's set-up runs again if a version has other columns than the one before: its property `Columns` is made
//! from the default maps. `UPDATE_CASES=1` rewrites it.

#![expect(clippy::disallowed_methods, reason = "the crate is pure; the template is a file")]

use mapping::{CrmKind, Map};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

const PROPERTY: &str = "      Columns: ";

/// A digest of what set-up creates in a CRM, in eight digits.
fn known(crm: CrmKind) -> String {
    let map = Map::standard(crm);
    let ours = map.wanted_columns().into_iter().filter(|column| map.is_ours(&column.name));
    let text: Vec<String> = ours.map(|column| format!("{column:?}")).collect();
    Sha256::digest(text.join("\n")).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn set_up_runs_again_when_other_columns_are_known() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = fs::read_to_string(&path).expect("the template");
    let wanted = format!("{PROPERTY}{}-{}", known(CrmKind::Dynamics365), known(CrmKind::Salesforce));
    let found = template.lines().find(|line| line.starts_with(PROPERTY)).expect("the property");
    if std::env::var_os("UPDATE_CASES").is_some() {
        fs::write(&path, template.replacen(found, &wanted, 1)).expect("a file");
    } else {
        assert_eq!(found, wanted, "UPDATE_CASES=1 rewrites it");
    }
}
