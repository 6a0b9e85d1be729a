//! The samples in an order in which they can happen, on orgs that hold the rows the samples speak of.

use super::*;
use crate::dataverse::{EUR, INTEGRATION_USER};
use crate::login::{DYNAMICS_SECRET, Login};

/// The second opportunity of the samples, one that is deleted, one that is new.
const OTHER: &str = "6a5d8e9f-3c24-4b7a-8e1d-a2f703b8d115";
const GONE: &str = "7b6e9fa0-4d35-4c8b-9f2e-b3f814c9e226";
const NEW: &str = "8c7fa0b1-5e46-4d9c-a03f-c40925daf337";
const LEAD: &str = "e81b54c9-37d2-4a08-9f1b-6cc0d2e4f711";
const HASH: &str = "9e8c1f0a5b7d3e42c6a1f90b8d7e6c5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e";

impl Stage {
    pub(super) fn bare() -> Self {
        let mut bench = Bench::new();
        bench.org.unprovision();
        Stage { bench, played: BTreeSet::new() }
    }

    fn column(&mut self, table: &str, schema_name: &str, max: usize) {
        let kind = if max == 0 { "Integer" } else { "String" };
        let body = json!({ "@odata.type": format!("Microsoft.Dynamics.CRM.{kind}AttributeMetadata"),
            "SchemaName": schema_name, "MaxLength": max });
        let path = format!("EntityDefinitions(LogicalName='{table}')/Attributes");
        self.bench.send("POST", &path, &[], body).done(204);
    }

    fn key(&mut self, table: &str, set: &str, column: &str, label: &str) {
        let label = json!({ "LocalizedLabels": [{ "Label": label, "LanguageCode": 1033 }] });
        let body =
            json!({ "SchemaName": format!("{column}_key"), "DisplayName": label, "KeyAttributes": [column] });
        self.bench
            .send("POST", &format!("EntityDefinitions(LogicalName='{table}')/Keys"), &[], body)
            .done(204);
        self.bench.org.key_status(set, column, "Active").expect("a key");
    }

    /// With the example columns and keys of the reference.
    pub(super) fn provisioned() -> Self {
        let mut stage = Stage::bare();
        for (table, set) in [("account", "accounts"), ("contact", "contacts")] {
            stage.column(table, "csl_ExternalId", 100);
            stage.key(table, set, "csl_externalid", "External Id");
        }
        for (table, set) in [("opportunity", "opportunities"), ("lead", "leads")] {
            for name in ["csl_ReferralId", "csl_PartnerSystem", "csl_ReferralStatus", "csl_SyncHash"] {
                stage.column(table, name, 100);
            }
            stage.column(table, "csl_SyncRevision", 0);
            stage.key(table, set, "csl_referralid", "Referral Id");
        }
        stage.bench.send(
            "POST",
            "EntityDefinitions(LogicalName='opportunity')/Attributes",
            &[],
            json!({ "@odata.type": "Microsoft.Dynamics.CRM.DateTimeAttributeMetadata", "SchemaName": "csl_SyncedOn" }),
        );
        stage
    }

    fn at(&mut self, time: &str) {
        self.bench.now = format!("2026-11-20T{time}Z").parse().expect("a time");
    }

    fn made(&mut self, set: &str, by: &str, columns: Value) {
        let now = self.bench.now;
        self.bench.org.act_create(set, by, columns, now).expect("a row");
    }

    fn edited(&mut self, id: &str, by: &str, columns: Value) {
        let now = self.bench.now;
        self.bench.org.act_edit("opportunities", id, by, columns, now).expect("an edit");
    }

    /// An opportunity that is nobody's referral.
    fn plain(&mut self, id: &str, name: &str) {
        let currency = format!("/transactioncurrencies({EUR})");
        let row = json!({ "opportunityid": id, "name": name, "estimatedvalue": 1000.0,
            "estimatedclosedate": "2027-01-15", "transactioncurrencyid@odata.bind": currency });
        self.made("opportunities", SELLER, row);
    }

