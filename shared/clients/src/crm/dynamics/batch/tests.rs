//! Bodies as the vendor's documents print them, read and written.

use super::*;
use serde_json::json;

fn crlf(lines: &[&str]) -> Vec<u8> {
    lines.join("\r\n").into_bytes()
}

fn one(outcome: &Outcome) -> &Reply {
    match outcome {
        Outcome::One(reply) => reply,
        Outcome::Set(_) => panic!("a set"),
    }
}

#[test]
fn every_line_ends_in_crlf_and_change_set_parts_are_numbered() {
    let items = [
        Item::ChangeSet(vec![
            Request::write("PATCH", "accounts(1)", json!({ "name": "A\nB" })).with("If-None-Match", "*"),
            Request::write("POST", "WinOpportunity", json!({ "Status": 3 })),
        ]),
        Item::One(Request::get("opportunities(2)?$select=name")),
    ];
    let text = encode(Batch::of(&items).unwrap(), "/api/data/v9.2", "7");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
    let expected = [
        "--batch_7",
        "Content-Type: multipart/mixed; boundary=changeset_0_7",
        "",
        "--changeset_0_7",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "Content-ID: 1",
        "",
        "PATCH /api/data/v9.2/accounts(1) HTTP/1.1",
        "Accept: application/json",
        "If-None-Match: *",
        "Content-Type: application/json",
        "",
        "{\"name\":\"A\\nB\"}",
        "--changeset_0_7",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "Content-ID: 2",
        "",
        "POST /api/data/v9.2/WinOpportunity HTTP/1.1",
        "Accept: application/json",
        "Content-Type: application/json",
        "",
        "{\"Status\":3}",
        "--changeset_0_7--",
        "--batch_7",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        "GET /api/data/v9.2/opportunities(2)?$select=name HTTP/1.1",
        "Accept: application/json",
        "",
        "",
        "--batch_7--",
        "",
    ];
    assert_eq!(text.into_bytes(), crlf(&expected));
    assert_eq!(content_type("7"), "multipart/mixed; boundary=\"batch_7\"");
}

#[test]
fn a_change_set_that_was_done_and_a_read_after_it() {
    let body = crlf(&[
        "--batchresponse_d6",
        "Content-Type: multipart/mixed; boundary=changesetresponse_b2",
        "",
        "--changesetresponse_b2",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "Content-ID: 1",
        "",
        "HTTP/1.1 204 No Content",
        "OData-Version: 4.0",
        "Location: https://contoso-sales.crm.dynamics.com/api/data/v9.2/accounts(csl_externalid='acct-0091')",
        "",
        "",
        "--changesetresponse_b2--",
        "--batchresponse_d6",
        "Content-Type: application/http",
        "",
        "HTTP/1.1 200 OK",
        "ETag: W/\"2048130\"",
        "",
        "{\"name\": \"--batchresponse_d6--\",",
        " \"statecode\": 0}",
        "--batchresponse_d6--",
        "",
    ]);
    let outcomes = decode("multipart/mixed; boundary=batchresponse_d6", &body).unwrap();
    let [Outcome::Set(replies), read] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!((replies.len(), replies[0].status, replies[0].body.len()), (1, 204, 0));
    assert_eq!(one(read).json(), Some(json!({ "name": "--batchresponse_d6--", "statecode": 0 })));
    assert_eq!(one(read).header("etag"), Some("W/\"2048130\""));
}

#[test]
fn a_change_set_that_failed_is_one_answer() {
    let body = crlf(&[
        "--b",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        "HTTP/1.1 400 Bad Request",
        "Content-Type: application/json; odata.metadata=minimal",
        "",
        "{\"error\": {\"code\": \"0x80044331\", \"message\": \"too long\"}}",
        "--b--",
    ]);
    let outcomes = decode("Multipart/Mixed; charset=utf-8; Boundary=\"b\"", &body).unwrap();
    assert_eq!(one(&outcomes[0]).status, 400);
    assert_eq!(outcomes.len(), 1);
}

#[test]
fn half_a_body_is_no_answer() {
    let whole =
        crlf(&["--b", "Content-Type: application/http", "", "HTTP/1.1 204 No Content", "", "", "--b--"]);
    assert!(decode("multipart/mixed; boundary=b", &whole).is_some());
    for cut in 0..whole.len() {
        assert_eq!(decode("multipart/mixed; boundary=b", &whole[..cut]), None, "cut at {cut}");
    }
    assert_eq!(decode("text/html", b"<html>"), None);
    assert_eq!(decode("application/json; boundary=b", &whole), None);
}

proptest::proptest! {
    #[test]
    fn nothing_that_comes_in_is_a_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..300), lines in proptest::collection::vec("(--b(--)?|HTTP/1.1 2?0?0?|[A-Za-z-]*: ?[a-z/=;]*|multipart/mixed; boundary=b|)", 0..12)) {
        decode("multipart/mixed; boundary=b", &body);
        decode("multipart/mixed; boundary=b", lines.join("\r\n").as_bytes());
    }
}

#[test]
fn a_part_that_no_text_can_hold_is_read_and_hides_no_other() {
    let body = [
        &b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\xff\r\nX-Name: \xff\r\n\r\n"[..],
        &b"{\"value\":[{\"name\":\"half\\ud83d\xff\"}]}\r\n"[..],
        &b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{\"value\":[]}\r\n--b--\r\n"[..],
    ]
    .concat();
    let outcomes = decode("multipart/mixed; boundary=b", &body).unwrap();
    assert_eq!(one(&outcomes[0]).json(), Some(json!({ "value": [{ "name": "half\u{fffd}\u{fffd}" }] })));
    assert_eq!(one(&outcomes[1]).json(), Some(json!({ "value": [] })));
}

#[test]
fn no_batch_has_more_requests_than_dataverse_takes() {
    let reads = |n| vec![Item::One(Request::get("leads")); n];
    assert!(Batch::of(&reads(1000)).is_some());
    assert!(Batch::of(&reads(1001)).is_none());
    let with_set = [Item::ChangeSet(vec![Request::get("leads"); 999]), Item::One(Request::get("leads"))];
    assert!(Batch::of(&with_set).is_some());
    let with_set = [Item::ChangeSet(vec![Request::get("leads"); 1000]), Item::One(Request::get("leads"))];
    assert!(Batch::of(&with_set).is_none());
    assert_eq!(Batch::apart(&reads(2001)).map(|batch| batch.len()).collect::<Vec<_>>(), [1000, 1000, 1]);
}
