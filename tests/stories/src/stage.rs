//! The company on its stage: a world that runs, the deals in it, and what people have said of them.

use crate::{
    overrides,
    shown::{Shown, of_record, of_referral},
    story::{Edit, Org, Story, Then, Vendors},
};
use jiff::{SignedDuration, Timestamp};
use local::{
    people::text,
    world::{Options, World},
};
use mapping::CrmKind;
use serde_json::{Value, json};
use simulators::{
    partner_center,
    server::{Logged, Network},
    weather::Weather,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// When every story begins.
const BEGINS: &str = "2026-11-30T08:00:00Z";

/// Which side somebody spoke on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    PartnerCenter,
    Crm,
}

/// A deal, by what is known of it.
#[derive(Clone, Debug)]
pub struct Deal {
    pub referral: Option<String>,
    pub record: Option<String>,
    /// Where it was made.
    pub born: Side,
    /// Something was done to it that makes one side go its own way: deleted, merged away, Sync set to No, disconnected.
    pub parted: bool,
    /// Somebody sent word across: consent was given that both belong together.
    pub consented: bool,
    /// Fields that a rule of the map, of the organisation, or products keep one side from following.
    pub kept_out: BTreeSet<&'static str>,
    /// Whom Partner Center's own people named last as the customer's.
    pub people: Option<Vec<Value>>,
    /// What the fields showed when they were first seen.
    pub first: BTreeMap<Side, Shown>,
}

/// An edit, as the side that it was made on showed it afterwards.
#[derive(Clone, Debug)]
pub struct Said {
    pub deal: usize,
    pub field: &'static str,
    pub side: Side,
    pub value: String,
    /// How often everything had come to rest before.
    pub period: u32,
}

/// What was wrong, in a few words that stay the same from story to story, and in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub kind: String,
    pub words: String,
}

pub struct Stage {
    pub world: World,
    pub crm: CrmKind,
    pub deals: Vec<Deal>,
    pub said: Vec<Said>,
    pub period: u32,
    pub violations: RefCell<Vec<Violation>>,
    pub trace: RefCell<Vec<String>>,
    /// The overrides in force; a rollback brings back the last of `earlier_maps`.
    pub map: Vec<crate::story::Override>,
    pub earlier_maps: Vec<Vec<crate::story::Override>>,
    /// Something of the organisation keeps whole records out: a witness is not asked for.
    pub closed_door: bool,
    /// A person was told to correct what an administrator broke.
    pub consent_revoked: bool,
    /// A rule of the customer's refuses some values.
    pub rules: bool,
    /// Calls and bytes of a tick in which nothing happens, at the beginning.
    pub idle: (usize, usize),
    /// Solutions made for the catalogue.
    pub numbers: u32,
}

impl Stage {
    /// The story's company, its pollers started.
    pub async fn open(story: &Story, crm: CrmKind) -> anyhow::Result<Self> {
        let begins: Timestamp = BEGINS.parse()?;
        let map = overrides::toml(&full_map(story));
        let options = Options { crm: Some(crm), begins: Some(begins), ..Options::default() };
        let mut world = World::start(options).await?;
        // A map with faults is not deployed.
        let fits = map.is_empty() || world.remap(&map).is_ok();
        let mut stage = Stage {
            world,
            crm,
            deals: vec![],
            said: vec![],
            period: 0,
            violations: RefCell::default(),
            trace: RefCell::default(),
            map: if fits { full_map(story) } else { vec![] },
            earlier_maps: vec![],
            closed_door: false,
            consent_revoked: false,
            rules: false,
            idle: (0, 0),
            numbers: 0,
        };
        stage.found(&story.org);
        stage.behave(&story.vendors);
        // A map whose columns the organisation does not have would be refused by `map check`.
        if stage.world.tick().await.is_err() {
            stage.world.remap("")?;
            stage.map.clear();
            stage.world.tick().await?;
        }
        for _ in 0..2 {
            stage.world.advance(60);
            stage.world.forget_calls();
            stage.world.tick().await?;
            stage.idle = (stage.calls(), stage.bytes());
        }
        stage.connect(&story.vendors);
        if story.vendors.weather > 0 {
            let weather = Weather::mixed(7, f64::from(story.vendors.weather) / 1000.0);
            stage.world.partner_center.weather(Some(weather.clone()));
            stage.world.login.weather(Some(weather.clone()));
            stage.world.dataverse.weather(Some(weather.clone()));
            stage.world.salesforce.weather(Some(weather));
        }
        Ok(stage)
    }

