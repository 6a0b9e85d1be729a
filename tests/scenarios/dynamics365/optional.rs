//! What an organisation takes by its override only: the old Products field, the registration of deals.

use super::mapped;
use crate::deal::{SOLUTION, Stage, text};
use serde_json::json;

crate::faults::whatever_fails! {
    solutions_named_in_the_old_products_field_are_sent_with_those_of_the_rows,
    whoever_registers_deals_is_told_in_time_what_that_asks_for,
    a_country_that_is_a_lookup_goes_both_ways_by_its_code,
    a_won_deal_says_until_when_it_can_be_registered,
}

fn solutions(stage: &Stage, referral: &str) -> Vec<String> {
    let referral = stage.referral(referral);
    let solutions = referral["details"]["requirements"]["solutions"].as_array().expect("a list");
    solutions.iter().map(|solution| text(solution, "id")).collect()
}

#[tokio::test]
async fn solutions_named_in_the_old_products_field_are_sent_with_those_of_the_rows() {
    let stage = mapped(["[fields.solutions]\nfurther = \"new_products\"\n", ""]).await;
    let id = stage.deal(json!({ "new_products": "SOL-77777-XYZ" }));
    stage.edit("opportunities", &id, json!({ "cosell_syncwithpartnercenter": true }));
    stage.poll().await;
    let referral = text(&stage.opportunity(), "cosell_referralid");
    assert_eq!(solutions(&stage, &referral), ["SOL-77777-XYZ"], "no row is needed");
    stage.edit("opportunities", &id, json!({ "new_products": "SOL-77777-XYZ; SOL-88888-TUV" }));
    stage.poll().await;
    assert_eq!(
        solutions(&stage, &referral),
        ["SOL-77777-XYZ", "SOL-88888-TUV"],
        "the text alone was changed"
    );
    stage.add_solution(&id);
    stage.edit("opportunities", &id, json!({ "new_products": "SOL-88888-TUV" }));
    stage.poll().await;
    assert_eq!(solutions(&stage, &referral), ["SOL-88888-TUV", SOLUTION]);
    assert_eq!(stage.opportunity()["new_products"], "SOL-88888-TUV", "read, never written");
    stage.close().await;
}

#[tokio::test]
async fn a_country_that_is_a_lookup_goes_both_ways_by_its_code() {
    let lookup =
        "crm = \"account.new_CountryId\"\nlookup = { table = \"new_country\", column = \"new_isocode\" }\n";
    let stage = mapped([&format!("[fields.country]\n{lookup}"), ""]).await;
    let land = |name, code| stage.sell("new_countries", json!({ "new_name": name, "new_isocode": code }));
    let (germany, britain) = (land("Deutschland", "DE"), land("Vereinigtes Königreich", "GB"));
    let id = stage.deal(json!({}));
    stage.add_solution(&id);
    let account = text(&stage.rows("accounts")[0], "accountid");
    let germany = json!({ "address1_country": null,
                          "new_CountryId@odata.bind": format!("/new_countries({germany})") });
    stage.edit("accounts", &account, germany);
    stage.edit("opportunities", &id, json!({ "cosell_syncwithpartnercenter": true }));
    stage.poll().await;
    let own = text(&stage.opportunity(), "cosell_referralid");
    assert_eq!(stage.referral(&own)["customerProfile"]["address"]["country"], "DE");
    stage.refer(json!({ "customerProfile": { "name": "Harbor Line GmbH", "address": { "country": "GB" } } }));
    stage.rest().await;
    let accounts = stage.rows("accounts");
    let new = accounts.iter().find(|row| row["name"] == "Harbor Line GmbH").expect("its account");
    assert_eq!(text(new, "_new_countryid_value"), britain);
    stage.close().await;
}

const HINTS: &str = "[switches]\nregistration_hints = true\n";

#[tokio::test]
async fn whoever_registers_deals_is_told_in_time_what_that_asks_for() {
    let stage = mapped([HINTS, ""]).await;
    let (id, _) = stage.in_step().await;
    let audit = text(&stage.opportunity(), "cosell_audit");
    assert!(
        audit.contains("(72 hours), at USD 25,000 or more") && audit.contains("within 60 days"),
        "{audit}"
    );
    stage.advance(3600);
    stage.win(&id);
    stage.poll().await;
    let told = stage.call(json!({ "command": "explain", "record": id })).await.to_string();
    assert!(told.contains("may refuse to register it: it was won"), "{told}");
    stage.close().await;
}

#[tokio::test]
async fn a_won_deal_says_until_when_it_can_be_registered() {
    let stage = mapped([HINTS, ""]).await;
    let (referral, id) = stage.inbound_in_step().await;
    stage.advance(73 * 3600);
    stage.act(&referral, "won");
    stage.rest().await;
    let told = stage.call(json!({ "command": "explain", "record": id })).await.to_string();
    assert!(told.contains("can be registered with Microsoft within 60 days"), "{told}");
    stage.close().await;
}
