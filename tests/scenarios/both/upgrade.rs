//! The rows of the version before, whatever state they were left in, under the first runs of this one.

use super::open;
use crate::deal::{Stage, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sync::{
    parked::Parked,
    ports::Links,
    table::{Change, Expect, Item, Walk},
};

const LINKS: usize = 300;
/// So many were edited by their sellers when the version changed, and so many by the partner.
const EDITED: usize = 120;
const HINTED: usize = 5;
/// So many came by an import just before: what makes the tick too long.
const IMPORTED: usize = 150;

/// What of a row the version of 2026-11-22 did not know is gone from it, and its walks belong to its own map.
async fn left_by_the_version_before(stage: &Stage) {
    let mut cursor = None;
    loop {
        let (rows, next) = stage.links.page(cursor.as_deref()).await.expect("the table");
        for row in rows {
            let bare = |parked: Parked| Parked { waits_for: None, version: None, ..parked };
            let item = match row.item {
                Item::Link(mut link) => {
                    link.readings.clear();
                    link.parked =
                        link.parked.into_iter().map(|(unit, parked)| (unit, bare(parked))).collect();
                    Item::Link(link)
                }
                Item::Parked(parked) => Item::Parked(bare(parked)),
                Item::Watermark(mut mark) => {
                    mark.map = "the version before".into();
                    mark.round = None;
                    mark.settled.clear();
                    mark.walk = mark.walk.map(|walk| Walk { after: None, ..walk });
                    Item::Watermark(mark)
                }
                _ => continue,
            };
            let put = Change::put(row.key, Expect::Rev(row.rev), item);
            assert!(stage.links.commit(vec![put]).await.expect("the table"));
        }
        cursor = next;
        if cursor.is_none() {
            return;
        }
    }
}

/// Deals by their referral.
fn deals(stage: &Stage) -> BTreeMap<String, Value> {
    let deals = stage.opportunities().into_iter();
    deals.map(|deal| (text(&deal, "referral_id"), deal)).filter(|(id, _)| !id.is_empty()).collect()
}

async fn linked(stage: &Stage) -> Vec<String> {
    let name = |n: usize| json!({ "name": format!("Harbor Line – site {n}") });
    let referrals: Vec<String> = (0..LINKS).map(|n| stage.refer(name(n))).collect();
    stage.quiet().await.expect("comes to rest");
    for referral in &referrals {
        stage.act(referral, "accept");
    }
    stage.settle().await.expect("comes to rest");
    referrals
}

#[tokio::test]
async fn the_first_runs_write_what_was_on_its_way_and_nothing_else() {
    let mut stage = open().await;
    let referrals = linked(&stage).await;
    let lacking = stage.deal(json!({ "name": "Without a solution", "sync": true }));
    stage.poll().await;
    let lacks = |stage: &Stage| stage.opportunities().into_iter().find(|deal| deal["id"] == lacking);
    assert!(
        text(&lacks(&stage).unwrap(), "audit").contains("Microsoft Solutions"),
        "parked, and its seller is told"
    );

    // The version before was in the middle of it: a feed half read, hints in the queue.
    let known = deals(&stage);
    let (by_sellers, others) = referrals.split_at(EDITED);
    let (by_partner, untouched) = others.split_at(HINTED);
    let customer = stage.customer();
    for n in 0..IMPORTED {
        stage.deal_of(&customer, json!({ "name": format!("Imported {n}"), "sync": true }));
    }
    for referral in by_sellers {
        let id = text(&known[referral], "id");
        stage.edit("opportunities", &id, json!({ "notes": "Edited before the upgrade." }));
    }
    stage.slow_crm(3_000);
    stage.advance(60);
    let cut = stage.tick().await.expect("a tick");
    assert!(!cut.unfinished.is_empty(), "half read");
    stage.slow_crm(0);
    for referral in by_partner {
        stage.edit_referral(referral, json!({ "/details/dealValue": 77000 }));
    }
    stage.webhooks().await;
    assert!(stage.messages() > 0, "hints wait in the queue");

    left_by_the_version_before(&stage).await;
    let arrived = |stage: &Stage| {
        by_sellers
            .iter()
            .filter(|id| stage.referral(id)["details"]["notes"] == "Edited before the upgrade.")
            .count()
    };
    let sent = arrived(&stage);
    let told = |stage: &Stage| {
        let told = |deal: &&Value| {
            text(deal, "name").contains("Imported") && text(deal, "audit").contains("Microsoft Solutions")
        };
        stage.opportunities().iter().filter(told).count()
    };
    assert!(sent + told(&stage) < EDITED + IMPORTED, "some are still to go");
    stage.forget_calls();
    let (before, parked) = (deals(&stage), lacks(&stage));
    let bodies: Vec<Value> = untouched.iter().map(|id| stage.referral(id)).collect();

    stage.world().deploy_released().unwrap();
    for _ in 0..12 {
        stage.advance(60);
        stage.tick().await.expect("a tick");
        stage.quiet().await.expect("comes to rest");
    }
    let after = deals(&stage);
    for (referral, body) in untouched.iter().zip(bodies) {
        assert_eq!(stage.referral(referral), body, "nobody touched it");
        assert_eq!(after[referral], before[referral], "nobody touched it");
    }
    assert_eq!(lacks(&stage), parked, "told once is told");
    assert_eq!((arrived(&stage), told(&stage)), (EDITED, IMPORTED), "the feed is read to its end");
    assert_eq!(stage.sent("PATCH referrals").len(), EDITED - sent, "each edit once");
    for referral in by_partner {
        assert_eq!(after[referral]["deal_value"].as_f64(), Some(77000.0), "what waited in the queue");
    }
    stage.close().await;
}