    /// The organisation as it is set up.
    fn found(&self, org: &Org) {
        self.world.add_columns_of_its_own();
        {
            let mut dataverse = self.world.dataverse.system();
            if org.teams {
                dataverse.switches.untracked.clear();
            }
            dataverse.switches.burst_limit = None;
            let mut salesforce = self.world.salesforce.system();
            salesforce.switches.team_selling = org.teams;
            salesforce.switches.state_country_picklists = org.place_picklists;
        }
        crate::organisation::found(self, org);
    }

    fn behave(&self, vendors: &Vendors) {
        {
            let mut center = self.world.partner_center.system();
            if vendors.partner_center_page > 0 {
                center.switches.page_size = vendors.partner_center_page.into();
            }
            center.switches.event_after_micros = vendors.event_after_micros.into();
            center.switches.stale_reads = vendors.stale_reads.into();
            center.switches.sparse = vendors.sparse;
            if vendors.empty_patch {
                center.switches.patch_representation = partner_center::PatchRepresentation::Empty204;
            }
            if vendors.sibling_events {
                center.switches.related_event_names = partner_center::RelatedEventNames::Sibling;
            }
        }
        crate::organisation::behave(self, vendors);
    }

    /// The network takes its time from here on.
    fn connect(&self, vendors: &Vendors) {
        let network = |ms: u16| Network {
            latency: SignedDuration::from_millis(ms.into()),
            forgets_after: (vendors.forgets_after_s > 0)
                .then(|| SignedDuration::from_secs(vendors.forgets_after_s.into())),
        };
        self.world.partner_center.network(network(vendors.partner_center_latency_ms));
        self.world.dataverse.network(network(vendors.crm_latency_ms));
        self.world.salesforce.network(network(vendors.crm_latency_ms));
        self.world.login.network(network(0));
    }

    pub fn tell(&self, line: impl Into<String>) {
        self.trace.borrow_mut().push(format!(
            "{}  {}",
            self.world.now().strftime("%d %H:%M:%S"),
            line.into()
        ));
    }

    pub fn wrong(&self, kind: impl Into<String>, words: impl Into<String>) {
        let violation = Violation { kind: kind.into(), words: words.into() };
        let known = self.violations.borrow().iter().any(|known| known.kind == violation.kind);
        if !known {
            self.tell(format!("WRONG  {}: {}", violation.kind, violation.words));
            self.violations.borrow_mut().push(violation);
        }
    }

    /// The deal that is meant, if there is one.
    pub fn deal(&self, which: u8) -> Option<usize> {
        (!self.deals.is_empty()).then(|| usize::from(which) % self.deals.len())
    }

    /// ... with a record, which may be a lead.
    pub fn record(&self, which: u8) -> Option<(usize, String)> {
        let deal = self.deal(which)?;
        Some((deal, self.deals[deal].record.clone()?))
    }

    pub fn referral(&self, which: u8) -> Option<(usize, String)> {
        let deal = self.deal(which)?;
        Some((deal, self.deals[deal].referral.clone()?))
    }

    /// A row by its id, and the set it is in.
    pub fn row(&self, record: &str) -> Option<(&'static str, Value)> {
        ["opportunities", "leads"].into_iter().find_map(|set| {
            let row = self
                .world
                .rows(set)
                .into_iter()
                .find(|row| crate::shown::id(row, set, self.crm) == record)?;
            Some((set, row))
        })
    }

    pub fn held(&self, referral: &str) -> Option<Value> {
        self.world.partner_center.system().referrals().get(referral).cloned()
    }

