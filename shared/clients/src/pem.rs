//! PEM as people paste it: line breaks turned into blanks, lost or written as `\n`, quotes and attributes around it,
//! several things in one text. Finds what lies between the markers; the caller decides whether it is valid.

use base64::{Engine, engine::general_purpose::STANDARD};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// What lies between two markers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// `CERTIFICATE`, `RSA PRIVATE KEY`, …
    pub(crate) label: &'a str,
    inside: &'a str,
}

impl Block<'_> {
    /// Encrypted in the old way, with headers before the base64.
    #[cfg(feature = "full")]
    pub(crate) fn has_headers(&self) -> bool {
        self.inside.contains(':')
    }

    /// The bytes; `None`: damaged.
    pub(crate) fn der(&self) -> Option<Vec<u8>> {
        der(self.inside)
    }
}

/// All blocks of a text; what stands around them is skipped. `None`: one has no end.
pub(crate) fn blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let mut found = vec![];
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once(DASHES)?;
        let (inside, after) = after.split_once(END)?;
        found.push(Block { label: label.trim(), inside });
        rest = after;
    }
    Some(found)
}

/// A PEM that was put into base64 as a whole, to be one line; `None`: the text is none.
pub(crate) fn unwrapped(text: &str) -> Option<String> {
    String::from_utf8(der(text)?).ok().filter(|inside| inside.contains(BEGIN))
}

/// Base64 whose line ends may be anything.
pub(crate) fn der(inside: &str) -> Option<Vec<u8>> {
    let mut kept = String::with_capacity(inside.len());
    let mut characters = inside.chars().filter(|c| !c.is_whitespace()).peekable();
    while let Some(c) = characters.next() {
        match c {
            // `\n`, written out once or several times.
            '\\' => _ = characters.next_if(|c| matches!(c, 'n' | 'r' | 't')),
            c => kept.push(c),
        }
    }
    STANDARD.decode(kept).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_may_be_anything() {
        for text in [
            "AQID\nBA==",
            "AQID BA==",
            "AQIDBA==",
            r"AQID\nBA==\n",
            r"\r\nAQID\\nBA==",
            "\r\nAQID\u{a0}BA==\t",
        ] {
            assert_eq!(der(text), Some(vec![1, 2, 3, 4]), "{text:?}");
        }
        for damaged in ["AQID\"BA==", "AQ", "A:"] {
            assert_eq!(der(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn everything_between_markers_is_found_and_nothing_else() {
        let text = "Bag Attributes\n\"-----BEGIN A B-----AQID-----END A B-----\\n-----BEGIN C-----\nBA==\n-----END C-----\"";
        let found: Vec<_> = blocks(text).unwrap().iter().map(|b| (b.label.to_owned(), b.der())).collect();
        assert_eq!(found, [("A B".to_owned(), Some(vec![1, 2, 3])), ("C".to_owned(), Some(vec![4]))]);
        assert_eq!(blocks("-----BEGIN A-----AQID"), None);
        assert_eq!(blocks("AQID"), Some(vec![]));
    }

    #[test]
    fn a_pem_in_base64_is_one() {
        let pem = "-----BEGIN A-----\nAQID\n-----END A-----\n";
        assert_eq!(unwrapped(&STANDARD.encode(pem)).as_deref(), Some(pem));
        for other in [pem, "AQID", "", "-----BEGIN"] {
            assert_eq!(unwrapped(other), None, "{other}");
        }
    }
}
