//! Signing certificates from the addresses on the list: fetched seldom, kept once they have proved genuine. The
//! sender names the address, so neither where nor how often is fetched may be up to him.

mod address;
pub mod pem;
mod validity;

pub use address::{Address, BadPrefix, Prefix, STANDARD_PREFIX};
pub use validity::validity;

use crate::{clock::Clock, http::Http};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// For the whole certificate.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);
/// No certificate is larger, a chain in PEM included.
const SIZE_LIMIT: usize = 32 * 1024;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Fetches of addresses that never proved genuine, all together, in an hour.
const UNKNOWN_AN_HOUR: usize = 10;
/// Fetches of one known address that may follow each other closely...
const KNOWN_AT_ONCE: usize = 4;
/// ...afterwards one in this time. So forged signatures cannot keep a renewed certificate out: each fetch they
/// cause brings it, and there are never more than ten an hour.
const KNOWN_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// Genuine certificates kept; Microsoft uses one or two.
const KEPT: usize = 32;

/// The certificates of one process; of those that proved genuine it keeps a `G`, whatever their reader made of them.
pub struct Certificates<G> {
    http: Http,
    list: Vec<Prefix>,
    clock: Clock,
    state: Mutex<State<G>>,
}

struct State<G> {
    genuine: HashMap<Address, Arc<G>>,
    fetches: HashMap<Address, VecDeque<Timestamp>>,
    unknown: VecDeque<Timestamp>,
}

/// Why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCertificate {
    /// Fetched often enough for now.
    #[error("fetched too often within the hour")]
    TooOften,
    /// Its host does not answer in time, or says it cannot at the moment.
    #[error("certificate host: {0}")]
    NotNow(String),
    /// Its host says there is none, or sends something else.
    #[error("no certificate there: {0}")]
    NotThere(String),
}

impl<G> Default for State<G> {
    fn default() -> Self {
        State { genuine: HashMap::new(), fetches: HashMap::new(), unknown: VecDeque::new() }
    }
}

impl<G> Certificates<G> {
    /// `http` should give up after [`TIME_LIMIT`]; it follows no redirects.
    pub fn new(http: Http, list: Vec<Prefix>, clock: Clock) -> Self {
        Certificates { http, list, clock, state: Mutex::default() }
    }

    /// The address a sender names, if it is on the list.
    pub fn on_list(&self, text: &str) -> Option<Address> {
        Address::on_list(text, &self.list)
    }

    /// Microsoft's present certificate, if its folder is on the list: worth fetching before the first event.
    pub fn documented(&self) -> Option<Address> {
        Address::documented(&self.list)
    }

    /// The certificate that is expected at the first place of the list.
    pub fn expected(&self) -> Option<Address> {
        Address::expected(&self.list)
    }

    /// A certificate that proved genuine before.
    pub fn genuine(&self, address: &Address) -> Option<Arc<G>> {
        self.state().genuine.get(address).cloned()
    }

    /// Keeps a certificate that proved genuine, instead of the one before.
    pub fn keep(&self, address: &Address, certificate: G) {
        let mut state = self.state();
        if state.genuine.len() < KEPT || state.genuine.contains_key(address) {
            state.genuine.insert(address.clone(), Arc::new(certificate));
        }
    }

    /// Fetches once, within the bounds.
    pub async fn fetch(&self, address: &Address) -> Result<Vec<u8>, NoCertificate> {
        if !self.state().may_fetch(address, self.clock.now()) {
            return Err(NoCertificate::TooOften);
        }
        let answer = tokio::time::timeout(TIME_LIMIT, self.get(address.as_str())).await;
        answer.unwrap_or_else(|_| Err(NoCertificate::NotNow("no answer in time".to_owned())))
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, NoCertificate> {
        let broken = |e: reqwest::Error| NoCertificate::NotNow(e.without_url().to_string());
        let mut answer = self.http.request(Method::GET, url).send().await.map_err(broken)?;
        match answer.status() {
            StatusCode::OK => {}
            busy if busy.is_server_error() || [408, 429].contains(&busy.as_u16()) => {
                return Err(NoCertificate::NotNow(format!("status {}", busy.as_u16())));
            }
            other => return Err(NoCertificate::NotThere(format!("status {}", other.as_u16()))),
        }
        let mut certificate = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if certificate.len() + chunk.len() > SIZE_LIMIT {
                return Err(NoCertificate::NotThere(format!("more than {SIZE_LIMIT} bytes")));
            }
            certificate.extend_from_slice(&chunk);
        }
        Ok(certificate)
    }

