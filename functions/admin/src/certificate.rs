//! The certificate with which Partner Center signs: can it be fetched, until when is it valid, and does its chain reach
//! a trusted root? Asked with the ingress's own code and an empty cache: the answer is what a cold start would find.

use crate::{App, report::Report};
use clients::{
    certificates::{Address, Certificates, Distrust, Missing, NoCertificate, NotGenuine, Why, validity},
    clock::Clock,
};
use jiff::{SignedDuration, Timestamp};
use sync::failure::Failure;

/// A certificate that ends within this time is a warning.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 14);
/// The cure's text where a certificate host does not answer: what happens to events meanwhile.
const WAITS: &str =
    "the ingress answers 503 and Partner Center tries again; what gets lost is found by the sweep";

/// The check as a report of its own, for `selftest` and for a deployment.
pub(crate) async fn of_webhook(app: &App) -> Result<Report, Failure> {
    let mut report = Report::default();
    let clock = app.live.app().await?.outside.clock.clone();
    certificate(app, clock, &mut report).await;
    Ok(report)
}

/// Checks the certificate that is expected at the first address of the list. Returns until when it is valid.
pub(crate) async fn certificate(app: &App, clock: Clock, report: &mut Report) -> Option<Timestamp> {
    let certificates = match Certificates::new(&app.config.certificates, clock.clone()) {
        Ok(certificates) => certificates,
        Err(why) => {
            report.fault(why.to_string(), "correct CertificateRootsPem, or leave it empty");
            return None;
        }
    };
    let address = certificates.expected()?;
    let url = address.as_str();
    match certificates.fetch(&address).await {
        Ok(file) => {
            judge(&certificates, &address, &file, &clock, report).await;
            return validity(&file).map(|(_, until)| until);
        }
        Err(NoCertificate::NotThere(why)) => report.warn(
            format!("`{url}`: {why}"),
            "each event names its certificate's address itself: `selftest` shows whether it is on CertificateUrlPrefixes",
        ),
        Err(why) => report.warn(format!("`{url}`: {why}"), WAITS),
    }
    None
}

async fn judge(
    certificates: &Certificates,
    address: &Address,
    file: &[u8],
    clock: &Clock,
    report: &mut Report,
) {
    let (url, now) = (address.as_str(), clock.now());
    let until = match validity(file) {
        Some((from, until)) if now < from || now >= until => return report.fault(
            format!("the webhook's certificate `{url}` is valid from {from} to {until} only"),
            "every event is refused until Partner Center serves another one: tell its support; changes come by the sweep",
        ),
        Some((_, until)) => until,
        None => return report.warn(format!("`{url}` is no certificate"), "`selftest` shows whether events are verified"),
    };
    if until.duration_since(now) < SOON {
        report.warn(
            format!("the webhook's certificate `{url}` ends {until}"),
            "Partner Center renews it by itself; `selftest` shows whether a new one is taken",
        );
    }
    match certificates.judge(address, file).await {
        Ok(_) => report.good(format!(
            "the webhook's certificate is there, valid until {until}, and its chain reaches a trusted root"
        )),
        Err(why) if why.is_for_now() => {
            report.warn(format!("the webhook's certificate `{url}`: {why}"), WAITS);
        }
        Err(why) => report.fault(format!("the webhook's certificate `{url}`: {why}"), cure(&why)),
    }
}

/// What to do so that events are verified again. Until then they are refused, and the sweep finds the changes.
fn cure(why: &NotGenuine) -> &'static str {
    match why {
        NotGenuine::Missing(Missing { why: Why::OffList(_), .. }) => {
            "every event is refused: if the address is Microsoft's, add its folder to CertificateIssuerUrls"
        }
        NotGenuine::Missing(_) => {
            "every event is refused: put the issuer's certificate (PEM) into CertificateRootsPem, or its folder into CertificateIssuerUrls"
        }
        NotGenuine::Distrust(Distrust::Root(_)) => {
            "every event is refused: if Microsoft says that it signs below this root, put the root's certificate (PEM) into CertificateRootsPem"
        }
        NotGenuine::Distrust(_) | NotGenuine::NoCertificate(_) => {
            "every event is refused: is CertificateUrlPrefixes Microsoft's, and does `selftest` say the same?"
        }
    }
}
