//! What must hold once everything has come to rest.

use crate::{
    crm::{BROKEN, SYNC},
    invariant::Invariant,
    ledger::is_kept,
    trace::short,
    world::{OURS, State},
};
use mapping::{Category, RecordId, RecordKind, Referral, Side, Value, classify};
use std::collections::BTreeMap;
use sync::{
    link::{Link, State as Life},
    table::{Change, Expect, Item, Key},
};

/// Calls to the outside for each thing that happened, at most.
const CALLS_EACH: u32 = 14;

/// Checks the end; what is broken is noted in the state.
pub(crate) fn check(state: &mut State) {
    let links: Vec<Link> = state
        .table
        .items()
        .filter_map(|(_, item)| if let Item::Link(link) = item { Some((**link).clone()) } else { None })
        .collect();
    let mut faults = Violations(vec![]);
    for link in &links {
        link_is_well(state, link, &mut faults);
    }
    one_record_each(state, &links, &mut faults);
    nothing_left_behind(state, &mut faults);
    nothing_dropped(state, &links, &mut faults);
    let happened = state.counts.edits + state.counts.ticks + state.counts.received + state.faults.struck + 10;
    let calls = state.counts.reads + state.counts.writes;
    if calls > CALLS_EACH * happened {
        faults.push(Invariant::Thrift, format!("{calls} calls for {happened} things that happened"));
    }
    for (invariant, words) in faults.0 {
        state.violate(invariant, words);
    }
}

/// What is broken at the end.
struct Violations(Vec<(Invariant, String)>);

impl Violations {
    fn push(&mut self, invariant: Invariant, words: impl Into<String>) {
        self.0.push((invariant, words.into()));
    }
}

/// Whether a save puts a watermark over one that its run has not read.
pub(crate) fn mark_unread(state: &State, changes: &[Change]) -> Option<String> {
    changes.iter().filter(|change| matches!(change.item, Some(Item::Watermark(_)))).find_map(|change| {
        let there = state.table.get(&change.key, state.now)?.rev;
        let read = state.table.marks.get(&(state.runs.name.clone(), change.key.clone()));
        (read != Some(&there)).then(|| format!("{} was saved by another run meanwhile", change.key.pk))
    })
}

/// Whether a save links a record with a stranger's referral: one that it does not name, that we did not make, and that is
/// about another customer.
pub(crate) fn strangers(state: &State, changes: &[Change]) -> Option<String> {
    let linked = changes.iter().find_map(|change| match (&change.item, change.expect) {
        (Some(Item::Link(link)), Expect::Absent) if link.state == Life::Linked => Some(link),
        _ => None,
    })?;
    let record = linked.record.as_ref()?;
    let (shape, referral) = (state.crm.last(&record.id)?, state.center.now(&linked.referral)?);
    let named = shape.referral() == Some(linked.referral.as_str());
    let made = referral.body()["direction"] != "Incoming"
        || state.table.get(&Key::intent(record), state.now).is_some();
    let one =
        referral.body()["customerProfile"]["name"].as_str() == shape.related.get("account.name")?.as_str();
    let of_deal = record.kind == RecordKind::Opportunity && !shape.ours;
    (of_deal && !named && !made && !one).then(|| {
        format!(
            "{} was linked with referral {} on one side's word",
            short(&record.id),
            short(linked.referral.as_str())
        )
    })
}

/// Deals that are linked at the end.
pub(crate) fn linked(state: &State) -> u32 {
    let linked =
        |item: &Item| matches!(item, Item::Link(link) if matches!(link.state, Life::Linked | Life::Closed));
    u32::try_from(state.table.items().filter(|(_, item)| linked(item)).count()).unwrap_or(u32::MAX)
}

