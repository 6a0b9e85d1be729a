//! From when to when a certificate is valid: the two dates of its DER (RFC 5280 §4.1) and nothing else. What it is worth
//! says whoever checks its chain.

use super::pem;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Not before and not after, of the first certificate of a DER or PEM file. `None`: it is no certificate.
pub fn validity(file: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let pem = std::str::from_utf8(file).ok().and_then(pem::certificates);
    let der = pem.and_then(|all| all.into_iter().next()).unwrap_or_else(|| file.to_vec());
    let mut signed = inside(&der, SEQUENCE)?.0;
    signed = inside(signed, SEQUENCE)?.0;
    // Version where it is not the first one; then serial number, algorithm, issuer, each skipped whole.
    if signed.first() == Some(&VERSION) {
        signed = element(signed)?.2;
    }
    for _ in 0..3 {
        signed = element(signed)?.2;
    }
    let (dates, _) = inside(signed, SEQUENCE)?;
    let (tag, from, rest) = element(dates)?;
    let (other, until, _) = element(rest)?;
    Some((instant(tag, from)?, instant(other, until)?))
}

fn inside(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// Tag, content and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
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

/// `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` after it.
fn instant(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: i16 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |n: usize| rest.get(2 * n..2 * n + 2)?.parse::<i8>().ok();
    let at = DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0).ok()?;
    // 31 December 9999 means "no end" (RFC 5280 §4.1.2.5) and is beyond every other clock.
    Some(at.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |at| at.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's beginning: version, serial, algorithm, issuer, dates.
    fn der(from: &[u8], until: &[u8]) -> Vec<u8> {
        let wrap =
            |tag: u8, content: &[u8]| [vec![tag, 0x82, 0, content.len() as u8], content.to_vec()].concat();
        let parts = [
            wrap(VERSION, &[2, 1, 2]),
            wrap(2, &[7]),
            wrap(SEQUENCE, &[5, 0]),
            wrap(SEQUENCE, &[]),
            wrap(SEQUENCE, &[from, until].concat()),
        ];
        wrap(SEQUENCE, &wrap(SEQUENCE, &parts.concat()))
    }

    #[test]
    fn both_ways_of_writing_a_date_are_read() {
        let from = [&[UTC_TIME, 13][..], b"260102030405Z"].concat();
        let until = [&[GENERALIZED_TIME, 15][..], b"20510102030405Z"].concat();
        let (from, until) = validity(&der(&from, &until)).unwrap();
        assert_eq!(from.to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(until.to_string(), "2051-01-02T03:04:05Z");
    }

    #[test]
    fn the_last_second_of_all_means_no_end() {
        let from = [&[UTC_TIME, 13][..], b"260102030405Z"].concat();
        let until = [&[GENERALIZED_TIME, 15][..], b"99991231235959Z"].concat();
        assert_eq!(validity(&der(&from, &until)).unwrap().1, Timestamp::MAX);
    }

    #[test]
    fn what_is_no_certificate_has_no_dates() {
        let from = [&[UTC_TIME, 13][..], b"260102030405Z"].concat();
        let whole = der(&from, &from);
        for bad in [&b""[..], b"words", &whole[..whole.len() - 3], &[SEQUENCE, 0x84, 0, 0, 0, 0]] {
            assert_eq!(validity(bad), None);
        }
        let wrong = [&[UTC_TIME, 13][..], b"269902030405Z"].concat();
        assert_eq!(validity(&der(&wrong, &from)), None);
    }
}
