//! The field map's override in the table: checked whole before it takes effect; every version that was set is kept.

use crate::{
    anew::{self, Looks},
    columns,
    command::MapAction,
    report::Report,
};
use clients::{config::Right, outside::App};
use jiff::Timestamp;
use mapping::{Map, Readings};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};
use sync::{
    failure::Failure,
    ports::Links,
    table::{Change, Expect, Item, Key, Row, StoredMap},
};

/// One action on the override. Works without a usable map: this command is how an unusable one is replaced.
pub(crate) async fn map(app: &crate::App, action: MapAction, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await.unwrap_or_else(|_| app.live.last());
    let links = &worker.outside.links;
    let active = active(&worker).await?;
    let mut report = Report::default();
    match action {
        MapAction::Check(toml, all) => {
            let looks = Looks { all, values: app.config.right == Right::Act, ends };
            check(&mut report, &worker, stored(active.as_ref()), &toml, looks).await;
        }
        MapAction::Set(toml) => {
            let looks = Looks { all: false, values: true, ends };
            check(&mut report, &worker, stored(active.as_ref()), &toml, looks).await;
            if report.ok {
                set(&mut report, &worker, active, toml).await?;
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
            let Some(now) = stored(active.as_ref()).map(|map| map.version).filter(|version| *version > 0)
            else {
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
            // A map that was accepted once may have faults since an upgrade.
            let looks = Looks { all: false, values: true, ends };
            check(&mut report, &worker, stored(active.as_ref()), &toml, looks).await;
            if report.ok {
                report.good(match wanted {
                    0 => "back to the default map".to_owned(),
                    wanted => format!("back to what version {wanted} said"),
                });
                set(&mut report, &worker, active, toml).await?;
            }
        }
    }
    Ok(report)
}

/// Checks a map's form, then its columns by the CRM's own metadata. While the CRM is out of reach the second check is a
/// warning only: a map can be corrected all the same.
async fn check(report: &mut Report, worker: &Arc<App>, active: Option<&StoredMap>, toml: &str, looks: Looks) {
    match Map::with_override(worker.map.crm(), toml) {
        Ok(map) => {
            report.good(format!("the map is without fault ({})", map.hash()));
            if let Err(failure) = columns::check(&worker.outside.crm, &map, report).await {
                report.warn(format!("not held against the CRM: {failure}"), "`doctor` does it later");
            }
            if report.ok {
                // A column that is not known to be there is not read.
                let seen = columns::seen(&worker.outside.crm, &map).await.unwrap_or_default();
                let map = map.with_readings_before(&readings_before(worker, active)).with_seen(&seen);
                if let Err(failure) = anew::tell(report, worker, map, looks).await {
                    report.warn(
                        format!("what it does to linked deals was not looked at: {failure}"),
                        "again later",
                    );
                }
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
    worker: &Arc<App>,
    active: Option<Row>,
    toml: String,
) -> Result<(), Failure> {
    let expect = active.as_ref().map_or(Expect::Absent, |row| Expect::Rev(row.rev));
    let version = stored(active.as_ref()).map_or(0, |map| map.version) + 1;
    let readings = readings_before(worker, stored(active.as_ref()));
    let seen = seen(worker, &toml)
        .await
        .unwrap_or_else(|_| stored(active.as_ref()).map(|map| map.seen.clone()).unwrap_or_default());
    let at = worker.outside.clock.now();
    let map = StoredMap { version, toml, at, readings: Readings::new(), seen: BTreeSet::new() };
    let changes = vec![
        Change::put(Key::active_map(), expect, Item::Map(StoredMap { readings, seen, ..map.clone() })),
        Change::put(Key::map(version), Expect::Absent, Item::Map(map)),
    ];
    if worker.outside.links.commit(changes).await? {
        tracing::info!(decision = "map", version, "a new field map was set");
        report.good(format!("version {version} is in effect within a minute"));
        report.data = json!({ "version": version });
    } else {
        report.fault("somebody else set another map just now", "look at it, then try again");
    }
    Ok(())
}

/// By which rule each unit was read before links began to note that: as [`note_readings`] stored it, else by the map
/// that is in effect now.
fn readings_before(worker: &App, stored: Option<&StoredMap>) -> Readings {
    let known = stored.map(|map| &map.readings).filter(|readings| !readings.is_empty());
    let now = || {
        let toml = stored.map_or("", |map| map.toml.as_str());
        // With a map that cannot be used no unit was read.
        Map::with_override(worker.map.crm(), toml).map(|map| map.readings()).unwrap_or_default()
    };
    known.cloned().unwrap_or_else(now)
}

/// Stores once by which rule each unit is read: links from before they noted that were read by these rules.
pub(crate) async fn note_readings(worker: &App) -> Result<(), Failure> {
    let active = active(worker).await?;
    let map = or_default(worker, stored(active.as_ref()));
    if !map.readings.is_empty() {
        return Ok(());
    }
    let readings = readings_before(worker, stored(active.as_ref()));
    note(worker, active.as_ref(), StoredMap { readings, ..map }).await.map(drop)
}

/// Stores which optional columns the CRM has: the next run begins to use them.
pub(crate) async fn note_columns(worker: &App, report: &mut Report) -> Result<(), Failure> {
    let active = active(worker).await?;
    let map = or_default(worker, stored(active.as_ref()));
    let seen = seen(worker, &map.toml).await?;
    if seen == map.seen {
        return Ok(());
    }
    let new: Vec<String> = seen.difference(&map.seen).cloned().collect();
    if note(worker, active.as_ref(), StoredMap { seen, ..map }).await? {
        for rule in new {
            report.good(format!("`{rule}` is used from now on: its column is there"));
        }
    }
    Ok(())
}

/// The map's optional columns that the CRM has; none, if the map cannot be used.
async fn seen(worker: &App, toml: &str) -> Result<BTreeSet<String>, Failure> {
    match Map::with_override(worker.map.crm(), toml) {
        Ok(map) => columns::seen(&worker.outside.crm, &map).await,
        Err(_) => Ok(BTreeSet::new()),
    }
}

/// The version of the override that is in effect; 0: none was ever set.
pub(crate) async fn version(app: &crate::App) -> Result<u32, Failure> {
    Ok(stored(active(&app.live.last()).await?.as_ref()).map_or(0, |map| map.version))
}

async fn active(worker: &App) -> Result<Option<Row>, Failure> {
    Ok(worker.outside.links.read(&[Key::active_map()]).await?.pop().flatten())
}

fn or_default(worker: &App, stored: Option<&StoredMap>) -> StoredMap {
    let none = || StoredMap {
        version: 0,
        toml: String::new(),
        at: worker.outside.clock.now(),
        readings: Readings::new(),
        seen: BTreeSet::new(),
    };
    stored.cloned().unwrap_or_else(none)
}

/// Saves the active map with what is noted beside it. `false`: another map was set meanwhile; the next call notes it
/// there.
async fn note(worker: &App, active: Option<&Row>, map: StoredMap) -> Result<bool, Failure> {
    let expect = active.map_or(Expect::Absent, |row| Expect::Rev(row.rev));
    let change = Change::put(Key::active_map(), expect, Item::Map(map));
    worker.outside.links.commit(vec![change]).await
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
