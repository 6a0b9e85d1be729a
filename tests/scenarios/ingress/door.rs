//! The webhook's function alone, between a certificate host, a queue and a bait: a host off the list that counts who
//! knocks. Every app of a door is as fresh as a cold start.

use base64::{Engine, engine::general_purpose::STANDARD};
use clients::{
    aws,
    certificates::{Prefix, STANDARD_ISSUER_PREFIXES, STANDARD_PREFIX, Sources},
    clock::Clock,
    config,
};
use hyper::http;
use jiff::{SignedDuration, Timestamp};
use local::world::{SEGMENT, SEGMENT_SECRET};
use serde_json::{Value, json};
use simulators::{
    aws::Aws,
    clock,
    partner_center::{Forge, PartnerCenter, bundle_pem},
    server::Server,
};
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A change of a moment ago.
pub(super) static BODY: LazyLock<String> = LazyLock::new(|| body_at("referral-updated", Timestamp::now()));

const QUEUE: &str = "hints.fifo";
/// The last number of the bait's addresses; loopback has more than one.
const BAITS: [&str; 2] = ["127.0.0.1", "127.0.0.2"];

/// Header lines as they are sent, repeated ones too.
pub(super) type HeaderLines = Vec<(String, Vec<u8>)>;

/// Status and body of the answer.
pub(super) type Answer = (u16, String);

pub(super) struct Door {
    pub(super) host: Server<PartnerCenter>,
    pub(super) queue: Server<Aws>,
    clock: clock::Clock,
    knocks: Arc<AtomicUsize>,
    baits: Vec<(String, JoinHandle<()>)>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.baits.iter().for_each(|(_, task)| task.abort());
    }
}

impl Door {
    pub(super) async fn open() -> Self {
        let clock = clock::Clock::default();
        let host = Server::start(0, clock.clone(), PartnerCenter::new).await.expect("certificate host");
        let queue = Server::start(0, clock.clone(), Aws::new).await.expect("queue");
        queue.system().create_fifo(QUEUE, None, 360);
        let segment = json!({ "token": SEGMENT, "previous_until": "1970-01-01T00:00:00Z" });
        queue.system().put_secret(SEGMENT_SECRET, &segment.to_string());
        let knocks = Arc::<AtomicUsize>::default();
        let mut baits = vec![];
        for address in BAITS {
            let listener = TcpListener::bind((address, 0)).await.expect("a bait");
            let url = format!("http://{}", listener.local_addr().expect("its address"));
            let knocks = knocks.clone();
            let task = tokio::spawn(async move {
                while listener.accept().await.is_ok() {
                    knocks.fetch_add(1, Ordering::Relaxed);
                }
            });
            baits.push((url, task));
        }
        Door { host, queue, clock, knocks, baits }
    }

    /// A cold start: nothing fetched, nothing known.
    pub(super) fn app(&self) -> ingress::App {
        self.knowing(bundle_pem())
    }

    /// A cold start that knows the root alone: the issuing authorities must be fetched.
    pub(super) fn bare(&self) -> ingress::App {
        self.knowing(self.host.system().roots_pem())
    }

    pub(super) fn knowing(&self, roots_pem: String) -> ingress::App {
        let listed = [format!("{}/cert/", self.host.url()), STANDARD_PREFIX.to_owned()];
        let issuers = [format!("{}/issuers/", self.host.url()), STANDARD_ISSUER_PREFIXES[0].to_owned()];
        let config = config::Ingress {
            queue_url: self.queue.system().queue_url(QUEUE),
            webhook_token_arn: SEGMENT_SECRET.to_owned(),
            event_max_age_days: 7,
            certificates: Sources {
                prefixes: listed.map(|l| Prefix::parse(&l).expect("a prefix")).into(),
                issuers: issuers.map(|l| Prefix::of_issuers(&l).expect("a prefix")).into(),
                roots_pem: Some(roots_pem),
            },
        };
        let clock = self.clock.clone();
        let aws = aws::at(&self.queue.url()).expect("settings for AWS");
        ingress::App::new(&config, &aws, Clock::of(move || clock.now())).expect("an app")
    }

