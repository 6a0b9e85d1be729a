//! Creating, reading, and what people do.

use super::{super::samples::*, *};

/// Member paths that differ with the content and not with the contract.
fn fixed(value: &Value) -> BTreeSet<String> {
    let content =
        ["/team[]", "/customerProfile/ids[]", "/details/requirements/", "/registrations[]", "/@odata"];
    shape(value).into_iter().filter(|p| !content.iter().any(|c| p.starts_with(c))).collect()
}

#[test]
fn the_two_documented_posts_make_an_engagement() {
    let mut office = Office::new();
    let (status, own) = office.referrals("POST ", &[], CREATE_OWN);
    assert_eq!((status, text(&own, "status"), text(&own, "substatus")), (201, "Active", "Accepted"), "{own}");
    assert_eq!(own["acceptedDateTime"], own["createdDateTime"]);
    assert_eq!(own["createdDateTime"], "2026-04-10T12:00:05.2201131Z");
    assert_eq!(own["externalReferenceId"], "0065i00000QkT3aAAF");
    assert_eq!(own["customerProfile"]["address"]["state"], Value::Null);
    assert_eq!(fixed(&own), fixed(&sample(INCOMING)));
    assert_eq!(office.get(text(&own, "id")), own);

    let second = with(CREATE_MICROSOFT, "/engagementId", own["engagementId"].clone());
    let (status, half) = office.referrals("POST ", &[], &second);
    assert_eq!((status, text(&half, "status"), text(&half, "substatus")), (201, "New", "Pending"), "{half}");
    assert_eq!((text(&half, "organizationId"), text(&half, "organizationName")), ("msft", "Microsoft"));
    assert_eq!(half["expirationDateTime"], "2026-04-24T12:00:05Z");
    assert_eq!(half["engagementId"], own["engagementId"]);
    assert_eq!(half["team"], json!([]));
    assert_eq!(office.center.engagement(text(&own, "engagementId")).len(), 2);

    let events: Vec<(&str, &str)> = office.center.outbox().iter().map(|e| (&*e.name, &*e.id)).collect();
    let own = text(&own, "id");
    assert_eq!(events, [("referral-created", own), ("related-referral-created", own)]);
}

#[test]
fn partner_led_and_private_deals_need_neither_target_nor_help() {
    for sellers in [true, false] {
        let mut office = Office::new();
        let mut body = sample(CREATE_OWN);
        body["type"] = json!("Independent");
        body["target"] = json!([]);
        body["consent"]["consentToShareReferralWithMicrosoftSellers"] = json!(sellers);
        body.as_object_mut().expect("object").remove("inviteContext");
        let (status, deal) = office.referrals("POST ", &[], &body.to_string());
        assert_eq!((status, state_of(&deal)), (201, "Active/Accepted".to_owned()), "{deal}");
    }
}

#[test]
fn microsofts_half_makes_a_deal_of_ones_own_a_shared_one() {
    for shared in [true, false] {
        let mut office = Office::new();
        office.center.switches.invited_own_is_shared = shared;
        let at = office.now;
        let own = office.center.create_deal(Deal::PartnerLed, &json!({}), at);
        let half = office.center.convert(&own, at).expect("converted");
        let read = |id: &str| office.center.referrals()[id].clone();
        assert_eq!(read(&own)["type"], if shared { "Shared" } else { "Independent" });
        assert_eq!(read(&half)["engagementId"], read(&own)["engagementId"]);
        assert_eq!(
            (state_of(&read(&own)), state_of(&read(&half))),
            ("Active/Accepted".into(), "New/Pending".into())
        );
        assert!(office.center.convert(&own, at).is_err(), "once");
        let private = office.center.create_deal(Deal::Private, &json!({}), at);
        assert!(office.center.convert(&private, at).is_err(), "nobody at Microsoft sees it");
    }
}

