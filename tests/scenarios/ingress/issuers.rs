//! Issuers that a certificate's file lacks: fetched from the address that the certificate names, if that is on the list;
//! never trusted, and never so often that anybody could make it a burden.

use super::door::{BODY, Door, at, knock, set};
use jiff::SignedDuration;
use simulators::{
    partner_center::Forge,
    server::{Fault, FaultKind},
};
use std::time::{Duration, Instant};

const CALLS: usize = 1000;
/// Fetches for addresses nobody knows, in an hour; certificates and issuers each.
const UNKNOWN: usize = 10;
/// Fetches of a known address in an hour.
const KNOWN: usize = 10;
/// An issuer's address that failed is not asked again for so long.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(1);

fn answer(status: u16, body: String) -> FaultKind {
    FaultKind::Answer { status, headers: [].into(), body }
}

/// From now on this is what the issuers' host says.
fn issuers_answer(door: &Door, kind: FaultKind) {
    door.host.fault(Fault { route: "issuers/".into(), skip: 0, times: u32::MAX, kind });
}

async fn event(door: &Door, app: &ingress::App, forge: Forge) -> u16 {
    let headers = door.host.system().headers(BODY.as_bytes(), forge);
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    knock(app, headers, BODY.as_bytes()).await.0
}

#[tokio::test]
async fn the_leaf_alone_verifies_by_the_address_it_names_and_its_issuer_is_kept() {
    let door = Door::open().await;
    let app = door.bare();
    for _ in 0..3 {
        assert_eq!(door.genuine(&app).await, 200);
    }
    assert_eq!((door.fetches(), door.issuer_fetches()), (2, 1), "the certificate and its issuer, once");
    // A renewed certificate stands below the same issuer.
    door.host.system().renew_certificate();
    assert_eq!(door.genuine(&app).await, 200);
    assert_eq!((door.fetches(), door.issuer_fetches()), (3, 1));
    assert_eq!(door.knocks(), 0);
}

#[tokio::test]
async fn a_chain_may_lack_two_issuers_and_no_third() {
    for (forge, status, issuers) in [
        (Forge::TwoSteps, 200, 2),
        (Forge::ThreeSteps, 401, 2),
        (Forge::Circle, 401, 2),
        (Forge::NoAddress, 401, 0),
        (Forge::Elsewhere, 401, 0),
        (Forge::Chained, 200, 0),
    ] {
        let door = Door::open().await;
        assert_eq!(event(&door, &door.bare(), forge).await, status, "{forge:?}");
        assert_eq!(door.issuer_fetches(), issuers, "{forge:?}");
    }
}

#[tokio::test]
async fn with_the_issuers_at_hand_and_for_nobody_elses_certificate_anything_is_fetched() {
    let door = Door::open().await;
    assert_eq!(door.genuine(&door.app()).await, 200);
    for forge in
        [Forge::Expired, Forge::NotYetValid, Forge::WrongIssuer, Forge::WrongSubject, Forge::SelfSigned]
    {
        assert_eq!(event(&door, &door.bare(), forge).await, 401, "{forge:?}");
    }
    assert_eq!(door.issuer_fetches(), 0);
}

#[tokio::test]
async fn a_foreign_root_is_not_trusted_because_it_was_fetched() {
    let door = Door::open().await;
    let app = door.bare();
    assert_eq!(event(&door, &app, Forge::Foreign).await, 401);
    assert_eq!(door.issuer_fetches(), 2, "its issuer and its root");
    // Neither was kept, and the genuine one is none the worse for it.
    assert_eq!(door.genuine(&app).await, 200);
    assert_eq!(event(&door, &app, Forge::Foreign).await, 401);
}

#[tokio::test]
async fn an_issuer_that_got_a_new_key_under_its_old_name_is_fetched() {
    let door = Door::open().await;
    let roots = door.host.system().roots_pem();
    let app = door.knowing(roots + &super::papers::paper("the issuing authority's former key"));
    assert_eq!(door.genuine(&app).await, 200);
    assert_eq!(door.issuer_fetches(), 1);
}

#[tokio::test]
async fn out_of_reach_is_503_remembered_for_a_minute_and_over_afterwards() {
    for kind in [answer(503, String::new()), answer(429, String::new()), FaultKind::DropBefore] {
        let door = Door::open().await;
        let app = door.bare();
        issuers_answer(&door, kind.clone());
        for _ in 0..CALLS / 100 {
            assert_eq!(door.genuine(&app).await, 503, "{kind:?}");
        }
        // Nor is the certificate, so that it may be fetched again as soon as its issuer is back.
        assert_eq!((door.fetches(), door.issuer_fetches()), (2, 1), "{kind:?}");
        door.host.clear_faults();
        door.advance(REMEMBERED);
        assert_eq!(door.genuine(&app).await, 200, "{kind:?}");
    }
}

#[tokio::test]
async fn a_host_that_hangs_costs_two_seconds_once() {
    let door = Door::open().await;
    let app = door.bare();
    issuers_answer(&door, FaultKind::Delay { ms: 30_000, after_commit: false });
    let began = Instant::now();
    assert_eq!(event(&door, &app, Forge::TwoSteps).await, 503);
    let first = began.elapsed();
    assert!(first < Duration::from_secs(4), "{first:?}");
    assert_eq!(event(&door, &app, Forge::TwoSteps).await, 503);
    assert!(began.elapsed() - first < Duration::from_secs(1), "not asked again at once");
}

