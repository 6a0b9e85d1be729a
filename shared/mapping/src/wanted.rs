//! What a map demands of the CRM: the columns that it names, and what must fit into each. `provision` creates those
//! that are missing; `doctor` and `map check` compare them with the CRM's metadata.

mod columns;

use crate::{
    CrmKind, Map, RecordKind,
    status::{Phase, phase_of_pair},
};
use serde_json::Value as Json;

/// The table that a column is in, as maps name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WantedTable {
    /// The table of deals.
    Opportunity,
    /// The table of leads.
    Lead,
    /// The table of customers.
    Account,
    /// A contact of a customer.
    Contact,
    /// The table of users.
    Owner,
    /// A row of Microsoft Solutions.
    Solution,
    /// A row of the catalogue.
    SolutionDetail,
}

/// What must fit into a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedKind {
    /// Text of this many characters; `None`: the map does not limit it.
    Text(Option<usize>),
    /// Text of several lines.
    Memo(usize),
    /// A boolean: yes or no.
    Boolean,
    /// One of these options: the CRM's value (a number in Dynamics, a text in Salesforce), and its label for sellers.
    Choice(Vec<(Json, String)>),
    /// An amount in the record's currency.
    Money,
    /// A day without a time.
    Date,
    /// A number without a currency.
    Number,
    /// A reference to a row of this table, which is found by this column.
    Lookup(String, String),
}

/// A column that the map names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedColumn {
    /// The table that it is in.
    pub table: WantedTable,
    /// Its name there, as the map writes it.
    pub name: String,
    /// What sellers call it.
    pub label: String,
    /// What must fit into it.
    pub kind: WantedKind,
    /// Whether no two rows may have the same value: an alternate key, or an external id.
    pub key: bool,
    /// Whether only the connector writes it, so that a user's change is overwritten.
    pub read_only: bool,
    /// Whether the connector writes it.
    pub written: bool,
    /// Whether the CRM may lack it; its rule is then not used.
    pub optional: bool,
    /// Where the map names it, such as `fields.deal_value.crm`.
    pub at: String,
}

/// A stage that the map names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedStage {
    /// Its name in the CRM.
    pub name: String,
    /// Whether it must be a closed one.
    pub closed: bool,
    /// Whether it must be a won one.
    pub won: bool,
    /// Where the map names it.
    pub at: String,
}

impl Map {
    /// All columns that the map names, each once, in the map's order; those of leads after those of opportunities.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, WantedKind};
    ///
    /// let wanted = Map::standard(CrmKind::Dynamics365).wanted_columns();
    /// let key = wanted.iter().find(|column| column.name == "cosell_referralid").unwrap();
    /// assert!(key.key && key.written);
    /// assert_eq!(key.kind, WantedKind::Text(Some(100)));
    /// ```
    pub fn wanted_columns(&self) -> Vec<WantedColumn> {
        let mut wanted = vec![];
        self.wanted_of(WantedTable::Opportunity, &mut wanted);
        if self.has_leads() {
            self.of(RecordKind::Lead).wanted_of(WantedTable::Lead, &mut wanted);
        }
        let keys = [
            (WantedTable::Account, &self.account.key, "Partner Center Customer Key", "account.key"),
            (WantedTable::Contact, &self.contact.key, "Partner Center Contact Key", "contact.key"),
        ];
        for (table, name, label, at) in keys {
            let (name, label, at) = (name.clone(), label.to_owned(), at.to_owned());
            let kind = WantedKind::Text(Some(100));
            let (written, read_only) = (true, true);
            let optional = false;
            wanted.push(WantedColumn {
                table,
                name,
                label,
                kind,
                key: true,
                written,
                read_only,
                optional,
                at,
            });
        }
        let mut once: Vec<WantedColumn> = vec![];
        for one in wanted {
            match once.iter_mut().find(|known| (known.table, &known.name) == (one.table, &one.name)) {
                Some(known) => {
                    known.key |= one.key;
                    known.written |= one.written;
                }
                None => once.push(one),
            }
        }
        once
    }