    /// What both sides of a deal show.
    pub fn shown(&self, deal: usize) -> BTreeMap<Side, Shown> {
        let deal = &self.deals[deal];
        let mut shown = BTreeMap::new();
        if let Some(referral) = deal.referral.as_ref().and_then(|id| self.held(id)) {
            shown.insert(Side::PartnerCenter, of_referral(&referral));
        }
        if let Some((set, row)) = deal.record.as_ref().and_then(|id| self.row(id)) {
            shown.insert(Side::Crm, of_record(&row, set, self));
        }
        shown
    }

    /// A person acts on one side of a deal: whatever is different there afterwards was said by that person.
    pub fn says(&mut self, deal: usize, side: Side, act: impl FnOnce(&Stage) -> Result<(), String>) {
        let before = self.shown(deal).remove(&side);
        if let Err(refused) = act(self) {
            self.tell(format!("   refused: {}", refused.chars().take(160).collect::<String>()));
            return;
        }
        let Some(after) = self.shown(deal).remove(&side) else { return };
        for (field, value) in after {
            if before.as_ref().is_some_and(|before| before.get(field) != Some(&value)) {
                self.said.push(Said { deal, field, side, value, period: self.period });
            }
        }
    }

    /// Deals learn their other halves from what the vendors hold.
    pub fn learn(&mut self) {
        let mut of_referral: BTreeMap<String, (String, bool)> = BTreeMap::new();
        for set in ["leads", "opportunities"] {
            for row in self.world.rows(set) {
                let referral = text(&row, crate::shown::referral_column(self.crm)).to_lowercase();
                if !referral.is_empty() {
                    of_referral.insert(referral, (crate::shown::id(&row, set, self.crm), set == "leads"));
                }
            }
        }
        let of_record: BTreeMap<String, String> = {
            let center = self.world.partner_center.system();
            let named = |r: &&Value| (text(r, "externalReferenceId"), text(r, "id"));
            center.own_referrals().iter().map(named).filter(|(record, _)| !record.is_empty()).collect()
        };
        let mut learnt = vec![];
        for (n, deal) in self.deals.iter().enumerate() {
            match (&deal.referral, &deal.record) {
                (Some(referral), _) if deal.born == Side::PartnerCenter => {
                    if let Some((record, _)) = of_referral.get(&referral.to_lowercase())
                        && deal.record.as_ref() != Some(record)
                    {
                        learnt.push((n, None, Some(record.clone())));
                    }
                }
                (None, Some(record)) => {
                    if let Some(referral) = of_record.get(record) {
                        learnt.push((n, Some(referral.clone()), None));
                    }
                }
                _ => {}
            }
        }
        for (n, referral, record) in learnt {
            let deal = &mut self.deals[n];
            deal.consented = true;
            deal.referral = referral.or(deal.referral.take());
            deal.record = record.or(deal.record.take());
            self.first_sight(n);
        }
    }

    /// What a side shows when it is first seen.
    pub fn first_sight(&mut self, deal: usize) {
        for (side, shown) in self.shown(deal) {
            self.deals[deal].first.entry(side).or_insert(shown);
        }
    }

    pub fn add(&mut self, born: Side, referral: Option<String>, record: Option<String>) -> usize {
        self.deals.push(Deal {
            referral,
            record,
            born,
            parted: false,
            consented: false,
            kept_out: BTreeSet::new(),
            people: None,
            first: BTreeMap::new(),
        });
        self.first_sight(self.deals.len() - 1);
        self.deals.len() - 1
    }

    /// Time goes on as the act says.
    pub async fn then(&mut self, then: Then) -> anyhow::Result<()> {
        match then {
            Then::AtOnce => {}
            Then::Webhooks => {
                self.world.webhooks().await;
                self.pump().await?;
            }
            Then::Minute => self.minute().await?,
            Then::Rest => self.rest().await?,
            Then::Hours(hours) => {
                self.minute().await?;
                self.world.advance(i64::from(hours) * 3600);
                self.minute().await?;
            }
        }
        self.learn();
        Ok(())
    }

    /// What is visible in the queue goes to the writer, for a while: a batch that comes back at once is no progress.
    async fn pump(&self) -> anyhow::Result<()> {
        for _ in 0..400 {
            if self.world.batch().await? == 0 {
                return Ok(());
            }
        }
        self.wrong("queue-circles", "400 batches in a row without the queue becoming empty");
        Ok(())
    }

