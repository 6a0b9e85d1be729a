//! Partner Center's port: every call with what may go wrong before, while and after it happens. Lists newest first.

use super::Patched;
use crate::{
    crm::travels_with,
    faults::Kind,
    invariant::Invariant,
    late::{Late, What},
    step::step,
    trace::{say, short},
    world::{Fate, OURS, State, World, throttled, unknown},
};
use jiff::Timestamp;
use mapping::{EngagementId, Referral, ReferralId};
use serde_json::Value;
use sync::{
    failure::{Failure, Refused, System, Written},
    ports::{Found, Page, Referrals},
    table::Key,
};

/// Rows of a page.
const PAGE: usize = 2;

impl Referrals for World {
    async fn fetch(&self, id: &ReferralId) -> Result<Found, Failure> {
        step().await;
        let found = self.lock().fetch_referral(id);
        self.after().await;
        found
    }

    async fn engagement(&self, id: &EngagementId) -> Result<Vec<Referral>, Failure> {
        step().await;
        let halves = self.lock().list_engagement(id);
        self.after().await;
        halves
    }

    async fn changed_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<Page, Failure> {
        step().await;
        let page = self.lock().list_referrals(since, cursor);
        self.after().await;
        page
    }

    async fn patch(&self, id: &ReferralId, etag: &str, operations: &[Value]) -> Written<Option<Referral>> {
        step().await;
        let written = self.lock().send_patch(id, etag, operations);
        self.after().await;
        written
    }

    async fn create(&self, body: &str, _: &str) -> Written<Referral> {
        step().await;
        let written = self.lock().send_create(body);
        self.after().await;
        written
    }
}

impl State {
    fn fetch_referral(&mut self, id: &ReferralId) -> Result<Found, Failure> {
        self.read_fails(System::PartnerCenter, "fetch referral")?;
        let at = self.view(Kind::StaleRead);
        let found = match self.is_hidden(id) {
            Some(hidden) => hidden,
            None => self.center.at(id, at).cloned().map_or(Found::Missing, |r| Found::Referral(Box::new(r))),
        };
        let shown = match &found {
            Found::Referral(r) => r.etag().unwrap_or_default().to_owned(),
            other => format!("{other:?}"),
        };
        say!(
            self,
            self.runs.name,
            "fetch referral {} -> {shown}{}",
            short(id.as_str()),
            if at < self.now { " (stale)" } else { "" }
        );
        self.saw(&shown);
        Ok(found)
    }

    fn is_listed(&self, id: &ReferralId) -> bool {
        self.center.unlisted.get(id).is_none_or(|until| *until <= self.now)
    }

    fn list_engagement(&mut self, id: &EngagementId) -> Result<Vec<Referral>, Failure> {
        self.read_fails(System::PartnerCenter, "list engagement")?;
        let at = self.view(Kind::StalePage);
        let ids: Vec<ReferralId> = self.center.referrals.keys().cloned().collect();
        let all = ids.iter().filter(|id| self.is_listed(id)).filter_map(|id| self.center.at(id, at));
        let halves: Vec<Referral> = all.filter(|r| r.engagement() == Some(id)).cloned().collect();
        say!(
            self,
            self.runs.name,
            "list engagement -> {}{}",
            halves.len(),
            if at < self.now { " (stale)" } else { "" }
        );
        self.saw(&halves.len());
        Ok(halves)
    }

    fn list_referrals(&mut self, since: Timestamp, cursor: Option<&str>) -> Result<Page, Failure> {
        self.read_fails(System::PartnerCenter, "list referrals")?;
        let at = self.view(Kind::StalePage);
        let before: Option<Timestamp> = cursor.and_then(|c| c.parse().ok());
        let ids: Vec<ReferralId> = self.center.referrals.keys().cloned().collect();
        let mut rows: Vec<Referral> = ids
            .iter()
            .filter(|id| self.is_listed(id))
            .filter_map(|id| self.center.at(id, at))
            .filter(|r| r.organization() == OURS && r.updated() >= since)
            .filter(|r| before.is_none_or(|before| r.updated() < before))
            .cloned()
            .collect();
        rows.sort_by_key(|r| std::cmp::Reverse(r.updated()));
        let page = if self.center.narrow { 1 } else { PAGE };
        let more = rows.len() > page;
        rows.truncate(page);
        let next = rows.last().filter(|_| more).map(|r| r.updated().to_string());
        say!(
            self,
            self.runs.name,
            "list referrals since {since} -> {}{}",
            rows.len(),
            if at < self.now { " (stale)" } else { "" }
        );
        self.saw(&rows.iter().map(|r| r.etag().map(str::to_owned)).collect::<Vec<_>>());
        Ok(Page { referrals: rows, next })
    }

