//! Custom objects, fields, picklist values, external ids and the permission set of Salesforce. What is missing is
//! deployed as one, from the shipped metadata; what is there and incomplete is changed; nothing is made twice.

use super::{CALL, is_over};
use crate::{
    App,
    columns::salesforce::{self as columns, Twins, missing_values, twin},
    report::Report,
};
use clients::{
    config,
    crm::salesforce::{
        SOLUTION_LOOKUPS, Salesforce,
        describe::Described,
        object_of_table,
        provision::{
            deploy::Deployment,
            rights::{ObjectRights, PERMISSION_SET},
            shipped::{FIELDS, OBJECTS},
            tooling::{Change, Definitions},
        },
    },
    http::Http,
    outside,
    token::Tokens,
};
use jiff::Timestamp;
use mapping::{WantedColumn, WantedTable};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use sync::failure::{Class, Failure, System};

/// How often and how long a deployment is waited for.
const PAUSE: Duration = Duration::from_secs(3);
const LOOKS: u32 = 80;

/// Objects and fields (object and name) to be made.
#[derive(Default)]
struct Missing {
    objects: BTreeSet<&'static str>,
    fields: BTreeSet<(&'static str, &'static str)>,
}

/// Makes what is missing; what was made is said as it is made.
pub(super) async fn make(
    app: &App,
    worker: &outside::App,
    admin: &Salesforce,
    username: &str,
    ends: Timestamp,
    made: &mut Vec<String>,
    report: &mut Report,
) -> Result<(), Failure> {
    let wanted = worker.map.wanted_columns();
    let tables = columns::tables(&wanted);
    let names: Vec<&str> =
        tables.iter().filter(|t| **t != WantedTable::Owner).map(|t| object_of_table(*t)).collect();
    let known = admin.definitions(&names).await?;
    let seen = columns::described(admin, tables.iter().copied()).await?;
    let missing = missing(worker, &wanted, &known, &seen, report);
    if !missing.fields.is_empty() || !missing.objects.is_empty() {
        deploy(app, worker, admin, &missing, ends, report).await?;
        if !report.ok && !deployed(admin, &names, &missing).await? {
            return Ok(());
        }
        made.extend(missing.objects.iter().map(|name| format!("object `{name}`")));
        made.extend(missing.fields.iter().map(|(object, name)| format!("field `{object}.{name}`")));
    }
    let there = |column: &&WantedColumn| {
        let object = object_of_table(column.table);
        let by_us = missing.fields.iter().any(|(o, n)| (*o, *n) == (object, column.name.as_str()));
        by_us || known.fields.contains_key(&(object.to_owned(), column.name.clone()))
    };
    let is_everybodys = |column: &&WantedColumn| {
        let field = seen.get(&column.table).and_then(|object| object.fields.get(&column.name));
        field.is_some_and(|field| !field.permissionable)
    };
    let custom = wanted.iter().filter(|column| column.name.ends_with("__c") && !is_everybodys(column));
    let custom = custom.filter(there);
    let fields = custom.map(|c| (object_of_table(c.table).to_owned(), c.name.clone())).collect();
    grant(admin, username, &tables, &fields, made, report).await?;
    if let clients::crm::Crm::Salesforce(own) = &worker.outside.crm {
        complete(worker, own, admin, &wanted, &known, made, report).await?;
    }
    Ok(())
}

/// What of the shipped metadata is not there; what is wanted, not there and not ours is a fault.
fn missing(
    worker: &outside::App,
    wanted: &[WantedColumn],
    known: &Definitions,
    seen: &BTreeMap<WantedTable, Described>,
    report: &mut Report,
) -> Missing {
    let mut missing = Missing::default();
    let mut twins = Twins::default();
    let is_known =
        |object: &str, name: &str| known.fields.contains_key(&(object.to_owned(), name.to_owned()));
    for column in wanted.iter().filter(|column| column.name.ends_with("__c")) {
        let object = object_of_table(column.table);
        if is_known(object, &column.name) {
            continue;
        }
        // Those that field-level security hides have a name and nothing else.
        let described = seen.get(&column.table);
        let names = known.fields.keys().filter(|(o, _)| o == object).map(|(_, name)| name.as_str());
        let fields = names.map(|name| (name, described.and_then(|d| d.fields.get(name))));
        if let Some(other) = twin(&worker.map, wanted, column, fields) {
            twins.add(column, &other);
            continue;
        }
        match FIELDS.iter().find(|(o, name, _)| (*o, *name) == (object, column.name.as_str())) {
            Some((object, name, _)) => _ = missing.fields.insert((object, name)),
            None => report.fault(
                format!("`{object}.{}` ({}) is not there, and not ours to make", column.name, column.label),
                &format!("make it in Object Manager, or name another one in the map (`{}`)", column.at),
            ),
        }
    }
    let solution = object_of_table(WantedTable::Solution);
    if columns::tables(wanted).contains(&WantedTable::Solution) {
        let objects = OBJECTS.iter().map(|(name, _)| *name);
        missing.objects.extend(objects.filter(|name| !known.objects.contains_key(*name)));
        let lookups = FIELDS.iter().filter(|(o, name, _)| *o == solution && SOLUTION_LOOKUPS.contains(name));
        let lookups = lookups.map(|(object, name, _)| (*object, *name));
        missing.fields.extend(lookups.filter(|(object, name)| !is_known(object, name)));
    }
    twins.told(wanted, report);
    missing
}

