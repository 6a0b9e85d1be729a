//! Certificates in PEM, also where a parameter store or a console turned its line breaks into blanks.

use base64::{Engine, engine::general_purpose::STANDARD};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// All certificates of a text, as DER; text around them is skipped. `None`: no certificate, or a damaged one.
pub fn certificates(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut found = vec![];
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (body, after) = after.split_once(END)?;
        let body: String = body.split_whitespace().collect();
        found.push(STANDARD.decode(body).ok()?);
        rest = after;
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_do_not_matter() {
        let two = format!("# roots\n{BEGIN}\r\nAQID\r\nBA==\r\n{END} {BEGIN} BQ== {END}");
        assert_eq!(certificates(&two), Some(vec![vec![1, 2, 3, 4], vec![5]]));
    }

    #[test]
    fn damage_is_noticed() {
        for bad in ["", "AQID", &format!("{BEGIN} AQID"), &format!("{BEGIN} ?? {END}")] {
            assert_eq!(certificates(bad), None, "{bad}");
        }
    }
}
