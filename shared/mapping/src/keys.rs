//! Keys that every run derives alike, of accounts, contacts and rows that we create.

use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// The namespace of our UUIDv5 keys. Never change it, because the keys in CRMs were derived with it.
const NAMESPACE: Uuid = Uuid::from_u128(0x7d1c_52f0_3a6e_4b0b_9f58_c05e_1100_365a);

/// The key of a customer: company name, postal code and country.
///
/// ```
/// use mapping::customer_key;
///
/// let key = customer_key("Zürich AG", Some("8001"), Some("CH"));
/// assert_eq!(key, customer_key(" ZÜRICH  AG", Some("8001"), Some("ch")));
/// assert_ne!(key, customer_key("Zürich AG", Some("8002"), Some("CH")));
/// ```
pub fn customer_key(name: &str, postal_code: Option<&str>, country: Option<&str>) -> String {
    child_id(&["customer", &folded(name), &folded(postal_code.unwrap_or("")), &folded(country.unwrap_or(""))])
}

/// The key of a person: the e-mail address.
///
/// ```
/// use mapping::contact_key;
///
/// assert_eq!(contact_key(" Nadia@Harbor.EXAMPLE"), contact_key("nadia@harbor.example"));
/// assert_ne!(contact_key("nadia@harbor.example"), contact_key("nadja@harbor.example"));
/// ```
pub fn contact_key(email: &str) -> String {
    child_id(&["contact", &folded(email)])
}

/// A GUID for a row that we create; the same parts always give the same GUID.
///
/// ```
/// use mapping::child_id;
///
/// assert_eq!(child_id(&["note", "declined"]), child_id(&["note", "declined"]));
/// assert_ne!(child_id(&["ab", "c"]), child_id(&["a", "bc"]));
/// ```
pub fn child_id(parts: &[&str]) -> String {
    // Each part is preceded by its length, so that `ab`,`c` and `a`,`bc` give different GUIDs.
    let name: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).hyphenated().to_string()
}

/// Whether a person would read both texts as the same: only letters and digits count, without case and Unicode form.
///
/// ```
/// use mapping::reads_alike;
///
/// assert!(reads_alike("Harbor Line AG", "HARBOR-LINE, AG."));
/// assert!(!reads_alike("Harbor Line AG", "Harbor Lines AG"));
/// ```
pub fn reads_alike(one: &str, other: &str) -> bool {
    let read = |text: &str| folded(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    read(one) == read(other)
}

/// The characteristic words of a name: its three longest, in their order. A row that reads alike contains all of them,
/// whatever else its name contains.
///
/// ```
/// use mapping::telling_words;
///
/// assert_eq!(telling_words("The Harbor Line Logistics AG"), ["Harbor", "Line", "Logistics"]);
/// ```
pub fn telling_words(name: &str) -> Vec<&str> {
    let words: Vec<&str> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut longest: Vec<usize> = (0..words.len()).collect();
    longest.sort_by_key(|at| std::cmp::Reverse(words[*at].chars().count()));
    longest.truncate(3);
    longest.sort_unstable();
    longest.into_iter().map(|at| words[at]).collect()
}

/// The text in NFKC, in lower case, with single spaces.
pub(crate) fn folded(text: &str) -> String {
    let lower: String = match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.nfkc().flat_map(char::to_lowercase).nfkc().collect(),
    };
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_the_same_in_every_form_of_unicode_and_in_any_case_and_spacing() {
        let key = |name: &str| customer_key(name, Some("4057"), Some("CH"));
        for name in ["Zu\u{308}rich AG", "Zürich AG", "ZÜRICH  AG ", "\u{ff3a}ürich\u{a0}AG"] {
            assert_eq!(key(name), key("zürich ag"), "{name:?}");
        }
        assert_ne!(key("Zurich AG"), key("Zürich AG"));
        assert_eq!(contact_key(" Nadia@Harbor.EXAMPLE"), contact_key("nadia@harbor.example"));
    }

    #[test]
    fn the_longest_words_tell_a_name_from_others() {
        for (name, words) in [
            ("The Harbor Line Logistics AG", vec!["Harbor", "Line", "Logistics"]),
            ("Microsoft Deutschland GmbH & Co. KG", vec!["Microsoft", "Deutschland", "GmbH"]),
            ("O'Brien & Söhne", vec!["O", "Brien", "Söhne"]),
            ("3M", vec!["3M"]),
            ("…", vec![]),
        ] {
            assert_eq!(telling_words(name), words, "{name}");
        }
    }
}