#[test]
fn every_create_rule_refuses_by_its_name() {
    let address = "/customerProfile/address";
    for (pointer, value, expected) in [
        ("/type", Value::Null, "typeRequired"),
        ("/customerProfile", Value::Null, "customerProfileRequired"),
        ("/consent", Value::Null, "consentRequired"),
        ("/details", Value::Null, "detailsRequired"),
        ("/name", json!(" "), "nameRequired"),
        ("/customerProfile/name", Value::Null, "customerNameRequired"),
        (&format!("{address}/addressLine1"), json!(""), "addressLine1Required"),
        (&format!("{address}/city"), Value::Null, "cityRequired"),
        (&format!("{address}/country"), json!("GBR"), "countryInvalid"),
        (&format!("{address}/country"), json!("gb"), "countryInvalid"),
        ("/customerProfile/team", json!([]), "customerContactRequired"),
        ("/customerProfile/team/0/phoneNumber", json!(""), "customerContactIncomplete"),
        ("/details/requirements/solutions", json!([]), "solutionRequired"),
        ("/details/requirements/solutions/0/id", json!("SOL-1 2"), "solutionIdInvalid"),
        ("/details/dealValue", json!(0), "dealValueInvalid"),
        ("/details/dealValue", json!("61000.5"), "invalidValue"),
        ("/details/currency", json!("Euro"), "currencyInvalid"),
        ("/details/closingDateTime", Value::Null, "closingDateTimeRequired"),
        ("/details/closingDateTime", json!("2026-07-31"), "invalidValue"),
        ("/details/notes", Value::Null, "notesRequired"),
        ("/team", json!([]), "teamMemberRequired"),
        ("/team/0/email", json!("omar"), "teamMemberIncomplete"),
        ("/details/requirements/additionalRequirements/attributes", json!([]), "marketplaceIntentRequired"),
        ("/consent/consentToToShareInfoWithOthers", json!(false), "shareContactsConsentRequired"),
        ("/consent/consentToShareReferralWithMicrosoftSellers", json!(false), "shareWithSellersRequired"),
        ("/inviteContext/assistanceRequestCode", json!("Unknown"), "assistanceRequired"),
        ("/target", json!([]), "targetRequired"),
        ("/status", json!("Closed"), "statusInvalid"),
        ("/engagementId", json!(Uuid::new_v4().to_string()), "engagementNotFound"),
        ("/eTag", json!("x"), "unknownOrReadOnlyProperty"),
        ("/team/0/emailAddress", json!("x@y.example"), "unknownOrReadOnlyProperty"),
        ("/qualification", json!("Cold"), "invalidValue"),
        ("/team", json!({}), "invalidValue"),
    ] {
        let mut office = Office::new();
        let answer = office.referrals("POST ", &[], &with(CREATE_OWN, pointer, value));
        assert_eq!((answer.0, rule(&answer)), (400, expected), "{pointer}: {}", answer.1);
        assert_eq!(shape(&answer.1), shape(&sample(ERROR_400)));
        assert!(office.center.referrals().is_empty(), "{pointer}");
    }
}

#[test]
fn a_rule_can_be_switched_off() {
    let mut office = Office::new();
    office.center.switches.unenforced = vec!["notesRequired".into()];
    assert_eq!(office.referrals("POST ", &[], &with(CREATE_OWN, "/details/notes", Value::Null)).0, 201);
}

#[test]
fn microsofts_half_needs_an_engagement_of_the_partner() {
    let mut office = Office::new();
    let answer = office.referrals("POST ", &[], CREATE_MICROSOFT);
    assert_eq!((answer.0, rule(&answer)), (400, "engagementNotFound"));
    let answer = office.referrals("POST ", &[], &with(CREATE_MICROSOFT, "/engagementId", Value::Null));
    assert_eq!((answer.0, rule(&answer)), (400, "engagementRequired"));
}

#[test]
fn a_second_post_is_a_second_deal_unless_request_ids_are_honoured() {
    let mut office = Office::new();
    let same = [("ms-requestid", "1")];
    let first = office.referrals("POST ", &same, CREATE_OWN).1;
    assert_ne!(office.referrals("POST ", &same, CREATE_OWN).1["id"], first["id"]);
    office.center.switches.honour_request_id = true;
    let third = office.referrals("POST ", &same, CREATE_OWN).1;
    assert_eq!(office.referrals("POST ", &same, CREATE_OWN).1["id"], third["id"]);
    assert_eq!(office.center.own_referrals().len(), 3);
}

#[test]
fn the_service_may_make_microsofts_half_itself() {
    let mut office = Office::new();
    office.center.switches.microsoft_half = switches::MicrosoftHalf::Automatic;
    office.center.switches.create_status = 200;
    let (status, own) = office.referrals("POST ", &[], CREATE_OWN);
    assert_eq!(status, 200);
    assert!(office.center.microsoft_half(text(&own, "id")).is_some());
    let (now, center) = (office.now, &mut office.center);
    let deal = center.create_deal(Deal::CoSell, &json!({}), now);
    assert_eq!(center.engagement(text(&center.referrals()[&deal], "engagementId")).len(), 2);
}

