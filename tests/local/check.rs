//! `--check`: a deal both ways, step by step, as a table; and what each path costs in outside calls.

use local::world::World;
use serde_json::{Value, json};
use simulators::dataverse::SELLER;
use std::time::Instant;

/// One line of the table.
pub(crate) struct Row {
    step: String,
    expected: String,
    seen: String,
}

/// What an idle tick asks the CRM.
const FEEDS: [&str; 3] = [" delta", "GET connections", "GET queryAll"];

impl Row {
    pub(crate) fn ok(&self) -> bool {
        self.expected == self.seen
    }
}

pub(crate) struct Check<'a> {
    pub(crate) world: &'a World,
    pub(crate) rows: Vec<Row>,
    costs: Vec<(String, String, usize, (u64, u64))>,
    /// The table's calls when they were last forgotten.
    table: (u64, u64),
}

/// Plays it; whether all of it holds.
pub(crate) async fn run(world: &World) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut check = Check::of(world);
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
    check.print();
    println!("\n{:.1} s", began.elapsed().as_secs_f64());
    world.end().await?;
    Ok(check.rows.iter().all(Row::ok))
}

impl<'a> Check<'a> {
    pub(crate) fn of(world: &'a World) -> Self {
        Check { world, rows: vec![], costs: vec![], table: (0, 0) }
    }

    pub(crate) fn expect(&mut self, step: &str, expected: impl ToString, seen: impl ToString) {
        self.rows.push(Row { step: step.into(), expected: expected.to_string(), seen: seen.to_string() });
    }

    pub(crate) fn forget(&mut self) {
        self.world.forget_calls();
        self.table = table_calls(self.world);
    }

    /// What the last step cost, beside the budget of the design.
    pub(crate) fn cost(&mut self, path: &str, budget: &str) {
        let calls = self
            .world
            .calls()
            .iter()
            .filter(|call| *call != "GET referrals?" && !FEEDS.iter().any(|feed| call.contains(feed)))
            .count();
        let now = table_calls(self.world);
        self.costs.push((path.into(), budget.into(), calls, (now.0 - self.table.0, now.1 - self.table.1)));
    }

    pub(crate) fn referral(&self, id: &str) -> Value {
        self.world.partner_center.system().referrals()[id].clone()
    }

    fn opportunity_of(&self, referral: &str) -> Value {
        let system = self.world.dataverse.system();
        let row = system.rows("opportunities").into_iter().find(|row| row["cosell_referralid"] == referral);
        row.cloned().map_or(Value::Null, Value::Object)
    }

    pub(crate) fn edit_referral(&self, id: &str, set: Value) -> anyhow::Result<()> {
        let now = self.world.now();
        self.world.partner_center.system().edit(id, &set, now).map_err(|e| anyhow::anyhow!(e))
    }

    fn edit(&self, id: &str, set: Value) -> anyhow::Result<()> {
        let now = self.world.now();
        self.world
            .dataverse
            .system()
            .act_edit("opportunities", id, SELLER, set, now)
            .map_err(|e| anyhow::anyhow!(e))
    }

    pub(crate) fn act(&self, id: &str, action: &str) -> anyhow::Result<()> {
        let now = self.world.now();
        self.world.partner_center.system().act(id, action, None, now).map_err(|e| anyhow::anyhow!(e))
    }

    pub(crate) async fn tick(&self) -> anyhow::Result<()> {
        self.world.advance(60);
        self.world.tick().await.map(drop)
    }

    /// Partner Center -> Dynamics 365: create and update.
    async fn inbound(&mut self) -> anyhow::Result<String> {
        let now = self.world.now();
        let referral = self.world.partner_center.system().refer(&json!({}), now);
        self.forget();
        self.world.webhooks().await;
        self.world.pump().await?;
        self.cost("inbound create", "4");
        let deal = self.opportunity_of(&referral);
        self.expect(
            "1 referral -> opportunity, on hold",
            "0/2",
            format!("{}/{}", deal["statecode"], deal["statuscode"]),
        );
        self.expect(
            "1 its name carries the mark",
            "✔ Harbor Line – multi-site tracking",
            text(&deal["name"]),
        );
        self.expect("1 its value", "84000.0", &deal["estimatedvalue"]);
        let named = self.referral(&referral)["externalReferenceId"] == deal["opportunityid"];
        self.expect("1 the referral names the opportunity", true, named);
        self.world.quiet().await?;
        self.act(&referral, "accept")?;
        self.world.quiet().await?;
        self.expect("1 accepted -> in progress", "1", &self.opportunity_of(&referral)["statuscode"]);
        Ok(referral)
    }

