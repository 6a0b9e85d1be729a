//! From when to when a certificate is valid: its two dates (RFC 5280 §4.1) and nothing else. The caller
//! verifies its chain.

use super::{der::element, parts::CertificateParts, pem};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The first and the last instant at which the first certificate of a DER or PEM file is valid. `None`: it is no
/// certificate.
pub fn validity(file: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let pem = std::str::from_utf8(file).ok().and_then(pem::certificates);
    let der = pem.and_then(|all| all.into_iter().next()).unwrap_or_else(|| file.to_vec());
    let (tag, from, rest) = element(CertificateParts::of(&der)?.dates)?;
    let (other, until, _) = element(rest)?;
    Some((instant(tag, from)?, instant(other, until)?))
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
    // 31 December 9999 means "no end" (RFC 5280 §4.1.2.5) and is later than a `Timestamp` can be.
    Some(at.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |at| at.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::{super::parts::tests::certificate, *};

    fn der(from: &[u8], until: &[u8]) -> Vec<u8> {
        certificate(&[from, until].concat(), &[])
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
        for bad in [&b""[..], b"words", &whole[..whole.len() - 3], &[0x30, 0x84, 0, 0, 0, 0]] {
            assert_eq!(validity(bad), None);
        }
        let wrong = [&[UTC_TIME, 13][..], b"269902030405Z"].concat();
        assert_eq!(validity(&der(&wrong, &from)), None);
    }
}
