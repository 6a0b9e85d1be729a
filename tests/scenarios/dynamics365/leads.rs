//! Leads: from Microsoft into the CRM, and what becomes of them on either side.

use crate::deal::{SOLUTION, Stage, text};
use local::world::Options;
use serde_json::{Value, json};
use simulators::dataverse::SELLER;

crate::faults::whatever_fails! {
    t42_an_unaccepted_lead_becomes_a_lead,
    t43_once_accepted_it_is_one_opportunity_of_the_same_link,
    t44_cosell_only_skips_leads,
    t41_declined_and_expired_leads_are_disqualified,
    a_change_in_partner_center_touches_the_leads_changed_columns_and_nothing_else,
    a_seller_who_qualifies_accepts,
    a_seller_who_qualifies_without_opportunity_accepts_and_gets_none,
    a_seller_who_disqualifies_declines,
    edits_of_a_lead_are_sent_after_acceptance,
    many_events_at_once_make_one_lead,
    accepted_before_it_was_seen_it_is_an_opportunity_at_once,
    won_before_it_was_qualified_it_is_a_won_opportunity,
    columns_that_qualifying_copies_change_nothing,
    its_account_is_matched_and_not_doubled,
    a_refused_qualification_is_told_and_heals,
    a_deleted_lead_is_left_alone,
    a_lead_of_ones_own_goes_nowhere,
    a_second_opportunity_of_a_linked_lead_says_why_it_gets_no_referral,
}

impl Stage {
    /// A lead in step on both sides.
    async fn lead_in_step(&self) -> (String, String) {
        let referral = self.refer_lead(json!({}));
        self.rest().await;
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        (referral, text(&self.lead(), "leadid"))
    }

    /// The one opportunity, linked with the referral, made of the one lead.
    fn qualified(&self, referral: &str) -> Value {
        let (lead, deal) = (self.lead(), self.opportunity());
        assert_eq!((&lead["statecode"], &lead["statuscode"]), (&json!(1), &json!(3)), "qualified");
        assert_eq!(deal["_originatingleadid_value"], lead["leadid"]);
        assert_eq!(deal["cosell_referralid"], referral);
        assert_eq!(deal["cosell_syncwithpartnercenter"], true);
        assert_eq!(self.referral(referral)["externalReferenceId"], deal["opportunityid"]);
        assert_eq!(self.partner_center.system().referrals().len(), 1, "no second referral");
        deal
    }

    fn seller_qualifies(&self, lead: &str, opportunity: bool) -> Option<String> {
        let now = self.now();
        self.dataverse.system().act_qualify(lead, SELLER, opportunity, now).expect("qualified")
    }
}

fn state(row: &Value) -> (i64, i64) {
    (row["statecode"].as_i64().unwrap(), row["statuscode"].as_i64().unwrap())
}

fn status(referral: &Value) -> (String, String) {
    (text(referral, "status"), text(referral, "substatus"))
}

fn is(status: &str, substatus: &str) -> (String, String) {
    (status.to_owned(), substatus.to_owned())
}

#[tokio::test]
async fn t42_an_unaccepted_lead_becomes_a_lead() {
    let stage = Stage::open().await;
    let referral = stage.refer_lead(json!({}));
    stage.rest().await;
    let lead = stage.lead();
    assert!(stage.opportunities().is_empty(), "no opportunity before it is accepted");
    assert!(stage.rows("accounts").is_empty() && stage.rows("contacts").is_empty(), "nor a customer");
    assert_eq!(state(&lead), (0, 1), "open, new");
    assert_eq!(text(&lead, "subject"), "✔ Harbor Line – multi-site tracking");
    assert_eq!(text(&lead, "companyname"), "Harbor Line Logistics AG");
    assert_eq!((text(&lead, "firstname"), text(&lead, "lastname")), ("Nadia".into(), "Keller".into()));
    assert_eq!(text(&lead, "emailaddress1"), "nadia.keller@harborline.example");
    assert_eq!(text(&lead, "telephone1"), "+41615550110");
    assert_eq!(
        (text(&lead, "address1_city"), text(&lead, "address1_country")),
        ("Basel".into(), "CH".into())
    );
    assert_eq!(text(&lead, "description"), "Warehouse visibility project, 14 sites.");
    assert_eq!(lead["estimatedamount"], 84000.0);
    assert_eq!(text(&lead, "estimatedclosedate"), "2026-09-30");
    assert_eq!(lead["leadqualitycode"], 2);
    assert_eq!(lead["cosell_referralid"], referral);
    assert_eq!(lead["cosell_syncwithpartnercenter"], true);
    assert!(text(&lead, "cosell_referrallink").ends_with(&referral));
    assert!(text(&lead, "cosell_audit").contains("created"), "{lead:#?}");
    let shown = stage.referral(&referral);
    assert_eq!(shown["externalReferenceId"], lead["leadid"]);
    assert_eq!(status(&shown), is("New", "Pending"), "nobody has accepted it");
    stage.close().await;
}

