//! Both sides agree, nobody's word is lost, what nobody touched is as it was, and nothing crosses without consent.

use super::{Told, is_over, other, remapped, rewritten, slug};
use crate::{
    shown::alike,
    stage::{Said, Side, Stage},
    story::{Story, What},
    values::ODD_COUNTRY_NAMES,
};
use local::people::text;
use mapping::CrmKind;
use std::collections::{BTreeMap, BTreeSet};

const FIELDS: [&str; 4] = ["name", "value", "closing_date", "notes"];

/// Deals that both sides keep in step.
fn in_step(stage: &Stage) -> impl Iterator<Item = usize> {
    (0..stage.deals.len()).filter(|n| {
        let deal = &stage.deals[*n];
        deal.referral.is_some() && deal.record.is_some() && !deal.parted && !deal.kept_out.contains("witness")
    })
}

fn waits_for_acceptance(stage: &Stage, deal: usize) -> bool {
    stage
        .shown(deal)
        .get(&Side::PartnerCenter)
        .and_then(|shown| shown.get("status"))
        .is_some_and(|s| s == "on hold")
}

/// Both sides agree, or the difference is named where a person reads it.
pub(super) fn converged(stage: &Stage, story: &Story, told: &[Told]) {
    for deal in in_step(stage) {
        let shown = stage.shown(deal);
        let (Some(center), Some(crm)) = (shown.get(&Side::PartnerCenter), shown.get(&Side::Crm)) else {
            continue;
        };
        let over = is_over(stage, deal);
        let fields: Vec<&str> = crm.keys().copied().filter(|f| center.contains_key(f)).collect();
        for field in fields {
            if (over && field != "status") || remapped(stage, story, field) || rewritten(story, field) {
                continue;
            }
            let (there, here) = (&center[field], &crm[field]);
            if alike(there, here) || told[deal].names(field) {
                continue;
            }
            let emptied = if there.is_empty() {
                ":there-empty"
            } else if here.is_empty() {
                ":here-empty"
            } else {
                ""
            };
            stage.wrong(
                format!("differs:{field}{emptied}"),
                format!(
                    "Partner Center shows `{}`, the CRM `{}`, and nobody is told: {}",
                    short(there),
                    short(here),
                    told[deal].explain.replace('\n', " | ").chars().take(300).collect::<String>()
                ),
            );
        }
    }
}

fn short(words: &str) -> String {
    let cut: String = words.chars().take(60).collect();
    if cut.len() < words.len() {
        format!("{}… ({} characters)", cut.escape_debug(), words.chars().count())
    } else {
        cut.escape_debug().to_string()
    }
}

/// An edit that nobody contradicted stands on both sides, or is named.
pub(super) fn nobody_lost_a_word(stage: &Stage, story: &Story, told: &[Told]) {
    for deal in in_step(stage) {
        if is_over(stage, deal) {
            continue;
        }
        let shown = stage.shown(deal);
        for field in FIELDS {
            if remapped(stage, story, field) || rewritten(story, field) || told[deal].names(field) {
                continue;
            }
            let said: Vec<&Said> = stage.said.iter().filter(|s| s.deal == deal && s.field == field).collect();
            let Some(last) = said.last() else { continue };
            let sides: BTreeSet<Side> =
                said.iter().filter(|s| s.period == last.period).map(|s| s.side).collect();
            if sides.len() > 1 || (last.side == Side::Crm && waits_for_acceptance(stage, deal)) {
                continue;
            }
            for side in [last.side, other(last.side)] {
                let Some(now) = shown.get(&side).and_then(|shown| shown.get(field)) else { continue };
                if !alike(now, &last.value) {
                    stage.wrong(
                        format!("lost:{field}:from-{}", name_of(last.side)),
                        format!(
                            "`{}` was the last word, {} shows `{}`",
                            short(&last.value),
                            name_of(side),
                            short(now)
                        ),
                    );
                }
            }
        }
    }
}

pub(super) fn name_of(side: Side) -> &'static str {
    match side {
        Side::PartnerCenter => "partner-center",
        Side::Crm => "crm",
    }
}

