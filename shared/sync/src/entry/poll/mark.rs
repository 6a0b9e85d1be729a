//! A watermark: saved only over the revision that was read.

use super::round::ROUND;
use crate::{
    planted::{self, Bug},
    ports::{Links, Ports},
    rows::run::Run,
    state::{
        failure::Failure,
        table::{Change, Expect, Item, Key, Row, Walk, Watermark},
    },
};
use jiff::{SignedDuration, Timestamp};

/// An alarm reports a part that has not caught up for longer than this.
pub const BEHIND: SignedDuration = SignedDuration::from_mins(30);

/// The watermark of a part, and the revision that was read.
pub(super) struct Mark {
    key: Key,
    expect: Expect,
    pub(super) mark: Watermark,
    pub(super) first: bool,
}

impl Mark {
    pub(super) async fn read<P: Ports>(
        run: &Run<'_, P>,
        name: &str,
        began: Timestamp,
    ) -> Result<Self, Failure> {
        let key = Key::watermark(name);
        let row = run.ports.links().read(std::slice::from_ref(&key)).await?.pop().flatten();
        Ok(Mark::of(run, name, row, began))
    }

    pub(super) fn of<P: Ports>(run: &Run<'_, P>, name: &str, row: Option<Row>, began: Timestamp) -> Self {
        let key = Key::watermark(name);
        match row {
            Some(Row { rev, item: Item::Watermark(mark), .. }) => {
                Mark { key, expect: Expect::Rev(rev), mark, first: false }
            }
            _ => {
                let walk = Some(Walk::at(began, None));
                let mark = Watermark { walk, ..Watermark::since(began, run.map.hash()) };
                Mark { key, expect: Expect::Absent, mark, first: true }
            }
        }
    }

    /// Whether the part has not caught up for longer than [`BEHIND`].
    pub(super) fn is_behind(&self, now: Timestamp) -> bool {
        // Between two daily rounds nothing is late; a round that is under way may be.
        let since = match self.key == Key::watermark(ROUND) {
            true => self.mark.walk.as_ref().map_or(now, |walk| walk.began),
            false => self.mark.seen_until,
        };
        now.duration_since(since) > BEHIND
    }

    /// Saves the watermark. `false`: another run saved it first, and what that run read counts.
    pub(super) async fn save<P: Ports>(&mut self, run: &Run<'_, P>) -> Result<bool, Failure> {
        let expect = if planted::is(Bug::MarkOverAnothers) { Expect::Any } else { self.expect };
        let put = Change::put(self.key.clone(), expect, Item::Watermark(self.mark.clone()));
        let saved = run.ports.links().commit(vec![put]).await?;
        self.expect = match self.expect {
            Expect::Rev(rev) => Expect::Rev(rev + 1),
            _ => Expect::Rev(1),
        };
        Ok(saved)
    }
}
