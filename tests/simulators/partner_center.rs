//! Microsoft Partner Center at the wire: referrals, the webhook registration, signed deliveries.
//!
//! Both virtual hosts live on one listener; every route demands its own token audience.

mod authorities;
pub mod certificates;
pub mod outbox;
pub mod people;
pub mod registration;
pub mod switches;

mod answer;
mod control;
mod create;
mod faults;
mod filter;
mod list;
mod patch;
mod put;
mod referral;
#[cfg(test)]
mod samples;
mod schema;
#[cfg(test)]
mod tests;

pub use certificates::{Forge, bundle_pem, roots_pem};
pub use faults::{FAULTS, fault};
pub use outbox::{Delivered, DeliveryState, Event, deliver, send};
pub use people::Deal;
pub use referral::{MICROSOFT, ORGANIZATION_ID, ORGANIZATION_NAME};
pub use registration::Registration;
pub use switches::{PartnerCenterSwitches, PatchRepresentation, RelatedEventNames};

use crate::{
    clock::Clock,
    server::{Request, Response, Simulator},
};
use answer::{PartnerCenterRefusal, denied, not_found};
use jiff::{SignedDuration, Timestamp};
use referral::text;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const REFERRALS: &str = "/v1.0/engagements/referrals";
const REGISTRATION: &str = "/webhooks/v1/registration";

/// The vendor, with one partner as its tenant.
pub struct PartnerCenter {
    pub switches: PartnerCenterSwitches,
    base: String,
    referrals: BTreeMap<String, Value>,
    /// The ids of an engagement's referrals, by its id in small letters.
    engagements: BTreeMap<String, BTreeSet<String>>,
    /// The ids in the order of `updatedDateTime`.
    updated: BTreeSet<(String, String)>,
    /// When unanswered referrals run out: never missing one, but maybe outdated.
    expiring: BTreeSet<(Timestamp, String)>,
    /// Reads that still miss a new referral.
    hidden: BTreeMap<String, u32>,
    /// The version before, and reads that still see it.
    stale: BTreeMap<String, (Value, u32)>,
    /// `MS-RequestId` -> referral, where the switch honours it.
    requests: BTreeMap<String, String>,
    /// The last instant given out; the next one is later.
    last: Timestamp,
    changes: u32,
    registration: Option<Registration>,
    /// Where an address that this machine cannot reach is found: a prefix and what stands for it.
    route: Option<(String, String)>,
    outbox: Vec<Event>,
    /// Tells when a delivery is due; without one every call of `deliver` is the next attempt.
    clock: Option<Clock>,
    /// Calls of the last minute, for the rate limit.
    calls: Vec<Timestamp>,
    validations: Vec<registration::Validation>,
    serves: Forge,
    /// Things worth counting that are not refused.
    counts: BTreeMap<&'static str, u32>,
}

impl PartnerCenter {
    pub fn new(base_url: &str) -> Self {
        PartnerCenter {
            switches: PartnerCenterSwitches::default(),
            base: base_url.trim_end_matches('/').to_owned(),
            referrals: BTreeMap::new(),
            engagements: BTreeMap::new(),
            updated: BTreeSet::new(),
            expiring: BTreeSet::new(),
            hidden: BTreeMap::new(),
            stale: BTreeMap::new(),
            requests: BTreeMap::new(),
            last: Timestamp::UNIX_EPOCH,
            changes: 0,
            registration: None,
            route: None,
            outbox: vec![],
            clock: None,
            calls: vec![],
            validations: vec![],
            serves: Forge::Microsoft,
            counts: BTreeMap::new(),
        }
    }

    /// Refused deliveries wait for their time by this clock.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// All referrals by id, as stored (without `links`).
    pub fn referrals(&self) -> &BTreeMap<String, Value> {
        &self.referrals
    }

    /// Those of the partner's own organisation; Microsoft's halves are left out.
    pub fn own_referrals(&self) -> Vec<&Value> {
        self.referrals.values().filter(|r| text(r, "organizationId") == ORGANIZATION_ID).collect()
    }

