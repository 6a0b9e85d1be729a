//! Every bit of a genuine event's body and signature, turned over one at a time.

use super::door::{BODY, Door, knock, set, try_knock};
use base64::{Engine, engine::general_purpose::STANDARD};
use simulators::partner_center::Forge;

/// Each byte with each of its bits turned over.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut copy = bytes.to_vec();
        copy[bit / 8] ^= 1 << (bit % 8);
        copy
    })
}

#[tokio::test]
async fn no_bit_of_the_body_may_be_another() {
    let door = Door::open().await;
    let app = door.warm().await;
    let headers = door.headers(BODY.as_bytes());
    let mut refused = 0;
    for body in flipped(BODY.as_bytes()) {
        assert_eq!(knock(&app, headers.clone(), &body).await.0, 401, "{}", String::from_utf8_lossy(&body));
        refused += 1;
    }
    assert_eq!(refused, BODY.len() * 8);
    assert_eq!(door.messages(), 1, "the genuine one");
    assert!(door.fetches() <= 3, "{}", door.fetches());
}

#[tokio::test]
async fn no_bit_of_the_signature_may_be_another() {
    let door = Door::open().await;
    let app = door.warm().await;
    let signature = door.host.system().sign(BODY.as_bytes(), Forge::Microsoft);
    let bytes = STANDARD.decode(&signature).expect("base64");
    let of_bytes = flipped(&bytes).map(|bytes| STANDARD.encode(bytes).into_bytes());
    let of_text = flipped(signature.as_bytes());
    let (mut refused, mut impossible) = (0, 0);
    for signature in of_bytes.chain(of_text) {
        let mut headers = door.headers(BODY.as_bytes());
        set(&mut headers, "authorization", &[b"Signature ".as_slice(), &signature].concat());
        match try_knock(&app, headers, BODY.as_bytes()).await {
            Some((status, _)) => {
                assert_eq!(status, 401, "{}", String::from_utf8_lossy(&signature));
                refused += 1;
            }
            // A control character: no server hands such a header on.
            None => impossible += 1,
        }
    }
    assert_eq!(refused + impossible, 8 * (bytes.len() + signature.len()));
    assert!(impossible < signature.len(), "{impossible}");
    assert_eq!(door.messages(), 1, "the genuine one");
    assert!(door.fetches() <= 3, "{}", door.fetches());
}
