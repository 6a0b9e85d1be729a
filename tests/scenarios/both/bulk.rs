//! Many records at once, and a CRM that takes its time: progress is kept, and nobody starves the others.

use super::open;
use crate::deal::{Stage, text};
use serde_json::json;
use simulators::server::{Fault, FaultKind};

/// An import sets Sync = Yes on so many deals that lack a solution.
fn import(stage: &Stage, many: usize) -> Vec<String> {
    let customer = stage.customer();
    let deal = |n| stage.deal_of(&customer, json!({ "name": format!("Imported {n}"), "sync": true }));
    (0..many).map(deal).collect()
}

/// One tick, as long as it takes.
async fn tick(stage: &Stage) -> sync::poll::Report {
    stage.advance(60);
    stage.tick().await.expect("a tick")
}

#[tokio::test]
async fn an_import_in_a_slow_crm_starves_neither_the_sweep_nor_later_deals() {
    let stage = open().await;
    stage.slow_crm(3_000);
    let imported = import(&stage, 150);
    let began = stage.now();
    let first = tick(&stage).await;
    assert!(!first.unfinished.is_empty(), "it does not fit into one tick: {first:?}");
    assert!(stage.now().duration_since(began).as_secs() < 400, "it stops in time");
    let complete = stage.cosell_deal();
    let lost = stage.refer(json!({}));
    stage.partner_center.system().lose();
    let mut ticks = 0;
    let told = |stage: &Stage| {
        let deals = stage.opportunities();
        let waits = |deal: &&serde_json::Value| {
            imported.iter().any(|id| deal["id"] == *id) && text(deal, "audit").contains("Microsoft Solutions")
        };
        deals.iter().filter(waits).count()
    };
    let linked = |stage: &Stage, id: &str| {
        let deals = stage.opportunities();
        deals.iter().any(|deal| deal["id"] == id && deal["referral_id"].is_string())
    };
    while (!linked(&stage, &complete) || told(&stage) < imported.len()) && ticks < 30 {
        tick(&stage).await;
        stage.quiet().await.expect("comes to rest");
        ticks += 1;
        if ticks == 2 {
            let deals = stage.opportunities();
            assert!(deals.iter().any(|deal| deal["referral_id"] == lost), "the sweep has its share");
        }
    }
    assert!(linked(&stage, &complete), "made within {ticks} ticks");
    assert_eq!(told(&stage), imported.len(), "each seller was told");
    stage.slow_crm(0);
    for _ in 0..3 {
        tick(&stage).await;
    }
    // From here on it costs calls by the page, not by the row.
    stage.forget_calls();
    stage.edit("opportunities", &complete, json!({ "deal_value": 62000 }));
    let report = tick(&stage).await;
    assert!(report.unfinished.is_empty() && report.stopped.is_none(), "{report:?}");
    let calls = stage.calls();
    assert!(calls.len() < 20, "{calls:#?}");
    stage.close().await;
}

#[tokio::test]
async fn what_was_set_aside_is_tried_by_the_clock_and_heals_at_once_when_its_gap_is_filled() {
    let stage = open().await;
    let id = stage.cosell_deal();
    let contact = text(&stage.rows("contacts")[0], "id");
    stage.edit("contacts", &contact, json!({ "phone": null }));
    stage.poll().await;
    // Looks at it for reasons of their own: its own feed, child rows, what a colleague edits.
    for n in 0..6 {
        stage.edit("opportunities", &id, json!({ "closing_date": format!("2027-08-0{}", n + 1) }));
        stage.edit("contacts", &contact, json!({ "email": format!("priya.{n}@kestrelfoods.example") }));
        stage.poll().await;
    }
    let rows = stage.parked().await.expect("parked rows");
    let [row] = &rows[..] else { panic!("one parked row: {rows:#?}") };
    let sync::table::Item::Parked(parked) = &row.item else { panic!("{row:?}") };
    assert!(parked.attempts <= 1, "{parked:?}");
    assert!(parked.next_try.duration_since(stage.now()).as_secs() <= 15 * 60, "{parked:?}");
    stage.edit("contacts", &contact, json!({ "phone": "+441135550177" }));
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}

#[tokio::test]
async fn a_feed_that_is_refused_ends_alone() {
    let mut stage = open().await;
    let (id, referral) = stage.in_step_without_help(true).await;
    // A column that is gone, or hidden from the connector's user.
    stage.remap("[lead.fields.notes]\ncrm = \"nosuchcolumn\"\n");
    stage.edit("opportunities", &id, json!({ "deal_value": 62000 }));
    let new = stage.refer(json!({}));
    stage.partner_center.system().lose();
    stage.advance(60);
    let report = stage.tick().await.expect("a tick");
    assert!(report.stopped.as_deref().is_some_and(|words| words.contains("leads")), "{report:?}");
    stage.quiet().await.expect("comes to rest");
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(62000.0));
    assert!(stage.opportunities().iter().any(|deal| deal["referral_id"] == new), "the sweep went on");
}

#[tokio::test]
async fn an_idle_tick_after_many_changes_costs_the_same_as_with_none() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    stage.poll().await;
    let idle = |stage: &Stage| {
        let calls: Vec<_> = stage.partner_center.requests().iter().map(|log| log.answer.len()).collect();
        (calls.len(), calls.iter().sum::<usize>())
    };
    stage.advance(1200);
    tick(&stage).await;
    stage.forget_calls();
    tick(&stage).await;
    let (calls, bytes) = idle(&stage);
    for n in 0..20 {
        stage.edit_referral(&referral, json!({ "/details/dealValue": 90000 + n }));
        let other = stage.refer(json!({ "name": format!("Harbor Line – {n}") }));
        assert!(!other.is_empty());
    }
    stage.rest().await;
    stage.settle().await.expect("comes to rest");
    tick(&stage).await;
    tick(&stage).await;
    stage.forget_calls();
    tick(&stage).await;
    let (calls_now, bytes_now) = idle(&stage);
    assert_eq!(calls_now, calls);
    assert!(bytes_now < bytes + 21 * 300, "ids and stamps only: {bytes_now} bytes, {bytes} before");
    stage.close().await;
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_by_halves() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(true).await;
    stage.edit("opportunities", &id, json!({ "deal_value": 62000 }));
    let route = stage.by("GET opportunities", "GET queryAll");
    let body = format!("{{\"value\":[\"{}\"]}}", "x".repeat(9 << 20));
    let kind = FaultKind::Answer { status: 200, headers: [].into(), body };
    stage.crm_fault(Fault { route: route.into(), skip: 0, times: 3, kind });
    stage.forget_calls();
    stage.poll().await;
    stage.poll().await;
    assert_eq!(stage.pending_crm_faults(), 0);
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(62000.0));
    stage.close().await;
}