    /// The customer and the referral of the samples.
    pub(super) fn with_the_deal() -> Self {
        let mut stage = Stage::provisioned();
        stage.at("09:00:00");
        let account =
            json!({ "accountid": COMPANY, "name": "Fabrikam Robotics GmbH", "csl_externalid": "acct-0091" });
        stage.made("accounts", SELLER, account);
        let deal = json!({ "opportunityid": DEAL, "name": "Fabrikam: analytics platform (co-sell)",
            "estimatedvalue": 125000.0, "estimatedclosedate": "2027-02-28", "csl_referralid": "ref-3f2b8a61-9c04",
            "csl_synchash": HASH, "csl_syncrevision": 7, "customerid_account@odata.bind": format!("/accounts({COMPANY})"),
            "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({EUR})") });
        stage.made("opportunities", INTEGRATION_USER, deal);
        stage
    }

    /// The number in the etag of the deal.
    fn version(&mut self) -> String {
        self.bench.org.row("opportunities", DEAL).expect("the deal")["versionnumber"].to_string()
    }
}

/// What follows this mark in a link, up to the next one.
fn after(link: &Value, mark: &str, end: char) -> String {
    let rest = link.as_str().expect("a link").split_once(mark).expect(mark).1;
    rest.split(end).next().expect("a first").to_owned()
}

pub(super) fn provisioning() -> BTreeSet<String> {
    let mut stage = Stage::bare();
    stage.play("whoami");
    stage.play("currency-lookup");
    stage.play("change-tracking-check");
    for name in ["string", "integer", "datetime", "money"] {
        stage.play(&format!("provision-column-{name}"));
    }
    stage.play("metadata-column-exists");
    stage.play("provision-key");
    stage.bench.get("EntityDefinitions(LogicalName='opportunity')/Keys").done(200);
    stage.play("provision-key-status");
    let twin = stage.bench.get("opportunities?$select=csl_partnervalue,csl_partnervalue_base,csl_syncedon");
    twin.done(200);
    stage.played
}

pub(super) fn writes() -> BTreeSet<String> {
    let mut stage = Stage::provisioned();
    stage.bench.org.switches.content_id_of_keyed_rows = true;
    stage.at("10:15:01.3");
    stage.play("upsert-account-204");
    stage.play("upsert-contact-created-201");
    stage.play("upsert-lead-204");
    stage.play("upsert-opportunity-created-201");
    stage.at("10:17:44");
    stage.play("upsert-opportunity-updated-200");
    stage.play("create-only-412");
    stage.play("batch-bad-content-id");
    stage.play("batch-changeset-failure");
    stage.play("batch-changeset-success");
    stage.play("batch-continue-on-error");
    assert_eq!(stage.bench.org.rows("accounts")[0]["telephone1"], "+49 711 555010");
    // Bulk operations are documented and not modelled: nobody here sends one.
    let bulk = stage.sample("upsert-multiple", &[]);
    let path = "opportunities/Microsoft.Dynamics.CRM.UpsertMultiple";
    stage.bench.send("POST", path, &[], bulk["request"]["body"].clone()).done(501);
    stage.played
}

pub(super) fn deals() -> BTreeSet<String> {
    let mut stage = Stage::with_the_deal();
    stage.plain(OTHER, "Opportunity");
    stage.at("10:20:03");
    stage.edited(DEAL, INTEGRATION_USER, json!({ "closeprobability": 50 }));
    stage.play("get-opportunity-by-key-annotated");
    let version = stage.version();
    stage.play_with("conditional-get-304", &[("2048127", &version)]);
    stage.play_with("conditional-update-204", &[("2048127", &version)]);
    stage.play_with("conditional-update-412", &[("2048120", &version)]);
    stage.play("update-only-404");
    stage.play("upsert-note-deterministic-guid");
    stage.play("create-opportunity-post-204");
    stage.play("win-opportunity");
    stage.play("reopen-opportunity");
    stage.play("lose-opportunity");
    stage.made("leads", SELLER, json!({ "leadid": LEAD, "subject": "Referral", "lastname": "Vogel" }));
    stage.play("qualify-lead");
    stage.played
}

