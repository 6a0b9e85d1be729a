//! DER, as far as certificates are read here (X.690): one element after the other, lengths of up to three bytes.

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const OCTETS: u8 = 0x04;

/// Tag, content and what follows.
pub(super) fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], body) = bytes.split_first_chunk::<2>()?;
    let (length, body) = match first {
        0..=0x7f => (usize::from(first), body),
        0x81..=0x83 => {
            let (length, body) = body.split_at_checked(usize::from(first - 0x80))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), body)
        }
        _ => return None,
    };
    let (content, rest) = body.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Content and what follows, if the element has this tag.
pub(super) fn inside(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// Calls `each` with tag and content of every element. `None`: the bytes are malformed, or `each` returned `None`.
pub(super) fn each<'a>(mut bytes: &'a [u8], mut each: impl FnMut(u8, &'a [u8]) -> Option<()>) -> Option<()> {
    while !bytes.is_empty() {
        let (tag, content, rest) = element(bytes)?;
        each(tag, content)?;
        bytes = rest;
    }
    Some(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One element in its shortest encoding.
    pub(crate) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let head = match length {
            0..=0x7f => vec![tag, length as u8],
            0x80..=0xff => vec![tag, 0x81, length as u8],
            _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        };
        [head, content.to_vec()].concat()
    }

    proptest::proptest! {
        #[test]
        fn what_was_wrapped_is_found_inside_and_nothing_is_read_past_the_end(
            content in proptest::collection::vec(0u8.., 0..600), rest in proptest::collection::vec(0u8.., 0..4), cut in 1usize..600,
        ) {
            let whole = [wrap(SEQUENCE, &content), rest.clone()].concat();
            proptest::prop_assert_eq!(inside(&whole, SEQUENCE), Some((&content[..], &rest[..])));
            proptest::prop_assert_eq!(inside(&whole, SET), None);
            let short = wrap(SEQUENCE, &content);
            proptest::prop_assert_eq!(element(&short[..short.len() - cut.min(short.len())]), None);
        }
    }
}
