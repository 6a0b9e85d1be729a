//! The ports of a dry run: they read what is there, and note what would be written instead of writing it. The stories
//! of `sync` run on them unchanged, so that what is shown is what would be decided.

use clients::{
    clock::Clock,
    outside::{App, Outside},
    partner_center::PartnerCenter,
};
use jiff::Timestamp;
use mapping::{Action, CrmValue, EngagementId, NewRecord, RecordId, RecordKind, RecordPatch, ReferralId};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use sync::{
    failure::{Failure, System, Written},
    hint::Hint,
    note::Note,
    ports::{
        Changes, Crm, Feed, Found, Hints, Links, Page, Ports, Position, Qualified, Ready, Referrals, Seen,
    },
    run::{Run, Settings},
    table::{Change, Expect, Key, Row},
    version::Version,
};

type Inner = clients::crm::Crm;

/// What would be written, as text and as data.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) words: String,
    /// Which side gets what, whichever deal it is.
    pub(crate) of: String,
    pub(crate) data: Value,
}

/// The ports of one dry run; clones share what is noted.
#[derive(Clone)]
pub(crate) struct Dry {
    app: Arc<App>,
    /// As deployed, but a stack that writes nothing to Partner Center shows what it would write there.
    settings: Arc<Settings>,
    noted: Arc<Mutex<Overlay>>,
}

#[derive(Default)]
struct Overlay {
    writes: Vec<Write>,
    /// What the table would hold by now; `None`: deleted.
    rows: HashMap<Key, Option<Row>>,
}

impl Dry {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let settings = Arc::new(Settings { writes: true, ..app.settings.clone() });
        Dry { app, settings, noted: Arc::default() }
    }

    /// A run on these ports.
    pub(crate) fn run(&self, ends: Timestamp) -> Run<'_, Dry> {
        Run { ports: self, map: &self.app.map, settings: &self.settings, ends, attempt: 1 }
    }

    /// What was noted; begins anew.
    pub(crate) fn take(&self) -> Vec<Write> {
        std::mem::take(&mut *self.noted()).writes
    }

    fn noted(&self) -> MutexGuard<'_, Overlay> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `words` with the ids, `of` without.
    fn note(&self, words: String, of: String, data: Value) {
        self.noted().writes.push(Write { words, of, data });
    }

    fn outside(&self) -> &Outside {
        &self.app.outside
    }

    /// What the answer would have been is unknown: the story ends here.
    fn ends_here<T>(system: System) -> Written<T> {
        Written::Later(Failure::later(system, "dry run", "what follows depends on the answer"))
    }
}

impl Ports for Dry {
    type Referrals = Dry;
    type Crm = Dry;
    type Links = Dry;
    type Hints = Dry;
    type Clock = Clock;
    fn referrals(&self) -> &Dry {
        self
    }
    fn crm(&self) -> &Dry {
        self
    }
    fn links(&self) -> &Dry {
        self
    }
    fn hints(&self) -> &Dry {
        self
    }
    fn clock(&self) -> &Clock {
        &self.outside().clock
    }
}

impl Referrals for Dry {
    async fn fetch(&self, id: &ReferralId) -> Result<Found, Failure> {
        Referrals::fetch(&self.outside().partner_center, id).await
    }

    async fn engagement(&self, id: &EngagementId) -> Result<Vec<mapping::Referral>, Failure> {
        self.outside().partner_center.engagement(id).await
    }

    async fn changed_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<Page, Failure> {
        PartnerCenter::changed_since(&self.outside().partner_center, since, cursor).await
    }

    async fn patch(
        &self,
        id: &ReferralId,
        _etag: &str,
        operations: &[Value],
    ) -> Written<Option<mapping::Referral>> {
        let paths: Vec<&str> = operations.iter().filter_map(|o| o.get("path")?.as_str()).collect();
        let paths = paths.join(", ");
        let of = format!("Partner Center: {paths}");
        self.note(format!("Partner Center: referral `{id}` gets {paths}"), of, json!(operations));
        Written::Done(None)
    }

    async fn create(&self, body: &str, _request_id: &str) -> Written<mapping::Referral> {
        let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let kind = body["type"].as_str().unwrap_or("?").to_owned();
        let name = body["name"].as_str().unwrap_or("?").to_owned();
        let of = format!("Partner Center: a new referral of type {kind}");
        self.note(format!("{of}: \"{name}\""), of, body);
        Dry::ends_here(System::PartnerCenter)
    }
}

impl Crm for Dry {
    type Prepared = <Inner as Crm>::Prepared;

    async fn fetch(&self, id: &RecordId) -> Result<Option<Seen>, Failure> {
        Crm::fetch(self.outside().crm(), id).await
    }