pub(super) fn polls() -> BTreeSet<String> {
    let mut stage = Stage::with_the_deal();
    stage.plain(OTHER, "Opportunity");
    stage.plain(GONE, "Opportunity");
    let first = stage.play("delta-initial-page1");
    let cookie = after(&first.body["@odata.nextLink"], "pagingcookie=%22", '%');
    let last = stage.play_with("delta-initial-last-page", &[("opaque%22", &format!("{cookie}%22"))]);
    let token = after(&last.body["@odata.deltaLink"], "$deltatoken=", '&');
    const SINCE: &str = "919042%2111%2f20%2f2026%2010%3a00%3a44";

    stage.at("10:17:44");
    stage.edited(DEAL, INTEGRATION_USER, json!({ "estimatedclosedate": "2027-01-15" }));
    stage.at("10:18:02");
    let edit =
        json!({ "csl_referralid": "ref-77c0d1aa-0b13", "estimatedvalue": 52000.0, "csl_syncrevision": 3 });
    stage.edited(OTHER, SELLER, edit);
    let now = stage.bench.now;
    stage.bench.org.act_win(OTHER, SELLER, json!({}), now).expect("a win");
    stage.at("10:18:30");
    stage.plain(NEW, "Unrelated deal");
    stage.bench.org.act_delete("opportunities", GONE, SELLER, now).expect("a deletion");
    stage.play_with("delta-count", &[(SINCE, &token)]);
    let changes = stage.play_with("delta-changes", &[(SINCE, &token)]);
    let next = after(&changes.body["@odata.deltaLink"], "$deltatoken=", '&');
    stage.play_with("delta-empty", &[("919107%2111%2f20%2f2026%2010%3a15%3a51", &next)]);
    stage.bench.org.expire_delta_tokens();
    stage.play_with("delta-expired", &[(SINCE, &token)]);
    stage.play("delta-filter-rejected");

    stage.at("10:17:44");
    let plain = json!({ "name": "Opportunity", "estimatedvalue": 1000.0, "csl_synchash": null, "csl_syncrevision": null });
    stage.edited(DEAL, SELLER, plain.clone());
    stage.at("10:18:02");
    let now = stage.bench.now;
    stage.bench.org.act_reopen(OTHER, SELLER, now).expect("a reopening");
    stage.edited(OTHER, SELLER, plain);
    let first = stage.play("poll-modifiedon-page1");
    let cookie = after(&first.body["@odata.nextLink"], "pagingcookie=%22", '%');
    stage.play_with("poll-modifiedon-last-page", &[("opaque%22", &format!("{cookie}%22"))]);
    stage.played
}

pub(super) fn sign_in() -> BTreeSet<String> {
    let mut stage = Stage::bare();
    let now = stage.bench.now;
    let token = stage.sample("token-client-credentials", &[]);
    let errors = stage.sample("token-errors", &[]);
    let mut form = token["request"]["formBody"].clone();
    (form["client_id"], form["client_secret"]) = (json!(DYNAMICS_CLIENT), json!(DYNAMICS_SECRET));
    let mut login = Login::new(vec![ORG.to_owned()]);
    let mut ask = |tenant: &str, change: Value, expected: &Value, expired: bool| {
        if expired {
            let client = json!({ "client_id": DYNAMICS_CLIENT });
            login.control("expire_secret", &client, now).expect("a verb").expect("expires");
        }
        let mut form = form.clone();
        for (name, value) in change.as_object().into_iter().flatten() {
            form[name] = value.clone();
        }
        let encoded = |text: &str| text.replace(':', "%3A").replace('/', "%2F");
        let pairs = form.as_object().expect("a form").iter();
        let body: Vec<String> =
            pairs.map(|(n, v)| format!("{n}={}", encoded(v.as_str().expect("text")))).collect();
        let kind = token["request"]["headers"]["Content-Type"].as_str().expect("text").to_owned();
        let response = login.handle(
            &Request {
                method: "POST".into(),
                path: format!("/{tenant}/oauth2/v2.0/token"),
                query: String::new(),
                headers: BTreeMap::from([("content-type".to_owned(), kind)]),
                body: body.join("&").into(),
            },
            now,
        );
        let text = String::from_utf8(response.body.to_vec()).expect("text");
        same("sign-in", expected, &Answer::of(response), &text);
    };
    ask(DYNAMICS_TENANT, json!({}), &token["response"], false);
    let cases = errors["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 4);
    ask(DYNAMICS_TENANT, json!({ "client_secret": "wrong" }), &cases[0], false);
    ask(DYNAMICS_TENANT, json!({ "client_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" }), &cases[2], false);
    ask("11111111-2222-3333-4444-555555555555", json!({}), &cases[3], false);
    ask(DYNAMICS_TENANT, json!({}), &cases[1], true);
    stage.played
}
