//! Dataverse in memory: rows with versions, child rows with a life of their own. A state may be shown late.

mod feed;
mod lead;
mod note;
mod port;
mod stamps;
mod write;

pub(crate) use lead::{COPIES, column_of};
pub(crate) use port::BROKEN;

use crate::{
    invariant::Invariant,
    trace::{say, short},
    world::{OURS, State},
};
use jiff::Timestamp;
use mapping::{Record, RecordId, RecordKind, ReferralId, Side};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};
use sync::{
    ports::Seen,
    table::{Item, Key},
    version::Version,
};

/// A column that no map names.
pub(crate) const UNMAPPED: &str = "new_region";

/// A column that another map names for the notes.
pub(crate) const OTHER_NOTES: &str = "customerneed";

/// Sync with Partner Center.
pub(crate) const SYNC: &str = "cosell_syncwithpartnercenter";

pub(crate) type Columns = BTreeMap<String, Value>;

/// What one record shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) kind: RecordKind,
    /// Of an opportunity: the lead it was made of.
    pub(crate) lead: Option<String>,
    /// Of a lead: the opportunity it became.
    pub(crate) deal: Option<String>,
    /// Columns of the record itself, by their names in the CRM.
    pub(crate) own: Columns,
    /// Columns of account, contact and owner, the relation's name in front.
    pub(crate) related: Columns,
    /// Nobody but ourselves has written it.
    pub(crate) ours: bool,
    /// Rows of Microsoft Solutions by their own id.
    pub(crate) solutions: BTreeMap<String, Columns>,
    /// `versionnumber`: child rows do not change it.
    pub(crate) version: i64,
    /// `SystemModstamp` in seconds; child rows do not change it either.
    pub(crate) stamp: i64,
}

/// One state in a record's history.
#[derive(Clone, Debug)]
struct Then {
    since: Timestamp,
    seq: u64,
    /// Its own columns changed, not only child rows.
    own: bool,
    /// `None`: the record is deleted then.
    shape: Option<Arc<Shape>>,
}

/// A change of a child row.
#[derive(Clone, Debug)]
struct Child {
    since: Timestamp,
    seq: u64,
    id: String,
    record: String,
    gone: bool,
    stamp: i64,
}

/// All records with their history, child rows' changes, and accounts by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dataverse {
    records: BTreeMap<String, Vec<Then>>,
    children: Vec<Child>,
    log: Vec<Timestamp>,
    pub(crate) accounts: BTreeMap<String, u32>,
    /// A delta was too old: deletions of that time are not told.
    pub(crate) expired: bool,
    /// Columns that a rule refuses for a while.
    pub(crate) rules: BTreeMap<String, Timestamp>,
    /// Values that a rule refused to this run.
    pub(crate) refused: BTreeSet<(Arc<str>, String, String)>,
    /// Records that nobody can read by id any more.
    pub(crate) broken: BTreeSet<String>,
    /// As of when each run last read each record by id.
    reads: BTreeMap<(Arc<str>, String), Timestamp>,
    /// What qualifying copies from lead to opportunity besides.
    pub(crate) copies: &'static [&'static str],
    /// Our qualifying takes no version and fills in what it must have, as Salesforce's conversion does.
    pub(crate) converts: bool,
    /// The read that our last action on a record went out on.
    pub(crate) acted_on: BTreeMap<String, Timestamp>,
    pub(crate) notes: note::Notes,
    version: i64,
}

/// The columns that the map reads of the record itself, and of related rows.
static OWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| columns(""));
static RELATED: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let of = |relation: &'static str| columns(relation).into_iter().map(move |c| format!("{relation}.{c}"));
    ["account", "contact", "owner"].into_iter().flat_map(of).collect()
});

/// Whether a map writes this column of such a record.
fn is_mapped(kind: RecordKind, column: &str) -> bool {
    let known = match kind {
        RecordKind::Opportunity => &*OWN,
        RecordKind::Lead => &*lead::WRITTEN,
    };
    known.contains(column) || ["cosell_audit", OTHER_NOTES].contains(&column)
}

