//! The embedded maps have no fault, and the digest depends on the content only.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]
#![expect(clippy::disallowed_methods, reason = "the crate is pure; its cases and fixtures are files")]

use mapping::*;
use serde_json::{Value as Json, json};

#[test]
fn the_default_maps_have_no_faults() {
    for crm in [CrmKind::Dynamics365, CrmKind::Salesforce] {
        if let Err(faults) = Map::with_override(crm, "") {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            panic!("{crm}:\n{}", lines.join("\n"));
        }
    }
}

#[test]
fn the_hash_changes_with_the_content_and_not_with_the_layout() {
    let hash = |text: &str| Map::with_override(CrmKind::Dynamics365, text).unwrap().hash().to_owned();
    let standard = Map::standard(CrmKind::Dynamics365).hash();
    assert_eq!(hash("# nothing\n"), standard);
    assert_eq!(hash("switches.check_mark = true\n"), standard);
    assert_ne!(hash("switches.check_mark = false\n"), standard);
    assert_eq!(
        hash("fields.name.crm='a'\nfields.notes.crm='b'"),
        hash("[fields.notes]\ncrm='b'\n[fields.name]\ncrm='a'")
    );
    assert_ne!(standard, Map::standard(CrmKind::Salesforce).hash());
}

#[test]
fn units_say_which_way_and_when_they_travel() {
    let map = Map::standard(CrmKind::Dynamics365);
    let shown: Vec<String> = map
        .units()
        .filter(|unit| unit.on_update())
        .map(|unit| format!("{} {:?} {:?}", unit.name, unit.direction, unit.owner))
        .collect();
    assert_eq!(
        shown,
        [
            "name Both Crm",
            "value Both Crm",
            "closing_date Both Crm",
            "notes Both Crm",
            "status Both Crm",
            "visible Both Crm",
            "solutions Both Crm",
            "contacts ToPartnerCenter Crm",
            "team ToPartnerCenter Crm",
            "external_reference ToPartnerCenter Crm",
            "referral_id ToCrm PartnerCenter",
            "referral_link ToCrm PartnerCenter",
            "microsoft_crm_id ToCrm PartnerCenter",
            "program ToCrm PartnerCenter",
        ]
    );
    // Whatever may change in an existing referral can be patched there.
    assert!(
        map.units().filter(|unit| unit.on_update() && unit.to_partner_center()).all(|unit| unit.patchable)
    );
    assert!(map.unit("solutions").unwrap().list && map.unit("visible").unwrap().rise_only);
    assert!(map.unit("external_reference").unwrap().only_while_empty);
}

/// Our requests equal the vendor's own samples, except for what a record has no column for.
#[test]
fn requests_look_like_the_documented_ones() {
    let map = Map::standard(CrmKind::Dynamics365);
    for (sample, help, visible) in [
        ("create-request-cosell-step1-own", json!(100000003), false),
        ("create-request-partner-led", Json::Null, true),
        ("create-request-private", Json::Null, false),
    ] {
        let mut record = record();
        record.columns.insert("cosell_helprequested".to_owned(), help);
        record.columns.insert("cosell_visibletomicrosoft".to_owned(), json!(visible));
        assert_eq!(comparable(map.new_referral(&record).unwrap()), comparable(fixture(sample)), "{sample}");
    }
    let own = fixture("create-request-cosell-step1-own");
    let engagement = EngagementId::parse("2f0c7c19-8d5c-4b4a-9a7e-3d6b5b0f4e22").unwrap();
    let organization = ("6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10", "Juniper Peak Software");
    let half = map.microsoft_half(&own, &engagement, organization);
    assert_eq!(half, fixture("create-request-cosell-step2-microsoft"));
}

#[test]
fn what_a_write_led_to_is_recognised() {
    let map = Map::standard(CrmKind::Dynamics365);
    let value = |json: Json| serde_json::from_value::<Value>(json).unwrap();
    let lost = value(json!({ "state": "2", "status": "5", "reason": "Customer chose another vendor" }));
    assert!(map.shows("status", Side::Crm, &lost, &value(json!({ "state": "2", "status": "5" }))));
    assert!(!map.shows("status", Side::Crm, &lost, &value(json!({ "state": "2", "status": "4" }))));
    let added = value(json!({ "A": { "id": "A", "name": "typed here" } }));
    assert!(map.shows(
        "solutions",
        Side::Crm,
        &added,
        &value(json!({ "A": { "id": "A", "name": "catalogue" } }))
    ));
    assert!(!map.shows("solutions", Side::Crm, &added, &value(json!({}))));
    assert!(!map.shows("notes", Side::Crm, &value(json!("a")), &value(json!("b"))));
}

fn fixture(name: &str) -> Json {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn record() -> Record {
    let body = fixture("record-dynamics365");
    Record {
        id: serde_json::from_value(body["id"].clone()).unwrap(),
        columns: serde_json::from_value(body["columns"].clone()).unwrap(),
        lists: serde_json::from_value(body["lists"].clone()).unwrap(),
    }
}

fn comparable(mut request: Json) -> Json {
    request["externalReferenceId"] = Json::Null;
    // A closing date is compared by its day, whatever its hour.
    let day = request["details"]["closingDateTime"].as_str().map(|at| at[..10].to_owned());
    request["details"]["closingDateTime"] = json!(day);
    for (parent, name) in [("/customerProfile", "size"), ("/inviteContext", "notes")] {
        if let Some(object) = request.pointer_mut(parent).and_then(Json::as_object_mut) {
            object.remove(name);
        }
    }
    request
}
