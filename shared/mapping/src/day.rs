//! Calendar days (vendors/partner-center.md, *Closing dates*). A day is not an instant: 30 June, chosen in London,
//! arrives as London's midnight in UTC, which is on 29 June. This file finds the day that was chosen, and writes an
//! instant that every office reads as that day.

use crate::Value;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    fmt::temporal::Pieces,
    tz::Offset,
};

/// The years that count. Programs write their least or greatest date for "no date" (`0001-01-01`, `9999-12-31`), and
/// neither Dataverse nor SQL Server has a date before 1753.
const YEARS: std::ops::RangeInclusive<i16> = 1753..=9998;
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const HOUR: i32 = 60 * 60;

/// The day of a date or of an instant, as `YYYY-MM-DD`; `Null` for what means no date; `None`: the text is neither.
///
/// An instant with an offset other than UTC names its own day. One in UTC is the day whose midnight in UTC is nearest:
/// the day that was chosen, in any office between UTC-12 and UTC+11:59. With a `zone` it is the day there: the day that
/// was chosen, in any office from that zone to 24 hours west of it.
pub(crate) fn read(text: &str, zone: Option<Offset>) -> Option<Value> {
    let pieces = Pieces::parse(text.trim()).ok()?;
    let written = pieces.date();
    let day = match (pieces.time(), pieces.to_numeric_offset()) {
        (Some(time), Some(offset)) if offset == Offset::UTC => picked(written.to_datetime(time), zone),
        _ => written,
    };
    Some(if YEARS.contains(&day.year()) { Value::Text(day.to_string()) } else { Value::Null })
}

/// The day that an instant in UTC stands for.
fn picked(at: DateTime, zone: Option<Offset>) -> Date {
    let day = |at: DateTime| match zone {
        Some(zone) => at.saturating_add(SignedDuration::from_secs(zone.seconds().into())).date(),
        None => nearest(at),
    };
    // Offsets are whole quarters of an hour, so the second before a quarter is not a midnight, but the end of a day in
    // some office.
    if at.minute() % 15 == 14 && at.second() == 59 {
        let next = day(at.saturating_add(SECOND));
        return next.yesterday().unwrap_or(next);
    }
    day(at)
}

/// Noon counts as its own day, because [`instant`] writes noon.
fn nearest(at: DateTime) -> Date {
    let date = at.date();
    if at.time() > jiff::civil::time(12, 0, 0, 0) { date.tomorrow().unwrap_or(date) } else { date }
}

/// The instant that is sent to Partner Center for a day: noon in UTC, which is the same day in every office. If the
/// zone is so far east that noon in UTC is the next day there, it is the last full hour of the day in that zone.
pub(crate) fn instant(day: &str, zone: Option<Offset>) -> String {
    let east = zone.map_or(0, Offset::seconds);
    let at = (12 * HOUR).min(23 * HOUR - east);
    format!("{day}T{:02}:{:02}:00Z", at / HOUR, at % HOUR / 60)
}

/// In a map, stands for the last day of the quarter in which the referral changed last, as Salesforce dates an
/// opportunity that it makes of a lead.
pub(crate) const QUARTER_END: &str = "quarter_end";

/// The last day of the quarter in which an instant lies.
pub(crate) fn quarter_end(at: Timestamp) -> String {
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let last = Date::new(date.year(), (date.month() - 1) / 3 * 3 + 3, 1).unwrap_or(date);
    last.last_of_month().to_string()
}

