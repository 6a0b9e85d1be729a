//! Secrets as administrators paste them.

use super::CRM;
use crate::deal::Stage;
use local::world::{Options, World};
use mapping::CrmKind;
use serde_json::json;
use simulators::{login, salesforce};

/// A world that has not signed in anywhere yet.
async fn closed() -> World {
    World::start(Options { twice: true, crm: Some(CRM), ..Options::default() })
        .await
        .expect("the world starts")
}

/// The secrets of Partner Center and of the CRM.
fn store(world: &World, partner_center: &str, crm: &str) {
    let mut aws = world.aws.system();
    aws.put_secret("partner-center", partner_center);
    aws.put_secret("crm", crm);
}

#[tokio::test]
async fn k6_2_a_mark_before_a_secret_and_blanks_around_its_members_are_no_part_of_it() {
    let world = closed().await;
    let partner = json!({ "client_secret": format!("{}\r\n", login::PARTNER_SECRET),
                          "refresh_token": format!(" {}\n", login::REFRESH_TOKEN) });
    let crm = match CRM {
        CrmKind::Dynamics365 => json!({ "client_secret": format!("{}\n", login::DYNAMICS_SECRET) }),
        // Its line breaks became blanks in a console's field.
        CrmKind::Salesforce => json!({ "private_key": salesforce::PRIVATE_KEY_PEM.replace('\n', " ") }),
    };
    store(&world, &format!("\u{feff}{partner:#}\r\n"), &format!("\u{feff}{crm}"));
    let stage = Stage::of(world).await;
    stage.cosell_deal();
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}

#[tokio::test]
async fn k6_2_a_broken_secret_is_told_by_its_place_and_heals() {
    let world = closed().await;
    let right = world.aws.system().secret("crm").expect("a secret");
    world.aws.system().put_secret("crm", &format!("{{\n  \"hush\": hush\n{}", &right[1..]));
    let told = world.call(json!({ "command": "doctor" })).await.to_string();
    assert!(told.contains("it breaks at line 2 column 11") && !told.contains("hush"), "{told}");
    world.aws.system().put_secret("crm", &right);
    let stage = Stage::of(world).await;
    stage.cosell_deal();
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}
