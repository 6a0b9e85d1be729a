//! The samples in an order in which they can happen, on orgs that hold the rows the samples speak of.

use super::*;

const HASH: &str = "9e8c1f0a5b7d3e42c6a1f90b8d7e6c5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e";
const THE_DEAL: &str = "006Qy00000kLmNoIAK";
const THE_CONTACT: &str = "003Qy00000fGhIjIAK";

impl Stage {
    /// With the example fields of the reference.
    pub(super) fn open() -> Self {
        let mut stage = Stage { bench: Bench::new(), played: BTreeSet::new() };
        let text = |length: u32, key: bool| json!({ "type": "Text", "label": "Text", "length": length, "externalId": key, "unique": key });
        let fields = [
            ("Account.CoSell_Account_Key__c", text(80, true)),
            ("Contact.CoSell_Contact_Key__c", text(80, true)),
            ("Lead.CoSell_Referral_Id__c", text(80, true)),
            ("Opportunity.CoSell_Referral_Id__c", text(80, true)),
            ("Opportunity.CoSell_Partner__c", text(120, false)),
            ("Opportunity.CoSell_Status__c", text(40, false)),
            ("Opportunity.CoSell_Sync_Hash__c", text(64, false)),
            ("Opportunity.CoSell_Synced_At__c", json!({ "type": "DateTime", "label": "Synced at" })),
        ];
        for (name, metadata) in fields {
            let now = stage.bench.now;
            stage.bench.org.add_custom_field(name, &metadata, true, now).expect("a field");
        }
        stage
    }

    fn at(&mut self, time: &str) {
        self.bench.now = format!("2026-11-20T{time}Z").parse().expect("a time");
        let now = self.bench.now;
        self.bench.token = self.bench.org.sign_in(INTEGRATION_USER, now);
    }

    /// The customer, the contact and the deal of the samples; their ids.
    pub(super) fn furnished() -> (Self, [String; 3]) {
        let mut stage = Stage::open();
        stage.at("09:00:00");
        let account =
            stage.bench.made("Account", json!({ "Name": "Fabrikam", "CoSell_Account_Key__c": "acct-0091" }));
        let contact =
            stage.bench.made("Contact", json!({ "LastName": "Vogel", "CoSell_Contact_Key__c": "ctc-0442" }));
        let deal =
            stage.bench.deal(json!({ "Name": "Fabrikam: analytics platform (co-sell)", "AccountId": account,
            "CoSell_Referral_Id__c": "ref-3f2b8a61-9c04" }));
        stage.at("10:15:01");
        (stage, [account, contact, deal])
    }
}

pub(super) fn provisioning() -> BTreeSet<String> {
    let mut stage = Stage { bench: Bench::new(), played: BTreeSet::new() };
    stage.play("tooling-create-custom-field");
    let read = "query?q=SELECT CoSell_Referral_Id__c FROM Opportunity";
    stage.bench.get(read).refused(400, "INVALID_FIELD");
    stage.play("field-permissions-create");
    stage.bench.get(read).done(200);
    stage.play_with("describe-opportunity-fields", &[], true);
    stage.play_with("opportunity-stages", &[("\"totalSize\": 3", "\"totalSize\": 10")], true);
    stage.play_with("limits", &[], true);
    stage.played
}

pub(super) fn rows() -> BTreeSet<String> {
    let mut stage = Stage::open();
    stage.play("create-opportunity-201");
    stage.play("upsert-account-created-201");
    stage.play("upsert-lead-created-201");
    let (mut other, [account, _, deal]) = Stage::furnished();
    let ours = [(THE_DEAL, deal.as_str())];
    other.play_with("update-by-id-204", &ours, false);
    other.play("upsert-opportunity-updated-200");
    assert_eq!(other.bench.org.row("Opportunity", &deal).unwrap()["AccountId"], account.as_str());
    other.play("upsert-key-in-body-400");
    other.play("upsert-missing-parent-400");
    other.at("10:15:02");
    other.bench.edited("Opportunity", &deal, json!({ "NextStep": "y" }));
    other.play_with("update-conditional-412", &ours, false);

    let mut twins = Stage::open();
    twins.bench.org.objects.values_mut().for_each(|object| {
        Arc::make_mut(object).fields.iter_mut().for_each(|field| field.unique = false);
    });
    for _ in 0..2 {
        twins.bench.deal(json!({ "CoSell_Referral_Id__c": "ref-3f2b8a61-9c04" }));
    }
    twins.play("upsert-300-multiple");
    [stage.played, other.played, twins.played].into_iter().flatten().collect()
}

pub(super) fn composites() -> BTreeSet<String> {
    let mut played = BTreeSet::new();
    let mut stage = Stage::open();
    stage.at("10:15:01");
    stage.bench.made("Account", json!({ "Name": "Fabrikam", "CoSell_Account_Key__c": "acct-0091" }));
    stage.play("composite-upsert-referral-rolled-back");
    assert!(stage.bench.org.rows("Contact").is_empty());
    stage.play("composite-upsert-referral-success");
    assert_eq!(stage.bench.org.rows("Contact").len(), 1);
    played.extend(stage.played);
    let (mut stage, [_, contact, deal]) = Stage::furnished();
    stage.play("composite-bad-reference");
    stage.play("composite-graph");
    stage.play("collections-upsert-partial");
    stage.play("collections-upsert-all-or-none");
    stage.bench.edited("Contact", &contact, json!({ "Title": "Head of IT" }));
    stage.bench.edited("Opportunity", &deal, json!({ "NextStep": "Demo" }));
    played.extend(stage.played);
    played
}

