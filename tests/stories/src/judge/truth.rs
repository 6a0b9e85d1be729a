//! What we say is true, and says nothing that it should not.

use super::{Told, is_over, remapped, rewritten};
use crate::{
    shown::alike,
    stage::{Side, Stage},
    story::{Story, What},
};
use local::people::text;
use serde_json::json;
use simulators::login;

/// What a seller reads.
pub(super) fn audit(stage: &Stage, told: &[Told]) {
    for told in told {
        let raw = ["{\"", "[{", "[\"", "\":"].iter().any(|json| told.audit.contains(json));
        // A story's own text may hold JSON.
        if raw && !told.audit.contains("\"a\":") {
            stage.wrong("audit:json", told.audit.chars().take(300).collect::<String>());
        }
        if told.audit.lines().any(|line| !line.is_empty() && !line.starts_with("20")) {
            let line = told.audit.lines().find(|line| !line.is_empty() && !line.starts_with("20"));
            stage.wrong("audit:forged-line", line.unwrap_or_default().chars().take(200).collect::<String>());
        }
    }
    for (n, told) in told.iter().enumerate() {
        let deal = &stage.deals[n];
        let happened =
            told.explain.lines().any(|line| line.contains("instead of") || line.contains("conflict"));
        if happened && told.audit.is_empty() && deal.record.is_some() && !deal.parted && !is_over(stage, n) {
            stage.wrong(
                "audit:emptied",
                format!(
                    "`explain` tells of a decision, Audit is empty: {}",
                    told.explain.chars().take(300).collect::<String>()
                ),
            );
        }
    }
}

/// Audit tells of a conflict only where both sides spoke.
pub(super) fn conflicts(stage: &Stage, told: &[Told]) {
    for (n, told) in told.iter().enumerate() {
        for field in ["name", "value", "closing_date", "notes", "solutions"] {
            let rule = format!("`{field}` changed on both sides");
            if !told.audit.contains(&rule) {
                continue;
            }
            let spoke =
                |side: Side| stage.said.iter().any(|s| s.deal == n && s.field == field && s.side == side);
            if !(spoke(Side::PartnerCenter) && spoke(Side::Crm)) {
                stage.wrong(
                    format!("audit:false-conflict:{field}"),
                    told.audit.chars().take(300).collect::<String>(),
                );
            }
        }
    }
}

/// Garbage is kept until somebody drops it; a preview writes nothing and says what differs.
pub(super) async fn commands(stage: &Stage, story: &Story, told: &[Told]) -> anyhow::Result<()> {
    let garbage = story.acts.iter().filter(|act| matches!(act.what, What::Garbage(_))).count();
    if garbage > 0 {
        let answer = stage.world.call(json!({ "command": "redrive" })).await;
        let lines = answer["lines"].to_string();
        if !lines.contains("still unusable") && lines.contains("\"0 sent again") {
            stage.wrong(
                "garbage:lost",
                format!("an unusable message was parked, and `redrive` finds none: {lines}"),
            );
        }
    }
    let before = stage.world.writes();
    let answer = stage.world.call(json!({ "command": "preview", "all": "yes" })).await;
    if stage.world.writes() != before {
        stage.wrong("preview:writes", "a preview wrote");
    }
    let lines: Vec<String> =
        answer["lines"].as_array().into_iter().flatten().map(|line| text(line, "text")).collect();
    for deal in 0..stage.deals.len() {
        silent(stage, story, deal, told, &lines);
    }
    Ok(())
}

/// A deal whose sides differ is not called in step.
fn silent(stage: &Stage, story: &Story, n: usize, told: &[Told], preview: &[String]) {
    let deal = &stage.deals[n];
    let (Some(referral), Some(_)) = (&deal.referral, &deal.record) else { return };
    if deal.parted {
        return;
    }
    let shown = stage.shown(n);
    let (Some(center), Some(crm)) = (shown.get(&Side::PartnerCenter), shown.get(&Side::Crm)) else { return };
    let differs = ["status", "value", "notes"].into_iter().find(|field| {
        center.get(field).zip(crm.get(field)).is_some_and(|(a, b)| !alike(a, b))
            && !remapped(stage, story, field)
            && !rewritten(story, field)
            && !told[n].names(field)
    });
    let Some(field) = differs else { return };
    let agrees =
        preview.iter().any(|line| line.contains(referral.as_str()) && line.contains("both sides agree"));
    if agrees && (field == "status" || !is_over(stage, n)) {
        stage.wrong(
            format!("preview:says-agree:{field}"),
            format!(
                "`{}` there, `{}` here; explain: {}",
                center[field],
                crm[field],
                told[n].explain.replace('\n', " | ")
            ),
        );
    }
}

const PERSONAL: [&str; 8] = [
    "@harborline.example",
    "Keller",
    "+4161555",
    "Nadia",
    "sara.klein",
    "Hafenstrasse",
    "Mill Lane",
    "Kel\\u",
];
const VENDORS_WORDS: [&str; 2] = ["Budget over 90,000", "Phones are kept elsewhere"];

/// No line of the log holds a person's data, a vendor's words or a secret.
pub fn logs(stage: &Stage, log: &str) {
    let secrets = [login::PARTNER_SECRET, login::DYNAMICS_SECRET, login::REFRESH_TOKEN, "BEGIN PRIVATE KEY"];
    for line in log.lines() {
        let cut = || line.chars().take(500).collect::<String>();
        if secrets.iter().any(|secret| line.contains(secret)) {
            stage.wrong("log:secret", cut());
        }
        if let Some(word) = PERSONAL.iter().find(|word| line.contains(*word)) {
            stage.wrong("log:personal", format!("`{word}`: {}", cut()));
        }
        if let Some(word) = VENDORS_WORDS.iter().find(|word| line.contains(*word)) {
            stage.wrong("log:vendors-words", format!("`{word}`: {}", cut()));
        }
    }
}
