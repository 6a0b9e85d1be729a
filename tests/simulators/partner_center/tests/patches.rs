//! The status machine, the path list and versions.

use super::{super::samples::*, *};

fn status(status: &str, substatus: &str) -> String {
    json!([
        { "op": "replace", "path": "/status", "value": status },
        { "op": "replace", "path": "/substatus", "value": substatus },
        { "op": "replace", "path": "/statusReason", "value": "because" },
    ])
    .to_string()
}

fn replace(path: &str, value: Value) -> String {
    json!([{ "op": "replace", "path": path, "value": value }]).to_string()
}

#[test]
fn the_status_table_holds() {
    let every = [
        ("New", "Pending"),
        ("New", "Received"),
        ("Active", "Accepted"),
        ("Closed", "Won"),
        ("Closed", "Lost"),
        ("Closed", "Declined"),
        ("Closed", "Expired"),
        ("Closed", "Error"),
    ];
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("New/Pending", &["New/Pending", "New/Received", "Active/Accepted", "Closed/Declined"][..]),
        ("New/Received", &["New/Received", "Active/Accepted", "Closed/Declined"]),
        ("Active/Accepted", &["Active/Accepted", "Closed/Won", "Closed/Lost"]),
    ]);
    for from in every {
        for to in every {
            let mut office = Office::new();
            let start = json!({ "status": from.0, "substatus": from.1 });
            let id = office.center.refer(&start, office.now);
            let answer = office.patch(&id, &status(to.0, to.1));
            let (from, to) = (format!("{}/{}", from.0, from.1), format!("{}/{}", to.0, to.1));
            let holds = allowed.get(&*from).is_some_and(|a| a.contains(&&*to));
            assert_eq!(answer.0, if holds { 204 } else { 400 }, "{from} -> {to}: {}", answer.1);
            let expected = if from.starts_with("Closed") { "terminalState" } else { "transitionNotAllowed" };
            assert_eq!(rule(&answer), if holds { "" } else { expected }, "{from} -> {to}");
        }
    }
}

#[test]
fn the_documented_patches_work() {
    let mut office = Office::new();
    let id = office.center.refer(&json!({}), office.now);
    assert_eq!(office.patch(&id, PATCH_ACCEPT), (204, Value::Null));
    let accepted = office.get(&id);
    assert_eq!(
        (state_of(&accepted).as_str(), &accepted["expirationDateTime"]),
        ("Active/Accepted", &Value::Null)
    );
    assert_eq!(accepted["acceptedDateTime"], accepted["updatedDateTime"]);
    assert_eq!(office.patch(&id, PATCH_FIELDS).0, 204);
    assert_eq!(office.patch(&id, PATCH_MEMBER).0, 204);
    let changed = office.get(&id);
    assert_eq!(
        (&changed["details"]["dealValue"], text(&changed, "externalReferenceId")),
        (&json!(92500), "OPP-2026-00417")
    );
    assert_eq!(changed["team"][0]["contactPreference"]["locale"], Value::Null);
    let early = office.patch(&id, PATCH_REGISTRATION);
    assert_eq!((early.0, rule(&early)), (400, "registrationNotAllowed"));
    assert_eq!(office.patch(&id, PATCH_WON).0, 204);
    assert_eq!(office.patch(&id, PATCH_REGISTRATION).0, 204);
    assert_eq!(office.patch(&id, &replace("/registrations/0/contract/value", json!(130_000))).0, 204);
    let won = office.get(&id);
    assert_eq!(
        (text(&won, "registrationStatus"), &won["registrations"][0]["contract"]["value"]),
        ("ReviewPending", &json!(130_000))
    );
    assert!(won["closedDateTime"].is_string());
    assert_eq!(rule(&office.patch(&id, PATCH_FIELDS)), "terminalState");

    let declined = office.center.refer(&json!({}), office.now);
    assert_eq!(office.patch(&declined, PATCH_DECLINE).0, 204);
    let lost = office.center.create_deal(Deal::Private, &json!({}), office.now);
    assert_eq!(office.patch(&lost, PATCH_LOST).0, 204);
    assert_eq!(state_of(&office.get(&lost)), "Closed/Lost");
}

