//! Every way in which a call may fail to be Partner Center's.

use super::*;
use crate::fixtures::{Authority, FOLDER, GENUINE, Leaf, MICROSOFT, NOW, forge, headers, sign};
use clients::certificates::Trust;

const BODY: &[u8] = br#"{"EventName":"test-created"}"#;

fn read(headers: &[(&str, &str)]) -> Result<Claim, NotVerified> {
    claim(&Headers::of(headers.iter().copied()))
}

fn claimed(signature: &str) -> Claim {
    read(&headers(&format!("Signature {signature}"), FOLDER)).unwrap()
}

fn now() -> u64 {
    NOW.as_second() as u64
}

/// The whole way: the certificate, then the signature.
fn verify(claim: &Claim, body: &[u8], file: &[u8], trust: &Trust, now: u64) -> Result<(), NotVerified> {
    super::verify(claim, body, &trust.genuine(file, now).map_err(NotGenuine::from)?, now)
}

fn trust(authority: &Authority) -> Trust {
    Trust::from_pem(&authority.bundle()).unwrap()
}

#[test]
fn a_genuine_call_is_verified_with_the_certificate_as_der_or_pem() {
    let authority = Authority::of(MICROSOFT);
    let certificate = authority.issue(GENUINE);
    for file in [certificate.der().to_vec(), certificate.pem().into_bytes()] {
        assert_eq!(verify(&claimed(&sign(BODY)), BODY, &file, &trust(&authority), now()), Ok(()));
    }
}

#[test]
fn an_issuing_authority_beside_the_certificate_is_used_but_needs_a_root() {
    let authority = Authority::of(MICROSOFT);
    let file = (authority.issue(GENUINE).pem() + &authority.issuing()).into_bytes();
    let only_root = Trust::from_pem(&authority.root()).unwrap();
    assert_eq!(verify(&claimed(&sign(BODY)), BODY, &file, &only_root, now()), Ok(()));
    for other in [Trust::bundled(), Trust::from_pem(&authority.issuing()).unwrap()] {
        let verdict = verify(&claimed(&sign(BODY)), BODY, &file, &other, now());
        assert!(
            matches!(
                verdict,
                Err(NotVerified::Certificate(NotGenuine::Distrust(Distrust::Chain(_) | Distrust::Root(_))))
            ),
            "{verdict:?}"
        );
    }
}

#[test]
fn one_changed_byte_or_another_key_is_not_verified() {
    let authority = Authority::of(MICROSOFT);
    let file = authority.issue(GENUINE).der().to_vec();
    let verdict =
        |signature: &str, body: &[u8]| verify(&claimed(signature), body, &file, &trust(&authority), now());
    assert_eq!(verdict(&sign(BODY), b"{}"), Err(NotVerified::Signature));
    assert_eq!(verdict(&forge(BODY), BODY), Err(NotVerified::Signature));
    assert_eq!(verdict("AAAA", BODY), Err(NotVerified::Signature));
}

#[test]
fn a_byte_order_mark_may_have_been_left_out_of_what_was_signed() {
    let authority = Authority::of(MICROSOFT);
    let file = authority.issue(GENUINE).der().to_vec();
    let marked = [BYTE_ORDER_MARK, BODY].concat();
    let verdict =
        |signature: &str, body: &[u8]| verify(&claimed(signature), body, &file, &trust(&authority), now());
    assert_eq!(verdict(&sign(&marked), &marked), Ok(()));
    assert_eq!(verdict(&sign(BODY), &marked), Ok(()));
    assert_eq!(verdict(&sign(BODY), &[BYTE_ORDER_MARK, &marked].concat()), Err(NotVerified::Signature));
    assert_eq!(verdict(&sign(&marked), BODY), Err(NotVerified::Signature));
    assert_eq!(text(&marked), BODY);
}

#[test]
fn a_certificate_of_anybody_else_or_any_other_time_is_not_trusted() {
    let genuine = Authority::of(MICROSOFT);
    let distrust = |authority: &Authority, leaf: Leaf| {
        let file = authority.issue(leaf).der().to_vec();
        match verify(&claimed(&sign(BODY)), BODY, &file, &trust(authority), now()) {
            Err(NotVerified::Certificate(NotGenuine::Distrust(reason))) => reason,
            other => panic!("{other:?}"),
        }
    };
    let chain = |reason: Distrust| matches!(reason, Distrust::Chain(_));
    assert!(chain(distrust(&genuine, Leaf { until: 2025, ..GENUINE })));
    assert!(chain(distrust(&genuine, Leaf { is_ca: true, ..GENUINE })));
    let others: [&'static [&'static str]; 4] =
        [&[], &["Microsoft Corporation Ltd"], &["microsoft corporation"], &[MICROSOFT, "Evil"]];
    for organisations in others {
        assert_eq!(distrust(&genuine, Leaf { organisations, ..GENUINE }), Distrust::Organisation("subject"));
    }
    assert_eq!(distrust(&Authority::of("Contoso"), GENUINE), Distrust::Organisation("issuer"));
    let file = genuine.issue(GENUINE).der().to_vec();
    let early = verify(&claimed(&sign(BODY)), BODY, &file, &trust(&genuine), 0);
    assert!(matches!(
        early,
        Err(NotVerified::Certificate(NotGenuine::Distrust(Distrust::Chain(_) | Distrust::Root(_))))
    ));
    for junk in [b"".as_slice(), b"hello", &file[..100]] {
        let verdict = verify(&claimed(&sign(BODY)), BODY, junk, &trust(&genuine), now());
        assert_eq!(verdict, Err(NotVerified::Certificate(Distrust::Unreadable.into())));
    }
}