    /// A start after which Microsoft's certificate is known.
    pub(super) async fn warm(&self) -> ingress::App {
        let app = self.app();
        assert_eq!(self.genuine(&app).await, 200, "a genuine event");
        self.host.forget_requests();
        app
    }

    /// A genuine event; what it is answered.
    pub(super) async fn genuine(&self, app: &ingress::App) -> u16 {
        knock(app, self.headers(BODY.as_bytes()), BODY.as_bytes()).await.0
    }

    /// As Microsoft would send them with this body.
    pub(super) fn headers(&self, body: &[u8]) -> HeaderLines {
        let headers = self.host.system().headers(body, Forge::Microsoft);
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect()
    }

    pub(super) fn bait(&self, n: usize) -> &str {
        &self.baits[n].0
    }

    /// Connections to hosts off the list.
    pub(super) fn knocks(&self) -> usize {
        self.knocks.load(Ordering::Relaxed)
    }

    /// Requests to the certificate host.
    pub(super) fn fetches(&self) -> usize {
        self.host.requests().len()
    }

    /// Requests for issuers' certificates among them.
    pub(super) fn issuer_fetches(&self) -> usize {
        self.host.count(|log| log.route.contains("issuers/"))
    }

    /// Calls of the queue; the own address is another service's.
    pub(super) fn sent(&self) -> usize {
        self.queue.requests().iter().filter(|log| log.route.starts_with("AmazonSQS.")).count()
    }

    /// Messages in the queue.
    pub(super) fn messages(&self) -> usize {
        self.queue.system().messages(QUEUE).len()
    }

    pub(super) fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }
}

/// What Partner Center sends of a change at that instant.
pub(super) fn body_at(name: &str, at: Timestamp) -> String {
    format!(
        r#"{{"EventName":"{name}","ResourceUri":"https://api.partnercenter.microsoft.com/engagements/v1/referrals/0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01","ResourceName":"referral","AuditUri":null,"ResourceChangeUtcDate":"{at}"}}"#
    )
}

/// The headers with another certificate address.
pub(super) fn at(headers: &HeaderLines, url: &str) -> HeaderLines {
    let mut headers = headers.clone();
    set(&mut headers, "x-ms-certificate-url", url.as_bytes());
    headers
}

/// Sets a header, or adds it.
pub(super) fn set(headers: &mut HeaderLines, name: &str, value: &[u8]) {
    headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), value.to_vec()));
}

/// One call; `None` where no server could have handed such headers on.
pub(super) async fn try_knock(app: &ingress::App, headers: HeaderLines, body: &[u8]) -> Option<Answer> {
    let mut joined = serde_json::Map::new();
    for (name, value) in headers {
        // As the gateway hands them on: names in lower case, values of one name joined.
        let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?.to_string();
        let value = http::HeaderValue::from_bytes(&value).ok()?;
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let before = joined.get(&name).and_then(Value::as_str).map(|before| format!("{before},{value}"));
        joined.insert(name, before.unwrap_or(value).into());
    }
    let event = json!({
        "version": "2.0", "routeKey": "POST /webhook/{token}", "rawPath": format!("/webhook/{SEGMENT}"), "rawQueryString": "",
        "headers": joined, "body": STANDARD.encode(body), "isBase64Encoded": true,
    });
    let answer = ingress::handle(app, event.to_string().as_bytes()).await;
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok())?;
    Some((status, format!("{} {}", answer["headers"], answer["body"])))
}

pub(super) async fn knock(app: &ingress::App, headers: HeaderLines, body: &[u8]) -> Answer {
    try_knock(app, headers, body).await.expect("headers that a server hands on")
}
