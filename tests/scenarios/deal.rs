//! A world with one deal in it, and short words for what tests do and look at.

use crate::faults;
pub(crate) use local::people::{SOLUTION, text};
use local::world::{Options, QUEUE, World};
use mapping::CrmKind;
use serde_json::json;
use simulators::server::Strike;
use std::{cell::Cell, ops::Deref, sync::Arc};

/// A world and the words for it, and whether a fault's consequences were waited for.
pub(crate) struct Stage(World, Cell<bool>);

impl Deref for Stage {
    type Target = World;
    fn deref(&self) -> &World {
        &self.0
    }
}

impl Stage {
    /// Every message is delivered twice; the pollers have made their first start.
    pub(crate) async fn open() -> Stage {
        Stage::with(Options { twice: true, ..Options::default() }).await
    }

    pub(crate) async fn of_crm(crm: CrmKind) -> Stage {
        Stage::with(Options { twice: true, crm: Some(crm), ..Options::default() }).await
    }

    /// With this CRM and another map laid over the standard one.
    pub(crate) async fn mapped(crm: CrmKind, toml: &str) -> Stage {
        let map = Some(toml.to_owned());
        Stage::with(Options { twice: true, crm: Some(crm), map, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Stage {
        Stage::of(World::start(options).await.expect("the world starts")).await
    }

    /// A world that has just begun.
    pub(crate) async fn of(world: World) -> Stage {
        Stage(world, Cell::new(false)).begun().await
    }

    /// With this CRM, which has columns of its own for value, currency and country, and a map that names them.
    pub(crate) async fn with_own_columns(crm: CrmKind, toml: &str) -> Stage {
        let map = Some(toml.to_owned());
        let options = Options { twice: true, crm: Some(crm), map, ..Options::default() };
        let stage = Stage(World::start(options).await.expect("the world starts"), Cell::new(false));
        stage.add_columns_of_its_own();
        stage.begun().await
    }

    async fn begun(self) -> Stage {
        let stage = self;
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

    /// Itself, to deploy its functions anew.
    pub(crate) fn world(&mut self) -> &mut World {
        &mut self.0
    }

    /// Nothing out of the ordinary has happened: what was sent can be counted.
    pub(crate) fn calm(&self) -> bool {
        !faults::struck()
    }

    /// From now on the functions run with another map.
    pub(crate) fn remap(&mut self, toml: &str) {
        self.world().remap(toml).expect("a map without fault");
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

    /// A deal ready for co-sell, Sync = Yes.
    pub(crate) fn cosell_deal(&self) -> String {
        let id = self.deal(json!({ "help": "ProofOfConceptOrDemo" }));
        self.add_solution(&id);
        self.edit("opportunities", &id, json!({ "sync": true }));
        id
    }

    /// A deal without help in step on both sides: opportunity and referral.
    pub(crate) async fn in_step_without_help(&self, visible: bool) -> (String, String) {
        let id = self.deal(json!({ "visible": visible }));
        self.add_solution(&id);
        self.edit("opportunities", &id, json!({ "sync": true }));
        self.poll().await;
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        (id, text(&self.opportunity(), "referral_id"))
    }

    /// A co-sell deal in step on both sides: opportunity and own referral.
    pub(crate) async fn in_step(&self) -> (String, String) {
        let opportunity = self.cosell_deal();
        self.poll().await;
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        let referral = text(&self.opportunity(), "referral_id");
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

    /// Ten accepted inbound deals in step on both sides: their own referrals. What fails, fails after that.
    pub(crate) async fn ten_in_step(&self) -> Vec<String> {
        self.strike(None);
        let name = |n: usize| json!({ "name": format!("Harbor Line – site {n}") });
        let referrals: Vec<String> = (0..10).map(|n| self.refer(name(n))).collect();
        self.quiet().await.expect("comes to rest");
        for referral in &referrals {
            self.act(referral, "accept");
        }
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        self.strike(faults::strike());
        referrals
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
