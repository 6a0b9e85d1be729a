//! Reads PEM as people paste it: with line breaks that became blanks, were lost or are written as `\n`, with quotes
//! and attributes around it, with several blocks in one text. The caller decides whether the content of a block is
//! valid.

use base64::{Engine, engine::general_purpose::STANDARD};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The text between two markers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// `CERTIFICATE`, `RSA PRIVATE KEY`, …
    pub(crate) label: &'a str,
    inside: &'a str,
}

impl Block<'_> {
    /// Whether it has headers before the base64, as keys that are encrypted in the old way do.
    #[cfg(feature = "full")]
    pub(crate) fn has_headers(&self) -> bool {
        self.inside.contains(':')
    }

    /// The content's bytes; `None`: it is damaged.
    pub(crate) fn der(&self) -> Option<Vec<u8>> {
        der(self.inside)
    }
}

/// All blocks of a text; anything around them is skipped. `None`: a block has no end.
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

/// A PEM that was encoded as a whole in base64, to be one line; `None`: the text is no such PEM.
pub(crate) fn unwrapped(text: &str) -> Option<String> {
    String::from_utf8(der(text)?).ok().filter(|inside| inside.contains(BEGIN))
}

/// Decodes base64, whatever its line ends.
pub(crate) fn der(inside: &str) -> Option<Vec<u8>> {
    let mut kept = String::with_capacity(inside.len());
    let mut characters = inside.chars().filter(|c| !c.is_whitespace()).peekable();
    while let Some(c) = characters.next() {
        match c {
            // A line end that is written as `\n`, or as several of these.
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