    async fn inbound_costs(&mut self, referral: &str) -> anyhow::Result<()> {
        self.forget();
        self.tick().await?;
        self.cost("what a create made comes back", "few");
        let set =
            json!({ "/details/dealValue": 92500, "/details/currency": "EUR", "/details/notes": "17 sites." });
        self.edit_referral(referral, set)?;
        self.forget();
        self.world.webhooks().await;
        self.world.pump().await?;
        self.cost("inbound change", "2");
        let deal = self.opportunity_of(referral);
        self.expect("1 value changed -> value", "92500.0", &deal["estimatedvalue"]);
        self.expect("1 notes changed -> description", "17 sites.", text(&deal["description"]));
        self.edit_referral(referral, json!({ "/favorite": true }))?;
        self.forget();
        self.world.webhooks().await;
        self.world.pump().await?;
        self.cost("inbound, nothing mapped changed", "1");
        self.forget();
        self.tick().await?;
        self.cost("our own write comes back from the CRM", "0");
        Ok(())
    }

    /// Dynamics 365 -> Partner Center: create and update.
    async fn outbound(&mut self) -> anyhow::Result<(String, String)> {
        let deal = crate::live::seed(self.world)?;
        self.tick().await?;
        self.expect(
            "2 Sync = No: nothing in Partner Center",
            1,
            self.world.partner_center.system().referrals().len(),
        );
        self.edit(&deal, json!({ "cosell_syncwithpartnercenter": true }))?;
        self.forget();
        self.tick().await?;
        self.cost("outbound co-sell create", "5");
        let row = self.world.dataverse.system().row("opportunities", &deal).cloned().unwrap_or_default();
        let own = text(&row["cosell_referralid"]);
        let engagement = text(&self.referral(&own)["engagementId"]);
        self.expect(
            "2 Sync = Yes -> engagement of two",
            2,
            self.world.partner_center.system().engagement(&engagement).len(),
        );
        self.expect("2 Referral Link", true, text(&row["cosell_referrallink"]).ends_with(&own));
        self.expect("2 Audit", true, text(&row["cosell_audit"]).contains("co-sell engagement created"));
        self.forget();
        self.world.quiet().await?;
        self.cost("the engagement comes back by webhook", "few");
        let rows = self.world.dataverse.system().rows("opportunities").len();
        self.expect("2 ... and makes nothing new", 2, rows);
        self.tick().await?;
        self.world.quiet().await?;
        self.edit(&deal, json!({ "estimatedvalue": 72000 }))?;
        self.forget();
        self.tick().await?;
        self.cost("outbound change", "1");
        self.expect(
            "2 value changed -> dealValue",
            "72000.0",
            self.referral(&own)["details"]["dealValue"]
                .as_f64()
                .map_or_else(String::new, |v| format!("{v:.1}")),
        );
        self.forget();
        self.world.quiet().await?;
        self.cost("our own write comes back by webhook", "0");
        Ok((deal, own))
    }

    /// Where two edits meet.
    async fn meetings(&mut self, deal: &str, own: &str) -> anyhow::Result<()> {
        self.edit_referral(own, json!({ "/details/notes": "From Partner Center." }))?;
        self.edit(deal, json!({ "estimatedclosedate": "2027-08-31" }))?;
        self.tick().await?;
        self.world.quiet().await?;
        let row = self.opportunity_of(own);
        self.expect("3 two fields: notes arrive", "From Partner Center.", text(&row["description"]));
        let date: String = text(&self.referral(own)["details"]["closingDateTime"]).chars().take(10).collect();
        self.expect("3 two fields: date arrives", "2027-08-31", date);
        self.edit_referral(own, json!({ "/details/notes": "Said there." }))?;
        self.edit(deal, json!({ "description": "Said here." }))?;
        self.tick().await?;
        self.world.quiet().await?;
        let row = self.opportunity_of(own);
        self.expect(
            "3 one field: its owner, the CRM, stands",
            "Said here.",
            text(&self.referral(own)["details"]["notes"]),
        );
        self.expect(
            "3 one field: the loser is audited",
            true,
            text(&row["cosell_audit"]).contains("Said there."),
        );
        Ok(())
    }

    async fn lost_webhook(&mut self, referral: &str) -> anyhow::Result<()> {
        self.edit_referral(referral, json!({ "/details/dealValue": 97000 }))?;
        self.world.partner_center.system().lose();
        self.tick().await?;
        self.world.quiet().await?;
        self.expect(
            "4 webhook lost -> the sweep brings it",
            "97000.0",
            &self.opportunity_of(referral)["estimatedvalue"],
        );
        Ok(())
    }

