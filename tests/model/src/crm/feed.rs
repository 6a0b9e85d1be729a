//! Change tracking: delta positions, pages of a walk, rows modified since an instant; each as of an instant.

use super::{Child, record_id};
use crate::{faults::Kind, trace::say, world::State};
use jiff::Timestamp;
use mapping::RecordKind;
use std::collections::BTreeMap;
use sync::ports::{Changed, Changes, Feed, Position};

/// Rows of a page.
const PAGE: usize = 2;

impl State {
    /// A feed as of an instant.
    pub(super) fn feed(&mut self, feed: Feed, position: &Position) -> Changes {
        if self.faults.sort.stamps {
            return self.feed_by_stamp(feed, position);
        }
        let at = self.view(Kind::StalePage);
        let newest = self.crm.log.partition_point(|since| *since <= at) as u64;
        // What a page is about: up to `to`, after `from` (a delta) or since an instant, skipping what was shown.
        let (from, since, to, skip, walks) = match position {
            Position::Start => (0, None, newest, 0, true),
            Position::Since(at) => (0, Some(*at), newest, 0, false),
            Position::At(text) => {
                let parts: Vec<&str> = text.split(':').collect();
                let number = |n: usize| parts.get(n).and_then(|p| p.parse::<u64>().ok()).unwrap_or(0);
                match parts[0] {
                    "delta" => {
                        if self.strikes(Kind::DeltaExpiry) {
                            say!(self, self.runs.name, "feed {}: the delta is too old", feed.as_str());
                            self.crm.expired = true;
                            return Changes::Expired;
                        }
                        // A replica that lags behind the token shows nothing new.
                        (number(1), None, newest.max(number(1)), 0, false)
                    }
                    _ => {
                        let since = parts
                            .get(5)
                            .and_then(|p| p.parse().ok())
                            .and_then(|ns: i128| Timestamp::from_nanosecond(ns).ok());
                        (number(1), since, number(2), number(3) as usize, number(4) == 1)
                    }
                }
            }
        };
        let mut rows = match feed {
            Feed::Leads => self.record_rows(RecordKind::Lead, from, since, to, walks),
            Feed::Opportunities => self.record_rows(RecordKind::Opportunity, from, since, to, walks),
            Feed::Solutions => self.child_rows(from, since, to, walks),
            Feed::Contacts | Feed::Accounts | Feed::ContactRoles | Feed::SalesTeam => vec![],
        };
        let all = rows.len();
        let shown: Vec<Changed> = rows.drain(skip.min(all)..(skip + PAGE).min(all)).collect();
        let more = skip + PAGE < all;
        let instant = since.map_or(String::new(), |at| at.as_nanosecond().to_string());
        let next = more.then(|| format!("page:{from}:{to}:{}:{}:{instant}", skip + PAGE, u8::from(walks)));
        let resume = (!more && since.is_none()).then(|| format!("delta:{to}"));
        if !shown.is_empty() || more {
            say!(
                self,
                self.runs.name,
                "feed {} {position:?} -> {} rows{}",
                feed.as_str(),
                shown.len(),
                if at < self.now { " (stale)" } else { "" }
            );
        }
        self.saw(&(shown.len(), to));
        Changes::Page { rows: shown, next, resume }
    }

    fn record_rows(
        &self,
        kind: RecordKind,
        from: u64,
        since: Option<Timestamp>,
        to: u64,
        walks: bool,
    ) -> Vec<Changed> {
        let mut rows = vec![];
        for (id, history) in self.crm.records.iter().filter(|(id, _)| self.crm.kind(id) == kind) {
            let Some(then) = history.iter().rev().find(|t| t.seq <= to) else { continue };
            let Some(touched) = history.iter().rev().find(|t| t.seq <= to && (t.own || t.shape.is_none()))
            else {
                continue;
            };
            match (&then.shape, since) {
                (Some(shape), Some(since)) if touched.since >= since => {
                    rows.push(Changed::Record(shape.seen(id, false, None)))
                }
                (_, Some(_)) => {}
                (Some(shape), None) if touched.seq > from => {
                    rows.push(Changed::Record(shape.seen(id, false, None)))
                }
                (None, None) if then.seq > from && !walks => rows.push(Changed::Gone(id.clone())),
                _ => {}
            }
        }
        rows
    }

    fn child_rows(&self, from: u64, since: Option<Timestamp>, to: u64, walks: bool) -> Vec<Changed> {
        let mut last: BTreeMap<&str, &Child> = BTreeMap::new();
        for child in self.crm.children.iter().filter(|c| c.seq <= to) {
            last.insert(&child.id, child);
        }
        let mut rows = vec![];
        for child in last.into_values() {
            let fresh = since.map_or(child.seq > from, |since| child.since >= since);
            match child.gone {
                false if fresh => rows.push(Changed::Child(record_id(&child.record))),
                true if fresh && since.is_none() && !walks => rows.push(Changed::Gone(child.id.clone())),
                _ => {}
            }
        }
        rows
    }
}
