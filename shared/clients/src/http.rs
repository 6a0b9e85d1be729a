//! The one request path: bundled roots, no proxy, no redirects, one time-out, and an answer that is read whole up to a
//! limit. It sends a request once and never again: only the caller knows whether a second try is harmless.

pub mod text;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{Method, RequestBuilder, header};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
#[cfg(feature = "full")]
use sync::failure::Failure;

/// The largest answer that is read, in bytes. No vendor's answer to our requests is larger: pages are bounded by
/// `maxpagesize` and `$top`.
const MOST: usize = 8 << 20;

/// How the message of a larger answer begins; `was_too_large` recognises it.
const TOO_LARGE: &str = "the answer is larger than";

/// The longest `Retry-After` that is obeyed. Gateways name days in their maintenance pages, and a client that obeyed
/// them would stand still long after the vendor is back; one request an hour is no burden to a vendor.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// The longest that connecting may take. Shorter than a request's limit, so that a host that does not answer at all is
/// distinguished from a slow one.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection that idled longer is not used for a write: the server may have closed it (a function is frozen between
/// two runs and notices nothing), and then it is unknown whether the write was carried out. A read may be repeated, so
/// it may use any connection.
const IDLE: Duration = Duration::from_secs(3);

/// Sends requests; clones share their connections.
#[derive(Clone, Debug)]
pub struct Http {
    reads: reqwest::Client,
    writes: reqwest::Client,
}

/// Why no client could be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The TLS settings contradict each other.
    #[error("tls: {0}")]
    Tls(#[from] rustls::Error),
    /// The client refused its settings.
    #[error("http client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Why a request got no answer, or no whole one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The request failed before a byte of it was sent.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The connection ended before a byte of an answer came: the request may have left and may have been carried out.
    #[error("no answer: {0}")]
    Silent(String),
    /// The time ran out, or the answer broke off: the request may have left and may have been carried out.
    #[error("no whole answer: {0}")]
    MaybeSent(String),
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status, also if the body is no JSON.
    pub status: u16,
    /// All headers of the answer.
    pub headers: header::HeaderMap,
    /// The body, whole: one above the limit is no answer.
    pub body: Vec<u8>,
}

/// Whether a read failed because the answer was too large: the caller can ask for less of it.
#[cfg(feature = "full")]
pub(crate) fn was_too_large(failure: &Failure) -> bool {
    failure.text.contains(TOO_LARGE)
}

impl Http {
    /// A client whose every request, answer included, ends within `timeout`.
    pub fn new(timeout: Duration) -> Result<Http, BuildError> {
        Http::with_idle(timeout, IDLE)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one request path")]
    fn with_idle(timeout: Duration, idle: Duration) -> Result<Http, BuildError> {
        let mut roots = rustls::RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let tls =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let client = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                // A write that may have left is never sent again, so no lower layer may retry either.
                .retry(reqwest::retry::never())
                .timeout(timeout)
                .connect_timeout(CONNECT.min(timeout))
        };
        Ok(Http { reads: client().build()?, writes: client().pool_idle_timeout(idle).build()? })
    }

