//! Which account is chosen for a referral.

use super::*;
use percent_encoding::percent_decode_str;
use serde_json::json;

const NEW: &str = "11111111-1111-5111-8111-111111111111";

fn party() -> Party {
    let plain = |text: &str| CrmValue::Plain(json!(text));
    Party {
        key: "k1".into(),
        name: "O'Brien & Söhne".into(),
        postal_code: None,
        country: Some("CH".into()),
        email: None,
        columns: [("name".to_owned(), plain("O'Brien & Söhne"))].into_iter().collect(),
    }
}

fn accounts(match_on: &[String], create: bool) -> PartyTable<'_> {
    PartyTable {
        set: "accounts",
        id: "accountid",
        key: "cosell_customerkey",
        match_on,
        country: Some("address1_country"),
        alike: true,
        create,
    }
}

fn choose(by_key: &[Value], by_match: &[Value]) -> Choice {
    with(true, by_key, by_match)
}

fn with(create: bool, by_key: &[Value], by_match: &[Value]) -> Choice {
    let match_on = ["name".to_owned(), "address1_postalcode".to_owned()];
    let place = accounts(&match_on, create);
    place.choose(&party(), NEW, by_key, by_match)
}

fn row(id: &str, key: Option<&str>, state: i64) -> Value {
    json!({ "accountid": id, "cosell_customerkey": key, "statecode": state, "@odata.etag": "W/\"7\"" })
}

fn used(id: &str) -> Choice {
    Choice::Use { id: id.to_owned() }
}

#[test]
fn the_one_with_our_key_is_taken_as_it_is() {
    assert_eq!(choose(&[row("a", Some("k1"), 0)], &[row("b", None, 0)]), used("a"));
}

#[test]
fn of_several_the_choice_is_told_and_of_one_nothing_is() {
    let match_on = ["name".to_owned()];
    let place = accounts(&match_on, true);
    let (one, two) = (row("a", None, 0), row("b", None, 0));
    let told = |found: &[Value], id: &str| place.told(&party(), found, true, id);
    let words = told(&[one.clone(), two.clone()], "a").unwrap();
    assert!(words.contains("several accounts") && words.contains("`a`"), "{words}");
    assert_eq!(told(&[one.clone(), two], "k"), None, "it was found by its key");
    assert_eq!(told(&[one], "a"), None);
}

#[test]
fn a_match_gets_the_key_and_one_with_another_key_keeps_it() {
    assert_eq!(choose(&[], &[row("b", None, 0)]), Choice::Mark { id: "b".into(), etag: "W/\"7\"".into() });
    assert_eq!(choose(&[], &[row("b", Some("other"), 0)]), used("b"));
}

#[test]
fn nobody_is_created_with_the_key() {
    assert_eq!(choose(&[], &[]), Choice::Create { id: NEW.into(), keyed: true });
    assert_eq!(with(false, &[], &[]), Choice::Missing);
}

#[test]
fn a_merged_one_leads_to_its_master() {
    let mut merged = row("a", Some("k1"), 1);
    merged["merged"] = json!(true);
    merged["_masterid_value"] = json!("m");
    assert_eq!(choose(&[merged], &[]), Choice::Follow { id: "m".into() });
}

#[test]
fn a_deactivated_one_keeps_the_key_and_is_matched_again() {
    let dead = row("a", Some("k1"), 1);
    assert_eq!(choose(std::slice::from_ref(&dead), &[row("b", None, 0)]), used("b"));
    assert_eq!(choose(&[dead], &[]), Choice::Create { id: NEW.into(), keyed: false });
    let Choice::Create { id, keyed: false } = choose(&[row(NEW, Some("k1"), 1)], &[]) else { panic!() };
    assert_ne!(id, NEW, "the id is taken too");
}

#[test]
fn our_own_row_whose_key_was_emptied_gets_it_again() {
    assert_eq!(choose(&[row(NEW, None, 0)], &[]), Choice::Mark { id: NEW.into(), etag: "W/\"7\"".into() });
}

#[test]
fn the_match_asks_for_the_oldest_active_and_quotes_what_people_typed() {
    let match_on = ["name".to_owned(), "address1_postalcode".to_owned()];
    let place = accounts(&match_on, true);
    let path = place.by_match(&party()).unwrap().path;
    assert!(!path.contains([' ', '\'']) && path.matches('&').count() == 3, "{path}");
    let decoded = percent_decode_str(&path).decode_utf8().unwrap();
    assert!(
        decoded.contains(
            "$filter=name eq 'O''Brien & Söhne' and address1_postalcode eq null and statecode eq 0&"
        ),
        "{decoded}"
    );
    assert!(decoded.ends_with("&$orderby=createdon asc,accountid asc&$top=50"), "{decoded}");
    let nameless = Party { columns: Default::default(), ..party() };
    assert!(place.by_match(&nameless).is_none(), "no name would match everybody without one");
    assert!(place.by_likeness(&nameless).is_none());
}

#[test]
fn another_country_speaks_against_a_match_and_an_unknown_one_does_not() {
    let match_on = ["name".to_owned(), "address1_postalcode".to_owned()];
    let place = accounts(&match_on, true);
    let elsewhere = |country: Value| {
        let mut row = row("a", None, 0);
        row["address1_country"] = country;
        place.is_elsewhere(&party(), &row)
    };
    assert!(elsewhere(json!("Deutschland")) && elsewhere(json!("US")));
    for near in [json!("CH"), json!("Switzerland"), json!(null), json!("Somewhere")] {
        assert!(!elsewhere(near.clone()), "{near}");
    }
    assert!(place.by_match(&party()).unwrap().path.contains(",address1_country"));
    let words = place.told(&party(), &[row("a", None, 0)], true, "a").unwrap();
    assert!(words.contains("no address1_postalcode"), "for lack of better: {words}");
}

#[test]
fn one_that_only_reads_alike_is_asked_for_by_its_longest_words_and_told() {
    let match_on = ["name".to_owned(), "address1_postalcode".to_owned()];
    let place = accounts(&match_on, true);
    let path = place.by_likeness(&party()).unwrap().path;
    let decoded = percent_decode_str(&path).decode_utf8().unwrap();
    let terms = "contains(name,'O') and contains(name,'Brien') and contains(name,'Söhne') and statecode eq 0";
    assert!(decoded.contains(&format!("$filter={terms}&")), "{decoded}");
    let shows = |id: &str, name: &str, postal_code: Option<&str>| {
        let mut row = row(id, None, 0);
        row["name"] = json!(name);
        row["address1_postalcode"] = json!(postal_code);
        row
    };
    let rows = [
        shows("a", "O'Brien & Söhne Holding", None),
        shows("b", "O'Brien & Söhne", Some("4057")),
        shows("c", "O’BRIEN  Söhne", None),
    ];
    let alike = place.alike(&party(), &rows);
    assert_eq!(alike, rows[2..]);
    assert!(place.told(&party(), &alike, false, "c").unwrap().contains("reads alike"));
    assert!(PartyTable { alike: false, ..place }.by_likeness(&party()).is_none());
}
