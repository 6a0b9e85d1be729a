//! The CRM's port: every call with what may go wrong before, while and after it happens.

use super::{
    Shape, travels_with,
    write::{Ended, made_for, plain},
};
use crate::{
    faults::Kind,
    invariant::Invariant,
    late::{Late, What},
    step::step,
    trace::{say, short},
    world::{Fate, State, World, throttled, unknown},
};
use mapping::{Action, CrmValue, NewRecord, RecordId, RecordKind, RecordPatch, ReferralId};
use std::collections::BTreeMap;
use sync::{
    failure::{Class, Failure, Refused, System, Written},
    note::Note,
    ports::{Changes, Crm, Feed, Position, Qualified, Ready, Seen},
    version::Version,
};

/// The words about a record that cannot be read.
pub(crate) const BROKEN: &str = "a plug-in on retrieve throws";

impl Crm for World {
    /// Whether its account was there.
    type Prepared = bool;

    async fn fetch(&self, id: &RecordId) -> Result<Option<Seen>, Failure> {
        step().await;
        let seen = self.lock().fetch_record(&id.id);
        // A GUID says nothing of its table.
        let seen = seen.map(|seen| seen.filter(|seen| seen.record.id.kind == id.kind));
        self.after().await;
        seen
    }

    async fn find(&self, kind: RecordKind, referral: &ReferralId) -> Result<Option<Seen>, Failure> {
        step().await;
        let seen = self.lock().find_record(kind, referral);
        self.after().await;
        seen
    }

    /// So few that each longer list goes in portions.
    fn rows_at_once(&self) -> usize {
        1
    }

    async fn prepare(&self, new: &NewRecord) -> Written<Ready<bool>> {
        step().await;
        let prepared = self.lock().crm.accounts.contains_key(&new.account.key);
        Written::Done(Ready { prepared, told: vec![] })
    }

    async fn create(&self, new: &NewRecord, there: bool) -> Written<Seen> {
        step().await;
        let written = self.lock().send_create_record(new, there);
        self.after().await;
        written
    }

    async fn patch(&self, id: &RecordId, version: &Version, patch: &RecordPatch) -> Written<Option<Seen>> {
        step().await;
        let written = self.lock().send_patch_record(id, version, patch);
        self.after().await;
        written
    }

    async fn act(&self, id: &RecordId, action: &Action) -> Written<Option<Seen>> {
        step().await;
        let written = self.lock().send_action(id, action);
        self.after().await;
        written
    }

    async fn qualify(&self, lead: &RecordId, version: &Version, new: &NewRecord) -> Written<Option<Seen>> {
        step().await;
        let (written, converts) = {
            let mut state = self.lock();
            (state.send_qualify(lead, version, new), state.crm.converts)
        };
        self.after().await;
        written.map(|seen| Some(seen).filter(|_| !converts))
    }

    async fn qualified(&self, lead: &RecordId) -> Result<Option<Qualified>, Failure> {
        step().await;
        let seen = self.lock().deal_of(&lead.id);
        self.after().await;
        seen
    }

    async fn add_note(&self, id: &RecordId, note: &Note) -> Written<()> {
        step().await;
        let there = self.lock().has_note(id, note);
        self.after().await;
        match there {
            Ok(false) => {}
            Ok(true) => return Written::Exists,
            Err(failure) => return Written::Later(failure),
        }
        step().await;
        let written = self.lock().send_note(id, note);
        self.after().await;
        written
    }

    fn feeds(&self) -> &'static [Feed] {
        match self.lock().faults.sort.leads {
            true => &[Feed::Leads, Feed::Opportunities, Feed::Solutions],
            false => &[Feed::Opportunities, Feed::Solutions],
        }
    }

    async fn changes(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        step().await;
        let changes = {
            let mut state = self.lock();
            state.read_fails(System::Crm, "read changes").map(|()| state.feed(feed, position))
        };
        self.after().await;
        changes
    }
}

impl State {
    /// The opportunity a lead became; an error if the lead names one that is not shown yet.
    fn deal_of(&mut self, lead: &str) -> Result<Option<Qualified>, Failure> {
        self.read_fails(System::Crm, "find the opportunity of a lead")?;
        let at = self.view(Kind::StaleRead);
        let shapes =
            self.crm.records.keys().filter_map(|id| Some((id, self.crm.then(id, at)?.shape.as_ref()?)));
        let mut of = shapes.filter(|(_, shape)| shape.lead.as_deref() == Some(lead));
        let deal = of.next();
        let ours = self.crm.converts && deal.is_some_and(|(_, shape)| shape.ours);
        let seen = deal.map(|(id, shape)| shape.seen(id, true, self.read_at(at)));
        drop(of);
        let stale = if at < self.now { " (stale)" } else { "" };
        say!(self, self.runs.name, "find the opportunity of {} -> {}{stale}", short(lead), seen.is_some());
        self.saw(&seen);
        Ok(seen.map(|deal| Qualified { deal, ours }))
    }