#[tokio::test]
async fn t43_once_accepted_it_is_one_opportunity_of_the_same_link() {
    let stage = Stage::open().await;
    let (referral, _) = stage.lead_in_step().await;
    stage.act(&referral, "accept");
    stage.rest().await;
    let deal = stage.qualified(&referral);
    assert_eq!(state(&deal), (0, 1), "in progress");
    assert_eq!(text(&deal, "name"), "✔ Harbor Line – multi-site tracking");
    assert_eq!(deal["estimatedvalue"], 84000.0);
    assert_eq!(text(&deal, "estimatedclosedate"), "2026-09-30");
    assert_eq!(text(&deal, "description"), "Warehouse visibility project, 14 sites.");
    assert_eq!(deal["cosell_visibletomicrosoft"], true);
    assert_eq!(deal["cosell_marketplaceintent"], 100_000_000);
    assert!(text(&deal, "cosell_referrallink").ends_with(&referral));
    assert!(text(&deal, "cosell_audit").contains("lead became this opportunity"), "{deal:#?}");
    let (accounts, contacts) = (stage.rows("accounts"), stage.rows("contacts"));
    assert_eq!((accounts.len(), contacts.len()), (1, 1));
    assert_eq!(deal["_customerid_value"], accounts[0]["accountid"]);
    assert_eq!(deal["_parentaccountid_value"], accounts[0]["accountid"]);
    assert_eq!(deal["_parentcontactid_value"], contacts[0]["contactid"]);
    assert!(
        !text(&accounts[0], "cosell_customerkey").is_empty()
            && !text(&contacts[0], "cosell_contactkey").is_empty()
    );
    assert_eq!(stage.rows("cosell_solutions").len(), 1);
    assert_eq!(stage.rows("cosell_solutiondetails")[0]["cosell_solutionid"], SOLUTION);
    if stage.calm() {
        let qualified =
            stage.dataverse.requests().iter().filter(|log| log.body.contains("QualifyLead")).count();
        assert_eq!(qualified, 1, "qualified once");
    }

    // From here it is a deal like any other, both ways; the lead is history.
    let before = stage.lead();
    stage.edit_referral(&referral, json!({ "/details/dealValue": 90000 }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["estimatedvalue"], 90000.0);
    stage.edit("opportunities", &text(&deal, "opportunityid"), json!({ "description": "Seller's words." }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["notes"], "Seller's words.");
    stage.edit("leads", &text(&before, "leadid"), json!({ "description": "Late words." }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["notes"], "Seller's words.");
    stage.win(&text(&deal, "opportunityid"));
    stage.poll().await;
    assert_eq!(status(&stage.referral(&referral)), is("Closed", "Won"));
    stage.qualified(&referral);
    stage.close().await;
}

#[tokio::test]
async fn t44_cosell_only_skips_leads() {
    let map = Some("[switches]\ncosell_only = true\n".to_owned());
    let stage = Stage::with(Options { twice: true, map, ..Options::default() }).await;
    let lead = stage.refer_lead(json!({}));
    let deal = stage.refer(json!({ "name": "Harbor Line – co-sell" }));
    stage.rest().await;
    assert!(stage.rows("leads").is_empty(), "leads are skipped");
    assert_eq!(stage.opportunity()["cosell_referralid"], deal, "co-sell passes");
    assert!(stage.referral(&lead)["externalReferenceId"].is_null());
    assert!(stage.parked().await.unwrap().is_empty(), "skipped, not parked");
    stage.act(&lead, "accept");
    stage.rest().await;
    let deals = stage.opportunities();
    assert!(deals.iter().any(|row| row["cosell_referralid"] == lead), "accepted, it is a pipeline deal");
    assert_eq!((deals.len(), stage.rows("leads").len()), (2, 0));
    stage.close().await;
}

#[tokio::test]
async fn t41_declined_and_expired_leads_are_disqualified() {
    for action in ["decline", "expire"] {
        let stage = Stage::open().await;
        let (referral, _) = stage.lead_in_step().await;
        stage.edit_referral(&referral, json!({ "/details/dealValue": 70000 }));
        stage.act(&referral, action);
        stage.rest().await;
        let lead = stage.lead();
        assert_eq!(state(&lead), (2, 7), "{action}: canceled");
        assert_eq!(lead["estimatedamount"], 70000.0, "its last values with it");
        assert!(stage.opportunities().is_empty() && stage.rows("accounts").is_empty());
        stage.close().await;
    }
    let stage = Stage::open().await;
    let referral = stage.refer_lead(json!({}));
    stage.act(&referral, "decline");
    stage.rest().await;
    assert!(stage.rows("leads").is_empty(), "declined before it was seen: nothing comes");
    assert!(stage.parked().await.unwrap().is_empty());
    stage.close().await;
}

#[tokio::test]
async fn a_change_in_partner_center_touches_the_leads_changed_columns_and_nothing_else() {
    let stage = Stage::open().await;
    let (referral, id) = stage.lead_in_step().await;
    stage.edit("leads", &id, json!({ "jobtitle": "Head of IT", "statuscode": 2 }));
    stage.poll().await;
    stage.forget_calls();
    stage.edit_referral(
        &referral,
        json!({ "/name": "Harbor Line – 17 sites", "/details/dealValue": 92500, "/details/notes": "Scope grew." }),
    );
    stage.rest().await;
    let lead = stage.lead();
    assert_eq!(text(&lead, "subject"), "✔ Harbor Line – 17 sites");
    assert_eq!(lead["estimatedamount"], 92500.0);
    assert_eq!(text(&lead, "description"), "Scope grew.");
    assert_eq!(
        (text(&lead, "jobtitle"), state(&lead)),
        ("Head of IT".into(), (0, 2)),
        "contacted is still open"
    );
    assert_eq!(status(&stage.referral(&referral)), is("New", "Pending"), "and accepts nothing");
    if stage.calm() {
        let sent = stage.sent("PATCH leads");
        let columns: Vec<_> = sent.iter().flat_map(|body| body.as_object().unwrap().keys()).collect();
        let expected = ["description", "estimatedamount", "subject", "transactioncurrencyid@odata.bind"];
        assert_eq!(columns, expected);
    }
    stage.close().await;
}

#[tokio::test]
async fn a_seller_who_qualifies_accepts() {
    let stage = Stage::open().await;
    let (referral, id) = stage.lead_in_step().await;
    let deal = stage.seller_qualifies(&id, true).expect("an opportunity");
    stage.edit(
        "opportunities",
        &deal,
        json!({ "estimatedvalue": 99000, "estimatedclosedate": "2026-12-31" }),
    );
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(status(&shown), is("Active", "Accepted"));
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(99000.0), "with the opportunity's values");
    assert!(text(&shown["details"], "closingDateTime").starts_with("2026-12-31"));
    let row = stage.qualified(&referral);
    assert_eq!((row["opportunityid"].clone(), state(&row)), (json!(deal), (0, 1)));
    assert_eq!((stage.rows("accounts").len(), stage.rows("contacts").len()), (1, 1), "the seller's own");
    stage.close().await;
}

#[tokio::test]
async fn a_seller_who_qualifies_without_opportunity_accepts_and_gets_none() {
    let stage = Stage::open().await;
    let (referral, id) = stage.lead_in_step().await;
    assert_eq!(stage.seller_qualifies(&id, false), None);
    stage.poll().await;
    assert_eq!(status(&stage.referral(&referral)), is("Active", "Accepted"));
    assert!(stage.opportunities().is_empty(), "the seller wanted none");
    stage.close().await;
}

#[tokio::test]
async fn a_seller_who_disqualifies_declines() {
    let stage = Stage::open().await;
    let (referral, id) = stage.lead_in_step().await;
    stage.edit("leads", &id, json!({ "statecode": 2, "statuscode": 5 }));
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(status(&shown), is("Closed", "Declined"));
    assert_eq!(text(&shown, "statusReason"), "Customer did not respond");
    assert!(stage.opportunities().is_empty());
    stage.close().await;
}

#[tokio::test]
async fn edits_of_a_lead_are_sent_after_acceptance() {
    let stage = Stage::open().await;
    let (referral, id) = stage.lead_in_step().await;
    stage.edit("leads", &id, json!({ "estimatedamount": 50000, "description": "Called them." }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"], 84000, "not before");
    stage.act(&referral, "accept");
    stage.rest().await;
    let deal = stage.qualified(&referral);
    assert_eq!(
        (deal["estimatedvalue"].clone(), text(&deal, "description")),
        (json!(50000.0), "Called them.".into())
    );
    let shown = stage.referral(&referral);
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(50000.0));
    assert_eq!(shown["details"]["notes"], "Called them.");
    stage.close().await;
}

#[tokio::test]
async fn many_events_at_once_make_one_lead() {
    let stage = Stage::open().await;
    {
        let mut office = stage.partner_center.system();
        office.switches.duplicate_deliveries = true;
        office.switches.reverse_deliveries = true;
    }
    let referral = stage.refer_lead(json!({}));
    stage.edit_referral(&referral, json!({ "/details/dealValue": 90000 }));
    stage.edit_referral(&referral, json!({ "/details/dealValue": 95000 }));
    stage.rest().await;
    assert_eq!(stage.lead()["estimatedamount"], 95000.0);
    stage.act(&referral, "accept");
    stage.edit_referral(&referral, json!({ "/details/dealValue": 96000 }));
    stage.rest().await;
    assert_eq!(stage.qualified(&referral)["estimatedvalue"], 96000.0);
    stage.close().await;
}

#[tokio::test]
async fn accepted_before_it_was_seen_it_is_an_opportunity_at_once() {
    let stage = Stage::open().await;
    stage.partner_center.system().switches.reverse_deliveries = true;
    let referral = stage.refer_lead(json!({}));
    stage.act(&referral, "accept");
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!((deal["cosell_referralid"].clone(), state(&deal)), (json!(referral), (0, 1)));
    assert!(stage.rows("leads").is_empty());
    stage.close().await;
}

#[tokio::test]
async fn won_before_it_was_qualified_it_is_a_won_opportunity() {
    let stage = Stage::open().await;
    let (referral, _) = stage.lead_in_step().await;
    stage.act(&referral, "accept");
    stage.act(&referral, "won");
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!((deal["cosell_referralid"].clone(), state(&deal)), (json!(referral), (1, 3)));
    assert_eq!((stage.rows("opportunitycloses").len(), state(&stage.lead())), (1, (1, 3)));
    stage.close().await;
}

#[tokio::test]
async fn columns_that_qualifying_copies_change_nothing() {
    let stage = Stage::open().await;
    // As an administrator maps them from lead to opportunity.
    let copies = [
        "cosell_syncwithpartnercenter",
        "cosell_referralid",
        "cosell_referrallink",
        "cosell_audit",
        "cosell_visibletomicrosoft",
        "cosell_marketplaceintent",
    ];
    stage.dataverse.system().switches.qualify_copies = copies.map(str::to_owned).to_vec();
    let (referral, id) = stage.lead_in_step().await;
    stage.seller_qualifies(&id, true).expect("an opportunity");
    stage.poll().await;
    stage.qualified(&referral);
    assert_eq!(status(&stage.referral(&referral)), is("Active", "Accepted"));
    stage.close().await;
}

#[tokio::test]
async fn its_account_is_matched_and_not_doubled() {
    let stage = Stage::open().await;
    let account = stage.sell(
        "accounts",
        json!({ "name": "harbor line logistics ag", "address1_postalcode": "4057", "address1_country": "CH" }),
    );
    let contact = stage.sell(
        "contacts",
        json!({ "firstname": "N.", "lastname": "Keller", "emailaddress1": "nadia.keller@harborline.example" }),
    );
    let (referral, _) = stage.lead_in_step().await;
    stage.act(&referral, "accept");
    stage.rest().await;
    let deal = stage.qualified(&referral);
    assert_eq!((stage.rows("accounts").len(), stage.rows("contacts").len()), (1, 1));
    assert_eq!(deal["_customerid_value"], account);
    assert_eq!(deal["_parentcontactid_value"], contact);
    assert_eq!(text(&stage.rows("accounts")[0], "name"), "harbor line logistics ag", "and left as it was");
    stage.close().await;
}

#[tokio::test]
async fn a_refused_qualification_is_told_and_heals() {
    let stage = Stage::open().await;
    let (referral, _) = stage.lead_in_step().await;
    stage.dataverse.system().rule("opportunities", None, "An opportunity needs a cost centre.");
    stage.act(&referral, "accept");
    stage.edit_referral(&referral, json!({ "/details/notes": "While it is refused." }));
    stage.rest().await;
    assert!(stage.opportunities().is_empty());
    assert!(stage.parked_words().await.contains("cost centre"));
    let lead = stage.lead();
    assert_eq!(state(&lead), (0, 1), "the lead is still open");
    assert!(text(&lead, "cosell_audit").contains("cost centre"), "and says why: {lead:#?}");
    assert_eq!(text(&lead, "description"), "While it is refused.", "the rest goes on");
    stage.dataverse.system().clear_rules();
    stage.advance(30 * 3600);
    stage.poll().await;
    stage.settle().await.expect("comes to rest");
    stage.qualified(&referral);
    assert!(stage.parked().await.unwrap().is_empty());
    stage.close().await;
}

#[tokio::test]
async fn a_deleted_lead_is_left_alone() {
    let stage = Stage::open().await;
    let (referral, id) = stage.lead_in_step().await;
    let now = stage.now();
    stage.dataverse.system().act_delete("leads", &id, SELLER, now).unwrap();
    stage.poll().await;
    stage.act(&referral, "accept");
    stage.rest().await;
    assert!(stage.rows("leads").is_empty() && stage.opportunities().is_empty(), "nothing is created again");
    stage.close().await;
}

#[tokio::test]
async fn a_lead_of_ones_own_goes_nowhere() {
    let stage = Stage::open().await;
    let columns = json!({ "subject": "A call", "lastname": "Doe", "cosell_syncwithpartnercenter": true });
    let lead = stage.sell("leads", columns);
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty(), "leads are not shared");
    stage.seller_qualifies(&lead, true).expect("an opportunity");
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty());
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn a_second_opportunity_of_a_linked_lead_says_why_it_gets_no_referral() {
    let stage = Stage::open().await;
    let (referral, id) = stage.lead_in_step().await;
    let first = stage.seller_qualifies(&id, true).expect("an opportunity");
    stage.poll().await;
    stage.qualified(&referral);
    let second = stage.sell(
        "opportunities",
        json!({
            "name": "Another one",
            "originatingleadid@odata.bind": format!("/leads({id})"),
            "cosell_syncwithpartnercenter": true,
        }),
    );
    stage.poll().await;
    stage.settle().await.expect("comes to rest");
    assert!(stage.parked_words().await.contains(&format!("its lead belongs to referral `{referral}`")));
    let rows = stage.opportunities();
    let row = |id: &str| rows.iter().find(|row| row["opportunityid"] == id).expect("is there").clone();
    let audit = text(&row(&second), "cosell_audit");
    assert!(audit.contains("which is not this opportunity's"), "its seller reads why: {audit}");
    assert!(row(&second)["cosell_referralid"].is_null());
    assert_eq!(row(&first)["cosell_referralid"], referral);
    assert_eq!(stage.partner_center.system().referrals().len(), 1, "no second referral");
    stage.forget_calls();
    stage.poll().await;
    stage.settle().await.expect("comes to rest");
    assert_eq!(stage.writes(), 0, "told once");
    stage.close().await;
}
