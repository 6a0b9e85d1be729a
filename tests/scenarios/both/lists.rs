//! What an administrator who looks is shown: all deals, what is parked, one deal with both sides, and whether it is well.

use super::open;
use crate::deal::{Stage, text};
use serde_json::{Value, json};

async fn asked(stage: &Stage, event: Value) -> Value {
    let answer = stage.call(event.clone()).await;
    assert_eq!(answer["ok"], true, "{event}: {answer:#}");
    answer["data"].clone()
}

#[tokio::test]
async fn deals_are_listed_with_how_both_sides_stand() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let inbound = stage.refer(json!({}));
    stage.rest().await;
    let writes = stage.writes();
    let data = asked(&stage, json!({ "command": "deals" })).await;
    let deals = data["deals"].as_array().unwrap();
    assert_eq!(deals.len(), 2, "{data:#}");
    let own = deals.iter().find(|deal| deal["referral"] == referral).unwrap();
    assert_eq!(own["record"], format!("opportunity/{id}"));
    assert_eq!(own["name"], "Kestrel Foods - demand planning", "without the mark");
    assert_eq!((own["value"].as_str(), own["currency"].as_str()), (Some("61000.5"), Some("CHF")));
    assert_eq!(own["partner_center"], "Active/Accepted");
    assert_eq!(own["crm"], stage.by("1/0", "Prospecting"));
    assert_eq!(own["marks"], json!(["awaiting_microsoft"]));
    let of = |filter: Value| {
        let mut event = json!({ "command": "deals" });
        event.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        asked(&stage, event)
    };
    for (filter, found) in [
        (json!({ "filter": "HARBOR line" }), vec![&inbound]),
        (json!({ "filter": referral }), vec![&referral]),
        (json!({ "filter": "currency" }), vec![]),
        (json!({ "state": "awaiting_microsoft" }), vec![&referral]),
        (json!({ "state": "closed" }), vec![]),
    ] {
        let data = of(filter.clone()).await;
        let ids: Vec<&str> =
            data["deals"].as_array().unwrap().iter().filter_map(|d| d["referral"].as_str()).collect();
        assert_eq!(ids, found, "{filter}");
    }
    assert_eq!(stage.writes(), writes, "looking writes nothing");
}

#[tokio::test]
async fn one_missing_thing_in_many_deals_is_one_group() {
    let stage = open().await;
    let customer = stage.customer();
    for n in 0..5 {
        stage.deal_of(&customer, json!({ "name": format!("Imported {n}"), "sync": true }));
    }
    stage.poll().await;
    let data = asked(&stage, json!({ "command": "parked" })).await;
    let groups = data["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{data:#}");
    assert_eq!(groups[0]["count"], 5);
    assert!(text(&groups[0], "cause").contains("at least one is needed"), "{data:#}");
    assert!(text(&groups[0], "cure").contains("retry"));
    let whole = asked(&stage, json!({ "command": "overview" })).await;
    assert_eq!((&whole["parked"], &whole["deals"]["count"]), (&json!(5), &json!(0)));
    assert!(text(&whole, "sentence").starts_with("Somebody should look: "), "{whole}");
}

#[tokio::test]
async fn a_deal_is_shown_with_both_sides_and_what_was_agreed() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    // Changed in the CRM and not looked at yet.
    stage.edit("opportunities", &id, json!({ "notes": "Phase two only." }));
    let writes = stage.writes();
    let event = json!({ "command": "explain", "referral": referral, "sides": "yes" });
    let data = asked(&stage, event).await;
    let fields = data["sides"]["fields"].as_array().unwrap();
    let field = |name: &str| fields.iter().find(|field| field["field"] == name).unwrap();
    let notes = field("notes");
    assert_eq!(
        (notes["now"]["crm"].as_str(), notes["same"].as_bool()),
        (Some("Phase two only."), Some(false))
    );
    assert_ne!(notes["agreed"]["crm"], "Phase two only.");
    assert_eq!(field("status")["same"], true, "{:#}", field("status"));
    assert_eq!(field("name")["owner"], "crm");
    let apart: Vec<&str> = fields
        .iter()
        .filter(|field| field["same"] == false)
        .filter_map(|field| field["field"].as_str())
        .collect();
    assert_eq!(apart, ["notes"], "nothing else differs");
    assert_eq!(stage.writes(), writes, "looking writes nothing");
    let whole = asked(&stage, json!({ "command": "overview" })).await;
    assert_eq!(whole["deals"]["states"]["linked"], 1);
}

