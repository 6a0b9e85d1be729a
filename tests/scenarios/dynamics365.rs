//! What holds with Dynamics 365 only, and, below `both/`, what holds with both CRMs.

use crate::deal::Stage;
use mapping::CrmKind;

mod admin;
mod feeds;
mod leads;
mod team;

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
mod optional;
#[path = "both/pasted.rs"]
mod pasted;
#[path = "both/rights.rs"]
mod rights;
mod rows;
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

const CRM: CrmKind = CrmKind::Dynamics365;

async fn open() -> Stage {
    Stage::of_crm(CRM).await
}

/// With this map's rules laid over the standard ones; those for Salesforce come second.
async fn mapped([toml, _]: [&str; 2]) -> Stage {
    Stage::mapped(CRM, toml).await
}
