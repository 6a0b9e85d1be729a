//! Finds the unit of a field that a vendor's refusal names.

use crate::{Map, Record, Side, fields::NAME, path::Path, rule::Rule, shape::Shape};

impl Map {
    /// The unit with this column of the record (`estimatedvalue`) or this path of a referral (`/details/dealValue`,
    /// `details.dealValue`).
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Side};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// assert_eq!(map.unit_of(Side::Crm, "transactioncurrencyid"), Some("value"));
    /// assert_eq!(map.unit_of(Side::PartnerCenter, "/details/dealValue"), Some("value"));
    /// assert_eq!(map.unit_of(Side::Crm, "new_region"), None);
    /// ```
    pub fn unit_of(&self, side: Side, field: &str) -> Option<&str> {
        let pointer = format!("/{}", field.trim_start_matches('/').replace('.', "/"));
        let named = |rule: &Rule| match side {
            Side::Crm => rule.crm.as_deref() == Some(field),
            Side::PartnerCenter => rule.referral.as_ref().map(Path::pointer).as_ref() == Some(&pointer),
        };
        let found = self.rules.iter().find(|one| match &one.shape {
            Shape::Plain(rule) | Shape::List(rule) => named(rule),
            Shape::Group(rules) => rules.iter().any(named),
            Shape::Status => match side {
                Side::Crm => self.status.columns.iter().any(|(_, column)| column == field),
                Side::PartnerCenter => matches!(pointer.as_str(), "/status" | "/substatus" | "/statusReason"),
            },
        });
        found.map(|one| one.unit.name.as_str())
    }

    /// The record's name as it is in the CRM, with its check mark.
    pub fn shown_name<'a>(&self, record: &'a Record) -> Option<&'a str> {
        record.columns.get(self.column(NAME)?)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CrmKind;

    #[test]
    fn refusals_lead_back_to_their_unit() {
        let map = Map::standard(CrmKind::Dynamics365);
        for (side, field, unit) in [
            (Side::Crm, "description", Some("notes")),
            (Side::Crm, "transactioncurrencyid", Some("value")),
            (Side::Crm, "statuscode", Some("status")),
            (Side::Crm, "new_unknown", None),
            (Side::PartnerCenter, "/details/dealValue", Some("value")),
            (Side::PartnerCenter, "details.requirements.solutions", Some("solutions")),
            (Side::PartnerCenter, "substatus", Some("status")),
        ] {
            assert_eq!(map.unit_of(side, field), unit, "{field}");
        }
    }
}
