//! The Sales Team of an opportunity: connections, of which only those to a role of its category count.

use super::open;
use crate::deal::text;
use serde_json::json;
use simulators::dataverse::{INTEGRATION_USER, OTHER_SELLER, STAKEHOLDER_ROLE};

crate::faults::whatever_fails! {
    t25_a_colleague_of_the_sales_team_joins_the_referral_and_leaves_it,
}

fn addresses(list: &serde_json::Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|person| text(person, "email")).collect()
}

#[tokio::test]
async fn t25_a_colleague_of_the_sales_team_joins_the_referral_and_leaves_it() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(false).await;
    let colleague = stage.join_team(&id, OTHER_SELLER);
    stage.sell(
        "connections",
        json!({ "record1id_opportunity@odata.bind": format!("/opportunities({id})"),
                "record2id_systemuser@odata.bind": format!("/systemusers({INTEGRATION_USER})"),
                "record2roleid@odata.bind": format!("/connectionroles({STAKEHOLDER_ROLE})") }),
    );
    stage.poll().await;
    let team = || addresses(&stage.referral(&referral)["team"]);
    assert_eq!(team(), ["sara.klein@partner.example", "tom.abara@partner.example"]);
    stage.delete("connections", &colleague);
    // Connections are not tracked as they come: the daily round finds who was taken off.
    stage.advance(24 * 60 * 60);
    stage.poll().await;
    stage.poll().await;
    assert_eq!(team(), ["sara.klein@partner.example"]);
    stage.close().await;
}
