//! The field map's override in the table: checked whole before it takes effect, with all that were ever set.

use crate::{columns, command::MapAction, report::Report};
use clients::outside::App;
use mapping::Map;
use serde_json::json;
use sync::{
    failure::Failure,
    ports::Links,
    table::{Change, Expect, Item, Key, Row, StoredMap},
};

/// One action on the override. Needs no map itself: an unusable one is mended here.
pub(crate) async fn map(app: &crate::App, action: MapAction) -> Result<Report, Failure> {
    let worker = app.live.last();
    let links = &worker.outside.links;
    let active = links.read(&[Key::active_map()]).await?.pop().flatten();
    let mut report = Report::default();
    match action {
        MapAction::Check(toml) => check(&mut report, &worker, &toml).await,
        MapAction::Set(toml) => {
            check(&mut report, &worker, &toml).await;
            if report.ok {
                set(&mut report, links, worker.outside.clock.now(), active, toml).await?;
            }
        }
        MapAction::Show => match stored(active.as_ref()) {
            Some(map) if !map.toml.trim().is_empty() => {
                report.good(format!("version {}, since {}", map.version, map.at));
                report.data = json!({ "version": map.version, "map": map.toml });
            }
            _ => report.good("the default map, nothing laid over it"),
        },
        MapAction::History => {
            let rows = links.partition(&Key::active_map().pk).await?;
            let versions: Vec<&StoredMap> =
                rows.iter().filter(|row| row.key != Key::active_map()).filter_map(of).collect();
            for map in &versions {
                let lines = map.toml.lines().filter(|line| !line.trim().is_empty()).count();
                report.good(format!("version {}, set {}: {lines} lines", map.version, map.at));
            }
            if versions.is_empty() {
                report.good("none was ever set: the default map");
            }
            report.data = json!(versions);
        }
        MapAction::Rollback(version) => {
            let Some(now) = stored(active.as_ref()).map(|map| map.version) else {
                return Ok(Report::fault_only("none was ever set: the default map is in effect", ""));
            };
            let wanted = version.unwrap_or(now.saturating_sub(1));
            let toml = match links.read(&[Key::map(wanted)]).await?.pop().flatten().as_ref().and_then(of) {
                Some(map) => map.toml.clone(),
                None if wanted == 0 => String::new(),
                None => {
                    let cure = "see {\"command\": \"map\", \"action\": \"history\"}";
                    return Ok(Report::fault_only(format!("there is no version {wanted}"), cure));
                }
            };
            // What was good once may not be after an upgrade.
            check(&mut report, &worker, &toml).await;
            if report.ok {
                report.good(match wanted {
                    0 => "back to the default map".to_owned(),
                    wanted => format!("back to what version {wanted} said"),
                });
                set(&mut report, links, worker.outside.clock.now(), active, toml).await?;
            }
        }
    }
    Ok(report)
}

/// By the form of maps, then by the CRM's own metadata. A CRM that is out of reach keeps nobody from mending a map.
async fn check(report: &mut Report, worker: &App, toml: &str) {
    match Map::with_override(worker.map.crm(), toml) {
        Ok(map) => {
            report.good(format!("the map is without fault ({})", map.hash()));
            if let Err(failure) = columns::check(&worker.outside.crm, &map, report).await {
                report.warn(format!("not held against the CRM: {failure}"), "`doctor` does it later");
            }
        }
        Err(faults) => {
            for fault in faults {
                report.fault(fault.to_string(), "");
            }
        }
    }
}

async fn set(
    report: &mut Report,
    links: &impl Links,
    at: jiff::Timestamp,
    active: Option<Row>,
    toml: String,
) -> Result<(), Failure> {
    let expect = active.as_ref().map_or(Expect::Absent, |row| Expect::Rev(row.rev));
    let version = stored(active.as_ref()).map_or(0, |map| map.version) + 1;
    let map = Item::Map(StoredMap { version, toml, at });
    let changes = vec![
        Change::put(Key::active_map(), expect, map.clone()),
        Change::put(Key::map(version), Expect::Absent, map),
    ];
    if links.commit(changes).await? {
        tracing::info!(decision = "map", version, "a new field map was set");
        report.good(format!("version {version} is in effect within a minute"));
        report.data = json!({ "version": version });
    } else {
        report.fault("somebody else set another map just now", "look at it, then try again");
    }
    Ok(())
}

fn stored(row: Option<&Row>) -> Option<&StoredMap> {
    row.and_then(of)
}

fn of(row: &Row) -> Option<&StoredMap> {
    match &row.item {
        Item::Map(map) => Some(map),
        _ => None,
    }
}
