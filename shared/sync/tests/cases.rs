//! Cases of two edits that meet: what both sides showed when they agreed, what they show now, and the plan that follows.
//! `UPDATE_CASES=1 cargo test -p sync --test cases` rewrites the expectations; review the difference.

use mapping::{CrmKind, Fields, Map, ReferralId, Value};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};
use sync::{
    link::{Link, State, image},
    merge::{Plan, SideFields, merge},
    parked::Parked,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows, in one sentence.
    says: String,
    given: Given,
    expect: BTreeMap<String, serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    /// What each side showed when both agreed.
    agreed: Sides,
    /// What each side shows now: laid over `agreed`; `null` for a side that was not read.
    now: Option<Now>,
    /// The names of the units that are parked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parked: Vec<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sides {
    partner_center: Fields,
    crm: Fields,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Now {
    partner_center: Option<Fields>,
    crm: Option<Fields>,
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "the cases are there");
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut faults = vec![];
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut case: Case =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let seen = told(&run(&case.given));
        if seen != case.expect {
            if update {
                case.expect = seen;
                std::fs::write(&file, serde_json::to_string_pretty(&case).unwrap() + "\n").unwrap();
            } else {
                let seen = serde_json::to_string_pretty(&seen).unwrap();
                faults.push(format!("{}: {}\nseen {seen}", file.display(), case.says));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

fn run(given: &Given) -> Plan {
    let map = Map::standard(CrmKind::Dynamics365);
    let referral = ReferralId::parse("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01");
    let mut link =
        referral.map(|id| Link::new(id, None, State::Linked)).unwrap_or_else(|| unreachable!("a GUID"));
    let images = |fields: &Fields| fields.iter().map(|(unit, value)| (unit.clone(), image(value))).collect();
    link.partner_center.images = images(&given.agreed.partner_center);
    link.crm.images = images(&given.agreed.crm);
    for unit in &given.parked {
        let parked = Parked::again("refused".into(), None, String::new(), jiff::Timestamp::UNIX_EPOCH, None);
        link.parked.insert(unit.clone(), parked);
    }
    let over = |agreed: &Fields, now: Option<&Fields>| {
        let mut fields = agreed.clone();
        fields.extend(now?.clone());
        Some(fields)
    };
    let now = given.now.as_ref();
    let partner_center = over(&given.agreed.partner_center, now.and_then(|n| n.partner_center.as_ref()));
    let crm = over(&given.agreed.crm, now.and_then(|n| n.crm.as_ref()));
    merge(map, &link, SideFields { partner_center: partner_center.as_ref(), crm: crm.as_ref() })
}

/// The plan as JSON; what is empty is left out.
fn told(plan: &Plan) -> BTreeMap<String, serde_json::Value> {
    let values = |changes: &BTreeMap<String, sync::merge::UnitChange>| -> BTreeMap<String, Value> {
        changes.iter().map(|(unit, change)| (unit.clone(), change.value.clone())).collect()
    };
    let conflicts: BTreeMap<_, _> = plan
        .conflicts
        .iter()
        .map(|(unit, c)| (unit, serde_json::json!({ "winner": c.winner, "loser": c.loser })))
        .collect();
    let unfit: BTreeMap<_, _> = plan.unfit.iter().map(|(unit, unfit)| (unit, &unfit.words)).collect();
    let agree: Vec<_> = plan.agree.keys().collect();
    let all = serde_json::json!({
        "to_crm": values(&plan.to_crm),
        "to_partner_center": values(&plan.to_partner_center),
        "action": plan.action.as_ref().map(|change| &change.value),
        "conflicts": conflicts,
        "refused": plan.refused,
        "unfit": unfit,
        "waiting": plan.waiting,
        "agree": agree,
        "need": plan.need,
    });
    let empty = |v: &serde_json::Value| match v {
        serde_json::Value::Null => true,
        serde_json::Value::Array(a) => a.is_empty(),
        serde_json::Value::Object(o) => o.is_empty(),
        _ => false,
    };
    let serde_json::Value::Object(all) = all else { return BTreeMap::new() };
    all.into_iter().filter(|(_, value)| !empty(value)).collect()
}