/// What a field shows was said by somebody.
pub(super) fn untouched(stage: &Stage, story: &Story, told: &[Told]) {
    for deal in in_step(stage) {
        let first = &stage.deals[deal].first;
        for (side, shown) in stage.shown(deal) {
            for field in FIELDS {
                let Some(now) = shown.get(field) else { continue };
                let rewrites = rewritten(story, field);
                if (rewrites && side == Side::Crm) || told[deal].names(field) {
                    continue;
                }
                let firsts = first.values().filter_map(|shown| shown.get(field));
                let said = stage.said.iter().filter(|s| s.deal == deal && s.field == field).map(|s| &s.value);
                if firsts.chain(said).any(|value| alike(value, now)) {
                    continue;
                }
                // A column that the map names instead holds words of its own.
                let how = if now.is_empty() { "emptied" } else { "changed" };
                if how == "changed" && remapped(stage, story, field) {
                    continue;
                }
                stage.wrong(
                    format!("{how}:{field}:at-{}", name_of(side)),
                    format!("{} shows `{}`, which nobody said", name_of(side), short(now)),
                );
            }
        }
    }
}

/// What is there after a day and not after an hour came by the daily round, though somebody had said it.
pub(super) fn soon(stage: &Stage, story: &Story, told: &[Told]) {
    for deal in in_step(stage) {
        let shown = stage.shown(deal);
        let (Some(center), Some(crm)) = (shown.get(&Side::PartnerCenter), shown.get(&Side::Crm)) else {
            continue;
        };
        for field in ["solutions", "name", "value", "notes"] {
            let (Some(there), Some(here)) = (center.get(field), crm.get(field)) else { continue };
            if is_over(stage, deal) || remapped(stage, story, field) || rewritten(story, field) {
                continue;
            }
            if !alike(there, here) && !told[deal].names(field) {
                stage.wrong(
                    format!("slow:{field}"),
                    format!("after an hour `{}` there, `{}` here", short(there), short(here)),
                );
            }
        }
    }
    if stage.closed_door || super::keeps_witnesses_out(stage) {
        return;
    }
    for (n, deal) in stage.deals.iter().enumerate() {
        let Some((_, row)) = deal.record.as_ref().and_then(|record| stage.row(record)) else { continue };
        let waits = deal.born == Side::Crm && deal.referral.is_none() && !deal.parted && row["sync"] == true;
        let foreign = !text(&row, "referral_id").is_empty();
        if waits && !foreign && !is_over(stage, n) && complete(stage, &row, &text(&row, "id")) {
            stage.wrong(
                "slow:no-referral",
                format!("complete for an hour, and no referral: {}", told[n].explain.replace('\n', " | ")),
            );
        }
    }
}

/// A referral that is closed was closed by somebody.
pub(super) fn statuses(stage: &Stage, story: &Story, told: &[Told]) {
    let closes = story
        .acts
        .iter()
        .any(|act| matches!(act.what, What::Close(..) | What::DropLead(_) | What::Answer(..)));
    let merged = story.acts.iter().any(|act| matches!(act.what, What::MergeLeads(..)));
    for (n, deal) in stage.deals.iter().enumerate() {
        let Some(referral) = deal.referral.as_ref().and_then(|id| stage.held(id)) else { continue };
        if referral["status"] == "Closed" && !closes && referral["substatus"] != "Expired" {
            stage.wrong(
                "status:nobody-said",
                format!("a referral is {}, and nobody closed it", referral["substatus"]),
            );
        }
        let forgotten = merged
            && deal.parted
            && told[n].explain.contains("detached")
            && told[n].warnings.trim().is_empty();
        if forgotten && referral["status"] != "Closed" {
            stage.wrong(
                "merge:forgotten",
                format!("its lead was merged into another: {}", told[n].explain.replace('\n', " | ")),
            );
        }
    }
}

/// Whatever came in has a record, and what a seller shared has a referral or says why not.
pub(super) fn arrived(stage: &Stage, told: &[Told]) {
    if stage.closed_door || super::keeps_witnesses_out(stage) {
        return;
    }
    for (n, deal) in stage.deals.iter().enumerate() {
        if deal.parted || deal.kept_out.contains("witness") {
            continue;
        }
        if deal.born == Side::PartnerCenter && deal.record.is_none() {
            let referral = deal.referral.as_ref().and_then(|id| stage.held(id)).unwrap_or_default();
            if referral["status"] != "Closed" && !rightly_refused(stage, &referral) {
                let reason = told[n].warnings.lines().next().unwrap_or_default().to_owned();
                let lacks = reason.split_once("cannot become a record yet: ");
                let short = match lacks {
                    Some((_, lacks)) => {
                        format!("cannot-become-one:{}", slug(lacks.split(' ').next().unwrap_or_default()))
                    }
                    None => slug(reason.trim_start_matches("it is parked: ")),
                };
                stage.wrong(
                    format!("no-record:{short}"),
                    format!("a referral has no record: {}", told[n].explain.replace('\n', " | ")),
                );
            }
        }
        if deal.born == Side::Crm
            && deal.referral.is_none()
            && let Some(record) = &deal.record
            && let Some((_, row)) = stage.row(record)
            && row["sync"] == true
            && !is_over(stage, n)
        {
            let foreign = !text(&row, "referral_id").is_empty();
            let country = account_country(stage, &text(&row, "account"));
            let only_country = ODD_COUNTRY_NAMES.contains(&country.as_str());
            if told[n].audit.is_empty() {
                stage.wrong(
                    "no-referral:nobody-told",
                    format!(
                        "a shared deal has no referral and Audit is empty: {}",
                        told[n].explain.replace('\n', " | ")
                    ),
                );
            } else if only_country && told[n].audit.contains("ountry") {
                stage.wrong("no-referral:country", format!("`{country}` is refused: {}", told[n].audit));
            } else if !foreign && complete(stage, &row, record) {
                stage.wrong(
                    format!("no-referral:{}", slug(&told[n].audit.chars().skip(18).collect::<String>())),
                    format!("a complete deal has no referral: {}", told[n].audit),
                );
            }
        }
    }
}