fn link_is_well(state: &State, link: &Link, faults: &mut Violations) {
    let id = link.referral.as_str();
    if let Some(claim) =
        link.claim.as_ref().filter(|_| link.state != Life::Stopped && !is_broken(state, link))
    {
        faults
            .push(Invariant::Done, format!("link {}: a claim of {:?} is left behind", short(id), claim.side));
    }
    if link.state == Life::Creating && !is_broken(state, link) {
        faults.push(Invariant::Done, format!("link {}: its record is still being created", short(id)));
    }
    let Some(record) = &link.record else { return };
    if state.crm.broken.contains(&record.id) {
        return;
    }
    if became_its_deal(state, link, record, faults) {
        return;
    }
    let map = state.map.of(record.kind);
    let gone = state.crm.now(&record.id).is_none();
    what_was_said_is_noted(state, link, record, faults);
    if gone != (link.state == Life::Detached) && !(gone && state.crm.expired) {
        faults.push(
            Invariant::Life,
            format!(
                "link {}: {:?}, and its record is {}",
                short(id),
                link.state,
                if gone { "gone" } else { "there" }
            ),
        );
    }
    if let (Life::Stopped, Some(shape)) = (link.state, state.crm.now(&record.id))
        && shape.own.get(SYNC) == Some(&serde_json::json!(true))
    {
        faults.push(Invariant::Life, format!("link {}: stopped, and Sync of its record is Yes", short(id)));
    }
    if !matches!(link.state, Life::Linked | Life::Closed) || gone {
        return;
    }
    let (Some(pc), Some(crm)) = (state.fields(Side::PartnerCenter, id), state.fields(Side::Crm, &record.id))
    else {
        faults.push(Invariant::Life, format!("link {}: one of its ends was never there", short(id)));
        return;
    };
    let closed = state.center.now(&link.referral).is_some_and(Referral::is_terminal)
        || state.crm.now(&record.id).is_some_and(|shape| !shape.is_open());
    let shows =
        state.center.now(&link.referral).map(|r| state.map.kept_referral_fields(r)).unwrap_or_default();
    for unit in state.map.units().filter(|u| is_kept(u)) {
        let name = &unit.name;
        // A closed referral hides data: an empty field says nothing.
        if closed && shows.get(name).is_none_or(Value::is_null) {
            continue;
        }
        let (Some(p), Some(c)) = (pc.get(name), crm.get(name)) else { continue };
        let same = match unit.rise_only {
            true => (*p == Value::Bool(true)) == (*c == Value::Bool(true)),
            false => map.equal(name, p, c),
        };
        if same || link.awaiting.contains(name) {
            continue;
        }
        let why_not = link.parked.contains_key(name) || link.parked.contains_key("*");
        let quoted = format!("`{name}`");
        let refused = state.audit(id).any(|line| {
            matches!(line.decision.as_str(), "refused" | "conflict")
                && (line.text.contains(&quoted) || name == "status" || closed)
        });
        if !why_not && !refused {
            faults.push(
                Invariant::Agreed,
                format!(
                    "link {}: `{name}` differs at the end: {} in Partner Center, {} in the CRM",
                    short(id),
                    serde_json::json!(p),
                    serde_json::json!(c)
                ),
            );
        }
    }
    let asks = state.crm.now(&record.id).is_some_and(|shape| {
        shape.own.get("cosell_helprequested").is_some_and(|help| !help.is_null())
            && shape.own.get(SYNC) == Some(&serde_json::json!(true))
    });
    let active = state.center.now(&link.referral).filter(|referral| referral.is_active());
    let invited =
        |own: &Referral| state.center.all().any(|r| r.is_microsoft() && r.engagement() == own.engagement());
    if asks
        && !closed
        && record.kind == RecordKind::Opportunity
        && link.parked.is_empty()
        && active.is_some_and(|own| !invited(own))
    {
        let words = format!("link {}: its record asks for Microsoft's help, and nobody was asked", short(id));
        faults.push(Invariant::Linked, words);
    }
    for (unit, parked) in &link.parked {
        if !is_a_reason(&parked.reason) {
            faults.push(
                Invariant::Done,
                format!("link {}: `{unit}` is still parked: {}", short(id), parked.reason),
            );
        }
    }
}

