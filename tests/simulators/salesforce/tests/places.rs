//! State and country picklists, and currencies: what is valid where.

use super::*;
use base64::{Engine, engine::general_purpose::STANDARD};

fn org() -> Bench {
    let mut bench = Bench::new();
    bench.org.switches.state_country_picklists = true;
    bench
}

#[test]
fn a_state_says_for_which_countries_it_is_valid() {
    let mut bench = org();
    let fields = bench.get("sobjects/Account/describe").done(200).body["fields"].clone();
    let field = |name: &str| fields.as_array().unwrap().iter().find(|f| f["name"] == name).unwrap().clone();
    let (states, countries) = (field("BillingStateCode"), field("BillingCountryCode"));
    assert_eq!(
        (&states["controllerName"], &states["dependentPicklist"]),
        (&json!("BillingCountryCode"), &json!(true))
    );
    assert_eq!(
        (&countries["controllerName"], &countries["dependentPicklist"]),
        (&Value::Null, &json!(false))
    );
    let countries = countries["picklistValues"].as_array().unwrap();
    assert_eq!(countries[0]["validFor"], Value::Null);
    let of = |label: &str| -> Vec<(String, String)> {
        let states = states["picklistValues"].as_array().unwrap().iter().filter(|s| s["label"] == label);
        let valid = states.map(|state| {
            let bits = STANDARD.decode(state["validFor"].as_str().unwrap()).unwrap();
            let is = |n: usize| bits[n / 8] & (0x80 >> (n % 8)) != 0;
            let valid: Vec<&str> = (0..countries.len())
                .filter(|n| is(*n))
                .map(|n| countries[n]["value"].as_str().unwrap())
                .collect();
            (valid.join(" "), state["value"].as_str().unwrap().to_owned())
        });
        valid.collect()
    };
    let pair = |country: &str, code: &str| (country.to_owned(), code.to_owned());
    assert_eq!(of("Limburg"), [pair("BE", "VLI"), pair("NL", "LI")]);
    assert_eq!(of("Córdoba"), [pair("AR", "X"), pair("ES", "CO")]);
    assert_eq!((of("California"), of("Cagliari")), (vec![pair("US", "CA")], vec![pair("IT", "CA")]));
}

#[test]
fn a_state_of_another_country_is_refused() {
    let mut bench = org();
    for (country, state, code) in [
        ("NL", "Limburg", Some("LI")),
        ("BE", "Limburg", Some("VLI")),
        ("AR", "Córdoba", Some("X")),
        ("ES", "Córdoba", Some("CO")),
        ("DE", "Limburg", None),
        ("NL", "California", None),
    ] {
        let by_label = json!({ "Name": "A", "BillingCountryCode": country, "BillingState": state });
        let made = bench.post("sobjects/Account", by_label);
        let Some(code) = code else {
            let told = made.refused(400, "FIELD_INTEGRITY_EXCEPTION");
            assert!(told.starts_with("There's a problem with this state"), "{told}");
            assert_eq!(made.body[0]["fields"], json!(["BillingState"]));
            continue;
        };
        let id = made.done(201).body["id"].as_str().unwrap().to_owned();
        let row = bench.get(&format!("sobjects/Account/{id}")).done(200).body;
        assert_eq!(row["BillingStateCode"], *code);
    }
    let lead = |country: &str, state: &str| json!({ "LastName": "V", "Company": "F", "CountryCode": country, "StateCode": state });
    bench.post("sobjects/Lead", lead("NL", "VLI")).refused(400, "FIELD_INTEGRITY_EXCEPTION");
    bench.post("sobjects/Lead", lead("NL", "ZZ")).refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    let made = bench.post("sobjects/Lead", lead("IT", "CA")).done(201);
    let path = format!("sobjects/Lead/{}", made.body["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).done(200).body["State"], "Cagliari");
}

#[test]
fn country_and_state_change_together() {
    let mut bench = org();
    let body = json!({ "Name": "A", "BillingCountryCode": "NL", "BillingStateCode": "LI" });
    let made = bench.post("sobjects/Account", body).done(201);
    let path = format!("sobjects/Account/{}", made.body["id"].as_str().unwrap());
    for body in [
        json!({ "BillingCountryCode": "BE" }),
        json!({ "BillingStateCode": "CO" }),
        json!({ "BillingCountryCode": "BE", "BillingCountry": "Spain", "BillingState": null }),
        json!({ "BillingCountry": null, "BillingState": "Limburg" }),
    ] {
        bench.patch(&path, body.clone()).refused(400, "FIELD_INTEGRITY_EXCEPTION");
    }
    bench.patch(&path, json!({ "Phone": "1" })).done(204);
    bench.patch(&path, json!({ "BillingCountryCode": "BE", "BillingState": "Limburg" })).done(204);
    let fields = "BillingCountry,BillingState,BillingStateCode";
    let place = |bench: &mut Bench| {
        let row = bench.get(&format!("{path}?fields={fields}")).done(200).body;
        fields.split(',').map(|name| row[name].clone()).collect::<Vec<_>>()
    };
    assert_eq!(place(&mut bench), ["Belgium", "Limburg", "VLI"]);
    bench.patch(&path, json!({ "BillingCountryCode": null })).done(204);
    assert_eq!(place(&mut bench), [Value::Null, Value::Null, Value::Null]);
}

#[test]
fn a_row_has_a_currency_where_there_are_several() {
    let mut bench = Bench::new();
    bench.org.switches.multi_currency = true;
    let deal = bench.deal(json!({}));
    let path = format!("sobjects/Opportunity/{deal}");
    for nothing in [Value::Null, json!("")] {
        let refused = bench.patch(&path, json!({ "CurrencyIsoCode": nothing }));
        refused.refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
        assert_eq!(refused.body[0]["fields"], json!(["CurrencyIsoCode"]));
    }
    let body = json!({ "Name": "A", "CurrencyIsoCode": null });
    bench.post("sobjects/Account", body).refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    assert_eq!(bench.get(&path).done(200).body["CurrencyIsoCode"], "EUR");
    let fields = bench.get("sobjects/Opportunity/describe").done(200).body["fields"].clone();
    let field = fields.as_array().unwrap().iter().find(|f| f["name"] == "CurrencyIsoCode").unwrap().clone();
    assert_eq!((&field["nillable"], &field["defaultedOnCreate"]), (&json!(false), &json!(true)));
}
