//! Texts that must fit: shortening, check marks, HTML entities.

use crate::Mark;
use std::borrow::Cow;

/// Ends a shortened text.
pub(crate) const ELLIPSIS: char = '…';
/// The check marks before a name.
const SIGNS: [char; 2] = ['✔', '✖'];
/// Variation selectors, which editors put after a check mark.
const SELECTORS: [char; 2] = ['\u{fe0e}', '\u{fe0f}'];
/// The length of a check mark with its space.
pub(crate) const MARK_LENGTH: usize = 2;

/// Whether the text has at most `length` UTF-16 code units.
pub(crate) fn fits(text: &str, length: usize) -> bool {
    // UTF-8 never takes fewer bytes than UTF-16 takes code units.
    text.len() <= length || text.chars().map(char::len_utf16).sum::<usize>() <= length
}

/// The text in at most `length` UTF-16 code units, as Dataverse and Salesforce count; `…` ends it if it was cut.
pub(crate) fn shortened(text: &str, length: usize) -> String {
    if fits(text, length) {
        return text.to_owned();
    }
    let mut room = length.saturating_sub(ELLIPSIS.len_utf16());
    let mut short: String = text
        .chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= room;
            room = room.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    short.push(ELLIPSIS);
    short
}

/// The text as a CRM can store it: vertical tab and form feed (line and page breaks from Word) become line breaks, and
/// characters that XML 1.0 cannot hold are left out.
///
/// ```
/// use mapping::storable;
///
/// assert_eq!(storable("14 sites\u{b}in Basel\u{0}"), "14 sites\nin Basel");
/// ```
pub fn storable(text: &str) -> Cow<'_, str> {
    let odd = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if !text.contains(odd) {
        return text.into();
    }
    let breaks = |c: char| if matches!(c, '\u{b}' | '\u{c}') { '\n' } else { c };
    text.chars().map(breaks).filter(|c| !odd(*c)).collect()
}

/// The text as a member of a Salesforce composite request, where `@{...}` refers to an earlier answer and cannot be
/// escaped: a blank makes it plain text.
///
/// ```
/// use mapping::without_references;
///
/// assert_eq!(without_references("see @{account.id}"), "see @ {account.id}");
/// ```
pub fn without_references(text: &str) -> Cow<'_, str> {
    if text.contains("@{") { text.replace("@{", "@ {").into() } else { text.into() }
}

/// Whether a text is one mailbox at a domain with a dot, as Salesforce accepts it (help.salesforce.com, article
/// 000384328). Beyond that, the domain must not end with a number.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let taken = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
    let good = |label: &str| {
        let inside = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        inside && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    !local.is_empty()
        && !local.starts_with('.')
        && local.chars().all(taken)
        && domain.split('.').all(good)
        && top.is_some_and(|top| top.chars().any(|c| c.is_ascii_alphabetic()))
}

/// The name without the check marks before it.
pub(crate) fn unmarked(name: &str) -> &str {
    let mut rest = name.trim_start();
    while let Some(tail) = rest.strip_prefix(SIGNS) {
        rest = tail.trim_start_matches(SELECTORS).trim_start();
    }
    // A name without a check mark is returned as it is, with the blanks before it.
    if rest.len() == name.trim_start().len() { name } else { rest }
}

/// The check mark before a name.
pub(crate) fn mark_of(name: &str) -> Option<Mark> {
    match name.trim_start().chars().next() {
        Some('✔') => Some(Mark::Ok),
        Some('✖') => Some(Mark::Failed),
        _ => None,
    }
}

/// The name with this check mark before it, in place of any other.
pub(crate) fn marked(name: &str, mark: Option<Mark>) -> String {
    match mark {
        Some(Mark::Ok) => format!("✔ {}", unmarked(name)),
        Some(Mark::Failed) => format!("✖ {}", unmarked(name)),
        None => unmarked(name).to_owned(),
    }
}

/// The text with HTML entities read as characters, because some reach texts of Partner Center
/// (vendors/partner-center.md, *The referral*). Each is read once: `&amp;lt;` becomes `&lt;`. Without its `;` it is
/// not an entity, but part of an address or of `AT&T`.
pub(crate) fn without_entities(text: &str) -> Cow<'_, str> {
    html_escape::decode_html_entities(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crm_cannot_store_is_no_part_of_a_text() {
        assert_eq!(storable("a\u{b}b\u{c}c"), "a\nb\nc");
        assert_eq!(storable("\0a\u{1}\u{8}\u{e}\u{1f}b\u{fffe}\u{ffff}"), "ab");
        let all = "tab\t line\r\n del\u{7f} next\u{85} bell? \u{fffd} \u{1f600}";
        assert!(matches!(storable(all), Cow::Borrowed(text) if text == all));
    }

    #[test]
    fn an_address_has_a_mailbox_and_a_domain_with_a_dot() {
        for good in ["a@b.example", "nadia.o'neil+x@sub.b-c.example", "a.@b.co"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "n/a",
            "none@none",
            "a@b@c.example",
            "a@b.example; c@d.example",
            "a b@c.example",
            "@b.example",
            "a@",
            "a@.example",
            "a@b..example",
            "a@-b.example",
            "a@1.2.3.4",
            ".a@b.example",
            "ä@b.example",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn every_entity_of_html_is_read_once_and_what_is_none_stays() {
        for (shown, read) in [
            ("R&amp;D", "R&D"),
            ("&#252;&#xFC;&uuml;", "üüü"),
            ("O&#39;Neil, O&apos;Neil", "O'Neil, O'Neil"),
            ("&lt;b&gt;&quot;x&quot;&nbsp;", "<b>\"x\"\u{a0}"),
            ("&amp;lt; &amp;amp;", "&lt; &amp;"),
            ("AT&T, Q&A; a & b;", "AT&T, Q&A; a & b;"),
            ("https://a.example/?b=1&copy=2&lt=3", "https://a.example/?b=1&copy=2&lt=3"),
            ("&unheard; &#xZZ; &#; &#99999999;", "&unheard; &#xZZ; &#; &#99999999;"),
            ("&#xD83D; lone", "&#xD83D; lone"),
        ] {
            assert_eq!(without_entities(shown), read, "{shown}");
        }
    }
}