#[tokio::test]
async fn a_look_brings_over_what_is_due() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "notes": "Phase two only." }));
    asked(&stage, json!({ "command": "look", "record": format!("opportunity/{id}") })).await;
    stage.quiet().await.unwrap();
    assert_eq!(stage.referral(&referral)["details"]["notes"], "Phase two only.", "without a tick");
    stage.close().await;
}

#[tokio::test]
async fn the_looks_of_the_schedule_become_the_numbers_of_a_day() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    let whole = asked(&stage, json!({ "command": "overview" })).await;
    assert_eq!((whole["history"].as_array().unwrap().len(), &whole["token_age"]), (0, &json!(null)));
    assert!(text(&whole, "last_tick") <= stage.now().to_string(), "{whole:#}");
    for _ in 0..3 {
        stage.call(json!({ "command": "watch" })).await;
        stage.advance(300);
    }
    let customer = stage.customer();
    stage.deal_of(&customer, json!({ "name": "Imported", "sync": true }));
    stage.poll().await;
    stage.call(json!({ "command": "watch" })).await;
    let whole = asked(&stage, json!({ "command": "overview" })).await;
    let history = whole["history"].as_array().unwrap();
    let parked: Vec<_> = history.iter().map(|one| one["parked"].as_u64()).collect();
    assert_eq!(parked, [Some(0), Some(0), Some(0), Some(1)], "{history:#?}");
    let last = history.last().unwrap();
    assert_eq!((&last["waiting"], &last["dead"]), (&json!(0), &json!(0)));
    assert!(last["sweep_lag"].is_i64() && whole["token_age"].is_i64(), "{whole:#}");
    assert!(whole["seen"]["crm"].is_string() && whole["map_version"] == 0, "{whole:#}");
    assert_eq!(whole["oldest_waiting"], json!(null), "nothing of `{referral}` is on its way");
    // A day later there is no chart of it any more.
    stage.advance(24 * 60 * 60);
    let whole = stage.call(json!({ "command": "overview" })).await["data"].clone();
    assert_eq!(whole["history"], json!([]));
    assert!(text(&whole, "sentence").contains("min ago"), "a poller that stands still is told: {whole}");
}

/// Deals that lack a solution, all parked; their customer.
async fn set_aside(stage: &Stage, deals: usize) -> Vec<String> {
    let customer = stage.customer();
    let deal = |n| stage.deal_of(&customer, json!({ "name": format!("Imported {n}"), "sync": true }));
    let ids = (0..deals).map(deal).collect();
    stage.poll().await;
    ids
}

#[tokio::test]
async fn a_retry_is_shown_first_and_leaves_out_what_has_moved_since() {
    let stage = open().await;
    let ids = set_aside(&stage, 60).await;
    let parked = asked(&stage, json!({ "command": "parked" })).await;
    let (cause, writes) = (text(&parked["groups"][0], "cause").to_owned(), stage.writes());
    let event = json!({ "command": "retry", "filter": cause, "preview": "yes" });
    let data = asked(&stage, event).await;
    let plan = &data["plan"];
    assert_eq!(
        (&plan["count"], plan["deals"].as_array().unwrap().len()),
        (&json!(60), 60),
        "all of the group"
    );
    assert_eq!((&data["looked_at"], &data["would_write"]), (&json!(40), &json!(0)), "{data:#}");
    assert_eq!(stage.writes(), writes, "a plan writes nothing");
    // One was filled in and healed by itself; another one was looked at in a newer version. A stamp of Salesforce tells
    // seconds apart.
    stage.advance(5);
    stage.add_solution(&ids[0]);
    stage.edit("opportunities", &ids[1], json!({ "notes": "Somebody looked." }));
    stage.poll().await;
    let data = asked(&stage, json!({ "command": "retry", "plan": plan })).await;
    let left_out: Vec<String> =
        data["left_out"].as_array().unwrap().iter().map(|one| text(one, "id")).collect();
    assert_eq!((&data["sent"], left_out.len()), (&json!(58), 2), "{data:#}");
    for id in &ids[..2] {
        assert!(left_out.contains(&format!("opportunity/{id}")), "{id}: {left_out:?}");
    }
    stage.rest().await;
    // Of a portion of it, the same; another map refuses all.
    let mut portion = plan.clone();
    let stayed = plan["deals"].as_array().unwrap().iter().find(|deal| !left_out.contains(&text(deal, "id")));
    portion["deals"] = json!([stayed.unwrap_or_else(|| panic!("all moved: {data:#}"))]);
    let data = asked(&stage, json!({ "command": "retry", "plan": portion })).await;
    assert_eq!(data["sent"], 1, "{data:#}");
    stage.rest().await;
    portion["map"] = json!("another");
    let refused = stage.call(json!({ "command": "retry", "plan": portion })).await;
    assert!(refused["ok"] == false && refused.to_string().contains("map has changed"), "{refused:#}");
}

