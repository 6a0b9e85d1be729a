//! The gateway's event as the runtime hands it on, byte for byte. Nothing in it makes us give up; what is not looked at
//! changes nothing; and a call that was read is no larger than what is looked at.
#![no_main]

use ingress::{
    call::{Call, Unreadable},
    event::Event,
    signature,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const MOST: usize = 64 * 1024;

fuzz_target!(|input: &[u8]| {
    let read = Call::read(input);
    if let Ok(mut event) = serde_json::from_slice::<Value>(input)
        && let Some(members) = event.as_object_mut()
        && read != Err(Unreadable)
    {
        // A member twice is no call, and an object has it once only.
        members.insert("rawQueryString".to_owned(), json!("?a=\"&b=%"));
        members.insert("requestContext".to_owned(), json!(7));
        let odd = Call::read(event.to_string().as_bytes());
        let paths = |call: &Result<Call, Unreadable>| call.as_ref().map(|c| (c.path.clone(), c.body.clone())).ok();
        assert_eq!(paths(&odd), paths(&read));
    }
    let Ok(call) = read else { return };
    let _ = signature::claim(&call.headers);
    let Some(body) = call.body else { return };
    assert!(body.len() <= MOST);
    let _ = Event::parse(signature::text(&body));
});
