//! Partner Center in memory: versions, eTags, the status table, both halves of an engagement.

mod port;

use crate::{
    faults::Kind,
    invariant::Invariant,
    trace::{say, short},
    world::{OURS, State},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{Referral, ReferralId, Side};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use sync::ports::Found;

/// All referrals with their versions, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Center {
    pub(crate) referrals: BTreeMap<ReferralId, Vec<(Timestamp, Referral)>>,
    /// Closed referrals hide data.
    pub(crate) hides: bool,
    /// Microsoft's half comes by itself.
    pub(crate) appears: bool,
    /// `related-*` events carry the sibling's id.
    pub(crate) sibling_id: bool,
    /// Lists come one by one.
    pub(crate) narrow: bool,
    /// Not readable until then, and how.
    pub(crate) hidden: BTreeMap<ReferralId, (Timestamp, bool)>,
    /// In no list until then.
    pub(crate) unlisted: BTreeMap<ReferralId, Timestamp>,
    /// Paths that a rule refuses for a while.
    pub(crate) rules: BTreeMap<String, Timestamp>,
    tags: u64,
}

/// How a patch ended.
pub(crate) enum Patched {
    Done(Box<Referral>),
    Lost,
    Refused(Option<String>, String),
}

impl Center {
    /// What a referral showed at an instant.
    pub(crate) fn at(&self, id: &ReferralId, at: Timestamp) -> Option<&Referral> {
        self.referrals.get(id)?.iter().rev().find(|(since, _)| *since <= at).map(|(_, shown)| shown)
    }

    /// What it shows now.
    pub(crate) fn now(&self, id: &ReferralId) -> Option<&Referral> {
        self.referrals.get(id)?.last().map(|(_, shown)| shown)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Referral> {
        self.referrals.values().filter_map(|versions| versions.last()).map(|(_, shown)| shown)
    }
}

/// The status moves that Partner Center takes.
fn may_move(from: (&str, &str), to: (&str, &str)) -> bool {
    matches!(
        (from.0, to),
        ("New", ("New", "Received") | ("Active", "Accepted") | ("Closed", "Declined" | "Expired"))
            | ("Active", ("Active", "Accepted") | ("Closed", "Won" | "Lost" | "Error"))
    )
}

impl State {
    /// A body becomes the referral's state: stamped, remembered, told.
    fn store(&mut self, mut body: Value, ours: bool) -> Referral {
        self.center.tags += 1;
        let tag = self.center.tags;
        // Each change has an instant of its own.
        let at = self.now + SignedDuration::from_nanos(i64::try_from(tag % 1000).unwrap_or(0) * 100);
        body["updatedDateTime"] = json!(at.to_string());
        body["eTag"] = json!(format!("\"{tag}\""));
        let referral = Referral::parse(body).expect("the model's own referral");
        let id = referral.id().clone();
        let new = self.center.now(&id).is_none();
        self.center.referrals.entry(id.clone()).or_default().push((self.now, referral.clone()));
        if referral.organization() == OURS {
            let mut fields = self.map.kept_referral_fields(&referral);
            if referral.is_terminal() {
                fields.retain(|_, value| !value.is_null());
            }
            self.observe(Side::PartnerCenter, id.as_str(), fields, ours);
            self.webhook(if new { "referral-created" } else { "referral-updated" }, &id, referral.updated());
        } else if let Some(own) = self.own_half(&referral) {
            let event = if new { "related-referral-created" } else { "related-referral-updated" };
            let named = if self.center.sibling_id { id } else { own };
            self.webhook(event, &named, referral.updated());
        }
        referral
    }

    /// A member changes without a version or an event of the referral's own.
    pub(crate) fn shows_quietly(&mut self, id: &ReferralId, path: &str, value: Value) {
        let Some(shown) = self.center.now(id).filter(|r| !r.is_terminal()) else { return };
        let mut body = shown.body().clone();
        set(&mut body, path, value);
        let referral = Referral::parse(body).expect("the model's own referral");
        let fields = self.map.kept_referral_fields(&referral);
        if let Some((_, last)) = self.center.referrals.get_mut(id).and_then(|versions| versions.last_mut()) {
            *last = referral;
        }
        self.observe(Side::PartnerCenter, id.as_str(), fields, false);
    }