#[tokio::test]
async fn what_is_no_issuer_is_401_and_never_kept() {
    let redirect = |to: String| FaultKind::Answer {
        status: 302,
        headers: [("location".to_owned(), to)].into(),
        body: String::new(),
    };
    let door = Door::open().await;
    let bundle = simulators::partner_center::bundle_pem();
    let foreign = super::papers::paper("a foreign authority of that name");
    let listed = door.host.system().certificate_url(Forge::Chained);
    for (name, kind) in [
        ("a redirect off the list", redirect(format!("{}/issuers/x.crt", door.bait(0)))),
        ("a redirect on the list", redirect(listed)),
        ("33 KB", answer(200, " ".repeat(33 * 1024 - bundle.len()) + &bundle)),
        ("nothing", answer(200, String::new())),
        ("a page", answer(200, "<html>certificates</html>".to_owned())),
        ("PKCS #7", answer(200, "-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n".to_owned())),
        ("not found", answer(404, String::new())),
        ("an authority of another name", answer(200, simulators::partner_center::roots_pem())),
        ("a foreign authority of that name", answer(200, foreign)),
    ] {
        let app = door.bare();
        issuers_answer(&door, kind);
        assert_eq!(door.genuine(&app).await, 401, "{name}");
        door.host.clear_faults();
        door.advance(REMEMBERED);
        assert_eq!(door.genuine(&app).await, 200, "{name}, corrected");
    }
    assert_eq!(door.knocks(), 0);
}

/// The certificate itself is fetched four times, then once in ten minutes; so are its issuers.
#[tokio::test]
async fn an_hour_of_forgeries_while_the_issuers_are_out_of_reach_costs_ten_fetches_and_keeps_nobody_out() {
    let door = Door::open().await;
    let app = door.bare();
    issuers_answer(&door, answer(503, String::new()));
    let mut forged = door.headers(BODY.as_bytes());
    let signature = door.host.system().sign(BODY.as_bytes(), Forge::WrongKey);
    set(&mut forged, "authorization", format!("Signature {signature}").as_bytes());
    for _ in 0..60 {
        for _ in 0..CALLS / 60 {
            assert_eq!(knock(&app, forged.clone(), BODY.as_bytes()).await.0, 503);
        }
        door.advance(SignedDuration::from_mins(1));
    }
    let (all, issuers) = (door.fetches(), door.issuer_fetches());
    assert!(issuers <= KNOWN && all - issuers <= KNOWN, "{all} fetches, {issuers} of them for issuers");
    door.host.clear_faults();
    door.advance(SignedDuration::from_mins(10));
    assert_eq!(door.genuine(&app).await, 200);
}

#[tokio::test]
async fn a_certificate_that_names_the_genuine_issuers_address_does_not_hide_it_from_the_genuine_one() {
    let door = Door::open().await;
    let app = door.bare();
    // What the genuine one names, as it is seen at the wire.
    assert_eq!(door.genuine(&door.bare()).await, 200);
    let log = door.host.requests().into_iter().find(|log| log.path.starts_with("/issuers/"));
    let issuer = format!("{}{}", door.host.url(), log.expect("a request for the issuer").path);
    let file = super::papers::issued_by("Somebody Else's CA", &[issuer]);
    let kind = answer(200, file);
    door.host.fault(Fault { route: "cert/other.cer".into(), skip: 0, times: u32::MAX, kind });
    let other = at(&door.headers(BODY.as_bytes()), &format!("{}/cert/other.cer", door.host.url()));
    for _ in 0..CALLS / 10 {
        let status = knock(&app, other.clone(), BODY.as_bytes()).await.0;
        assert!([401, 503].contains(&status), "{status}");
    }
    assert_eq!(door.genuine(&app).await, 200);
}

#[tokio::test]
async fn certificates_that_send_us_for_issuers_cost_ten_fetches_an_hour_and_a_genuine_event_passes() {
    let door = Door::open().await;
    let app = door.bare();
    let headers = door.headers(BODY.as_bytes());
    for hour in 1..=2 {
        for n in 0..CALLS {
            // As if somebody could lay certificates below the listed folder, each naming five addresses of its own.
            let mut named: Vec<String> =
                (0..5).map(|part| format!("{}/issuers/{n}-{part}.crt", door.host.url())).collect();
            named.insert(0, format!("{}/issuers/{n}.crt", door.bait(n % 2)));
            let file = super::papers::issued_at(&named);
            door.host.fault(Fault {
                route: format!("cert/{n}.cer"),
                skip: 0,
                times: 1,
                kind: answer(200, file),
            });
            let url = format!("{}/cert/{n}.cer", door.host.url());
            let status = knock(&app, at(&headers, &url), BODY.as_bytes()).await.0;
            assert!([401, 503].contains(&status), "{status}");
            door.host.clear_faults();
        }
        let (all, issuers) = (door.fetches(), door.issuer_fetches());
        assert_eq!((all - issuers, issuers), (UNKNOWN * hour, UNKNOWN * hour));
        door.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(door.knocks(), 0, "hosts off the list");
    assert_eq!(door.genuine(&app).await, 200, "its fetches are counted apart");
    assert_eq!(door.messages(), 1);
}