    /// All stages that the map names, if the CRM has stages.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let stages = Map::standard(CrmKind::Salesforce).wanted_stages();
    /// assert!(stages.iter().any(|stage| stage.name == "Closed Won" && stage.closed && stage.won));
    /// assert_eq!(Map::standard(CrmKind::Dynamics365).wanted_stages(), []);
    /// ```
    pub fn wanted_stages(&self) -> Vec<WantedStage> {
        let table = self.status.crm.iter().filter_map(|(pair, shown)| {
            let (name, phase) = (shown.get("stage")?.clone(), phase_of_pair(pair)?);
            let (closed, won) = (phase.is_closed(), phase == Phase::Won);
            Some(WantedStage { name, closed, won, at: format!("status.crm.{pair:?}.stage") })
        });
        let of_stages = self.crm == CrmKind::Salesforce;
        let waiting = self.status.on_hold.iter().filter(|_| of_stages).map(|name| WantedStage {
            name: name.clone(),
            closed: false,
            won: false,
            at: "status.on_hold".to_owned(),
        });
        let mut once: Vec<WantedStage> = vec![];
        for one in table.chain(waiting) {
            if !once.iter().any(|k| (&k.name, k.closed, k.won) == (&one.name, one.closed, one.won)) {
                once.push(one);
            }
        }
        once
    }

    /// The columns for a pair of Partner Center such as `New/Pending`, and their values.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let shown = Map::standard(CrmKind::Dynamics365).shown_for("Closed/Won");
    /// assert_eq!(shown, [("statecode", "1"), ("statuscode", "3")]);
    /// ```
    pub fn shown_for(&self, pair: &str) -> Vec<(&str, &str)> {
        let Some((_, shown)) = self.status.crm.iter().find(|(known, _)| *known == pair) else {
            return vec![];
        };
        let columns = self.status.columns.iter();
        columns.filter_map(|(member, column)| Some((column.as_str(), shown.get(*member)?.as_str()))).collect()
    }