    fn own_half(&self, sibling: &Referral) -> Option<ReferralId> {
        let mut all = self.center.all();
        all.find(|r| r.organization() == OURS && r.engagement() == sibling.engagement())
            .map(|r| r.id().clone())
    }

    /// JSON Patch. `etag`: the condition; people have none.
    pub(crate) fn patch_referral(
        &mut self,
        id: &ReferralId,
        etag: Option<&str>,
        operations: &[Value],
        ours: bool,
    ) -> Patched {
        let Some(current) = self.center.now(id).cloned() else {
            return Patched::Refused(None, "404".into());
        };
        if etag.is_some_and(|etag| current.etag() != Some(etag)) {
            return Patched::Lost;
        }
        if current.is_terminal() {
            return Patched::Refused(Some("/status".into()), "the referral is closed".into());
        }
        let mut body = current.body().clone();
        for operation in operations {
            let path = operation["path"].as_str().unwrap_or_default();
            let patchable = [
                "/name",
                "/details/",
                "/status",
                "/substatus",
                "/statusReason",
                "/consent/consentToShare",
                "/externalReferenceId",
                "/referralProgram",
                "/customerProfile/team",
                "/team",
            ];
            if ours && !patchable.iter().any(|start| path.starts_with(start)) {
                self.violate(Invariant::Mapped, format!("we patched `{path}`, which is not mapped"));
            }
            set(&mut body, path, operation["value"].clone());
        }
        let text = |body: &Value, name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let pair = |body: &Value| (text(body, "status"), text(body, "substatus"));
        let (from, to) = (pair(current.body()), pair(&body));
        if from != to && !may_move((&from.0, &from.1), (&to.0, &to.1)) {
            return Patched::Refused(Some("/status".into()), format!("{from:?} to {to:?} is not allowed"));
        }
        if body["details"]["dealValue"].as_f64().is_none_or(|v| v <= 0.0) && ours {
            return Patched::Refused(Some("/details/dealValue".into()), "must be above 0".into());
        }
        if ours {
            self.keeps_what_it_does_not_know(current.body(), &body);
            let theirs = &current.body()["externalReferenceId"];
            // The lead it named was ours, and is what it names now.
            let lead = theirs.as_str().and_then(|id| self.crm.last(id)?.deal.clone());
            // One that was deleted and made again may have become two: what was made of it first is its, too.
            let named = body["externalReferenceId"].as_str().and_then(|id| self.crm.last(id)?.lead.clone());
            let moved = lead.is_some_and(|deal| body["externalReferenceId"] == deal.as_str())
                || named.is_some_and(|lead| *theirs == lead.as_str());
            if !theirs.is_null() && *theirs != body["externalReferenceId"] && !moved {
                let words =
                    format!("we overwrote the `externalReferenceId` {theirs} of {}", short(id.as_str()));
                self.violate(Invariant::Reference, words);
            }
            let edits = |o: &Value| o["path"] != "/externalReferenceId";
            if from.0 == "New" && to.0 == "New" && operations.iter().any(edits) {
                self.violate(Invariant::Accepted, "we edited a referral that nobody has accepted yet".into());
            }
        }
        if to.0 == "Closed" && self.center.hides {
            for name in ["notes", "dealValue", "currency"] {
                body["details"][name] = Value::Null;
            }
        }
        Patched::Done(Box::new(self.store(body, ours)))
    }

    /// A solution's members that no map names survive our sending the list whole.
    fn keeps_what_it_does_not_know(&mut self, before: &Value, after: &Value) {
        let prices = |body: &Value| -> BTreeMap<String, Value> {
            let all = body["details"]["requirements"]["solutions"].as_array().cloned().unwrap_or_default();
            all.iter()
                .map(|s| (s["id"].as_str().unwrap_or_default().to_owned(), s["price"].clone()))
                .collect()
        };
        let (before, after) = (prices(before), prices(after));
        if after.iter().any(|(id, price)| before.get(id).is_some_and(|was| was != price)) {
            self.violate(Invariant::Mapped, "we changed a solution's `price`, which is not mapped".into());
        }
    }

    /// A person in the portal, Microsoft, or Partner Center itself.
    pub(crate) fn portal(&mut self, id: &ReferralId, operations: &[Value]) -> bool {
        matches!(self.patch_referral(id, None, operations, false), Patched::Done(_))
    }

