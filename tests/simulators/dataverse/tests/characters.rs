//! Text that XML 1.0 cannot hold is refused, whoever writes it and by whichever way.

use super::*;
use crate::dataverse::INTEGRATION_USER;

const CODE: &str = "0x80040278";

#[test]
fn text_that_xml_cannot_hold_is_refused() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    for bad in ['\0', '\u{1}', '\u{8}', '\u{b}', '\u{c}', '\u{e}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
        let text = bench.patch(&deal, &[], json!({ "name": format!("a{bad}b") })).refused(400, CODE);
        assert_eq!(text, "The field 'name' contains one or more invalid characters.", "{bad:?}");
    }
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["name"], "Deal");
    let good = "tab\tline\nreturn\r delete\u{7f} next\u{85} \u{fffd} \u{1f600} <&>";
    bench.patch(&deal, &[], json!({ "description": good })).done(204);
    assert_eq!(bench.get(&deal).body["description"], good);
}

#[test]
fn creates_upserts_and_notes_refuse_it_too() {
    let mut bench = Bench::with_deal();
    let bad = json!({ "name": "a\u{b}b" });
    bench.send("POST", "accounts", &[], bad.clone()).refused(400, CODE);
    bench.patch("accounts(cosell_customerkey='acct-9')", &[], bad).refused(400, CODE);
    bench.get("accounts(cosell_customerkey='acct-9')").refused(404, "0x80060891");
    let key = "opportunities(cosell_referralid='a%0Bb')";
    bench.patch(key, &[], json!({ "name": "x" })).refused(400, CODE);
    let note = json!({ "notetext": "page\u{c}break",
        "objectid_opportunity@odata.bind": format!("/opportunities({DEAL})") });
    let text = bench.patch(&format!("annotations({COMPANY})"), &[], note).refused(400, CODE);
    assert!(text.contains("'notetext'"), "{text}");
}

#[test]
fn a_change_set_with_it_changes_nothing() {
    let mut bench = Bench::with_deal();
    let part = |id: &str, path: &str, body: Value| {
        [
            "--changeset_1".to_owned(),
            "Content-Type: application/http".into(),
            "Content-Transfer-Encoding: binary".into(),
            format!("Content-ID: {id}"),
            String::new(),
            format!("PATCH {ROOT}/{path} HTTP/1.1"),
            "Content-Type: application/json".into(),
            String::new(),
            body.to_string(),
        ]
    };
    let good = part("1", &format!("accounts({COMPANY})"), json!({ "name": "Good" }));
    let bad = part("2", &format!("opportunities({DEAL})"), json!({ "name": "a\u{1}b" }));
    let mut lines =
        vec!["--batch_5e0a".to_owned(), "Content-Type: multipart/mixed; boundary=changeset_1".into()];
    lines.push(String::new());
    lines.extend(good);
    lines.extend(bad);
    lines.extend(["--changeset_1--".into(), String::new(), "--batch_5e0a--".into(), String::new()]);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answer = bench.batch(&[], &lines);
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 400, "{body}");
    assert!(body.contains(CODE), "{body}");
    assert_eq!(bench.org.row("accounts", COMPANY).unwrap()["name"], "Fabrikam");
}

#[test]
fn closing_with_it_leaves_the_opportunity_open() {
    let mut bench = Bench::with_deal();
    let close = json!({ "description": "lost\u{b}to nobody",
        "opportunityid@odata.bind": format!("/opportunities({DEAL})") });
    for (action, status) in [("WinOpportunity", 3), ("LoseOpportunity", 4)] {
        let body = json!({ "Status": status, "OpportunityClose": close });
        bench.send("POST", action, &[], body).refused(400, CODE);
    }
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["statecode"], 0);
    assert!(bench.org.rows("opportunitycloses").is_empty());
}

#[test]
fn people_are_refused_as_the_api_is() {
    let mut bench = Bench::with_deal();
    let now = bench.now;
    let bad = json!({ "name": "a\u{b}b" });
    assert!(bench.org.act_create("accounts", SELLER, bad.clone(), now).unwrap_err().contains(CODE));
    assert!(bench.org.act_edit("opportunities", DEAL, SELLER, bad, now).unwrap_err().contains(CODE));
    let close = json!({ "description": "a\u{ffff}" });
    assert!(bench.org.act_win(DEAL, SELLER, close, now).unwrap_err().contains(CODE));
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["statecode"], 0);
}

#[test]
fn an_org_may_be_told_to_keep_it() {
    let mut bench = Bench::with_deal();
    bench.org.switches.refuses_xml_characters = false;
    bench.patch(&format!("opportunities({DEAL})"), &[], json!({ "name": "a\u{b}b" })).done(204);
    let row = bench.org.row("opportunities", DEAL).unwrap();
    assert_eq!((&row["name"], &row["_modifiedby_value"]), (&json!("a\u{b}b"), &json!(INTEGRATION_USER)));
}
