//! The webhook's headers and body, as anybody may send them: lines of headers, a blank line, the body. Nothing is
//! fetched off the list, nothing passes without a signature, and what becomes a hint reads back as the same hint.
#![no_main]

use clients::certificates::{Address, Prefix, STANDARD_PREFIX, Trust};
use ingress::{
    call::Headers,
    event::Event,
    signature,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use sync::hint::Hint;

static LIST: LazyLock<Vec<Prefix>> = LazyLock::new(|| vec![Prefix::parse(STANDARD_PREFIX).unwrap()]);
static TRUST: LazyLock<Trust> = LazyLock::new(Trust::bundled);
const NOW: u64 = 1_774_000_000;

fuzz_target!(|input: &[u8]| {
    let (head, body) = split(input);
    if let Ok(claim) = signature::claim(&headers(head)) {
        if let Some(address) = Address::on_list(&claim.certificate_url, &LIST) {
            let name = address.as_str().strip_prefix(STANDARD_PREFIX).expect("below the prefix");
            assert!(!name.is_empty() && !name.contains(['/', '\\', '?', '#', '%', '@']), "{name}");
        }
        assert!(TRUST.genuine(body, NOW).is_err(), "nobody has Microsoft's key");
    }
    if let Ok(Event::Changed { referral, hint }) = Event::parse(signature::text(body)) {
        assert_eq!(hint.subject.referral(), Some(&referral));
        assert_eq!(Hint::parse(&hint.body()).ok().as_ref(), Some(&hint));
        assert!(hint.group().len() <= 128 && hint.deduplication().len() <= 128, "SQS takes 128 characters");
    }
});

fn split(input: &[u8]) -> (&[u8], &[u8]) {
    match input.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&input[..at], &input[at + 2..]),
        None => (&[], input),
    }
}

fn headers(head: &[u8]) -> Headers {
    let text = String::from_utf8_lossy(head);
    Headers::of(text.lines().filter_map(|line| line.split_once(':')))
}
