//! Decides whether a referral and a record are about the same customer.

use crate::{Map, Record, Referral, Value, country, keys::reads_alike, shape::Shape};

/// The rules of the customer's name, address and country.
const NAME: &str = "customer_name";
const ADDRESS: &str = "address";
const COUNTRY: &str = "country";

impl Map {
    /// The column of accounts that holds the country as text.
    pub fn country_column(&self) -> Option<&str> {
        let members =
            self.rules.iter().filter(|one| one.unit.name == ADDRESS).filter_map(|one| match &one.shape {
                Shape::Group(rules) => Some(rules),
                _ => None,
            });
        let rule = members.flatten().find(|rule| rule.name == COUNTRY && rule.lookup.is_none())?;
        rule.crm.as_deref()?.strip_prefix("account.")
    }

    /// Whether the customer's name reads alike on both sides, and the countries, if both sides have one, are the same.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Record, RecordId, Referral};
    /// use serde_json::json;
    ///
    /// let referral = Referral::parse(json!({
    ///     # "id": "9b7a51de-4c0e-4f3b-8a52-61c0d7aa0e02", "updatedDateTime": "2026-04-10T12:00:05Z",
    ///     # "status": "Active", "substatus": "Accepted", "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
    ///     "customerProfile": { "name": "Kestrel Foods Ltd" },
    /// }))?;
    /// let id = RecordId::parse("opportunity/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55").unwrap();
    /// let of = |account: &str| [("account.name".to_owned(), json!(account))].into();
    /// let mut record = Record { id, columns: of("KESTREL Foods, Ltd."), lists: [].into() };
    /// assert!(Map::standard(CrmKind::Dynamics365).is_same_customer(&referral, &record));
    /// record.columns = of("Kestrel Drinks Ltd");
    /// assert!(!Map::standard(CrmKind::Dynamics365).is_same_customer(&referral, &record));
    /// # Ok::<(), mapping::Malformed>(())
    /// ```
    pub fn is_same_customer(&self, referral: &Referral, record: &Record) -> bool {
        let names = (self.referral_field(NAME, referral), self.record_field(NAME, record));
        let (Some(Value::Text(theirs)), Some(Value::Text(ours))) = names else { return false };
        let shown = |address: Option<Value>| address?.member(COUNTRY).text().map(str::to_owned);
        // The CRM may hold the code of a country or its name.
        let code = |address: Value| self.to_partner_center(ADDRESS, &address).ok();
        let of_record = self.record_field(ADDRESS, record).and_then(code);
        let apart = match (shown(self.referral_field(ADDRESS, referral)), shown(of_record)) {
            (Some(theirs), Some(ours)) => country::are_apart(&theirs, &ours),
            _ => false,
        };
        reads_alike(&theirs, &ours) && !apart
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CrmKind;

    #[test]
    fn a_country_by_its_name_is_the_one_by_its_code() {
        let map = Map::standard(CrmKind::Dynamics365);
        let text = include_str!("../tests/fixtures/referral-outgoing-cosell-active.json");
        let record: serde_json::Value =
            serde_json::from_str(include_str!("../tests/fixtures/record-dynamics365.json")).unwrap();
        let record = Record {
            id: serde_json::from_value(record["id"].clone()).unwrap(),
            columns: serde_json::from_value(record["columns"].clone()).unwrap(),
            lists: serde_json::from_value(record["lists"].clone()).unwrap(),
        };
        let name = map.record_field(NAME, &record).unwrap();
        for (theirs, same) in [("GB", true), ("United Kingdom", true), ("England", true), ("Germany", false)]
        {
            let mut body: serde_json::Value = serde_json::from_str(text).unwrap();
            body["customerProfile"]["name"] = name.text().unwrap().into();
            body["customerProfile"]["address"]["country"] = theirs.into();
            let referral = Referral::parse(body).unwrap();
            assert_eq!(map.is_same_customer(&referral, &record), same, "{theirs}");
        }
    }
}