    async fn find(&self, kind: RecordKind, referral: &ReferralId) -> Result<Option<Seen>, Failure> {
        self.outside().crm().find(kind, referral).await
    }

    /// Everything that would be written is reported, however many writes it takes.
    fn rows_at_once(&self) -> usize {
        usize::MAX
    }

    async fn prepare(&self, new: &NewRecord) -> Written<Ready<Self::Prepared>> {
        self.outside().crm().prepare(new).await
    }

    async fn create(&self, new: &NewRecord, _prepared: Self::Prepared) -> Written<Seen> {
        let data = json!({
            "account": plain(&new.account.columns), "columns": plain(&new.columns),
            "contact": new.contact.as_ref().map(|contact| plain(&contact.columns)),
        });
        let kind = new.kind.as_str();
        let of = format!("CRM: a new {kind}");
        self.note(format!("{of} for referral `{}`", new.referral), of, data);
        Dry::ends_here(System::Crm)
    }

    async fn patch(&self, id: &RecordId, _version: &Version, patch: &RecordPatch) -> Written<Option<Seen>> {
        let names: Vec<&str> = patch.columns.keys().chain(patch.lists.keys()).map(String::as_str).collect();
        let mut data = json!(plain(&patch.columns));
        for (list, change) in &patch.lists {
            let add: Vec<Value> = change.add.iter().map(|row| json!(plain(row))).collect();
            data[list] = json!({ "add": add, "remove": change.remove });
        }
        let names = names.join(", ");
        self.note(format!("CRM: `{id}` gets {names}"), format!("CRM: {names}"), data);
        Written::Done(None)
    }

    async fn act(&self, id: &RecordId, action: &Action) -> Written<Option<Seen>> {
        let of = match action {
            Action::Win { status } => format!("CRM: won, status {status}"),
            Action::Lose { status, .. } => format!("CRM: lost, status {status}"),
        };
        self.note(format!("CRM: `{id}`: {action:?}"), of, Value::Null);
        Dry::ends_here(System::Crm)
    }

    async fn add_note(&self, id: &RecordId, note: &Note) -> Written<()> {
        let data = json!({ "title": note.title(), "text": note.text });
        self.note(format!("CRM: `{id}` gets a note"), "CRM: a note".to_owned(), data);
        Written::Done(())
    }

    async fn qualify(&self, lead: &RecordId, _version: &Version, new: &NewRecord) -> Written<Option<Seen>> {
        let of = "CRM: a lead is qualified".to_owned();
        self.note(format!("CRM: `{lead}` is qualified"), of, json!(plain(&new.columns)));
        Dry::ends_here(System::Crm)
    }

    async fn qualified(&self, lead: &RecordId) -> Result<Option<Qualified>, Failure> {
        self.outside().crm().qualified(lead).await
    }

    async fn merged_into(&self, record: &RecordId) -> Result<Option<RecordId>, Failure> {
        self.outside().crm().merged_into(record).await
    }

    fn feeds(&self) -> &'static [Feed] {
        self.outside().crm().feeds()
    }

    async fn changes(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        self.outside().crm().changes(feed, position).await
    }
}

impl Links for Dry {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Failure> {
        let stored = self.outside().links.read(keys).await?;
        let noted = self.noted();
        let now = |(key, row): (&Key, Option<Row>)| noted.rows.get(key).cloned().unwrap_or(row);
        Ok(keys.iter().zip(stored).map(now).collect())
    }

    /// No other run writes here: every condition holds.
    async fn commit(&self, changes: Vec<Change>) -> Result<bool, Failure> {
        let mut noted = self.noted();
        for Change { key, expect, item, .. } in changes {
            let rev = match expect {
                Expect::Rev(rev) => rev + 1,
                Expect::Absent | Expect::Any => 1,
            };
            noted.rows.insert(key.clone(), item.map(|item| Row { key, rev, item }));
        }
        Ok(true)
    }

    async fn page(&self, cursor: Option<&str>) -> Result<(Vec<Row>, Option<String>), Failure> {
        self.outside().links.page(cursor).await
    }

    async fn parked(&self) -> Result<Vec<Row>, Failure> {
        self.outside().links.parked().await
    }
}

impl Hints for Dry {
    async fn send(&self, _hints: &[Hint]) -> Result<(), Failure> {
        Ok(())
    }
}

/// Columns as they would be shown.
fn plain(columns: &BTreeMap<String, CrmValue>) -> BTreeMap<&str, Value> {
    let shown = |value: &CrmValue| match value {
        CrmValue::Plain(value) => value.clone(),
        CrmValue::Lookup { value, .. } => json!(value),
    };
    columns.iter().map(|(name, value)| (name.as_str(), shown(value))).collect()
}
