//! The way to try a map, played with every map we show: the README's own, each shipped example, and every rule that is off
//! by default turned on; for both CRMs.

use local::{
    check,
    world::{Options, World},
};
use mapping::{CrmKind, Map};

const README: &str = include_str!("../../shared/mapping/README.md");
const MICROSOFT: &str = include_str!("../../shared/mapping/maps/examples/dynamics365-microsoft-fields.toml");

async fn holds(crm: CrmKind, toml: &str) {
    let options = Options { crm: Some(crm), map: Some(toml.to_owned()), ..Options::default() };
    let world = World::start(options).await.expect("a map without fault");
    world.fit().expect("an organisation as the map wants it");
    let check = check::play(&world).await.expect("it is played to its end");
    let wrong = check.seen.wrong();
    assert!(wrong.is_empty(), "{wrong:#?}\nwith\n{toml}");
}

/// The README's overrides; a CRM's begin with a comment that names it.
fn of_readme(crm: &str) -> String {
    let blocks = README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let found: Vec<&str> = blocks.filter(|block| block.starts_with(&format!("# {crm}\n"))).collect();
    assert!(!found.is_empty(), "the README shows none for {crm}");
    found.concat()
}

/// Every rule that is off, turned on.
fn all_on(default: &str) -> String {
    let mut rule = "";
    let mut on = String::new();
    for line in default.lines() {
        if line.starts_with("[fields.") {
            rule = line;
        } else if line == "off = true" {
            on += &format!("{rule}\noff = false\n");
        }
    }
    assert!(on.matches("off = false").count() >= 5, "{on}");
    on
}

#[tokio::test]
async fn the_readmes_map_for_dynamics_365() {
    holds(CrmKind::Dynamics365, &of_readme("Dynamics 365")).await;
}

#[tokio::test]
async fn the_readmes_map_for_salesforce() {
    holds(CrmKind::Salesforce, &of_readme("Salesforce")).await;
}

#[tokio::test]
async fn the_example_with_the_columns_of_microsofts_connector() {
    holds(CrmKind::Dynamics365, MICROSOFT).await;
}

#[tokio::test]
async fn every_rule_that_is_off_turned_on_in_dynamics_365() {
    holds(CrmKind::Dynamics365, &all_on(include_str!("../../shared/mapping/maps/dynamics365.toml"))).await;
}

#[tokio::test]
async fn every_rule_that_is_off_turned_on_in_salesforce() {
    holds(CrmKind::Salesforce, &all_on(include_str!("../../shared/mapping/maps/salesforce.toml"))).await;
}

/// Columns, lookups and stages nobody has but this map.
#[tokio::test]
async fn columns_of_an_organisations_own() {
    holds(
        CrmKind::Dynamics365,
        "[fields.region]\nkind = \"text\"\nreferral = \"details.requirements.additionalRequirements.attributes[Region]\"\n\
         crm = \"new_RegionId\"\nlookup = { table = \"new_region\", column = \"new_code\" }\n\
         direction = \"to_partner_center\"\non = \"create\"\n[fields.notes]\ncrm = \"new_partnernotes\"\n",
    )
    .await;
    holds(
        CrmKind::Salesforce,
        "[status]\non_hold = [\"Offered\"]\n[status.crm]\n\"New/Pending\" = { stage = \"Offered\" }\n\
         \"New/Received\" = { stage = \"Offered\" }\n[fields.notes]\ncrm = \"Partner_Notes__c\"\n",
    )
    .await;
}

/// All shipped examples are played here.
#[test]
fn no_example_is_left_out() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/mapping/maps/examples");
    let files = std::fs::read_dir(folder).expect("examples").map(|file| file.expect("a file").file_name());
    let maps: Vec<String> =
        files.filter_map(|name| name.into_string().ok()).filter(|name| name.ends_with(".toml")).collect();
    assert_eq!(maps, ["dynamics365-microsoft-fields.toml"]);
    for crm in [CrmKind::Dynamics365, CrmKind::Salesforce] {
        assert!(Map::standard(crm).has_leads());
    }
}
