//! What has an end, in one list: the token, secrets and certificates that keep the connector going, and what deals must not miss.

use clients::outside::App;
use jiff::{SignedDuration, Timestamp};
use mapping::{CrmKind, Referral};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A refresh token that is not used for so long dies.
const TOKEN_DAYS: i32 = 90;
/// A deal is registered so long after it was made at the earliest, and so many days after it was signed at the latest
/// (vendors/partner-center.md, *Deal registration*).
const BEFORE_WON: SignedDuration = SignedDuration::from_hours(72);
const REGISTRATION_DAYS: i32 = 60;
/// The list names at most this many deals of each kind.
const OF_A_KIND: usize = 10;

/// As they are found.
#[derive(Default)]
pub(crate) struct Deadlines(Vec<(Option<Timestamp>, &'static str, String)>);

impl Deadlines {
    fn add(&mut self, what: String, at: Option<Timestamp>, cure: &'static str) {
        self.0.push((at, cure, what));
    }

    /// The refresh token by its age in seconds, and the secrets whose end only their owner knows.
    pub(crate) fn secrets(&mut self, worker: &App, token_age: Option<i64>) {
        if let Some(age) = token_age {
            let stored = worker.outside.clock.now() - SignedDuration::from_secs(age);
            self.add(
                "the refresh token of Partner Center dies, unless a new one is stored before".to_owned(),
                Some(stored + DAY * TOKEN_DAYS),
                "nothing, as long as the poller runs: it stores a new one daily; else renew the consent",
            );
        }
        let secret = "is shown by Entra only, and is two years off at most";
        let cure = "add a new client secret there, and store it in Secrets Manager before the old one ends";
        self.add(
            format!("the end of the client secret of Partner Center's application {secret}"),
            None,
            cure,
        );
        if worker.map.crm() == CrmKind::Dynamics365 {
            self.add(format!("the end of the client secret of the CRM's application {secret}"), None, cure);
        }
    }

    /// The one that signs the webhook's events.
    pub(crate) fn certificate(&mut self, until: Option<Timestamp>) {
        if until.is_some() {
            let what = "the webhook's certificate ends".to_owned();
            self.add(
                what,
                until,
                "Partner Center renews it by itself; `selftest` shows whether a new one is taken",
            );
        }
    }

    /// What the newest referrals must not miss.
    pub(crate) fn referrals<'a>(&mut self, referrals: impl Iterator<Item = &'a Referral>, now: Timestamp) {
        for referral in referrals {
            let name = referral.body()["name"].as_str().unwrap_or_default();
            let (what, at, cure) = match (referral.status(), referral.substatus()) {
                ("New", _) => (
                    format!("\"{name}\" expires unanswered"),
                    referral.expires(),
                    "accept or decline it in Partner Center",
                ),
                ("Closed", "Won") => (
                    format!("\"{name}\" was won: until then it can be registered, if it is to be"),
                    Some(referral.updated() + DAY * REGISTRATION_DAYS),
                    "register it in Partner Center, within 60 days of its signing",
                ),
                ("Active", _) => (
                    format!("\"{name}\" should not be won before that, if it is to be registered"),
                    referral.created().map(|made| made + BEFORE_WON),
                    "72 hours lie between creation and Won, else a registration may be rejected",
                ),
                _ => continue,
            };
            if at.is_some_and(|at| at > now) {
                self.add(what, at, cure);
            }
        }
    }

    /// The soonest first; those without an instant last. Of many alike it names the soonest and counts the others.
    pub(crate) fn sorted(mut self) -> Vec<Value> {
        self.0.sort_by_key(|(at, ..)| (at.is_none(), *at));
        let mut alike = BTreeMap::<&str, usize>::new();
        let mut told = vec![];
        for (at, cure, what) in self.0 {
            let n = alike.entry(cure).or_default();
            *n += 1;
            if *n <= OF_A_KIND {
                told.push(json!({ "what": what, "at": at, "cure": cure }));
            }
        }
        let more = alike.into_iter().filter(|(_, n)| *n > OF_A_KIND);
        told.extend(more.map(|(cure, n)| {
            let what = format!("{} more deals, later than the ones above", n - OF_A_KIND);
            json!({ "what": what, "at": null, "cure": cure })
        }));
        told
    }
}
