//! Reduces the rows of a page to the records that have to be looked at, and reads what the table holds about them.

use crate::{
    ports::{Changed, Feed, Links, Ports, Seen},
    rows::run::Run,
    state::{
        failure::Failure,
        parked::Parked,
        table::{Item, Key, Row},
    },
};
use mapping::{RecordId, RecordKind, ReferralId};
use std::collections::BTreeMap;

/// One record that a page says has changed.
pub(super) struct Candidate {
    pub(super) record: RecordId,
    pub(super) row: Option<Seen>,
    /// The referral that its own Referral Identifier names.
    pub(super) names: Option<ReferralId>,
    pub(super) gone: bool,
}

/// Each record of a page once, as its last row shows it.
pub(super) async fn candidates<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    rows: Vec<Changed>,
) -> Result<BTreeMap<RecordId, Candidate>, Failure> {
    let parents = parents_of_gone(run, &rows).await?;
    let candidate = |changed| match changed {
        Changed::Record(seen) => {
            let names = run.map.of(seen.record.id.kind).record_referral_id(&seen.record);
            Candidate { record: seen.record.id.clone(), row: Some(seen), names, gone: false }
        }
        Changed::Child(record) => Candidate { record, row: None, names: None, gone: false },
        Changed::Gone(id) if parents.contains_key(&id) => {
            Candidate { record: parents[&id].clone(), row: None, names: None, gone: false }
        }
        Changed::Gone(id) => {
            let kind = if feed == Feed::Leads { RecordKind::Lead } else { RecordKind::Opportunity };
            Candidate { record: RecordId { kind, id }, row: None, names: None, gone: true }
        }
    };
    Ok(rows.into_iter().map(candidate).map(|one| (one.record.clone(), one)).collect())
}

/// What the table holds about a page's records.
pub(super) struct Known {
    pub(super) links: BTreeMap<RecordId, Row>,
    pub(super) intents: BTreeMap<RecordId, Row>,
    parked: BTreeMap<RecordId, Parked>,
}

impl Known {
    /// `creates`: the caller may create referrals, so parked records are read too.
    pub(super) async fn read<P: Ports>(
        run: &Run<'_, P>,
        candidates: &BTreeMap<RecordId, Candidate>,
        creates: bool,
    ) -> Result<Self, Failure> {
        let (links, intents) = known_of(run, candidates.values()).await?;
        let known = |id: &RecordId| links.contains_key(id) || intents.contains_key(id);
        let parked = match creates {
            true => parked_of(run, candidates.values(), known).await?,
            false => BTreeMap::new(),
        };
        Ok(Known { links, intents, parked })
    }

    /// Whether a row is no newer than the version that was judged when its record was parked.
    pub(super) fn has_seen(&self, one: &Candidate) -> bool {
        let parked = self.parked.get(&one.record);
        parked.zip(one.row.as_ref()).is_some_and(|(parked, row)| parked.has_seen(&row.version))
    }

    /// The referral of the link that a record belongs to.
    pub(super) fn referral(&self, record: &RecordId) -> Option<ReferralId> {
        self.links.get(record)?.key.pk.strip_prefix("REFERRAL#").and_then(ReferralId::parse)
    }
}

/// The records of deleted child rows: the feed reports only the id of such a row, and its alias leads to the record.
async fn parents_of_gone<P: Ports>(
    run: &Run<'_, P>,
    rows: &[Changed],
) -> Result<BTreeMap<String, RecordId>, Failure> {
    let gone: Vec<&String> =
        rows.iter().filter_map(|row| if let Changed::Gone(id) = row { Some(id) } else { None }).collect();
    let keys: Vec<Key> = gone.iter().map(|id| Key::child(id)).collect();
    let mut parents = BTreeMap::new();
    if keys.is_empty() {
        return Ok(parents);
    }
    for (id, row) in gone.into_iter().zip(run.ports.links().read(&keys).await?) {
        if let Some(Row { item: Item::Parent { record }, .. }) = row {
            parents.insert(id.clone(), record);
        }
    }
    Ok(parents)
}

/// The links and intents of a page's records. The Referral Identifier leads to the link, which must name the record;
/// otherwise the record's alias does. Two batch reads, however many rows.
async fn known_of<P: Ports>(
    run: &Run<'_, P>,
    candidates: impl Iterator<Item = &Candidate>,
) -> Result<(BTreeMap<RecordId, Row>, BTreeMap<RecordId, Row>), Failure> {
    let mut keys = vec![];
    let mut owners = vec![];
    for candidate in candidates {
        let record = &candidate.record;
        let named = candidate.names.as_ref().map(Key::link);
        for key in [Key::record(record), Key::intent(record)].into_iter().chain(named) {
            keys.push(key);
            owners.push(record.clone());
        }
    }
    let (mut links, mut intents, mut aliases) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    if keys.is_empty() {
        return Ok((links, intents));
    }
    for (record, row) in owners.into_iter().zip(run.ports.links().read(&keys).await?) {
        let Some(row) = row else { continue };
        match &row.item {
            // A link without a record is being created: this may be its record.
            Item::Link(link) if link.record.as_ref().is_none_or(|own| *own == record) => {
                links.insert(record, row);
            }
            Item::Intent(_) => {
                intents.insert(record, row);
            }
            Item::Alias { referral } => {
                aliases.insert(record, referral.clone());
            }
            _ => {}
        }
    }
    aliases.retain(|record, _| !links.contains_key(record));
    if !aliases.is_empty() {
        let keys: Vec<_> = aliases.values().map(Key::link).collect();
        for (record, row) in aliases.into_keys().zip(run.ports.links().read(&keys).await?) {
            links.extend(row.map(|row| (record, row)));
        }
    }
    Ok((links, intents))
}

/// The parked rows of the page's records that want a referral and have none: at most one batch read.
async fn parked_of<P: Ports>(
    run: &Run<'_, P>,
    candidates: impl Iterator<Item = &Candidate>,
    known: impl Fn(&RecordId) -> bool,
) -> Result<BTreeMap<RecordId, Parked>, Failure> {
    let wants = |seen: &Seen| run.map.of(seen.record.id.kind).wants_referral(&seen.record) == Some(true);
    let asks = |one: &&Candidate| one.row.as_ref().is_some_and(wants) && !known(&one.record);
    let ids: Vec<&RecordId> = candidates.filter(asks).map(|one| &one.record).collect();
    let keys: Vec<Key> = ids.iter().map(|id| Key::parked(&id.to_string())).collect();
    let rows = if keys.is_empty() { vec![] } else { run.ports.links().read(&keys).await? };
    let parked = |(id, row): (&RecordId, Option<Row>)| match row?.item {
        Item::Parked(parked) => Some((id.clone(), parked)),
        _ => None,
    };
    Ok(ids.into_iter().zip(rows).filter_map(parked).collect())
}
