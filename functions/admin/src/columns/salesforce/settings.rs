//! Settings of an org that decide what the connector can do there, each by its name in Setup.

use crate::report::Report;
use clients::crm::salesforce::Salesforce;
use mapping::Map;
use sync::failure::Failure;

/// A warning, if less than one in this number of the day's requests is left.
const FEW: u64 = 5;

/// Whether Microsoft's words can be noted at the record; if not, Audit alone says them.
pub(super) async fn notes(crm: &Salesforce, map: &Map, report: &mut Report) -> Result<(), Failure> {
    if !map.switches().microsoft_note {
        report.good("the map writes no notes");
        return Ok(());
    }
    match crm.describe("ContentNote").await? {
        Some(note) if note.createable => report.good("Notes are on (Setup, Notes Settings)"),
        _ => report.warn(
            "Notes are off, or the connector's user may not create any: what Microsoft says stands in Audit alone",
            "switch them on (Setup, Notes Settings, Enable Notes), or say `microsoft_note = false` under `[switches]` in the map",
        ),
    }
    Ok(())
}

/// Currencies, addresses, teams, and what is left of the day's requests.
pub(super) async fn tell(crm: &Salesforce, map: &Map, report: &mut Report) -> Result<(), Failure> {
    let has = async |object: &str| crm.describe(object).await.map(|described| described.is_some());
    if has("CurrencyType").await? {
        let codes = crm.currencies().await?;
        report.good(format!("currencies of the CRM: {}", codes.join(", ")));
    } else {
        report.good("the org has one currency (multi-currency is off)");
    }
    let account = crm.describe("Account").await?;
    if account.is_some_and(|account| account.fields.contains_key("BillingCountryCode")) {
        report.good("State and Country/Territory Picklists are on: addresses have codes");
    }
    if map.has_sales_team() && !has("OpportunityTeamMember").await? {
        report.good(
            "Opportunity Teams are off (Setup, Opportunity Team Settings, Enable Team Selling): the owner alone is sent",
        );
    }
    let (left, of) = crm.requests_left().await?;
    let words = format!("{left} of the org's {of} API requests of 24 hours are left");
    if left * FEW < of {
        report.warn(words, "find who uses them (Setup, Company Information): without any everything waits");
    } else {
        report.good(words);
    }
    Ok(())
}
