//! Whatever a person types on one side is the same after a journey to the other side and back.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use mapping::*;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn dynamics() -> &'static Map {
    Map::standard(CrmKind::Dynamics365)
}

fn value(json: Json) -> Value {
    serde_json::from_value(json).unwrap()
}

/// A referral that shows `json` at a JSON pointer.
fn referral(pointer: &str, json: Json) -> Referral {
    let text = include_str!("fixtures/referral-incoming-cosell-new-pending.json");
    let mut body: Json = serde_json::from_str(text).unwrap();
    *body.pointer_mut(pointer).unwrap() = json;
    Referral::parse(body).unwrap()
}

/// A record that shows these columns.
fn record(columns: Json) -> Record {
    let id =
        RecordId { kind: RecordKind::Opportunity, id: "5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55".to_owned() };
    Record { id, columns: serde_json::from_value(columns).unwrap(), lists: Default::default() }
}

/// What the CRM shows after `shown` was written into `column` of `unit`.
fn written(unit: &str, column: &str, shown: &Value) -> Value {
    let stored = dynamics().to_crm(unit, shown).unwrap();
    let changes = Fields::from([(unit.to_owned(), stored.clone())]);
    let trim = Trim { mark: Some(Mark::Failed), ..Trim::default() };
    let patch = dynamics().record_patch(&changes, &trim).unwrap();
    let CrmValue::Plain(json) = &patch.columns[column] else { panic!("`{column}` is a lookup") };
    if let Json::String(text) = json {
        assert!(text.encode_utf16().count() <= 2000);
        assert!(column != "name" || text.encode_utf16().count() <= 300);
    }
    let read = dynamics().record_fields(&record(json!({ column: json }))).remove(unit).unwrap();
    assert_eq!(read, stored, "the CRM shows what we said it would");
    read
}

