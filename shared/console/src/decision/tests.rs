//! Lines as the functions write them, and what is read from them.

use super::*;

const REFERRAL: &str = "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01";
const RECORD: &str = "opportunity/5f0c54a8-3b0e-4d2c-9d55-5b8b8a3f1a11";

/// Each kind of line once.
const RECORDED: &str = include_str!("recorded.jsonl");

fn of(line: &str) -> Option<Decision> {
    read("2026-11-30T21:48:58.123Z".parse().unwrap(), &serde_json::from_str(line).unwrap())
}

#[test]
fn each_recorded_line_is_read() {
    let told: Vec<String> = RECORDED.lines().filter_map(of).map(|decision| decision.text()).collect();
    let expected = [
        format!("{REFERRAL}  enqueued    referral-updated"),
        format!("{:<36}  ignored     partner-created", "-"),
        format!("{:<36}  refused     the signature does not match", "-"),
        format!("{:<36}  refused     body too large", "-"),
        format!("{:<36}  retry       the queue did not answer in time", "-"),
        format!("{REFERRAL}  updated     to the CRM: value"),
        format!("{REFERRAL}  later       the CRM rests until 21:50"),
        format!("{RECORD}  failed      salesforce patch: retryable: 503"),
        format!("{RECORD}  created     co-sell engagement created"),
        format!("{REFERRAL}  skipped     our own write"),
        format!("{:<36}  stopped     the CRM answers 503", "-"),
        format!("{:<36}  map         the field map has changed", "-"),
        format!(
            "{:<36}  watch       2 messages in the dead-letter queue (`redrive` once the cause is mended)",
            "-"
        ),
    ];
    let expected: Vec<String> = expected.iter().map(|line| format!("2026-11-30T21:48:58Z  {line}")).collect();
    assert_eq!(told, expected);
}

#[test]
fn what_a_line_says_reaches_programs_whole_and_terminals_harmless() {
    let line =
        json!({ "decision": "parked", "reason": "name \u{1b}[2J\u{202e}x\n\u{9b}", "referral.id": REFERRAL });
    let decision = read(Timestamp::UNIX_EPOCH, &line).unwrap();
    assert_eq!(of_json(&decision.json()), Some(decision.clone()));
    assert_eq!(decision.json()["schema_version"], 1);
    assert!(!decision.text().contains(|c: char| c.is_control() || c == '\u{202e}'), "{}", decision.text());
    for none in [json!(null), json!([]), json!({ "at": "x" }), json!({ "at": "2026-11-30T00:00:00Z" })] {
        assert_eq!(of_json(&none), None, "{none}");
        assert_eq!(read(Timestamp::UNIX_EPOCH, &none), None, "{none}");
    }
}

#[test]
fn a_deal_is_followed_by_both_of_its_ends() {
    let event = json!({ "command": "explain", "referral": REFERRAL });
    let of = |referral: Option<&str>, record: Option<&str>| Decision {
        at: Timestamp::UNIX_EPOCH,
        referral: referral.map(str::to_owned),
        record: record.map(str::to_owned),
        decision: "updated".into(),
        reason: String::new(),
    };
    let mut deal = Deal::of(&event, &json!({ "data": { "link": null } }));
    assert!(deal.is(&of(Some(REFERRAL), None)) && !deal.is(&of(None, Some(RECORD))), "not linked yet");
    assert!(deal.is(&of(Some(REFERRAL), Some(RECORD))) && deal.is(&of(None, Some(RECORD))), "now it is");
    let linked = json!({ "data": { "link": { "referral": REFERRAL, "record": RECORD } } });
    assert!(Deal::of(&event, &linked).is(&of(None, Some(RECORD))));
    assert!(!deal.is(&of(None, None)) && !deal.is(&of(Some("another"), None)));
}
