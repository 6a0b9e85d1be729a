//! Shipped objects and fields as the archive of one deployment: a manifest, and a file per object.

use super::{
    shipped::{FIELDS, OBJECTS, inside},
    zip,
};
use std::collections::{BTreeMap, BTreeSet};

const SPACE: &str = "http://soap.sforce.com/2006/04/metadata";
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The archive of these objects and fields (object and name), by this version of the API.
pub(super) fn package(
    objects: &BTreeSet<&'static str>,
    fields: &BTreeSet<(&'static str, &'static str)>,
    version: &str,
) -> Vec<u8> {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for (name, definition) in OBJECTS.iter().filter(|(name, _)| objects.contains(name)) {
        files.entry(name).or_default().push_str(inside(definition));
    }
    for (object, _, definition) in FIELDS.iter().filter(|(object, name, _)| fields.contains(&(object, name)))
    {
        let file = files.entry(object).or_default();
        *file += "    <fields>\n";
        *file += inside(definition);
        *file += "    </fields>\n";
    }
    let root = |name: &str, inside: &str| format!("{HEAD}<{name} xmlns=\"{SPACE}\">\n{inside}</{name}>\n");
    let full = fields.iter().map(|(object, name)| format!("{object}.{name}"));
    let types = types("CustomObject", objects.iter().map(ToString::to_string)) + &types("CustomField", full);
    let manifest = root("Package", &format!("{types}    <version>{version}</version>\n"));
    let mut all = vec![("package.xml".to_owned(), manifest)];
    all.extend(
        files.iter().map(|(name, text)| (format!("objects/{name}.object"), root("CustomObject", text))),
    );
    zip::archive(all.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

fn types(kind: &str, members: impl Iterator<Item = String>) -> String {
    let members: String = members.map(|name| format!("        <members>{name}</members>\n")).collect();
    if members.is_empty() {
        return members;
    }
    format!("    <types>\n{members}        <name>{kind}</name>\n    </types>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_names_what_it_holds_and_nothing_else() {
        let objects = BTreeSet::from(["Microsoft_Solution__c"]);
        let fields =
            BTreeSet::from([("Microsoft_Solution__c", "Opportunity__c"), ("Opportunity", "Audit__c")]);
        let archive = package(&objects, &fields, "62.0");
        let text = String::from_utf8_lossy(&archive).into_owned();
        for part in [
            "<members>Microsoft_Solution__c</members>",
            "<members>Opportunity.Audit__c</members>",
            "<version>62.0</version>",
            "objects/Opportunity.object",
            "<fullName>Opportunity__c</fullName>",
            "<sharingModel>ControlledByParent</sharingModel>",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("Referral_Link__c") && !text.contains("Solution_Detail__c"), "{text}");
    }
}
