//! What may be logged: our own text, ids, statuses and codes. The rest of a vendor's message may repeat a person's
//! name, address or number: it goes only to the table and to the Audit field.

/// A reason or failure as it may be logged: without the text that follows a status and its code.
pub fn in_log(text: &str) -> String {
    let mut kept: Vec<String> = vec![];
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let begins = kept.last().is_none_or(|before| before.ends_with([':', ';', '(']));
        if !(begins && is_status(word)) {
            kept.push(masked(word));
            continue;
        }
        kept.push(word.trim_end_matches(':').to_owned());
        let mut rest = words.by_ref().peekable();
        if let Some(code) = rest.next_if(|word| is_code(word)) {
            kept.push(code.trim_end_matches(':').to_owned());
        }
        if rest.next().is_some() {
            kept.push("…".to_owned());
        }
        break;
    }
    kept.join(" ")
}

fn is_status(word: &str) -> bool {
    let digits = word.trim_end_matches(':');
    digits.len() == 3 && digits.parse().is_ok_and(|status: u16| (100..600).contains(&status))
}

/// A vendor's code: `0x80040265`, `FIELD_CUSTOM_VALIDATION_EXCEPTION:`, `ThrottlingException:`, `900421:`.
fn is_code(word: &str) -> bool {
    let code = word.trim_end_matches(':');
    let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    plain && !code.is_empty() && (word.ends_with(':') || code.starts_with("0x") || code.contains('_'))
}

/// Masks an e-mail address or a telephone number.
fn masked(word: &str) -> String {
    let number = word.trim_matches(['`', '(', ')', '"']).strip_prefix('+');
    let reaches =
        word.contains('@') || number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if reaches { "***".to_owned() } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_codes_and_ids_stay_and_the_vendors_words_go() {
        for (text, expected) in [
            (
                "crm patch `opportunity/5f0c`: permanent: 400 0x80040265 Falk Ungerbach, falk@x.example, is blocked",
                "crm patch `opportunity/5f0c`: permanent: 400 0x80040265 …",
            ),
            (
                "`name`: 400 FIELD_CUSTOM_VALIDATION_EXCEPTION: call Falk Ungerbach +49 89 5550100",
                "`name`: 400 FIELD_CUSTOM_VALIDATION_EXCEPTION …",
            ),
            (
                "partner center fetch `x`: retryable: 403 Falk Ungerbach may not",
                "partner center fetch `x`: retryable: 403 …",
            ),
            ("403", "403"),
            ("503:", "503"),
            (
                "queue send hints: retryable: not sent: connection refused",
                "queue send hints: retryable: not sent: connection refused",
            ),
            ("after 300 s it is asked again", "after 300 s it is asked again"),
            ("of falk@x.example or +4989 or (+4989)", "of *** or *** or ***"),
            (
                "it names record `opportunity/5`, which the CRM does not have",
                "it names record `opportunity/5`, which the CRM does not have",
            ),
        ] {
            assert_eq!(in_log(text), expected);
        }
    }
}
