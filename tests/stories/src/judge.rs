//! Says what is wrong at the end of a story. It knows what people did, the field map's manual and what the simulators
//! hold; of ours it reads what a person reads: Audit, `explain`, `preview`, `doctor`, the log.

mod costs;
mod doubled;
mod fields;
mod lists;
mod truth;

pub use costs::hour;
pub use truth::logs;

use crate::{
    stage::{Side, Stage},
    story::{Story, What},
};
use local::people::text;
use serde_json::{Value, json};

/// Everything that must hold once all has come to rest.
pub async fn judge(stage: &Stage, story: &Story) -> anyhow::Result<()> {
    let told = told(stage).await;
    fields::converged(stage, story, &told);
    fields::nobody_lost_a_word(stage, story, &told);
    fields::untouched(stage, story, &told);
    fields::arrived(stage, &told);
    fields::consented(stage);
    fields::statuses(stage, story, &told);
    truth::conflicts(stage, &told);
    lists::people(stage);
    lists::customers(stage);
    doubled::doubled(stage);
    truth::audit(stage, &told);
    truth::commands(stage, story, &told).await?;
    costs::sizes(stage).await?;
    costs::queue(stage, story);
    Ok(())
}

/// What must be there after an hour already, without the daily round: what people filled in and moved.
pub async fn soon(stage: &Stage, story: &Story) {
    let told = told(stage).await;
    fields::soon(stage, story, &told);
}

/// What the seller of a deal reads in Audit, and what `explain` says.
pub struct Told {
    pub audit: String,
    pub explain: String,
    /// Warnings and faults of `explain` alone.
    pub warnings: String,
}

impl Told {
    /// Whether a field is spoken of, by any name that a person knows it by.
    pub fn names(&self, field: &str) -> bool {
        let text = format!("{}\n{}", self.audit, self.warnings);
        labels(field).iter().any(|label| text.contains(label))
    }
}

fn labels(field: &str) -> &'static [&'static str] {
    match field {
        "name" => &["Topic", "Opportunity Name", "`name`", "\"name\""],
        "value" => &["Est. Revenue", "Amount", "Currency", "`value`", "\"value\"", "deal_value"],
        "closing_date" => &["Close Date", "closing_date"],
        "notes" => &["Description", "`notes`", "\"notes\""],
        "status" => &["Status", "status", "Stage", "reopen", "closed"],
        "solutions" => &["olution"],
        "country" => &["ountry"],
        _ => &[],
    }
}

async fn told(stage: &Stage) -> Vec<Told> {
    let mut all = vec![];
    for deal in 0..stage.deals.len() {
        all.push(told_of(stage, deal).await);
    }
    all
}

async fn told_of(stage: &Stage, deal: usize) -> Told {
    let it = &stage.deals[deal];
    let row = it.record.as_ref().and_then(|id| stage.row(id));
    let audit = row.as_ref().map(|(_, row)| {
        let column = local::words::column(stage.crm, "opportunities", "audit");
        text(row, column)
    });
    let about = match (&it.referral, &it.record) {
        (Some(id), _) => json!({ "command": "explain", "referral": id }),
        (None, Some(id)) => json!({ "command": "explain", "record": id }),
        (None, None) => json!({ "command": "help" }),
    };
    let answer = stage.world.call(about).await;
    let lines = answer["lines"].as_array().cloned().unwrap_or_default();
    let line = |line: &Value| format!("{} {}", text(line, "text"), text(line, "cure"));
    let warnings = lines.iter().filter(|line| line["level"] != "ok").map(line).collect::<Vec<_>>().join("\n");
    let waiting =
        lines.iter().map(line).filter(|line| line.starts_with("kept until")).collect::<Vec<_>>().join("\n");
    Told {
        audit: audit.unwrap_or_default(),
        explain: lines.iter().map(line).collect::<Vec<_>>().join("\n"),
        warnings: format!("{warnings}\n{waiting}"),
    }
}

