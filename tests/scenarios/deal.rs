//! A world with one deal in it, and short words for what tests do and look at.

use crate::{
    faults,
    world::{Options, QUEUE, World},
};
use serde_json::{Value, json};
use simulators::{
    dataverse::{CHF, SELLER},
    server::Strike,
};
use std::{cell::Cell, ops::Deref, sync::Arc};

/// A world and the words for it, and whether a fault's consequences were waited for.
pub(crate) struct Stage(World, Cell<bool>);

impl Deref for Stage {
    type Target = World;
    fn deref(&self) -> &World {
        &self.0
    }
}

pub(crate) const SOLUTION: &str = "SOL-48213-KTR";

impl Stage {
    /// Every message is delivered twice; the pollers have made their first start.
    pub(crate) async fn open() -> Stage {
        Stage::with(Options { twice: true, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Stage {
        Stage::of(World::start(options).await.expect("the world starts")).await
    }

    /// A world that has just begun.
    pub(crate) async fn of(world: World) -> Stage {
        let stage = Stage(world, Cell::new(false));
        stage.tick().await.expect("first start");
        stage.advance(60);
        stage.forget_calls();
        stage.strike(faults::strike());
        stage
    }

    /// From now on the calls to the vendors are counted, and one of them is struck; `None` ends it.
    fn strike(&self, strike: Option<Arc<Strike>>) {
        self.login.strike(strike.clone());
        self.partner_center.strike(strike.clone());
        self.dataverse.strike(strike.clone());
        self.salesforce.strike(strike.clone());
        *self.0.strike.lock().expect("strike") = strike;
    }

    /// Nothing out of the ordinary has happened: what was sent can be counted.
    pub(crate) fn calm(&self) -> bool {
        !faults::struck()
    }

    pub(crate) async fn rest(&self) {
        self.quiet().await.expect("comes to rest");
        self.patience().await;
    }

    pub(crate) async fn poll(&self) {
        self.look().await;
        self.patience().await;
    }

    /// A tick and what follows from it.
    async fn look(&self) {
        self.advance(60);
        self.tick().await.expect("a tick");
        self.quiet().await.expect("comes to rest");
    }

    /// What a fault left undone comes with a later look: a claim's deadline, the sweep, a parked item's time. Then all
    /// is as ever.
    async fn patience(&self) {
        if !self.calm() && !self.1.replace(true) {
            self.look().await;
            self.advance(20 * 60);
            self.settle().await.expect("comes to rest");
        }
    }

    /// Ends the scenario: writes are still for good, nothing is left over.
    pub(crate) async fn close(self) {
        self.strike(None);
        self.patience().await;
        self.settle().await.expect("writes come to rest");
        let writes = self.writes();
        for _ in 0..if self.calm() { 3 } else { 1 } {
            self.look().await;
        }
        assert_eq!(self.writes(), writes, "writes go on after everything has settled");
        self.end().await.expect("nothing is left over");
    }

    /// Microsoft sends an inbound co-sell referral.
    pub(crate) fn refer(&self, over: Value) -> String {
        let now = self.now();
        self.partner_center.system().refer(&over, now)
    }

    /// Microsoft sends a lead.
    pub(crate) fn refer_lead(&self, over: Value) -> String {
        let now = self.now();
        self.partner_center.system().refer_lead(&over, now)
    }

    pub(crate) fn referral(&self, id: &str) -> Value {
        self.partner_center.system().referrals()[id].clone()
    }

    /// Somebody edits a referral in Partner Center.
    pub(crate) fn edit_referral(&self, id: &str, set: Value) {
        let now = self.now();
        self.partner_center.system().edit(id, &set, now).expect("an edit");
    }

    pub(crate) fn act(&self, id: &str, action: &str) {
        let now = self.now();
        let reason = matches!(action, "lost" | "decline").then_some("Customer chose another vendor");
        self.partner_center.system().act(id, action, reason, now).expect("an action");
    }

    /// Microsoft answers the call for help of a deal.
    pub(crate) fn microsoft(&self, id: &str, action: &str, reason: Option<&str>) -> String {
        let now = self.now();
        self.partner_center.system().microsoft(id, action, reason, now).expect("Microsoft answers")
    }

    /// All rows of an entity set.
    pub(crate) fn rows(&self, set: &str) -> Vec<Value> {
        self.dataverse.system().rows(set).into_iter().map(|row| Value::Object(row.clone())).collect()
    }

    pub(crate) fn opportunities(&self) -> Vec<Value> {
        self.rows("opportunities")
    }

    /// The only opportunity.
    pub(crate) fn opportunity(&self) -> Value {
        let rows = self.opportunities();
        assert_eq!(rows.len(), 1, "one opportunity: {rows:#?}");
        rows[0].clone()
    }

    pub(crate) fn opportunity_id(&self) -> String {
        text(&self.opportunity(), "opportunityid")
    }

    /// The only lead.
    pub(crate) fn lead(&self) -> Value {
        let rows = self.rows("leads");
        assert_eq!(rows.len(), 1, "one lead: {rows:#?}");
        rows[0].clone()
    }

    /// A seller creates a row.
    pub(crate) fn sell(&self, set: &str, columns: Value) -> String {
        let now = self.now();
        self.dataverse.system().act_create(set, SELLER, columns, now).expect("a seller creates")
    }

    /// A seller edits a row.
    pub(crate) fn edit(&self, set: &str, id: &str, columns: Value) {
        let now = self.now();
        self.dataverse.system().act_edit(set, id, SELLER, columns, now).expect("a seller edits");
    }

    /// A seller deletes a row.
    pub(crate) fn delete(&self, set: &str, id: &str) {
        let now = self.now();
        self.dataverse.system().act_delete(set, id, SELLER, now).expect("a seller deletes");
    }

    /// From now on the functions run with another map.
    pub(crate) fn remap(&mut self, toml: &str) {
        self.0.remap(toml).expect("a map without fault");
    }

    pub(crate) fn win(&self, id: &str) {
        let now = self.now();
        self.dataverse.system().act_win(id, SELLER, json!({}), now).expect("won");
    }

    pub(crate) fn lose(&self, id: &str) {
        let now = self.now();
        self.dataverse.system().act_lose(id, SELLER, 5, json!({}), now).expect("lost");
    }

    /// A customer with a contact.
    pub(crate) fn customer(&self) -> (String, String) {
        let account = self.sell(
            "accounts",
            json!({ "name": "Kestrel Foods Ltd", "address1_line1": "4 Mill Lane", "address1_city": "Leeds",
                    "address1_postalcode": "LS1 4AB", "address1_country": "United Kingdom" }),
        );
        let contact = self.sell(
            "contacts",
            json!({ "firstname": "Priya", "lastname": "Shah", "telephone1": "+441135550177",
                    "emailaddress1": "priya.shah@kestrelfoods.example",
                    "parentcustomerid_account@odata.bind": format!("/accounts({account})") }),
        );
        (account, contact)
    }

    /// An opportunity of a seller, Sync not chosen yet; `over` is laid over it.
    pub(crate) fn deal(&self, over: Value) -> String {
        let (account, contact) = self.customer();
        let mut columns = json!({
            "name": "Kestrel Foods - demand planning", "estimatedvalue": 61000.5, "estimatedclosedate": "2027-07-31",
            "description": "Need PoC support for forecasting workload.",
            "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({CHF})"),
            "customerid_account@odata.bind": format!("/accounts({account})"),
            "parentaccountid@odata.bind": format!("/accounts({account})"),
            "parentcontactid@odata.bind": format!("/contacts({contact})"),
            "ownerid@odata.bind": format!("/systemusers({SELLER})"),
        });
        lay_over(&mut columns, over);
        self.sell("opportunities", columns)
    }

    /// A row in Microsoft Solutions, with its catalogue row.
    pub(crate) fn add_solution(&self, opportunity: &str) {
        let known = self.rows("cosell_solutiondetails");
        let detail = match known.iter().find(|row| row["cosell_solutionid"] == SOLUTION) {
            Some(row) => text(row, "cosell_solutiondetailid"),
            None => self.sell(
                "cosell_solutiondetails",
                json!({ "cosell_solutionid": SOLUTION, "cosell_name": "Juniper Peak Fleet Insight",
                        "cosell_type": "3P", "cosell_publisher": "Juniper Peak Software" }),
            ),
        };
        self.sell(
            "cosell_solutions",
            json!({ "cosell_name": "Juniper Peak Fleet Insight",
                    "cosell_OpportunityId@odata.bind": format!("/opportunities({opportunity})"),
                    "cosell_SolutionDetailId@odata.bind": format!("/cosell_solutiondetails({detail})") }),
        );
    }

    /// A deal ready for co-sell, Sync = Yes.
    pub(crate) fn cosell_deal(&self) -> String {
        let id = self.deal(json!({ "cosell_helprequested": 100_000_003 }));
        self.add_solution(&id);
        self.edit("opportunities", &id, json!({ "cosell_syncwithpartnercenter": true }));
        id
    }

    /// A deal without help in step on both sides: opportunity and referral.
    pub(crate) async fn in_step_without_help(&self, visible: bool) -> (String, String) {
        let id = self.deal(json!({ "cosell_visibletomicrosoft": visible }));
        self.add_solution(&id);
        self.edit("opportunities", &id, json!({ "cosell_syncwithpartnercenter": true }));
        self.poll().await;
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        (id, text(&self.opportunity(), "cosell_referralid"))
    }

    /// A co-sell deal in step on both sides: opportunity and own referral.
    pub(crate) async fn in_step(&self) -> (String, String) {
        let opportunity = self.cosell_deal();
        self.poll().await;
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        let referral = text(&self.opportunity(), "cosell_referralid");
        (opportunity, referral)
    }

    /// An accepted inbound deal in step on both sides: own referral and opportunity.
    pub(crate) async fn inbound_in_step(&self) -> (String, String) {
        let referral = self.refer(json!({}));
        self.act(&referral, "accept");
        self.rest().await;
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        (referral, self.opportunity_id())
    }

    /// Bodies of the requests of a route so far.
    pub(crate) fn sent(&self, route: &str) -> Vec<Value> {
        let logs = [self.partner_center.requests(), self.dataverse.requests()];
        let of_route = logs.iter().flatten().filter(|log| log.route.contains(route));
        of_route.map(|log| serde_json::from_str(&log.body).unwrap_or(Value::Null)).collect()
    }

    /// Sends a message to the queue that is no hint of ours.
    pub(crate) fn plant(&self, group: &str, body: &str) {
        let now = self.now();
        let sent = self.aws.system().send(QUEUE, group, &format!("{group}{now}"), body, now);
        assert!(sent.is_ok(), "the queue takes the message");
    }

    /// The words of all parked rows.
    pub(crate) async fn parked_words(&self) -> String {
        let rows = self.parked().await.expect("parked rows");
        rows.iter().map(|row| format!("{:?}\n", row.item)).collect()
    }
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn lay_over(below: &mut Value, above: Value) {
    if let (Value::Object(below), Value::Object(above)) = (below, above) {
        below.extend(above);
    }
}
