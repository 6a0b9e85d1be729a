//! The error catalogues: each case is brought about, or scripted where only a server in trouble answers so.

use super::*;
use crate::server::Fault;

/// Answers of a server in trouble, and of what is not modelled: scripted as faults.
const SCRIPTED: [&str; 5] = [
    "wrong kind of session: configuration fault",
    "too many long-running calls",
    "server fault",
    "overload (wording unverified)",
    "maintenance page",
];

/// The answer of a fresh org in the case with this title.
fn answer(when: &str) -> Answer {
    let (mut stage, [account, contact, deal]) = Stage::furnished();
    let bench = &mut stage.bench;
    let path = format!("sobjects/Opportunity/{deal}");
    let new =
        json!({ "Name": "x", "StageName": "Prospecting", "CloseDate": "2027-01-31", "AccountId": account });
    match when {
        "expired token: get a new one, retry once" => {
            bench.org.revoke();
            bench.get("limits")
        }
        "daily limit" => {
            bench.org.switches.daily_api_requests = 0;
            bench.get("limits")
        }
        "no access to the parent" => {
            bench.org.deny_row(&account);
            bench.post("sobjects/Opportunity", new)
        }
        "race of two creates" => {
            let mut new = new;
            new["CoSell_Referral_Id__c"] = json!("REF-3f2b8a61-9c04");
            bench.post("sobjects/Opportunity", new)
        }
        "another transaction holds the account" => {
            bench.org.lock(&account, 1);
            bench.patch(&path, json!({ "NextStep": "x" }))
        }
        "customer trigger wraps a lock error: look inside the text" => {
            let text = format!(
                "OpportunityTrigger: execution of AfterUpdate\n\ncaused by: System.DmlException: Update failed. First \
                 exception on row 0 with id {account}; first error: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access \
                 to this record: []"
            );
            bench.org.trigger("Opportunity", &text.replace(&account, "001Qy00000aBcDeIAK"), 1);
            bench.patch(&path, json!({ "NextStep": "x" }))
        }
        "duplicate rule hit, key spelt duplicateResut" | "duplicate rule hit, key spelt duplicateResult" => {
            bench.edited("Contact", &contact, json!({ "Email": "ines@fabrikam.example" }));
            bench.org.switches.duplicate_member = when.rsplit(' ').next().unwrap().to_owned();
            bench.post("sobjects/Contact", json!({ "LastName": "V", "Email": "Ines@fabrikam.example" }))
        }
        "unknown object, bad path or field that is not an external id" => bench.get("sobjects/Opportunitys"),
        "unknown external id field" => {
            bench.patch("sobjects/Opportunity/CoSell_Foo__c/x", json!({ "Name": "x" }))
        }
        "update of an unknown id" => {
            bench.patch("sobjects/Opportunity/006Qy00000kLmNo", json!({ "Name": "x" }))
        }
        "row is in the recycle bin" => {
            bench.org.act_delete("Opportunity", &deal, SELLER, bench.now).unwrap();
            bench.patch(&path, json!({ "Name": "x" }))
        }
        "SOQL syntax" => bench.query("SELECT Id FORM Opportunity"),
        "unknown field or no access" => bench.query("SELECT Id, CoSell_Foo__c FROM Opportunity"),
        "unknown object" => bench.query("SELECT Id FROM Opportunitys"),
        "locator expired" => bench.get("query/01gQy00000AbCdEIAX-2000"),
        "start too old: full pull" => {
            bench.get("sobjects/Opportunity/updated/?start=2026-10-01T00:00:00Z&end=2026-11-20T10:00:00Z")
        }
        "over 600,000 ids" => {
            bench.org.switches.replication_ids = 0;
            bench.get("sobjects/Opportunity/updated/?start=2026-11-20T00:00:00Z&end=2026-11-20T10:00:00Z")
        }
        "create without required fields" => bench.post("sobjects/Opportunity", json!({ "Name": "x" })),
        "admin's validation rule" => {
            bench.org.rule("Opportunity", Some("CloseDate"), "Close date must not be in the past.", &[]);
            bench.patch(&path, json!({ "CloseDate": "2020-01-01" }))
        }
        "unknown stage" => bench.patch(&path, json!({ "StageName": "Nonsense" })),
        "too long" => bench.patch(&path, json!({ "NextStep": "x".repeat(256) })),
        "unknown field or no field-level access" => bench.patch(&path, json!({ "CoSell_Foo__c": "x" })),
        "Id in a PATCH body" => bench.patch(&path, json!({ "Id": deal })),
        "read-only field" => bench.patch(&path, json!({ "IsWon": true })),
        "bad email" => {
            bench.patch(&format!("sobjects/Contact/{contact}"), json!({ "Email": "not-an-email" }))
        }
        "id of the wrong object" => bench.patch(&path, json!({ "AccountId": "006Qy00000kLmNoIAK" })),
        "wrong JSON type (position and wording vary)" => bench.patch(&path, json!({ "Amount": "forty" })),
        "write to a converted lead" => {
            let lead = bench.made("Lead", json!({ "LastName": "Vogel", "Company": "Fabrikam" }));
            bench.org.act_convert(&lead, SELLER, None, true, bench.now).unwrap();
            bench.patch(&format!("sobjects/Lead/{lead}"), json!({ "Title": "x" }))
        }
        "record in an approval process" => {
            bench.org.approval_process(&deal, true);
            bench.patch(&path, json!({ "NextStep": "x" }))
        }
        other => panic!("no case for `{other}`"),
    }
}

pub(super) fn all() -> BTreeSet<String> {
    let mut stage = Stage::open();
    for name in [
        "auth-and-limits",
        "conflict-and-locks",
        "duplicates-detected",
        "not-found",
        "query-and-replication",
        "server",
        "validation",
    ] {
        let catalogue = stage.sample(&format!("errors-{name}"), &[]);
        for case in catalogue["cases"].as_array().expect("cases") {
            let when = case["when"].as_str().expect("a title");
            if SCRIPTED.contains(&when) {
                let body = case["body"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
                let headers = case.get("headers").cloned().unwrap_or_else(|| json!({}));
                let fault =
                    json!({ "kind": "answer", "status": case["status"], "headers": headers, "body": body });
                serde_json::from_value::<Fault>(fault).expect("a fault");
                continue;
            }
            let mut seen = answer(when);
            let mut case = case.clone();
            // The position in a body is not modelled; how many x's "too long" has is its own affair.
            for body in [&mut case["body"][0]["message"], &mut seen.body[0]["message"]] {
                let text = body.as_str().unwrap_or_default().split(" at [line").next().unwrap_or_default();
                *body = json!(text.replace(&"x".repeat(256), "x"));
            }
            if when == "too long" {
                let length = |text: &Value| text.as_str().map(|t| t.replace('x', "").len());
                assert_eq!(length(&case["body"][0]["message"]), length(&seen.body[0]["message"]));
                case["body"][0]["message"] = seen.body[0]["message"].clone();
            }
            same(when, &case, &seen);
        }
    }
    stage.played
}