proptest! {
    #[test]
    fn texts_of_all_unicode(text in any::<String>()) {
        let shown = dynamics().referral_fields(&referral("/details/notes", json!(text))).remove("notes").unwrap();
        let there = written("notes", "description", &shown);
        prop_assert!(dynamics().equal("notes", &shown, &there));
        let back = dynamics().to_partner_center("notes", &there).unwrap();
        prop_assert_eq!(&back, &shown, "short enough for both sides");
    }

    #[test]
    fn long_texts_are_cut_and_still_the_same(text in "\\PC{1990,2100}") {
        let shown = value(json!(text));
        let there = written("notes", "description", &shown);
        prop_assert!(dynamics().equal("notes", &shown, &there));
        prop_assert_eq!(dynamics().to_crm("notes", &there).unwrap(), there, "cut once");
    }

    #[test]
    fn names_with_and_without_marks(name in any::<String>(), mark in prop_oneof!["", "✔ ", "✖", "✔️ ✖ "]) {
        let body = referral("/name", json!(format!("{mark}{name}")));
        let shown = dynamics().referral_fields(&body).remove("name").unwrap();
        if shown.is_null() {
            return Ok(());
        }
        let there = written("name", "name", &shown);
        prop_assert!(dynamics().equal("name", &shown, &there));
    }

    #[test]
    fn money_to_the_cent(cents in -100_000_000_000_000i64..100_000_000_000_000) {
        let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
        let amount: Json = serde_json::from_str(&format!("{sign}{}.{:02}", cents / 100, cents % 100)).unwrap();
        let shown = dynamics().referral_fields(&referral("/details/dealValue", amount)).remove("value").unwrap();
        let there = dynamics().to_crm("value", &shown).unwrap();
        prop_assert_eq!(&there, &shown);
        let changes = Fields::from([("value".to_owned(), there.clone())]);
        let patch = dynamics().record_patch(&changes, &Trim::default()).unwrap();
        let CrmValue::Plain(json) = &patch.columns["estimatedvalue"] else { panic!("a lookup") };
        let read = record(json!({ "estimatedvalue": json, "transactioncurrencyid": "CHF" }));
        let read = dynamics().record_fields(&read).remove("value").unwrap();
        prop_assert_eq!(&read, &there);
        // Back again: refused if it is not above 0, else exactly the same.
        match dynamics().to_partner_center("value", &read) {
            Ok(back) => {
                let sent = dynamics().referral_patch(None, &Fields::from([("value".to_owned(), back.clone())])).unwrap();
                let again = referral("/details/dealValue", sent[0]["value"].clone());
                prop_assert_eq!(&dynamics().referral_fields(&again)["value"], &shown);
            }
            Err(_) => prop_assert!(sign == "-" || cents == 0),
        }
    }

    #[test]
    fn dates_of_all_centuries(days in -700_000i32..2_900_000) {
        let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(i64::from(days)));
        prop_assume!((1..=9999).contains(&date.year()));
        let shown = value(json!(date.to_string()));
        let there = written("closing_date", "estimatedclosedate", &shown);
        prop_assert_eq!(&there, &shown);
        let changes = Fields::from([("closing_date".to_owned(), dynamics().to_partner_center("closing_date", &there).unwrap())]);
        let sent = dynamics().referral_patch(None, &changes).unwrap();
        let again = referral("/details/closingDateTime", sent[0]["value"].clone());
        prop_assert_eq!(&dynamics().referral_fields(&again)["closing_date"], &shown);
    }

    #[test]
    fn keys_ignore_case_width_and_spaces(name in "[a-zA-Zäöüßé ]{1,20}", code in "[A-Z0-9]{3,8}") {
        let loud = format!("  {}\u{a0} ", name.to_uppercase());
        prop_assert_eq!(
            customer_key(&name.to_uppercase(), Some(&code), Some("CH")),
            customer_key(&loud, Some(&code.to_lowercase()), Some("ch"))
        );
        prop_assert_ne!(customer_key(&name, Some(&code), Some("CH")), customer_key(&name, Some(&code), Some("DE")));
        prop_assert_ne!(customer_key(&name, Some(&code), None), customer_key(&format!("{name}{code}"), None, None));
    }

    #[test]
    fn no_text_upsets_a_map_or_an_id(text in any::<String>()) {
        // Whatever it is, it is a map or a list of faults, an id or none.
        let _ = Map::with_override(CrmKind::Dynamics365, &text);
        let faults = Map::with_override(CrmKind::Dynamics365, &format!("[fields.notes]\nkind = {text:?}"));
        prop_assert!(faults.is_err() || text == "text" || text == "email" || text == "id");
        for crm in [CrmKind::Dynamics365, CrmKind::Salesforce] {
            prop_assert!(Map::standard(crm).shaped_like_record_id(&text).is_none_or(|id| RecordId::parse(&id.to_string()) == Some(id)));
        }
    }
}

#[test]
fn every_country_by_code_and_name() {
    for country in rust_iso3166::ALL {
        for written in [country.alpha2, country.alpha3, country.name] {
            let group = |text: &str| {
                value(
                    json!({ "line1": "1", "line2": null, "city": "C", "state": null, "postal_code": null, "country": text }),
                )
            };
            let there = dynamics().to_partner_center("address", &group(written)).unwrap();
            assert_eq!(there, group(country.alpha2), "{written}");
            assert!(dynamics().equal("address", &there, &group(written)));
            assert_eq!(dynamics().to_crm("address", &there).unwrap(), there);
        }
    }
}

#[test]
fn a_contacts_name_that_the_crm_cuts_does_not_come_back() {
    let long = format!("Keller-{}", "von und zu ".repeat(9).trim());
    let referral = referral("/customerProfile/team/0/lastName", json!(long));
    let shown = dynamics().referral_fields(&referral).remove("contacts").unwrap();
    let there = dynamics().to_crm("contacts", &shown).unwrap();
    assert_ne!(there, shown, "it is cut");
    assert!(dynamics().equal("contacts", &shown, &there));
    // Somebody corrects the number in the CRM.
    let mut corrected = json!(there);
    corrected["nadia.keller@harborline.example"]["phone"] = json!("+41615550199");
    let back = dynamics().to_partner_center("contacts", &value(corrected)).unwrap();
    assert!(!dynamics().equal("contacts", &shown, &back));
    let changes = Fields::from([("contacts".to_owned(), back)]);
    let patch = dynamics().referral_patch(Some(&referral), &changes).unwrap();
    let sent = &patch[0]["value"][0];
    assert_eq!((&sent["phoneNumber"], &sent["lastName"]), (&json!("+41615550199"), &json!(long)));
}
