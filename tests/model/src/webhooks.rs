//! Partner Center tells what changed; or not, or twice, or late.

use crate::{
    faults::Kind,
    trace::{say, short},
    world::State,
};
use jiff::{SignedDuration, Timestamp};
use mapping::ReferralId;
use sync::hint::{Hint, Subject};

impl State {
    /// What else would find out? Only the daily round finds what a `related-*` event told.
    pub(crate) fn may_be_lost(&self, event: &str) -> bool {
        self.map.switches().daily_engagements || !event.starts_with("related")
    }

    /// An event about a referral, on its way to the queue through the ingress.
    pub(crate) fn webhook(&mut self, event: &str, referral: &ReferralId, at: Timestamp) {
        let id = referral.clone();
        let subject = match event.starts_with("related-") {
            true => Subject::Engagement { referral: id },
            false => Subject::Referral { referral: id },
        };
        let hint = Hint::new(subject, event, at);
        if self.may_be_lost(event) && self.strikes(Kind::WebhookLost) {
            say!(self, "Partner Center", "webhook {event} {} is lost", short(referral.as_str()));
            return;
        }
        if self.dice.is_script() {
            // Any message waits as long as the schedule likes.
            let now = self.now;
            self.queue.put(hint, now);
            return;
        }
        let times = if self.strikes(Kind::WebhookTwice) { 2 } else { 1 };
        for n in 0..times {
            let late = self.strikes(Kind::WebhookLate) || n > 0;
            let delay = match late {
                true => self.dice.between(1_000, 1_200_000),
                false => self.dice.between(10, 2_000),
            };
            self.queue.arrive(hint.clone(), self.now + SignedDuration::from_millis(delay));
        }
    }
}
