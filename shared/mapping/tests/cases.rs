//! Runs every `tests/cases/*.json`: what is given, what is done with it, what is expected. `UPDATE_CASES=1` rewrites
//! the expectations; review the difference.
//!
//! `given.referral` and `given.record` name a file of `tests/fixtures`. `with` sets dotted paths in the referral and
//! `without` removes some; `columns` and `lists` set those of the record and `unread` removes some. `given.map` is an
//! override; `given.of` is "leads" for the map of leads.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]
#![expect(clippy::disallowed_methods, reason = "the crate is pure; its cases and fixtures are files")]

use mapping::*;
use serde_json::{Map as Object, Value as Json, json};
use std::{fs, path::Path, str::FromStr};

const OWN: &str = "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10";

#[test]
fn every_case_gives_what_it_expects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let update = std::env::var("UPDATE_CASES").is_ok();
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(files.len() >= 40, "expected at least 40 cases, found {}", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let mut case: Json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let shown = check(&case);
        if update {
            case["expect"] = shown;
            fs::write(&path, serde_json::to_string_pretty(&case).unwrap() + "\n").unwrap();
        } else if case["expect"] != shown {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let (expected, shown) = (pretty(&case["expect"]), pretty(&shown));
            wrong.push(format!("{name}: {}\nexpected {expected}\nfound {shown}", case["case"]));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The result of a case's `do`.
fn check(case: &Json) -> Json {
    let given = &case["given"];
    let crm = CrmKind::from_str(given["crm"].as_str().unwrap_or("dynamics365")).unwrap();
    let text = |name: &str| given[name].as_str().unwrap_or_default();
    let map = match Map::with_override(crm, text("map")) {
        Ok(map) => map,
        Err(faults) => return json!(faults.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    let map = match given["of"].as_str() {
        Some("leads") => map.of(RecordKind::Lead),
        Some(other) => panic!("no map of `{other}`"),
        None => &map,
    };
    let unit = text("unit");
    let value = |name: &str| serde_json::from_value::<Value>(given[name].clone()).unwrap();
    match case["do"].as_str().unwrap() {
        "check the map" => json!([]),
        "read both sides" => both_sides(map, unit, &referral(given), &record(given, crm)),
        "read the referral" => only(map.referral_fields(&referral(given)), unit),
        "read the record" => only(map.record_fields(&record(given, crm)), unit),
        "convert to the CRM" => result(map.to_crm(unit, &value("value"))),
        "convert to Partner Center" => result(map.to_partner_center(unit, &value("value"))),
        "compare" => json!(map.equal(unit, &value("partner_center"), &value("shown"))),
        "ask who owns it" => json!(map.owner(unit, Some(&value("partner_center")))),
        "patch the referral" => {
            let current = (!given["referral"].is_null()).then(|| referral(given));
            result(map.referral_patch(current.as_ref(), &fields(&given["changes"])))
        }
        "patch the record" => match map.record_patch(&fields(&given["changes"]), &trim(given)) {
            Ok(patch) => record_patch(&patch),
            Err(refusal) => refused(refusal),
        },
        "follow the CRM's status" => {
            result(map.partner_center_steps(&value("partner_center"), &value("shown")))
        }
        "set the CRM's status" => match map.crm_step(&value("shown"), &value("target")) {
            Ok(step) => json!(format!("{step:?}")),
            Err(refusal) => refused(refusal),
        },
        "classify" => json!(format!("{:?}", classify(&referral(given), OWN))),
        "ask which kind of deal" => match map.deal_kind(&record(given, crm)) {
            Ok(kind) => json!(format!("{kind:?}")),
            Err(refusal) => refused(refusal),
        },
        "ask whether it wants a referral" => json!(map.wants_referral(&record(given, crm))),
        "create a referral" => lacking(map.new_referral(&record(given, crm))),
        "create Microsoft's half" => {
            let own = map.new_referral(&record(given, crm)).unwrap();
            let engagement = EngagementId::parse("2f0c7c19-8d5c-4b4a-9a7e-3d6b5b0f4e22").unwrap();
            map.microsoft_half(&own, &engagement, (OWN, "Juniper Peak Software"))
        }
        "create a record" => lacking(map.new_record(&referral(given)).map(|new| new_record(&new))),
        "tell of the registration" => {
            let (referral, now) = (referral(given), text("now").parse().unwrap());
            json!({
                "ahead": map.registration_ahead(&referral),
                "when won": map.registration_when_won(&referral, now),
            })
        }
        "recognise an id" => json!(map.shaped_like_record_id(text("id")).map(|id| id.to_string())),
        "list the columns" => {
            let names = map.columns(text("relation")).into_iter().map(|column| match column.lookup {
                Some((table, matched)) => format!("{} ({table}.{matched})", column.name),
                None => column.name,
            });
            json!(names.collect::<Vec<_>>())
        }
        other => panic!("no case may ask to `{other}`"),
    }
}

/// A unit's value on each side, that value in the other side's form, and whether both sides have the same.
fn both_sides(map: &Map, unit: &str, referral: &Referral, record: &Record) -> Json {
    let rule = map.unit(unit).unwrap();
    let mut shown = Object::new();
    let partner_center = map.referral_fields(referral).remove(unit);
    let crm = map.record_fields(record).remove(unit);
    if let Some(partner_center) = &partner_center {
        shown.insert("the referral shows".to_owned(), json!(partner_center));
        if rule.to_crm() {
            shown.insert("in the CRM that is".to_owned(), result(map.to_crm(unit, partner_center)));
        }
    }
    if let Some(crm) = &crm {
        shown.insert("the record shows".to_owned(), json!(crm));
        if rule.to_partner_center() {
            shown.insert("in Partner Center that is".to_owned(), result(map.to_partner_center(unit, crm)));
        }
    }
    if let (Some(partner_center), Some(crm)) = (&partner_center, &crm) {
        shown.insert("both show the same".to_owned(), json!(map.equal(unit, partner_center, crm)));
    }
    Json::Object(shown)
}

fn fixture(name: &Json) -> Json {
    let name = name.as_str().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn referral(given: &Json) -> Referral {
    let mut body = fixture(&given["referral"]);
    for (path, value) in given["with"].as_object().into_iter().flatten() {
        let (parent, name) =
            path.rsplit_once('.').map_or((String::new(), path.as_str()), |(parent, name)| {
                (format!("/{}", parent.replace('.', "/")), name)
            });
        let parent = body.pointer_mut(&parent).unwrap_or_else(|| panic!("no `{path}` in the referral"));
        match name.parse::<usize>() {
            Ok(index) => parent[index] = value.clone(),
            Err(_) => parent[name] = value.clone(),
        }
    }
    for path in given["without"].as_array().into_iter().flatten() {
        let (parent, name) = path.as_str().unwrap().rsplit_once('.').unwrap_or(("", path.as_str().unwrap()));
        let pointer =
            if parent.is_empty() { String::new() } else { format!("/{}", parent.replace('.', "/")) };
        if let Some(object) = body.pointer_mut(&pointer).and_then(Json::as_object_mut) {
            object.remove(name);
        }
    }
    Referral::parse(body).unwrap()
}

fn record(given: &Json, crm: CrmKind) -> Record {
    let name = given["record"].as_str().map_or_else(|| format!("record-{crm}"), str::to_owned);
    let mut body = fixture(&json!(name));
    for of in ["columns", "lists"] {
        for (name, value) in given[of].as_object().into_iter().flatten() {
            body[of][name] = value.clone();
        }
        for name in given["unread"].as_array().into_iter().flatten() {
            body[of].as_object_mut().unwrap().remove(name.as_str().unwrap());
        }
    }
    Record {
        id: serde_json::from_value(body["id"].clone()).unwrap(),
        columns: serde_json::from_value(body["columns"].clone()).unwrap(),
        lists: serde_json::from_value(body["lists"].clone()).unwrap(),
    }
}

fn fields(json: &Json) -> Fields {
    serde_json::from_value(json.clone()).unwrap()
}

fn trim(given: &Json) -> Trim {
    Trim {
        mark: match given["mark"].as_str() {
            Some("ok") => Some(Mark::Ok),
            Some("failed") => Some(Mark::Failed),
            _ => None,
        },
        name: given["name"].as_str().map(str::to_owned),
        audit: given["audit"].as_str().map(str::to_owned),
        present: if given["present"].is_null() { Fields::new() } else { fields(&given["present"]) },
    }
}

fn only(mut shown: Fields, unit: &str) -> Json {
    if unit.is_empty() { json!(shown) } else { json!(shown.remove(unit)) }
}

fn result<T: serde::Serialize>(result: Result<T, Refusal>) -> Json {
    result.map_or_else(refused, |value| json!(value))
}

fn refused(refusal: Refusal) -> Json {
    json!({ "refused": refusal.to_string() })
}

fn lacking(result: Result<Json, Vec<Missing>>) -> Json {
    result.unwrap_or_else(
        |missing| json!({ "missing": missing.iter().map(ToString::to_string).collect::<Vec<_>>() }),
    )
}

fn crm_value(value: &CrmValue) -> Json {
    match value {
        CrmValue::Plain(plain) => plain.clone(),
        CrmValue::Lookup { table, column, value } => {
            json!({ "lookup": format!("{table}.{column}"), "value": value })
        }
    }
}

fn columns<'a>(columns: impl IntoIterator<Item = (&'a String, &'a CrmValue)>) -> Json {
    Json::Object(columns.into_iter().map(|(name, value)| (name.clone(), crm_value(value))).collect())
}

fn record_patch(patch: &RecordPatch) -> Json {
    let mut shown = json!({ "columns": columns(&patch.columns) });
    for (list, change) in &patch.lists {
        let add: Vec<Json> = change.add.iter().map(columns).collect();
        shown["lists"][list] = json!({ "add": add, "remove": change.remove });
    }
    if let Some(action) = &patch.action {
        shown["action"] = json!(format!("{action:?}"));
    }
    shown
}

fn party(party: &Party) -> Json {
    json!({
        "key": party.key, "name": party.name, "postal_code": party.postal_code, "country": party.country,
        "email": party.email, "columns": columns(&party.columns),
    })
}

fn new_record(new: &NewRecord) -> Json {
    let lists =
        new.lists.iter().map(|(name, rows)| (name.clone(), rows.iter().map(columns).collect::<Json>()));
    let left_out: Vec<String> = new.left_out.iter().map(ToString::to_string).collect();
    let wish = |wish: &OwnerWish| format!("{}.{} = {}", wish.table, wish.column, wish.text);
    let mut shown = json!({
        "owner": { new.owner.column.clone(): new.owner.wanted.iter().map(wish).collect::<Vec<_>>() },
        "kind": new.kind.as_str(), "referral": new.referral, "account": party(&new.account),
        "contact": new.contact.as_ref().map(party), "columns": columns(&new.columns),
        "lists": lists.collect::<Object<String, Json>>(),
    });
    if !left_out.is_empty() {
        shown["left out"] = json!(left_out);
    }
    if !new.defaults.is_empty() {
        shown["by default"] = json!(new.defaults);
    }
    shown
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap()
}