fn columns(relation: &str) -> BTreeSet<String> {
    let map = mapping::Map::standard(mapping::CrmKind::Dynamics365);
    map.columns(relation).into_iter().map(|used| used.name).collect()
}

pub(crate) fn record_id(id: &str) -> RecordId {
    RecordId { kind: RecordKind::Opportunity, id: id.to_owned() }
}

impl Shape {
    /// Every column there is, empty.
    pub(crate) fn empty(id: &str) -> Self {
        let empty = |names: &BTreeSet<String>| names.iter().map(|n| (n.clone(), Value::Null)).collect();
        let mut own: Columns = empty(&OWN);
        own.insert("opportunityid".into(), json!(id));
        own.insert("statecode".into(), json!(0));
        own.insert("statuscode".into(), json!(1));
        own.insert(UNMAPPED.into(), json!("North"));
        own.insert(OTHER_NOTES.into(), Value::Null);
        Shape {
            kind: RecordKind::Opportunity,
            lead: None,
            deal: None,
            own,
            related: empty(&RELATED),
            ours: false,
            solutions: BTreeMap::new(),
            version: 0,
            stamp: 0,
        }
    }

    /// A colleague who can be reached owns it.
    pub(crate) fn is_owned(&mut self) {
        let owner = [
            ("owner.firstname", "Omar"),
            ("owner.lastname", "Haddad"),
            ("owner.address1_telephone1", "+442075550199"),
            ("owner.internalemailaddress", "omar.haddad@juniperpeak.example"),
        ];
        self.related.extend(owner.map(|(column, text)| (column.to_owned(), json!(text))));
    }

    pub(crate) fn is_open(&self) -> bool {
        self.own.get("statecode") == Some(&json!(0))
    }

    pub(crate) fn referral(&self) -> Option<&str> {
        self.own.get("cosell_referralid")?.as_str()
    }

    /// `by_stamp`: when it was read, where stamps are the versions.
    fn seen(&self, id: &str, whole: bool, by_stamp: Option<Timestamp>) -> Seen {
        let own = self.own.iter().filter(|(column, _)| *column != UNMAPPED);
        let related = self.related.iter().filter(|_| whole);
        let columns = own.chain(related).map(|(column, value)| (column.clone(), value.clone())).collect();
        let mut lists = BTreeMap::new();
        if whole && self.kind == RecordKind::Opportunity {
            lists.insert("solutions".to_owned(), self.solutions.values().cloned().collect());
        }
        let version = by_stamp.map_or_else(|| self.numbered(), |at| self.stamped(at));
        let lead = self.lead.clone().map(|id| RecordId { kind: RecordKind::Lead, id });
        Seen { record: Record { id: self.record_id(id), columns, lists }, version, lead }
    }

    /// The version as Dataverse has it: a number, and the ETag that is made of it.
    pub(crate) fn numbered(&self) -> Version {
        Version { token: format!("W/\"{}\"", self.version), order: Some(self.version) }
    }

    pub(crate) fn record_id(&self, id: &str) -> RecordId {
        RecordId { kind: self.kind, id: id.to_owned() }
    }
}

impl Dataverse {
    fn then(&self, id: &str, at: Timestamp) -> Option<&Then> {
        self.records.get(id)?.iter().rev().find(|then| then.since <= at)
    }

    /// What a record shows now.
    pub(crate) fn now(&self, id: &str) -> Option<&Arc<Shape>> {
        self.records.get(id)?.last()?.shape.as_ref()
    }

