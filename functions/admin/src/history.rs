//! The numbers of the last 24 hours, one sample for each look of the schedule, all in one row: what the page's charts show.

use clients::outside::App;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync::{
    failure::Failure,
    poll::SWEEP,
    ports::{Links, Ports},
    table::{Change, Expect, Item, Key, Row},
};

/// A look every five minutes for a day.
const MOST: usize = 288;
/// What is older is of no chart.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// What one look saw; `None`: it could not be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) at: Timestamp,
    pub(crate) parked: Option<u64>,
    pub(crate) waiting: Option<u64>,
    pub(crate) dead: Option<u64>,
    /// How long ago Partner Center was last swept to its end, in seconds.
    pub(crate) sweep_lag: Option<i64>,
    /// Since when the refresh token is stored, in seconds before the look.
    pub(crate) token_age: Option<i64>,
}

/// A sample as it is stored, its instant in seconds.
type Packed = (i64, Option<u64>, Option<u64>, Option<u64>, Option<i64>, Option<i64>);

impl Sample {
    fn packed(&self) -> Packed {
        (self.at.as_second(), self.parked, self.waiting, self.dead, self.sweep_lag, self.token_age)
    }

    fn unpacked(packed: Packed) -> Option<Self> {
        let (at, parked, waiting, dead, sweep_lag, token_age) = packed;
        let at = Timestamp::from_second(at).ok()?;
        Some(Sample { at, parked, waiting, dead, sweep_lag, token_age })
    }

    /// As an answer shows it. The token's age is no chart.
    fn told(&self) -> Value {
        json!({
            "at": self.at, "parked": self.parked, "waiting": self.waiting, "dead": self.dead,
            "sweep_lag": self.sweep_lag,
        })
    }
}

/// Adds what a look saw: one read, one write. A look that loses against another one is not missed.
pub(crate) async fn note(worker: &App, mut sample: Sample) -> Result<(), Failure> {
    let links = &worker.outside.links;
    let mut rows = links.read(&[Key::history(), Key::watermark(SWEEP)]).await?.into_iter();
    let history = rows.next().flatten();
    if let Some(Item::Watermark(mark)) = rows.next().flatten().map(|row| row.item) {
        sample.sweep_lag = Some(sample.at.duration_since(mark.seen_until).as_secs());
    }
    let expect = history.as_ref().map_or(Expect::Absent, |row| Expect::Rev(row.rev));
    let samples = added(samples(history.as_ref()), sample);
    let packed: Vec<Packed> = samples.iter().map(Sample::packed).collect();
    let item = Item::History { samples: json!(packed).to_string() };
    let change = Change::put(Key::history(), expect, item).until(sample.at + LONGEST);
    links.commit(vec![change]).await.map(drop)
}

/// The ring: at most [`MOST`], none older than [`LONGEST`] before the newest.
fn added(mut samples: Vec<Sample>, sample: Sample) -> Vec<Sample> {
    samples.retain(|known| sample.at.duration_since(known.at) < LONGEST);
    samples.push(sample);
    samples.split_off(samples.len().saturating_sub(MOST))
}

/// What stands in the row, oldest first. What cannot be read begins anew.
pub(crate) fn samples(row: Option<&Row>) -> Vec<Sample> {
    let Some(Item::History { samples }) = row.map(|row| &row.item) else { return vec![] };
    let packed: Vec<Packed> = serde_json::from_str(samples).unwrap_or_default();
    packed.into_iter().filter_map(Sample::unpacked).collect()
}

/// Those of the last 24 hours, as an answer shows them.
pub(crate) fn told(worker: &App, samples: &[Sample]) -> Vec<Value> {
    let now = worker.outside.clock().now();
    let fresh = samples.iter().filter(|sample| now.duration_since(sample.at) < LONGEST);
    fresh.map(Sample::told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Sample {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        Sample { at, parked: Some(3), dead: Some(0), sweep_lag: Some(-1), ..Sample::default() }
    }

    #[test]
    fn a_day_is_kept_and_no_more() {
        let mut samples = vec![];
        for n in 0..400 {
            samples = added(samples, at(n * 5));
        }
        assert_eq!((samples.len(), samples[0]), (MOST, at(112 * 5)));
        assert_eq!(added(samples.clone(), at(400 * 5 + 24 * 60)).len(), 1, "after a day of silence");
        let often = (0..1000).fold(vec![], |samples, n| added(samples, at(n)));
        assert_eq!(often.len(), MOST, "whoever looks often keeps no more");
    }

    #[test]
    fn a_sample_survives_the_table_and_a_day_of_them_is_small() {
        let of = |samples: &[Sample]| {
            let packed: Vec<Packed> = samples.iter().map(Sample::packed).collect();
            json!(packed).to_string()
        };
        let day: Vec<Sample> = (0..288).map(|n| at(30_000_000 + n * 5)).collect();
        let text = of(&day);
        assert!(text.len() < 12_000, "{}", text.len());
        let row = |samples: String| Row { key: Key::history(), rev: 1, item: Item::History { samples } };
        assert_eq!(samples(Some(&row(text))), day);
        assert_eq!(samples(Some(&row("[[true]]".to_owned()))), vec![], "of another version");
    }
}
