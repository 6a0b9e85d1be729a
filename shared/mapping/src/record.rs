//! A record of the CRM, with the CRM's own column names.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Which CRM.
///
/// ```
/// use mapping::CrmKind;
///
/// assert_eq!("salesforce".parse(), Ok(CrmKind::Salesforce));
/// assert_eq!(CrmKind::Dynamics365.as_str(), "dynamics365");
/// assert!("Dynamics".parse::<CrmKind>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrmKind {
    /// Dynamics 365 Sales (Dataverse).
    Dynamics365,
    /// Salesforce (Sales Cloud), with or without multi-currency.
    Salesforce,
}

impl CrmKind {
    /// The name in data, parameters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            CrmKind::Dynamics365 => "dynamics365",
            CrmKind::Salesforce => "salesforce",
        }
    }
}

impl fmt::Display for CrmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no CRM.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no CRM: expected one of `dynamics365`, `salesforce`")]
pub struct UnknownCrm(pub String);

impl FromStr for CrmKind {
    type Err = UnknownCrm;

    fn from_str(text: &str) -> Result<Self, UnknownCrm> {
        match text {
            "dynamics365" => Ok(CrmKind::Dynamics365),
            "salesforce" => Ok(CrmKind::Salesforce),
            _ => Err(UnknownCrm(text.to_owned())),
        }
    }
}

/// Which table of the CRM a record is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A deal; in both CRMs the table of opportunities.
    Opportunity,
    /// A lead, of which an opportunity may be made.
    Lead,
}

impl RecordKind {
    /// The name in data and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            RecordKind::Opportunity => "opportunity",
            RecordKind::Lead => "lead",
        }
    }
}

/// A record's id: `opportunity/<id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The table that it is in.
    pub kind: RecordKind,
    /// Its id there: a GUID, or 18 characters of Salesforce.
    pub id: String,
}

impl RecordId {
    /// Reads what `Display` writes.
    ///
    /// ```
    /// use mapping::{RecordId, RecordKind};
    ///
    /// let id = RecordId::parse("lead/00Q5i000002abcDEAQ").unwrap();
    /// assert_eq!((id.kind, id.to_string()), (RecordKind::Lead, "lead/00Q5i000002abcDEAQ".to_owned()));
    /// assert_eq!(RecordId::parse("contact/0035i000004abcDAAQ"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once('/')?;
        let kind = match kind {
            "opportunity" => RecordKind::Opportunity,
            "lead" => RecordKind::Lead,
            _ => return None,
        };
        (!id.is_empty()).then(|| RecordId { kind, id: id.to_owned() })
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.id)
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        RecordId::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a record id")))
    }
}

/// A record of the CRM, with the CRM's own column names. A missing column was not observed; JSON null is an empty one.
///
/// Columns of related rows begin with the relation's name (`account.address1_country`, `contact.firstname`,
/// `owner.internalemailaddress`). The relation's name alone is the column with the related row's id. A lookup that the
/// map reads by a column of its table has that column's text (`transactioncurrencyid` is `CHF`).
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its table, and its id there.
    pub id: RecordId,
    /// The values of columns, by name.
    pub columns: BTreeMap<String, serde_json::Value>,
    /// The rows of lists, by the lists' names (`solutions`). Columns of the row to which a row points begin with
    /// `detail.`; a row's own id is in `@id`. A list that is missing was not read.
    pub lists: BTreeMap<String, Vec<BTreeMap<String, serde_json::Value>>>,
}