    async fn ends(&mut self, referral: &str, deal: &str, own: &str) -> anyhow::Result<()> {
        self.act(referral, "won")?;
        self.world.quiet().await?;
        self.expect("5 Closed/Won -> won", "1", &self.opportunity_of(referral)["statecode"]);
        self.lose(deal, 5)?;
        self.tick().await?;
        self.world.quiet().await?;
        self.expect("5 lost -> Closed/Lost", "Closed/Lost", self.status(own));
        Ok(())
    }

    async fn declined(&mut self) -> anyhow::Result<()> {
        let now = self.world.now();
        let referral =
            self.world.partner_center.system().refer(&json!({ "name": "Harbor Line – returns" }), now);
        self.world.quiet().await?;
        self.lose(&text(&self.opportunity_of(&referral)["opportunityid"]), 4)?;
        self.tick().await?;
        self.world.quiet().await?;
        self.expect("6 lost while on hold -> declined", "Closed/Declined", self.status(&referral));
        Ok(())
    }

    async fn lead(&mut self) -> anyhow::Result<()> {
        let now = self.world.now();
        let referral = self
            .world
            .partner_center
            .system()
            .refer_lead(&json!({ "name": "Harbor Line – cold chain" }), now);
        self.world.quiet().await?;
        let lead = {
            let system = self.world.dataverse.system();
            let row =
                system.rows("leads").into_iter().find(|row| row["cosell_referralid"] == referral.as_str());
            row.cloned().map_or(Value::Null, Value::Object)
        };
        self.expect("7 lead -> lead", "✔ Harbor Line – cold chain", text(&lead["subject"]));
        self.act(&referral, "accept")?;
        self.world.quiet().await?;
        let deal = self.opportunity_of(&referral);
        let made_of = text(&deal["_originatingleadid_value"]);
        self.expect("7 accepted -> qualified, an opportunity", text(&lead["leadid"]), made_of);
        let named = self.referral(&referral)["externalReferenceId"] == deal["opportunityid"];
        self.expect("7 ... which the same referral names", true, named);
        Ok(())
    }

    fn lose(&self, opportunity: &str, reason: i64) -> anyhow::Result<()> {
        let (now, mut system) = (self.world.now(), self.world.dataverse.system());
        system.act_lose(opportunity, SELLER, reason, json!({}), now).map(drop).map_err(|e| anyhow::anyhow!(e))
    }

    fn status(&self, referral: &str) -> String {
        let shown = self.referral(referral);
        format!("{}/{}", text(&shown["status"]), text(&shown["substatus"]))
    }

    async fn stillness(&mut self) -> anyhow::Result<()> {
        self.world.settle().await?;
        self.forget();
        self.tick().await?;
        let now = table_calls(self.world);
        let table = (now.0 - self.table.0, now.1 - self.table.1);
        self.costs.push((
            "idle tick: six feeds and the sweep".into(),
            "7".into(),
            self.world.calls().len(),
            table,
        ));
        for _ in 0..5 {
            self.tick().await?;
            self.world.quiet().await?;
        }
        self.expect("8 five more ticks: writes", 0, self.world.writes());
        self.expect("8 parked", 0, self.world.parked().await?.len());
        Ok(())
    }

    pub(crate) fn print(&self) {
        let width = self.rows.iter().map(|row| row.step.chars().count()).max().unwrap_or(0);
        let wide = self.rows.iter().map(|row| row.expected.chars().count()).max().unwrap_or(0);
        println!("{:<width$} | {:<wide$} | {:<wide$} | ok", "step", "expected", "seen");
        for row in &self.rows {
            let ok = if row.ok() { "ok" } else { "NOT OK" };
            println!("{:<width$} | {:<wide$} | {:<wide$} | {ok}", row.step, row.expected, row.seen);
        }
        println!("\n{:<40} | outside calls (budget) | table reads | table saves", "what it costs");
        for (path, budget, calls, (reads, saves)) in &self.costs {
            println!("{path:<40} | {calls:>5} ({budget:>3})            | {reads:>11} | {saves:>11}");
        }
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Calls of writer and poller to the table so far: reads, saves (of one item or several together).
fn table_calls(world: &World) -> (u64, u64) {
    let calls = world.table_calls();
    (calls.iter().map(|c| c.reads).sum(), calls.iter().map(|c| c.writes + c.transactions).sum())
}
