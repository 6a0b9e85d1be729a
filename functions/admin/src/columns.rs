//! The CRM's own metadata held against the map: what the map names must be there, fit, and be followed. A file per CRM.

pub(crate) mod dynamics;
pub(crate) mod salesforce;

use crate::report::Report;
use clients::crm::Crm;
use mapping::Map;
use sync::failure::Failure;

/// Everything of the map that the CRM does not have, or not so.
pub(crate) async fn check(crm: &Crm, map: &Map, report: &mut Report) -> Result<(), Failure> {
    match crm {
        Crm::Dynamics(crm) => dynamics::check(crm, map, report).await,
        Crm::Salesforce(crm) => salesforce::check(crm, map, report).await,
    }
}
