//! `$batch`: change sets, references, failures, and malformed bodies.

use super::*;
use crate::dataverse::EUR;

const PART: [&str; 2] = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"];

/// A part of a change set.
fn part(id: &str, line: &str, body: &Value) -> Vec<String> {
    let mut lines: Vec<String> = vec!["--changeset_7c1d".into()];
    lines.extend(PART.map(str::to_owned));
    lines.extend([format!("Content-ID: {id}"), String::new(), format!("{line} HTTP/1.1")]);
    lines.extend(["Content-Type: application/json".into(), String::new(), body.to_string()]);
    lines
}

fn change_set(parts: &[Vec<String>]) -> Vec<String> {
    let mut lines: Vec<String> = vec![
        "--batch_5e0a".into(),
        "Content-Type: multipart/mixed; boundary=changeset_7c1d".into(),
        String::new(),
    ];
    lines.extend(parts.iter().flatten().cloned());
    lines.extend(["--changeset_7c1d--".into(), String::new()]);
    lines
}

fn single(line: &str, body: &Value) -> Vec<String> {
    let mut lines: Vec<String> = vec!["--batch_5e0a".into()];
    lines.extend(PART.map(str::to_owned));
    lines.extend([String::new(), format!("{line} HTTP/1.1")]);
    if body.is_null() {
        lines.extend(["Accept: application/json".into(), String::new(), String::new()]);
    } else {
        lines.extend(["Content-Type: application/json".into(), String::new(), body.to_string()]);
    }
    lines
}

fn run(bench: &mut Bench, headers: &[(&str, &str)], items: &[Vec<String>]) -> (u16, String) {
    let mut lines: Vec<&str> = items.iter().flatten().map(String::as_str).collect();
    lines.extend(["--batch_5e0a--", ""]);
    let response = bench.batch(headers, &lines);
    (response.status, String::from_utf8(response.body.to_vec()).unwrap())
}

fn referral(name: &str) -> Vec<Vec<String>> {
    let account = json!({ "name": "Fabrikam Robotics GmbH" });
    let contact =
        json!({ "firstname": "Ines", "lastname": "Vogel", "parentcustomerid_account@odata.bind": "$1" });
    let deal = json!({ "name": name, "customerid_account@odata.bind": "$1", "parentcontactid@odata.bind": "$2",
        "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({EUR})") });
    vec![
        part("1", "PATCH /api/data/v9.2/accounts(cosell_customerkey='acct-1')", &account),
        part("2", "PATCH /api/data/v9.2/contacts(cosell_contactkey='ctc-1')", &contact),
        part("3", "PATCH /api/data/v9.2/opportunities(cosell_referralid='ref-3')", &deal),
    ]
}

#[test]
fn a_change_set_is_done_whole() {
    let mut bench = Bench::new();
    bench.org.switches.content_id_of_keyed_rows = true;
    let (status, text) = run(&mut bench, &[], &[change_set(&referral("Deal"))]);
    assert_eq!(status, 200, "{text}");
    assert_eq!(text.matches("HTTP/1.1 204 No Content\r\n").count(), 3);
    let uri = format!("{ORG}{ROOT}/contacts(cosell_contactkey='ctc-1')");
    assert!(text.contains("Content-ID: 2\r\n\r\nHTTP/1.1 204 No Content\r\n"), "{text}");
    assert!(
        text.contains(&format!("Location: {uri}\r\nOData-EntityId: {uri}\r\n\r\n\r\n--changesetresponse_")),
        "{text}"
    );
    assert!(text.contains("Content-Type: multipart/mixed; boundary=changesetresponse_"));
    let account = bench.org.rows("accounts")[0]["accountid"].clone();
    assert_eq!(bench.org.rows("opportunities")[0]["_customerid_value"], account);
}

#[test]
fn a_failed_change_set_leaves_nothing() {
    let mut bench = Bench::new();
    bench.org.switches.content_id_of_keyed_rows = true;
    let (status, text) = run(&mut bench, &[], &[change_set(&referral(&"N".repeat(301)))]);
    assert_eq!(status, 400);
    assert!(
        text.starts_with("--batchresponse_") && text.contains("\r\n\r\nHTTP/1.1 400 Bad Request\r\n"),
        "{text}"
    );
    assert!(text.contains("\"code\":\"0x80044331\"") && text.matches("HTTP/1.1").count() == 1);
    assert!(bench.org.rows("accounts").is_empty() && bench.org.rows("contacts").is_empty());
}

