//! Reads two parts of a distinguished name: the organisation, by which a certificate is accepted, and the common name,
//! for messages.

use super::der::{OBJECT_ID, SEQUENCE, SET, each, element, inside};
use crate::http::one_line;

const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ORGANISATION_NAME: [u8; 3] = [0x55, 4, 10];
/// The longest name in a message, in characters; names of authorities have about 50.
const LONGEST: usize = 100;

/// The values of all `O=` in a distinguished name. `None`: malformed.
pub(super) fn organisations(name: &[u8]) -> Option<Vec<&[u8]>> {
    values(name, &ORGANISATION_NAME)
}

/// The common name, else the organisation, for a person to read. The certificate's maker chose it, so it is cut to one
/// line.
pub(super) fn told(name: &[u8]) -> String {
    let first = |kind| values(name, kind).and_then(|all| all.first().copied());
    let text = first(&COMMON_NAME).or_else(|| first(&ORGANISATION_NAME)).unwrap_or_default();
    let text: String = String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect();
    one_line(&text, LONGEST)
}

/// The values of one kind: a name is a sequence of sets of (kind, value).
fn values<'a>(name: &'a [u8], wanted: &[u8]) -> Option<Vec<&'a [u8]>> {
    let mut found = vec![];
    each(name, |tag, set| {
        let pairs = (tag == SET).then_some(set)?;
        each(pairs, |tag, pair| {
            let (kind, value) = inside((tag == SEQUENCE).then_some(pair)?, OBJECT_ID)?;
            let (_, value, rest) = element(value)?;
            if kind == wanted {
                found.push(value);
            }
            rest.is_empty().then_some(())
        })
    })?;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{super::der::tests::wrap, *};

    const ORGANISATION: &str = "Microsoft Corporation";

    fn pair(kind: u8, text: &str) -> Vec<u8> {
        let pair = [wrap(OBJECT_ID, &[0x55, 4, kind]), wrap(0x0c, text.as_bytes())].concat();
        wrap(SET, &wrap(SEQUENCE, &pair))
    }

    #[test]
    fn the_organisation_is_read_where_it_stands_and_nowhere_else() {
        let hidden = String::from_utf8(pair(10, ORGANISATION)).unwrap();
        let name = [pair(6, "US"), pair(3, &hidden), pair(10, "Evil")].concat();
        assert_eq!(organisations(&name), Some(vec![b"Evil".as_slice()]));
        let twice = [pair(10, ORGANISATION), pair(10, "Evil")].concat();
        assert_eq!(organisations(&twice).map(|o| o.len()), Some(2));
        assert_eq!(organisations(&name[..name.len() - 1]), None);
        assert_eq!(organisations(&[]), Some(vec![]));
    }

    #[test]
    fn a_name_is_told_in_one_bounded_line() {
        let name = [pair(6, "US"), pair(10, ORGANISATION), pair(3, "Issuing\u{1b}[2J\r\nCA")].concat();
        assert_eq!(told(&name), "Issuing[2JCA");
        assert_eq!(told(&pair(10, ORGANISATION)), ORGANISATION);
        assert_eq!(told(b"junk"), "");
        assert!(told(&pair(3, &"x".repeat(120))).chars().count() <= LONGEST + 1);
    }
}
