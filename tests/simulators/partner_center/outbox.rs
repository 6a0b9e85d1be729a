//! Events waiting for the registered webhook, and their delivery with the vendor's headers and signature.

use super::{
    PartnerCenter,
    certificates::{self, Forge},
    referral::{ORGANIZATION_ID, instant, offset_instant, text},
    switches::RelatedEventNames,
};
use crate::{clock::Clock, server::Server};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};

/// After so many attempts an event is never tried again.
const ATTEMPTS: usize = 10;
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Pending,
    Done,
    Dead,
    /// Dropped by a script; the vendor promises nothing.
    Lost,
    /// Nobody was registered for it when it happened.
    Unsubscribed,
}

#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// As the receiver answered; 0: it did not.
    pub status: u16,
    pub at: String,
}

/// Header names and values of a delivery.
pub type DeliveryHeaders = Vec<(&'static str, String)>;

#[derive(Clone, Debug, Serialize)]
pub struct Event {
    pub name: String,
    /// The referral (or validation) its URI names.
    pub id: String,
    pub uri: String,
    pub resource: &'static str,
    /// Sent as `ResourceChangeUtcDate`, with an offset and no `Z`.
    pub at: String,
    pub attempts: Vec<Attempt>,
    /// Not before this time, where there is a clock.
    pub due: Timestamp,
    pub state: DeliveryState,
}

impl Event {
    /// The compact body, as signed.
    pub fn body(&self) -> String {
        let quoted = |s: &str| json!(s).to_string();
        // Written by hand for the documented member order.
        format!(
            r#"{{"EventName":{},"ResourceUri":{},"ResourceName":{},"AuditUri":null,"ResourceChangeUtcDate":{}}}"#,
            quoted(&self.name),
            quoted(&self.uri),
            quoted(self.resource),
            quoted(&self.at)
        )
    }
}

/// What one delivery brought.
#[derive(Clone, Debug, Serialize)]
pub struct Delivered {
    pub event: String,
    pub id: String,
    /// As the receiver answered; 0: it did not.
    pub status: u16,
    pub answer: String,
}

impl PartnerCenter {
    /// Tells the own organization about a change of `id`: as its own, or as related to its own.
    pub(super) fn raise(&mut self, id: &str, verb: &str, at: Timestamp) {
        let changed = &self.referrals[id];
        let (prefix, ids) = if text(changed, "organizationId") == ORGANIZATION_ID {
            ("referral", vec![id.to_owned()])
        } else {
            let own: Vec<String> = self
                .siblings(changed)
                .filter(|r| text(r, "organizationId") == ORGANIZATION_ID)
                .map(|r| text(r, "id").to_owned())
                .collect();
            match self.switches.related_event_names {
                RelatedEventNames::Own => ("related-referral", own),
                RelatedEventNames::Sibling if own.is_empty() => ("related-referral", vec![]),
                RelatedEventNames::Sibling => ("related-referral", vec![id.to_owned()]),
            }
        };
        for id in ids {
            let uri = format!("https://api.partnercenter.microsoft.com/engagements/v1/referrals/{id}");
            self.enqueue(&format!("{prefix}-{verb}"), &id, uri, "referral", at);
        }
    }

    pub(super) fn enqueue(
        &mut self,
        name: &str,
        id: &str,
        uri: String,
        resource: &'static str,
        at: Timestamp,
    ) {
        let subscribed = self.registration.as_ref().is_some_and(|r| r.events.iter().any(|e| e == name));
        self.outbox.push(Event {
            name: name.to_owned(),
            id: id.to_owned(),
            uri,
            resource,
            at: offset_instant(at + SignedDuration::from_micros(self.switches.event_after_micros)),
            attempts: vec![],
            due: at,
            state: if subscribed { DeliveryState::Pending } else { DeliveryState::Unsubscribed },
        });
    }

    /// All events so far, with their attempts.
    pub fn outbox(&self) -> &[Event] {
        &self.outbox
    }

    /// Events still to be delivered.
    pub fn pending(&self) -> usize {
        self.outbox.iter().filter(|e| e.state == DeliveryState::Pending).count()
    }

    /// Pending events never arrive. Answers how many.
    pub fn lose(&mut self) -> usize {
        let pending = self.outbox.iter_mut().filter(|e| e.state == DeliveryState::Pending);
        pending.map(|e| e.state = DeliveryState::Lost).count()
    }

    /// Headers of a delivery of `body`, for tests that send their own.
    pub fn headers(&self, body: &[u8], forge: Forge) -> DeliveryHeaders {
        let signature = self.sign(body, forge);
        let url = self.switches.certificate_url.clone().unwrap_or_else(|| self.certificate_url(forge));
        let signature = match &self.registration {
            Some(r) if r.ms_signature && self.switches.bare_ms_signature => ("x-ms-signature", signature),
            Some(r) if r.ms_signature => ("x-ms-signature", format!("Signature {signature}")),
            _ => ("authorization", format!("Signature {signature}")),
        };
        vec![
            ("content-type", "application/json".to_owned()),
            signature,
            ("x-ms-certificate-url", url),
            ("x-ms-signature-algorithm", "rsa-sha256".to_owned()),
            ("accept-encoding", "gzip, deflate".to_owned()),
        ]
    }

    /// Base64 of the signature over a body by the key of `forge`.
    pub fn sign(&self, body: &[u8], forge: Forge) -> String {
        certificates::sign(body, forge, self.serves)
    }

    pub fn certificate_url(&self, forge: Forge) -> String {
        format!("{}/cert/{}", self.base, forge.file())
    }

    pub(super) fn attempted(&mut self, event: usize, status: u16) {
        let now = self.clock.as_ref().map_or(self.last, Clock::now);
        let event = &mut self.outbox[event];
        event.attempts.push(Attempt { status, at: instant(now) });
        let doublings = event.attempts.len().min(ATTEMPTS) - 1;
        let pause = SignedDuration::from_secs(i64::from(self.switches.redelivery_seconds) << doublings);
        event.due = now + pause.min(LONGEST_PAUSE);
        event.state = match status {
            200..300 => DeliveryState::Done,
            _ if event.state == DeliveryState::Done => DeliveryState::Done,
            _ if event.attempts.len() >= ATTEMPTS => DeliveryState::Dead,
            _ => DeliveryState::Pending,
        };
    }
}

/// One attempt for every pending event that is due, in order (or as the switches say). A refused one stays for later:
/// with a clock for its time, without one for the next call.
pub async fn deliver(server: &Server<PartnerCenter>) -> Vec<Delivered> {
    let (url, mut queue) = {
        let system = server.system();
        let Some(registration) = &system.registration else { return vec![] };
        let twice = if system.switches.duplicate_deliveries { 2 } else { 1 };
        let now = system.clock.as_ref().map(Clock::now);
        let due = |e: &Event| e.state == DeliveryState::Pending && now.is_none_or(|now| e.due <= now);
        let pending = system.outbox.iter().enumerate().filter(|(_, e)| due(e));
        let mut queue: Vec<(usize, Event, DeliveryHeaders)> = vec![];
        for (n, event) in pending {
            let headers = system.headers(event.body().as_bytes(), system.switches.forge);
            queue.extend((0..twice).map(|_| (n, event.clone(), headers.clone())));
        }
        if system.switches.reverse_deliveries {
            queue.reverse();
        }
        let routed = system
            .route
            .as_ref()
            .and_then(|(from, to)| Some(format!("{to}{}", registration.url.strip_prefix(from.as_str())?)));
        (routed.unwrap_or_else(|| registration.url.clone()), queue)
    };
    let mut delivered = vec![];
    for (n, event, headers) in queue.drain(..) {
        let sent = timeout(Duration::from_secs(30), send(&url, &headers, event.body())).await;
        let (status, answer) = match sent {
            Ok(Ok(answer)) => answer,
            Ok(Err(e)) => (0, e.to_string()),
            Err(_) => (0, "timeout".to_owned()),
        };
        server.system().attempted(n, status);
        delivered.push(Delivered { event: event.name, id: event.id, status, answer });
    }
    delivered
}

/// A plain HTTP POST. Redirects are not followed.
pub async fn send(
    url: &str,
    headers: &[(&'static str, String)],
    body: impl Into<Bytes>,
) -> Result<(u16, String), Box<dyn std::error::Error + Send + Sync>> {
    let uri: hyper::Uri = url.parse()?;
    let authority = match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(a)) => a.to_string(),
        _ => return Err(format!("`{url}`: only plain http is simulated").into()),
    };
    let address = if uri.port().is_some() { authority.clone() } else { format!("{authority}:80") };
    let stream = TcpStream::connect(&address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let mut request = hyper::Request::post(path).header("host", authority);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = sender.send_request(request.body(Full::new(body.into()))?).await?;
    let status = response.status().as_u16();
    let answer = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, String::from_utf8_lossy(&answer).into_owned()))
}
