//! What is particular to deals in Salesforce: roles, stages, one currency or several, picklists of places.

use super::{mapped, open, storm::change_all};
use crate::deal::{Stage, text};
use local::world::{Options, World};
use mapping::CrmKind;
use serde_json::json;

crate::faults::whatever_fails! {
    t31_the_contact_of_a_new_opportunity_is_its_primary_one,
    t34_any_open_stage_but_the_on_hold_one_accepts,
    a_deleted_opportunity_is_told_as_detached,
    one_currency_is_that_of_every_deal_and_an_amount_in_another_is_left_out,
    with_picklists_of_places_codes_are_read_and_written,
    a_stage_of_the_organisations_own_is_understood_by_what_it_means,
    what_a_flow_makes_of_ten_writes_is_no_edit_and_told,
}

#[tokio::test]
async fn t31_the_contact_of_a_new_opportunity_is_its_primary_one() {
    let stage = open().await;
    stage.refer(json!({}));
    stage.rest().await;
    let role = &stage.rows("OpportunityContactRole")[0];
    assert_eq!(role["OpportunityId"], stage.opportunity()["id"]);
    assert_eq!(role["ContactId"], stage.rows("contacts")[0]["id"]);
    assert_eq!(role["IsPrimary"], true);
    stage.close().await;
}

#[tokio::test]
async fn t34_any_open_stage_but_the_on_hold_one_accepts() {
    let stage = open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    stage.edit("opportunities", &stage.opportunity_id(), json!({ "StageName": "Needs Analysis" }));
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!((text(&shown, "status"), text(&shown, "substatus")), ("Active".into(), "Accepted".into()));
    assert_eq!(text(&stage.opportunity(), "StageName"), "Needs Analysis", "it stays where the seller put it");
    stage.close().await;
}

#[tokio::test]
async fn a_deleted_opportunity_is_told_as_detached() {
    let stage = open().await;
    let (referral, deal) = stage.inbound_in_step().await;
    stage.delete("opportunities", &deal);
    stage.poll().await;
    let told = stage.call(json!({ "command": "explain", "referral": referral })).await;
    assert!(told.to_string().contains("detached"), "{told:#}");
    stage.close().await;
}

