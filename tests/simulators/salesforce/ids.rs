//! Record ids: 15 characters that tell case apart, and the three that make them safe where case is lost.

/// What stands between the key prefix and the counter.
const INSTANCE: &str = "Qy00000";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 18-character form of a 15-character id.
pub(super) fn long(id15: &str) -> String {
    let check = |block: &[u8]| {
        let bits = block.iter().enumerate().filter(|(_, c)| c.is_ascii_uppercase());
        char::from(CHECKS[bits.map(|(n, _)| 1 << n).sum::<usize>()])
    };
    let checks: String = id15.as_bytes().chunks(5).map(check).collect();
    format!("{id15}{checks}")
}

/// The n-th id below a key prefix.
pub(super) fn numbered(prefix: &str, mut n: u64) -> String {
    let mut digits = [b'0'; 5];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(n % 62) as usize];
        n /= 62;
    }
    long(&format!("{prefix}{INSTANCE}{}", String::from_utf8_lossy(&digits)))
}

/// The 18-character form of what a caller sent, if it can be an id at all: right length, right check characters.
pub(super) fn parsed(text: &str) -> Option<String> {
    if !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    match text.len() {
        15 => Some(long(text)),
        18 => Some(long(&text[..15])).filter(|id| id.eq_ignore_ascii_case(text) && id[..15] == text[..15]),
        _ => None,
    }
}

#[cfg(test)]
#[test]
fn check_characters_are_computed() {
    assert_eq!(long("006Qy00000kLmNo"), "006Qy00000kLmNoIAK");
    assert_eq!(parsed("00DQy00000XyZab").as_deref(), Some("00DQy00000XyZabMAF"));
    assert_eq!(parsed("00DQy00000XyZabMAG"), None);
    assert_eq!(parsed("00DQy00000XyZa"), None);
    assert_eq!(numbered("001", 62), "001Qy0000000010IAA");
}
