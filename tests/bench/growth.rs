//! Whether more links make a change dearer: the table is filled with copies, and the same change is counted again.

use crate::{figure::Figure, play::Play, poller::idle, stage::Latency, writer::changed};
use anyhow::{Context, ensure};
use serde_json::Value;

/// Rows filled in at once.
const CHUNK: usize = 1_000;
const CHANGES: usize = 10;
const TICKS: usize = 5;

/// For each number of links the same change and the same idle tick.
pub(crate) async fn measure(play: &mut Play, sizes: &[usize]) -> anyhow::Result<Vec<Figure>> {
    let mut figures = vec![];
    let mut there = play.referrals.len();
    for size in sizes {
        fill(play, there, *size)?;
        there = there.max(*size);
        play.rest().await?;
        for mut figure in [changed(play, CHANGES, 1, Latency::NONE).await?, {
            play.rest().await?;
            idle(play, TICKS, Latency::NONE).await?
        }] {
            let (case, _) = figure.case.split_once(',').context("a case")?;
            figure.case = format!("{case}, {there} links in the table");
            figures.push(figure);
        }
    }
    Ok(figures)
}

/// Copies of one link and its alias, each with ids of its own.
fn fill(play: &Play, from: usize, to: usize) -> anyhow::Result<()> {
    let text = |row: &Value, name: &str| row[name]["S"].as_str().unwrap_or_default().to_owned();
    let rows: Vec<Value> =
        play.stage.table.rows()?.into_iter().filter(|row| text(row, "sk") == "LINK").collect();
    let referral = &play.referrals[0];
    let link = rows.iter().find(|row| text(row, "pk") == format!("REFERRAL#{referral}")).context("a link")?;
    let alias =
        rows.iter().find(|row| text(row, "pk").starts_with("RECORD#") && row.to_string().contains(referral));
    let alias = alias.context("an alias")?;
    let record = text(alias, "pk").rsplit('#').next().unwrap_or_default().to_owned();
    ensure!(!record.is_empty(), "an alias names its record");
    let sample = [link.to_string(), alias.to_string()];
    let copy = |number: usize| {
        let (own, other) = (
            format!("{number:08x}-1111-4111-8111-111111111111"),
            format!("{number:08x}-2222-4222-8222-222222222222"),
        );
        sample
            .iter()
            .map(|row| serde_json::from_str(&row.replace(referral, &own).replace(&record, &other)))
            .collect::<Result<Vec<Value>, _>>()
    };
    let mut number = from;
    while number < to {
        let next = (number + CHUNK).min(to);
        let copies: Vec<Vec<Value>> = (number..next).map(copy).collect::<Result<_, _>>()?;
        play.stage.table.fill(copies.concat())?;
        number = next;
    }
    Ok(())
}