    /// All that are there.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Shape)> {
        self.records.iter().filter_map(|(id, then)| Some((id, then.last()?.shape.as_deref()?)))
    }

    /// In which table a record is, or was.
    pub(crate) fn kind(&self, id: &str) -> RecordKind {
        self.last(id).map_or(RecordKind::Opportunity, |shape| shape.kind)
    }

    /// The lead of a referral, and the opportunity: its own, or what its lead became.
    fn of_referral(&self, referral: &str) -> [Option<&String>; 2] {
        let named = |kind| {
            let mut ever = self.ever();
            let of = move |shape: &Shape| shape.kind == kind && shape.referral() == Some(referral);
            ever.find(|(_, shape)| of(shape)).map(|(id, _)| id)
        };
        let lead = named(RecordKind::Lead);
        let became = || {
            let (id, _) = self.ever().find(|(_, shape)| lead.is_some() && shape.lead.as_ref() == lead)?;
            Some(id)
        };
        [lead, named(RecordKind::Opportunity).or_else(became)]
    }

    /// What a record shows, or showed last before it was deleted.
    pub(crate) fn last(&self, id: &str) -> Option<&Arc<Shape>> {
        self.records.get(id)?.iter().rev().find_map(|then| then.shape.as_ref())
    }

    /// It was deleted, whatever became of it since.
    pub(crate) fn was_deleted(&self, id: &str) -> bool {
        self.records.get(id).is_some_and(|then| then.iter().any(|then| then.shape.is_none()))
    }

    /// All that were ever there.
    pub(crate) fn ever(&self) -> impl Iterator<Item = (&String, &Shape)> {
        self.records.keys().filter_map(|id| Some((id, self.last(id)?.as_ref())))
    }
}