#[test]
fn references_look_back_and_by_default_only_to_rows_with_a_guid() {
    let mut bench = Bench::new();
    let bad = [part(
        "1",
        "POST /api/data/v9.2/opportunities",
        &json!({ "name": "x", "customerid_account@odata.bind": "$9" }),
    )];
    let (status, text) = run(&mut bench, &[], &[change_set(&bad)]);
    assert_eq!(status, 400);
    assert!(text.contains("Content-ID Reference: '$9' does not exist in the batch context."), "{text}");
    let (status, text) = run(&mut bench, &[], &[change_set(&referral("Deal"))]);
    assert!(status == 400 && text.contains("Content-ID Reference: '$1'"), "{text}");
    let key_bind =
        json!({ "name": "x", "customerid_account@odata.bind": "/accounts(cosell_customerkey='acct-1')" });
    let parts = [referral("x").remove(0), part("2", "POST /api/data/v9.2/opportunities", &key_bind)];
    let (status, text) = run(&mut bench, &[], &[change_set(&parts)]);
    assert!(status == 400 && text.contains("0x80060891"), "{text}");
    let parts = [
        part("1", "POST /api/data/v9.2/accounts", &json!({ "name": "A" })),
        part("2", "PATCH $1", &json!({ "telephone1": "+49" })),
        part(
            "3",
            &format!("PATCH /api/data/v9.2/opportunities({DEAL})"),
            &json!({ "customerid_account@odata.bind": "$1" }),
        ),
        part(
            "4",
            "POST /api/data/v9.2/annotations",
            &json!({ "objectid_opportunity@odata.bind": format!("/opportunities({DEAL})") }),
        ),
    ];
    let (status, text) = run(&mut bench, &[], &[change_set(&parts)]);
    assert_eq!(status, 200, "{text}");
    assert_eq!(bench.org.rows("accounts")[0]["telephone1"], "+49");
}

#[test]
fn reads_stand_beside_change_sets_and_parts_have_their_own_headers() {
    let mut bench = Bench::with_deal();
    let etag = bench.get(&format!("opportunities({DEAL})")).header("etag").to_owned();
    let mut write = part(
        "1",
        &format!("PATCH {ORG}/api/data/v9.2/opportunities({DEAL})?$select=name"),
        &json!({ "name": "New" }),
    );
    write.insert(6, format!("If-Match: {etag}"));
    write.insert(7, "Prefer: return=representation".into());
    let read = single(&format!("GET /api/data/v9.2/opportunities({DEAL})?$select=name"), &Value::Null);
    let items = [change_set(&[write]), read];
    let (status, text) = run(&mut bench, &[], &items);
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("Preference-Applied: return=representation"));
    assert_eq!(text.matches("\"name\":\"New\"").count(), 2, "{text}");
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2);
    let (status, text) = run(&mut bench, &[], &items);
    assert!(status == 400 && text.contains("HTTP/1.1 412 Precondition Failed"), "{text}");
}

#[test]
fn continue_on_error_runs_the_rest() {
    let mut bench = Bench::with_deal();
    let items = [
        single(&format!("PATCH /api/data/v9.2/opportunities({DEAL})"), &json!({ "name": "N".repeat(301) })),
        single(
            "PATCH /api/data/v9.2/accounts(cosell_customerkey='acct-0091')",
            &json!({ "telephone1": "+49 711" }),
        ),
    ];
    let (status, text) = run(&mut bench, &[], &items);
    assert!(status == 400 && text.matches("HTTP/1.1").count() == 1, "{text}");
    assert_eq!(bench.org.row("accounts", COMPANY).unwrap()["telephone1"], Value::Null);
    let (status, text) = run(&mut bench, &[("prefer", "odata.continue-on-error")], &items);
    assert_eq!(status, 200);
    assert!(text.contains("HTTP/1.1 400 Bad Request") && text.contains("HTTP/1.1 204 No Content"), "{text}");
    assert_eq!(bench.org.row("accounts", COMPANY).unwrap()["telephone1"], "+49 711");
}

