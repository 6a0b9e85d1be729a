//! `/updated/` and `/deleted/`: which rows changed or went away in a span of whole minutes.

use super::Salesforce;
use super::call::{Reply, SalesforceCall, Step};
use super::metadata::Object;
use super::refusal::{SalesforceOutcome, method_not_allowed, not_modelled, refuse};
use super::store::SalesforceRow;
use super::times::{date_time, instant, minute, stamp};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

impl Salesforce {
    pub(super) fn replicate(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        deleted: bool,
    ) -> SalesforceOutcome<Reply> {
        if step.method != "GET" {
            return Err(method_not_allowed(&step.method, "HEAD,GET"));
        }
        if !object.replicateable {
            return Err(not_modelled(format!("replication of {}", object.name)));
        }
        step.only(&["start", "end"])?;
        let time = |name: &str| {
            let text = step.parameter(name)?.unwrap_or_default();
            date_time(&text).map(minute).ok_or_else(|| not_modelled(format!("`{name}={text}`")))
        };
        let (start, end) = (time("start")?, time("end")?);
        let refused = |text: &str| refuse(400, "INVALID_REPLICATION_DATE", text);
        if start >= end {
            return Err(refused("startDate must be before endDate"));
        }
        let days = if deleted { 15 } else { 30 };
        let earliest = call.now - SignedDuration::from_hours(24 * days);
        if start < earliest || (deleted && start < self.deleted_log_since) {
            return Err(refused("startDate before org replication enabled date"));
        }
        let within = |at: &str| instant(at).is_some_and(|at| start <= at && at < end);
        let stamped = |row: &SalesforceRow| row["SystemModstamp"].as_str().is_some_and(within);
        let rows = self.rows.get(&object.name).into_iter().flatten();
        let covered = json!(stamp(self.covered(end, call.now)));
        let body = if deleted {
            let in_bin = rows.filter(|(_, row)| row["IsDeleted"] == json!(true) && stamped(row));
            let in_bin = in_bin.map(|(id, row)| json!({ "id": id, "deletedDate": row["SystemModstamp"] }));
            let purged = self.purged.iter().filter(|(name, _, at)| *name == object.name && within(at));
            let purged = purged.map(|(_, id, at)| json!({ "id": id, "deletedDate": at }));
            let records: Vec<_> = in_bin.chain(purged).collect();
            self.check_count(records.len())?;
            json!({ "deletedRecords": records, "earliestDateAvailable": stamp(self.deleted_log_since),
                    "latestDateCovered": covered })
        } else {
            let ids: Vec<&String> = rows
                .filter(|(_, row)| row["IsDeleted"] != json!(true) && stamped(row))
                .map(|(id, _)| id)
                .collect();
            self.check_count(ids.len())?;
            json!({ "ids": ids, "latestDateCovered": covered })
        };
        Ok(Reply::new(200, body))
    }

    /// Not after the start of the oldest transaction that still runs, nor after now.
    fn covered(&self, end: Timestamp, now: Timestamp) -> Timestamp {
        let open = self.open.values().map(|open| open.since).min();
        [Some(end), Some(minute(now)), open.map(minute)].into_iter().flatten().min().unwrap_or(end)
    }

    fn check_count(&self, count: usize) -> SalesforceOutcome<()> {
        match count > self.switches.replication_ids {
            true => Err(refuse(400, "EXCEEDED_ID_LIMIT", "too many ids")),
            false => Ok(()),
        }
    }
}