pub(super) fn related() -> BTreeSet<String> {
    let (mut stage, [_, contact, deal]) = Stage::furnished();
    stage.bench.org.switches.notes = true;
    stage.bench.org.switches.team_selling = true;
    stage.play_with("contact-role-create", &[(THE_DEAL, &deal), (THE_CONTACT, &contact)], false);
    stage.play_with("team-member-create", &[(THE_DEAL, &deal)], false);
    stage.play_with("legacy-note-create", &[(THE_DEAL, &deal)], false);
    stage.play_with("content-note-composite", &[(THE_DEAL, &deal)], false);
    let links = format!(
        "SELECT ContentDocumentId, ContentDocument.Title FROM ContentDocumentLink WHERE LinkedEntityId='{deal}'"
    );
    let found = stage.bench.query(&links).done(200);
    assert_eq!(found.body["records"][0]["ContentDocument"]["Title"], "[co-sell] Partner note 12");
    stage.bench.query("SELECT Id FROM ContentDocumentLink").refused(400, "MALFORMED_QUERY");
    stage.played
}

pub(super) fn polls() -> BTreeSet<String> {
    let mut stage = Stage::open();
    stage.at("09:00:00");
    stage.play("query-empty");
    let account =
        stage.bench.made("Account", json!({ "Name": "Fabrikam", "CoSell_Account_Key__c": "acct-0091" }));
    let deal = |key: &str, name: &str, amount: f64| {
        json!({ "Name": name, "Amount": amount, "AccountId": account, "CoSell_Referral_Id__c": key,
                "CoSell_Sync_Hash__c": HASH })
    };
    let first =
        stage.bench.deal(deal("ref-3f2b8a61-9c04", "Fabrikam: analytics platform (co-sell)", 125000.0));
    let second = stage.bench.deal(deal("ref-77c0d1aa-0b13", "Litware: migration", 52000.0));
    let gone = stage.bench.deal(json!({ "CoSell_Referral_Id__c": "ref-90aa12bb-77de" }));
    stage.at("10:15:01");
    let now = stage.bench.now;
    let stage_name = json!({ "StageName": "Qualification" });
    stage.bench.org.act_edit("Opportunity", &first, INTEGRATION_USER, stage_name, now).unwrap();
    stage.at("10:18:02");
    stage.bench.edited("Opportunity", &second, json!({ "StageName": "Closed Won" }));
    stage.bench.org.act_open(
        "Opportunity",
        &second,
        SELLER,
        json!({ "NextStep": "Kick-off" }),
        stage.bench.now,
    );
    stage.bench.org.switches.page_size = Some(1);
    let page = stage.play("query-poll-page1");
    let next = page.body["nextRecordsUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    stage.play_with("query-poll-last-page", &[("01gQy00000AbCdEIAX-2000", &next)], false);
    stage.at("10:19:00");
    stage.bench.org.act_delete("Opportunity", &gone, SELLER, stage.bench.now).unwrap();
    stage.play("query-all-deleted");
    stage.bench.org.purge_deleted_log("2026-09-01T00:00:00Z".parse().unwrap());
    stage.at("10:25:00");
    stage.play("get-updated");
    let now = stage.bench.now;
    stage.bench.org.commit_open(1, now).unwrap();
    stage.play("get-deleted");
    stage.played
}

pub(super) fn sign_in() -> BTreeSet<String> {
    let mut stage = Stage::open();
    stage.at("10:15:00");
    let bearer = stage.sample("token-jwt-bearer", &[]);
    let secret = stage.sample("token-client-credentials", &[("<secret>", CLIENT_SECRET)]);
    let errors = stage.sample("token-errors", &[]);
    let mut claims = bearer["jwtClaims"].clone();
    claims["exp"] = json!(stage.bench.now.as_second() + 180);
    let signed = |claims: &Value| {
        let mut form = bearer["request"]["formBody"].clone();
        form["assertion"] = json!(assertion(claims));
        form
    };
    let mut ask = |form: Value, expected: &Value| {
        same("sign-in", expected, &super::super::sign_in::ask(&mut stage.bench, &form))
    };
    ask(signed(&claims), &bearer["response"]);
    ask(secret["request"]["formBody"].clone(), &secret["response"]);
    let with = |name: &str, value: &str| {
        let mut claims = claims.clone();
        claims[name] = json!(value);
        signed(&claims)
    };
    let cases = errors["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let form = match case["when"].as_str().expect("a title") {
            "user not pre-authorised" => with("sub", "stranger@contoso-partner.example"),
            "bad signature" => {
                let mut form = signed(&claims);
                let text = form["assertion"].as_str().unwrap();
                form["assertion"] = json!(format!("{}{}", &text[..text.len() - 8], "AAAAAAAA"));
                form
            }
            "wrong aud" => with("aud", "https://example.com"),
            "unknown iss" => with("iss", "somebody"),
            "wrong secret" => {
                let mut form = secret["request"]["formBody"].clone();
                form["client_secret"] = json!("wrong");
                form
            }
            "policy" => continue,
            other => panic!("no case for `{other}`"),
        };
        ask(form, case);
    }
    stage.bench.org.approve(INTEGRATION_USER, Approval::NotByAdmin);
    let answer = super::super::sign_in::ask(&mut stage.bench, &signed(&claims));
    same("policy", &cases[5], &answer);
    stage.played
}