/// What the link remembers of Microsoft's words stands at its record, or the table says why not.
fn what_was_said_is_noted(state: &State, link: &Link, record: &RecordId, faults: &mut Violations) {
    let rests = !matches!(link.state, Life::Linked | Life::Closed) || !link.parked.is_empty();
    let Some(words) = link.microsoft_said.as_ref().filter(|_| state.map.switches().microsoft_note) else {
        return;
    };
    let id = link.referral.as_str();
    let refused =
        || state.audit(id).any(|line| line.decision == "refused" && line.text.contains("not noted"));
    let records = [Some(record), link.lead.as_ref()].into_iter().flatten();
    if state.crm.now(&record.id).is_some() && !rests && !state.is_noted(records, words) && !refused() {
        faults.push(Invariant::Noted, format!("link {}: \"{words}\" is not noted at its record", short(id)));
    }
}

/// A lead that became an opportunity: one link throughout. Whether there is no more to be said of the lead.
fn became_its_deal(state: &State, link: &Link, record: &RecordId, faults: &mut Violations) -> bool {
    let deal = || state.crm.now(&record.id)?.deal.as_ref();
    let Some(deal) = deal().filter(|deal| state.crm.now(deal).is_some()) else { return false };
    if link.state != Life::Linked && link.state != Life::Closed {
        return false;
    }
    if is_broken(state, link) {
        return true;
    }
    // Somebody typed its id into another referral, before anybody knew.
    let named = state.center.all().any(|r| {
        let names = r.external_reference().is_some_and(|named| named.eq_ignore_ascii_case(deal));
        names && *r.id() != link.referral && r.body()["direction"] == "Incoming"
    });
    if !named {
        let words = format!("link {}: its lead became {}", short(link.referral.as_str()), short(deal));
        faults.push(Invariant::Linked, words + ", and the link stays with the lead");
    }
    true
}

/// Nobody can read its record.
fn is_broken(state: &State, link: &Link) -> bool {
    let made = |kind: &str| mapping::child_id(&[kind, link.referral.as_str()]);
    match &link.record {
        Some(record) => {
            let deal = || state.crm.last(&record.id)?.deal.as_ref();
            state.crm.broken.contains(&record.id) || deal().is_some_and(|id| state.crm.broken.contains(id))
        }
        None => ["opportunity", "lead"].into_iter().any(|kind| state.crm.broken.contains(&made(kind))),
    }
}

/// Reasons that only a person can take away.
fn is_a_reason(words: &str) -> bool {
    [
        "above 0",
        "last one",
        "is needed",
        "belongs to",
        "does not have",
        "already becoming",
        "carries another",
        "another organisation",
        "does not name it",
        "merged into",
        BROKEN,
    ]
    .iter()
    .any(|known| words.contains(known))
}

fn one_record_each(state: &State, links: &[Link], faults: &mut Violations) {
    let mut records: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, shape) in state.crm.all() {
        // A lead that was deleted before anybody had linked it leads nowhere, also if it was made again.
        let of_link =
            |lead: &String| links.iter().any(|link| link.lead.as_ref().is_some_and(|l| l.id == *lead));
        let leads =
            |lead: &&String| !state.crm.was_deleted(lead) || state.crm.now(lead).is_none() && of_link(lead);
        let lead = shape.lead.as_ref().filter(leads);
        let lead = lead.and_then(|lead| state.crm.last(lead));
        // A lead that became an opportunity and that are one.
        let became = state.crm.all().any(|(_, deal)| deal.lead.as_ref() == Some(id));
        if let Some(referral) = shape.referral().or(lead.and_then(|lead| lead.referral()))
            && !became
        {
            records.entry(referral).or_default().push(id);
        }
    }
    for (referral, ids) in records.iter().filter(|(_, ids)| ids.len() > 1) {
        faults.push(Invariant::OneRecord, format!("{} records of referral {}", ids.len(), short(referral)));
    }
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for record in links.iter().filter_map(|link| link.record.as_ref()) {
        *ends.entry(record.to_string()).or_default() += 1;
    }
    for (record, count) in ends.into_iter().filter(|(_, count)| *count > 1) {
        faults.push(Invariant::OneRecord, format!("{count} links of record {}", short(&record)));
    }
    // An own record and another one made of its own referral.
    for referral in state.center.all().filter(|r| r.organization() == OURS) {
        let named = referral.external_reference().map(str::to_lowercase);
        for id in records.get(referral.id().as_str()).into_iter().flatten() {
            if let Some(named) = named.as_deref().filter(|n| mapping::ReferralId::parse(n).is_some())
                && named != *id
                && state.crm.last(id).is_none_or(|shape| shape.lead.as_deref() != Some(named))
                && state.crm.now(named).is_some()
            {
                faults.push(
                    Invariant::OneRecord,
                    format!("referral {} has its own record and another one", short(referral.id().as_str())),
                );
            }
        }
    }
}

