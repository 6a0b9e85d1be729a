//! Short words for what tests of leads do and look at.

use crate::deal::{Stage, text};
use serde_json::{Value, json};
use simulators::{
    salesforce::SELLER,
    server::{Fault, FaultKind},
};

impl Stage {
    /// A lead in step on both sides.
    pub(crate) async fn salesforce_lead(&self) -> (String, String) {
        let referral = self.refer_lead(json!({}));
        self.rest().await;
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        (referral, text(&self.lead(), "Id"))
    }

    /// The one opportunity, linked with the referral.
    pub(crate) fn became(&self, referral: &str) -> Value {
        let deal = self.opportunity();
        assert_eq!((&deal["referral_id"], &deal["sync"]), (&json!(referral), &json!(true)), "{deal:#}");
        assert_eq!(self.referral(referral)["externalReferenceId"], deal["id"]);
        assert_eq!(self.partner_center.system().referrals().len(), 1, "no second referral");
        assert_eq!(self.rows("leads").len(), 1);
        deal
    }

    pub(crate) fn convert(&self, lead: &str, opportunity: bool) -> Option<String> {
        let now = self.now();
        let made = self.salesforce.system().act_convert(lead, SELLER, None, opportunity, now);
        made.expect("converted").opportunity
    }

    pub(crate) async fn accepted(&self, referral: &str) {
        self.act(referral, "accept");
        self.rest().await;
        self.poll().await;
    }

    /// The one opportunity: the lead's, and the referral's.
    pub(crate) fn converted(&self, referral: &str) -> Value {
        let (lead, deal) = (self.lead(), self.opportunity());
        assert_eq!((&lead["IsConverted"], &lead["Status"]), (&json!(true), &json!("Closed - Converted")));
        assert_eq!(lead["ConvertedOpportunityId"], deal["id"]);
        assert_eq!((&deal["referral_id"], &deal["sync"]), (&json!(referral), &json!(true)), "{deal:#}");
        assert_eq!(self.referral(referral)["externalReferenceId"], deal["id"]);
        assert_eq!(self.partner_center.system().referrals().len(), 1, "no second referral");
        deal
    }

    pub(crate) fn conversions(&self) -> usize {
        self.salesforce.requests().iter().filter(|log| log.route.contains("convertLead")).count()
    }

    pub(crate) fn next_conversion(&self, kind: FaultKind) {
        self.salesforce.fault(Fault { route: "convertLead".into(), skip: 0, times: 1, kind });
    }

    /// What struck first may have left nothing for a scripted fault to strike.
    pub(crate) async fn finish(self) {
        if !self.calm() {
            self.salesforce.clear_faults();
        }
        self.close().await;
    }

    /// What was parked is tried again.
    pub(crate) async fn much_later(&self) {
        self.advance(if self.calm() { 16 } else { 61 } * 60);
        self.poll().await;
        self.settle().await.expect("comes to rest");
    }
}
