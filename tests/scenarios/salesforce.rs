//! What holds with Salesforce only, and, below `both/`, what holds with both CRMs.

use crate::deal::Stage;
use mapping::CrmKind;

mod admin;
mod allowance;
mod conversion;
mod leads;
mod refusals;
mod sync;
mod team;
mod words;

#[path = "both/answered.rs"]
mod answered;
#[path = "both/areas.rs"]
mod areas;
#[path = "both/bad_input.rs"]
mod bad_input;
#[path = "both/bulk.rs"]
mod bulk;
#[path = "both/closing.rs"]
mod closing;
#[path = "both/conflict.rs"]
mod conflict;
#[path = "both/consent.rs"]
mod consent;
#[path = "both/create.rs"]
mod create;
#[path = "both/days.rs"]
mod days;
#[path = "both/healing.rs"]
mod healing;
#[path = "both/inbound.rs"]
mod inbound;
#[path = "both/left_out.rs"]
mod left_out;
#[path = "both/lists.rs"]
mod lists;
#[path = "both/many.rs"]
mod many;
#[path = "both/map.rs"]
mod map;
#[path = "both/merged.rs"]
mod merged;
#[path = "both/microsoft.rs"]
mod microsoft;
#[path = "both/notes.rs"]
mod notes;
#[path = "both/operation.rs"]
mod operation;
#[path = "both/pasted.rs"]
mod pasted;
#[path = "both/rights.rs"]
mod rights;
#[path = "both/rules.rs"]
mod rules;
#[path = "both/sign_in.rs"]
mod sign_in;
#[path = "both/storm.rs"]
mod storm;
#[path = "both/update.rs"]
mod update;
#[path = "both/upgrade.rs"]
mod upgrade;

const CRM: CrmKind = CrmKind::Salesforce;

async fn open() -> Stage {
    Stage::of_crm(CRM).await
}

/// With this map's rules laid over the standard ones; those for Dynamics 365 come first.
async fn mapped([_, toml]: [&str; 2]) -> Stage {
    Stage::mapped(CRM, toml).await
}
