//! The file at a certificate's address, whoever put it there: DER, PEM, or something else. Only a certificate below
//! the roots is genuine, so no change to one may leave it so.
#![no_main]

use ingress::trust::Trust;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TRUST: LazyLock<Trust> = LazyLock::new(Trust::bundled);
const NOW: u64 = 1_774_000_000;

fuzz_target!(|file: &[u8]| {
    assert!(TRUST.genuine(file, NOW).is_err(), "nobody has Microsoft's key");
    if let Ok(text) = std::str::from_utf8(file)
        && let Ok(trust) = Trust::from_pem(text)
    {
        let _ = trust.genuine(file, NOW);
    }
});
