//! Dates and times as Salesforce writes them, reads them from JSON, and as HTTP headers carry them.

use jiff::{Timestamp, civil, fmt::rfc2822, tz::TimeZone};

/// `2026-11-20T10:15:01.000+0000`: whole seconds, no colon in the offset.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

/// A stored stamp as an instant.
pub(super) fn instant(stamp: &str) -> Option<Timestamp> {
    stamp.strip_suffix(".000+0000").and_then(|text| format!("{text}Z").parse().ok())
}

/// A date-time with its offset, as bodies, queries and `start`/`end` give it.
pub(super) fn date_time(text: &str) -> Option<Timestamp> {
    let zoned = text.ends_with('Z') || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    let iso = text.as_bytes().get(10) == Some(&b'T') && text.is_ascii() && !text.contains(['[', ' ']);
    (iso && zoned).then(|| text.parse().ok()).flatten()
}

/// A date and nothing else.
pub(super) fn date(text: &str) -> Option<civil::Date> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    plain.then(|| text.parse().ok()).flatten()
}

/// `Fri, 20 Nov 2026 10:15:01 GMT`
pub(super) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(super) fn from_http_date(text: &str) -> Option<Timestamp> {
    let fixed = text.len() == 29 && text.ends_with(" GMT");
    fixed.then(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok()).flatten()
}

/// Down to the minute, as the replication calls do.
pub(super) fn minute(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(at)
}

/// The last day of the quarter: what a converted lead's opportunity closes on.
pub(super) fn quarter_end(at: Timestamp) -> String {
    let day = at.to_zoned(TimeZone::UTC).date();
    let month = (day.month() - 1) / 3 * 3 + 3;
    civil::date(day.year(), month, 1).last_of_month().to_string()
}

#[cfg(test)]
#[test]
fn forms_are_exact() {
    let at: Timestamp = "2026-11-20T10:15:01.75Z".parse().unwrap();
    assert_eq!(stamp(at), "2026-11-20T10:15:01.000+0000");
    assert_eq!(instant(&stamp(at)).map(|t| t.as_second()), Some(at.as_second()));
    assert_eq!(http_date(at), "Fri, 20 Nov 2026 10:15:01 GMT");
    assert_eq!(from_http_date(&http_date(at)).map(|t| t.as_second()), Some(at.as_second()));
    assert_eq!(from_http_date("2026-11-20T10:15:01Z"), None);
    for good in ["2026-11-20T10:15:01Z", "2026-11-20T10:15:01.000+0000", "2026-11-20T11:15:01+01:00"] {
        assert!(date_time(good).is_some(), "{good}");
    }
    for bad in ["2026-11-20", "2026-11-20T10:15:01", "2026-11-20 10:15:01Z", "2026-11-20T10:15:01 00:00"] {
        assert!(date_time(bad).is_none(), "{bad}");
    }
    assert!(date("2027-02-28").is_some() && date("2027-02-30").is_none() && date("20270228").is_none());
    assert_eq!(quarter_end(at), "2026-12-31");
}