    fn state(&self) -> MutexGuard<'_, State<G>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<G> State<G> {
    /// Counts the fetch if it may be made. Known addresses have a count of their own, so that made-up names below a
    /// listed folder cannot use up the genuine one's.
    fn may_fetch(&mut self, address: &Address, now: Timestamp) -> bool {
        let known = address.is_expected() || self.genuine.contains_key(address);
        let fetches =
            if known { self.fetches.entry(address.clone()).or_default() } else { &mut self.unknown };
        while fetches.front().is_some_and(|at| now.duration_since(*at) >= HOUR) {
            fetches.pop_front();
        }
        let rested = fetches.back().is_none_or(|at| now.duration_since(*at) >= KNOWN_PAUSE);
        let may =
            if known { fetches.len() < KNOWN_AT_ONCE || rested } else { fetches.len() < UNKNOWN_AN_HOUR };
        if may {
            fetches.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str) -> Address {
        let list = [Prefix::parse(STANDARD_PREFIX).unwrap()];
        Address::on_list(&format!("{STANDARD_PREFIX}{name}"), &list).unwrap()
    }

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_second(1_774_000_000 + 60 * n).unwrap()
    }

    #[test]
    fn made_up_names_share_ten_fetches_an_hour() {
        let mut state = State::<()>::default();
        let fetched = (0..50).filter(|n| state.may_fetch(&address(&format!("{n}.cer")), minute(*n))).count();
        assert_eq!(fetched, UNKNOWN_AN_HOUR);
        assert!(state.may_fetch(&address("later.cer"), minute(60)));
        assert!(!state.may_fetch(&address("later.cer"), minute(60)));
    }

    #[test]
    fn no_more_is_kept_than_anybody_needs_and_what_is_kept_can_be_replaced() {
        let list = vec![Prefix::parse(STANDARD_PREFIX).unwrap()];
        let certificates = Certificates::new(Http::new(TIME_LIMIT).unwrap(), list, Clock::system());
        let all: Vec<Address> = (0..2 * KEPT).map(|n| address(&format!("{n}.cer"))).collect();
        for round in 0..2 {
            all.iter().for_each(|address| certificates.keep(address, round));
        }
        let kept: Vec<_> = all.iter().filter_map(|address| certificates.genuine(address)).collect();
        assert_eq!(kept, vec![Arc::new(1); KEPT]);
    }

    #[test]
    fn made_up_names_cannot_use_up_the_genuine_ones_fetches() {
        let mut state = State::default();
        state.genuine.insert(address("renamed.cer"), Arc::new("certificate"));
        for n in 0..50 {
            state.may_fetch(&address(&format!("{n}.cer")), minute(0));
        }
        assert!(state.may_fetch(&address("renamed.cer"), minute(0)));
        assert!(state.may_fetch(&address("pcnotifications-dispatch.microsoft.com.cer"), minute(0)));
    }

    #[test]
    fn a_renewed_certificate_is_seen_within_minutes_under_a_storm_of_forgeries() {
        let mut state = State::<()>::default();
        let genuine = address("pcnotifications-dispatch.microsoft.com.cer");
        let storm = (0..60 * 60).map(|second| Timestamp::from_second(1_774_000_000 + second).unwrap());
        let fetched: Vec<Timestamp> = storm.filter(|at| state.may_fetch(&genuine, *at)).collect();
        assert!(fetched.len() <= 10, "{}", fetched.len());
        let longest = fetched.windows(2).map(|pair| pair[1].duration_since(pair[0])).max();
        assert_eq!(longest, Some(KNOWN_PAUSE));
    }
}
