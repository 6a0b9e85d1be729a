//! Rows of the list of solutions, split into their own columns and the catalogue's.

use super::*;
use serde_json::json;

const KEY: &str = "cosell_solutionid";

fn row() -> ListRow {
    let plain = |text: &str| CrmValue::Plain(json!(text));
    ListRow::from([
        ("cosell_name".to_owned(), plain("Analytics")),
        ("detail.cosell_name".to_owned(), plain("Analytics Pro")),
        ("detail.cosell_solutionid".to_owned(), plain("SOL-1-ABC")),
    ])
}

#[test]
fn a_row_is_its_own_columns_and_those_of_the_catalogue() {
    assert_eq!(columns(&row(), false).into_keys().collect::<Vec<_>>(), ["cosell_name"]);
    assert_eq!(columns(&row(), true).into_keys().collect::<Vec<_>>(), ["cosell_name", "cosell_solutionid"]);
    assert_eq!(columns(&row(), true)["cosell_name"], CrmValue::Plain(json!("Analytics Pro")));
}

#[test]
fn a_row_without_a_solution_id_is_refused_by_its_column() {
    assert_eq!(solution_id(&row(), KEY).ok(), Some("SOL-1-ABC"));
    let mut row = row();
    row.insert("detail.cosell_solutionid".to_owned(), CrmValue::Plain(Value::Null));
    let Err(NotBegun::Refused(refused)) = solution_id(&row, KEY) else { panic!("taken") };
    assert_eq!(refused.field.as_deref(), Some("detail.cosell_solutionid"));
}
