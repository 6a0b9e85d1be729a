//! Builds SOQL: the only function that quotes literals, names, and instants as literals.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters but those that need no escape in any part of a URL.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A string literal, with quotes, backslashes, line ends and tabs escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for c in text.chars() {
        match c {
            '\'' => literal.push_str("\\'"),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// A string literal for LIKE that matches texts which contain this one. Wildcards of LIKE are escaped in it.
pub(super) fn holding(text: &str) -> String {
    let literal = quoted(text).replace('%', "\\%").replace('_', "\\_");
    format!("'%{}%'", &literal[1..literal.len() - 1])
}

/// `'a', 'b'`, for IN.
pub(super) fn any_of(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    texts.into_iter().map(|text| quoted(text.as_ref())).collect::<Vec<_>>().join(",")
}

/// Text escaped for a URL's query.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Whether a text is the name of a field or an object, which may include a namespace: no other name gets into a query.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a text is an 18-character id: no other id gets into a path.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 18 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// An instant as a literal: UTC, whole seconds, rounded down.
pub(super) fn instant(at: Timestamp) -> String {
    crate::crm::whole_second(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text that a strict reader finds in a string literal; `None`: something follows the literal.
    fn read(literal: &str) -> Option<String> {
        let inside = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        let mut text = String::new();
        let mut chars = inside.chars();
        while let Some(c) = chars.next() {
            match c {
                '\'' | '\n' | '\r' => return None,
                '\\' => text.push(match chars.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    c @ ('\'' | '\\') => c,
                    _ => return None,
                }),
                c => text.push(c),
            }
        }
        Some(text)
    }

    #[test]
    fn every_character_stays_inside_its_literal() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}'\\");
            assert_eq!(read(&quoted(&text)), Some(text), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_stays_inside_its_literal(text in any::<String>()) {
            prop_assert_eq!(read(&quoted(&text)), Some(text.clone()));
            prop_assert!(escaped(&quoted(&text)).bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            let like = holding(&text);
            prop_assert!(like.starts_with("'%") && like.ends_with("%'"));
        }
    }

    #[test]
    fn what_likens_is_taken_as_it_is() {
        assert_eq!(holding("Kestrel"), "'%Kestrel%'");
        assert_eq!(holding("100%_x'"), "'%100\\%\\_x\\'%'");
    }
}