fn nothing_left_behind(state: &State, faults: &mut Violations) {
    if !state.queue.is_empty() {
        faults.push(Invariant::Done, "messages are left in the queue");
    }
    for (key, item) in state.table.items() {
        match item {
            Item::Intent(intent) => {
                let record = intent.record.to_string();
                let parked = Key::parked(&record);
                let there = state.crm.now(&intent.record.id).is_some();
                let broken = state.crm.broken.contains(&intent.record.id);
                if there && !broken && state.table.get(&parked, state.now).is_none() {
                    faults.push(
                        Invariant::Done,
                        format!(
                            "an intent of {} is left behind: {:?}, unknown: {}",
                            short(&record),
                            intent.step,
                            intent.unknown.is_some()
                        ),
                    );
                }
            }
            Item::Parked(parked) if !is_a_reason(&parked.reason) => {
                faults.push(
                    Invariant::Done,
                    format!("parked `{}` is left behind: {}", short(&key.sk), parked.reason),
                );
            }
            Item::Hold(hold) if hold.until > state.now => {
                faults.push(Invariant::Done, format!("held: {}", hold.reason))
            }
            _ => {}
        }
    }
}

/// Every own referral has its record and every record that wants one its referral, or the table says why not.
fn nothing_dropped(state: &State, links: &[Link], faults: &mut Violations) {
    let parked = |what: &str| state.table.get(&Key::parked(what), state.now).is_some();
    let comes = |r: &&Referral| matches!(classify(r, OURS), Category::Opportunity | Category::Lead);
    for referral in state.center.all().filter(comes) {
        let id = referral.id();
        let linked = links.iter().any(|link| link.referral == *id);
        let named = referral.external_reference().map(str::to_lowercase);
        // A deletion that nobody told (the delta expired meanwhile) leaves its referral behind.
        let untold = |record: &str| state.crm.expired && state.crm.now(record).is_none();
        let names_broken = named.is_some_and(|record| state.crm.broken.contains(&record) || untold(&record));
        // Declined before anybody linked it: nothing to make a record of.
        let over = referral.is_terminal() && !matches!(referral.substatus(), "Won" | "Lost");
        if !linked && !over && !names_broken && !parked(id.as_str()) {
            faults.push(
                Invariant::Linked,
                format!("referral {} has no record, and nothing says why", short(id.as_str())),
            );
        }
    }
    for (id, shape) in state.crm.all() {
        let wants = shape.own.get(SYNC) == Some(&Value::Bool(true).into_json());
        let record = shape.record_id(id);
        let linked = links.iter().any(|link| link.record.as_ref() == Some(&record));
        // Its lead was deleted, set to No, or cannot be read by id, before the link could move: the link rests with the
        // lead, and says so.
        let rests = |lead: &String| {
            state.crm.broken.contains(lead)
                || state
                    .crm
                    .now(lead)
                    .is_none_or(|lead| lead.own.get(SYNC) == Some(&serde_json::json!(false)))
        };
        let orphaned = shape.lead.as_ref().is_some_and(rests);
        if wants
            && record.kind == RecordKind::Opportunity
            && !orphaned
            && shape.is_open()
            && !linked
            && !state.crm.broken.contains(id)
            && !parked(&record.to_string())
        {
            faults.push(
                Invariant::Linked,
                format!("record {} has no referral, and nothing says why", short(id)),
            );
        }
    }
}

trait IntoJson {
    fn into_json(self) -> serde_json::Value;
}

impl IntoJson for Value {
    fn into_json(self) -> serde_json::Value {
        serde_json::json!(self)
    }
}
