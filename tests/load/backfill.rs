//! Referrals that were there before the connector, and a first load that is killed three times: each becomes one deal.

use crate::storm::Storm;
use serde_json::json;
use std::time::Duration;

const REFERRALS: usize = 5_000;
const KILLS: u32 = 3;

pub(crate) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let referrals = storm.share(REFERRALS).max(250);
    for _ in 0..referrals {
        storm.refer(true)?;
    }
    storm.world.partner_center.system().lose();
    storm.begin();
    let (mut killed, mut calls) = (0, 0);
    loop {
        calls += 1;
        anyhow::ensure!(calls < 40 * KILLS + referrals as u32, "the first load does not end");
        // A page is a few milliseconds: somewhere within it.
        let life = Duration::from_micros(storm.dice.below(4_000) as u64);
        let started = storm.world.call(json!({ "command": "backfill" }));
        let answer = if killed < KILLS && calls % 3 == 0 {
            killed += 1;
            tokio::time::timeout(life, started).await.unwrap_or_default()
        } else {
            started.await
        };
        storm.flow().await?;
        storm.progress(&format!("call {calls} of the first load"));
        if answer["data"]["done"] == true && killed == KILLS {
            return Ok(());
        }
    }
}
