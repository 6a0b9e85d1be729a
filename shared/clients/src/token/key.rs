//! Reads the private key that signs assertions from the text that an administrator pasted. An error says what is wrong
//! with the text, and never repeats it.

use crate::pem::{self, Block};
use ring::signature::RsaKeyPair;

/// In DER, the algorithm of an elliptic-curve key: `id-ecPublicKey` (RFC 5480 §2.1.1), `id-Ed25519` (RFC 8410 §3).
const CURVES: [&[u8]; 2] = [&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], &[6, 3, 0x2b, 0x65, 0x70]];

/// The RSA key in a text.
pub(super) fn rsa(text: &str) -> Result<RsaKeyPair, String> {
    let cut = "its `-----END` line is missing: paste the whole file";
    let blocks = pem::blocks(text).ok_or_else(|| faulty(cut))?;
    let Some(block) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
        return match blocks.first() {
            Some(block) => Err(faulty(&format!("it holds a `{}` and no private key", block.label))),
            // The text may be the base64 without markers.
            None => pem::der(text).ok_or_else(|| faulty("it is no PEM")).and_then(|der| read(&der)),
        };
    };
    named(block)?;
    read(
        &block
            .der()
            .ok_or_else(|| faulty("what lies between its markers is damaged: paste the file anew"))?,
    )
}

/// Refuses keys that cannot sign an assertion, by the label of their block.
fn named(block: &Block<'_>) -> Result<(), String> {
    match block.label {
        "ENCRYPTED PRIVATE KEY" => Err(encrypted()),
        "EC PRIVATE KEY" => Err(on_a_curve()),
        "OPENSSH PRIVATE KEY" => {
            Err(faulty("it is in OpenSSH's own format: convert it with `ssh-keygen -p -m pem`"))
        }
        _ if block.has_headers() => Err(encrypted()),
        _ => Ok(()),
    }
}

fn read(der: &[u8]) -> Result<RsaKeyPair, String> {
    RsaKeyPair::from_pkcs8(der)
        .or_else(|wrapped| RsaKeyPair::from_der(der).map_err(|plain| (wrapped, plain)))
        .map_err(|(wrapped, plain)| {
            // The algorithm is named at the beginning.
            let head = &der[..der.len().min(40)];
            let holds = |name: &&[u8]| head.windows(name.len()).any(|part| part == *name);
            if CURVES.iter().any(holds) {
                return on_a_curve();
            }
            let words = [wrapped.to_string(), plain.to_string()];
            let small = words.iter().any(|words| words == "TooSmall");
            if small {
                faulty("the RSA key has fewer than 2048 bits: make a larger one")
            } else {
                faulty("it is damaged")
            }
        })
}

fn encrypted() -> String {
    faulty("the key is encrypted: take its passphrase off with `openssl rsa -in FILE`")
}

fn on_a_curve() -> String {
    faulty(
        "it is a key on an elliptic curve, and Salesforce takes RSA only: make one and its certificate anew",
    )
}

fn faulty(what: &str) -> String {
    format!("`private_key` is no RSA key in PEM (PKCS#8 or PKCS#1): {what}")
}

#[cfg(test)]
#[path = "key/tests.rs"]
mod tests;