/// The organisation does not have the currency, or its administrator lets no unknown solution in.
fn rightly_refused(stage: &Stage, referral: &serde_json::Value) -> bool {
    let known: &[&str] = match stage.crm {
        CrmKind::Dynamics365 => &["", "CHF", "EUR", "USD", "GBP"],
        CrmKind::Salesforce => &["", "CHF", "EUR", "USD", "GBP", "JPY"],
    };
    !known.contains(&text(&referral["details"], "currency").as_str())
        || stage.map.iter().any(|o| o.key == "add_unknown_solutions")
}

fn account_country(stage: &Stage, account: &str) -> String {
    let accounts = stage.world.rows("accounts");
    accounts.iter().find(|row| text(row, "id") == account).map(|row| text(row, "country")).unwrap_or_default()
}

/// A deal that has all that Partner Center asks for.
fn complete(stage: &Stage, row: &serde_json::Value, record: &str) -> bool {
    let shown = crate::shown::of_record(row, "opportunities", stage);
    let contact = stage.contact_of(record).is_some_and(|contact| {
        let contacts = stage.world.rows("contacts");
        contacts.iter().any(|row| {
            text(row, "id") == contact
                && ["phone", "email", "last_name", "first_name"].iter().all(|c| !text(row, c).is_empty())
        })
    });
    let country = account_country(stage, &text(row, "account"));
    ["Switzerland", "United Kingdom", "Germany", "United States"].contains(&country.as_str())
        && FIELDS.iter().all(|field| !shown[field].is_empty())
        && !shown["value"].starts_with('-')
        && !shown["solutions"].is_empty()
        && (row["help"].is_null() || contact)
}

/// Words of a record that its people never shared with a referral are not in it, nor the other way round.
pub(super) fn consented(stage: &Stage) {
    let mut spoken: BTreeMap<String, (usize, Side)> = BTreeMap::new();
    for (n, deal) in stage.deals.iter().enumerate() {
        for (side, shown) in &deal.first {
            // What a side showed when it was born is its own.
            if *side == deal.born {
                for field in ["name", "notes"] {
                    if let Some(words) = shown.get(field).filter(|words| words.chars().count() > 8) {
                        spoken.entry(words.clone()).or_insert((n, *side));
                    }
                }
            }
        }
    }
    for (n, deal) in stage.deals.iter().enumerate() {
        for (side, shown) in stage.shown(n) {
            for field in ["name", "notes"] {
                let Some((of, from)) = shown.get(field).and_then(|words| spoken.get(words)) else { continue };
                let own = *of == n
                    || stage.deals[*of].referral == deal.referral && deal.referral.is_some()
                    || stage.deals[*of].record == deal.record && deal.record.is_some();
                if *from != side && !own && !deal.parted && !stage.deals[*of].parted {
                    stage.wrong(
                        format!("consent:{field}:{}", name_of(side)),
                        format!("`{}` of another deal stands in {}", short(&shown[field]), name_of(side)),
                    );
                }
            }
        }
    }
    for (n, deal) in stage.deals.iter().enumerate() {
        let (Some(referral), Some(record)) = (&deal.referral, &deal.record) else { continue };
        if deal.parted || stage.deals.iter().filter(|other| other.record.as_ref() == Some(record)).count() < 2
        {
            continue;
        }
        let two: Vec<&str> = stage
            .deals
            .iter()
            .filter(|o| o.record.as_ref() == Some(record))
            .filter_map(|o| o.referral.as_deref())
            .collect();
        if two.iter().any(|other| *other != referral) {
            stage.wrong(
                "consent:adopted",
                format!("record `{record}` of deal {n} belongs to referrals {two:?}"),
            );
        }
    }
}
