//! What is checked without a word of anybody's API: the webhook's signing certificate, and whose clock goes wrong.

use crate::{App, report::Report};
use clients::{
    certificates::{Certificates, NoCertificate, TIME_LIMIT, validity},
    http::Http,
    outside,
};
use jiff::SignedDuration;

/// So long before its end a certificate is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 14);
/// Differences of clocks that are worth a word, and that break something.
const NOTABLE: SignedDuration = SignedDuration::from_mins(1);
const WRONG: SignedDuration = SignedDuration::from_mins(5);

/// The certificate with which Partner Center signs: is it there, and for how long. Whom it belongs to checks the ingress,
/// at each event.
pub(crate) async fn certificate(app: &App, worker: &outside::App, report: &mut Report) {
    let clock = worker.outside.clock.clone();
    let now = clock.now();
    let Ok(http) = Http::new(TIME_LIMIT) else { return };
    let certificates = Certificates::<()>::new(http, app.config.certificate_url_prefixes.clone(), clock);
    let Some(address) = certificates.expected() else { return };
    let url = address.as_str().to_owned();
    match certificates.fetch(&address).await {
        Ok(file) => match validity(&file) {
            Some((from, until)) if now < from || now >= until => report.fault(
                format!("the webhook's certificate `{url}` is valid from {from} to {until} only"),
                "every event is refused until Partner Center serves another one: tell its support; changes come by the sweep",
            ),
            Some((_, until)) if until.duration_since(now) < SOON => report.warn(
                format!("the webhook's certificate `{url}` ends {until}"),
                "Partner Center renews it by itself; `selftest` shows whether a new one is taken",
            ),
            Some((_, until)) => report.good(format!("the webhook's certificate is there, valid until {until}")),
            None => report.warn(format!("`{url}` is no certificate"), "`selftest` shows whether events are verified"),
        },
        Err(NoCertificate::NotThere(why)) => report.warn(
            format!("`{url}`: {why}"),
            "each event names its certificate's address itself: `selftest` shows whether it is on CertificateUrlPrefixes",
        ),
        Err(why) => report.warn(
            format!("`{url}`: {why}"),
            "the ingress answers 503 and Partner Center tries again; what gets lost is found by the sweep",
        ),
    }
}

/// Whether the systems' clocks and ours agree, by the dates of what they answered just now.
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
