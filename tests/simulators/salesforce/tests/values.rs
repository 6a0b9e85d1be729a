//! What a contact or lead cannot take: addresses that are none, and no last name.

use super::*;

fn rows() -> [(&'static str, Value); 2] {
    [
        ("Contact", json!({ "LastName": "Vogel" })),
        ("Lead", json!({ "LastName": "Vogel", "Company": "Fabrikam" })),
    ]
}

#[test]
fn addresses_are_checked() {
    let mut bench = Bench::new();
    bench.org.switches.standard_duplicate_rules = false;
    let long = format!("{}@fabrikam.example", "a".repeat(130));
    for (object, row) in rows() {
        let mut sent = |address: &str| {
            let mut body = row.clone();
            body["Email"] = json!(address);
            bench.post(&format!("sobjects/{object}"), body)
        };
        for address in [
            "n/a",
            "none@none",
            "c@d.example; e@f.example",
            "c@d.example;e@f.example",
            "c@d.example, e@f.example",
            "c d@e.example",
            "c@d@e.example",
            "@d.example",
            ".c@d.example",
            "c@.example",
            "c@d.",
            "c@d..example",
            "c@-d.example",
            "c@d-.example",
            "c@d_e.example",
            "Eva <c@d.example>",
            "mailto:c@d.example",
            "\"c\"@d.example",
            "jürgen@d.example",
            "c@dürr.example",
        ] {
            let refused = sent(address);
            let told = refused.refused(400, "INVALID_EMAIL_ADDRESS");
            assert_eq!(told, format!("Email: invalid email address: {address}"));
            assert_eq!(refused.body[0]["fields"], json!(["Email"]));
        }
        let told = sent(&long).refused(400, "STRING_TOO_LONG");
        assert_eq!(told, format!("Email: data value too large: {long} (max length=80)"));
        for address in ["c@d.example", "c..d.@e.example", "O'Neil+co-sell@mail.d-e.example", ""] {
            sent(address).done(201);
        }
    }
}

#[test]
fn addresses_may_be_stored_in_lower_case() {
    let mut bench = Bench::new();
    let contact = bench.made("Contact", json!({ "LastName": "Vogel", "Email": "V@Fabrikam.example" }));
    let path = format!("sobjects/Contact/{contact}");
    assert_eq!(bench.get(&path).done(200).body["Email"], "V@Fabrikam.example");
    bench.org.switches.emails_in_lower_case = true;
    bench.patch(&path, json!({ "Email": "Eva@Fabrikam.example" })).done(204);
    assert_eq!(bench.get(&path).done(200).body["Email"], "eva@fabrikam.example");
}

#[test]
fn a_person_has_a_last_name() {
    let mut bench = Bench::new();
    for (object, row) in rows() {
        let path = format!("sobjects/{object}");
        for nothing in [Some(Value::Null), Some(json!("")), Some(json!("  ")), None] {
            let mut body = row.clone();
            body["FirstName"] = json!("Eva");
            match nothing {
                Some(value) => body["LastName"] = value,
                None => drop(body.as_object_mut().unwrap().remove("LastName")),
            }
            let refused = bench.post(&path, body);
            let told = refused.refused(400, "REQUIRED_FIELD_MISSING");
            assert_eq!(told, "Required fields are missing: [LastName]");
            assert_eq!(refused.body[0]["fields"], json!(["LastName"]));
        }
        let id = bench.made(object, row);
        bench
            .patch(&format!("{path}/{id}"), json!({ "LastName": null }))
            .refused(400, "REQUIRED_FIELD_MISSING");
    }
    let body = json!({ "LastName": "Vogel", "Company": null });
    bench.post("sobjects/Lead", body).refused(400, "REQUIRED_FIELD_MISSING");
}
