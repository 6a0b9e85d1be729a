//! Who works on an opportunity: contact roles and opportunity team, rows of their own that the opportunity does not show
//! when they change.

use super::open;
use crate::deal::{Stage, text};
use local::world::{Options, World};
use mapping::CrmKind;
use serde_json::{Value, json};

crate::faults::whatever_fails! {
    t25_a_colleague_of_the_opportunity_team_joins_the_referral_and_leaves_it,
    t25_another_primary_contact_replaces_the_one_of_the_referral,
    t66_saved_without_a_contact_it_heals_when_a_role_is_added,
    teams_switched_off_are_no_failure,
    an_idle_tick_asks_each_feed_once,
}

fn addresses(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|person| text(person, "email")).collect()
}

fn team(stage: &Stage, referral: &str) -> Vec<String> {
    addresses(&stage.referral(referral)["team"])
}

#[tokio::test]
async fn t25_a_colleague_of_the_opportunity_team_joins_the_referral_and_leaves_it() {
    let options = Options { twice: true, crm: Some(CrmKind::Salesforce), ..Options::default() };
    let world = World::start(options).await.expect("the world starts");
    world.salesforce.system().switches.team_selling = true;
    let stage = Stage::of(world).await;
    let (id, referral) = stage.in_step_without_help(false).await;
    let colleague = stage.join_team(&id, stage.other_seller());
    stage.poll().await;
    assert_eq!(team(&stage, &referral), ["sara.klein@partner.example", "tom.abara@partner.example"]);
    stage.delete("team", &colleague);
    stage.poll().await;
    assert_eq!(team(&stage, &referral), ["sara.klein@partner.example"], "seen in the next tick");
    stage.close().await;
}

#[tokio::test]
async fn t25_another_primary_contact_replaces_the_one_of_the_referral() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(false).await;
    let contact = stage.sell(
        "contacts",
        json!({ "first_name": "Liam", "last_name": "Reed", "phone": "+441135550178",
                "email": "liam.reed@kestrelfoods.example" }),
    );
    stage.set_contact(&id, &contact);
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(addresses(&shown["customerProfile"]["team"]), ["liam.reed@kestrelfoods.example"]);
    stage.close().await;
}

#[tokio::test]
async fn t66_saved_without_a_contact_it_heals_when_a_role_is_added() {
    let stage = open().await;
    let id = stage.cosell_deal();
    let role = text(&stage.rows("OpportunityContactRole")[0], "Id");
    let contact = text(&stage.rows("OpportunityContactRole")[0], "ContactId");
    stage.delete("OpportunityContactRole", &role);
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty());
    assert!(text(&stage.opportunity(), "audit").contains("Contact"), "{}", stage.opportunity()["audit"]);
    stage.set_contact(&id, &contact);
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn teams_switched_off_are_no_failure() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(false).await;
    stage.edit("opportunities", &id, json!({ "deal_value": 70000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(70000.0));
    assert_eq!(team(&stage, &referral), ["sara.klein@partner.example"]);
    stage.close().await;
}

#[tokio::test]
async fn an_idle_tick_asks_each_feed_once() {
    let stage = open().await;
    let (_, referral) = stage.in_step_without_help(false).await;
    let contact = text(&stage.rows("contacts")[0], "id");
    stage.edit("contacts", &contact, json!({ "phone": "+44 113 555 0180" }));
    stage.poll().await;
    let phone = text(&stage.referral(&referral)["customerProfile"]["team"][0], "phoneNumber");
    assert_eq!(phone, "+44 113 555 0180");
    // What changed in the last ten minutes is asked for again, since a transaction may take as long.
    stage.advance(15 * 60);
    stage.poll().await;
    stage.forget_calls();
    stage.advance(60);
    stage.tick().await.unwrap();
    if stage.calm() {
        let feeds =
            ["Lead", "Opportunity", "Microsoft_Solution__c", "OpportunityContactRole", "Contact", "Account"];
        let mut expected = vec!["GET referrals?".to_owned()];
        expected.extend(feeds.map(|feed| format!("GET queryAll {feed}")));
        assert_eq!(stage.calls(), expected, "teams are off");
    }
    stage.close().await;
}
