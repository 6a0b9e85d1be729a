//! Rights: what is refused without one, and what a user is told to hold.

use super::*;

const NOTE: &str = "annotations(0f9d6c1e-4f1b-5a77-8c3d-7e21b0a94d55)";

fn held(bench: &mut Bench) -> Vec<Value> {
    let user = crate::dataverse::INTEGRATION_USER;
    let names = "%5B%22prvCreateNote%22%2C%22prvAppendNote%22%2C%22prvAppendToOpportunity%22%5D";
    let function = "Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p)";
    let answer = bench.get(&format!("systemusers({user})/{function}?@p={names}")).done(200);
    let all = answer.body["RolePrivileges"].as_array().cloned().unwrap_or_default();
    all.into_iter().map(|one| one["PrivilegeName"].clone()).collect()
}

#[test]
fn what_was_taken_away_is_refused_and_not_listed() {
    let note = || {
        json!({ "subject": "s", "notetext": "t",
                "objectid_opportunity@odata.bind": format!("/opportunities({DEAL})") })
    };
    for (table, right, name) in [
        ("annotation", "create", "prvCreateNote"),
        ("annotation", "append", "prvAppendNote"),
        ("opportunity", "append_to", "prvAppendToOpportunity"),
    ] {
        let mut bench = Bench::with_deal();
        assert_eq!(held(&mut bench).len(), 3);
        bench.org.deny(table, right);
        let held = held(&mut bench);
        assert!(held.len() == 2 && !held.contains(&json!(name)), "{held:?}");
        bench.patch(NOTE, &[("if-none-match", "*")], note()).refused(403, "0x80040220");
        bench.org.allow_all();
        bench.patch(NOTE, &[("if-none-match", "*")], note()).done(204);
    }
}

#[test]
fn a_privilege_that_is_none_is_not_modelled() {
    let mut bench = Bench::with_deal();
    let user = crate::dataverse::INTEGRATION_USER;
    let function = "Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p)";
    for query in ["@p=%5B%22prvFly%22%5D", "@p=%5B%22prvReadMoon%22%5D"] {
        assert_eq!(bench.get(&format!("systemusers({user})/{function}?{query}")).status, 501, "{query}");
    }
}

#[test]
fn an_action_needs_every_right_it_uses_and_people_keep_theirs() {
    for (table, right) in [("opportunity", "write"), ("opportunityclose", "create")] {
        let mut bench = Bench::with_deal();
        bench.org.deny(table, right);
        let close = json!({ "opportunityid@odata.bind": format!("/opportunities({DEAL})") });
        let win = json!({ "Status": 3, "OpportunityClose": close });
        bench.send("POST", "WinOpportunity", &[], win).refused(403, "0x80040220");
        assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["statecode"], 0);
        let now = bench.now;
        bench.org.act_win(DEAL, SELLER, json!({}), now).unwrap();
    }
    for (table, right) in [("lead", "write"), ("opportunity", "create")] {
        let mut bench = Bench::new();
        let now = bench.now;
        let lead = bench.org.act_create("leads", SELLER, json!({ "subject": "L" }), now).unwrap();
        bench.org.deny(table, right);
        let path = format!("leads({lead})/Microsoft.Dynamics.CRM.QualifyLead");
        let wish =
            json!({ "CreateAccount": false, "CreateContact": false, "CreateOpportunity": true, "Status": 3 });
        bench.send("POST", &path, &[], wish).refused(403, "0x80040220");
        assert_eq!(bench.org.row("leads", &lead).unwrap()["statecode"], 0);
        bench.org.act_qualify(&lead, SELLER, true, now).unwrap();
    }
}
