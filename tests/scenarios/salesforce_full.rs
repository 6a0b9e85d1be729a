//! Salesforce with opportunity teams and places as picklists on: the scenarios in which records are created, converted
//! and changed, since there it asks for more rows and sends other columns.

use crate::deal::Stage;
use local::world::Options;
use mapping::CrmKind;

#[path = "both/closing.rs"]
mod closing;
#[path = "salesforce/conversion.rs"]
mod conversion;
#[path = "both/create.rs"]
mod create;
#[path = "both/inbound.rs"]
mod inbound;
#[path = "salesforce/leads.rs"]
mod leads;
#[path = "both/left_out.rs"]
mod left_out;
#[path = "both/many.rs"]
mod many;
#[path = "both/microsoft.rs"]
mod microsoft;
#[path = "both/update.rs"]
mod update;

const CRM: CrmKind = CrmKind::Salesforce;

async fn open() -> Stage {
    mapped([""; 2]).await
}

async fn mapped([_, toml]: [&str; 2]) -> Stage {
    let map = Some(toml.to_owned());
    Stage::with(Options { twice: true, crm: Some(CRM), map, full: true, ..Options::default() }).await
}
