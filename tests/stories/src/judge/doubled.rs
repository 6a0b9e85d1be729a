//! Nothing is there twice.

use crate::stage::Stage;
use local::people::text;
use mapping::CrmKind;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn doubled(stage: &Stage) {
    let mut by_referral: BTreeMap<String, usize> = BTreeMap::new();
    for row in stage.world.rows("opportunities") {
        let id = text(&row, "referral_id").to_lowercase();
        if !id.is_empty() {
            *by_referral.entry(id).or_default() += 1;
        }
    }
    once(stage, "opportunities-of-one-referral", &by_referral);
    let center = stage.world.partner_center.system();
    let mut by_record: BTreeMap<String, usize> = BTreeMap::new();
    let mut halves: BTreeMap<String, usize> = BTreeMap::new();
    for referral in center.referrals().values() {
        let own = text(referral, "organizationId") == simulators::partner_center::ORGANIZATION_ID;
        let record = text(referral, "externalReferenceId");
        if own && !record.is_empty() {
            *by_record.entry(record).or_default() += 1;
        }
        let half = format!("{} {own}", text(referral, "engagementId"));
        *halves.entry(half).or_default() += 1;
    }
    drop(center);
    once(stage, "referrals-of-one-record", &by_record);
    once(stage, "halves-of-one-engagement", &halves);
    let creator = if stage.crm == CrmKind::Dynamics365 { "_createdby_value" } else { "CreatedById" };
    let ours = |row: &&Value| row[creator] == stage.world.integration_user();
    let mut accounts: BTreeMap<String, usize> = BTreeMap::new();
    for row in stage.world.rows("accounts").iter().filter(ours) {
        let key = format!(
            "{} {} {}",
            text(row, "name").to_lowercase().trim(),
            text(row, "postal_code"),
            text(row, "country")
        );
        *accounts.entry(key).or_default() += 1;
    }
    once(stage, "accounts", &accounts);
    let mut contacts: BTreeMap<String, usize> = BTreeMap::new();
    for row in stage.world.rows("contacts").iter().filter(ours) {
        let email = text(row, "email").to_lowercase();
        if !email.is_empty() {
            *contacts.entry(email).or_default() += 1;
        }
    }
    once(stage, "contacts", &contacts);
    for deal in &stage.deals {
        let Some(record) = &deal.record else { continue };
        let mut notes: BTreeMap<String, usize> = BTreeMap::new();
        for (title, words) in stage.world.notes(record) {
            *notes.entry(format!("{title} {words}")).or_default() += 1;
        }
        once(stage, "notes", &notes);
    }
}

fn once(stage: &Stage, what: &str, counted: &BTreeMap<String, usize>) {
    if let Some((key, n)) = counted.iter().find(|(_, n)| **n > 1) {
        stage.wrong(format!("doubled:{what}"), format!("{n} times `{key}`"));
    }
}