#[test]
fn patch_refusals_by_name() {
    let one = |op: Value| json!([op]).to_string();
    for (body, expected) in [
        ("{}".to_owned(), "patchNotAnArray"),
        ("[]".to_owned(), "patchNotAnArray"),
        (one(json!(1)), "patchOperationInvalid"),
        (one(json!({ "op": "remove", "path": "/statusReason" })), "patchOpNotSupported"),
        (one(json!({ "op": "replace", "path": "/details/notes" })), "patchValueMissing"),
        (
            one(json!({ "op": "replace", "path": "/details/notes", "value": "x", "from": "/name" })),
            "patchOperationInvalid",
        ),
        (one(json!({ "op": "replace", "path": "/team/-", "value": {} })), "patchOpNotSupported"),
        (replace("/type", json!("Shared")), "patchPathNotSupported"),
        (replace("/customerProfile/name", json!("x")), "patchPathNotSupported"),
        (replace("/Details/Notes", json!("x")), "patchPathNotSupported"),
        (replace("/details/dealValue", json!(0)), "invalidValue"),
        (replace("/details/dealValue", Value::Null), "invalidValue"),
        (replace("/details/dealValue", json!("ten")), "invalidValue"),
        (replace("/details/currency", json!("chf")), "invalidValue"),
        (replace("/details/closingDateTime", json!("2026-10-31")), "invalidValue"),
        (replace("/details/requirements/solutions", json!([])), "invalidValue"),
        (replace("/team", json!([{ "emailAddress": "x" }])), "unknownOrReadOnlyProperty"),
        (replace("/salesStage", json!("Half way")), "invalidValue"),
        (replace("/status", json!("Active")), "statusPairIncomplete"),
        (replace("/substatus", json!("Received")), "statusPairIncomplete"),
        (status("Active", "Won"), "statusPairInvalid"),
        (replace("/consent/consentToShareReferralWithMicrosoftSellers", json!(false)), "fieldFrozen"),
        (replace("/customerProfile/team", json!([])), "fieldFrozen"),
        (replace("/registrations/0/contract/value", json!(1)), "patchTargetMissing"),
        (PATCH_DECLINE.replace("/statusReason", "/campaignId"), "statusReasonRequired"),
    ] {
        let mut office = Office::new();
        let id = office.center.refer(&json!({}), office.now);
        let before = office.center.referrals()[&id].clone();
        let answer = office.patch(&id, &body);
        assert_eq!((answer.0, rule(&answer)), (400, expected), "{body}");
        assert_eq!(office.center.referrals()[&id], before, "{body}");
    }
}

#[test]
fn numbers_may_be_text_and_names_depend() {
    let mut office = Office::new();
    let id = office.center.create_deal(Deal::PartnerLed, &json!({}), office.now);
    assert_eq!(office.patch(&id, &replace("/details/dealValue", json!("10000"))).0, 204);
    assert_eq!(office.get(&id)["details"]["dealValue"], json!(10000));
    assert_eq!(office.patch(&id, &replace("/name", json!("New name"))).0, 204);
    office.center.switches.patch_name = false;
    assert_eq!(rule(&office.patch(&id, &replace("/name", json!("Newer")))), "patchPathNotSupported");
}

