//! The error catalogues: each case is brought about, or scripted where only a server in trouble answers so.

use super::*;
use crate::server::Fault;

const NOBODY: &str = "8c7fa0b1-5e46-4d9c-a03f-c40925daf337";

/// Answers of a server in trouble, and of rights and rules that are not modelled: scripted as faults.
const SCRIPTED: [&str; 6] = [
    "row access refused (message tail unverified)",
    "duplicate rule on and MSCRM.SuppressDuplicateDetection: false (older page: 500)",
    "row lock contention (text unverified)",
    "gateway or maintenance: not JSON",
    "too much execution time",
    "too many at once",
];

/// The answer of a fresh org in the case with this title.
fn answer(when: &str) -> Answer {
    let mut stage = Stage::with_the_deal();
    let bench = &mut stage.bench;
    let deal = format!("opportunities({DEAL})");
    let annotated = [("prefer", "odata.include-annotations=\"*\"")];
    match when {
        "no or expired bearer" => bench.send("GET", "WhoAmI", &[("authorization", "")], Value::Null),
        "token valid, application user missing" => {
            let mut stranger = claims();
            stranger.appid = "c0de0009-0000-4000-8000-000000000009".into();
            let token = format!("Bearer {}", mint(&stranger));
            bench.send("GET", "WhoAmI", &[("authorization", &token)], Value::Null)
        }
        "missing privilege" => {
            bench.org.deny("opportunity", "read");
            bench.get("opportunities")
        }
        "bind on the bare polymorphic attribute" => {
            let body = json!({ "parentcustomerid@odata.bind": format!("/accounts({COMPANY})") });
            bench.send("POST", "contacts", &[], body)
        }
        "wrong JSON type" => bench.patch(&deal, &[], json!({ "closeprobability": "forty" })),
        "unknown column in a query (docs also show code 0x0)" => bench.get("opportunities?$select=Name"),
        "alternate key not defined or not active (tail unverified)" => {
            bench.org.key_status("opportunities", "csl_referralid", "Pending").expect("a key");
            bench.get("opportunities(csl_referralid='ref-3f2b8a61-9c04')")
        }
        "string too long" => bench.patch(&deal, &[], json!({ "name": "N".repeat(301) })),
        "unknown option value" => bench.patch(&deal, &[], json!({ "opportunityratingcode": 9 })),
        "status does not belong to state (message tail unverified)" => {
            bench.patch(&deal, &[], json!({ "statecode": 0, "statuscode": 4 }))
        }
        "customer plug-in refused the save; text is the customer's" => {
            bench.org.rule("opportunity", None, "Discount above 20 % needs approval.");
            bench.patch(&deal, &[], json!({ "estimatedvalue": 1 }))
        }
        "statecode set to Lost by plain PATCH (seen on an 8.1 server; status, code and online behaviour unverified)" => {
            bench.patch(&deal, &[], json!({ "statecode": 2, "statuscode": 4 }))
        }
        "alternate key violated, with include-annotations=*" => {
            let body = json!({ "name": "Twin", "csl_referralid": "ref-3f2b8a61-9c04" });
            let mut answer = bench.send("POST", "opportunities", &annotated, body);
            // Members of every annotated error, which this sample leaves out.
            for member in ["OperationStatus", "SubErrorCode"] {
                let name = format!("@Microsoft.PowerApps.CDS.ErrorDetails.{member}");
                answer.body["error"].as_object_mut().and_then(|error| error.remove(&name)).expect(member);
            }
            answer
        }
        "create-only upsert on an existing row, or race on the primary key" => {
            bench.patch(&deal, &[("if-none-match", "*")], json!({ "name": "x" }))
        }
        "stale If-Match (code may be empty)" => {
            bench.patch(&deal, &[("if-match", "W/\"1\"")], json!({ "name": "x" }))
        }
        "unknown GUID" => bench.get(&format!("opportunities({NOBODY})")),
        "unknown alternate key on GET or bind" => bench.get("opportunities(csl_referralid='nobody')"),
        "wrong entity set name" => bench.get("Opportunity"),
        "too many requests" => {
            bench.org.served = vec![bench.now; 6000].into();
            bench.later(277);
            bench.get("opportunities")
        }
        other => panic!("no case for `{other}`"),
    }
}

pub(super) fn all() -> BTreeSet<String> {
    let mut stage = Stage::bare();
    let tenant = ("11111111-2222-3333-4444-555555555555", DYNAMICS_TENANT);
    for name in ["auth", "bad-request", "conflict", "not-found", "server", "throttling"] {
        let replaced: &[_] = if name == "auth" { &[tenant] } else { &[] };
        let catalogue = stage.sample(&format!("errors-{name}"), replaced);
        for case in catalogue["cases"].as_array().expect("cases") {
            let when = case["when"].as_str().expect("a title");
            if SCRIPTED.contains(&when) {
                let body = case["body"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
                let fault = json!({ "kind": "answer", "status": case["status"], "headers": case["headers"], "body": body });
                serde_json::from_value::<Fault>(fault).expect("a fault");
                continue;
            }
            let seen = answer(when);
            let text = if seen.body.is_object() { seen.body.to_string() } else { String::new() };
            same(when, case, &seen, &text);
            if name == "throttling" {
                assert_eq!(seen.header("retry-after"), case["headers"]["Retry-After"]);
            }
        }
    }
    stage.played
}