#[test]
fn malformed_batches_are_refused() {
    let mut bench = Bench::with_deal();
    let good =
        single("PATCH /api/data/v9.2/accounts(cosell_customerkey='acct-0091')", &json!({ "name": "x" }));
    let body = format!("{}\r\n--batch_5e0a--\r\n", good.join("\r\n"));
    let content_type = [("content-type", "multipart/mixed; boundary=batch_5e0a")];
    let mut post = |body: &str| {
        let path = format!("{ROOT}/$batch");
        Answer::of(bench.raw("POST", &path, &content_type, body.as_bytes()))
    };
    post(&body).done(200);
    assert!(post(&body.replace("\r\n", "\n")).refused(400, "0x80048d19").contains("Stream was not readable"));
    post(&body.replacen("binary\r\n", "binary\n", 1)).refused(400, "0x80048d19");
    post(&body.replace("--batch_5e0a--", "")).refused(400, "0x80048d19");
    post(&body.replace("Content-Transfer-Encoding: binary\r\n", "")).refused(400, "0x80048d19");
    let no_id = change_set(&[part("1", "POST /api/data/v9.2/accounts", &json!({}))]).join("\r\n");
    let end = "\r\n--batch_5e0a--\r\n";
    post(&format!("{}{end}", no_id.replace("Content-ID: 1\r\n", ""))).refused(400, "0x80048d19");
    post(&format!("{}{end}", no_id.replace("POST ", "GET "))).refused(400, "0x80048d19");
    let many: String = (0..1001).map(|_| good.join("\r\n") + "\r\n").collect();
    post(&format!("{many}--batch_5e0a--\r\n")).refused(400, "0x80048d19");
}

#[test]
fn clients_in_use_are_read() {
    let mut bench = Bench::with_deal();
    let read = |end: &str| {
        let mut lines: Vec<String> = vec!["--batch_5e0a".into()];
        lines.extend(PART.map(str::to_owned));
        lines.extend([String::new(), format!("GET {ORG}{ROOT}/opportunities({DEAL})?$select=name HTTP/1.1")]);
        lines.push(format!("Accept: application/json{end}"));
        lines
    };
    // The boundary's own line break ends the headers.
    let (status, text) = run(&mut bench, &[], &[read("\r\n")]);
    assert!(status == 200 && text.contains("\"name\":\"Deal\""), "{text}");
    assert_eq!(run(&mut bench, &[], &[read("")]).0, 400);
    // An empty line before the first boundary, no blank after the parameter separator.
    let mut lines: Vec<String> = vec![String::new()];
    lines.extend(read("\r\n"));
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.extend(["--batch_5e0a--", ""]);
    let kind = [("content-type", "multipart/mixed;boundary=batch_5e0a")];
    assert_eq!(bench.batch(&kind, &lines).status, 200);
    lines.insert(0, "preamble");
    assert_eq!(bench.batch(&kind, &lines).status, 400);
}

#[test]
fn a_batch_holds_no_batch_and_no_endless_url() {
    let mut bench = Bench::with_deal();
    let (status, text) = run(&mut bench, &[], &[single("POST /api/data/v9.2/$batch", &json!({}))]);
    assert!(status == 400 && text.contains("0x80048d19"), "{text}");
    let long = format!("GET /api/data/v9.2/opportunities?$filter=name eq '{}'", "n".repeat(65_536));
    let (status, text) =
        run(&mut bench, &[], &[single(&long.replace(' ', "%20").replacen("%20", " ", 1), &Value::Null)]);
    assert!(status == 400 && text.contains("The URL is too long."), "{text}");
}

#[test]
fn a_batch_has_at_most_a_thousand_requests_those_of_change_sets_included() {
    let mut bench = Bench::with_deal();
    let read = single("GET /api/data/v9.2/accounts?$select=name", &Value::Null);
    let (status, _) = run(&mut bench, &[], &vec![read.clone(); 1000]);
    assert_eq!(status, 200);
    let edit = |n: usize| {
        let path = format!("PATCH /api/data/v9.2/accounts({})", uuid::Uuid::from_u128(n as u128));
        part(&n.to_string(), &path, &json!({ "name": "n" }))
    };
    let set = change_set(&(1..=1000).map(edit).collect::<Vec<_>>());
    let (status, text) = run(&mut bench, &[], &[set, read]);
    assert!(status == 400 && text.contains("The batch has 1001 operations"), "{text}");
}