/// Starts the deployment and waits for its end.
async fn deploy(
    app: &App,
    worker: &outside::App,
    admin: &Salesforce,
    missing: &Missing,
    ends: Timestamp,
    report: &mut Report,
) -> Result<(), Failure> {
    let id = admin.deploy(&missing.objects, &missing.fields).await?;
    let mut at = String::new();
    for _ in 0..LOOKS {
        match admin.deployment(&id).await? {
            Deployment::Succeeded => return Ok(()),
            Deployment::Failed(words) => {
                for words in words {
                    report.fault(
                        format!("not deployed, and so nothing is: {words}"),
                        "mend it, then `provision` again; or deploy `shared/salesforce` with the Salesforce CLI",
                    );
                }
                return Ok(());
            }
            Deployment::Running(status) => at = status,
        }
        if is_over(worker, ends) {
            break;
        }
        app.pause(PAUSE).await;
    }
    report.fault(
        format!("the deployment `{id}` is not done yet ({at})"),
        "wait for it (Setup, Deployment Status), then `provision` again: it goes on from there",
    );
    Ok(())
}

/// Whether it is there after all: earlier faults are of other things.
async fn deployed(admin: &Salesforce, objects: &[&str], missing: &Missing) -> Result<bool, Failure> {
    let known = admin.definitions(objects).await?;
    let has = |object: &str, name: &str| known.fields.contains_key(&(object.to_owned(), name.to_owned()));
    Ok(missing.fields.iter().all(|(object, name)| has(object, name)))
}

async fn grant(
    admin: &Salesforce,
    username: &str,
    tables: &[WantedTable],
    fields: &BTreeSet<(String, String)>,
    made: &mut Vec<String>,
    report: &mut Report,
) -> Result<(), Failure> {
    // Rights on deals need those on customers, rights on their rows those on deals.
    let order = [
        WantedTable::Account,
        WantedTable::Contact,
        WantedTable::Lead,
        WantedTable::Opportunity,
        WantedTable::SolutionDetail,
        WantedTable::Solution,
    ];
    let rights = order.iter().filter(|table| tables.contains(table)).map(|table| {
        let delete = *table == WantedTable::Solution;
        (object_of_table(*table), ObjectRights { delete, view_all: true })
    });
    let Some(granted) = admin.grant(username, &rights.collect::<Vec<_>>(), fields).await? else {
        report.fault(
            format!("there is no user `{username}`: nothing is granted"),
            "SalesforceUsername must be the connector's user, also with client credentials",
        );
        return Ok(());
    };
    if granted.set {
        made.push(format!("permission set `{PERMISSION_SET}`"));
    }
    made.extend(granted.objects.iter().map(|name| format!("rights on object `{name}`")));
    made.extend(granted.fields.iter().map(|name| format!("rights on field `{name}`")));
    if granted.assigned {
        made.push(format!("the permission set's assignment to `{username}`"));
    }
    Ok(())
}

/// Fields of ours that are there and lack something: unique external ids, picklist values.
async fn complete(
    worker: &outside::App,
    own: &Salesforce,
    admin: &Salesforce,
    wanted: &[WantedColumn],
    known: &Definitions,
    made: &mut Vec<String>,
    report: &mut Report,
) -> Result<(), Failure> {
    let seen = columns::described(own, columns::tables(wanted)).await?;
    for column in wanted.iter().filter(|column| worker.map.is_ours(&column.name)) {
        let object = object_of_table(column.table);
        let id = known.fields.get(&(object.to_owned(), column.name.clone()));
        let field = seen.get(&column.table).and_then(|object| object.fields.get(&column.name));
        let (Some(id), Some(field)) = (id, field) else { continue };
        let name = format!("{object}.{}", column.name);
        let values = missing_values(column, field);
        let mut changes = vec![];
        if column.key && !(field.unique && field.external_id) {
            changes.push((Change::Key, format!("unique external id `{name}`")));
        }
        if !values.is_empty() {
            let words = format!("values of `{name}`: {}", values.join(", "));
            changes.push((Change::Values(values), words));
        }
        for (change, words) in changes {
            match admin.change_field(id, &change).await {
                Ok(true) => made.push(words),
                Ok(false) => report.fault(
                    format!("not made: {words}"),
                    "its values are shared with other fields: add them there (Setup, Picklist Value Sets)",
                ),
                Err(failure) if failure.is_retryable() => return Err(failure),
                Err(failure) => report.fault(
                    format!("not made: {words}: {}", failure.text),
                    "rows share a value? Mend them, then `provision` again",
                ),
            }
        }
    }
    Ok(())
}

/// The CRM as an administrator sees it.
pub(super) async fn administrator(
    app: &App,
    worker: &outside::App,
    config: &config::SalesforceConfig,
    arn: &str,
) -> Result<Salesforce, Failure> {
    let unusable = |text: String| Failure {
        system: System::Crm,
        operation: format!("fetch secret `{arn}`"),
        class: Class::Permanent,
        wide: false,
        text,
    };
    let secret = app.secrets.fetch(System::Crm, arn).await?;
    let member = |name: &str| {
        let value = secret.member(name).ok_or_else(|| unusable(format!("the secret has no `{name}`")))?;
        Ok::<_, Failure>(value.expose().to_owned())
    };
    let administrator = config::SalesforceConfig {
        client_id: member("client_id")?,
        username: member("username")?,
        secret_arn: arn.to_owned(),
        ..config.clone()
    };
    let http = Http::new(CALL).map_err(|e| unusable(e.to_string()))?;
    let clock = worker.outside.clock.clone();
    let tokens = Tokens::salesforce(http.clone(), app.secrets.clone(), clock, &administrator);
    Ok(Salesforce::new(http, Arc::new(tokens), &config.api_version, worker.map.clone()))
}
