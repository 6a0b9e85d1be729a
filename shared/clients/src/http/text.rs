//! Reads a vendor's JSON. Halves of surrogate pairs and bytes that are no UTF-8 become U+FFFD, so that one row's text
//! never hides the rows beside it. A body that cannot be read at all is described by length and place, never by its
//! text.

use serde_json::Value;
use std::fmt;

/// Where a body stops being JSON. It holds none of the body, in which names and addresses may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    length: usize,
    line: usize,
    column: usize,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            0 => f.write_str("an empty body"),
            length => write!(f, "{length} bytes, no JSON at line {} column {}", self.line, self.column),
        }
    }
}

/// A body as JSON, with or without a byte order mark before it.
pub fn json(body: &[u8]) -> Result<Value, Stopped> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).or_else(|_| serde_json::from_str(&mended(body))).map_err(|error| Stopped {
        length: body.len(),
        line: error.line(),
        column: error.column(),
    })
}

/// For messages: describes a body that is not what was asked for, without repeating any of it.
pub(crate) fn unread(body: &[u8]) -> String {
    match json(body) {
        Ok(_) => format!("{} bytes of JSON without what was asked for", body.len()),
        Err(stopped) => stopped.to_string(),
    }
}

/// The body, with U+FFFD in place of each byte and escape that no text can hold.
fn mended(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut mended = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        // An escape that ends in the middle of a character is left for the parser to refuse.
        let (kept, length) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (true, 12),
            (Some(0xd800..=0xdfff), _) => (false, 6),
            (Some(_), _) => (true, 6),
            // Any other escape, perhaps of a backslash: its second character begins no escape.
            (None, _) => (true, 1 + escape.chars().nth(1).map_or(0, char::len_utf8)),
        };
        let (escape, after) = escape.split_at(length);
        mended.push_str(if kept { escape } else { "\\ufffd" });
        rest = after;
    }
    mended + rest
}

/// The UTF-16 unit of the `\u` escape with which a text begins.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    // `from_str_radix` would accept a sign before the digits.
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;

    fn read(body: &[u8]) -> Value {
        json(body).unwrap()
    }

    #[test]
    fn a_half_of_a_pair_becomes_one_replacement_character() {
        for (body, shown) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ude00b""#, "\u{fffd}b"),
            (r#""\uD83D\u0041""#, "\u{fffd}A"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
            (r#""\ud83dä""#, "\u{fffd}ä"),
        ] {
            assert_eq!(read(body.as_bytes()), value!(shown), "{body}");
        }
    }

    #[test]
    fn whole_pairs_and_escaped_backslashes_stay_beside_one() {
        let body =
            r#"{"pair":"\ud83d\ude00","plain":"\\ud83d","both":"\\\ud83d","quote":"\"\\","half":"\udc00"}"#;
        let shown = value!({ "pair": "😀", "plain": "\\ud83d", "both": "\\\u{fffd}", "quote": "\"\\", "half": "\u{fffd}" });
        assert_eq!(read(body.as_bytes()), shown);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(read(b"{\"a\xff\":\"\xc3\xa4\xe2\x82\"}"), value!({ "a\u{fffd}": "ä\u{fffd}" }));
        assert_eq!(read(b"[\"\xff\\ud83d\"]"), value!(["\u{fffd}\u{fffd}"]));
    }

    #[test]
    fn what_is_no_json_is_told_by_its_place_alone() {
        let told = |body: &[u8]| json(body).unwrap_err().to_string();
        assert_eq!(told(b"{\"city\":\n \"Zug\", x}"), "19 bytes, no JSON at line 2 column 9");
        assert_eq!(told(b""), "an empty body");
        for cut in [
            r#"{"city":"Zug\u"#,
            r#"{"city":"Zug\ud83"#,
            r#""Zug\ud83d\u"#,
            "\"Zug\\",
            r#""Zug\uä123""#,
            r#""Zug\u+041""#,
        ] {
            assert!(!told(cut.as_bytes()).contains("Zug"), "{cut}");
        }
        assert_eq!(unread(b"{\"city\":\"Zug\"}"), "14 bytes of JSON without what was asked for");
    }

    proptest::proptest! {
        #[test]
        fn what_serde_reads_is_read_alike(text in ".*") {
            let body = value!({ "text": text }).to_string();
            proptest::prop_assert_eq!(mended(body.as_bytes()), body.clone());
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            proptest::prop_assert_eq!(read(format!("\"{escaped}\\udc00\"").as_bytes()), value!(format!("{text}\u{fffd}")));
        }

        #[test]
        fn any_units_are_read(units in proptest::collection::vec(proptest::prelude::any::<u16>(), 0..40)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04X}")).collect();
            let shown = String::from_utf16_lossy(&units);
            proptest::prop_assert_eq!(read(format!("\"{escaped}\"").as_bytes()), value!(shown));
        }

        #[test]
        fn nothing_panics(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            let _ = unread(&body);
        }
    }
}
