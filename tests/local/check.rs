//! `--check`: a deal both ways, step by step, as a table; and what each path costs in outside calls. Names, marks and
//! options are those of the map in effect; what it does not keep in step is not looked at.

mod seen;

use crate::{people::text, world::World};
use anyhow::{Result, anyhow};
use mapping::{CrmKind, Map, Side, WantedKind, WantedTable};
use seen::Seen;
use serde_json::{Value, json};
use std::{sync::Arc, time::Instant};
use sync::table::{Item, Row};

/// What an idle tick asks the CRM.
const FEEDS: [&str; 3] = [" delta", "GET connections", "GET queryAll"];
const NAME: &str = "Harbor Line – multi-site tracking";

pub struct Check<'a> {
    world: &'a World,
    map: Arc<Map>,
    pub seen: Seen,
    /// The table's calls when they were last forgotten.
    table: (u64, u64),
}

/// Plays it and prints it; whether all of it holds.
pub async fn run(world: &World) -> Result<bool> {
    let began = Instant::now();
    let check = play(world).await?;
    check.seen.print();
    println!("\n{:.1} s", began.elapsed().as_secs_f64());
    Ok(check.seen.wrong().is_empty())
}

/// Plays it to the end; what does not hold is a row of `seen`, no error.
pub async fn play(world: &World) -> Result<Check<'_>> {
    let mut check = Check { world, map: world.map(), seen: Seen::default(), table: (0, 0) };
    world.tick().await?;
    world.advance(60);
    let referral = check.inbound().await?;
    check.inbound_costs(&referral).await?;
    let (deal, own) = check.outbound().await?;
    check.meetings(&deal, &own).await?;
    check.lost_webhook(&referral).await?;
    check.ends(&referral, &deal, &own).await?;
    check.declined().await?;
    check.lead().await?;
    check.stillness().await?;
    world.end().await?;
    Ok(check)
}

