//! Fields of Microsoft's package, or made by hand from its page of 2020, that do what a missing field of ours would do:
//! found by API name without namespace, or by label. They are used by a map laid over the default one, never doubled.

use super::suits;
use crate::report::Report;
use clients::crm::salesforce::{describe::DescribedField, object_of_table};
use mapping::{Map, WantedColumn, WantedTable};
use serde_json::json;

#[derive(Default)]
pub(crate) struct Twins {
    /// What is wanted, and the field that stands in for it.
    found: Vec<(WantedColumn, String)>,
}

impl Twins {
    /// A field that stands in for a wanted one.
    pub(crate) fn add(&mut self, wanted: &WantedColumn, other: &str) {
        self.found.push((wanted.clone(), other.to_owned()));
    }

    /// A fault for each, and the override in the data.
    pub(crate) fn told(self, all: &[WantedColumn], report: &mut Report) {
        for (wanted, other) in &self.found {
            let object = object_of_table(wanted.table);
            report.fault(
                format!("`{object}.{}` is not there, but `{object}.{other}` looks like it", wanted.name),
                "add the lines of `data.override` to your map: {\"command\": \"map\", \"action\": \"set\", \"map\": \"…\"}; then `provision`",
            );
        }
        let lines = self.lines(all);
        if !lines.is_empty() {
            report.data = json!({ "override": lines.join("\n") + "\n" });
        }
    }

    /// The field that does what is wanted.
    fn stand_in<'a>(&'a self, wanted: &'a WantedColumn) -> &'a str {
        let found = self.found.iter().find(|(w, _)| (w.table, &w.name) == (wanted.table, &wanted.name));
        found.map_or(wanted.name.as_str(), |(_, other)| other)
    }

    /// What the map has to say. A lead's fields are named as the deal's are, where its own section does not differ.
    fn lines(&self, all: &[WantedColumn]) -> Vec<String> {
        let (leads, deals): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.table == WantedTable::Lead);
        let mut lines: Vec<String> = vec![];
        for deal in deals.iter().filter(|deal| self.stand_in(deal) != deal.name) {
            lines.push(format!("{} = {:?}", deal.at, self.stand_in(deal)));
        }
        for lead in leads {
            let deal = deals.iter().find(|deal| deal.at == lead.at && deal.name == lead.name);
            let inherited = deal.map_or(lead.name.as_str(), |deal| self.stand_in(deal));
            if self.stand_in(lead) != inherited {
                lines.push(format!("lead.{} = {:?}", lead.at, self.stand_in(lead)));
            }
        }
        lines
    }
}

/// The field that does what a missing one of ours would do. `fields`: by name, with what is known of them.
pub(crate) fn twin<'a>(
    map: &Map,
    all: &[WantedColumn],
    wanted: &WantedColumn,
    fields: impl Iterator<Item = (&'a str, Option<&'a DescribedField>)>,
) -> Option<String> {
    // Rows of Microsoft Solutions and of the catalogue are of our own objects.
    let replaceable = !matches!(wanted.table, WantedTable::Solution | WantedTable::SolutionDetail);
    if !replaceable || !map.is_ours(&wanted.name) {
        return None;
    }
    let taken = |name: &str| all.iter().any(|one| one.table == wanted.table && one.name == name);
    let own = fields.filter(|(name, _)| name.ends_with("__c") && !taken(name));
    let mut by_label = None;
    for (name, field) in own {
        if field.is_some_and(|field| !suits(&wanted.kind, &field.kind)) {
            continue;
        }
        if without_namespace(name).eq_ignore_ascii_case(&wanted.name) {
            return Some(name.to_owned());
        }
        if field.is_some_and(|field| plain(&field.label) == plain(&wanted.label)) {
            by_label = by_label.or(Some(name.to_owned()));
        }
    }
    by_label
}

/// `MSPC__Audit__c` becomes `Audit__c`; a name without a namespace stays as it is.
fn without_namespace(name: &str) -> &str {
    match name.split_once("__") {
        Some((_, rest)) if rest.contains("__") => rest,
        _ => name,
    }
}

/// Letters and digits only: `Sync With Partner Center?` reads like `Sync with Partner Center`.
fn plain(label: &str) -> String {
    label.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::CrmKind;

    fn field(label: &str, kind: &str) -> DescribedField {
        DescribedField { label: label.into(), kind: kind.into(), ..DescribedField::default() }
    }

    #[test]
    fn a_twin_has_the_name_behind_a_namespace_or_the_label_and_the_type() {
        let map = Map::standard(CrmKind::Salesforce);
        let all = map.wanted_columns();
        let found = |name: &str, fields: &[(&str, DescribedField)]| {
            let wanted = all.iter().find(|column| column.name == name).unwrap();
            twin(map, &all, wanted, fields.iter().map(|(name, field)| (*name, Some(field))))
        };
        let audit = |kind: &str| [("MSPC__Audit__c", field("Anything", kind))];
        assert_eq!(found("Audit__c", &audit("textarea")).as_deref(), Some("MSPC__Audit__c"));
        assert_eq!(found("Audit__c", &audit("boolean")), None);
        let label = [("PC_Sync__c", field("Sync With Partner Center", "boolean"))];
        assert_eq!(found("Sync_with_Partner_Center__c", &label).as_deref(), Some("PC_Sync__c"));
        let other = [("Referral_Link__c", field("Audit", "textarea"))];
        assert_eq!(found("Audit__c", &other), None, "it is wanted itself");
        assert_eq!(found("Amount", &[("X__Amount__c", field("Amount", "currency"))]), None);
    }
}
