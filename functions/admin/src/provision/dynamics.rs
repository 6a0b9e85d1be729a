//! Tables, columns, lookups and keys of Dataverse.

use super::{CALL, is_over, out_of_time};
use crate::{App, columns::dynamics as columns, forms, report::Report};
use clients::{
    crm::dynamics::{
        Dynamics,
        definitions::{ACTIVE, FAILED, table_name},
    },
    http::Http,
    outside,
    token::{Grant, Tokens},
};
use jiff::Timestamp;
use mapping::{WantedColumn, WantedTable};
use std::{sync::Arc, time::Duration};
use sync::failure::{Class, Failure, System};

/// How often and how long keys are waited for.
const PAUSE: Duration = Duration::from_secs(5);
const LOOKS: u32 = 24;

/// Which right is missing, if one is.
pub(crate) fn right_for(failure: &Failure) -> Option<&'static str> {
    let says = |words: &str| failure.text.contains(words);
    if says("0x80072560") {
        return Some("add the application of CrmAdminSecretArn as application user of the environment");
    }
    ["0x80040220", "0x80048306", "0x80040231"].into_iter().any(says).then_some(
        "the application user of CrmAdminSecretArn needs the role System Customizer (or System Administrator): create and write on Entity, Attribute, Relationship, Entity Key, System Form, Solution and Publisher",
    )
}

/// Makes what is missing; what was made is said as it is made.
pub(super) async fn make(
    app: &App,
    worker: &outside::App,
    dynamics: &Dynamics,
    ends: Timestamp,
    made: &mut Vec<String>,
    report: &mut Report,
) -> Result<(), Failure> {
    let wanted = worker.map.wanted_columns();
    if dynamics.make_solution().await? {
        made.push("the solution CosellConnector, which everything else is part of".to_owned());
    }
    let mut tables = columns::tables(dynamics, &wanted).await?;
    // The catalogue first: rows of Microsoft Solutions lead to it.
    for table in [WantedTable::SolutionDetail, WantedTable::Solution] {
        let name = table_name(table);
        let named = wanted.iter().any(|column| column.table == table);
        if named && !tables.contains_key(&table) {
            dynamics.make_table(table).await?;
            made.push(format!("table `{name}`"));
            if let Some(new) = dynamics.table(name).await? {
                tables.insert(table, new);
            }
        }
    }
    let missing = |column: &&WantedColumn| {
        tables.get(&column.table).is_none_or(|table| !table.columns.contains_key(&column.name))
    };
    for column in wanted.iter().filter(missing) {
        let name = format!("{}.{}", table_name(column.table), column.name);
        if !worker.map.is_ours(&column.name) || !tables.contains_key(&column.table) {
            report.fault(
                format!("`{name}` ({}) is not there, and not ours to make", column.label),
                "make it in the CRM, or name another one in the map",
            );
            continue;
        }
        if out_of_time(worker, ends, report) {
            return Ok(());
        }
        dynamics.make_column(column).await?;
        made.push(format!("column `{name}` ({})", column.label));
    }
    if let Some(table) = tables.get(&WantedTable::Solution) {
        for lookup in dynamics.make_lookups(table).await? {
            made.push(format!("lookup `{}.{lookup}`", table_name(WantedTable::Solution)));
        }
    }
    let keys: Vec<&WantedColumn> = wanted.iter().filter(|column| column.key).collect();
    for column in &keys {
        let known = tables.get(&column.table).is_some_and(|table| table.key_of(&column.name).is_some());
        if !known && worker.map.is_ours(&column.name) {
            dynamics.make_key(column).await?;
            made.push(format!("key `{}.{}`", table_name(column.table), column.name));
        }
    }
    if !out_of_time(worker, ends, report) {
        forms::give(dynamics, &worker.map, |table| tables.contains_key(&table), made, report).await?;
    }
    wait_for_keys(app, worker, dynamics, &keys, ends, report).await
}

/// A key holds nothing back until its index is built.
async fn wait_for_keys(
    app: &App,
    worker: &outside::App,
    dynamics: &Dynamics,
    keys: &[&WantedColumn],
    ends: Timestamp,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut waiting: Vec<(&WantedColumn, String)> =
        keys.iter().map(|column| (*column, String::new())).collect();
    for _ in 0..LOOKS {
        let mut still = vec![];
        for (column, _) in waiting {
            let table = dynamics.table(table_name(column.table)).await?.unwrap_or_default();
            match table.key_of(&column.name) {
                Some(ACTIVE) => {}
                Some(FAILED) => report.fault(
                    format!("the key of `{}.{}` failed", table_name(column.table), column.name),
                    "rows share a value there: mend them, reactivate the key (Power Apps: Tables, Keys), then `doctor`",
                ),
                Some(state) => still.push((column, state.to_owned())),
                None => {}
            }
        }
        waiting = still;
        if waiting.is_empty() || is_over(worker, ends) {
            break;
        }
        app.pause(PAUSE).await;
    }
    for (column, state) in waiting {
        report.warn(
            format!("the key of `{}.{}` is {state}", table_name(column.table), column.name),
            "Dataverse builds it by itself; look again with `doctor`",
        );
    }
    Ok(())
}

/// The CRM as an administrator sees it.
pub(crate) async fn administrator(
    app: &App,
    worker: &outside::App,
    config: &clients::config::DynamicsConfig,
    arn: &str,
) -> Result<Dynamics, Failure> {
    let unusable = |text: String| Failure {
        system: System::Crm,
        operation: format!("fetch secret `{arn}`"),
        class: Class::Permanent,
        wide: false,
        text,
    };
    let secret = app.secrets.fetch(System::Crm, arn).await?;
    let client =
        secret.member("client_id").ok_or_else(|| unusable("the secret has no `client_id`".into()))?;
    let http = Http::new(CALL).map_err(|e| unusable(e.to_string()))?;
    let grant = Grant::client_credentials(&config.login_url, &config.tenant_id, client.expose());
    let clock = worker.outside.clock.clone();
    let tokens = Tokens::new(http.clone(), app.secrets.clone(), clock, System::Crm, grant, arn, false);
    Ok(Dynamics::new(http, Arc::new(tokens), &config.url, worker.map.clone()))
}