impl Check<'_> {
    fn expect(&mut self, step: &str, expected: impl ToString, seen: impl ToString) {
        self.seen.step(step, expected.to_string(), seen.to_string());
    }

    fn forget(&mut self) {
        self.world.forget_calls();
        self.table = table_calls(self.world);
    }

    /// What the last step cost, beside the budget of the design.
    fn cost(&mut self, path: &str, budget: &str) {
        let calls = self
            .world
            .calls()
            .iter()
            .filter(|call| *call != "GET referrals?" && !FEEDS.iter().any(|feed| call.contains(feed)))
            .count();
        let now = table_calls(self.world);
        self.seen.cost(path, budget, calls, (now.0 - self.table.0, now.1 - self.table.1));
    }

    /// The deal's column of a rule, if the map has one.
    fn column(&self, rule: &str) -> Option<String> {
        let at = format!("fields.{rule}.crm");
        let wanted = self.map.wanted_columns();
        let column = wanted.into_iter().find(|w| w.table == WantedTable::Opportunity && w.at == at)?;
        Some(column.name)
    }

    /// What a record shows of a rule, if the map has it.
    fn shown(&self, record: &Value, rule: &str) -> Option<String> {
        Some(plain(&record[self.column(rule)?]))
    }

    /// What a unit's rule has to show, where the unit goes to the CRM.
    fn expect_in_crm(&mut self, step: &str, unit: &str, rule: &str, expected: &str, record: &Value) {
        let goes = self.map.unit(unit).is_some_and(|unit| unit.to_crm() && unit.on_update());
        if let Some(seen) = self.shown(record, rule).filter(|_| goes) {
            self.expect(step, expected, seen);
        }
    }

    /// The same in Partner Center.
    fn expect_in_partner_center(&mut self, step: &str, unit: &str, expected: &str, seen: &str) {
        if self.map.unit(unit).is_some_and(|unit| unit.to_partner_center() && unit.on_update()) {
            self.expect(step, expected, seen);
        }
    }

    /// What a name looks like in the CRM.
    fn marked(&self, name: &str) -> String {
        if self.map.switches().check_mark { format!("✔ {name}") } else { name.to_owned() }
    }

    /// The CRM's option for help with a proof of concept.
    fn help(&self) -> Option<(String, Value)> {
        let column = self.column("help")?;
        let wanted = self.map.wanted_columns().into_iter().find(|w| w.name == column)?;
        let WantedKind::Choice(options) = wanted.kind else { return None };
        let (option, _) = options.into_iter().find(|(_, label)| label == "Proof of concept or demo")?;
        Some((column, option))
    }

    /// A seller edits the deal, by the map's rules.
    fn edit(&self, id: &str, rule: &str, value: Value) -> Result<()> {
        let Some(column) = self.column(rule) else { return Ok(()) };
        self.world.try_edit("opportunities", id, json!({ column: value })).map_err(|e| anyhow!(e))
    }

    /// How a record stands: what the map shows for a pair of Partner Center's.
    fn expect_state(&mut self, step: &str, pair: &str, record: &Value) {
        let columns = self.map.shown_for(pair);
        let expected: Vec<String> = columns.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let whole = |value: &Value| value.as_i64().map_or_else(|| plain(value), |n| n.to_string());
        let seen: Vec<String> =
            columns.iter().map(|(name, _)| format!("{name} {}", whole(&record[*name]))).collect();
        let (expected, seen) = (expected.join(", "), seen.join(", "));
        self.expect(step, expected, seen);
    }

    fn audit(&self, record: &Value) -> Option<String> {
        let (column, _) = self.map.audit_column()?;
        Some(plain(&record[column]))
    }

    fn expect_audit(&mut self, step: &str, words: &str, record: &Value) {
        if let Some(audit) = self.audit(record) {
            self.expect(step, true, audit.contains(words));
        }
    }

    fn opportunity_of(&self, referral: &str) -> Value {
        let column = self.column("referral_id").unwrap_or_default();
        let rows = self.world.opportunities();
        rows.into_iter().find(|row| row[&column] == referral).unwrap_or_default()
    }

    fn opportunity(&self, id: &str) -> Value {
        self.world.opportunities().into_iter().find(|row| row["id"] == id).unwrap_or_default()
    }

    fn is_referral(&self, id: &str) -> bool {
        self.world.partner_center.system().referrals().contains_key(id)
    }

    /// Why what is parked is.
    async fn reasons(&self) -> Result<String> {
        let parked = self.world.parked().await?;
        let reason = |row: &Row| match &row.item {
            Item::Parked(parked) => Some(parked.reason.clone()),
            _ => None,
        };
        Ok(parked.iter().filter_map(reason).collect::<Vec<_>>().join("; "))
    }

    async fn tick(&self) -> Result<()> {
        self.world.advance(60);
        self.world.tick().await.map(drop)
    }

    /// A tick and what follows from it.
    async fn look(&self) -> Result<()> {
        self.tick().await?;
        self.world.quiet().await
    }

    /// Partner Center -> CRM: create and accept.
    async fn inbound(&mut self) -> Result<String> {
        let referral = self.world.refer(json!({}));
        self.forget();
        self.world.webhooks().await;
        self.world.pump().await?;
        self.cost("inbound create", "4");
        let deal = self.opportunity_of(&referral);
        self.expect_state("1 referral -> opportunity, on hold", "New/Pending", &deal);
        if let Some(name) = self.shown(&deal, "name") {
            self.expect("1 its name", self.marked(NAME), name);
        }
        self.expect_in_crm("1 its value", "value", "deal_value", "84000.0", &deal);
        let named = self.world.referral(&referral)["externalReferenceId"] == deal["id"];
        self.expect("1 the referral names the opportunity", true, named);
        self.world.quiet().await?;
        self.world.act(&referral, "accept");
        self.world.quiet().await?;
        self.expect_state("1 accepted", "Active/Accepted", &self.opportunity_of(&referral));
        Ok(referral)
    }

    async fn inbound_costs(&mut self, referral: &str) -> Result<()> {
        self.forget();
        self.look().await?;
        self.cost("what a create made comes back", "few");
        self.world
            .edit_referral(referral, json!({ "/details/dealValue": 92500, "/details/notes": "17 sites." }));
        self.forget();
        self.world.webhooks().await;
        self.world.pump().await?;
        self.cost("inbound change", "2");
        let deal = self.opportunity_of(referral);
        self.expect_in_crm("1 value changed -> value", "value", "deal_value", "92500.0", &deal);
        self.expect_in_crm("1 notes changed -> notes", "notes", "notes", "17 sites.", &deal);
        self.world.edit_referral(referral, json!({ "/favorite": true }));
        self.forget();
        self.world.webhooks().await;
        self.world.pump().await?;
        self.cost("inbound, nothing mapped changed", "1");
        self.forget();
        self.tick().await?;
        self.cost("our own write comes back from the CRM", "0");
        Ok(())
    }

    /// A deal of a seller's that lacks only Sync = Yes.
    fn seed(&self) -> Result<String> {
        let mut columns = json!({});
        let values = [
            ("deal_value", json!(61000.5)),
            ("closing_date", json!("2027-07-31")),
            ("notes", json!("Need PoC support for forecasting workload.")),
        ];
        for (rule, value) in values {
            if let Some(column) = self.column(rule) {
                columns[column] = value;
            }
        }
        if let Some((column, option)) = self.help() {
            columns[column] = option;
        }
        let deal = self.world.deal(columns);
        self.world
            .try_add_catalogued(&deal, crate::people::SOLUTION, "Juniper Peak Fleet Insight")
            .map_err(|e| anyhow!(e))?;
        Ok(deal)
    }

    /// CRM -> Partner Center: create and update.
    async fn outbound(&mut self) -> Result<(String, String)> {
        let deal = self.seed()?;
        self.look().await?;
        let count = self.world.partner_center.system().referrals().len();
        self.expect("2 Sync = No: nothing in Partner Center", 1, count);
        self.edit(&deal, "sync", json!(true))?;
        self.forget();
        self.tick().await?;
        self.cost("outbound co-sell create", "5");
        let row = self.opportunity(&deal);
        let own = self.shown(&row, "referral_id").filter(|id| self.is_referral(id));
        let own = match own {
            Some(own) => own,
            None => return Err(anyhow!("2 Sync = Yes makes no referral: {}", self.reasons().await?)),
        };
        let engagement = text(&self.world.referral(&own), "engagementId");
        let halves = self.world.partner_center.system().engagement(&engagement).len();
        self.expect("2 Sync = Yes -> engagement of two", 2, halves);
        if let Some(link) = self.shown(&row, "referral_link") {
            self.expect("2 Referral Link", true, link.ends_with(&own));
        }
        self.expect_audit("2 Audit", "co-sell engagement created", &row);
        self.forget();
        self.world.quiet().await?;
        self.cost("the engagement comes back by webhook", "few");
        self.expect("2 ... and makes nothing new", 2, self.world.opportunities().len());
        self.look().await?;
        self.edit(&deal, "deal_value", json!(72000))?;
        self.forget();
        self.tick().await?;
        self.cost("outbound change", "1");
        let seen = plain(&self.world.referral(&own)["details"]["dealValue"]);
        self.expect_in_partner_center("2 value changed -> dealValue", "value", "72000.0", &seen);
        self.forget();
        self.world.quiet().await?;
        self.cost("our own write comes back by webhook", "0");
        Ok((deal, own))
    }

    /// Where two edits meet.
    async fn meetings(&mut self, deal: &str, own: &str) -> Result<()> {
        self.world.edit_referral(own, json!({ "/details/notes": "From Partner Center." }));
        self.edit(deal, "closing_date", json!("2027-08-31"))?;
        self.look().await?;
        let row = self.opportunity(deal);
        self.expect_in_crm("3 two fields: notes arrive", "notes", "notes", "From Partner Center.", &row);
        let date = text(&self.world.referral(own)["details"], "closingDateTime");
        let date: String = date.chars().take(10).collect();
        self.expect_in_partner_center("3 two fields: date arrives", "closing_date", "2027-08-31", &date);
        let both = |unit: &&mapping::Unit| unit.to_crm() && unit.to_partner_center() && unit.on_update();
        let Some(owner) = self.map.unit("notes").filter(both).map(|unit| unit.owner) else { return Ok(()) };
        self.world.edit_referral(own, json!({ "/details/notes": "Said there." }));
        self.edit(deal, "notes", json!("Said here."))?;
        self.look().await?;
        let (stands, falls) = match owner {
            Side::Crm => ("Said here.", "Said there."),
            Side::PartnerCenter => ("Said there.", "Said here."),
        };
        let (shown, row) = (self.world.referral(own), self.opportunity(deal));
        self.expect("3 one field: its owner's stands", stands, text(&shown["details"], "notes"));
        self.expect_audit("3 one field: the loser is audited", falls, &row);
        Ok(())
    }

    async fn lost_webhook(&mut self, referral: &str) -> Result<()> {
        self.world.edit_referral(referral, json!({ "/details/dealValue": 97000 }));
        self.world.partner_center.system().lose();
        self.look().await?;
        let deal = self.opportunity_of(referral);
        self.expect_in_crm("4 webhook lost -> the sweep brings it", "value", "deal_value", "97000.0", &deal);
        Ok(())
    }

    async fn ends(&mut self, referral: &str, deal: &str, own: &str) -> Result<()> {
        self.world.act(referral, "won");
        self.world.quiet().await?;
        self.expect_state("5 Closed/Won -> won", "Closed/Won", &self.opportunity_of(referral));
        self.world.try_lose(deal).map_err(|e| anyhow!(e))?;
        self.look().await?;
        self.expect("5 lost -> Closed/Lost", "Closed/Lost", self.status(own));
        Ok(())
    }

    async fn declined(&mut self) -> Result<()> {
        let referral = self.world.refer(json!({ "name": "Harbor Line – returns" }));
        self.world.quiet().await?;
        let deal = text(&self.opportunity_of(&referral), "id");
        self.world.try_lose(&deal).map_err(|e| anyhow!(e))?;
        self.look().await?;
        self.expect("6 lost while on hold -> declined", "Closed/Declined", self.status(&referral));
        Ok(())
    }

    async fn lead(&mut self) -> Result<()> {
        if !self.map.has_leads() || self.map.switches().cosell_only {
            return Ok(());
        }
        let referral = self.world.refer_lead(json!({ "name": "Harbor Line – cold chain" }));
        self.world.quiet().await?;
        self.expect("7 lead -> lead", 1, self.world.rows("leads").len());
        self.world.act(&referral, "accept");
        self.world.quiet().await?;
        let deal = self.opportunity_of(&referral);
        self.expect_state("7 accepted -> an opportunity", "Active/Accepted", &deal);
        let named = self.world.referral(&referral)["externalReferenceId"] == deal["id"];
        self.expect("7 ... which the same referral names", true, named);
        Ok(())
    }

    fn status(&self, referral: &str) -> String {
        let shown = self.world.referral(referral);
        format!("{}/{}", text(&shown, "status"), text(&shown, "substatus"))
    }

    async fn stillness(&mut self) -> Result<()> {
        self.world.settle().await?;
        let writes = self.world.writes();
        for _ in 0..5 {
            self.look().await?;
        }
        self.expect("8 five more ticks: writes", 0, self.world.writes() - writes);
        self.expect("8 parked", 0, self.world.parked().await?.len());
        // What changed in the last minutes is asked for again: later it is not.
        self.world.advance(20 * 60);
        self.look().await?;
        self.forget();
        self.tick().await?;
        let now = table_calls(self.world);
        let table = (now.0 - self.table.0, now.1 - self.table.1);
        let calls = self.world.calls().len();
        let asked = match self.world.crm() {
            CrmKind::Dynamics365 => "idle tick: six feeds and the sweep",
            CrmKind::Salesforce => "idle tick: six feeds (teams are off) and the sweep",
        };
        self.seen.cost(asked, "7", calls, table);
        Ok(())
    }
}

/// A value as text; a number with one decimal.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().map_or_else(String::new, |n| format!("{n:.1}")),
        other => other.to_string(),
    }
}

/// Calls of writer and poller to the table so far: reads, saves (of one item or several together).
fn table_calls(world: &World) -> (u64, u64) {
    let calls = world.table_calls();
    (calls.iter().map(|c| c.reads).sum(), calls.iter().map(|c| c.writes + c.transactions).sum())
}