    /// A referral that comes from outside.
    pub(crate) fn receive_referral(&mut self, mut body: Value) -> ReferralId {
        body["id"] = json!(self.guid("referral"));
        body["engagementId"] = json!(self.guid("engagement"));
        self.store(body, false).id().clone()
    }

    /// Our POST: an own half, or Microsoft's half of an engagement.
    pub(crate) fn create_referral(&mut self, body: &str) -> Result<Referral, String> {
        let mut body: Value = serde_json::from_str(body).map_err(|e| e.to_string())?;
        let half = body["engagementId"].is_string();
        body["id"] = json!(self.guid("referral"));
        if half {
            body["organizationId"] = json!("msft");
            body["organizationName"] = json!("Microsoft");
            body["direction"] = json!("Incoming");
        } else {
            body["engagementId"] = json!(self.guid("engagement"));
            body["organizationId"] = json!(OURS);
            body["organizationName"] = json!("Juniper Peak Software");
            body["direction"] = json!("Outgoing");
            body["status"] = json!("Active");
            body["substatus"] = json!("Accepted");
        }
        for name in ["statusReason", "referralProgram"] {
            body[name] = Value::Null;
        }
        body["trackingInfo"] = json!({ "microsoftMsxId": null });
        let shared = body["type"] == "Shared";
        let referral = self.store(body.clone(), true);
        let slow = self.strikes(Kind::SlowIndex).then(|| self.now + self.slow());
        self.center.unlisted.extend(slow.map(|until| (referral.id().clone(), until)));
        say!(
            self,
            self.runs.name,
            "POST: {} {} now exists",
            if half { "Microsoft's half" } else { "own referral" },
            short(referral.id().as_str())
        );
        if !half && shared && self.center.appears {
            let half = self.half_of(&body);
            self.center.unlisted.extend(slow.map(|until| (half, until)));
        }
        self.no_doubles(&referral);
        Ok(referral)
    }

    /// How long a list may lag after a create that landed late, short of what look-ups wait in all.
    fn slow(&mut self) -> SignedDuration {
        SignedDuration::from_secs(self.dice.between(10, 150))
    }

    /// A create that did not land late leaves more time: of what it made, that is what was not unlisted `before`.
    pub(crate) fn slower(&mut self, before: &BTreeSet<ReferralId>) {
        let until = self.now + SignedDuration::from_secs(self.dice.between(10, 500));
        let new = self.center.unlisted.iter_mut().filter(|(id, _)| !before.contains(*id));
        new.for_each(|(_, at)| *at = until.max(*at));
    }

    fn half_of(&mut self, own: &Value) -> ReferralId {
        let mut body = own.clone();
        body["id"] = json!(self.guid("referral"));
        body["organizationId"] = json!("msft");
        body["status"] = json!("New");
        body["substatus"] = json!("Pending");
        body["externalReferenceId"] = Value::Null;
        self.store(body, true).id().clone()
    }

    /// At every moment: one own referral per record, one Microsoft half per engagement.
    fn no_doubles(&mut self, new: &Referral) {
        let same = |r: &&Referral| match new.organization() == OURS {
            // Somebody else's may name any record.
            true => {
                let own = r.organization() == OURS && r.body()["direction"] == "Outgoing";
                own && r.external_reference() == new.external_reference()
            }
            false => r.organization() != OURS && r.engagement() == new.engagement(),
        };
        let count = self.center.all().filter(same).count();
        if count > 1 {
            let (invariant, what) = match new.organization() == OURS {
                true => (Invariant::OneReferral, "own referrals of one record"),
                false => (Invariant::OneHalf, "Microsoft halves of one engagement"),
            };
            self.violate(invariant, format!("{count} {what}"));
        }
    }

    fn is_hidden(&mut self, id: &ReferralId) -> Option<Found> {
        let (until, forbidden) = *self.center.hidden.get(id)?;
        (until > self.now).then_some(if forbidden { Found::Forbidden } else { Found::Missing })
    }
}

fn set(body: &mut Value, path: &str, value: Value) {
    let mut place = body;
    for name in path.trim_start_matches('/').split('/') {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[name];
    }
    *place = value;
}