/// Why a deal stands, as `explain` says.
pub async fn why(stage: &Stage, deal: usize) -> String {
    let told = told_of(stage, deal).await;
    let queue = stage.world.messages();
    format!("{} {}; {queue} messages", told.explain.replace('\n', " | "), told.audit)
        .chars()
        .take(700)
        .collect()
}

/// A sentence without what differs from story to story: its words, ids and numbers apart.
pub fn slug(words: &str) -> String {
    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphabetic() || "`.,:;()".contains(c));
    let word = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphabetic()).to_lowercase();
    let words = words.split_whitespace().filter(plain).map(word).filter(|word| word.len() > 1);
    words.take(8).collect::<Vec<_>>().join("-")
}

/// What is unusual about how the vendors answer in a story, in a word: most often what keeps a deal waiting.
pub fn circumstances(story: &Story) -> &'static str {
    let vendors = &story.vendors;
    match vendors {
        _ if vendors.forgets_after_s > 0 => "connections",
        _ if vendors.event_after_micros > 0 => "stamps",
        _ if vendors.stale_reads > 0 => "stale",
        _ if vendors.crm_page > 0 || vendors.child_rows_count || vendors.partner_center_page > 0 => "pages",
        _ if vendors.crm_latency_ms > 0 || vendors.partner_center_latency_ms > 0 => "latency",
        _ if vendors.empty_patch || vendors.touched_after || vendors.sibling_events || vendors.sparse => {
            "shapes"
        }
        _ => "plain",
    }
}

/// Reads by id that a new referral costs at most: one when it comes, one when our own answer to it comes back. Where
/// answers carry no version, or each row is touched once more, it is read again.
pub fn most_reads(story: &Story) -> usize {
    if ["plain", "stamps"].contains(&circumstances(story)) { 3 } else { 9 }
}

/// Maps and organisations with which an ordinary deal is rightly kept out.
pub fn keeps_witnesses_out(stage: &Stage) -> bool {
    let map = |rule: &str, key: &str| stage.map.iter().any(|o| o.rule == rule && o.key == key);
    map("account", "create")
        || map("contact", "create")
        || map("switches", "cosell_only")
        || map("vendor", "microsoft_half")
        || map("notes", "required_by_crm")
        || map("notes", "direction")
        || map("notes", "crm")
        || map("notes", "off")
        || map("value", "direction")
        || map("deal_value", "crm")
        || map("closing_date", "crm")
        || map("closing_date", "off")
        || map("name", "crm")
        || map("external_reference", "off")
        || map("team", "off")
        || map("contacts", "off")
}

/// Whether the deal is over on either side.
pub(crate) fn is_over(stage: &Stage, deal: usize) -> bool {
    let shown = stage.shown(deal);
    shown.values().any(|shown| matches!(shown.get("status").map(String::as_str), Some("won" | "lost")))
}

/// Fields whose rule an administrator has ever changed in this story.
pub(crate) fn remapped(stage: &Stage, story: &Story, field: &str) -> bool {
    let rules: &[&str] = match field {
        "name" => &["name"],
        "value" => &["value", "deal_value", "currency"],
        "closing_date" => &["closing_date"],
        "notes" => &["notes", "program"],
        "solutions" => &["solutions"],
        _ => &[],
    };
    let of_field = |o: &crate::story::Override| rules.contains(&o.rule.as_str());
    let acts = story.acts.iter().any(|act| match &act.what {
        What::Map(map) => map.iter().any(of_field),
        _ => false,
    });
    acts || stage.map.iter().any(of_field)
        || stage.map.iter().any(|o| o.rule == "switches" && o.key == "patch_name" && field == "name")
}

pub(crate) fn rewritten(story: &Story, field: &str) -> bool {
    story.org.rewrites.iter().any(|(of, _)| crate::organisation::shown(*of) == field)
}

pub(crate) fn other(side: Side) -> Side {
    match side {
        Side::PartnerCenter => Side::Crm,
        Side::Crm => Side::PartnerCenter,
    }
}
