//! The file at a certificate's address, whoever put it there: DER, PEM, or something else. Only a certificate below
//! the roots is genuine, so no change to one may leave it so, and nothing is fetched for it off the list.
#![no_main]

use clients::certificates::{Prefix, STANDARD_ISSUER_PREFIXES, Trust, issuer_addresses};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TRUST: LazyLock<Trust> = LazyLock::new(Trust::bundled);
static ISSUERS: LazyLock<Vec<Prefix>> =
    LazyLock::new(|| STANDARD_ISSUER_PREFIXES.map(|text| Prefix::of_issuers(text).unwrap()).into());
const NOW: u64 = 1_774_000_000;

fuzz_target!(|file: &[u8]| {
    assert!(TRUST.genuine(file, NOW).is_err(), "nobody has Microsoft's key");
    for address in issuer_addresses(file, &ISSUERS) {
        let name = STANDARD_ISSUER_PREFIXES.iter().find_map(|prefix| address.as_str().strip_prefix(prefix));
        let name = name.expect("below a prefix").replace("%20", "");
        assert!(!name.contains(['/', '\\', '?', '#', '%', '@']) && !name.contains(".."), "{name}");
    }
    if let Ok(text) = std::str::from_utf8(file)
        && let Ok(trust) = Trust::from_pem(text)
    {
        let _ = trust.genuine(file, NOW);
    }
});