    /// A minute with everything: time, events, the queue, the poller, what follows from it.
    pub async fn minute(&mut self) -> anyhow::Result<()> {
        self.world.advance(60);
        self.world.webhooks().await;
        self.pump().await?;
        if let Err(failed) = self.world.tick().await {
            self.tell(format!("   the poller fails: {failed:#}").chars().take(300).collect::<String>());
        }
        self.world.webhooks().await;
        self.pump().await?;
        self.learn();
        Ok(())
    }

    /// Minutes until nothing was written in one, at most twelve.
    async fn rest(&mut self) -> anyhow::Result<()> {
        for _ in 0..12 {
            let before = self.world.writes();
            self.minute().await?;
            let waits = self.world.messages() > 0 || self.world.held_until().await?.is_some();
            if self.world.writes() == before && !waits {
                self.period += 1;
                break;
            }
        }
        Ok(())
    }

    /// Calls to the vendors since they were last forgotten.
    pub fn calls(&self) -> usize {
        self.world.calls().len()
    }

    /// Bytes the vendors answered since then.
    pub fn bytes(&self) -> usize {
        let size = |logs: Vec<Logged>| logs.iter().map(|log| log.answer.len()).sum::<usize>();
        size(self.world.partner_center.requests())
            + size(self.world.dataverse.requests())
            + size(self.world.salesforce.requests())
    }

    /// A command of an administrator's.
    pub async fn command(&self, command: Value) -> Value {
        let answer = self.world.call(command.clone()).await;
        self.tell(format!("   {command} -> {}", brief(&answer)));
        answer
    }

    /// The columns of an edit, as the CRM of this company names them.
    pub fn columns(&self, set: &str, edit: &Edit) -> Value {
        let lead = set == "leads";
        let dynamics = self.crm == CrmKind::Dynamics365;
        match edit {
            Edit::Name(name) => {
                let words = name.words("Deal");
                let column = match (lead, dynamics) {
                    (true, true) => "subject",
                    (true, false) => "Title",
                    _ => "name",
                };
                json!({ column: words })
            }
            Edit::Value(money) => {
                let mut columns = match (lead, dynamics) {
                    (true, true) => json!({ "estimatedamount": money.amount }),
                    (true, false) => json!({}),
                    _ => json!({ "deal_value": money.amount }),
                };
                if let Some(currency) = &money.currency
                    && (!lead || dynamics)
                {
                    crate::seller::currency(&mut columns, currency, self.crm);
                }
                columns
            }
            Edit::Day(day) => match (lead, dynamics) {
                (true, true) => json!({ "estimatedclosedate": day.date() }),
                (true, false) => json!({}),
                _ => json!({ "closing_date": day.date() }),
            },
            Edit::Notes(notes) => self.described(lead, json!(notes.words("Note"))),
            Edit::NoNotes => self.described(lead, Value::Null),
        }
    }

    fn described(&self, lead: bool, words: Value) -> Value {
        match (lead, self.crm) {
            (true, CrmKind::Dynamics365) => json!({ "description": words }),
            (true, CrmKind::Salesforce) => json!({ "Description": words }),
            _ => json!({ "notes": words }),
        }
    }
}

/// The story's own map, with what its organisation needs.
fn full_map(story: &Story) -> Vec<crate::story::Override> {
    let mut map = story.map.clone();
    if story.org.converts_leads {
        map.push(crate::story::Override {
            rule: "vendor".into(),
            key: "convert_lead".into(),
            value: "'soap'".into(),
        });
    }
    map
}

/// A command's answer in a line.
pub fn brief(answer: &Value) -> String {
    let lines = answer["lines"].as_array().into_iter().flatten();
    let texts: Vec<&str> = lines.filter_map(|line| line["text"].as_str()).collect();
    let all = texts.join(" | ");
    let cut: String = all.chars().take(300).collect();
    format!("{} {cut}", if answer["ok"] == true { "ok" } else { "FAULT" })
}