    /// All referrals of an engagement.
    pub fn engagement(&self, id: &str) -> Vec<&Value> {
        let ids = self.engagements.get(&id.to_ascii_lowercase()).into_iter().flatten();
        ids.map(|id| &self.referrals[id]).collect()
    }

    pub fn registration(&self) -> Option<&Registration> {
        self.registration.as_ref()
    }

    /// Registers without the API, as an earlier deployment would have.
    pub fn register_webhook(&mut self, url: &str, events: &[&str], ms_signature: bool, now: Timestamp) {
        self.registration = Some(Registration {
            subscriber_id: Uuid::new_v4().to_string(),
            url: url.to_owned(),
            events: events.iter().map(|e| (*e).to_owned()).collect(),
            ms_signature,
            modified: now,
        });
    }

    /// As before anybody registered.
    pub fn unregister_webhook(&mut self) {
        self.registration = None;
    }

    /// Deliveries to addresses that begin with `from` go to `to`: a network detail, the registration stays.
    pub fn route(&mut self, from: &str, to: &str) {
        self.route = Some((from.to_owned(), to.to_owned()));
    }

    /// The root an admin would configure.
    pub fn roots_pem(&self) -> String {
        roots_pem()
    }

    /// The vendor renews its signing certificate: same URL, new key.
    pub fn renew_certificate(&mut self) {
        self.serve_certificate(Forge::Renewed);
    }

    /// From now on this one lies where the real one lay, and its key signs.
    pub fn serve_certificate(&mut self, forge: Forge) {
        self.serves = forge;
    }

    pub fn count(&self, what: &str) -> u32 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// An instant after all given out before, on the service's grid of 100 ns.
    fn tick(&mut self, now: Timestamp) -> Timestamp {
        let grid = i32::try_from(now.as_nanosecond().rem_euclid(100)).expect("below 100");
        let now = now - SignedDuration::from_nanos(grid.into());
        self.last = now.max(self.last + SignedDuration::from_nanos(100));
        self.last
    }

    /// Stores a referral as it is from now on; answers how it was.
    fn keep(&mut self, referral: Value) -> Option<Value> {
        let key = |r: &Value| (text(r, "updatedDateTime").to_owned(), text(r, "id").to_owned());
        let engagement = text(&referral, "engagementId").to_ascii_lowercase();
        let (new, id) = (key(&referral), text(&referral, "id").to_owned());
        self.engagements.entry(engagement).or_default().insert(id.clone());
        let before = self.referrals.insert(id, referral);
        if let Some(before) = &before {
            self.updated.remove(&key(before));
        }
        self.updated.insert(new);
        before
    }

    /// A referral as answered.
    fn shown(&self, referral: &Value) -> Value {
        let mut shown = referral.clone();
        let (id, engagement) = (text(referral, "id"), text(referral, "engagementId"));
        shown["links"] = json!({
            "relatedReferrals": {
                "uri": format!("{}{REFERRALS}?$filter=engagementId eq '{engagement}'", self.base), "method": "GET",
            },
            "self": { "uri": format!("{}{REFERRALS}/{id}", self.base), "method": "GET" },
        });
        if self.switches.sparse {
            shown.as_object_mut().expect("an object").remove("registrations");
            if let Some(Value::Object(requirements)) = shown.pointer_mut("/details/requirements") {
                requirements.remove("offers");
            }
            if shown["team"] == json!([]) {
                shown["team"] = Value::Null;
            }
        }
        shown
    }

    fn entity(&self, referral: &Value) -> Value {
        let mut entity = self.shown(referral);
        entity["@odata.context"] =
            json!("https://api.partner.microsoft.com/v1.0/$metadata#Referrals/$entity");
        entity
    }

