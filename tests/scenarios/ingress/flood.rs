//! A thousand hostile calls: what they may cost at most, and that a genuine event passes all the same.

use super::door::{BODY, Door, at, knock, set};
use jiff::SignedDuration;
use simulators::partner_center::Forge;

const CALLS: usize = 1000;
/// Fetches of addresses nobody knows, in an hour.
const UNKNOWN: usize = 10;
/// Fetches of a known address without a pause between them; afterwards one in ten minutes.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn a_thousand_made_up_addresses_cost_ten_fetches_an_hour_and_a_genuine_event_passes() {
    let door = Door::open().await;
    let app = door.app();
    let headers = door.headers(BODY.as_bytes());
    for hour in 1..=2 {
        for n in 0..CALLS {
            let url = match n % 3 {
                0 => format!("{}/cert/{n}.cer", door.bait(n % 2)),
                1 => format!("https://{n}.evil.example/cert/x.cer"),
                _ => format!("{}/cert/{n}.cer", door.host.url()),
            };
            assert_ne!(knock(&app, at(&headers, &url), BODY.as_bytes()).await.0, 200, "{url}");
        }
        assert_eq!(door.fetches(), UNKNOWN * hour);
        door.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(door.knocks(), 0, "hosts off the list");
    // Cold: its certificate was never fetched before.
    assert_eq!(door.genuine(&app).await, 200);
    assert_eq!(door.fetches(), 2 * UNKNOWN + 1);
    assert_eq!(door.messages(), 1);
}

#[tokio::test]
async fn a_thousand_forgeries_under_the_genuine_address_cost_few_fetches_and_keep_nobody_out() {
    let door = Door::open().await;
    let app = door.warm().await;
    let mut forged = door.headers(BODY.as_bytes());
    let signature = door.host.system().sign(BODY.as_bytes(), Forge::WrongKey);
    set(&mut forged, "authorization", format!("Signature {signature}").as_bytes());
    // The cold start's own fetch is the first of the hour.
    for n in 0..CALLS {
        assert_eq!(knock(&app, forged.clone(), BODY.as_bytes()).await.0, 401, "call {n}");
    }
    assert_eq!(door.fetches(), AT_ONCE - 1);
    assert_eq!(door.genuine(&app).await, 200);
    // A storm that goes on while Microsoft renews its certificate: the new one is known within ten minutes.
    door.host.system().renew_certificate();
    door.advance(SignedDuration::from_mins(10));
    assert_eq!(knock(&app, forged.clone(), BODY.as_bytes()).await.0, 401);
    assert_eq!(door.genuine(&app).await, 200, "signed with the renewed key");
    for _ in 0..60 {
        door.advance(SignedDuration::from_mins(1));
        assert_eq!(knock(&app, forged.clone(), BODY.as_bytes()).await.0, 401);
    }
    assert!(door.fetches() <= AT_ONCE + 1 + 6, "{}", door.fetches());
}

#[tokio::test]
async fn a_thousand_addresses_while_the_host_is_down_cost_no_more() {
    use simulators::server::{Fault, FaultKind};
    let door = Door::open().await;
    let app = door.warm().await;
    let kind = FaultKind::Answer { status: 503, headers: [].into(), body: String::new() };
    door.host.fault(Fault { route: "cert/".into(), skip: 0, times: u32::MAX, kind });
    let headers = door.headers(BODY.as_bytes());
    for n in 0..CALLS {
        let url = format!("{}/cert/{n}.cer", door.host.url());
        assert_eq!(knock(&app, at(&headers, &url), BODY.as_bytes()).await.0, 503, "the sender shall retry");
    }
    assert_eq!(door.fetches(), UNKNOWN);
    assert_eq!(door.genuine(&app).await, 200, "its certificate is known");
    assert_eq!(door.fetches(), UNKNOWN);
}
