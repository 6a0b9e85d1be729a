//! Whatever a person types on one side is the same after it was written to the other side and back.

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

/// A referral with `json` at a JSON pointer.
fn referral(pointer: &str, json: Json) -> Referral {
    let text = include_str!("fixtures/referral-incoming-cosell-new-pending.json");
    let mut body: Json = serde_json::from_str(text).unwrap();
    *body.pointer_mut(pointer).unwrap() = json;
    Referral::parse(body).unwrap()
}

/// A record with these columns.
fn record(columns: Json) -> Record {
    let id =
        RecordId { kind: RecordKind::Opportunity, id: "5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55".to_owned() };
    Record { id, columns: serde_json::from_value(columns).unwrap(), lists: Default::default() }
}

/// The CRM's value of `unit` after `shown` was written into `column`.
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
        // Converted back, it is refused if it is not above 0, and exactly the same otherwise.
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
    fn dates_of_all_centuries(days in -79_000i32..2_900_000) {
        let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(i64::from(days)));
        prop_assume!((1753..=9998).contains(&date.year()));
        let shown = value(json!(date.to_string()));
        let there = written("closing_date", "estimatedclosedate", &shown);
        prop_assert_eq!(&there, &shown);
        let changes = Fields::from([("closing_date".to_owned(), dynamics().to_partner_center("closing_date", &there).unwrap())]);
        let sent = dynamics().referral_patch(None, &changes).unwrap();
        let again = referral("/details/closingDateTime", sent[0]["value"].clone());
        prop_assert_eq!(&dynamics().referral_fields(&again)["closing_date"], &shown);
    }

    #[test]
    fn a_day_picked_anywhere_is_that_day_in_the_crm_and_no_change(day in 1u8..=28, month in 1u8..=12, quarters in -47i64..=47) {
        let day = jiff::civil::date(2027, month as i8, day as i8);
        let at = day.at(0, 0, 0, 0) - jiff::SignedDuration::from_mins(15 * quarters);
        let body = referral("/details/closingDateTime", json!(format!("{at}Z")));
        let shown = dynamics().referral_fields(&body).remove("closing_date").unwrap();
        prop_assert_eq!(&shown, &value(json!(day.to_string())));
        let there = written("closing_date", "estimatedclosedate", &shown);
        prop_assert!(dynamics().equal("closing_date", &shown, &there));
        // What we would send for it reads as the same day, so that neither is ever a change of the other.
        let changes = Fields::from([("closing_date".to_owned(), there)]);
        let sent = dynamics().referral_patch(None, &changes).unwrap();
        let again = referral("/details/closingDateTime", sent[0]["value"].clone());
        prop_assert_eq!(&dynamics().referral_fields(&again)["closing_date"], &shown);
    }

    #[test]
    fn an_address_or_number_goes_whole_or_not_at_all(phone in "\\PC{1,80}", local in "[a-z]{1,120}") {
        let email = format!("{local}@harborline.example");
        let person = json!({ "email": email, "firstName": "Nadia", "lastName": "Keller", "phoneNumber": phone });
        let new = dynamics().new_record(&referral("/customerProfile/team", json!([person]))).unwrap();
        let contact = new.contact.unwrap();
        for (column, whole, length) in [("telephone1", &phone, 50), ("emailaddress1", &email, 100)] {
            let fits = whole.encode_utf16().count() <= length;
            let wanted = fits.then(|| CrmValue::Plain(json!(whole)));
            prop_assert_eq!(contact.columns.get(column), wanted.as_ref());
            prop_assert_eq!(fits, !new.left_out.iter().any(|lack| lack.what.contains(&length.to_string())));
        }
    }

    #[test]
    fn people_whom_nobody_changed_are_sent_as_they_are(
        people in prop::collection::vec(("[ab]", "[A-C]", "[0-3]{1,2}", any::<bool>()), 1..6), number in "[4-9]{3}"
    ) {
        let person = |(address, name, phone, likes): &(String, String, String, bool)| json!({
            "email": address, "firstName": name, "lastName": "X", "phoneNumber": phone,
            "contactPreference": { "disableNotifications": likes }, "title": null,
        });
        let mut people: Vec<Json> = people.iter().map(person).collect();
        people.push(json!({ "email": "c", "firstName": "Third", "lastName": "X", "phoneNumber": "1" }));
        let current = referral("/customerProfile/team", json!(people));
        let mut list = json!(dynamics().referral_fields(&current)["contacts"]);
        list["c"]["phone"] = json!(number);
        let changes = Fields::from([("contacts".to_owned(), value(list))]);
        let patch = dynamics().referral_patch(Some(&current), &changes).unwrap();
        let third = people.len() - 1;
        people[third]["phoneNumber"] = json!(number);
        prop_assert_eq!(&patch[0]["value"], &json!(people));
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
        // Any text gives a map or a list of faults, and an id or none.
        let _ = Map::with_override(CrmKind::Dynamics365, &text);
        let faults = Map::with_override(CrmKind::Dynamics365, &format!("[fields.notes]\nkind = {text:?}"));
        prop_assert!(faults.is_err() || text == "text" || text == "email" || text == "phone" || text == "id");
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
    // A user corrects the number in the CRM.
    let mut corrected = json!(there);
    corrected["nadia.keller@harborline.example"]["phone"] = json!("+41615550199");
    let back = dynamics().to_partner_center("contacts", &value(corrected)).unwrap();
    assert!(!dynamics().equal("contacts", &shown, &back));
    let changes = Fields::from([("contacts".to_owned(), back)]);
    let patch = dynamics().referral_patch(Some(&referral), &changes).unwrap();
    let sent = &patch[0]["value"][0];
    assert_eq!((&sent["phoneNumber"], &sent["lastName"]), (&json!("+41615550199"), &json!(long)));
}
