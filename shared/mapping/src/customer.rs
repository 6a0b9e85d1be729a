//! Decides whether a referral and a record are about the same customer.

use crate::{Map, Record, Referral, Value, keys::reads_alike, shape::Shape};

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
    pub fn is_same_customer(&self, referral: &Referral, record: &Record) -> bool {
        let names = (self.referral_field(NAME, referral), self.record_field(NAME, record));
        let (Some(Value::Text(theirs)), Some(Value::Text(ours))) = names else { return false };
        let country = |address: Option<Value>| address?.member(COUNTRY).text().map(str::to_owned);
        // The CRM may hold the code of a country or its name.
        let code = |address: Value| self.to_partner_center(ADDRESS, &address).ok();
        let of_record = self.record_field(ADDRESS, record).and_then(code);
        let apart = match (country(self.referral_field(ADDRESS, referral)), country(of_record)) {
            (Some(theirs), Some(ours)) => !reads_alike(&theirs, &ours),
            _ => false,
        };
        reads_alike(&theirs, &ours) && !apart
    }
}
