//! Builds what a Dataverse URL contains: literals, lists of columns, names of entity sets. No other file quotes
//! literals.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Text for a URL's query or path, with every character escaped that has a meaning there.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// A string literal of a filter or key, with its quotes doubled. It is not yet escaped for the URL.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `a eq 'x' or a eq 'y'`, in brackets.
pub(super) fn any_of(column: &str, literals: impl IntoIterator<Item = String>) -> String {
    let terms: Vec<String> = literals.into_iter().map(|l| format!("{column} eq {l}")).collect();
    format!("({})", terms.join(" or "))
}

/// Whether a name may be part of a URL unescaped. Names come from the map, which people write.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A GUID as OData writes it; `None`: the text is none. Ids from outside become part of a URL only through here.
pub(super) fn guid(text: &str) -> Option<String> {
    let shaped = text.len() == 36;
    uuid::Uuid::try_parse(text).ok().filter(|_| shaped).map(|id| id.hyphenated().to_string())
}

/// The entity set of a table: Dataverse's plural of the logical name.
pub(super) fn set_of(table: &str) -> String {
    let vowel_before_y = |stem: &str| stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    match table.strip_suffix('y') {
        Some(stem) if !vowel_before_y(stem) => format!("{stem}ies"),
        _ if table.ends_with(['s', 'x', 'z']) || table.ends_with("ch") || table.ends_with("sh") => {
            format!("{table}es")
        }
        _ => format!("{table}s"),
    }
}

/// The primary key column of a table.
pub(super) fn id_of(table: &str) -> String {
    format!("{table}id")
}

/// The property that holds a lookup column's GUID.
pub(super) fn value_of(column: &str) -> String {
    format!("_{}_value", column.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    /// The text that a strict reader finds in a string literal; `None`: something follows the literal.
    fn read(literal: &str) -> Option<String> {
        let inside = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        let mut text = String::new();
        let mut chars = inside.chars();
        while let Some(c) = chars.next() {
            if c == '\'' && chars.next() != Some('\'') {
                return None;
            }
            text.push(c);
        }
        Some(text)
    }

    proptest! {
        #[test]
        fn any_text_stays_inside_its_literal(text in any::<String>()) {
            let url = escaped(&quoted(&text));
            prop_assert!(url.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            let decoded = percent_decode_str(&url).decode_utf8().unwrap();
            prop_assert_eq!(read(&decoded), Some(text));
        }
    }

    #[test]
    fn every_character_stays_inside_its_literal() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}'");
            let url = escaped(&quoted(&text));
            assert!(url.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{c:?}");
            assert_eq!(read(&percent_decode_str(&url).decode_utf8().unwrap()), Some(text), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn a_guid_or_a_name_needs_no_escape(text in prop_oneof![any::<String>(), "[0-9a-fA-F-]{34,38}", "[a-z_0-9]{1,9}"]) {
            if let Some(id) = guid(&text) {
                prop_assert_eq!(escaped(&id), id);
            }
            if is_name(&text) {
                prop_assert_eq!(escaped(&text), text);
            }
        }
    }

    #[test]
    fn sets_are_plurals_of_tables() {
        let sets = [
            "opportunity",
            "account",
            "transactioncurrency",
            "systemuser",
            "opportunityclose",
            "cosell_box",
            "survey",
        ];
        let expected = [
            "opportunities",
            "accounts",
            "transactioncurrencies",
            "systemusers",
            "opportunitycloses",
            "cosell_boxes",
            "surveys",
        ];
        assert_eq!(sets.map(set_of), expected.map(String::from));
    }

    #[test]
    fn only_a_guid_is_a_guid() {
        let id = "5F4C7D8E-2B13-4A69-BD0C-91E6F2A7C004";
        assert_eq!(guid(id), Some(id.to_lowercase()));
        assert_eq!(guid(&format!("{{{id}}}")), None);
        assert_eq!(guid("5f4c7d8e2b134a69bd0c91e6f2a7c004"), None);
        assert_eq!(guid("x') or (name eq 'y"), None);
    }
}
