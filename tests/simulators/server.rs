//! What every simulator shares: an HTTP/1.1 listener, the request log, scripted faults and the control API `/_sim/`.
//!
//! A simulator is a plain struct behind a mutex that turns one request into one response. Faults and the log
//! sit around it, so that "lost before" and "lost after the commit" mean the same everywhere.

use crate::{clock::Clock, weather::Weather};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path as sent, not percent-decoded, without the query.
    pub path: String,
    /// Query as sent, without `?`; empty if none.
    pub query: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Bytes,
}

impl Request {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Response {
    pub fn new(status: u16) -> Self {
        Response { status, headers: vec![], body: Bytes::new() }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Response::new(status).with("content-type", "application/json").body(body.to_string())
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The loud refusal: the simulator does not know this request. A world that sees one fails its test.
    pub fn unknown(request: &Request, why: &str) -> Self {
        let text = format!(
            "simulator: {why}: {} {}?{}\n{}",
            request.method,
            request.path,
            request.query,
            String::from_utf8_lossy(&request.body)
        );
        Response::new(501).body(text)
    }
}

/// An outside system: all that the listener needs to know of it.
pub trait Simulator: Send + 'static {
    /// Short stable label of a request for counting and fault scripts, e.g. `PATCH referrals/{id}`: method, space,
    /// route with ids replaced by `{id}`.
    fn route(&self, request: &Request) -> String;

    /// Handles one request completely (its effects are committed when this returns).
    fn handle(&mut self, request: &Request, now: Timestamp) -> Response;

    /// `GET /_sim/state`: everything this system holds.
    fn state(&self) -> Value;

    /// `POST /_sim/<verb>` with a JSON body: act as a person or as the vendor. `None`: no such verb.
    fn control(&mut self, verb: &str, body: &Value, now: Timestamp) -> Option<Result<Value, String>>;
}

/// One line of the request log.
#[derive(Clone, Debug, Serialize)]
pub struct Logged {
    /// When it arrived, by the shared clock.
    pub at: Timestamp,
    pub route: String,
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// What the caller saw; 0 = the connection was dropped.
    pub status: u16,
    /// Whether the system handled it (false: a fault stood in front of it).
    pub committed: bool,
    pub answer: String,
}

/// What a scripted fault does.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// This answer instead of the system's; nothing is committed.
    Answer {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: String,
    },
    /// The connection breaks before the system sees the request.
    DropBefore,
    /// The system handles the request, then the connection breaks.
    DropAfter,
    /// The system handles the request, then the answer is replaced.
    AnswerAfter {
        status: u16,
        #[serde(default)]
        body: String,
    },
    /// The answer (or the start of handling) is late by so many real milliseconds.
    Delay { ms: u64, after_commit: bool },
}

/// A fault for requests whose route contains `route` (empty: every request).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Fault {
    #[serde(default)]
    pub route: String,
    /// So many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// So many are hit after that.
    #[serde(default = "once")]
    pub times: u32,
    #[serde(flatten)]
    pub kind: FaultKind,
}

fn once() -> u32 {
    1
}

/// What befalls one request, counted over all the systems that share it.
#[derive(Clone, Debug)]
pub enum Blow {
    Fault(FaultKind),
    /// The caller dies while it waits, before or after the request took effect: it is told by [`Strike::killed`].
    Kill {
        after_commit: bool,
    },
}

/// One blow, at the `at`-th request (from 0) that any of several systems sees.
pub struct Strike {
    at: u32,
    blow: Blow,
    seen: AtomicU32,
    killed: Notify,
}

impl Strike {
    pub fn new(at: u32, blow: Blow) -> Arc<Self> {
        Arc::new(Strike { at, blow, seen: AtomicU32::new(0), killed: Notify::new() })
    }

    /// Requests seen so far.
    pub fn seen(&self) -> u32 {
        self.seen.load(Ordering::Relaxed)
    }

    pub fn has_struck(&self) -> bool {
        self.seen() > self.at
    }

