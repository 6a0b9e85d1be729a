//! `/metadata/deployRequest`: custom objects and fields out of an archive, all or nothing; the outcome is there at the
//! second look. As Salesforce's page on deployment by REST has it, since the reference names the command only.

use super::Salesforce;
use super::call::{Reply, SalesforceCall};
use super::metadata::{FieldKind, Object, OnDelete};
use super::package::{Element, files, parts};
use super::refusal::{SalesforceOutcome, SalesforceRefusal, bad, no_resource, not_json, not_modelled};
use super::standard;
use crate::server::Request;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const SPACE: &str = "http://soap.sforce.com/2006/04/metadata";
const MASTERLESS: &str = "Cannot set sharingModel to ControlledByParent on a CustomObject without a MasterDetail relationship field";

/// One that was taken: its outcome, and how often it was looked at.
#[derive(Clone, Debug)]
pub(super) struct Deployment {
    result: Value,
    looks: u32,
}

/// What stands against a component.
struct Problem {
    kind: &'static str,
    name: String,
    words: String,
}

impl Salesforce {
    /// POST: the archive is taken.
    pub(super) fn deploy(&mut self, call: &SalesforceCall, request: &Request) -> SalesforceOutcome<Reply> {
        self.demand_customize(call)?;
        let kind = request.header("content-type").unwrap_or_default();
        if !kind.starts_with("multipart/form-data") {
            return Err(not_modelled("a deployment that is no multipart/form-data"));
        }
        let parts = parts(kind, &request.body)?;
        let part = |name: &str| parts.get(name).ok_or_else(|| not_json(format!("no part `{name}`")));
        let options: Value = serde_json::from_slice(part("json")?).map_err(not_json)?;
        let options = &options["deployOptions"];
        for (name, value) in options.as_object().into_iter().flatten() {
            let expected = match name.as_str() {
                "rollbackOnError" | "singlePackage" => json!(true),
                "allowMissingFiles" | "checkOnly" | "ignoreWarnings" | "performRetrieve"
                | "purgeOnDelete" => {
                    json!(false)
                }
                "testLevel" => json!("NoTestRun"),
                _ => return Err(not_modelled(format!("the option `{name}`"))),
            };
            if *value != expected {
                return Err(not_modelled(format!("`{name}: {value}`")));
            }
        }
        if options["rollbackOnError"] != true || options["singlePackage"] != true {
            return Err(not_modelled("a deployment without `rollbackOnError` and `singlePackage`"));
        }
        let before = (self.objects.clone(), self.rows.clone(), self.definitions.clone());
        let done = self.apply(&files(part("file")?)?, call);
        let (problems, count) = match done {
            Ok(count) => (vec![], count),
            Err(Ok(problem)) => (vec![problem], 0),
            Err(Err(refusal)) => return Err(refusal),
        };
        if !problems.is_empty() {
            (self.objects, self.rows, self.definitions) = before;
        }
        let failures: Vec<Value> = problems
            .iter()
            .map(|p| {
                json!({ "componentType": p.kind, "fullName": p.name, "problem": p.words, "problemType": "Error",
                        "success": false, "created": false, "changed": false })
            })
            .collect();
        let id = self.new_id("0Af");
        let ok = problems.is_empty();
        let result = json!({ "id": id, "done": true, "success": ok, "status": if ok { "Succeeded" } else { "Failed" },
            "checkOnly": false, "rollbackOnError": true, "numberComponentsDeployed": count,
            "numberComponentErrors": problems.len(), "details": { "componentFailures": failures } });
        self.deployments.insert(id.clone(), Deployment { result, looks: 0 });
        Ok(Reply::new(201, json!({ "id": id, "deployOptions": options, "deployResult": null })))
    }

    /// GET: how it went.
    pub(super) fn deployment(
        &mut self,
        call: &SalesforceCall,
        id: &str,
        details: bool,
    ) -> SalesforceOutcome<Reply> {
        self.demand_customize(call)?;
        let held = self.deployments.get_mut(id).ok_or_else(no_resource)?;
        held.looks += 1;
        let mut result = held.result.clone();
        if held.looks < 2 {
            result = json!({ "id": id, "done": false, "success": false, "status": "InProgress" });
        } else if !details {
            result.as_object_mut().expect("an object").remove("details");
        }
        Ok(Reply::new(200, json!({ "id": id, "deployResult": result })))
    }

