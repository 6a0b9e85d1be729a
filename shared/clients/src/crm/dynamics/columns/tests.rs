//! Rows as Dataverse sends them, read as records.

use super::*;
use serde_json::json;

fn plain(name: &str) -> ColumnUse {
    ColumnUse { name: name.to_owned(), lookup: None }
}

fn columns() -> Columns {
    let currency = ("transactioncurrency".to_owned(), "isocurrencycode".to_owned());
    Columns {
        own: vec![
            plain("name"),
            plain("estimatedvalue"),
            ColumnUse { name: "transactioncurrencyid".to_owned(), lookup: Some(currency) },
        ],
        always: Columns::of(Map::standard(mapping::CrmKind::Dynamics365), RecordKind::Opportunity).always,
        related: BTreeMap::from([
            ("account", vec![plain("name"), plain("address1_country")]),
            ("contact", vec![plain("emailaddress1")]),
            ("owner", vec![]),
        ]),
        solution: vec![plain("cosell_name")],
        detail: vec![plain("cosell_solutionid")],
        sales_team: false,
    }
}

fn chf() -> Texts {
    let key = ("transactioncurrency", "isocurrencycode", "9a1f");
    Texts::from([((key.0.into(), key.1.into(), key.2.into()), "CHF".to_owned())])
}

fn row(value: Value) -> Object<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_colleague_who_left_is_in_no_team() {
    let member = |id: &str, left: bool, category: i64| json!({ CONNECTION_ID: id, MEMBER: { "isdisabled": left }, ROLE: { "category": category } });
    let all = SALES_TEAM_CATEGORY;
    let rows = [member("1", false, all), member("2", true, all), member("3", false, all + 1)];
    let team = columns().team(&rows, &Texts::new());
    assert_eq!(team.iter().map(|row| row[ROW].clone()).collect::<Vec<_>>(), [json!("1")]);
}

#[test]
fn the_query_names_each_column_once_and_lookups_by_their_value() {
    let c = columns();
    assert_eq!(
        c.own_select(),
        "_customerid_value,_originatingleadid_value,_ownerid_value,_parentaccountid_value,_parentcontactid_value,\
         _transactioncurrencyid_value,estimatedvalue,name,opportunityid,versionnumber"
    );
    assert_eq!(
        c.record_query(),
        "$select=_customerid_value,_originatingleadid_value,_ownerid_value,_parentaccountid_value,_parentcontactid_value,\
         _transactioncurrencyid_value,estimatedvalue,name,opportunityid,versionnumber\
         &$expand=parentaccountid($select=accountid,address1_country,name),\
         customerid_account($select=accountid,address1_country,name),\
         parentcontactid($select=contactid,emailaddress1),customerid_contact($select=contactid,emailaddress1)"
    );
    assert_eq!(
        c.solutions_query(),
        "$select=cosell_name,cosell_solutionid&$expand=cosell_SolutionDetailId($select=cosell_solutiondetailid,\
         cosell_solutionid)"
    );
}

#[test]
fn a_record_shows_related_rows_and_the_text_of_lookups() {
    let shown = columns().record(
        &row(json!({
            "@odata.etag": "W/\"7\"", "name": "Deal", "estimatedvalue": 125000.0,
            "_transactioncurrencyid_value": "9a1f",
            "parentaccountid": { "name": "Fabrikam", "address1_country": null },
            "parentcontactid": null, "customerid_contact": null,
        })),
        &chf(),
        true,
    );
    assert_eq!(shown["transactioncurrencyid"], json!("CHF"));
    assert_eq!(shown["estimatedvalue"], json!(125000.0));
    assert_eq!(shown["account.name"], json!("Fabrikam"));
    assert_eq!(shown["account.address1_country"], Value::Null);
    assert_eq!(shown["contact.emailaddress1"], Value::Null, "no contact is an empty one");
}

#[test]
fn the_customer_counts_where_the_parent_account_is_empty() {
    let shown = columns().record(
        &row(json!({ "parentaccountid": null, "customerid_account": { "name": "Contoso" } })),
        &chf(),
        true,
    );
    assert_eq!(shown["account.name"], json!("Contoso"));
}

#[test]
fn what_was_not_asked_for_or_cannot_be_found_is_not_observed() {
    let shown = columns().record(&row(json!({ "_transactioncurrencyid_value": "unknown" })), &chf(), false);
    assert!(shown.is_empty(), "{shown:?}");
    let shown = columns().record(&row(json!({ "_transactioncurrencyid_value": null })), &chf(), false);
    assert_eq!(shown["transactioncurrencyid"], Value::Null);
}

#[test]
fn a_solution_shows_its_catalogue_row() {
    let rows = [
        json!({ "cosell_name": "A", "cosell_SolutionDetailId": { "cosell_solutionid": "SOL-1-ABC" } }),
        json!({ "cosell_name": "typed by hand", "cosell_SolutionDetailId": null }),
    ];
    let shown = columns().solutions(&rows, &chf());
    assert_eq!(shown[0]["detail.cosell_solutionid"], json!("SOL-1-ABC"));
    assert_eq!(shown[1]["detail.cosell_solutionid"], Value::Null);
    assert_eq!(shown[1]["cosell_name"], json!("typed by hand"));
}