    /// Begins a request; [`Http::send`] sends it.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let client = if method == Method::GET { &self.reads } else { &self.writes };
        client.request(method, url)
    }

    /// Sends the request once and reads the answer to its end.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, Broken> {
        let mut response = request.send().await.map_err(broken)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| Broken::MaybeSent(told(e)))? {
            if body.len() + chunk.len() > MOST {
                return Err(Broken::MaybeSent(format!("{TOO_LARGE} {MOST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }
}

fn broken(error: reqwest::Error) -> Broken {
    let (early, late) = (error.is_connect() || error.is_builder(), error.is_timeout());
    let text = told(error);
    match (early, late) {
        (true, _) => Broken::NotSent(text),
        (false, true) => Broken::MaybeSent(text),
        (false, false) => Broken::Silent(text),
    }
}

/// The error with its causes, without the URL, whose filter may hold a name or an e-mail address.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(c) = cause {
        let next = c.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = c.source();
    }
    text
}

impl Answer {
    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// One header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, if it is JSON; bytes and escapes that no text can hold are replaced in it.
    pub fn json(&self) -> Option<Value> {
        text::json(&self.body).ok()
    }

    /// Describes a 2xx answer that is not what was asked for: its length, and where reading stopped. Its text may be
    /// personal data, so it goes into no message.
    pub fn unread(&self) -> String {
        text::unread(&self.body)
    }

    /// The answer's `Date`: the time by the sender's clock.
    pub fn date(&self) -> Option<Timestamp> {
        http_date(self.header("date")?)
    }

    /// `Retry-After`: seconds, or a date measured against the answer's own `Date`; an hour at most.
    pub fn retry_after(&self) -> Option<SignedDuration> {
        retry_after(self.header("retry-after")?, self.header("date"))
    }

    /// The body's beginning as one line of text, for messages.
    pub fn text(&self, max: usize) -> String {
        one_line(&String::from_utf8_lossy(&self.body), max)
    }
}

/// The pause that a `Retry-After` asks for, an hour at most. `date` is the `Date` of the same answer.
pub(crate) fn retry_after(text: &str, date: Option<&str>) -> Option<SignedDuration> {
    let text = text.trim();
    let after = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Too many seconds for a `u32` means the longest pause.
        text.parse::<u32>().map_or(LONGEST_PAUSE, |seconds| SignedDuration::from_secs(seconds.into()))
    } else {
        http_date(text)?.duration_since(http_date(date?)?)
    };
    Some(after.clamp(SignedDuration::ZERO, LONGEST_PAUSE))
}

fn http_date(text: &str) -> Option<Timestamp> {
    Some(rfc2822::parse(text).ok()?.timestamp())
}

/// Cuts a text from outside so that it may stand in a message.
pub(crate) use mapping::one_line;

/// Whether a URL names this machine.
pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    fn answer(headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        let pairs = headers.iter().map(|(n, v)| (n.parse().unwrap(), header::HeaderValue::from_static(v)));
        Answer { status: 429, headers: pairs.collect(), body: body.into() }
    }

    /// Answers each connection with the same bytes after reading a request, and sends that request to the receiver.
    async fn server(bytes: &'static [u8]) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let (told, seen) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut read = vec![0; 4096];
                let n = socket.read(&mut read).await.unwrap_or(0);
                let _ = told.send(String::from_utf8_lossy(&read[..n]).into_owned());
                let _ = socket.write_all(bytes).await;
            }
        });
        (url, seen)
    }

    fn http() -> Http {
        Http::new(Duration::from_millis(500)).unwrap()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(answer(&[("retry-after", "23")], "").retry_after(), Some(SignedDuration::from_secs(23)));
        let dated =
            [("retry-after", "Fri, 20 Nov 2026 10:00:30 GMT"), ("date", "Fri, 20 Nov 2026 10:00:00 GMT")];
        assert_eq!(answer(&dated, "").retry_after(), Some(SignedDuration::from_secs(30)));
        assert_eq!(answer(&[("retry-after", "soon")], "").retry_after(), None);
        assert_eq!(answer(&[], "").retry_after(), None);
    }

    #[test]
    fn nobody_is_believed_who_asks_for_more_than_an_hour() {
        let hour = Some(SignedDuration::from_hours(1));
        for long in ["3601", "2592000", "99999999999999999999"] {
            assert_eq!(answer(&[("retry-after", long)], "").retry_after(), hour, "{long}");
        }
        assert_eq!(answer(&[("retry-after", "3600")], "").retry_after(), hour);
        let until = |until| [("retry-after", until), ("date", "Fri, 20 Nov 2026 10:00:00 GMT")];
        assert_eq!(answer(&until("Sun, 20 Dec 2026 10:00:00 GMT"), "").retry_after(), hour);
        let past = answer(&until("Fri, 20 Nov 2026 09:00:00 GMT"), "").retry_after();
        assert_eq!(past, Some(SignedDuration::ZERO));
        assert_eq!(answer(&[("retry-after", "-5")], "").retry_after(), None);
    }

    #[test]
    fn text_is_one_bounded_line() {
        assert_eq!(answer(&[], "<html>\r\n  busy\n</html>").text(100), "<html> busy </html>");
        assert_eq!(answer(&[], "äöüß").text(3), "äö…");
    }

    #[test]
    fn a_byte_order_mark_before_json_is_ignored() {
        assert_eq!(answer(&[], "\u{feff}{\"a\":1}").json(), Some(serde_json::json!({ "a": 1 })));
        assert_eq!(answer(&[], "<html>").json(), None);
    }

    #[tokio::test]
    async fn a_closed_port_is_not_sent() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let request = http().request(Method::POST, &format!("http://{port}/x"));
        assert!(matches!(http().send(request).await, Err(Broken::NotSent(_))));
    }

    #[tokio::test]
    async fn a_connection_closed_without_an_answer_may_have_been_sent_and_is_not_sent_again() {
        let (url, mut seen) = server(b"").await;
        let sent = http().send(http().request(Method::POST, &url).body("once")).await;
        assert!(matches!(sent, Err(Broken::Silent(_))), "{sent:?}");
        assert!(seen.recv().await.unwrap().contains("POST /x"));
        assert!(seen.try_recv().is_err(), "sent twice");
    }

    /// Keeps its connections open, answers the first request of each, and closes the connection when a second one
    /// arrives.
    async fn forgetful() -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let (told, seen) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let told = told.clone();
                tokio::spawn(async move {
                    for answered in [true, false] {
                        let mut read = vec![0; 4096];
                        let n = socket.read(&mut read).await.unwrap_or(0);
                        if n == 0 {
                            return;
                        }
                        let line =
                            String::from_utf8_lossy(&read[..n]).lines().next().unwrap_or_default().to_owned();
                        let _ = told.send(line);
                        if answered {
                            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                        }
                    }
                });
            }
        });
        (url, seen)
    }

    #[tokio::test]
    async fn a_write_leaves_on_no_connection_that_idled_and_a_read_tells_that_nothing_came() {
        let (url, mut seen) = forgetful().await;
        let http = Http::with_idle(Duration::from_secs(5), Duration::from_millis(100)).unwrap();
        for method in [Method::PATCH, Method::GET] {
            http.send(http.request(method, &url)).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        http.send(http.request(Method::PATCH, &url)).await.unwrap();
        let read = http.send(http.request(Method::GET, &url)).await;
        assert!(matches!(read, Err(Broken::Silent(_))), "{read:?}");
        for line in ["PATCH", "GET", "PATCH", "GET"] {
            assert!(seen.recv().await.unwrap().starts_with(line));
        }
        assert!(seen.try_recv().is_err(), "nothing is sent again here");
        assert_eq!(http.send(http.request(Method::GET, &url)).await.unwrap().status, 200);
    }

    #[tokio::test]
    async fn half_an_answer_is_no_answer() {
        let (url, _seen) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
        let sent = http().send(http().request(Method::GET, &url)).await;
        assert!(matches!(sent, Err(Broken::MaybeSent(_))), "{sent:?}");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let (url, mut seen) =
            server(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n").await;
        let sent = http().send(http().request(Method::GET, &url)).await.unwrap();
        assert_eq!(sent.status, 302);
        seen.recv().await.unwrap();
        assert!(seen.try_recv().is_err());
    }
}
