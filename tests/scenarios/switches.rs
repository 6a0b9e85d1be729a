//! Every switch of a map does something: two values of each are told apart by what the vendors get or hold. The keys are
//! the map's own: a new one without a case fails.

use crate::deal::{Stage, text};
use mapping::{
    CrmKind::{self, Dynamics365, Salesforce},
    SWITCHES, VENDOR,
};
use serde_json::{Value, json};
use simulators::dataverse::SELLER;
use sync::hint::{Hint, Subject};

/// The CRM a key is tried in, and two values of it.
fn case(key: &str) -> (CrmKind, [&'static str; 2]) {
    const YES_OR_NO: [&str; 2] = ["true", "false"];
    match key {
        "crm_id_links" => (Dynamics365, ["'same_customer'", "'always'"]),
        "microsoft_half" => (Dynamics365, ["'post_if_missing'", "'post'"]),
        "event_tolerance" => (Dynamics365, ["3", "60"]),
        "closing_date_zone" => (Dynamics365, ["''", "'+13:00'"]),
        "duplicates" => (Salesforce, ["'allow_save'", "'adopt'"]),
        "convert_lead" => (Salesforce, ["'off'", "'soap'"]),
        "api_share" => (Salesforce, ["80", "100"]),
        _ => (Dynamics365, YES_OR_NO),
    }
}

/// What is seen from outside with a stage whose map has the key.
async fn seen(stage: &Stage, key: &str) -> Value {
    match key {
        "check_mark" | "add_unknown_solutions" => {
            stage.refer(json!({}));
            stage.rest().await;
            stage.opportunities().iter().map(|deal| deal["name"].clone()).collect()
        }
        "cosell_only" => {
            stage.refer_lead(json!({}));
            stage.rest().await;
            json!(stage.rows("leads").len())
        }
        "patch_name" => {
            let (referral, id) = stage.inbound_in_step().await;
            stage.edit("opportunities", &id, json!({ "name": "Harbor Line – two sites" }));
            stage.poll().await;
            stage.referral(&referral)["name"].clone()
        }
        "daily_engagements" => {
            stage.in_step().await;
            stage.advance(25 * 3600);
            stage.forget_calls();
            for _ in 0..3 {
                stage.poll().await;
            }
            json!(stage.calls().iter().filter(|call| call.contains("referrals")).count())
        }
        "crm_id_links" => {
            let deal = stage.deal(json!({ "sync": false }));
            stage.refer(json!({ "externalReferenceId": deal }));
            stage.rest().await;
            json!(stage.parked().await.expect("parked rows").len())
        }
        "registration_hints" => {
            stage.in_step().await;
            json!(text(&stage.opportunity(), "audit").contains("72 hours"))
        }
        "microsoft_note" => {
            let (id, referral) = stage.in_step().await;
            stage.microsoft(&referral, "accept", None);
            stage.rest().await;
            json!(stage.notes(&id).len())
        }
        _ => seen_of_a_vendor(stage, key).await,
    }
}

async fn seen_of_a_vendor(stage: &Stage, key: &str) -> Value {
    match key {
        "microsoft_half" => {
            stage.cosell_deal();
            stage.forget_calls();
            stage.advance(60);
            stage.tick().await.expect("a tick");
            assert_eq!(stage.partner_center.system().referrals().len(), 2, "both halves either way");
            json!(stage.calls().contains(&"GET referrals?engagement".to_owned()))
        }
        "versionnumber_orders" => {
            let (id, _) = stage.in_step().await;
            stage.edit("opportunities", &id, json!({ "deal_value": 70000 }));
            stage.poll().await;
            json!(stage.calls())
        }
        "related_event_sibling_id" => {
            for _ in 0..2 {
                // Longer than an id is remembered that may be Microsoft's half; a stranger's is for a week.
                stage.advance(20 * 60);
                stage.forget_calls();
                hear_of_a_stranger(stage);
                stage.rest().await;
            }
            json!(stage.calls().len())
        }
        "error_substatus_writable" => {
            let (id, referral) = stage.in_step().await;
            let now = stage.now();
            stage.dataverse.system().act_lose(&id, SELLER, 4, json!({}), now).expect("canceled");
            stage.poll().await;
            stage.referral(&referral)["substatus"].clone()
        }
        "contact_frozen_once_shared" => {
            stage.in_step().await;
            let contact = text(&stage.rows("contacts")[0], "id");
            stage.edit("contacts", &contact, json!({ "phone": "+44 113 555 0180" }));
            stage.poll().await;
            json!(stage.sent("PATCH referrals").len())
        }
        "filter_updated" => {
            stage.poll().await;
            let lists = stage.partner_center.requests();
            json!(lists.iter().any(|log| log.route == "GET referrals?" && log.query.contains("filter")))
        }
        "event_tolerance" => {
            stage.partner_center.system().switches.event_after_micros = 10_000_000;
            let (referral, _) = stage.inbound_in_step().await;
            stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
            stage.webhooks().await;
            stage.pump().await.expect("the writer takes it");
            stage.opportunity()["deal_value"].clone()
        }
        "closing_date_zone" => {
            let (referral, _) = stage.inbound_in_step().await;
            stage.edit_referral(&referral, json!({ "/details/closingDateTime": "2027-06-30T12:00:00Z" }));
            stage.rest().await;
            stage.opportunity()["closing_date"].clone()
        }
        "forms_by_api" => {
            stage.dataverse.system().unprovision();
            stage.call(json!({ "command": "provision" })).await;
            json!(stage.dataverse.system().form("Main", "opportunity").contains("cosell_"))
        }
        "duplicates" => {
            stage.salesforce.system().duplicate_rule("Contact", &["FirstName", "LastName"], false);
            let namesake =
                json!({ "first_name": "Nadia", "last_name": "Keller", "email": "n@keller.example" });
            stage.sell("contacts", namesake);
            stage.refer(json!({}));
            stage.rest().await;
            json!(stage.rows("contacts").len())
        }
        "convert_lead" => {
            let referral = stage.refer_lead(json!({}));
            stage.rest().await;
            stage.act(&referral, "accept");
            stage.rest().await;
            stage.lead()["IsConverted"].clone()
        }
        "api_share" => {
            let now = stage.now();
            stage.salesforce.system().spend(90_000, now);
            stage.poll().await;
            stage.poll().await;
            stage.forget_calls();
            stage.poll().await;
            json!(stage.salesforce.count(|_| true) > 0)
        }
        _ => panic!("`{key}` has no case: play one in which two of its values are told apart"),
    }
}

/// A related event of a referral that Partner Center does not show us.
fn hear_of_a_stranger(stage: &Stage) {
    let referral = mapping::ReferralId::parse("0f9d3c55-2b0c-4c55-9f0e-7a1c5f3b2d10").expect("an id");
    let subject = Subject::Engagement { referral: referral.clone() };
    let hint = Hint::new(subject, "related-referral-updated", stage.now());
    stage.plant(&referral.to_string(), &hint.body());
}

#[tokio::test]
async fn every_switch_of_a_map_does_something() {
    let mut idle = vec![];
    for (table, keys) in [("switches", SWITCHES.as_slice()), ("vendor", VENDOR.as_slice())] {
        for key in keys {
            let (crm, values) = case(key);
            let mut shown = vec![];
            for value in values {
                // By the default map nothing closes as Error.
                let besides = if *key == "error_substatus_writable" { "[status]\nerror = [4]\n" } else { "" };
                let stage = Stage::mapped(crm, &format!("[{table}]\n{key} = {value}\n{besides}")).await;
                shown.push(seen(&stage, key).await);
            }
            if shown[0] == shown[1] {
                idle.push(format!("[{table}] {key}: {} both with {}", shown[0], values.join(" and with ")));
            }
        }
    }
    assert!(idle.is_empty(), "{}", idle.join("\n"));
}