#[test]
fn what_proved_genuine_once_is_refused_before_and_after_its_chains_dates() {
    let authority = Authority::of(MICROSOFT);
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second() as u64;
    let verdict = |kept: &Genuine, now: u64| super::verify(&claimed(&sign(BODY)), BODY, kept, now);
    let refused = Err(NotVerified::Certificate(Distrust::Time.into()));
    let trust = trust(&authority);
    // The leaf outlives its issuing authority: the chain ends with the first of its certificates.
    for (until, end) in [(2027, "2027-01-01T00:00:00Z"), (2045, "2040-01-01T00:00:00Z")] {
        let file = authority.issue(Leaf { until, ..GENUINE }).der().to_vec();
        let (begin, end) = (at("2020-01-01T00:00:00Z"), at(end));
        let kept = trust.genuine(&file, now()).unwrap();
        for valid in [begin, now(), end] {
            assert_eq!(verdict(&kept, valid), Ok(()));
            assert_eq!(verify(&claimed(&sign(BODY)), BODY, &file, &trust, valid), Ok(()));
        }
        for invalid in [0, begin - 1, end + 1, u64::MAX] {
            assert_eq!(verdict(&kept, invalid), refused);
        }
        for invalid in [begin - 1, end + 1] {
            let anew = verify(&claimed(&sign(BODY)), BODY, &file, &trust, invalid);
            assert!(
                matches!(
                    anew,
                    Err(NotVerified::Certificate(NotGenuine::Distrust(
                        Distrust::Chain(_) | Distrust::Root(_)
                    )))
                ),
                "the same, verified anew"
            );
        }
    }
}

#[test]
fn a_kept_verdict_says_nothing_about_another_body_or_key() {
    let authority = Authority::of(MICROSOFT);
    let kept = trust(&authority).genuine(authority.issue(GENUINE).der(), now()).unwrap();
    let verdict = |signature: &str, body: &[u8]| super::verify(&claimed(signature), body, &kept, now());
    assert_eq!(verdict(&sign(BODY), BODY), Ok(()));
    assert_eq!(verdict(&sign(BODY), b"{}"), Err(NotVerified::Signature));
    assert_eq!(verdict(&forge(BODY), BODY), Err(NotVerified::Signature));
    assert_eq!(verdict(&sign(BODY), BODY), Ok(()));
}

#[test]
fn the_signature_is_read_from_either_header_in_either_form() {
    let expected = claimed("AAAA");
    let with = |name: &'static str, value: &str| {
        let mut all = headers("Bearer of-the-gateway", FOLDER);
        all.retain(|(n, _)| *n != name);
        all.push((name, value));
        read(&all)
    };
    for value in ["AAAA", "Signature AAAA", "signature  AAAA"] {
        assert_eq!(with("x-ms-signature", value), Ok(expected.clone()), "{value}");
    }
    assert_eq!(with("authorization", "SIGNATURE AAAA"), Ok(expected.clone()));
    let mut both = headers("Signature AAAA", FOLDER);
    both.push(("x-ms-signature", "AAAA"));
    assert_eq!(read(&both), Ok(expected));
    both[3].1 = "BBBB";
    assert_eq!(read(&both), Err(NotVerified::TwoSignatures));
}

#[test]
fn missing_repeated_and_unusable_headers_are_named() {
    let all = headers("Signature AAAA", FOLDER);
    for missing in ["authorization", "x-ms-certificate-url", "x-ms-signature-algorithm"] {
        let kept: Vec<_> = all.iter().copied().filter(|(name, _)| *name != missing).collect();
        assert_eq!(read(&kept), Err(NotVerified::Header(missing)));
        let mut twice = all.clone();
        twice.push(*all.iter().find(|(name, _)| *name == missing).unwrap());
        assert_eq!(read(&twice), Err(NotVerified::Header(missing)));
    }
    for unusable in
        ["Signature", "Signature ", "Bearer AAAA", "Signature A", "Signature AA==x", "Signature A_-A", "AAAA"]
    {
        assert_eq!(read(&headers(unusable, FOLDER)), Err(NotVerified::Header("authorization")), "{unusable}");
    }
    let long = format!("Signature {}", "A".repeat(4 * LONGEST_SIGNATURE));
    assert_eq!(read(&headers(&long, FOLDER)), Err(NotVerified::Header("authorization")));
    let mut other = all.clone();
    for algorithm in ["rsa-sha1", "RSA", "ecdsa-sha256", "rsa-sha256-x"] {
        other[2].1 = algorithm;
        assert_eq!(read(&other), Err(NotVerified::Algorithm), "{algorithm}");
    }
    other[2].1 = "RSA-SHA256";
    assert!(read(&other).is_ok());
}