    /// Returns when the caller shall die.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    fn next(&self) -> Option<Blow> {
        (self.seen.fetch_add(1, Ordering::Relaxed) == self.at).then(|| self.blow.clone())
    }
}

/// How the network to a system behaves; by default it takes no time and forgets nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network {
    /// Each call takes so long, by the shared clock. Calls under way at the same time take it together.
    pub latency: SignedDuration,
    /// A connection that was idle so long is dead: the next request on it has no effect and gets no answer.
    pub forgets_after: Option<SignedDuration>,
}

/// Stands, in what a system holds, for half of a surrogate pair, which no Rust text can hold: `\ud83d` at the wire.
pub const LONE_SURROGATE: char = '\u{fdd0}';
/// Stands for a byte that is no UTF-8.
pub const BAD_BYTE: char = '\u{fdd1}';

/// Who is told of each request.
type Watcher = Arc<dyn Fn(&Logged) + Send + Sync>;

struct Shared<S> {
    simulator: Mutex<S>,
    clock: Clock,
    log: Mutex<Vec<Logged>>,
    faults: Mutex<Vec<Fault>>,
    strike: Mutex<Option<Arc<Strike>>>,
    weather: Mutex<Option<Arc<Weather>>>,
    network: Mutex<Network>,
    watcher: Mutex<Option<Watcher>>,
    /// How far this system's clock goes wrong, in the `Date` of its answers.
    skew: Mutex<SignedDuration>,
}

/// A simulator listening on loopback; stops when dropped.
pub struct Server<S> {
    shared: Arc<Shared<S>>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl<S: Simulator> Server<S> {
    /// Listens on `port` (0: any free one). `build` gets the base URL, which some systems print into their answers.
    pub async fn start(port: u16, clock: Clock, build: impl FnOnce(&str) -> S) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            simulator: Mutex::new(build(&format!("http://{address}"))),
            clock,
            log: Mutex::default(),
            faults: Mutex::default(),
            strike: Mutex::default(),
            weather: Mutex::default(),
            network: Mutex::default(),
            watcher: Mutex::default(),
            skew: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Ok(Server { shared, address, task })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The system itself, for a test that looks at what it holds or acts as somebody. Do not hold it across an await.
    pub fn system(&self) -> MutexGuard<'_, S> {
        self.shared.simulator.lock().expect("simulator")
    }

    /// All requests so far, control calls aside.
    pub fn requests(&self) -> Vec<Logged> {
        self.shared.log.lock().expect("log").clone()
    }

    /// How many of them are such.
    pub fn count(&self, such: impl Fn(&Logged) -> bool) -> usize {
        self.shared.log.lock().expect("log").iter().filter(|log| such(log)).count()
    }

    pub fn forget_requests(&self) {
        self.shared.log.lock().expect("log").clear();
    }

    pub fn fault(&self, fault: Fault) {
        self.shared.faults.lock().expect("faults").push(fault);
    }

    /// From now on requests are counted by `strike`, and one of them is struck; `None` ends it.
    pub fn strike(&self, strike: Option<Arc<Strike>>) {
        *self.shared.strike.lock().expect("strike") = strike;
    }

    /// From now on requests fail as this weather wants; `None`: fair again.
    pub fn weather(&self, weather: Option<Arc<Weather>>) {
        *self.shared.weather.lock().expect("weather") = weather;
    }

    /// From now on the network to it behaves so.
    pub fn network(&self, network: Network) {
        *self.shared.network.lock().expect("network") = network;
    }

    /// From now on requests are told to `watcher` and no longer kept: for runs too long for a log.
    pub fn watch(&self, watcher: impl Fn(&Logged) + Send + Sync + 'static) {
        *self.shared.watcher.lock().expect("watcher") = Some(Arc::new(watcher));
        self.forget_requests();
    }

    /// Faults that have not struck yet.
    pub fn pending_faults(&self) -> usize {
        self.shared.faults.lock().expect("faults").iter().filter(|f| f.times > 0).count()
    }

