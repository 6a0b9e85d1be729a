//! Repeats texts from outside in texts of ours: Audit, notes, reasons, logs, answers. Such a text becomes one line
//! without hidden characters, so that it can neither add lines nor change how the rest reads. Values that are
//! synchronised are never changed by it.

use crate::text::ELLIPSIS;

/// Whether a character ends a line, is invisible, or changes the direction of the text after it.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}'
                | '\u{e0000}'..='\u{e0fff}'
        )
        || u32::from(c) & 0xfffe == 0xfffe
}

/// The text as one line of at most `most` characters, with `…` at its end if it was longer.
///
/// ```
/// use mapping::one_line;
///
/// assert_eq!(one_line("close date\r\n is in\u{202e} the past ", 100), "close date is in the past");
/// assert_eq!(one_line("abcdef", 5), "abcd…");
/// ```
pub fn one_line(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(4 * most));
    let (mut room, mut gap) = (most, false);
    for c in text.chars() {
        if c.is_whitespace() || hides(c) {
            gap = true;
            continue;
        }
        let wanted = if gap && !line.is_empty() { [Some(' '), Some(c)] } else { [None, Some(c)] };
        gap = false;
        for c in wanted.into_iter().flatten() {
            if room == 0 {
                line.pop();
                if most > 0 {
                    line.push(ELLIPSIS);
                }
                return line;
            }
            line.push(c);
            room -= 1;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_character_of_unicode_adds_a_line_or_hides_what_follows() {
        for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let line = one_line(&format!("a{c}b"), 10);
            assert!(line.starts_with('a') && line.ends_with('b'), "{c:?}: {line:?}");
            let bad = |c: char| c.is_control() || hides(c) || (c.is_whitespace() && c != ' ');
            assert!(!line.chars().any(bad), "{c:?}: {line:?}");
            assert_eq!(line.lines().count(), 1);
        }
    }

    #[test]
    fn what_can_be_read_stays_as_it_is() {
        for text in ["Harbor Line – multi-site", "Zürich, 株式会社", "👩‍💻 ✔️", "می‌خواهم", "<b>&amp;</b>"]
        {
            assert_eq!(one_line(text, 100), text);
        }
        assert_eq!(one_line(" a \r\n\tb\u{202e}c ", 100), "a b c");
        assert_eq!(one_line("abcdef", 5), "abcd…");
        assert_eq!(one_line("abcde", 5), "abcde");
    }

    proptest! {
        #[test]
        fn whatever_it_says_however_long(text in any::<String>(), most in 0..200_usize) {
            let line = one_line(&text, most);
            prop_assert!(line.chars().count() <= most);
            prop_assert_eq!(one_line(&line, most), line.clone());
            prop_assert!(line.lines().count() <= 1 && !line.contains(hides));
        }
    }
}
