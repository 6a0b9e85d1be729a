//! What an act was shown to do before it is done: the command, the map, and of each deal the versions both sides were in. Sent
//! back, it does that and no more: a deal that has moved since is left out and named, another map refuses everything.

use crate::{
    App,
    command::{
        Action, Command, MapAction,
        planning::{Plan, Planned, Planning},
    },
    dry::Dry,
    long::{self, Long},
    map, preview, repair,
    report::Report,
};
use clients::outside;
use jiff::{SignedDuration, Timestamp};
use mapping::{RecordId, ReferralId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sync::{
    failure::Failure,
    hint::Subject,
    ports::Links,
    table::{Item, Key, Row},
};

/// So many deals a plan names; the others are counted.
const MOST: usize = 1_000;
/// Of so many it is looked what would be written, and for so long.
const LOOKED_AT: usize = 40;
const LONGEST: SignedDuration = SignedDuration::from_secs(20);

/// Shows a command, or does what was shown.
pub(crate) async fn run(
    app: &App,
    command: Command,
    planning: Planning,
    ends: Timestamp,
) -> Result<Report, Failure> {
    match (command, planning) {
        (Command::Retry { filter }, Planning::Preview) => retry_shown(app, filter.as_deref(), ends).await,
        (Command::Retry { .. }, Planning::Plan(plan)) => retry(app, &plan, ends).await,
        (Command::Relink(pairs), Planning::Preview) => relink_shown(app, pairs).await,
        (Command::Relink(_), Planning::Plan(plan)) => relink(app, &plan, ends).await,
        (Command::Backfill(Action::Start), planning) => backfill(app, planning, ends).await,
        (Command::Map(action @ (MapAction::Set(_) | MapAction::Rollback(_))), planning) => {
            set_map(app, action, planning, ends).await
        }
        _ => Ok(Report::fault_only("`preview` and `plan` are no arguments of this command", "")),
    }
}

async fn retry_shown(app: &App, filter: Option<&str>, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let rows = worker.outside.links.parked().await?;
    let rows: Vec<Row> = rows.into_iter().filter(|row| repair::fits(row, filter) && is_deal(row)).collect();
    let count = rows.len();
    let standing = standing(&worker, rows.iter().take(MOST)).await?;
    let mut deals = vec![];
    let (dry, until) = (Dry::new(worker.clone()), worker.outside.clock.now() + LONGEST);
    for (n, row) in rows.into_iter().take(MOST).enumerate() {
        let mut deal = standing.get(&row.key.sk).cloned().unwrap_or_default();
        if n < LOOKED_AT && worker.outside.clock.now() < until {
            let subject = Subject::parked(&row.key.sk);
            let tried = sync::repair::try_now(&dry.run(ends), row).await?;
            deal.writes = match (tried, subject) {
                (Ok(_), Some(subject)) => Some(preview::writes_of(&dry, subject, ends).await?.len()),
                _ => None,
            };
        }
        deals.push(deal);
    }
    Ok(shown(&worker, "retry", deals, count))
}

/// What was made, and how many of them would write.
fn shown(worker: &outside::App, command: &str, deals: Vec<Planned>, count: usize) -> Report {
    let mut report = Report::default();
    let known = deals.iter().filter_map(|deal| deal.writes);
    let (write, nothing): (Vec<usize>, Vec<usize>) = known.partition(|writes| *writes > 0);
    let looked = write.len() + nothing.len();
    report.good(match looked {
        0 => format!("{count} in this plan"),
        looked => format!(
            "{count} in this plan; of {looked} looked at, {} would write, {} would change nothing",
            write.len(),
            nothing.len()
        ),
    });
    if deals.len() < count {
        let rest = count - deals.len();
        report.good(format!("{rest} more are not named: plan again once these are done"));
    }
    let plan = Plan { command: command.to_owned(), map: worker.map.hash().to_owned(), count, deals };
    report.data = json!({
        "plan": plan, "looked_at": looked, "would_write": write.len(), "would_change_nothing": nothing.len(),
    });
    report
}

async fn retry(app: &App, plan: &Plan, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    if let Some(refused) = refused(plan, worker.map.hash()) {
        return Ok(refused);
    }
    let keys: Vec<Key> = plan.deals.iter().map(|deal| Key::parked(&deal.id)).collect();
    let rows: Vec<Row> = worker.outside.links.read(&keys).await?.into_iter().flatten().collect();
    let standing = standing(&worker, rows.iter()).await?;
    let run = worker.run(ends, 1);
    let mut rows: BTreeMap<String, Row> = rows.into_iter().map(|row| (row.key.sk.clone(), row)).collect();
    let mut done = Done::default();
    for deal in &plan.deals {
        let now = standing.get(&deal.id);
        match rows.remove(&deal.id).filter(is_deal) {
            None => done.leave_out(&deal.id, "it is no longer parked"),
            Some(_) if !now.is_some_and(|now| now.stands_as(deal)) => done.leave_out(&deal.id, MOVED),
            Some(_) if worker.outside.clock.now() >= ends => done.leave_out(&deal.id, NO_TIME),
            Some(row) => done.add(&worker, &deal.id, sync::repair::try_now(&run, row).await).await,
        }
    }
    Ok(done.report())
}

const MOVED: &str = "a side has moved since: look at it again";
const NO_TIME: &str = "no time was left";

async fn relink_shown(app: &App, pairs: Vec<(ReferralId, Option<RecordId>)>) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let count = pairs.len();
    let mut deals = vec![];
    for (referral, record) in pairs.into_iter().take(MOST) {
        let mut deal = of_link(&worker, &referral).await?;
        deal.record = record.map(|record| record.to_string());
        deals.push(deal);
    }
    Ok(shown(&worker, "relink", deals, count))
}