/// An offset from UTC such as `+13:00`; `None`: the text is none that exists. Names of zones are not accepted: they
/// need a time zone database, which neither this crate nor every Lambda image has.
pub(crate) fn zone(text: &str) -> Option<Offset> {
    let written = jiff::fmt::strtime::parse("%:z", text).ok()?.offset()?;
    (written.seconds().abs() <= 14 * HOUR && written.seconds() % 60 == 0).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> String {
        match read(text, None) {
            Some(Value::Text(day)) => day,
            Some(_) => "none".to_owned(),
            None => "unreadable".to_owned(),
        }
    }

    #[test]
    fn a_day_is_the_one_that_was_picked() {
        for (shown, picked) in [
            ("2027-06-30", "2027-06-30"),
            ("2027-06-30T00:00:00Z", "2027-06-30"),
            ("2027-06-30T12:00:00Z", "2027-06-30"),
            ("2027-06-29T23:00:00Z", "2027-06-30"),
            ("2027-06-29T23:00:00.0000000Z", "2027-06-30"),
            ("2027-03-24T18:30:00Z", "2027-03-25"),
            ("2027-06-30T07:00:00Z", "2027-06-30"),
            ("2027-06-30T11:00:00Z", "2027-06-30"),
            ("2027-07-01T00:00:00+02:00", "2027-07-01"),
            ("2027-07-01T00:00:00+13:00", "2027-07-01"),
            ("2027-06-29T23:00:00+00:00", "2027-06-30"),
            ("2027-06-29T23:00:00.000+0000", "2027-06-30"),
            ("2027-06-29T23:00:00", "2027-06-29"),
            ("2027-06-30T23:59:59Z", "2027-06-30"),
            ("2027-06-30T22:59:59.9999999Z", "2027-06-30"),
            ("2027-07-01T06:59:59Z", "2027-06-30"),
            ("soon", "unreadable"),
            ("2027-02-30", "unreadable"),
        ] {
            assert_eq!(day(shown), picked, "{shown}");
        }
    }

    #[test]
    fn the_least_and_the_greatest_dates_mean_none() {
        for shown in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.9999999Z",
            "9999-12-31T00:00:00Z",
            "9998-12-31T18:30:00Z",
            "9999-12-31",
            "0001-01-01T00:00:00Z",
            "0001-01-01",
            "0001-01-01T00:00:00+02:00",
            "1752-12-31",
        ] {
            assert_eq!(day(shown), "none", "{shown}");
        }
        for shown in ["1753-01-01", "9998-12-31", "9998-12-31T12:00:00Z"] {
            assert_eq!(day(shown), shown[..10], "{shown}");
        }
    }

    #[test]
    fn in_a_zone_a_day_is_that_of_offices_far_east() {
        for (shown, picked) in [
            ("2027-06-30T11:00:00Z", "2027-07-01"),
            ("2027-06-30T12:00:00Z", "2027-07-01"),
            ("2027-06-30T10:00:00Z", "2027-06-30"),
            ("2027-06-30T00:00:00Z", "2027-06-30"),
            ("2027-06-29T18:30:00Z", "2027-06-30"),
            ("2027-06-30T07:00:00Z", "2027-06-30"),
            ("2027-06-30T10:59:59Z", "2027-06-30"),
            ("2027-06-30T23:59:59Z", "2027-06-30"),
            ("2027-07-01T00:00:00+02:00", "2027-07-01"),
            ("2027-06-30", "2027-06-30"),
        ] {
            assert_eq!(read(shown, zone("+13:00")), Some(Value::Text(picked.to_owned())), "{shown}");
        }
    }

    #[test]
    fn a_quarter_ends_with_its_third_month() {
        for (at, end) in [
            ("2026-01-01T00:00:00Z", "2026-03-31"),
            ("2026-03-31T23:59:59Z", "2026-03-31"),
            ("2026-04-01T00:00:00Z", "2026-06-30"),
            ("2026-09-09T09:09:09Z", "2026-09-30"),
            ("2026-12-31T00:00:00Z", "2026-12-31"),
        ] {
            assert_eq!(quarter_end(at.parse().unwrap()), end, "{at}");
        }
    }

    #[test]
    fn a_zone_is_an_offset_of_this_earth() {
        assert_eq!(zone("+13:00"), Offset::from_seconds(13 * HOUR).ok());
        assert_eq!(zone("-03:30"), Offset::from_seconds(-3 * HOUR - HOUR / 2).ok());
        for other in ["", "Pacific/Auckland", "13:00", "+15:00", "+13:00:30", "+13", "Z", "+13:00 "] {
            assert_eq!(zone(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_for_a_day_is_that_day(
            days in 0i32..3_000_000, quarters in -48i32..=56, other in -36i32..=47
        ) {
            let date = jiff::civil::date(1753, 1, 1).saturating_add(jiff::Span::new().days(days));
            let date = date.to_string();
            let quarter = |n: i32| Offset::from_seconds(n * HOUR / 4).ok();
            for zone in [None, quarter(quarters)] {
                prop_assert_eq!(read(&instant(&date, zone), zone), Some(Value::Text(date.clone())));
            }
            // Every office reads it as that day, even if the map names another zone than the office's.
            prop_assert_eq!(read(&instant(&date, None), quarter(other)), Some(Value::Text(date.clone())));
            prop_assert_eq!(read(&instant(&date, quarter(quarters)), quarter(other)), Some(Value::Text(date)));
        }

        #[test]
        fn a_midnight_is_the_day_it_begins(days in 2i32..3_000_000, quarters in -47i32..=47, as_offset in any::<bool>()) {
            let date = jiff::civil::date(1753, 1, 1).saturating_add(jiff::Span::new().days(days));
            let east = Offset::from_seconds(quarters * HOUR / 4).unwrap();
            let there = date.at(0, 0, 0, 0);
            let shown = match as_offset {
                true => format!("{there}{east}"),
                false => format!("{}Z", there - SignedDuration::from_secs(east.seconds().into())),
            };
            prop_assert_eq!(day(&shown), date.to_string(), "{}", shown);
        }
    }
}