#[tokio::test]
async fn one_currency_is_that_of_every_deal_and_an_amount_in_another_is_left_out() {
    let map = "[fields.currency]\ncrm = \"\"\nconstant = \"EUR\"\n".to_owned();
    let options =
        Options { twice: true, crm: Some(CrmKind::Salesforce), map: Some(map), ..Options::default() };
    let world = World::start(options).await.expect("the world starts");
    world.salesforce.system().switches.multi_currency = false;
    let stage = Stage::of(world).await;
    let referral = stage.refer(json!({ "details": { "currency": "CHF" } }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert!(
        deal["deal_value"].is_null() && text(&deal, "audit").contains("CHF"),
        "no wrong amount: {deal:#}"
    );
    stage.edit_referral(&referral, json!({ "/details/currency": "EUR" }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(deal["deal_value"], 84000.0);
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.edit("opportunities", &text(&deal, "id"), json!({ "deal_value": 91000 }));
    stage.poll().await;
    let details = stage.referral(&referral)["details"].clone();
    assert_eq!((details["dealValue"].as_f64(), &details["currency"]), (Some(91000.0), &json!("EUR")));
    stage.close().await;
}

#[tokio::test]
async fn with_picklists_of_places_codes_are_read_and_written() {
    let options = Options { twice: true, crm: Some(CrmKind::Salesforce), ..Options::default() };
    let world = World::start(options).await.expect("the world starts");
    world.salesforce.system().switches.state_country_picklists = true;
    let stage = Stage::of(world).await;
    let profile = |name: &str, state: &str| {
        json!({ "name": name, "address": { "addressLine1": "1 Pike Street", "city": "Seattle", "state": state,
                "postalCode": "98101", "country": "US" } })
    };
    stage.refer(json!({ "customerProfile": profile("Pike Place Foods", "Washington") }));
    stage.refer(json!({ "customerProfile": profile("Space Needle Foods", "Puget Sound") }));
    stage.rest().await;
    let accounts = stage.rows("accounts");
    let of = |name: &str| accounts.iter().find(|row| row["name"] == name).expect("an account").clone();
    for name in ["Pike Place Foods", "Space Needle Foods"] {
        assert_eq!(
            (text(&of(name), "BillingCountryCode"), text(&of(name), "country")),
            ("US".into(), "United States".into())
        );
    }
    assert_eq!(text(&of("Pike Place Foods"), "BillingStateCode"), "WA");
    assert!(of("Space Needle Foods")["BillingStateCode"].is_null(), "none of theirs: left out");
    let deals = stage.opportunities();
    let told = deals.iter().filter(|deal| text(deal, "audit").contains("`Puget Sound`")).count();
    assert_eq!(told, 1, "and told");

    // The same label in two countries, and a state of another one.
    for (name, country, state) in [
        ("Maas Foods", "NL", "Limburg"),
        ("Kempen Foods", "BE", "Limburg"),
        ("Lost Foods", "DE", "Limburg"),
        ("Far Foods", "XK", "Prishtina"),
    ] {
        let address = json!({ "city": "X", "state": state, "postalCode": "1", "country": country });
        stage.refer(json!({ "customerProfile": { "name": name, "address": address } }));
    }
    stage.rest().await;
    let accounts = stage.rows("accounts");
    let of = |name: &str| accounts.iter().find(|row| row["name"] == name).expect("an account").clone();
    for (name, state) in
        [("Maas Foods", "LI"), ("Kempen Foods", "VLI"), ("Lost Foods", ""), ("Far Foods", "")]
    {
        assert_eq!(text(&of(name), "BillingStateCode"), state, "{name}");
    }

    // The label may be in any language: the code goes out.
    stage.cosell_deal();
    stage.poll().await;
    let ours = stage.opportunities().into_iter().find(|deal| text(deal, "name").contains("Kestrel"));
    let own = text(&ours.expect("the deal"), "referral_id");
    assert_eq!(stage.referral(&own)["customerProfile"]["address"]["country"], "GB");
    stage.close().await;
}

#[tokio::test]
async fn a_person_of_the_same_name_is_no_customer() {
    let options = Options { twice: true, crm: Some(CrmKind::Salesforce), ..Options::default() };
    let world = World::start(options).await.expect("the world starts");
    {
        let now = world.now();
        let mut org = world.salesforce.system();
        org.switches.person_accounts = true;
        let seller = world.seller();
        org.act_person_account("Meridian", "meridian@home.example", seller, now).expect("a person");
    }
    let stage = Stage::of(world).await;
    let profile = json!({ "name": "Meridian", "address": { "postalCode": null },
        "team": [{ "firstName": "M", "lastName": "Meridian", "email": "meridian@home.example" }] });
    let referral = stage.refer(json!({ "customerProfile": profile }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["referral_id"], referral, "{}", stage.parked_words().await);
    assert_eq!(stage.rows("accounts").len(), 2, "a company of its own");
    stage.close().await;
}

#[tokio::test]
async fn a_stage_of_the_organisations_own_is_understood_by_what_it_means() {
    let stage = mapped(["", "[status]\non_hold = [\"Qualification\", \"Parking lot\"]\n"]).await;
    {
        let mut org = stage.salesforce.system();
        org.add_stage("Parking lot", 5, false, false);
        org.add_stage("Signed", 100, true, true);
    }
    let referral = stage.refer(json!({}));
    stage.rest().await;
    let id = stage.opportunity_id();
    stage.edit("opportunities", &id, json!({ "StageName": "Parking lot" }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["status"], "New", "on hold as well");
    stage.edit("opportunities", &id, json!({ "StageName": "Signed" }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["substatus"], "Won");
    stage.close().await;
}

#[tokio::test]
async fn what_a_flow_makes_of_ten_writes_is_no_edit_and_told() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    stage.salesforce.system().flow("Opportunity", json!({ "Amount": 12000 }));
    change_all(&stage, &referrals).await;
    stage.rest().await;
    stage.poll().await;
    let deals = stage.opportunities();
    assert!(deals.iter().all(|deal| deal["deal_value"] == 12000.0));
    if stage.calm() {
        let sent = stage.sent("PATCH referrals");
        assert!(sent.is_empty(), "nobody edited it: {sent:#?}");
        assert!(deals.iter().all(|deal| text(deal, "audit").contains("12000")), "{deals:#?}");
    }
    stage.close().await;
}
