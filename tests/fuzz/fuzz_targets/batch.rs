//! A batch's answer: the content type in the first line, the multipart body after it. What is read lies in the body,
//! and no answer is made up.
#![no_main]

use clients::crm::dynamics::batch::{Outcome, Reply, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|b| *b == b'\n').unwrap_or(input.len());
    let (first, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let Ok(content_type) = std::str::from_utf8(first) else { return };
    let Some(outcomes) = decode(content_type, body) else { return };
    let mut bytes = 0;
    let mut seen = |reply: &Reply| {
        bytes += reply.body.len();
        let _ = (reply.json(), reply.header("etag"), reply.header("retry-after"));
    };
    for outcome in &outcomes {
        match outcome {
            Outcome::One(reply) => seen(reply),
            Outcome::Set(replies) => replies.iter().for_each(&mut seen),
        }
    }
    assert!(bytes <= body.len(), "{bytes} of {}", body.len());
});
