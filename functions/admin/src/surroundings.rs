//! Checks that need no call of a vendor's API: clocks, the day on which a secret ends, who receives alarms.

use crate::{App, report::Report};
use clients::{config::AlarmsTo, outside};
use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use sync::failure::System;

/// A difference of clocks above the first is a warning; above the second a fault: tokens and deadlines go wrong.
const NOTABLE: SignedDuration = SignedDuration::from_mins(1);
const WRONG: SignedDuration = SignedDuration::from_mins(5);

/// The member of a secret that says on which day its client secret or certificate ends. The administrator stores it:
/// the connector cannot ask for that day.
const ENDS_ON: &str = "ends_on";
/// With this many days left, or fewer, the end is a warning.
const ENDS_SOON: i32 = 30;

/// Days until the first of the secrets ends that have `ends_on`; `None`: no secret has it.
pub(crate) async fn secrets_end(app: &App, worker: &outside::App, report: &mut Report) -> Option<i32> {
    let arn = app.config.worker.crm.secret_arn();
    let of =
        [(System::PartnerCenter, app.config.worker.partner_center.secret_arn.as_str()), (System::Crm, arn)];
    let today = worker.outside.clock.now().to_zoned(TimeZone::UTC).date();
    let mut first = None;
    for (system, arn) in of {
        // A secret that cannot be read is reported by the checks that need it.
        let Ok(stored) = app.secrets.fetch(system, arn).await else { continue };
        let Some(text) = stored.member(ENDS_ON) else { continue };
        let Ok(day) = text.expose().parse::<Date>() else {
            let text = format!("`{ENDS_ON}` in the secret of {} is not a day", system.as_str());
            report.warn(text, "write it as 2027-05-31");
            continue;
        };
        let left = today.until(day).map_or(0, |left| left.get_days());
        let text = format!("the client secret or certificate for {} ends on {day}", system.as_str());
        match left {
            ..=ENDS_SOON => report.warn(
                text,
                "make a new one, store it with its `ends_on` in the secret, then remove the old one",
            ),
            _ => report.good(text),
        }
        first = Some(first.map_or(left, |known: i32| known.min(left)));
    }
    first
}

/// Reports where alarms are sent; a warning, if they are sent nowhere.
pub(crate) fn alarms(to: Option<AlarmsTo>, report: &mut Report) {
    match to {
        Some(AlarmsTo::Nobody) => report.warn(
            "nobody is told of alarms: neither AlarmEmail nor AlarmTopicArn is given",
            "deploy with AlarmEmail, then confirm the subscription in the mail that AWS sends",
        ),
        Some(AlarmsTo::Email) => {
            report.good("alarms go to AlarmEmail, once the subscription in AWS's mail was confirmed");
        }
        Some(AlarmsTo::Topic) => report.good("alarms go to AlarmTopicArn"),
        None => {}
    }
}

/// Reports whether both systems' clocks agree with ours, by the `Date` of their latest answers.
pub(crate) fn clocks(worker: &outside::App, report: &mut Report) {
    let before = report.lines.len();
    let skews =
        [("Partner Center", worker.outside.partner_center.skew()), ("the CRM", worker.outside.crm.skew())];
    let known = skews.into_iter().filter_map(|(name, skew)| Some((name, skew?)));
    let mut compared = 0;
    for (name, skew) in known {
        compared += 1;
        let words = format!("the clock of {name} and ours differ by {} s", skew.as_secs());
        let cure = "AWS keeps ours right: it is the other one, or something between that keeps old answers; tokens and deadlines go wrong";
        match skew.abs() {
            skew if skew > WRONG => report.fault(words, cure),
            skew if skew > NOTABLE => report.warn(words, cure),
            _ => {}
        }
    }
    if compared > 0 && report.lines.len() == before {
        report.good("all clocks agree");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Level;

    #[test]
    fn only_a_stack_that_tells_nobody_is_warned_of() {
        let lines = |to| {
            let mut report = Report::default();
            alarms(to, &mut report);
            report.lines
        };
        let [nobody] = &lines(Some(AlarmsTo::Nobody))[..] else { panic!("one line") };
        assert!(nobody.level == Level::Warning && nobody.cure.contains("AlarmEmail"), "{nobody:?}");
        for to in [AlarmsTo::Topic, AlarmsTo::Email] {
            assert!(lines(Some(to)).iter().all(|line| line.level == Level::Ok));
        }
        assert!(lines(None).is_empty());
    }
}
