//! Keys in all forms in which they are pasted, and texts that are refused, each with its reason.

use super::*;

/// The key of the simulated organisation, in PKCS#8.
const PEM: &str = include_str!("../../../../../tests/fixtures/keys/salesforce.pem");
/// A key on P-256 that was made for this test and is used nowhere else, in PKCS#8.
const CURVE: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8Ie7l2335ivVDVpq
X7lH1HhfPPSvHPeENiFXUB1B5JyhRANCAATOPxf3uNcd3PwRviws2x0V74hv2o8y
EgeaDcmTifXyi4UtUbO7j+6k4k123SijrxJJR/ZpYlwnc8/JsyHaNBMp
-----END PRIVATE KEY-----
";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";

fn relabelled(label: &str) -> String {
    PEM.replace("PRIVATE KEY", label)
}

fn told(text: &str) -> String {
    rsa(text).expect_err("no key of ours")
}

#[test]
fn a_key_is_read_however_it_was_pasted() {
    let bare: String = PEM.lines().filter(|line| !line.starts_with("-----")).collect();
    let pasted = [
        ("as it is", PEM.to_owned()),
        ("with the line ends of Windows", PEM.replace('\n', "\r\n")),
        ("with blanks for line breaks", PEM.replace('\n', " ")),
        ("without line breaks", PEM.replace('\n', "")),
        ("with line breaks written out", PEM.replace('\n', "\\n")),
        ("... twice", PEM.replace('\n', "\\\\n")),
        ("... with both", PEM.replace('\n', "\\r\\n")),
        ("indented", PEM.replace('\n', "\n    ")),
        ("in quotes", format!("\"{}\"", PEM.replace('\n', "\\n"))),
        (
            "with attributes before it",
            format!("Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n{PEM}"),
        ),
        ("before its certificate", format!("{PEM}{CERTIFICATE}")),
        ("after its certificate", format!("{CERTIFICATE}{PEM}")),
        ("the base64 alone", bare),
    ];
    let modulus = rsa(PEM).unwrap().public().modulus_len();
    for (how, text) in pasted {
        assert_eq!(rsa(&text).map(|key| key.public().modulus_len()), Ok(modulus), "{how}");
    }
}

#[test]
fn what_no_assertion_is_signed_with_is_named() {
    let old = relabelled("RSA PRIVATE KEY").replacen(
        "-----\n",
        "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
        1,
    );
    for (text, named) in [
        (relabelled("ENCRYPTED PRIVATE KEY"), "is encrypted"),
        (old, "is encrypted"),
        (relabelled("EC PRIVATE KEY"), "elliptic curve"),
        (CURVE.to_owned(), "elliptic curve"),
        (CURVE.replace('\n', ""), "elliptic curve"),
        (relabelled("OPENSSH PRIVATE KEY"), "ssh-keygen"),
        (relabelled("PUBLIC KEY"), "`PUBLIC KEY` and no private key"),
        (CERTIFICATE.to_owned(), "`CERTIFICATE` and no private key"),
        (PEM.replace("-----END", ""), "paste the whole file"),
        (PEM.replacen("MI", "M*", 1), "damaged"),
        (relabelled("PRIVATE KEY").replacen("MI", "QU", 1), "damaged"),
        (String::new(), "no RSA key"),
    ] {
        let told = told(&text);
        assert!(told.contains(named), "expected `{named}`: {told}");
    }
}

#[test]
fn what_is_no_key_is_told_without_its_text() {
    for text in ["hunter2", "-----BEGIN PRIVATE KEY-----hunter2-----END PRIVATE KEY-----"] {
        let told = told(text);
        assert!(told.contains("private_key") && !told.contains("hunter2"), "{told}");
    }
}