impl State {
    /// A record's new state.
    pub(crate) fn keep(&mut self, id: &str, mut shape: Option<Shape>, ours: bool) {
        let before = self.crm.records.get(id).and_then(|then| then.last()).and_then(|t| t.shape.clone());
        let was_there = self.crm.records.get(id).is_some_and(|then| !then.is_empty());
        // Of a record that no link names nobody knows that it was there.
        let known = |item: &Item| matches!(item, Item::Link(link) if link.record.as_ref().is_some_and(|r| r.id == id));
        let again = ours && was_there && before.is_none() && shape.is_some();
        if again && self.table.items().any(|(_, item)| known(item)) {
            self.violate(Invariant::Deleted, format!("we made the deleted record {} again", short(id)));
        }
        let own = match (&before, &shape) {
            (Some(before), Some(shape)) => {
                ours && before.solutions == shape.solutions
                    || before.own != shape.own
                    || before.related != shape.related
            }
            _ => true,
        };
        let last = self.crm.records.get(id).and_then(|then| then.last()).map(|then| then.since);
        if let Some(shape) = &mut shape {
            shape.ours = ours && before.as_ref().is_none_or(|before| before.ours);
            if own {
                self.crm.version += 1;
                shape.version = self.crm.version;
                shape.stamp = self.stamp(last, ours);
            }
            if ours && before.as_ref().is_some_and(|b| b.own.get(UNMAPPED) != shape.own.get(UNMAPPED)) {
                self.violate(Invariant::Mapped, format!("we changed `{UNMAPPED}`, which is not mapped"));
            }
        }
        let none = BTreeMap::new();
        let (was, is) = (
            before.as_ref().map_or(&none, |shape| &shape.solutions),
            shape.as_ref().map_or(&none, |shape| &shape.solutions),
        );
        let since = self.now;
        for child in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            if was.get(child) != is.get(child) {
                self.crm.log.push(since);
                let seq = self.crm.log.len() as u64;
                let gone = !is.contains_key(child);
                let before = self.crm.children.iter().rfind(|other| other.id == *child);
                let stamp = self.stamp(before.map(|child| child.since), ours);
                let (id, record) = (child.clone(), id.to_owned());
                self.crm.children.push(Child { since, seq, id, record, gone, stamp });
            }
        }
        self.crm.log.push(since);
        let seq = self.crm.log.len() as u64;
        let seen = shape.as_ref().map(|shape| shape.seen(id, true, None));
        let map = self.map.of(shape.as_ref().map_or(RecordKind::Opportunity, |shape| shape.kind));
        self.crm.records.entry(id.to_owned()).or_default().push(Then {
            since,
            seq,
            own,
            shape: shape.map(Arc::new),
        });
        match seen {
            Some(seen) => {
                let fields = map.kept_record_fields(&seen.record);
                self.observe(Side::Crm, id, fields, ours);
            }
            None => self.forget(Side::Crm, id),
        }
    }

    /// What [`Shape::seen`] takes as `by_stamp` for a record read at this time.
    fn read_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.faults.sort.stamps.then_some(at)
    }

    /// An administrator sets the map that has the notes in another column.
    pub(crate) fn remap(&mut self) {
        self.map = &crate::schedule::REMAPPED;
        self.remapped = Some(self.now);
        // The delta of the other columns is dropped: deletions of that time are not told.
        self.crm.expired = true;
        say!(self, "administrator", "the notes lie in `{OTHER_NOTES}` from now on");
        let shapes: Vec<(String, Shape)> =
            self.crm.ever().map(|(id, shape)| (id.clone(), shape.clone())).collect();
        for (id, shape) in shapes {
            let fields = self.map.of(shape.kind).kept_record_fields(&shape.seen(&id, true, None).record);
            self.read_otherwise(&id, "notes", fields.get("notes").cloned());
        }
    }

    /// A seller changes something.
    pub(crate) fn seller(&mut self, id: &str, change: impl FnOnce(&mut Shape)) -> bool {
        let Some(before) = self.crm.now(id).cloned() else { return false };
        let mut after = Shape::clone(&before);
        change(&mut after);
        let changed = after != *before;
        if changed {
            self.keep(id, Some(after), false);
        }
        changed
    }

    /// A record by its id alone.
    pub(crate) fn record_id(&self, id: &str) -> RecordId {
        RecordId { kind: self.crm.kind(id), id: id.to_owned() }
    }

    /// Our referrals that name this record.
    pub(crate) fn named_by(&self, id: &str) -> Vec<String> {
        let names = |r: &&mapping::Referral| r.organization() == OURS && r.external_reference() == Some(id);
        self.center.all().filter(names).map(|r| r.id().as_str().to_owned()).collect()
    }

    /// The entity on the other side that this one belongs to.
    pub(crate) fn peer(&self, side: Side, id: &str) -> Option<String> {
        match side {
            Side::PartnerCenter => {
                let referral = self.center.now(&ReferralId::parse(id)?);
                let named = referral.and_then(|r| r.external_reference()).map(str::to_lowercase);
                let [lead, deal] = self.crm.of_referral(id);
                deal.or(lead)
                    .cloned()
                    .or_else(|| named.filter(|record| self.crm.records.contains_key(record)))
            }
            Side::Crm => {
                let shape = self.crm.last(id);
                if shape.is_some_and(|shape| shape.deal.is_some()) {
                    // History: its opportunity goes on in its place.
                    return None;
                }
                let lead = shape.and_then(|shape| self.crm.last(shape.lead.as_ref()?));
                let named = shape.and_then(|shape| shape.referral());
                let named = named.or_else(|| lead.and_then(|lead| lead.referral())).map(str::to_owned);
                // Several may name the record; the table tells which one it became, if its identifier was refused.
                let alias = self.table.get(&Key::record(&self.record_id(id)), self.now);
                let linked = alias.and_then(|row| match row.item {
                    Item::Alias { referral } => Some(referral),
                    _ => None,
                });
                let ours = || {
                    let all = self.named_by(id);
                    let linked = linked.map(|id| id.as_str().to_owned());
                    linked.filter(|id| all.contains(id)).or_else(|| all.into_iter().next())
                };
                named.or_else(ours)
            }
        }
    }
}

/// An amount is another one in another currency, a status with another substatus: what a refused name was sent with.
pub(crate) fn travels_with<'a>(name: &'a str, pairs: &'a [[&'a str; 2]]) -> impl Iterator<Item = &'a str> {
    let others = pairs.iter().filter(move |pair| pair.contains(&name)).flatten().copied();
    std::iter::once(name).chain(others.filter(move |other| *other != name))
}