async fn relink(app: &App, plan: &Plan, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    if let Some(refused) = refused(plan, worker.map.hash()) {
        return Ok(refused);
    }
    let run = worker.run(ends, 1);
    let mut done = Done::default();
    for deal in &plan.deals {
        let record = deal.record.as_deref().map(RecordId::parse);
        let (Some(referral), Some(record)) =
            (ReferralId::parse(&deal.id), record.map_or(Some(None), |record| record.map(Some)))
        else {
            done.leave_out(&deal.id, "no id of a referral, or of its record");
            continue;
        };
        if worker.outside.clock.now() >= ends {
            done.leave_out(&deal.id, NO_TIME);
            continue;
        }
        match of_link(&worker, &referral).await {
            Ok(now) if !now.stands_as(deal) => done.leave_out(&deal.id, MOVED),
            Ok(_) => done.add(&worker, &deal.id, sync::repair::relink(&run, &referral, record).await).await,
            Err(failure) => done.failed(&deal.id, &failure),
        }
    }
    Ok(done.report())
}

/// It names no deals: what it walks over changes while it does.
async fn backfill(app: &App, planning: Planning, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    match planning {
        Planning::Preview => {
            let mut report = shown(&worker, "backfill", vec![], 0);
            report.lines.clear();
            report.good("every referral and every record with Sync set is looked at once, with this map");
            Ok(report)
        }
        Planning::Plan(plan) => match refused(&plan, worker.map.hash()) {
            Some(refused) => Ok(refused),
            None => Box::pin(long::command(app, Long::Backfill, Action::Start, ends)).await,
        },
    }
}

/// Its map is the override that is in effect, by its number: one that cannot be used has no other name.
async fn set_map(
    app: &App,
    action: MapAction,
    planning: Planning,
    ends: Timestamp,
) -> Result<Report, Failure> {
    let now = format!("version {}", map::version(app).await?);
    match planning {
        Planning::Preview => {
            let toml = match &action {
                MapAction::Set(toml) => toml.clone(),
                _ => return Ok(Report::fault_only("a rollback has no preview: check its text", "")),
            };
            let mut report = Box::pin(map::map(app, MapAction::Check(toml, true), ends)).await?;
            let plan = Plan { command: "map".to_owned(), map: now, count: 0, deals: vec![] };
            if !report.data.is_object() {
                report.data = json!({});
            }
            report.data["plan"] = json!(plan);
            Ok(report)
        }
        Planning::Plan(plan) => match refused(&plan, &now) {
            Some(refused) => Ok(refused),
            None => Box::pin(map::map(app, action, ends)).await,
        },
    }
}

