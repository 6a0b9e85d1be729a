//! What must be true of everything that is written down: T-55, T-57, T-58, T-59.

use super::command;
use crate::deal::{Stage, text};
use local::world::{Options, World};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::test]
async fn t55_a_first_load_killed_three_times_makes_each_deal_once() {
    const DEALS: usize = 220;
    let stage = Stage::open().await;
    for n in 0..DEALS {
        stage.refer(json!({ "name": format!("Deal {n}") }));
    }
    stage.partner_center.system().lose();
    // A call that is over before it is killed does not count: the next one lives half as long, in the end not at all.
    let (mut killed, mut life) = (0, Duration::from_millis(3));
    for calls in 1.. {
        assert!(calls < 100, "it does not end, or cannot be killed three times: {killed}");
        let started = stage.call(json!({ "command": "backfill" }));
        let answer =
            if killed < 3 { tokio::time::timeout(life, started).await.ok() } else { Some(started.await) };
        stage.quiet().await.unwrap();
        match answer {
            None => {
                killed += 1;
                life += Duration::from_millis(3);
            }
            Some(answer) if killed == 3 && answer["data"]["done"] == true => break,
            Some(_) => life /= 2,
        }
    }
    let deals = stage.opportunities();
    let ids: std::collections::BTreeSet<String> =
        deals.iter().map(|d| text(d, "cosell_referralid")).collect();
    assert_eq!((deals.len(), ids.len()), (DEALS, DEALS));
    stage.close().await;
}

#[tokio::test]
async fn t57_audit_never_exceeds_its_length_and_the_newest_is_kept() {
    const LENGTH: usize = 300;
    let map = Some(format!("[audit]\nlength = {LENGTH}\n"));
    let stage = Stage::with(Options { map, ..Options::default() }).await;
    let (id, referral) = stage.in_step().await;
    for round in 1..=6 {
        // Both sides change the same field: the CRM wins, and that is told.
        stage.edit("opportunities", &id, json!({ "estimatedvalue": 70_000 + round }));
        stage.edit_referral(&referral, json!({ "/details/dealValue": 80_000 + round }));
        stage.poll().await;
        stage.settle().await.unwrap();
        let audit = text(&stage.opportunity(), "cosell_audit");
        assert!(audit.chars().count() <= LENGTH, "{} characters", audit.chars().count());
        let newest = audit.lines().next().unwrap_or_default();
        assert!(newest.contains(&format!("8000{round}")), "round {round}: {audit}");
    }
    let told = command(&stage, json!({ "command": "explain", "record": id })).await;
    assert!(told["data"]["timeline"].as_array().unwrap().len() > 6, "the table keeps them all");
    stage.close().await;
}

/// One recorded day: what people did, in their order.
async fn day() -> Vec<String> {
    let world = World::start(Options::default()).await.unwrap();
    let stage = Stage::of(world).await;
    let (referral, record) = stage.inbound_in_step().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97_000, "/details/notes": "17 sites." }));
    stage.rest().await;
    stage.edit("opportunities", &record, json!({ "estimatedclosedate": "2027-09-30", "name": "Renamed" }));
    stage.poll().await;
    stage.win(&record);
    stage.refer(json!({ "name": "Juniper" }));
    stage.poll().await;
    stage.settle().await.unwrap();
    let logs = [stage.partner_center.requests(), stage.dataverse.requests()];
    let writes = logs.iter().flatten().filter(|log| log.method != "GET");
    let mut names = BTreeMap::new();
    writes.map(|log| format!("{} {}", log.route, anonymous(&log.body, &mut names))).collect()
}

/// Ids and instants differ from run to run: each becomes its number in the order of appearance.
fn anonymous(text: &str, names: &mut BTreeMap<String, usize>) -> String {
    let split = |c: char| !(c.is_ascii_hexdigit() || c == '-');
    let mut out = text.to_owned();
    for word in text.split(split).filter(|word| uuid::Uuid::try_parse(word).is_ok()) {
        let n = names.len();
        let n = *names.entry(word.to_owned()).or_insert(n);
        out = out.replace(word, &format!("id{n}"));
    }
    // Audit lines begin with the minute.
    let mut parts = out.split("20");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut all, part| {
        let minute = part.len() > 14
            && part.is_char_boundary(14)
            && part.as_bytes()[2] == b'-'
            && part.as_bytes()[8] == b' ';
        all += if minute { &part[14..] } else { part };
        all
    })
}

#[tokio::test]
async fn t58_the_same_day_gives_the_same_writes() {
    let (one, other) = (day().await, day().await);
    assert!(one.len() >= 6, "{one:#?}");
    assert_eq!(one, other);
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// All texts of a document.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

#[tokio::test]
async fn t59_logs_hold_no_personal_data_and_no_secret() {
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = subscriber.set_default();
    // With one subscriber alone, a place in the code that another test's thread comes by first is silent for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let stage = Stage::open().await;
    let (referral, record) = stage.inbound_in_step().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97_000 }));
    stage.rest().await;
    let outbound = stage.cosell_deal();
    stage.edit("opportunities", &record, json!({ "name": "Geheimprojekt Falke" }));
    stage.poll().await;
    stage.dataverse.system().rule(
        "opportunity",
        Some("estimatedvalue"),
        "ask Falk Ungerbach, falk@ungerbach.example, +49 89 5550100",
    );
    stage.edit_referral(&referral, json!({ "/details/dealValue": 98_000 }));
    stage.rest().await;
    // Words of the parser repeat what it could not read.
    stage.plant("g", r#"{"v":1,"kind":"falk@ungerbach.example","from":"sweep","at":"2026-11-30T10:00:00Z"}"#);
    stage.rest().await;
    for event in [
        json!({ "command": "doctor" }),
        json!({ "command": "watch" }),
        json!({ "command": "explain", "record": outbound }),
        json!({ "command": "preview", "all": "yes" }),
    ] {
        stage.call(event).await;
    }
    let log = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("decision") && log.contains(&referral), "nothing was logged");
    let mut personal = vec![];
    let shown = stage.referral(&referral);
    for part in ["/customerProfile/team", "/team", "/customerProfile/name", "/details/notes"] {
        texts(shown.pointer(part).unwrap_or(&Value::Null), &mut personal);
    }
    for set in ["contacts", "accounts", "systemusers"] {
        for row in stage.rows(set) {
            for column in
                ["fullname", "lastname", "emailaddress1", "internalemailaddress", "telephone1", "name"]
            {
                texts(&row[column], &mut personal);
            }
        }
    }
    personal.extend(["Geheimprojekt", "Ungerbach", "ungerbach.example", "5550100"].map(str::to_owned));
    // What the vendor said stands where its reader is.
    let deals = stage.rows("opportunities");
    let deal = deals.iter().find(|row| row["opportunityid"] == record).unwrap();
    let audit = deal["cosell_audit"].to_string();
    assert!(audit.contains("Falk Ungerbach"), "{audit}");
    personal.retain(|text| text.len() > 5 && text != "SYSTEM" && !text.contains("-"));
    assert!(personal.len() > 10, "{personal:?}");
    let secrets = [
        simulators::login::PARTNER_SECRET,
        simulators::login::DYNAMICS_SECRET,
        simulators::login::REFRESH_TOKEN,
    ];
    for hidden in personal.iter().map(String::as_str).chain(secrets) {
        let line = log.lines().find(|line| line.contains(hidden));
        assert!(line.is_none(), "`{hidden}` in: {}", line.unwrap_or_default());
    }
    assert!(!log.contains("eyJ"), "a token");
}