    fn send_patch(&mut self, id: &ReferralId, etag: &str, operations: &[Value]) -> Written<Option<Referral>> {
        let what = "patch referral";
        let told = || {
            operations
                .iter()
                .map(|o| format!("{}={}", o["path"].as_str().unwrap_or_default(), o["value"]))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let fate = self.fate();
        say!(self, self.runs.name, "PATCH referral {} if {etag}: {} [{fate:?}]", short(id.as_str()), told());
        match fate {
            Fate::Throttled => return Written::Later(throttled(System::PartnerCenter, what)),
            Fate::NotSent => return Written::Unknown(unknown(System::PartnerCenter, what)),
            Fate::Race => return Written::Lost,
            Fate::Refused => {
                let field = operations.first().and_then(|o| o["path"].as_str()).map(str::to_owned);
                let field = field.filter(|_| self.dice.below(2) == 0);
                return Written::Refused(Refused { field, text: "not valid".into() });
            }
            Fate::Late => {
                let at = self.lands();
                let late = What::PatchReferral(id.clone(), etag.to_owned(), operations.to_vec());
                self.late.push(Late { at, by: self.runs.name.clone(), what: late });
                return Written::Unknown(unknown(System::PartnerCenter, what));
            }
            Fate::Fine | Fate::LostAnswer => {}
        }
        if let Some(path) = self.ruled_out(operations) {
            let pairs = [["/details/dealValue", "/details/currency"], ["/status", "/substatus"]];
            let with: Vec<_> = travels_with(&path, &pairs).collect();
            let sent = operations.iter().filter(|o| with.iter().any(|path| o["path"] == *path));
            let value: Vec<_> = sent.map(|o| o["value"].to_string()).collect();
            self.refuses_again(id.as_str(), &path, value.join(" "));
            say!(self, self.runs.name, "-> a rule refuses {path}");
            return Written::Refused(Refused { field: Some(path), text: "a rule refuses it".into() });
        }
        let patched = self.patch_referral(id, Some(etag), operations, true);
        if fate == Fate::LostAnswer {
            return Written::Unknown(unknown(System::PartnerCenter, what));
        }
        match patched {
            Patched::Lost => {
                say!(self, self.runs.name, "-> 412");
                self.saw(&"412");
                Written::Lost
            }
            Patched::Refused(field, text) => {
                say!(self, self.runs.name, "-> refused {field:?} {text}");
                self.saw(&text);
                Written::Refused(Refused { field, text })
            }
            Patched::Done(referral) => {
                say!(self, self.runs.name, "-> {:?}", referral.etag());
                self.saw(&referral.etag());
                match self.strikes(Kind::BareAnswer) {
                    false => Written::Done(Some(*referral)),
                    true => Written::Done(None),
                }
            }
        }
    }

    /// A path that a rule refuses.
    fn ruled_out(&mut self, operations: &[Value]) -> Option<String> {
        let path = |operation: &Value| operation["path"].as_str().unwrap_or_default().to_owned();
        if !operations.is_empty() && self.strikes(Kind::Rule) {
            let until = self.now + jiff::SignedDuration::from_mins(self.dice.between(5, 200));
            let ruled = path(self.dice.pick(operations));
            self.center.rules.insert(ruled, until);
        }
        let ruled = |path: &String| self.center.rules.get(path).is_some_and(|until| *until > self.now);
        operations.iter().map(path).find(ruled)
    }

    /// A record that is linked gets no referral, and none goes out for one whose Sync this run has read as No.
    fn is_wanted(&mut self, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let half = !body["engagementId"].is_null();
        let own = || {
            let engagement = body["engagementId"].as_str();
            let mut all = self.center.all().filter(|r| r.organization() == OURS);
            all.find(|r| r.engagement().map(EngagementId::as_str) == engagement)
                .and_then(|own| own.external_reference().map(str::to_owned))
        };
        let named = if half { own() } else { body["externalReferenceId"].as_str().map(str::to_owned) };
        let Some(record) = named.map(|id| crate::crm::record_id(&id)) else { return };
        if self.read_as_stopped(&record.id) {
            let words =
                format!("we create a referral for record {} although its Sync is No", short(&record.id));
            self.violate(Invariant::Sync, words);
        }
        if half {
            return;
        }
        let lead = self.crm.last(&record.id).and_then(|shape| shape.lead.clone());
        let of_lead = lead.map(|lead| self.record_id(&lead));
        let mut both = [Some(record.clone()), of_lead].into_iter().flatten();
        if both.any(|one| self.table.get(&Key::record(&one), self.now).is_some()) {
            let words = format!("we create a referral for record {}, which is linked", short(&record.id));
            self.violate(Invariant::OneReferral, words);
        }
    }

    fn send_create(&mut self, body: &str) -> Written<Referral> {
        let what = "create referral";
        let fate = self.fate();
        say!(self, self.runs.name, "POST referral [{fate:?}]");
        self.is_wanted(body);
        match fate {
            Fate::Throttled => return Written::Later(throttled(System::PartnerCenter, what)),
            Fate::NotSent => return Written::Unknown(unknown(System::PartnerCenter, what)),
            Fate::Race => return Written::Lost,
            Fate::Refused => return Written::Refused(Refused { field: None, text: "not valid".into() }),
            Fate::Late => {
                let at = self.lands();
                let late = What::CreateReferral(body.to_owned());
                self.late.push(Late { at, by: self.runs.name.clone(), what: late });
                return Written::Unknown(unknown(System::PartnerCenter, what));
            }
            Fate::Fine | Fate::LostAnswer => {}
        }
        let unlisted = self.center.unlisted.keys().cloned().collect();
        let created = self.create_referral(body);
        self.slower(&unlisted);
        match (created, fate) {
            (_, Fate::LostAnswer) => Written::Unknown(unknown(System::PartnerCenter, what)),
            (Ok(referral), _) => {
                self.saw(&referral.id());
                Written::Done(referral)
            }
            (Err(text), _) => Written::Refused(Refused { field: None, text }),
        }
    }
}