#[test]
fn a_body_must_be_json_and_a_known_target() {
    let mut office = Office::new();
    assert_eq!(office.referrals("POST ", &[("content-type", "text/plain")], CREATE_OWN).0, 415);
    assert_eq!(rule(&office.referrals("POST ", &[], "{")), "malformedBody");
    let other = with(CREATE_OWN, "/target", json!([{ "type": "BusinessProfileLocation", "id": "another" }]));
    assert_eq!(office.referrals("POST ", &[], &other).0, 501);
    assert_eq!(office.referrals("DELETE /1", &[], "").0, 405);
    assert_eq!(office.referrals("PUT ", &[], CREATE_OWN).0, 501);
}

#[test]
fn an_inbound_referral_looks_like_the_sample_and_expires_unanswered() {
    let mut office = Office::new();
    let id = office.center.refer(&json!({}), office.now);
    let referral = office.get(&id);
    assert_eq!(shape(&referral), shape(&sample(INCOMING)));
    for member in
        ["name", "status", "substatus", "qualification", "type", "direction", "customerProfile", "details"]
    {
        assert_eq!(referral[member], sample(INCOMING)[member], "{member}");
    }
    let lead = office.center.refer_lead(&json!({ "name": "A lead" }), office.now);
    let lead = office.get(&lead);
    assert_eq!((text(&lead, "type"), text(&lead, "qualification")), ("Independent", "MarketingQualified"));
    assert_eq!(text(&lead, "name"), "A lead");

    office.now += SignedDuration::from_hours(14 * 24);
    let expired = office.get(&id);
    assert_eq!(state_of(&expired), "Closed/Expired");
    assert!(expired["closedDateTime"].is_string());
    assert_eq!(office.center.outbox().last().map(|e| &*e.name), Some("referral-updated"));
}

#[test]
fn microsoft_answers_and_both_halves_show_it() {
    for (action, reason, expected) in
        [("accept", None, "Active/Accepted"), ("decline", Some("no seller"), "Closed/Declined")]
    {
        let mut office = Office::new();
        let own = office.center.create_deal(Deal::CoSell, &json!({}), office.now);
        let half = office.center.microsoft(&own, action, reason, office.now).expect("acts");
        let half = office.get(&half);
        assert_eq!((state_of(&half).as_str(), half["statusReason"].as_str()), (expected, reason));
        let names: Vec<String> = office.center.outbox().iter().skip(2).map(|e| e.name.clone()).collect();
        let tracked = office.get(&own)["trackingInfo"]["microsoftMsxId"].clone();
        assert_eq!(tracked, half["trackingInfo"]["microsoftMsxId"]);
        assert_eq!(tracked.is_string(), action == "accept");
        match action {
            "accept" => assert_eq!(names, ["related-referral-updated", "referral-updated"]),
            _ => assert_eq!(names, ["related-referral-updated"]),
        }
    }
}

#[test]
fn related_events_can_name_the_sibling() {
    let mut office = Office::new();
    office.center.switches.related_event_names = switches::RelatedEventNames::Sibling;
    let own = office.center.create_deal(Deal::CoSell, &json!({}), office.now);
    let half = office.center.microsoft_half(&own).expect("half");
    assert_eq!(office.center.outbox()[1].id, half);
}