/// The map a plan was made with has to be the one in effect.
fn refused(plan: &Plan, map: &str) -> Option<Report> {
    (plan.map != map).then(|| {
        Report::fault_only(
            "the field map has changed since this was planned: nothing was done",
            "plan it again",
        )
    })
}

/// Messages are no deals: `redrive` takes them up.
fn is_deal(row: &Row) -> bool {
    matches!(&row.item, Item::Parked(parked) if parked.body.is_none())
        && Subject::parked(&row.key.sk).is_some()
}

/// How each of these stands: by its link, else by the version in its parked row.
async fn standing(
    worker: &outside::App,
    parked: impl Iterator<Item = &Row>,
) -> Result<BTreeMap<String, Planned>, Failure> {
    let parked: Vec<&Row> = parked.collect();
    let referral = |row: &&Row| ReferralId::parse(&row.key.sk).map(|id| Key::link(&id));
    let keys: Vec<Key> = parked.iter().filter_map(referral).collect();
    let links = worker.outside.links.read(&keys).await?.into_iter().flatten();
    let links: BTreeMap<Key, Row> = links.map(|row| (row.key.clone(), row)).collect();
    let one = |row: &&Row| {
        let mut deal = Planned { id: row.key.sk.clone(), ..Planned::default() };
        if let Item::Parked(parked) = &row.item {
            deal.crm = parked.version.as_ref().map(|version| version.stamp().to_owned());
        }
        if let Some(link) = referral(row).and_then(|key| links.get(&key)) {
            deal.seen(link);
        }
        (deal.id.clone(), deal)
    };
    Ok(parked.iter().map(one).collect())
}

async fn of_link(worker: &outside::App, referral: &ReferralId) -> Result<Planned, Failure> {
    let row = worker.outside.links.read(&[Key::link(referral)]).await?.pop().flatten();
    let mut deal = Planned { id: referral.to_string(), ..Planned::default() };
    row.iter().for_each(|row| deal.seen(row));
    Ok(deal)
}

impl Planned {
    /// Takes both versions from a link.
    fn seen(&mut self, row: &Row) {
        let Item::Link(link) = &row.item else { return };
        let [partner_center, crm] = [&link.partner_center, &link.crm]
            .map(|side| side.seen.as_ref().map(|seen| seen.version.stamp().to_owned()));
        (self.partner_center, self.crm) = (partner_center, crm);
    }

    fn stands_as(&self, planned: &Planned) -> bool {
        (&self.partner_center, &self.crm) == (&planned.partner_center, &planned.crm)
    }
}

/// What came of a plan's deals.
#[derive(Default)]
struct Done {
    lines: Report,
    sent: usize,
    left_out: Vec<Value>,
}

impl Done {
    fn leave_out(&mut self, id: &str, why: &str) {
        self.lines.warn(format!("`{id}` was left out: {why}"), "");
        self.left_out.push(json!({ "id": id, "why": why }));
    }

    /// The others are reported all the same.
    fn failed(&mut self, id: &str, failure: &Failure) {
        self.lines.fault(format!("`{id}`: {failure}"), "again later");
        self.left_out.push(json!({ "id": id, "why": failure.to_string() }));
    }

    /// The hint of one that was done goes to the writer.
    async fn add(&mut self, worker: &outside::App, id: &str, done: sync::repair::Repaired) {
        match repair::sent_now(worker, done).await {
            Ok(Ok(())) => {
                self.lines.good(format!("`{id}` is looked at now"));
                self.sent += 1;
            }
            Ok(Err(why)) => self.leave_out(id, &why),
            Err(failure) => self.failed(id, &failure),
        }
    }

    fn report(self) -> Report {
        let mut report = self.lines;
        let left_out = self.left_out.len();
        report.good(format!("{} done, {left_out} left out", self.sent));
        report.data = json!({ "sent": self.sent, "left_out": self.left_out });
        report
    }
}

#[cfg(test)]
mod tests;
