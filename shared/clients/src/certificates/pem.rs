//! Reads certificates in PEM, no matter what pasting did to the line breaks.

use crate::pem::blocks;

/// All certificates of a text, as DER; other text and keys are skipped. `None`: no certificate, or a damaged one.
pub fn certificates(text: &str) -> Option<Vec<Vec<u8>>> {
    let found = blocks(text)?.into_iter().filter(|block| block.label == "CERTIFICATE");
    let found = found.map(|block| block.der()).collect::<Option<Vec<_>>>()?;
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";

    #[test]
    fn line_breaks_do_not_matter() {
        let two = format!("# roots\n{BEGIN}\r\nAQID\r\nBA==\r\n{END} {BEGIN} BQ== {END}");
        assert_eq!(certificates(&two), Some(vec![vec![1, 2, 3, 4], vec![5]]));
        let written_out = format!(r#""{BEGIN}\nAQID\nBA==\n{END}\n""#);
        assert_eq!(certificates(&written_out), Some(vec![vec![1, 2, 3, 4]]));
    }

    #[test]
    fn a_key_beside_a_certificate_is_none() {
        let key = "-----BEGIN PRIVATE KEY-----\nBQ==\n-----END PRIVATE KEY-----";
        assert_eq!(certificates(&format!("{key}\n{BEGIN}\nAQID\n{END}")), Some(vec![vec![1, 2, 3]]));
        assert_eq!(certificates(key), None);
    }

    #[test]
    fn damage_is_noticed() {
        for bad in ["", "AQID", &format!("{BEGIN} AQID"), &format!("{BEGIN} ?? {END}")] {
            assert_eq!(certificates(bad), None, "{bad}");
        }
    }
}