    /// All files in; how many components, or what is wrong with one (inside) or with the call (outside).
    fn apply(
        &mut self,
        files: &BTreeMap<String, String>,
        call: &SalesforceCall,
    ) -> Result<usize, Result<Problem, SalesforceRefusal>> {
        let problem = |kind, name: &str, words: &str| {
            Err(Ok(Problem { kind, name: name.to_owned(), words: words.to_owned() }))
        };
        let manifest = files.get("package.xml").map(|text| Element::parse(text)).transpose().map_err(Err)?;
        let Some(manifest) = manifest else {
            return problem("", "package.xml", "No package.xml found");
        };
        if manifest.space != SPACE || manifest.of("version").is_empty() {
            return problem("", "package.xml", "no namespace or no version");
        }
        let mut named: BTreeSet<(String, String)> = BTreeSet::new();
        for types in manifest.children("types") {
            let kind = types.of("name").to_owned();
            named.extend(types.children("members").map(|m| (kind.clone(), m.text.trim().to_owned())));
        }
        let mut fields = vec![];
        let mut present = BTreeSet::new();
        for (path, text) in files.iter().filter(|(path, _)| *path != "package.xml") {
            let name = path.strip_prefix("objects/").and_then(|path| path.strip_suffix(".object"));
            let name = name.ok_or_else(|| Err(not_modelled(format!("the file `{path}`"))))?;
            let root = Element::parse(text).map_err(Err)?;
            if root.name != "CustomObject" || root.space != SPACE {
                return problem("CustomObject", name, "the root is no CustomObject");
            }
            let own: Vec<&Element> = root.children("fields").collect();
            if named.contains(&("CustomObject".to_owned(), name.to_owned())) {
                present.insert(("CustomObject".to_owned(), name.to_owned()));
                let master = own.iter().any(|field| field.of("type") == "MasterDetail");
                if root.of("sharingModel") == "ControlledByParent" && !master {
                    return problem("CustomObject", name, MASTERLESS);
                }
                let object = self.new_object(name, &root, call).map_err(Err)?;
                self.objects.insert(name.to_owned(), Arc::new(object));
                self.rows.entry(name.to_owned()).or_default();
            } else if self.object(name).is_none() {
                return problem("CustomObject", name, "no such object");
            }
            for field in own {
                let full = format!("{name}.{}", field.of("fullName"));
                present.insert(("CustomField".to_owned(), full.clone()));
                fields.push((full, field.to_json()));
            }
        }
        if let Some((kind, name)) = named.difference(&present).next() {
            let words = format!("named in package.xml, but not in the archive: {kind}");
            return problem("", name, &words);
        }
        if let Some((_, name)) = present.difference(&named).next() {
            return problem("", name, "in the archive, but not named in package.xml");
        }
        for (full, mut metadata) in fields {
            metadata.as_object_mut().expect("an element with members").remove("fullName");
            match self.deploy_field(&full, &metadata, call.now) {
                Ok(()) => {}
                Err(SalesforceRefusal::Vendor(_, fault)) => {
                    return problem("CustomField", &full, &fault.message);
                }
                Err(other) => return Err(Err(other)),
            }
        }
        Ok(present.len())
    }

    fn new_object(&mut self, name: &str, root: &Element, call: &SalesforceCall) -> SalesforceOutcome<Object> {
        const KNOWN: [&str; 6] =
            ["label", "pluralLabel", "deploymentStatus", "nameField", "sharingModel", "fields"];
        if let Some(other) = root.inside.iter().find(|e| !KNOWN.contains(&e.name.as_str())) {
            return Err(not_modelled(format!("`{}` of a custom object", other.name)));
        }
        let missing = || bad("FIELD_INTEGRITY_EXCEPTION", "label, pluralLabel and nameField are needed", &[]);
        let name_field = root.children("nameField").next().ok_or_else(missing)?;
        if root.of("label").is_empty() || root.of("pluralLabel").is_empty() || !name.ends_with("__c") {
            return Err(missing());
        }
        let label = name_field.of("label");
        let title = match name_field.of("type") {
            "Text" => format!("Name | {label} | text 80 | required"),
            "AutoNumber" => {
                let format = name_field.of("displayFormat").split('{').next().unwrap_or_default();
                format!("Name | {label} | auto {format}")
            }
            other => return Err(not_modelled(format!("a name field of type `{other}`"))),
        };
        let owner = match root.of("sharingModel") {
            "ControlledByParent" => "",
            "ReadWrite" | "Private" | "Read" => "OwnerId | Owner ID | ref User Owner | keep",
            other => return Err(not_modelled(format!("the sharing model `{other}`"))),
        };
        let prefix = format!("a1{}", self.objects.values().filter(|object| object.custom()).count());
        let lines = format!("{title}\n{owner}");
        let object = standard::object(name, &prefix, root.of("label"), root.of("pluralLabel"), &lines);
        Ok(Object { changed: call.now, ..object })
    }

    /// The field through which rows of an object belong to another object's.
    pub(super) fn master_of(object: &Object) -> Option<&str> {
        object.fields.iter().find_map(|field| match &field.kind {
            FieldKind::Reference { to, .. } if field.custom() && field.required => {
                to.first().filter(|_| field.on_delete == OnDelete::Cascade).map(String::as_str)
            }
            _ => None,
        })
    }
}
