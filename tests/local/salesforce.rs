//! `--crm salesforce --check`: a deal both ways in Salesforce.

use crate::check::{Check, Row, text};
use local::world::World;
use serde_json::{Value, json};
use simulators::salesforce::SELLER;
use std::time::Instant;

/// Plays it; whether all of it holds.
pub(crate) async fn run(world: &World) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut check = Check::of(world);
    world.tick().await?;
    world.advance(60);
    let referral = check.arrives().await?;
    check.leaves().await?;
    check.both(&referral).await?;
    check.creates().await?;
    check.print();
    println!("\n{:.1} s", began.elapsed().as_secs_f64());
    world.end().await?;
    Ok(check.rows.iter().all(Row::ok))
}

impl Check<'_> {
    fn deal_of(&self, referral: &str) -> Value {
        let system = self.world.salesforce.system();
        let rows = system.rows("Opportunity");
        let row = rows.into_iter().find(|row| row["Referral_Identifier__c"] == referral);
        row.map_or(Value::Null, |row| json!(row))
    }

    fn make(&self, object: &str, fields: Value) -> anyhow::Result<String> {
        let now = self.world.now();
        let mut system = self.world.salesforce.system();
        system.act_create(object, SELLER, fields, now).map_err(|e| anyhow::anyhow!(e))
    }

    fn change(&self, id: &str, fields: Value) -> anyhow::Result<()> {
        let now = self.world.now();
        let mut system = self.world.salesforce.system();
        system.act_edit("Opportunity", id, SELLER, fields, now).map_err(|e| anyhow::anyhow!(e))
    }

    async fn arrives(&mut self) -> anyhow::Result<String> {
        let now = self.world.now();
        let over = json!({ "details": { "currency": "EUR" } });
        let referral = self.world.partner_center.system().refer(&over, now);
        self.world.webhooks().await;
        self.world.pump().await?;
        let deal = self.deal_of(&referral);
        self.expect(
            "1 referral -> opportunity in the on-hold stage",
            "Qualification",
            text(&deal["StageName"]),
        );
        self.expect(
            "1 its name carries the mark",
            "✔ Harbor Line – multi-site tracking",
            text(&deal["Name"]),
        );
        let named = self.referral(&referral)["externalReferenceId"] == deal["Id"];
        self.expect("1 the referral names the opportunity", true, named);
        self.world.quiet().await?;
        self.act(&referral, "accept")?;
        self.world.quiet().await?;
        self.expect("1 accepted -> active stage", "Prospecting", text(&self.deal_of(&referral)["StageName"]));
        self.tick().await?;
        self.world.quiet().await?;
        self.edit_referral(&referral, json!({ "/details/dealValue": 92500, "/details/notes": "17 sites." }))?;
        self.forget();
        self.world.webhooks().await;
        self.world.pump().await?;
        self.cost("inbound change", "2");
        let deal = self.deal_of(&referral);
        self.expect("1 value changed -> Amount", "92500.0", &deal["Amount"]);
        self.expect("1 notes changed -> Description", "17 sites.", text(&deal["Description"]));
        Ok(referral)
    }

    /// A deal with a primary contact and a solution, not shared yet.
    fn wish(&self) -> anyhow::Result<String> {
        let account = json!({ "Name": "Kestrel Foods Ltd", "BillingStreet": "4 Mill Lane", "BillingCity": "Leeds",
                              "BillingPostalCode": "LS1 4AB", "BillingCountry": "GB" });
        let account = self.make("Account", account)?;
        let contact = json!({ "FirstName": "Priya", "LastName": "Shah", "Phone": "+441135550177",
                              "Email": "priya.shah@kestrelfoods.example", "AccountId": account });
        let contact = self.make("Contact", contact)?;
        let deal = json!({
            "Name": "Kestrel Foods - demand planning", "StageName": "Prospecting", "CloseDate": "2027-07-31",
            "Amount": 61000.5, "CurrencyIsoCode": "EUR", "AccountId": account, "OwnerId": SELLER,
            "Description": "Need PoC support.", "How_can_Microsoft_help__c": "Proof of concept or demo",
        });
        let deal = self.make("Opportunity", deal)?;
        let role = json!({ "OpportunityId": deal, "ContactId": contact, "IsPrimary": true });
        self.make("OpportunityContactRole", role)?;
        let catalogue = self.world.salesforce.system().rows("Microsoft_Solution_Detail__c")[0]["Id"].clone();
        self.make(
            "Microsoft_Solution__c",
            json!({ "Opportunity__c": deal, "Solution_Detail__c": catalogue }),
        )?;
        Ok(deal)
    }

    async fn leaves(&mut self) -> anyhow::Result<()> {
        let deal = self.wish()?;
        self.tick().await?;
        let count = self.world.partner_center.system().referrals().len();
        self.expect("2 Sync = No: nothing in Partner Center", 1, count);
        self.change(&deal, json!({ "Sync_with_Partner_Center__c": true }))?;
        self.tick().await?;
        self.world.quiet().await?;
        let row = self
            .world
            .salesforce
            .system()
            .row("Opportunity", &deal)
            .map(|row| json!(row))
            .unwrap_or_default();
        let own = text(&row["Referral_Identifier__c"]);
        self.expect(
            "2 Sync = Yes: an engagement of two",
            3,
            self.world.partner_center.system().referrals().len(),
        );
        self.expect("2 Audit says so", true, text(&row["Audit__c"]).contains("co-sell engagement created"));
        self.tick().await?;
        self.world.quiet().await?;
        self.change(&deal, json!({ "Amount": 70000 }))?;
        self.forget();
        self.tick().await?;
        self.cost("outbound change", "1");
        self.expect("2 Amount changed -> value", "70000", &self.referral(&own)["details"]["dealValue"]);
        self.change(&deal, json!({ "StageName": "Closed Won" }))?;
        self.tick().await?;
        self.world.quiet().await?;
        self.expect("2 Closed Won -> won", "Won", text(&self.referral(&own)["substatus"]));
        Ok(())
    }

    /// Both edit, a webhook is lost, and then nothing moves any more.
    async fn both(&mut self, referral: &str) -> anyhow::Result<()> {
        let deal = text(&self.deal_of(referral)["Id"]).to_owned();
        self.change(&deal, json!({ "CloseDate": "2027-09-30" }))?;
        self.edit_referral(referral, json!({ "/details/notes": "18 sites." }))?;
        self.world.partner_center.system().lose();
        self.tick().await?;
        self.world.quiet().await?;
        let shown = self.referral(referral);
        let date = text(&shown["details"]["closingDateTime"]).chars().take(10).collect::<String>();
        self.expect("3 both edit: the date arrives there", "2027-09-30", date);
        let notes = self.deal_of(referral);
        self.expect("3 ... and the notes here, without a webhook", "18 sites.", text(&notes["Description"]));
        self.world.settle().await?;
        let writes = self.world.writes();
        for _ in 0..5 {
            self.tick().await?;
            self.world.quiet().await?;
        }
        self.expect("4 five ticks later: writes", 0, self.world.writes() - writes);
        self.expect("4 parked", 0, self.world.parked().await?.len());
        // What changed in the last ten minutes is asked for again: later it is not.
        self.world.advance(20 * 60);
        self.tick().await?;
        self.forget();
        self.tick().await?;
        let calls = self.world.calls().len();
        self.expect("4 an idle tick asks six feeds (teams are off) and the list", 7, calls);
        Ok(())
    }

    /// Not the first ones: what the org has switched on is known by then, and the token is there.
    async fn creates(&mut self) -> anyhow::Result<()> {
        let (now, over) = (self.world.now(), json!({ "details": { "currency": "EUR" } }));
        self.world.partner_center.system().refer(&over, now);
        self.forget();
        self.world.webhooks().await;
        self.world.pump().await?;
        self.cost("inbound create", "4");
        self.world.quiet().await?;
        self.world.advance(20 * 60);
        self.tick().await?;
        // A contact role of the last ten minutes would be looked at once more.
        let deal = self.wish()?;
        self.world.advance(20 * 60);
        self.tick().await?;
        self.change(&deal, json!({ "Sync_with_Partner_Center__c": true }))?;
        self.forget();
        self.tick().await?;
        self.cost("outbound co-sell create", "5");
        self.world.quiet().await
    }
}
