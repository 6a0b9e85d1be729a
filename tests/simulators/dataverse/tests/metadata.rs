//! Metadata reads and provisioning.

use super::*;

const TABLE: &str = "EntityDefinitions(LogicalName='opportunity')";

#[test]
fn tables_columns_and_options_are_described() {
    let mut bench = Bench::new();
    let path = format!("{TABLE}?$select=LogicalName,ChangeTrackingEnabled,IsOptimisticConcurrencyEnabled");
    let table = bench.get(&path).done(200).body;
    assert_eq!(
        (&table["ChangeTrackingEnabled"], &table["LogicalName"]),
        (&json!(true), &json!("opportunity"))
    );
    assert!(table["MetadataId"].is_string());
    let column = format!("{TABLE}/Attributes(LogicalName='cosell_referralid')");
    let found = bench.get(&format!("{column}?$select=LogicalName")).done(200).body;
    assert_eq!(found["@odata.type"], "#Microsoft.Dynamics.CRM.StringAttributeMetadata");
    assert_eq!(
        bench.get(&format!("{TABLE}/Attributes(LogicalName='cosell_no')?$select=LogicalName")).status,
        404
    );
    let cast =
        format!("{column}/Microsoft.Dynamics.CRM.StringAttributeMetadata?$select=LogicalName,MaxLength");
    assert_eq!(bench.get(&cast).done(200).body["MaxLength"], 100);
    let status = format!(
        "{TABLE}/Attributes/Microsoft.Dynamics.CRM.StatusAttributeMetadata?$select=LogicalName&$expand=OptionSet"
    );
    let status = bench.get(&status).done(200).body;
    let options = status["value"][0]["OptionSet"]["Options"].as_array().unwrap();
    let values: Vec<_> =
        options.iter().map(|o| (o["Value"].as_i64().unwrap(), o["State"].as_i64().unwrap())).collect();
    assert_eq!(values, [(1, 0), (2, 0), (3, 1), (4, 2), (5, 2)]);
    assert_eq!(bench.get("EntityDefinitions(LogicalName='nothing')").status, 404);
}

#[test]
fn a_column_and_its_key_are_provisioned() {
    let mut bench = Bench::new();
    bench.org.unprovision();
    let by_key = "opportunities(csl_referralid='r-1')";
    bench.patch(by_key, &[], json!({ "name": "x" })).refused(400, "0x80060888");
    let label = json!({ "LocalizedLabels": [{ "Label": "Referral Id", "LanguageCode": 1033 }] });
    let column = json!({ "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "AttributeType": "String",
        "AttributeTypeName": { "Value": "StringType" }, "SchemaName": "csl_ReferralId", "DisplayName": label,
        "RequiredLevel": { "Value": "None" }, "MaxLength": 100, "FormatName": { "Value": "Text" } });
    for (solution, status) in [("Nobodys", 404), ("Default", 404)] {
        let named = [("mscrm.solutionuniquename", solution)];
        assert_eq!(bench.send("POST", &format!("{TABLE}/Attributes"), &named, column.clone()).status, status);
    }
    let solution = [("mscrm.solutionuniquename", "CoSellLink")];
    let mut foreign = column.clone();
    foreign["SchemaName"] = json!("abc_ReferralId");
    assert_eq!(bench.send("POST", &format!("{TABLE}/Attributes"), &solution, foreign).status, 400);
    let made = bench.send("POST", &format!("{TABLE}/Attributes"), &solution, column.clone()).done(204);
    assert!(made.header("odata-entityid").contains("/EntityDefinitions("));
    assert_eq!(bench.send("POST", &format!("{TABLE}/Attributes"), &solution, column).status, 400);
    let key = json!({ "SchemaName": "csl_referralid_key", "DisplayName": label, "KeyAttributes": ["csl_referralid"] });
    bench.send("POST", &format!("{TABLE}/Keys"), &solution, key).done(204);
    bench.patch(by_key, &[], json!({ "name": "x" })).refused(400, "0x80060888");
    let keys = format!("{TABLE}/Keys?$select=SchemaName,KeyAttributes,EntityKeyIndexStatus");
    let mut seen = vec![];
    while seen.last().is_none_or(|s| s != "Active") && seen.len() < 9 {
        let found = bench.get(&keys).done(200).body["value"][0].clone();
        assert_eq!(found["KeyAttributes"], json!(["csl_referralid"]));
        seen.push(found["EntityKeyIndexStatus"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["Pending", "InProgress", "Active"]);
    bench.patch(by_key, &[], json!({ "name": "x" })).done(204);
}

#[test]
fn a_table_and_its_lookup_are_provisioned() {
    let mut bench = Bench::new();
    let label = |text: &str| json!({ "LocalizedLabels": [{ "Label": text, "LanguageCode": 1033 }] });
    let solution = [("mscrm.solutionuniquename", "CoSellLink")];
    let table = json!({ "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata", "SchemaName": "csl_Thing",
        "DisplayName": label("Thing"), "DisplayCollectionName": label("Things"), "OwnershipType": "UserOwned",
        "IsActivity": false, "HasActivities": false, "HasNotes": false, "ChangeTrackingEnabled": true,
        "Attributes": [{ "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "IsPrimaryName": true,
            "AttributeType": "String", "SchemaName": "csl_Name", "DisplayName": label("Name"), "MaxLength": 100 }] });
    for missing in ["DisplayName", "OwnershipType", "HasNotes", "Attributes", "@odata.type"] {
        let mut bad = table.clone();
        bad.as_object_mut().unwrap().remove(missing);
        assert_ne!(bench.send("POST", "EntityDefinitions", &solution, bad).status, 204, "{missing}");
    }
    bench.send("POST", "EntityDefinitions", &solution, table.clone()).done(204);
    assert_eq!(bench.send("POST", "EntityDefinitions", &solution, table).status, 400);
    let lookup = json!({ "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "SchemaName": "csl_thing_AccountId", "ReferencedEntity": "account", "ReferencedAttribute": "accountid",
        "ReferencingEntity": "csl_thing", "CascadeConfiguration": { "Delete": "Restrict" },
        "Lookup": { "@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata", "AttributeType": "Lookup",
            "SchemaName": "csl_AccountId", "DisplayName": label("Account") } });
    bench.send("POST", "RelationshipDefinitions", &solution, lookup.clone()).done(204);
    assert_eq!(bench.send("POST", "RelationshipDefinitions", &solution, lookup).status, 400);
    let account = bench.send("POST", "accounts", &[], json!({ "name": "x" })).done(204);
    let account = account.header("odata-entityid").rsplit_once('/').unwrap().1.to_owned();
    let row = json!({ "csl_name": "a", "csl_AccountId@odata.bind": format!("/{account}") });
    bench.send("POST", "csl_things", &[], row).done(204);
    let read = bench.get("csl_things?$select=csl_name,_csl_accountid_value").done(200);
    assert_eq!(
        account,
        format!("accounts({})", read.body["value"][0]["_csl_accountid_value"].as_str().unwrap())
    );
}
