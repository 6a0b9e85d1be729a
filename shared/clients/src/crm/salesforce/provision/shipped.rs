//! The metadata that this connector ships (`shared/salesforce`), as texts: a command creates the same in an org as an
//! administrator who deploys it.

macro_rules! object {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!(
                "../../../../../salesforce/main/default/objects/",
                $name,
                "/",
                $name,
                ".object-meta.xml"
            )),
        )
    };
}

macro_rules! field {
    ($object:literal, $name:literal) => {
        (
            $object,
            $name,
            include_str!(concat!(
                "../../../../../salesforce/main/default/objects/",
                $object,
                "/fields/",
                $name,
                ".field-meta.xml"
            )),
        )
    };
}

/// A custom object of ours: its name and its definition.
pub const OBJECTS: [(&str, &str); 2] =
    [object!("Microsoft_Solution_Detail__c"), object!("Microsoft_Solution__c")];

/// A custom field of ours: its object, its name, its definition.
pub const FIELDS: &[(&str, &str, &str)] = &[
    field!("Account", "Partner_Center_Customer_Key__c"),
    field!("Contact", "Partner_Center_Contact_Key__c"),
    field!("Lead", "Audit__c"),
    field!("Lead", "How_can_Microsoft_help__c"),
    field!("Lead", "Marketplace_Intent__c"),
    field!("Lead", "Microsoft_CRM_Identifier__c"),
    field!("Lead", "Referral_Identifier__c"),
    field!("Lead", "Referral_Link__c"),
    field!("Lead", "Referral_Program__c"),
    field!("Lead", "Sync_with_Partner_Center__c"),
    field!("Lead", "Visible_to_Microsoft_Sellers__c"),
    field!("Microsoft_Solution_Detail__c", "Solution_Identifier__c"),
    field!("Microsoft_Solution_Detail__c", "Publisher__c"),
    field!("Microsoft_Solution_Detail__c", "Type__c"),
    field!("Microsoft_Solution__c", "Opportunity__c"),
    field!("Microsoft_Solution__c", "Solution_Detail__c"),
    field!("Opportunity", "Audit__c"),
    field!("Opportunity", "How_can_Microsoft_help__c"),
    field!("Opportunity", "Marketplace_Intent__c"),
    field!("Opportunity", "Microsoft_CRM_Identifier__c"),
    field!("Opportunity", "Referral_Identifier__c"),
    field!("Opportunity", "Referral_Link__c"),
    field!("Opportunity", "Referral_Program__c"),
    field!("Opportunity", "Solution_Area__c"),
    field!("Opportunity", "Solution_Play__c"),
    field!("Opportunity", "Sync_with_Partner_Center__c"),
    field!("Opportunity", "Visible_to_Microsoft_Sellers__c"),
];

/// The content of a definition's root element, for use in another document.
pub(super) fn inside(definition: &str) -> &str {
    let root = definition.split_once("xmlns=").and_then(|(_, rest)| rest.split_once(">\n"));
    let inside = root.map_or(definition, |(_, rest)| rest);
    inside.rsplit_once("</").map_or(inside, |(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::{CrmKind, Map};
    use std::collections::BTreeSet;

    #[test]
    fn everything_the_map_calls_ours_is_shipped() {
        let map = Map::standard(CrmKind::Salesforce);
        let wanted = map.wanted_columns();
        let ours = wanted.iter().filter(|column| map.is_ours(&column.name));
        let ours: BTreeSet<_> =
            ours.map(|c| (super::super::super::object_of_table(c.table), &*c.name)).collect();
        let lookups = ["Opportunity__c", "Solution_Detail__c"].map(|name| ("Microsoft_Solution__c", name));
        let shipped: BTreeSet<_> = FIELDS.iter().map(|(object, name, _)| (*object, *name)).collect();
        assert_eq!(shipped, ours.into_iter().chain(lookups).collect());
    }

    #[test]
    fn what_is_inside_is_elements_only() {
        for (_, _, definition) in FIELDS {
            let inside = inside(definition);
            assert!(inside.starts_with("    <fullName>") && inside.ends_with(">\n"), "{inside}");
            assert!(!inside.contains("CustomField"), "{inside}");
        }
    }
}