#[tokio::test]
async fn what_a_plan_would_write_is_what_its_retry_writes() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let ids = set_aside(&stage, 2).await;
    // What is missing is there, but nobody has looked yet.
    stage.add_solution(&ids[0]);
    let data = asked(&stage, json!({ "command": "retry", "preview": "yes" })).await;
    assert_eq!((&data["would_write"], &data["would_change_nothing"]), (&json!(1), &json!(1)), "{data:#}");
    let data = asked(&stage, json!({ "command": "retry", "plan": data["plan"] })).await;
    assert_eq!(data["sent"], 2, "{data:#}");
    stage.rest().await;
    let parked = asked(&stage, json!({ "command": "parked" })).await;
    assert_eq!(parked["groups"][0]["count"], 1, "{parked:#}");
    // A link that moves between its plan and its relink is left alone.
    let relink = json!({ "command": "relink", "referral": referral, "preview": "yes" });
    let plan = asked(&stage, relink).await["plan"].clone();
    stage.edit("opportunities", &id, json!({ "notes": "Phase two only." }));
    stage.poll().await;
    let data = asked(&stage, json!({ "command": "relink", "plan": plan })).await;
    assert_eq!((&data["sent"], &data["left_out"][0]["id"]), (&json!(0), &json!(referral)), "{data:#}");
    let plan = asked(&stage, json!({ "command": "backfill", "preview": "yes" })).await["plan"].clone();
    let done = asked(&stage, json!({ "command": "backfill", "plan": plan })).await;
    assert_eq!(done["done"], true, "{done:#}");
    stage.rest().await;
}

#[tokio::test]
async fn a_map_is_shown_with_what_it_changes_in_each_deal_and_set_over_no_other() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    let toml = "[switches]\ncheck_mark = false\n";
    let event = json!({ "command": "map", "action": "set", "map": toml, "preview": "yes" });
    let data = asked(&stage, event).await;
    assert_eq!((&data["looked_at"], &data["of"]), (&json!(1), &json!(1)), "{data:#}");
    assert_eq!(data["plan"]["map"], "version 0");
    assert!(data["deals"].as_array().unwrap().iter().all(|deal| deal["referral"] == referral), "{data:#}");
    let shown = stage.call(json!({ "command": "map", "action": "show" })).await;
    assert!(shown.to_string().contains("the default map"), "nothing is set yet: {shown}");
    let set = json!({ "command": "map", "action": "set", "map": toml, "plan": data["plan"] });
    assert_eq!(asked(&stage, set.clone()).await["version"], 1);
    let refused = stage.call(set).await;
    assert!(refused["ok"] == false && refused.to_string().contains("map has changed"), "{refused:#}");
}

#[tokio::test]
async fn what_has_an_end_is_listed_and_each_part_is_looked_at_alone() {
    let stage = open().await;
    stage.refer(json!({}));
    stage.rest().await;
    let whole = asked(&stage, json!({ "command": "doctor" })).await;
    let checks = whole["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 9, "{whole:#}");
    let ends: Vec<&Value> = whole["deadlines"].as_array().unwrap().iter().collect();
    let of = |part: &str| ends.iter().find(|one| text(one, "what").contains(part));
    for part in ["refresh token", "certificate ends", "expires unanswered", "client secret"] {
        assert!(of(part).is_some_and(|one| !text(one, "cure").is_empty()), "{part}: {ends:#?}");
    }
    let known: Vec<&str> = ends.iter().filter_map(|one| one["at"].as_str()).collect();
    assert!(known.is_sorted(), "the soonest first: {known:?}");
    let calls = stage.calls().len();
    let token = stage.call(json!({ "command": "doctor", "part": "token" })).await;
    assert!(token["lines"].as_array().unwrap().len() == 1 && stage.calls().len() == calls, "{token:#}");
    let unknown = stage.call(json!({ "command": "doctor", "part": "weather" })).await;
    assert!(unknown["ok"] == false && unknown.to_string().contains("partner_center"), "{unknown}");
}

#[tokio::test]
async fn why_nothing_happened_is_told() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    let told = asked(&stage, json!({ "command": "explain", "referral": referral })).await;
    let nothing = told["nothing"].as_array().unwrap();
    assert_eq!(nothing.len(), 2, "both sides stand as agreed: {told:#}");
    assert!(text(&nothing[0], "text").contains("our own write"), "{told:#}");
}
