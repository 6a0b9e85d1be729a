//! Forms, and what metadata cannot be deleted.

use super::*;

const MAIN: &str = "objecttypecode eq 'opportunity' and type eq 2 and isdefault eq true";

/// The main form of the opportunity: path and XML.
fn main_form(bench: &mut Bench) -> (String, String) {
    let list = bench.get(&format!("systemforms?$select=formid,formxml&$filter={MAIN}")).done(200).body;
    let form = &list["value"][0];
    let (id, xml) = (form["formid"].as_str().unwrap(), form["formxml"].as_str().unwrap());
    (format!("systemforms({id})"), xml.to_owned())
}

#[test]
fn a_draft_is_seen_by_nobody_before_it_is_published() {
    let mut bench = Bench::new();
    let (path, xml) = main_form(&mut bench);
    let draft = xml.replace("General", "Everything");
    let any = [("if-match", "*"), ("if-none-match", "")];
    bench.patch(&path, &any, json!({ "formxml": draft })).done(204);
    assert_eq!(main_form(&mut bench).1, xml);
    let unpublished = format!("{path}/Microsoft.Dynamics.CRM.RetrieveUnpublished()?$select=formxml");
    assert_eq!(bench.get(&unpublished).done(200).body["formxml"], draft);
    let publish = |entity: &str| json!({ "ParameterXml": format!("<importexportxml><entities><entity>{entity}</entity></entities></importexportxml>") });
    assert_eq!(bench.send("POST", "PublishXml", &[], publish("nothing")).status, 400);
    assert_eq!(
        bench.send("POST", "PublishXml", &[], json!({ "ParameterXml": "<importexportxml>" })).status,
        400
    );
    bench.send("POST", "PublishXml", &[], publish("lead")).done(204);
    assert_eq!(main_form(&mut bench).1, xml, "another table's");
    bench.send("POST", "PublishXml", &[], publish("opportunity")).done(204);
    assert_eq!(main_form(&mut bench).1, draft);
}

#[test]
fn a_form_that_is_none_is_refused() {
    let mut bench = Bench::new();
    let (path, xml) = main_form(&mut bench);
    let any = [("if-match", "*"), ("if-none-match", "")];
    let again = xml.find("<row>").unwrap()..xml.find("</row>").unwrap() + "</row>".len();
    let cut = xml.find("</tabs>").unwrap();
    for (bad, word) in [
        (xml[..cut].to_owned(), ""),
        (xml.replace("<form>", "<from>").replace("</form>", "</from>"), "form"),
        (xml.replacen(&xml[again.clone()], &xml[again.clone()].repeat(2), 1), "twice"),
        (xml.replace("datafieldname=\"name\"", "datafieldname=\"cosell_no\""), "cosell_no"),
        (xml.replace("datafieldname=\"name\"", "datafieldname=\"estimatedvalue\""), "another type"),
        (xml.replace("cosell_solution_OpportunityId", "cosell_other"), "cosell_other"),
        (xml.replace("languagecode=\"1033\"", "languagecode=\"1031\""), "language"),
    ] {
        let told = bench.patch(&path, &any, json!({ "formxml": bad })).refused(400, "0x80040203");
        assert!(told.contains(word), "{word}: {told}");
    }
    assert_eq!(bench.patch(&path, &[], json!({ "formxml": xml })).status, 501);
}

#[test]
fn what_something_refers_to_is_not_deleted() {
    let mut bench = Bench::new();
    let delete = |bench: &mut Bench, path: &str| bench.send("DELETE", path, &[], Value::Null);
    let table = |name: &str| format!("EntityDefinitions(LogicalName='{name}')");
    let column = |table: &str, name: &str| {
        format!("EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{name}')")
    };
    // Shown on a form; part of a key; led to by a lookup; the grid of another table's form.
    delete(&mut bench, &column("opportunity", "cosell_audit")).refused(400, "0x8004f01f");
    delete(&mut bench, &column("account", "cosell_customerkey")).refused(400, "0x8004f01f");
    delete(&mut bench, &table("cosell_solutiondetail")).refused(400, "0x8004f01f");
    delete(&mut bench, &table("cosell_solution")).refused(400, "0x8004f01f");
    // The platform's own, and what is not there.
    delete(&mut bench, &column("opportunity", "name")).refused(400, "0x80047007");
    delete(&mut bench, &table("opportunity")).refused(400, "0x80047007");
    delete(&mut bench, &column("opportunity", "cosell_no")).refused(404, "0x80060888");
    let keys = bench.get(&format!("{}/Keys?$select=SchemaName", table("account"))).done(200).body;
    let id = keys["value"][0]["MetadataId"].as_str().unwrap().to_owned();
    delete(&mut bench, &format!("{}/Keys({id})", table("account"))).done(204);
    delete(&mut bench, &column("account", "cosell_customerkey")).done(204);
    assert_eq!(bench.get(&column("account", "cosell_customerkey")).status, 404);
}