#[test]
fn versions_guard_and_every_patch_makes_a_new_one() {
    let mut office = Office::new();
    let id = office.center.refer(&json!({}), office.now);
    let before = office.get(&id);
    let tag = text(&before, "eTag").to_owned();
    let guarded = |tag: &str| {
        [("if-match".to_owned(), tag.to_owned()), ("prefer".into(), "return=representation".into())]
    };
    let call = format!("PATCH /{id}");
    let headers = guarded(&tag);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (&**n, &**v)).collect();
    let same = replace("/details/notes", before["details"]["notes"].clone());
    let (status, after) = office.referrals(&call, &headers, &same);
    assert_eq!(status, 200);
    assert_eq!(shape(&after), shape(&before));
    assert_ne!(after["eTag"], before["eTag"]);
    // The clock stands still; the stamps do not.
    assert!(text(&after, "updatedDateTime") > text(&before, "updatedDateTime"));
    assert_eq!(text(&after, "updatedDateTime").len(), "2026-04-10T12:00:05.2201131Z".len());
    assert_eq!(office.referrals(&call, &headers, &same), (412, sample(ERROR_412)));
    office.center.switches.conflict_status = 409;
    let (status, body) = office.referrals(&call, &headers, &same);
    assert_eq!((status, text(&body["error"], "code")), (409, text(&sample(ERROR_409)["error"], "code")));
    office.center.switches.patch_representation = switches::PatchRepresentation::Empty204;
    assert_eq!(office.referrals(&call, &headers[1..], &same), (204, Value::Null));

    let parts: Vec<&str> = tag.trim_matches('"').split('-').collect();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    assert_eq!(parts.iter().map(|p| p.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{tag}");
    assert_eq!((parts[1], parts[2], parts[3], &parts[4][8..]), ("0000", "0100", "0000", "0000"), "{tag}");
}

#[test]
fn others_halves_are_read_only_and_strangers_unseen() {
    let mut office = Office::new();
    let own = office.center.create_deal(Deal::CoSell, &json!({}), office.now);
    let half = office.center.microsoft_half(&own).expect("half");
    assert_eq!(office.patch(&half, PATCH_ACCEPT).0, 403);
    let stranger = office.center.insert(&json!({ "organizationId": Uuid::new_v4().to_string() }), office.now);
    assert_eq!(office.referrals(&format!("GET /{stranger}"), &[], "").0, 403);
    assert_eq!(office.patch(&stranger, PATCH_ACCEPT).0, 403);
    assert_eq!(office.patch(&Uuid::new_v4().to_string(), PATCH_ACCEPT), (404, sample(ERROR_404)));
    assert_eq!(office.referrals("GET ", &[], "").1["@odata.count"], 2);
}

#[test]
fn the_contact_freezes_once_microsoft_has_it() {
    let mut office = Office::new();
    let own = office.center.create_deal(Deal::PartnerLed, &json!({}), office.now);
    let contact = replace("/customerProfile/team", sample(CREATE_OWN)["customerProfile"]["team"].clone());
    assert_eq!(office.patch(&own, &contact).0, 204);
    let shared = office.center.create_deal(Deal::CoSell, &json!({}), office.now);
    assert_eq!(rule(&office.patch(&shared, &contact)), "fieldFrozen");
}

#[test]
fn a_put_is_the_whole_resource_and_changes_what_a_patch_may() {
    let mut office = Office::new();
    let id = office.center.refer(&json!({}), office.now);
    let mut whole = office.get(&id);
    for name in ["links", "@odata.context"] {
        whole.as_object_mut().expect("an object").remove(name);
    }
    let tag = text(&whole, "eTag").to_owned();
    let mut put = |tag: &str, body: &Value| {
        office.referrals(&format!("PUT /{id}"), &[("if-match", tag)], &body.to_string())
    };
    let changed = |name: &str, value: Value| {
        let mut body = whole.clone();
        body[name] = value;
        body
    };
    assert_eq!(put("\"old\"", &whole).0, 412);
    assert_eq!(rule(&put(&tag, &changed("mpnId", json!("1")))), "unknownOrReadOnlyProperty");
    assert_eq!(rule(&put(&tag, &changed("links", json!({})))), "unknownOrReadOnlyProperty");
    assert_eq!(rule(&put(&tag, &changed("status", json!("Active")))), "statusPairIncomplete");
    assert_eq!(put(&tag, &json!({ "id": id })).0, 501, "a part");
    let same = put(&tag, &whole);
    assert_eq!((same.0, text(&same.1, "eTag")), (200, &*tag), "nothing changed");
    let (status, answer) = put(&tag, &changed("campaignId", json!("SPRING26")));
    assert_eq!((status, text(&answer, "campaignId")), (200, "SPRING26"));
    assert_ne!(text(&answer, "eTag"), tag);
}
