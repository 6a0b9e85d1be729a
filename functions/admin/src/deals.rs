//! Every linked deal, as a list: its status on both sides, its value, what it waits for. From the table alone: no
//! vendor is asked.

use crate::{App, command::Listed, report::Report};
use clients::outside;
use jiff::SignedDuration;
use mapping::{Map, RecordKind, Value, names};
use serde_json::{Value as Json, json};
use sync::{
    failure::Failure,
    link::{Link, Memory, State},
    merge::{self, SideFields},
    ports::Links,
    table::Item,
};

/// Deals of one answer, unless `limit` names another number; and the most it may name: an answer of Lambda ends at 6
/// MB.
const LIMIT: usize = 200;
const MOST: usize = 1_000;
/// A call reads the table for this long at most; the next one continues at its cursor.
const LONGEST: SignedDuration = SignedDuration::from_secs(10);

/// One page of the list: at least a page of the table, and more until the limit is reached. `data.next` is the cursor
/// of the next one.
pub(crate) async fn deals(app: &App, listed: Listed) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let limit = listed.limit.unwrap_or(LIMIT).clamp(1, MOST);
    let mut deals = vec![];
    let cursor = each_page(&worker, listed.cursor.clone(), |links| {
        let all = links.iter().map(|link| deal(&worker.map, link));
        deals.extend(all.filter(|deal| fits(deal, &listed)));
        deals.len() < limit
    });
    let cursor = cursor.await?;
    // Newest first, as far as this page goes.
    deals.sort_by(|one, other| other["changed"].as_str().cmp(&one["changed"].as_str()));
    let mut report = Report::default();
    for deal in &deals {
        report.good(sentence(deal));
    }
    if deals.is_empty() {
        report.good("no deal here");
    }
    if cursor.is_some() {
        report.good("there are more: `cursor` with `data.next`");
    }
    report.data = json!({ "deals": deals, "next": cursor });
    Ok(report)
}

/// Gives the links to `more`, page by page, while it returns `true` and for [`LONGEST`] at most. Returns the cursor of
/// the next page.
pub(crate) async fn each_page(
    worker: &outside::App,
    mut cursor: Option<String>,
    mut more: impl FnMut(&[Link]) -> bool,
) -> Result<Option<String>, Failure> {
    let ends = worker.outside.clock.now() + LONGEST;
    loop {
        let (rows, next) = worker.outside.links.page(cursor.as_deref()).await?;
        let links = rows.into_iter().filter_map(|row| match row.item {
            Item::Link(link) => Some(*link),
            _ => None,
        });
        let wanted = more(&links.collect::<Vec<_>>());
        cursor = next;
        if cursor.is_none() || !wanted || worker.outside.clock.now() > ends {
            return Ok(cursor);
        }
    }
}

fn fits(deal: &Json, listed: &Listed) -> bool {
    let marked =
        |mark: &str| deal["marks"].as_array().is_some_and(|marks| marks.iter().any(|one| one == mark));
    let state = listed.state.as_deref().is_none_or(|state| deal["state"] == state || marked(state));
    let shown = ["name", "customer", "referral", "record", "microsoft"];
    let texts = || shown.iter().filter_map(|member| deal[member].as_str());
    let holds = |part: &str| texts().any(|text| text.to_lowercase().contains(&part.to_lowercase()));
    state && listed.filter.as_deref().is_none_or(holds)
}

/// A link as a row of the list.
fn deal(map: &Map, link: &Link) -> Json {
    let shown = |unit: &str| {
        let image = |memory: &Memory| memory.images.get(unit).cloned();
        image(&link.partner_center).or_else(|| image(&link.crm)).unwrap_or(Value::Null)
    };
    let value = shown(names::VALUE);
    let text = |value: &Value| value.text().map(str::to_owned);
    let changed = [&link.partner_center.seen, &link.crm.seen].into_iter().flatten().map(|seen| seen.at).max();
    json!({
        "referral": link.referral, "record": link.record, "microsoft": link.microsoft,
        "state": state(link), "marks": marks(map, link), "changed": changed,
        "name": text(&shown("name")), "customer": text(&shown("customer_name")),
        "value": text(value.member("deal_value")), "currency": text(value.member("currency")),
        "closing_date": text(&shown("closing_date")),
        "partner_center": status(&link.partner_center), "crm": status(&link.crm),
    })
}

/// How answers name a link's state.
pub(crate) fn state(link: &Link) -> &'static str {
    match link.state {
        State::Creating => "creating",
        State::Linked => "linked",
        State::Detached => "detached",
        State::Closed => "closed",
        State::Stopped => "stopped",
    }
}

/// Why a person may want to look at this deal: the marks of [`crate::command::STATES`].
fn marks(map: &Map, link: &Link) -> Vec<&'static str> {
    let kind = link.record.as_ref().map_or(RecordKind::Opportunity, |record| record.kind);
    let nothing_read = SideFields { partner_center: None, crm: None };
    let differs = || !merge::differing(map.of(kind), link, nothing_read).is_empty();
    let awaits_microsoft = link.microsoft.is_some() && link.microsoft_said.is_none();
    [
        ("parked", !link.parked.is_empty()),
        ("waiting", waits(link)),
        ("conflict", link.state == State::Linked && differs()),
        ("awaiting_microsoft", awaits_microsoft && link.state == State::Linked),
    ]
    .into_iter()
    .filter_map(|(mark, so)| so.then_some(mark))
    .collect()
}

/// Whether a write is in flight, a unit awaits acceptance, or its record is being made.
pub(crate) fn waits(link: &Link) -> bool {
    link.claim.is_some() || !link.awaiting.is_empty() || link.state == State::Creating
}

/// A side's status, in that side's own words.
fn status(memory: &Memory) -> Option<String> {
    let members = memory.images.get(names::STATUS)?.members()?;
    let order = ["status", "substatus", "stage", "state"];
    let said: Vec<&str> = order.iter().filter_map(|member| members.get(*member)?.text()).collect();
    (!said.is_empty()).then(|| said.join("/"))
}

fn sentence(deal: &Json) -> String {
    let text = |name: &str| deal[name].as_str().unwrap_or("-");
    let marks: Vec<&str> = deal["marks"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
    format!(
        "{}: \"{}\", {} {}, Partner Center {}, CRM {}: {}{marks}",
        text("referral"),
        text("name"),
        text("value"),
        text("currency"),
        text("partner_center"),
        text("crm"),
        text("state")
    )
}