    fn send_qualify(&mut self, lead: &RecordId, version: &Version, new: &NewRecord) -> Written<Seen> {
        let what = "qualify lead";
        say!(self, self.runs.name, "QualifyLead {} if {}", short(&lead.id), version.token);
        let late = || What::Qualify(lead.clone(), version.clone(), Box::new(new.clone()));
        let fate = match self.before(what, Some("statuscode".into()), late) {
            Ok(fate) => fate,
            Err(written) => {
                say!(self, self.runs.name, "-> {}", outcome(&written));
                return written;
            }
        };
        // Where it takes no version, the lead is read just before.
        if self.crm.converts && !self.crm.now(&lead.id).is_some_and(|shape| self.is_current(shape, version)) {
            return Written::Lost;
        }
        let ended = self.qualify(&lead.id, Some((version, new)), true);
        let deal = self.crm.now(&lead.id).and_then(|lead| lead.deal.clone());
        let seen =
            deal.and_then(|id| self.crm.now(&id).map(|shape| shape.seen(&id, true, self.read_at(self.now))));
        match (ended, seen) {
            (Ended::Done, Some(_)) if self.strikes(Kind::BareAnswer) => {
                Written::Unknown(unknown(System::Crm, what))
            }
            (Ended::Done, Some(seen)) => self.answered(Ended::Done, fate, what, |state| {
                state.saw(&seen);
                seen
            }),
            (Ended::Refused(field, text), _) => Written::Refused(Refused { field, text }),
            _ => Written::Lost,
        }
    }

    fn fetch_record(&mut self, id: &str) -> Result<Option<Seen>, Failure> {
        self.read_fails(System::Crm, "fetch record")?;
        let at = self.view(Kind::StaleRead);
        if self.crm.broken.contains(id) {
            say!(self, self.runs.name, "fetch record {} -> a plug-in throws", short(id));
            return Err(Failure {
                system: System::Crm,
                operation: format!("fetch record `{id}`"),
                class: Class::Permanent,
                wide: false,
                text: BROKEN.to_owned(),
            });
        }
        self.crm.reads.insert((self.runs.name.clone(), id.to_owned()), at);
        let stale_child = self.strikes(Kind::StaleChild);
        let at = if stale_child { self.now - jiff::SignedDuration::from_secs(20) } else { at };
        let by_stamp = self.read_at(at);
        let seen = self.crm.then(id, at).and_then(|t| t.shape.as_ref());
        let seen = seen.map(|shape| shape.seen(id, true, by_stamp));
        // A record that a lagging replica does not know yet was never reported by that CRM either.
        let seen = seen.or_else(|| {
            let first = self.crm.records.get(id)?.first()?;
            (first.since > at).then(|| first.shape.as_ref().map(|shape| shape.seen(id, true, by_stamp)))?
        });
        let seen = match self.crm.now(id) {
            Some(now) if at < self.now && !stale_child && now.kind == RecordKind::Opportunity => {
                seen.map(|mut seen| {
                    seen.record
                        .lists
                        .insert("solutions".to_owned(), now.solutions.values().cloned().collect());
                    seen
                })
            }
            _ => seen,
        };
        let shown = seen.as_ref().map(|s| s.version.token.clone());
        say!(
            self,
            self.runs.name,
            "fetch record {} -> {shown:?}{}",
            short(id),
            if at < self.now { " (stale)" } else { "" }
        );
        self.saw(&seen);
        Ok(seen)
    }

    fn find_record(&mut self, kind: RecordKind, referral: &ReferralId) -> Result<Option<Seen>, Failure> {
        self.read_fails(System::Crm, "find record")?;
        let at = self.view(Kind::StaleRead);
        let ids: Vec<&String> = self.crm.records.keys().collect();
        let shapes = ids.into_iter().filter_map(|id| Some((id, self.crm.then(id, at)?.shape.as_ref()?)));
        let named = |shape: &Shape| shape.kind == kind && shape.referral() == Some(referral.as_str());
        let mut of = shapes.filter(|(_, shape)| named(shape));
        let seen = of.next().map(|(id, shape)| shape.seen(id, true, self.read_at(at)));
        drop(of);
        say!(self, self.runs.name, "find record of {} -> {}", short(referral.as_str()), seen.is_some());
        self.saw(&seen);
        Ok(seen)
    }