    /// From now on the clock that this system shows in its answers goes so much wrong.
    pub fn skew(&self, by: SignedDuration) {
        *self.shared.skew.lock().expect("skew") = by;
    }

    pub fn clear_faults(&self) {
        self.shared.faults.lock().expect("faults").clear();
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<S: Simulator>(listener: TcpListener, shared: Arc<Shared<S>>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        while connections.try_join_next().is_some() {}
        let shared = shared.clone();
        connections.spawn(async move {
            let used = Arc::new(Mutex::new(shared.clock.now()));
            let service = service_fn(move |r| answer(shared.clone(), used.clone(), r));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// An error from here makes hyper close the connection without an answer: a lost answer at the wire.
async fn answer<S: Simulator>(
    shared: Arc<Shared<S>>,
    used: Arc<Mutex<Timestamp>>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, std::io::Error> {
    let network = *shared.network.lock().expect("network");
    let idle = shared.clock.now().duration_since(*used.lock().expect("used"));
    if network.forgets_after.is_some_and(|most| idle >= most) {
        return Err(std::io::Error::other("the connection was idle for too long"));
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let mut headers = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|v: &mut String| {
                v.push_str(", ");
                v.push_str(&value);
            })
            .or_insert(value);
    }
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    };
    if let Some(verb) = request.path.strip_prefix("/_sim/") {
        return Ok(to_hyper(control(&shared, verb, &request)));
    }
    let at = shared.clock.now();
    if network.latency.is_positive() {
        // What is sent together is under way together.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        shared.clock.advance_to(at + network.latency);
    }
    *used.lock().expect("used") = shared.clock.now();
    let route = shared.simulator.lock().expect("simulator").route(&request);
    let strike = shared.strike.lock().expect("strike").clone();
    let fault = match strike.as_ref().and_then(|strike| Some((strike, strike.next()?))) {
        None => next_fault(&shared, &route).or_else(|| {
            let weather = shared.weather.lock().expect("weather").clone();
            weather.and_then(|weather| weather.next())
        }),
        Some((_, Blow::Fault(fault))) => Some(fault),
        Some((strike, Blow::Kill { after_commit })) => {
            strike.killed.notify_one();
            Some(if after_commit { FaultKind::DropAfter } else { FaultKind::DropBefore })
        }
    };
    let delay = |ms: u64| tokio::time::sleep(Duration::from_millis(ms));
    let handle = || {
        let now = shared.clock.now();
        shared.simulator.lock().expect("simulator").handle(&request, now)
    };
    let (response, committed) = match fault {
        None => (Some(handle()), true),
        Some(FaultKind::Answer { status, headers, body }) => {
            let headers = headers.into_iter().collect();
            (Some(Response { status, headers, body: body.into() }), false)
        }
        Some(FaultKind::DropBefore) => (None, false),
        Some(FaultKind::DropAfter) => {
            handle();
            (None, true)
        }
        Some(FaultKind::AnswerAfter { status, body }) => {
            handle();
            (Some(Response::new(status).body(body)), true)
        }
        Some(FaultKind::Delay { ms, after_commit: true }) => {
            let response = handle();
            delay(ms).await;
            (Some(response), true)
        }
        Some(FaultKind::Delay { ms, after_commit: false }) => {
            delay(ms).await;
            (Some(handle()), true)
        }
    };
    let logged = Logged {
        at,
        route,
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: String::from_utf8_lossy(&request.body).into_owned(),
        status: response.as_ref().map_or(0, |r| r.status),
        committed,
        answer: response.as_ref().map(|r| String::from_utf8_lossy(&r.body).into_owned()).unwrap_or_default(),
    };
    let watcher = shared.watcher.lock().expect("watcher").clone();
    match watcher {
        Some(watcher) => watcher(&logged),
        None => shared.log.lock().expect("log").push(logged),
    }
    let date = |r: &Response| r.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date"));
    let at = shared.clock.now() + *shared.skew.lock().expect("skew");
    let dated = |r: Response| if date(&r) { r } else { r.with("Date", http_date(at)) };
    response.map(|r| to_hyper(dated(r))).ok_or_else(|| std::io::Error::other("scripted: connection dropped"))
}

fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn next_fault<S>(shared: &Shared<S>, route: &str) -> Option<FaultKind> {
    let mut faults = shared.faults.lock().expect("faults");
    for fault in faults.iter_mut().filter(|f| f.times > 0 && route.contains(&f.route)) {
        if fault.skip > 0 {
            fault.skip -= 1;
        } else {
            fault.times -= 1;
            return Some(fault.kind.clone());
        }
    }
    None
}

fn to_hyper(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut built = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers {
        built = built.header(name, value);
    }
    built.body(Full::new(at_wire(response.body))).expect("a simulator's headers are valid")
}

/// The body with what no Rust text can hold.
fn at_wire(body: Bytes) -> Bytes {
    // Both begin with these bytes.
    if !body.windows(2).any(|two| two == [0xef, 0xb7]) {
        return body;
    }
    let mut bytes = body.as_ref();
    let mut wire = Vec::with_capacity(bytes.len());
    while let Some(first) = bytes.first() {
        let (sent, rest): (&[u8], _) = match bytes {
            [0xef, 0xb7, 0x90, rest @ ..] => (br"\ud83d", rest),
            [0xef, 0xb7, 0x91, rest @ ..] => (&[0xff], rest),
            [_, rest @ ..] => (std::slice::from_ref(first), rest),
            [] => break,
        };
        wire.extend_from_slice(sent);
        bytes = rest;
    }
    wire.into()
}

/// `GET state`, `GET requests`, `DELETE requests`, `POST faults`, `DELETE faults`, `GET|POST clock` (`{"advance_seconds": n}`),
/// and the simulator's own verbs.
fn control<S: Simulator>(shared: &Shared<S>, verb: &str, request: &Request) -> Response {
    let fail = |text: String| Response::json(400, &json!({ "error": text }));
    let clock = || Response::json(200, &json!({ "now": shared.clock.now().to_string() }));
    match (request.method.as_str(), verb) {
        ("GET", "state") => Response::json(200, &shared.simulator.lock().expect("simulator").state()),
        ("GET", "requests") => {
            let log = shared.log.lock().expect("log");
            let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
            for line in log.iter() {
                *counts.entry(&line.route).or_default() += 1;
            }
            Response::json(200, &json!({ "counts": counts, "requests": *log }))
        }
        ("DELETE", "requests") => {
            shared.log.lock().expect("log").clear();
            Response::new(204)
        }
        ("DELETE", "faults") => {
            shared.faults.lock().expect("faults").clear();
            Response::new(204)
        }
        ("POST", "faults") => match serde_json::from_slice::<Fault>(&request.body) {
            Ok(fault) => {
                shared.faults.lock().expect("faults").push(fault);
                Response::new(204)
            }
            Err(e) => fail(e.to_string()),
        },
        ("GET", "clock") => clock(),
        ("POST", "clock") => match request.json().and_then(|b| b["advance_seconds"].as_i64()) {
            Some(seconds) => {
                shared.clock.advance(SignedDuration::from_secs(seconds));
                clock()
            }
            None => fail("`advance_seconds`: expected a whole number".into()),
        },
        ("POST", verb) => {
            let body = request.json().unwrap_or(Value::Null);
            let now = shared.clock.now();
            match shared.simulator.lock().expect("simulator").control(verb, &body, now) {
                Some(Ok(answer)) => Response::json(200, &answer),
                Some(Err(text)) => fail(text),
                None => Response::json(404, &json!({ "error": format!("no control verb `{verb}`") })),
            }
        }
        _ => Response::json(
            405,
            &json!({ "error": "GET state|requests|clock, POST faults|clock|<verb>, DELETE requests|faults" }),
        ),
    }
}
