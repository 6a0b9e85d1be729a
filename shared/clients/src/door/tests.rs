//! Which segments are accepted while the segment changes and while Secrets Manager does not answer.

use super::*;
use std::sync::Arc;

const NEW: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH";
const OLD: &str = "HGFEDCBAzyxwvutsrqponmlkjihgfedcba9876543210";

fn segments(former: Option<&str>, until: Option<&str>) -> Segments {
    Segments {
        current: Secret::new(NEW),
        former: former.map(Secret::new),
        until: until.map(|until| until.parse().unwrap()),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_former_segment_is_good_until_the_new_one_has_been_registered_for_a_day() {
    let now = at("2026-03-02T10:00:00Z");
    let (ends, ended) = (Some("2026-03-02T10:00:01Z"), Some("2026-03-02T10:00:00Z"));
    for (known, segment, expected) in [
        (segments(None, None), NEW, true),
        (segments(None, None), "", true),
        (segments(None, ends), "", true),
        (segments(None, ended), "", false),
        (segments(None, ended), NEW, true),
        (segments(Some(OLD), None), OLD, true),
        (segments(Some(OLD), None), "", false),
        (segments(Some(OLD), ends), OLD, true),
        (segments(Some(OLD), ended), OLD, false),
        (segments(Some(OLD), None), &NEW[1..], false),
        (segments(Some(OLD), None), &format!("{NEW}x"), false),
        (segments(Some(OLD), None), &NEW.to_lowercase(), false),
    ] {
        assert_eq!(known.admit(segment, now), expected, "{segment}");
    }
}

#[test]
fn the_segment_is_the_last_part_of_the_path() {
    for (path, expected) in [
        ("/webhook", Some("")),
        ("/webhook/", Some("")),
        ("/webhook/abc", Some("abc")),
        ("/hooks/webhook/abc", Some("abc")),
        ("/webhook/abc/def", None),
        ("/other/abc", None),
        ("/", None),
        ("", None),
    ] {
        assert_eq!(segment(path), expected, "{path}");
    }
}

#[test]
fn a_segment_is_never_printed() {
    assert!(!format!("{:?}", segments(Some(OLD), None)).contains("abc"));
}

/// A door whose Secrets Manager does not answer, and the time of its clock.
fn door() -> (Door, Arc<Mutex<Timestamp>>) {
    let time = Arc::new(Mutex::new(at("2026-03-02T10:00:00Z")));
    let clock = {
        let time = time.clone();
        Clock::of(move || *time.lock().unwrap())
    };
    let aws = crate::aws::at("http://127.0.0.1:9").unwrap();
    (Door::new(Secrets::new(&aws), "arn:segment", clock), time)
}

#[tokio::test]
async fn with_a_silent_vault_nobody_is_told_yes_or_no_but_who_was_good_before() {
    let (door, time) = door();
    assert!(door.admits(NEW).await.is_err(), "never known");
    door.keep(segments(None, Some("2026-03-02T00:00:00Z")));
    assert_eq!(door.admits(NEW).await, Ok(true));
    assert_eq!(door.admits(OLD).await, Ok(false), "looked up a moment ago");
    let later = |minutes| {
        let mut time = time.lock().unwrap();
        *time += SignedDuration::from_mins(minutes);
    };
    later(1);
    assert!(door.admits(OLD).await.is_err(), "it may be a new one");
    assert_eq!(door.admits(NEW).await, Ok(true));
    later(60);
    assert_eq!(door.admits(NEW).await, Ok(true), "what was good stays good");
}