    fn get(&mut self, id: &str) -> Result<Response, PartnerCenterRefusal> {
        let current = self.referrals.get(id).ok_or_else(not_found)?;
        if !self.visible(current) {
            return Err(denied("The referral belongs to another organization."));
        }
        if let Some(left @ 1..) = self.hidden.get_mut(id) {
            *left -= 1;
            return Err(not_found());
        }
        let entity = match self.stale.get_mut(id) {
            Some((previous, left @ 1..)) => {
                *left -= 1;
                let previous = previous.clone();
                self.entity(&previous)
            }
            _ => self.entity(&self.referrals[id]),
        };
        Ok(Response::json(200, &entity).with("etag", text(&entity, "eTag")))
    }

    fn referrals_host(&mut self, request: &Request, rest: &str, now: Timestamp) -> Response {
        if let Some(refused) = self.throttle(now) {
            return refused;
        }
        let id = rest.strip_prefix('/');
        let answer = self.admit_referrals(request, now).and_then(|()| match (request.method.as_str(), id) {
            ("GET", None) => self.list(request),
            ("GET", Some(id)) if request.query.is_empty() => self.get(id),
            ("POST", None) => self.post(request, now),
            ("PATCH", Some(id)) => self.patch(request, id, now),
            ("PUT", Some(id)) => self.put(request, id, now),
            ("DELETE", _) | ("PATCH", None) | ("POST", Some(_)) => {
                Err(PartnerCenterRefusal::new(405, "invalidRequest", "The method is not supported."))
            }
            _ => Ok(Response::unknown(request, "not a call of the referrals contract that is simulated")),
        });
        let mut response =
            answer.unwrap_or_else(Response::from).with("request-id", Uuid::new_v4().to_string());
        match request.header("client-request-id") {
            Some(id) => response = response.with("client-request-id", id),
            // Called required, but nothing says that it is refused.
            None => *self.counts.entry("missing client-request-id").or_default() += 1,
        }
        response
    }
}

fn file(request: &Request, content: Option<Vec<u8>>) -> Response {
    match content {
        Some(file) if request.method == "GET" => {
            Response::new(200).with("content-type", "application/octet-stream").body(file)
        }
        _ => Response::new(404),
    }
}

impl Simulator for PartnerCenter {
    fn route(&self, request: &Request) -> String {
        let (method, path) = (&request.method, request.path.as_str());
        if let Some(rest) = path.strip_prefix(REFERRALS) {
            // Lists end in `?`, so that a fault can be meant for them alone.
            return match (rest.is_empty(), method.as_str()) {
                (true, "GET") if request.query.contains("engagementId") => "GET referrals?engagement".into(),
                (true, "GET") => "GET referrals?".into(),
                (true, _) => format!("{method} referrals"),
                (false, _) => format!("{method} referrals/{{id}}"),
            };
        }
        if let Some(rest) = path.strip_prefix(REGISTRATION) {
            return match rest.strip_prefix("/validationEvents/") {
                Some(_) => format!("{method} registration/validationEvents/{{id}}"),
                None => format!("{method} registration{rest}"),
            };
        }
        format!("{method} {}", path.trim_start_matches('/'))
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        self.expire_due(now);
        if let Some(name) = request.path.strip_prefix("/cert/") {
            return file(request, certificates::file(&self.base, name, self.serves));
        }
        if let Some(name) = request.path.strip_prefix("/issuers/") {
            return file(request, authorities::file(&self.base, name));
        }
        if let Some(rest) = request.path.strip_prefix(REFERRALS)
            && (rest.is_empty() || (rest.len() > 1 && rest.rfind('/') == Some(0)))
        {
            return self.referrals_host(request, rest, now);
        }
        if let Some(rest) = request.path.strip_prefix(REGISTRATION) {
            return self.webhooks(request, rest, now);
        }
        Response::unknown(request, "not a route of Partner Center")
    }

    fn state(&self) -> Value {
        json!({
            "referrals": self.referrals, "registration": self.registration, "outbox": self.outbox,
            "validations": self.validations, "counts": self.counts, "switches": self.switches,
        })
    }

    fn control(&mut self, verb: &str, body: &Value, now: Timestamp) -> Option<Result<Value, String>> {
        self.expire_due(now);
        self.act_by_verb(verb, body, now)
    }
}
