//! Dollars, from counted requests, bytes and units, measured time, and the list prices of `prices.toml`.

use crate::{
    figure::{Figure, round},
    report::table,
};
use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

const PRICES: &str = include_str!("prices.toml");
const MILLION: f64 = 1e6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prices {
    each_million: EachMillion,
    lambda: Lambda,
    month: Month,
    deployed: Deployed,
    power_platform: PowerPlatform,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EachMillion {
    lambda_requests: f64,
    api_requests: f64,
    queue_requests: f64,
    read_units: f64,
    write_units: f64,
    scheduler_invocations: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lambda {
    gigabyte_second: f64,
    megabytes_of_one_processor: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Month {
    hours: f64,
    log_gigabyte: f64,
    secret: f64,
    alarm: f64,
    dashboard: f64,
    metric: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployed {
    ingress_megabytes: f64,
    writer_megabytes: f64,
    poller_megabytes: f64,
    alarms: f64,
    dashboards: f64,
    secrets: f64,
    metrics: f64,
    idle_polls_a_minute: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PowerPlatform {
    premium_user: f64,
    process: f64,
    application_users: f64,
}

/// Lines of a bill.
type Lines = Vec<(String, f64)>;

/// Prints both bills and the allowance; the same as JSON.
pub(crate) fn print(figures: &[Figure]) -> anyhow::Result<Value> {
    let prices: Prices = toml::from_str(PRICES)?;
    let find = |function: &str, case: &str| {
        let found = figures.iter().find(|f| f.function == function && f.case == case);
        found.with_context(|| format!("`{function}: {case}` was not measured"))
    };
    let webhook = find("ingress", "verified and enqueued")?;
    let alone = find("writer", "changed, batch of 1, upstreams 80 + 150 ms")?;
    let ten = find("writer", "changed, batch of 10, upstreams 80 + 150 ms")?;
    let tick = find("poller", "idle tick, upstreams 80 + 150 ms")?;
    let mut bills = json!({});
    for (name, work, batch) in [("one by one", alone, 1.0), ("in tens", ten, 10.0)] {
        let lines = change(&prices, webhook, work, batch);
        bills[name] = bill(&format!("a million changes that arrive {name}"), &lines);
    }
    bills["idle month"] = bill("a month in which nothing happens", &idle(&prices, tick));
    let crm = alone.each(alone.counts.crm);
    println!(
        "\nPower Platform: {:.0} requests a day for a Premium user, {:.0} for a Process licence, each action of a flow \
         one;\nof ours {crm:.2} calls to Dataverse for each change count, against the {:.0} of application users",
        prices.power_platform.premium_user,
        prices.power_platform.process,
        prices.power_platform.application_users
    );
    let rows = [5.0, 15.0, 40.0].map(|actions| {
        vec![
            format!("a flow of {actions:.0} actions for each change"),
            format!("{:.0}", prices.power_platform.premium_user / actions),
            format!("{:.0}", prices.power_platform.process / actions),
        ]
    });
    table(&["changes a day", "Premium user", "Process licence"], rows.to_vec());
    println!("here, by that pool alone: {:.0}", prices.power_platform.application_users / crm);
    Ok(bills)
}

/// From webhook to CRM.
fn change(prices: &Prices, webhook: &Figure, work: &Figure, batch: f64) -> Lines {
    let (each, deployed) = (&prices.each_million, &prices.deployed);
    let seconds = |figure: &Figure, megabytes| gigabyte_seconds(prices, figure, megabytes);
    let units = |figure: &Figure, count| figure.each(count);
    let log = units(webhook, webhook.counts.log_bytes) + units(work, work.counts.log_bytes);
    // Sent once, received and deleted with its batch.
    let queue = units(webhook, webhook.counts.queue) + 2.0 / batch + units(work, work.counts.queue);
    vec![
        line("API", 1.0, each.api_requests),
        line("Lambda requests", 1.0 + 1.0 / batch, each.lambda_requests),
        (
            "Lambda time".to_owned(),
            MILLION
                * prices.lambda.gigabyte_second
                * (seconds(webhook, deployed.ingress_megabytes)
                    + seconds(work, deployed.writer_megabytes) / batch),
        ),
        line("SQS", queue, each.queue_requests),
        line("DynamoDB reads", units(work, work.counts.read_units), each.read_units),
        line("DynamoDB writes", units(work, work.counts.write_units), each.write_units),
        ("logs".to_owned(), MILLION * log / 1e9 * prices.month.log_gigabyte),
    ]
}

fn line(name: &str, count: f64, price: f64) -> (String, f64) {
    (format!("{name} ({count:.2} each)"), count * price)
}

/// Of one run: it waits as measured, and computes as slowly as so little memory lets it.
fn gigabyte_seconds(prices: &Prices, figure: &Figure, megabytes: f64) -> f64 {
    let runs = figure.invocations().max(1) as f64;
    let processor = figure.processor().unwrap_or_default() * figure.events as f64 / runs / 1e3;
    let slower = (prices.lambda.megabytes_of_one_processor / megabytes).max(1.0);
    let milliseconds = (figure.quantile(0.5) + processor * (slower - 1.0)).ceil();
    milliseconds / 1e3 * megabytes / 1024.0
}

fn idle(prices: &Prices, tick: &Figure) -> Lines {
    let (each, month, deployed) = (&prices.each_million, &prices.month, &prices.deployed);
    let ticks = month.hours * 60.0;
    let millions = ticks / MILLION;
    let seconds = gigabyte_seconds(prices, tick, deployed.poller_megabytes);
    let mut lines = vec![
        ("Lambda requests".to_owned(), millions * each.lambda_requests),
        ("Lambda time".to_owned(), ticks * seconds * prices.lambda.gigabyte_second),
        ("schedule".to_owned(), millions * each.scheduler_invocations),
        ("DynamoDB reads".to_owned(), millions * tick.each(tick.counts.read_units) * each.read_units),
        ("DynamoDB writes".to_owned(), millions * tick.each(tick.counts.write_units) * each.write_units),
        ("SQS polls".to_owned(), millions * deployed.idle_polls_a_minute * each.queue_requests),
        ("logs".to_owned(), ticks * tick.each(tick.counts.log_bytes) / 1e9 * month.log_gigabyte),
    ];
    for (name, count, price) in [
        ("secrets", deployed.secrets, month.secret),
        ("alarms", deployed.alarms, month.alarm),
        ("dashboard", deployed.dashboards, month.dashboard),
        ("metrics", deployed.metrics, month.metric),
    ] {
        lines.push((format!("{name} ({count})"), count * price));
    }
    lines
}

fn bill(title: &str, lines: &Lines) -> Value {
    let sum: f64 = lines.iter().map(|(_, dollars)| dollars).sum();
    let mut rows: Vec<Vec<String>> =
        lines.iter().map(|(name, dollars)| vec![name.clone(), format!("{dollars:.2}")]).collect();
    rows.push(vec!["together".to_owned(), format!("{sum:.2}")]);
    println!();
    table(&[title, "dollars"], rows);
    let mut json: serde_json::Map<String, Value> =
        lines.iter().map(|(name, dollars)| (name.clone(), json!(round(*dollars)))).collect();
    json.insert("together".to_owned(), json!(round(sum)));
    Value::Object(json)
}
