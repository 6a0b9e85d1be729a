//! Lists of people, and what was made of a customer: what nobody touched stays as it is.

use crate::stage::{Side, Stage};
use local::people::text;
use mapping::CrmKind;
use serde_json::Value;

/// Elements of a list that nobody changed are there as they were, also where two have one address.
pub(super) fn people(stage: &Stage) {
    for deal in &stage.deals {
        let Some(said) = &deal.people else { continue };
        let Some(referral) = deal.referral.as_ref().and_then(|id| stage.held(id)) else { continue };
        if deal.parted || referral["status"] == "Closed" {
            continue;
        }
        let now = referral["customerProfile"]["team"].as_array().cloned().unwrap_or_default();
        let contact = deal.record.as_ref().and_then(|id| stage.contact_of(id));
        let contacts = stage.world.rows("contacts");
        let ours = contacts
            .iter()
            .find(|row| Some(text(row, "id")) == contact)
            .map(|row| text(row, "email").to_lowercase())
            .unwrap_or_default();
        let mut left = now.clone();
        let mut first_of_ours = true;
        for person in said {
            let email = text(person, "email").to_lowercase();
            if email == ours && !ours.is_empty() && std::mem::take(&mut first_of_ours) {
                continue;
            }
            match left.iter().position(|other| other == person) {
                Some(at) => {
                    left.remove(at);
                }
                None => {
                    let twice = said.iter().filter(|p| text(p, "email").to_lowercase() == email).count() > 1;
                    let how = if twice { "one-of-two-with-one-address" } else { "changed" };
                    stage.wrong(
                        format!("people:{how}"),
                        format!("nobody touched {person}, and it is not in {}", serde_json::json!(now)),
                    );
                }
            }
        }
    }
}

/// What became of the customer of a referral whose account the connector made.
pub(super) fn customers(stage: &Stage) {
    let dynamics = stage.crm == CrmKind::Dynamics365;
    let creator = if dynamics { "_createdby_value" } else { "CreatedById" };
    let made = |row: &&Value| row[creator] == stage.world.integration_user();
    let accounts = stage.world.rows("accounts");
    for row in accounts.iter().filter(made) {
        raw_entities(stage, "account-name", &text(row, "name"));
        raw_entities(stage, "street", &text(row, "line1"));
    }
    let contacts = stage.world.rows("contacts");
    for row in contacts.iter().filter(made) {
        raw_entities(stage, "contact-name", &text(row, "last_name"));
    }
    for row in stage.world.rows("opportunities").iter().filter(made) {
        raw_entities(stage, "opportunity-name", &text(row, "name"));
        raw_entities(stage, "opportunity-notes", &text(row, "notes"));
    }
    cut_identifiers(stage, &contacts);
    if stage.map.iter().any(|o| o.rule == "line2") {
        return;
    }
    for deal in &stage.deals {
        let (Some(referral), Some(record)) = (&deal.referral, &deal.record) else { continue };
        let (Some(referral), Some((set, row))) = (stage.held(referral), stage.row(record)) else { continue };
        if deal.born != Side::PartnerCenter || set != "opportunities" {
            continue;
        }
        let profile = &referral["customerProfile"];
        let account = accounts.iter().filter(made).find(|a| text(a, "id") == text(&row, "account"));
        let Some(account) = account else { continue };
        // Only where it was made for this referral.
        let same = crate::shown::read(&text(account, "name")) == crate::shown::read(&text(profile, "name"));
        let alone = stage.deals.iter().filter(|other| {
            let profile = other.referral.as_ref().and_then(|id| stage.held(id));
            profile
                .is_some_and(|r| text(&r["customerProfile"], "name") == text(profile_of(&referral), "name"))
        });
        if !same || alone.count() > 1 {
            continue;
        }
        let line2 = text(&profile["address"], "addressLine2");
        let second = if dynamics { text(account, "address1_line2") } else { text(account, "line1") };
        if !line2.is_empty() && !second.contains(&line2) {
            stage.wrong("customer:line2-dropped", format!("`{line2}` is in none of the account's lines"));
        }
        let country = text(&profile["address"], "country");
        let audit = text(&row, "audit");
        if !country.is_empty() && text(account, "country").is_empty() && !audit.contains("ountry") {
            stage.wrong(
                "customer:country-dropped",
                format!("`{country}` is not in the account and Audit is silent"),
            );
        }
        owners(stage, &referral, &row);
    }
    bound_elsewhere(stage, &accounts);
}

fn profile_of(referral: &Value) -> &Value {
    &referral["customerProfile"]
}

fn raw_entities(stage: &Stage, what: &str, words: &str) {
    if ["&#252;", "&#39;", "&apos;", "&amp;"].iter().any(|entity| words.contains(entity)) {
        stage.wrong(format!("entities:{what}"), format!("a person reads `{words}`"));
    }
}

/// An address or number goes whole or not at all.
fn cut_identifiers(stage: &Stage, contacts: &[Value]) {
    for row in contacts {
        for column in ["email", "phone"] {
            if text(row, column).ends_with('…') {
                stage.wrong(
                    format!("identifier-cut:{column}"),
                    format!("`{}` cannot work", text(row, column)),
                );
            }
        }
    }
}

/// The owner that the referral's own team names.
fn owners(stage: &Stage, referral: &Value, row: &Value) {
    let names = referral["team"].to_string().contains("sara.klein@partner.example");
    let silent = !text(row, "audit").contains("owner");
    let changed = stage.map.iter().any(|o| o.rule == "owner");
    if names && !changed && row["owner"] == stage.world.integration_user() && silent {
        stage.wrong(
            "owner:lost",
            "the referral's team names a user, and the connector's own user owns the record",
        );
    }
}

/// A customer of one country bound to an account of another, without a word.
fn bound_elsewhere(stage: &Stage, accounts: &[Value]) {
    let country = |words: &str| match words {
        "Switzerland" | "CH" => "CH",
        "United Kingdom" | "GB" => "GB",
        "Germany" | "DE" => "DE",
        "United States" | "US" => "US",
        _ => "",
    };
    for deal in &stage.deals {
        let (Some(referral), Some(record)) = (&deal.referral, &deal.record) else { continue };
        let (Some(referral), Some((set, row))) = (stage.held(referral), stage.row(record)) else { continue };
        if deal.born != Side::PartnerCenter || set != "opportunities" || deal.parted {
            continue;
        }
        let Some(account) = accounts.iter().find(|a| text(a, "id") == text(&row, "account")) else {
            continue;
        };
        let there = text(&referral["customerProfile"]["address"], "country");
        let (there, here) = (country(&there), country(&text(account, "country")));
        let merged = stage.deals.iter().any(|deal| deal.parted);
        if !there.is_empty()
            && !here.is_empty()
            && there != here
            && !merged
            && !text(&row, "audit").contains("account")
        {
            stage.wrong(
                "customer:bound-to-another-country",
                format!("a customer in {there} is bound to an account in {here}, and Audit is silent"),
            );
        }
    }
}