    /// Whether a column is one of our own, which set-up may create: in Dynamics by its prefix; in Salesforce, where
    /// all custom fields look alike, by the names of the default map.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let map = Map::standard(CrmKind::Salesforce);
    /// assert!(map.is_ours("Referral_Identifier__c"));
    /// assert!(!map.is_ours("Deal_Budget__c") && !map.is_ours("Amount"));
    /// ```
    pub fn is_ours(&self, column: &str) -> bool {
        match self.crm {
            CrmKind::Dynamics365 => column.starts_with("cosell_"),
            CrmKind::Salesforce => {
                let named = || Map::standard(CrmKind::Salesforce).wanted_columns();
                column.ends_with("__c") && named().iter().any(|wanted| wanted.name == column)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(table: WantedTable, name: &str) -> WantedColumn {
        let all = Map::standard(CrmKind::Dynamics365).wanted_columns();
        let found: Vec<_> = all.into_iter().filter(|w| w.table == table && w.name == name).collect();
        assert_eq!(found.len(), 1, "{name}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn columns_say_what_must_fit() {
        use WantedTable::{Account, Contact, Lead, Opportunity, Solution, SolutionDetail};
        let kind = |table, name| wanted(table, name).kind;
        assert_eq!(kind(Opportunity, "cosell_syncwithpartnercenter"), WantedKind::Boolean);
        assert_eq!(kind(Lead, "cosell_referrallink"), WantedKind::Text(Some(255)));
        assert_eq!(kind(Opportunity, "cosell_audit"), WantedKind::Memo(10_000));
        assert_eq!(kind(Opportunity, "estimatedvalue"), WantedKind::Money);
        assert_eq!(kind(Account, "address1_country"), WantedKind::Text(None));
        assert_eq!(kind(Solution, "cosell_name"), WantedKind::Text(Some(200)));
        let currency = WantedKind::Lookup("transactioncurrency".into(), "isocurrencycode".into());
        assert_eq!(kind(Opportunity, "transactioncurrencyid"), currency);
        for (table, key) in [
            (Opportunity, "cosell_referralid"),
            (Lead, "cosell_referralid"),
            (Account, "cosell_customerkey"),
            (Contact, "cosell_contactkey"),
            (SolutionDetail, "cosell_solutionid"),
        ] {
            assert!(wanted(table, key).key, "{key}");
        }
    }

    #[test]
    fn what_the_connector_alone_writes_is_known() {
        use WantedTable::{Lead, Opportunity};
        let read_only = |table, name: &str| wanted(table, name).read_only;
        for name in ["referralid", "referrallink", "microsoftcrmid", "referralprogram", "audit"] {
            assert!(read_only(Opportunity, &format!("cosell_{name}")), "{name}");
        }
        for name in ["syncwithpartnercenter", "helprequested", "visibletomicrosoft", "marketplaceintent"] {
            assert!(!read_only(Opportunity, &format!("cosell_{name}")), "{name}");
        }
        assert!(read_only(Lead, "cosell_referralid") && !read_only(Opportunity, "name"));
    }

    #[test]
    fn what_is_only_read_is_told_and_where_the_map_names_it() {
        let all = Map::standard(CrmKind::Salesforce).wanted_columns();
        let one = |name: &str| {
            let found = all.iter().find(|column| column.name == name);
            found.map(|column| (column.written, column.at.as_str())).unwrap()
        };
        assert_eq!(one("Amount"), (true, "fields.deal_value.crm"));
        assert_eq!(one("Id"), (false, "fields.external_reference.crm"));
        assert_eq!(one("IsWon"), (false, "status.won"));
        assert_eq!(one("StageName"), (true, "status.stage"));
        assert_eq!(one("Solution_Identifier__c"), (true, "fields.solutions.members.id.crm"));
        assert_eq!(one("Partner_Center_Customer_Key__c"), (true, "account.key"));
        assert!(one("LastName").0, "of a contact");
    }

    #[test]
    fn stages_must_mean_what_the_map_means() {
        let stages = Map::standard(CrmKind::Salesforce).wanted_stages();
        let named: Vec<_> = stages.iter().map(|s| (s.name.as_str(), s.closed, s.won)).collect();
        let expected = [
            ("Qualification", false, false),
            ("Prospecting", false, false),
            ("Closed Won", true, true),
            ("Closed Lost", true, false),
        ];
        assert_eq!(named, expected);
        assert!(Map::standard(CrmKind::Dynamics365).wanted_stages().is_empty());
    }

    #[test]
    fn how_a_record_stands_is_shown_by_the_maps_columns() {
        let dynamics = Map::standard(CrmKind::Dynamics365);
        assert_eq!(dynamics.shown_for("New/Pending"), [("statecode", "0"), ("statuscode", "2")]);
        assert_eq!(Map::standard(CrmKind::Salesforce).shown_for("Closed/Won"), [("StageName", "Closed Won")]);
        assert!(dynamics.shown_for("New/Nothing").is_empty());
    }

    #[test]
    fn in_salesforce_only_the_default_maps_names_are_ours() {
        let map = Map::standard(CrmKind::Salesforce);
        assert!(map.is_ours("Audit__c"));
        for other in ["Amount", "Deal_Size__c", "MSPC__Audit__c"] {
            assert!(!map.is_ours(other), "{other}");
        }
    }

    #[test]
    fn options_are_read_by_people() {
        let WantedKind::Choice(options) = wanted(WantedTable::Opportunity, "cosell_helprequested").kind
        else {
            panic!("a choice")
        };
        assert_eq!(options.len(), 6);
        assert_eq!(options[3], (serde_json::json!(100_000_004), "Quotes or licensing".to_owned()));
    }
}