    /// What a write comes to before it is even tried: `Err` is its end.
    pub(super) fn before<T>(
        &mut self,
        what: &str,
        field: Option<String>,
        late: impl FnOnce() -> What,
    ) -> Result<Fate, Written<T>> {
        let fate = self.fate();
        let lost = || Written::Unknown(unknown(System::Crm, what));
        match fate {
            Fate::Throttled => Err(Written::Later(throttled(System::Crm, what))),
            Fate::NotSent => Err(lost()),
            Fate::Race => Err(Written::Lost),
            Fate::Refused => {
                let field = field.filter(|_| self.dice.below(2) == 0);
                Err(Written::Refused(Refused { field, text: "a plug-in said no".into() }))
            }
            Fate::Late => {
                let at = self.lands();
                self.late.push(Late { at, by: self.runs.name.clone(), what: late() });
                Err(lost())
            }
            Fate::Fine | Fate::LostAnswer => Ok(fate),
        }
    }

    pub(super) fn answered<T>(
        &mut self,
        ended: Ended,
        fate: Fate,
        what: &str,
        shown: impl FnOnce(&mut Self) -> T,
    ) -> Written<T> {
        if fate == Fate::LostAnswer {
            return Written::Unknown(unknown(System::Crm, what));
        }
        let name = self.runs.name.clone();
        match ended {
            Ended::Done => Written::Done(shown(self)),
            Ended::Lost => {
                say!(self, name, "-> 412");
                self.saw(&"412");
                Written::Lost
            }
            Ended::Exists => {
                say!(self, name, "-> exists");
                self.saw(&"exists");
                Written::Exists
            }
            Ended::Refused(field, text) => {
                say!(self, name, "-> refused: {text}");
                self.saw(&text);
                Written::Refused(Refused { field, text })
            }
        }
    }

    fn send_create_record(&mut self, new: &NewRecord, there: bool) -> Written<Seen> {
        let what = "create record";
        say!(self, self.runs.name, "POST record of {}", short(new.referral.as_str()));
        let fate = match self.before(what, Some("name".into()), || What::CreateRecord(Box::new(new.clone())))
        {
            Ok(fate) => fate,
            Err(written) => return written,
        };
        let ended = self.create_record(new, Some(there));
        let id = made_for(new);
        match self.crm.now(&id).map(|shape| shape.seen(&id, true, self.read_at(self.now))) {
            Some(seen) => self.answered(ended, fate, what, |state| {
                state.saw(&seen);
                seen
            }),
            None => match ended {
                Ended::Exists => Written::Exists,
                _ => Written::Lost,
            },
        }
    }

