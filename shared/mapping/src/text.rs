//! Text that must fit: shortening, check marks, leaked entities.

use crate::Mark;
use std::borrow::Cow;

/// The sign at the end of a shortened text.
pub(crate) const ELLIPSIS: char = '…';
/// The signs before a name, in both of their forms on screens.
const SIGNS: [char; 2] = ['✔', '✖'];
/// A variation selector that editors put after the sign.
const SELECTORS: [char; 2] = ['\u{fe0e}', '\u{fe0f}'];
/// What a mark takes of the name's length: the sign and a space.
pub(crate) const MARK_LENGTH: usize = 2;

/// The text has at most `length` UTF-16 code units.
pub(crate) fn fits(text: &str, length: usize) -> bool {
    // UTF-8 never takes fewer bytes than UTF-16 takes code units.
    text.len() <= length || text.chars().map(char::len_utf16).sum::<usize>() <= length
}

/// The text in at most `length` UTF-16 code units, as Dataverse and Salesforce count, with `…` at the end if cut.
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

/// The name without check marks before it.
pub(crate) fn unmarked(name: &str) -> &str {
    let mut rest = name.trim_start();
    while let Some(tail) = rest.strip_prefix(SIGNS) {
        rest = tail.trim_start_matches(SELECTORS).trim_start();
    }
    // A name that only begins with spaces keeps them: nothing was taken off.
    if rest.len() == name.trim_start().len() { name } else { rest }
}

/// The mark a name carries.
pub(crate) fn mark_of(name: &str) -> Option<Mark> {
    match name.trim_start().chars().next() {
        Some('✔') => Some(Mark::Ok),
        Some('✖') => Some(Mark::Failed),
        _ => None,
    }
}

/// The name with a mark before it.
pub(crate) fn marked(name: &str, mark: Option<Mark>) -> String {
    match mark {
        Some(Mark::Ok) => format!("✔ {}", unmarked(name)),
        Some(Mark::Failed) => format!("✖ {}", unmarked(name)),
        None => unmarked(name).to_owned(),
    }
}

/// Partner Center lets HTML entities leak into company names (partner-center.md §3.1).
pub(crate) fn without_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    // `&amp;` last, so that `&amp;lt;` becomes `&lt;` and not `<`.
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
        .into()
}
