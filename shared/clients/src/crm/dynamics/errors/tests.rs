//! The documented errors (vendors/dataverse.md, *Errors* and *Limits*), line by line.

use super::*;
use serde_json::json;

fn said(status: u16, code: &str, message: &str) -> DataverseError {
    let body = json!({ "error": { "code": code, "message": message } }).to_string();
    DataverseError::read(status, body.as_bytes(), None)
}

#[test]
fn every_documented_line_means_what_it_says() {
    use DataverseMeaning::*;
    let table = [
        (400, "0x80048d19", Refused),
        (400, "0x80060888", Refused),
        (400, "0x0", Refused),
        (400, "0x80044331", Refused),
        (400, "0x8004431A", Refused),
        (400, "0x80048408", Refused),
        (400, "0x80040265", Refused),
        (400, "0x80044352", Expired),
        (410, "0x80044352", Expired),
        (401, "", Later { wide: true }),
        (403, "0x80072560", Later { wide: true }),
        (403, "0x80050304", Later { wide: true }),
        (403, "0x80040220", Right),
        (403, "0x80048306", Right),
        (403, "0x80040231", Right),
        (404, "0x80040217", Gone),
        (404, "0x80060891", Gone),
        (404, "0x8006088a", Refused),
        (404, "", Gone),
        (412, "0x80060892", Taken),
        (412, "0x80040237", Taken),
        (412, "0x80060882", Lost),
        (412, "", Lost),
        (409, "", Lost),
        (412, "0x80040333", Refused),
        (500, "0x80040333", Refused),
        (413, "", Refused),
        (429, "0x80072322", Later { wide: true }),
        (429, "0x80072321", Later { wide: true }),
        (429, "0x80072326", Later { wide: true }),
        // Inside a batch these codes come with any status.
        (400, "0x80072322", Later { wide: true }),
        (503, "0x80072321", Later { wide: true }),
        (500, "0x80072326", Later { wide: true }),
        (429, "", Later { wide: true }),
        (500, "0x80040216", Unknown { wide: false }),
        (500, "0x80044151", Unknown { wide: false }),
        (500, "0x80044339", Later { wide: false }),
        (408, "", Unknown { wide: false }),
        (502, "", Unknown { wide: true }),
        (503, "", Unknown { wide: true }),
        (504, "", Unknown { wide: true }),
        (302, "", Unknown { wide: false }),
    ];
    for (status, code, expected) in table {
        assert_eq!(said(status, code, "words").meaning(), expected, "{status} `{code}`");
    }
    let wrong_url = said(404, "", "No HTTP resource was found that matches the request URI");
    assert_eq!(wrong_url.meaning(), Refused);
}

#[test]
fn gateways_that_answer_html_or_nothing_keep_their_status() {
    let html = DataverseError::read(503, b"<html>\r\n<h1>Service Unavailable</h1></html>", None);
    assert_eq!(html.to_string(), "503 <html> <h1>Service Unavailable</h1></html>");
    assert_eq!(html.meaning(), DataverseMeaning::Unknown { wide: true });
    assert_eq!(DataverseError::read(401, b"", None).to_string(), "401");
}

#[test]
fn a_read_that_is_refused_stops_one_record_or_everybody() {
    let retry = |after| Class::Retryable { after };
    let mut throttled = said(429, "0x80072322", "Number of requests exceeded the limit");
    throttled.after = Some(SignedDuration::from_secs(23));
    assert_eq!(throttled.of_read(), (retry(throttled.after), true));
    assert_eq!(said(403, "0x80072560", "").of_read(), (retry(None), true));
    assert_eq!(said(403, "0x80040220", "").of_read(), (Class::Permanent, false));
    assert_eq!(said(403, "0x80048306", "").of_read(), (Class::Permanent, false));
    assert_eq!(said(400, "0x80060888", "").of_read(), (Class::Permanent, false));
    assert_eq!(said(500, "", "").of_read(), (retry(None), false));
    assert_eq!(said(503, "", "").of_read(), (retry(None), true));
}

#[test]
fn the_field_is_a_column_that_was_sent() {
    let sent = ["name", "estimatedvalue", "transactioncurrencyid", "cosell_referralid", "description"];
    let field = |message: &str| said(400, "", message).field(sent);
    let long = "A validation error occurred.  The length of the 'name' attribute of the 'opportunity' entity exceeded \
                the maximum allowed length of '300'.";
    assert_eq!(field(long).as_deref(), Some("name"));
    assert_eq!(
        field("An undeclared property 'transactioncurrencyid' which").as_deref(),
        Some("transactioncurrencyid")
    );
    assert_eq!(field("Entity Key cosell_referralid_key violated.").as_deref(), Some("cosell_referralid"));
    assert_eq!(field("The name is no good, says the plug-in"), None, "a plain word is no column");
    assert_eq!(field("Discount above 20 % needs approval."), None);
}

#[test]
fn a_wrong_status_reason_is_the_status_reasons_fault() {
    let wrong = said(400, "0x80048408", "4 is not a valid status code for state code OpportunityState.Open");
    assert_eq!(wrong.field(["name", "statuscode"]).as_deref(), Some("statuscode"));
    assert_eq!(wrong.field(["name"]), None);
}

#[test]
fn of_a_good_answer_that_is_not_what_was_asked_for_no_word_is_told() {
    let told = |status, body: &[u8]| DataverseError::read(status, body, None).to_string();
    assert_eq!(
        told(200, b"{\"value\":[{\"city\":\"Zug"),
        "200 unreadable answer: 22 bytes, no JSON at line 1 column 22"
    );
    assert_eq!(
        told(200, b"{\"city\":\"Zug\"}"),
        "200 unreadable answer: 14 bytes of JSON without what was asked for"
    );
    assert_eq!(told(502, b"<html>Zug"), "502 <html>Zug", "a gateway speaks for itself");
}

#[test]
fn words_that_no_text_can_hold_are_still_read() {
    let body = b"{\"error\":{\"code\":\"0x80040237\",\"message\":\"`half\\ud83d\xff` is taken\"}}";
    let said = DataverseError::read(412, body, None);
    assert_eq!(
        (said.meaning(), said.message.as_str()),
        (DataverseMeaning::Taken, "`half\u{fffd}\u{fffd}` is taken")
    );
}

#[test]
fn a_part_asks_for_an_hour_at_most() {
    let after = |value: &str| {
        let headers = vec![("Retry-After".to_owned(), value.to_owned())];
        DataverseError::of_reply(&Reply { status: 429, headers, body: vec![] }).after
    };
    assert_eq!(after("7"), Some(SignedDuration::from_secs(7)));
    assert_eq!(after("2592000"), Some(SignedDuration::from_hours(1)));
}