    fn send_patch_record(
        &mut self,
        id: &RecordId,
        version: &Version,
        patch: &RecordPatch,
    ) -> Written<Option<Seen>> {
        let what = "patch record";
        let told = |v: &CrmValue| plain(v).to_string().chars().take(40).collect::<String>();
        say!(
            self,
            self.runs.name,
            "PATCH record {} if {}: {} {:?}",
            short(&id.id),
            version.token,
            patch.columns.iter().map(|(c, v)| format!("{c}={}", told(v))).collect::<Vec<_>>().join(" "),
            patch.lists.values().map(|l| (l.add.len(), l.remove.clone())).collect::<Vec<_>>()
        );
        let version = &match self.condition(id, version) {
            Ok(version) => version,
            Err(written) => {
                say!(self, self.runs.name, "-> {}", outcome(&written));
                return written;
            }
        };
        let field = patch.columns.keys().next().cloned();
        let late = || What::PatchRecord(id.clone(), version.clone(), patch.clone());
        let fate = match self.before(what, field, late) {
            Ok(fate) => fate,
            Err(written) => {
                say!(self, self.runs.name, "-> {}", outcome(&written));
                return written;
            }
        };
        if patch.columns.is_empty() && patch.lists.is_empty() {
            return Written::Done(None);
        }
        let columns: Vec<&String> = patch.columns.keys().collect();
        if !columns.is_empty() && self.strikes(Kind::Rule) {
            let until = self.now + jiff::SignedDuration::from_mins(self.dice.between(5, 200));
            let column = (*self.dice.pick(&columns)).clone();
            self.crm.rules.insert(column, until);
        }
        let ruled = |column: &&String| self.crm.rules.get(*column).is_some_and(|until| *until > self.now);
        if let Some(column) = columns.into_iter().find(ruled) {
            say!(self, self.runs.name, "-> a rule refuses {column}");
            // The mark in the name and the Audit field travel with everything.
            if !["name", "subject", "cosell_audit"].contains(&column.as_str()) {
                let with = travels_with(column, &[["estimatedvalue", "transactioncurrencyid"]]);
                let value: Vec<_> =
                    with.filter_map(|c| Some(plain(patch.columns.get(c)?).to_string())).collect();
                self.refuses_again(&id.id, column, value.join(" "));
            }
            let id_of = |row: &BTreeMap<String, CrmValue>| {
                plain(row.get("detail.cosell_solutionid")?).as_str().map(str::to_owned)
            };
            let lists = patch.lists.values();
            let added =
                lists.clone().flat_map(|list| list.add.iter().filter_map(id_of)).map(|key| (key, true));
            let removed = lists.flat_map(|list| list.remove.clone()).map(|key| (key, false));
            self.set_aside(&id.id, added.chain(removed).collect());
            return Written::Refused(Refused {
                field: Some(column.clone()),
                text: "a rule refuses it".into(),
            });
        }
        let ended = self.patch_record(id, version, patch);
        let bare = self.strikes(Kind::BareAnswer);
        let whole = !patch.lists.is_empty();
        self.answered(ended, fate, what, |state| {
            let by_stamp = state.read_at(state.now);
            let seen = state.crm.now(&id.id).filter(|_| !bare);
            let seen = seen.map(|shape| shape.seen(&id.id, whole, by_stamp));
            say!(state, state.runs.name, "-> {:?}", seen.as_ref().map(|s| &s.version.token));
            state.saw(&seen);
            seen
        })
    }

    /// What the present run has read of a record last, says Sync = No.
    pub(crate) fn read_as_stopped(&self, id: &str) -> bool {
        let read = self.crm.reads.get(&(self.runs.name.clone(), id.to_owned()));
        let then = read.and_then(|at| self.crm.then(id, *at));
        let shape = then.and_then(|then| then.shape.as_ref());
        shape.is_some_and(|shape| shape.own.get(super::SYNC) == Some(&serde_json::json!(false)))
    }

    /// A rule refuses a value: once a run, then it is parked.
    pub(crate) fn refuses_again(&mut self, id: &str, name: &str, value: String) {
        let attempt = (self.runs.name.clone(), format!("{id}/{name}"), value);
        // Whoever does anything meanwhile may have it tried anew.
        if !self.crm.refused.insert(attempt) && self.counts.edits == self.runs.edits {
            let words = format!("one run tries a refused `{name}` of {} again", short(id));
            self.violate(Invariant::Thrift, words);
        }
    }

    fn send_action(&mut self, id: &RecordId, action: &Action) -> Written<Option<Seen>> {
        let what = "close record";
        say!(self, self.runs.name, "{action:?} record {}", short(&id.id));
        let late = || What::Act(id.clone(), action.clone());
        if let Some(at) = self.crm.reads.get(&(self.runs.name.clone(), id.id.clone())) {
            self.crm.acted_on.insert(id.id.clone(), *at);
        }
        let fate = match self.before(what, Some("statuscode".into()), late) {
            Ok(fate) => fate,
            Err(written) => {
                say!(self, self.runs.name, "-> {}", outcome(&written));
                return written;
            }
        };
        let ended = self.close_record(&id.id, action, true);
        let bare = self.strikes(Kind::BareAnswer);
        self.answered(ended, fate, what, |state| {
            let by_stamp = state.read_at(state.now);
            let seen = state.crm.now(&id.id).filter(|_| !bare);
            let mut seen = seen.map(|shape| shape.seen(&id.id, true, by_stamp));
            if let Some(seen) = &mut seen {
                seen.record.lists.clear();
            }
            state.saw(&seen);
            seen
        })
    }
}

fn outcome<T>(written: &Written<T>) -> &'static str {
    match written {
        Written::Done(_) => "done",
        Written::Exists => "exists",
        Written::Lost => "lost",
        Written::Later(_) => "later",
        Written::Refused(_) => "refused",
        Written::Unknown(_) => "unknown",
    }
}
