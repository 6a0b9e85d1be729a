//! Who may do what: the function that only looks changes nothing, and each act is kept with who asked for it.

use super::{CRM, open};
use crate::{answers::told, deal::Stage};
use aws_credential_types::Credentials;
use local::world::{Options, STACK_ID};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const ACTS: [&str; 12] = [
    "register",
    "rotate",
    "unregister",
    "selftest",
    "watch",
    "provision",
    "deprovision",
    "look",
    "retry",
    "redrive",
    "relink",
    "disconnect",
];
const LOOKS: [&str; 9] =
    ["doctor", "overview", "deals", "parked", "acts", "explain", "preview", "map", "help"];

/// Commands of which one action looks and another acts.
const BOTH: [&str; 3] = ["backfill", "rebase", "map"];

fn event(command: &str, referral: &str) -> Value {
    let mut event = json!({ "command": command });
    match command {
        "explain" | "preview" | "look" | "relink" | "disconnect" => event["referral"] = json!(referral),
        "map" => event["action"] = json!("show"),
        _ => {}
    }
    event
}

#[test]
fn each_command_of_the_usage_text_is_tried() {
    let lines = admin::command::USAGE.lines().skip(2);
    let known = lines.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let known: BTreeSet<&str> = known.collect();
    let tried: BTreeSet<&str> = ACTS.into_iter().chain(LOOKS).chain(BOTH).collect();
    assert_eq!(tried, known);
}

#[tokio::test]
async fn the_function_that_only_looks_looks() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    let writes = stage.writes();
    for command in LOOKS {
        let answer = stage.call_look(event(command, &referral)).await.unwrap();
        assert!(
            answer["lines"][0]["text"].as_str().is_some_and(|text| !text.contains("only looks")),
            "{answer:#}"
        );
    }
    for action in ["status"] {
        for command in ["backfill", "rebase"] {
            let answer = stage.call_look(json!({ "command": command, "action": action })).await.unwrap();
            assert_eq!(answer["ok"], true, "{answer:#}");
        }
    }
    assert_eq!(stage.writes(), writes);
}

#[tokio::test]
async fn who_only_looks_is_told_what_another_map_would_write_without_the_values() {
    let stage = open().await;
    let (id, _) = stage.in_step().await;
    let off = json!({ "command": "map", "action": "set", "map": "[fields.notes]\noff = true\n" });
    assert_eq!(stage.call(off).await["ok"], true);
    stage.edit("opportunities", &id, json!({ "notes": "Known to sellers only." }));
    let check = json!({ "command": "map", "action": "check", "map": "", "all": "yes" });
    let whole = stage.call(check.clone()).await["data"].clone();
    let looked = stage.call_look(check).await.unwrap()["data"].clone();
    assert_eq!(looked["would_write"], whole["would_write"], "{looked:#}");
    let writes = |data: &Value| data["deals"][0]["writes"].as_array().cloned().unwrap_or_default();
    assert!(
        !writes(&whole).is_empty() && writes(&whole).iter().all(|write| !write["data"].is_null()),
        "{whole:#}"
    );
    assert_eq!(writes(&looked).len(), writes(&whole).len(), "{looked:#}");
    assert!(
        writes(&looked).iter().all(|write| write["what"].is_string() && write["data"].is_null()),
        "{looked:#}"
    );
    assert!(!looked.to_string().contains("Known to sellers only."), "{looked:#}");
}

#[tokio::test]
async fn the_function_that_only_looks_does_nothing_else() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    let writes = stage.writes();
    let mut events: Vec<Value> = ACTS.iter().map(|command| event(command, &referral)).collect();
    for command in ["backfill", "rebase"] {
        events.extend(["start", "stop"].map(|action| json!({ "command": command, "action": action })));
    }
    events.push(json!({ "command": "map", "action": "set", "map": "[switches]\ncheck_mark = false\n" }));
    events.push(json!({ "command": "map", "action": "rollback" }));
    events.push(json!({
        "RequestType": "Delete", "ResponseURL": stage.aws.url(), "StackId": STACK_ID, "RequestId": "1",
        "LogicalResourceId": "Setup", "ResourceProperties": {},
    }));
    for event in events {
        let answer = stage.call_look(event.clone()).await.unwrap();
        let told = answer["lines"][0]["text"].as_str().unwrap_or_default();
        assert!(answer["ok"] == false && told.ends_with("this function only looks"), "{event}: {answer:#}");
    }
    assert_eq!(stage.writes(), writes);
    let map = stage.call(json!({ "command": "map", "action": "history" })).await;
    assert!(!map.to_string().contains("check_mark"), "{map:#}");
    let acts = stage.call(json!({ "command": "acts" })).await;
    assert_eq!(acts["data"]["acts"], json!([]), "what was refused is no act");
}

