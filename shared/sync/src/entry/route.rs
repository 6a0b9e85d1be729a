//! Decides from the rows that were read where hints lead: to a link, to a referral or a record without one, or nowhere.

use crate::{
    identity::Named,
    planted::{self, Bug},
    rows::{hold::tells_nothing_new, run::Ended},
    settle::Look,
    state::{
        hint::{Hint, Subject},
        table::{Item, Key, Row},
    },
};
use jiff::Timestamp;
use mapping::{Map, RecordId, ReferralId};
use std::collections::BTreeMap;

/// The sender's name in the daily round's hints: read both sides of a deal and its engagement.
pub(super) const DAILY: &str = "daily";
/// The sender's name in hints that a record was deleted.
pub(super) const GONE: &str = "gone";
/// The rows that were read for a batch.
pub type Rows = BTreeMap<Key, Row>;

/// The keys of the rows that a hint's first decision needs.
pub fn keys(hint: &Hint) -> Vec<Key> {
    match &hint.subject {
        Subject::Referral { referral } | Subject::Engagement { referral } => {
            vec![Key::link(referral), Key::sibling(referral), Key::foreign(referral)]
        }
        Subject::Record { record, referral, .. } => {
            let mut keys = vec![Key::record(record), Key::intent(record)];
            keys.extend(referral.iter().map(Key::link));
            keys
        }
    }
}

/// Where the hints of one FIFO group lead, each place once.
#[derive(Default)]
pub(super) struct Ways {
    pub(super) links: BTreeMap<ReferralId, Look>,
    pub(super) referrals: BTreeMap<ReferralId, (Option<Timestamp>, Named)>,
    pub(super) records: Vec<(RecordId, Option<i64>)>,
    /// The end of the hints that lead nowhere.
    pub(super) ended: Option<Ended>,
}

pub(super) fn ways<'a>(map: &Map, hints: impl IntoIterator<Item = &'a Hint>, rows: &Rows) -> Ways {
    let related_names_siblings = map.vendor().related_event_sibling_id;
    let mut ways = Ways::default();
    for hint in hints {
        match way(hint, rows, related_names_siblings) {
            Way::Link(id, look) => {
                let all = ways.links.entry(id).or_default();
                all.referral |= look.referral;
                all.record |= look.record;
                all.engagement |= look.engagement;
                all.since = all.since.max(look.since);
                all.at_least = all.at_least.max(look.at_least);
            }
            Way::Referral(id, since, named) => {
                let entry = ways.referrals.entry(id).or_insert((since, named));
                *entry = (entry.0.max(since), entry.1.max(named));
            }
            Way::Record(id, seen) => match ways.records.iter_mut().find(|(known, _)| *known == id) {
                Some((_, at_least)) => *at_least = seen.max(*at_least),
                None => ways.records.push((id, seen)),
            },
            Way::Nothing(decision, reason) => ways.ended = Some(Ended::done(decision, reason)),
        }
    }
    ways
}

/// Where one hint leads.
enum Way {
    Link(ReferralId, Box<Look>),
    Referral(ReferralId, Option<Timestamp>, Named),
    /// A record without a link, and the order of the version that the hint's sender saw.
    Record(RecordId, Option<i64>),
    Nothing(&'static str, &'static str),
}

/// Something in the engagement changed, perhaps Microsoft's half.
fn in_engagement() -> Look {
    Look { referral: true, engagement: true, ..Look::default() }
}

/// `related_names_siblings`: a related event may carry the id of Microsoft's half.
fn way(hint: &Hint, rows: &Rows, related_names_siblings: bool) -> Way {
    let item = |key: Key| rows.get(&key).map(|row| &row.item);
    // Hints of webhooks and the sweep carry the instant of the change, others that of the sender's run.
    let since = (hint.from == "sweep" || hint.from.contains("referral-")).then_some(hint.at);
    match &hint.subject {
        Subject::Referral { referral } => match item(Key::link(referral)) {
            Some(Item::Link(link)) if since.is_some_and(|at| tells_nothing_new(link, at)) => {
                Way::Nothing("unchanged", "not after what both sides agreed on")
            }
            Some(Item::Link(_)) => {
                Way::Link(referral.clone(), Box::new(Look { referral: true, since, ..Look::default() }))
            }
            _ => match (item(Key::sibling(referral)), item(Key::foreign(referral))) {
                (Some(Item::Alias { referral }), _) => Way::Link(referral.clone(), Box::new(in_engagement())),
                // A tombstone stops webhook hints only. The sweep's list counts more, and parked items are tried.
                (_, Some(Item::Foreign))
                    if hint.from.contains("referral-") || planted::is(Bug::TombstoneStopsSweep) =>
                {
                    Way::Nothing("foreign", "not ours, as seen before")
                }
                _ => {
                    let webhook = hint.from.contains("referral-");
                    Way::Referral(referral.clone(), since, if webhook { Named::Told } else { Named::Listed })
                }
            },
        },
        // The instant of a related event is Microsoft's, so such a hint is never dropped by time. Its id may be
        // Microsoft's half too: then its tombstone is a short one.
        Subject::Engagement { referral } => {
            let look = Box::new(Look { record: hint.from == DAILY, ..in_engagement() });
            match (item(Key::link(referral)), item(Key::sibling(referral))) {
                (Some(Item::Link(link)), _)
                    if planted::is(Bug::RelatedDroppedByTime) && tells_nothing_new(link, hint.at) =>
                {
                    Way::Nothing("unchanged", "not after what both sides agreed on")
                }
                (Some(Item::Link(_)), _) => Way::Link(referral.clone(), look),
                (_, Some(Item::Alias { referral })) => Way::Link(referral.clone(), look),
                _ if matches!(item(Key::foreign(referral)), Some(Item::Foreign)) => {
                    Way::Nothing("foreign", "not ours, as seen before")
                }
                _ if related_names_siblings => Way::Referral(referral.clone(), None, Named::Related),
                _ => Way::Referral(referral.clone(), None, Named::Told),
            }
        }
        Subject::Record { record, seen, .. } => {
            let alias = match item(Key::record(record)) {
                Some(Item::Alias { referral }) => Some(referral.clone()),
                _ => None,
            };
            // A half-made engagement is completed even if its own half is linked already.
            if item(Key::intent(record)).is_some() && !(planted::is(Bug::HalfMadeLeft) && alias.is_some()) {
                return Way::Record(record.clone(), *seen);
            }
            match alias {
                Some(referral) => {
                    let look = Look { record: true, at_least: *seen, ..Look::default() };
                    Way::Link(referral, Box::new(look))
                }
                None => Way::Record(record.clone(), *seen),
            }
        }
    }
}