#[test]
fn users_act_over_the_control_api() {
    let mut office = Office::new();
    let now = office.now;
    let mut control = |verb: &str, body: Value| office.center.control(verb, &body, now).expect("a verb");
    let id = control("refer", json!({ "name": "Mine" })).expect("refers")["id"].clone();
    control("edit", json!({ "id": id, "set": { "/details/dealValue": 5, "/team/-": { "firstName": "A" } } }))
        .expect("edits");
    assert!(control("edit", json!({ "id": id, "set": { "/nowhere/x": 5 } })).is_err());
    assert!(control("won", json!({ "id": id })).is_err());
    control("accept", json!({ "id": id })).expect("accepts");
    control("lost", json!({ "id": id, "reason": "budget" })).expect("loses");
    assert!(control("edit", json!({ "id": id, "set": { "/name": "x" } })).is_err());
    control("switches", json!({ "create_status": 200, "patch_representation": "empty_204" }))
        .expect("switches");
    assert!(control("switches", json!({ "no_such": 1 })).is_err());
    let deal = control("create_deal", json!({ "kind": "private", "set": { "name": "P" } })).expect("creates");
    assert!(control("microsoft", json!({ "id": deal["id"], "action": "accept" })).is_err());
    assert!(office.center.control("no_such", &Value::Null, now).is_none());
    let referral = &office.center.referrals()[id.as_str().expect("id")];
    assert_eq!((text(referral, "name"), state_of(referral)), ("Mine", "Closed/Lost".to_owned()));
    assert_eq!((&referral["details"]["dealValue"], &referral["statusReason"]), (&json!(5), &json!("budget")));
}

#[test]
fn fresh_and_changed_referrals_can_lag() {
    let mut office = Office::new();
    office.center.switches.consistency_lag_reads = 2;
    office.center.switches.stale_reads = 1;
    let id = office.center.refer(&json!({}), office.now);
    for expected in [404, 404, 200] {
        let (status, body) = office.referrals(&format!("GET /{id}"), &[], "");
        assert_eq!(status, expected);
        if status == 404 {
            assert_eq!(body, sample(ERROR_404));
        }
    }
    office.center.edit(&id, &json!({ "/name": "new" }), office.now).expect("edits");
    assert_ne!(office.get(&id)["name"], "new");
    assert_eq!(office.get(&id)["name"], "new");
}

#[test]
fn answers_can_be_sparse() {
    let mut office = Office::new();
    office.center.switches.sparse = true;
    let id = office.center.refer(&json!({}), office.now);
    let referral = office.get(&id);
    assert!(referral.get("registrations").is_none() && referral["team"].is_null());
    assert!(referral["details"]["requirements"].get("offers").is_none());
}

#[test]
fn every_route_demands_its_own_token() {
    let mut office = Office::new();
    let list = format!("GET {REFERRALS}");
    let hook = format!("GET {REGISTRATION}");
    let user = office.claims(REFERRALS_AUDIENCE);
    let app = Claims { idtyp: "app".into(), amr: vec![], ..user.clone() };
    let weak = Claims { amr: vec!["pwd".into()], ..user.clone() };
    let late = Claims { exp: office.now.as_second(), ..user.clone() };
    let other = Claims { aud: WEBHOOKS_AUDIENCE.into(), ..user.clone() };
    for (claims, status, expected) in [
        (&late, 401, ERROR_401.to_owned()),
        (&app, 403, with(ERROR_403, "/error/innerError/message", json!("App-only access is not supported."))),
    ] {
        let answer = office.call_with(claims, &list, &[], "");
        assert_eq!(answer.status, status);
        assert_eq!(serde_json::from_slice::<Value>(&answer.body).expect("json"), sample(&expected));
    }
    let answer = office.call_with(&weak, &list, &[], "");
    assert!(answer.status == 401 && String::from_utf8_lossy(&answer.body).contains("900421"));
    assert_eq!(office.call_with(&other, &list, &[], "").status, 401);
    assert_eq!(office.call_with(&user, &list, &[], "").status, 200);
    assert_eq!(office.call_with(&user, &hook, &[], "").status, 401);
    let answer = office.call_with(&Claims { aud: WEBHOOKS_AUDIENCE.into(), ..weak }, &hook, &[], "");
    assert_eq!(answer.status, 401);
    assert_eq!(serde_json::from_slice::<Value>(&answer.body).expect("json"), sample(ERROR_401_MFA));
    assert_eq!(
        office.call_with(&Claims { aud: WEBHOOKS_AUDIENCE.into(), ..app }, &hook, &[], "").status,
        200
    );
    office.center.switches.referrals_role = false;
    let answer = office.call_with(&user, &list, &[], "");
    assert_eq!(serde_json::from_slice::<Value>(&answer.body).expect("json"), sample(ERROR_403));
}

#[test]
fn a_missing_client_request_id_is_counted() {
    let mut office = Office::new();
    office.referrals("GET ", &[], "");
    office.referrals("GET ", &[("client-request-id", "1")], "");
    assert_eq!(office.center.count("missing client-request-id"), 1);
}