#[tokio::test]
async fn nothing_is_deleted_or_given_back_unless_it_is_allowed_and_meant() {
    for (keeps_data, confirms) in [(true, true), (false, false)] {
        let stage = Stage::with(Options { keeps_data, crm: Some(CRM), ..Options::default() }).await;
        let mut event = json!({ "command": "deprovision", "delete_data": "yes" });
        if confirms {
            event["confirm"] = json!(stage.crm_url().trim_start_matches("http://"));
        }
        let (ok, words) = told(&stage, event).await;
        assert!(!ok && words.contains("nothing was deleted"), "{words}");
        let events = stage.partner_center.system().registration().map(|known| known.events.len());
        assert_eq!(events, Some(4), "{words}");
    }
}

fn signed(key: (&str, &str), region: &str, stack: &str, sts: &str, at: SystemTime) -> String {
    let keys = Credentials::new(key.0, key.1, Some("a/token+with=signs".to_owned()), None, "test");
    console::proof::query(&keys, region, sts, stack, at).unwrap()
}

#[tokio::test]
async fn each_act_is_kept_with_who_asked_for_it() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    let sts = stage.aws.url();
    let now = || UNIX_EPOCH + Duration::from_secs(u64::try_from(stage.now().as_second()).unwrap());
    let ops = ("ASIAOPS", "ops-secret");
    let genuine = || signed(ops, "us-east-1", STACK_ID, &sts, now());
    let old = signed(ops, "us-east-1", STACK_ID, &sts, now() - Duration::from_secs(90));
    let foreign = signed(ops, "us-east-1", &STACK_ID.replace("world", "other"), &sts, now());
    let forged = signed(("ASIAOPS", "guessed"), "us-east-1", STACK_ID, &sts, now());
    let elsewhere = signed(ops, "eu-west-1", STACK_ID, &sts, now());
    let twisted = genuine().replace("GetCallerIdentity", "GetSessionToken");
    let ben = "proven: arn:aws:sts::000000000000:assumed-role/Operations/ben";
    for (caller, who) in [
        (json!(genuine()), ben),
        (json!(old), "not proven: the proof is not used: it has expired"),
        (json!(foreign), "not proven: STS refused the proof (403): forged, expired or of another stack"),
        (json!(forged), "not proven: STS refused the proof (403): forged, expired or of another stack"),
        (json!(elsewhere), "not proven: the proof is not used: it is signed for another region or service"),
        (
            json!(twisted),
            "not proven: the proof is not used: it asks for something else than `sts:GetCallerIdentity`",
        ),
        (
            json!("http://evil.example/"),
            "not proven: the proof is not used: it asks for something else than \
                                         `sts:GetCallerIdentity`",
        ),
        (Value::Null, "not proven: the call brings no proof"),
    ] {
        let answer = stage.call(json!({ "command": "look", "referral": referral, "caller": caller })).await;
        assert_eq!(answer["ok"], true, "a proof that is none is no error: {answer:#}");
        let acts = stage.call(json!({ "command": "acts" })).await;
        let newest = &acts["data"]["acts"][0];
        assert_eq!(newest["who"], who);
        assert_eq!(newest["command"], "look");
        assert!(newest["on"].as_str().is_some_and(|on| on.contains(&referral) && !on.contains("Signature")));
        assert!(newest["request"].as_str().is_some_and(|id| !id.is_empty()), "{newest:#}");
        assert!(newest["outcome"].as_str().is_some_and(|outcome| outcome.contains("looks at")), "{newest:#}");
        stage.advance(1);
    }
    stage.rest().await;
    // The administrators' acts are no deals.
    let deals = stage.call(json!({ "command": "deals" })).await;
    assert_eq!(deals["data"]["deals"].as_array().map(Vec::len), Some(1));
}
