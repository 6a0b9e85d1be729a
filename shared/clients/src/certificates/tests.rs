//! Tests of what is kept and of which addresses are known. Whole chains are tested where test certificates are made:
//! in the ingress and in the scenarios.

use super::*;

fn certificates() -> Certificates {
    let prefixes = vec![Prefix::parse(STANDARD_PREFIX).unwrap()];
    let sources = Sources { prefixes, issuers: vec![], roots_pem: None };
    Certificates::new(&sources, Clock::system()).unwrap()
}

#[test]
fn roots_that_cannot_be_read_keep_nobody_out() {
    let prefixes = vec![Prefix::parse(STANDARD_PREFIX).unwrap()];
    let unreadable = "-----BEGIN CERTIFICATE-----\nAAAA".to_owned();
    let sources = Sources { prefixes, issuers: vec![], roots_pem: Some(unreadable) };
    let certificates = Certificates::new(&sources, Clock::system()).unwrap();
    assert!(certificates.documented().is_some(), "it starts, with the bundled roots");
}

#[test]
fn no_more_is_kept_than_anybody_needs_and_what_is_kept_can_be_replaced() {
    let certificates = certificates();
    let address = |n: usize| certificates.on_list(&format!("{STANDARD_PREFIX}{n}.cer")).unwrap();
    let all: Vec<Address> = (0..2 * KEPT).map(address).collect();
    for round in 1..3 {
        all.iter().for_each(|address| _ = certificates.keep(address, Genuine::until(round)));
    }
    let kept: Vec<_> = all.iter().filter_map(|address| certificates.genuine(address)).collect();
    assert_eq!(kept.len(), KEPT);
    assert!(kept.iter().all(|genuine| genuine.is_valid(2)), "the second round's");
}

#[test]
fn an_address_is_known_from_the_documents_or_because_it_proved_genuine() {
    let certificates = certificates();
    let renamed = certificates.on_list(&format!("{STANDARD_PREFIX}renamed.cer")).unwrap();
    assert!(certificates.state().knows(&certificates.documented().unwrap()));
    assert!(!certificates.state().knows(&renamed));
    certificates.keep(&renamed, Genuine::until(1));
    assert!(certificates.state().knows(&renamed));
}
