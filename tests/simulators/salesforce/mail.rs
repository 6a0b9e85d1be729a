//! What the vendor takes for an address of e-mail: one mailbox at a domain with a dot.

/// Characters of a local part besides letters and digits. Two dots in a row are taken, and one at its end; not one at its
/// beginning (help.salesforce.com, article 000384328).
const OTHERS: &str = ".!#$%&'*+-/=?^_`{|}~";

/// One address. Letters beyond ASCII need a feature (Email Address Internationalization) that is off here; comments in
/// parentheses are refused, which is the stricter reading.
pub(super) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let taken = |c: char| c.is_ascii_alphanumeric() || OTHERS.contains(c);
    let good = |label: &str| {
        let inside = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        inside && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    !local.is_empty()
        && !local.starts_with('.')
        && local.chars().all(taken)
        && domain.contains('.')
        && domain.split('.').all(good)
}
