//! A field map, and questions to it.

use crate::{
    AccountRule, ContactRule, CrmKind, Fault, RecordId, RecordKind, Refusal, Switches, Unit, Vendor,
    list::{is_relation, text_column},
    load,
    reading::Readings,
    rule::Rule,
    settings::{Audit, OwnerRule},
    shape::{Shape, UnitRule},
    status::StatusTable,
    template::Templates,
    tree::Node,
};
use std::{collections::BTreeSet, sync::LazyLock};

/// A field map: the default of one CRM with an override laid over it.
pub struct Map {
    pub(crate) crm: CrmKind,
    /// The kind of records that it is for.
    pub(crate) kind: RecordKind,
    pub(crate) hash: String,
    pub(crate) switches: Switches,
    pub(crate) vendor: Vendor,
    pub(crate) account: AccountRule,
    pub(crate) contact: ContactRule,
    pub(crate) owner: OwnerRule,
    pub(crate) audit: Audit,
    pub(crate) status: StatusTable,
    pub(crate) rules: Vec<UnitRule>,
    /// Optional rules that are not used, because their columns were not seen yet.
    pub(crate) unseen: Vec<UnitRule>,
    /// The positions of the rules, ordered by name: reading fields in this order needs no search.
    pub(crate) by_name: Vec<usize>,
    pub(crate) templates: Templates,
    /// How units were read before readings were stored with each link.
    pub(crate) before: Readings,
    /// The map of leads, if there are any.
    pub(crate) lead: Option<Box<Map>>,
}

/// A column that a CRM client has to read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnUse {
    /// Its name, without that of the relation.
    pub name: String,
    /// For a lookup: the table to which it leads, and the column of that table whose text is its value.
    pub lookup: Option<(String, String)>,
}

static DYNAMICS365: LazyLock<Map> = LazyLock::new(|| load::build(CrmKind::Dynamics365, Node::empty()).0);
static SALESFORCE: LazyLock<Map> = LazyLock::new(|| load::build(CrmKind::Salesforce, Node::empty()).0);

impl Map {
    /// The default map of a CRM. A test ensures that the embedded files have no fault.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// assert_eq!(Map::standard(CrmKind::Dynamics365).column("referral_id"), Some("cosell_referralid"));
    /// assert_eq!(Map::standard(CrmKind::Salesforce).column("referral_id"), Some("Referral_Identifier__c"));
    /// ```
    pub fn standard(crm: CrmKind) -> &'static Map {
        match crm {
            CrmKind::Dynamics365 => &DYNAMICS365,
            CrmKind::Salesforce => &SALESFORCE,
        }
    }

    /// The default map with an override laid over it, or all faults of the override.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let map = Map::with_override(CrmKind::Dynamics365, "[fields.notes]\ncrm = \"new_scope\"")?;
    /// assert_eq!(map.column("notes"), Some("new_scope"));
    /// let Err(faults) = Map::with_override(CrmKind::Dynamics365, "[switches]\nchek_mark = true") else { panic!() };
    /// assert!(faults[0].to_string().starts_with("line 2: switches: unknown key `chek_mark`"), "{}", faults[0]);
    /// # Ok::<(), Vec<mapping::Fault>>(())
    /// ```
    pub fn with_override(crm: CrmKind, toml_text: &str) -> Result<Map, Vec<Fault>> {
        let (map, faults) = load::build(crm, Node::parse(toml_text, true)?);
        if faults.is_empty() { Ok(map) } else { Err(faults) }
    }

    /// The rules that are used only if the CRM has their column: each rule's name and its column.
    pub fn optional(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.iter().chain(&self.unseen).filter_map(|one| match &one.shape {
            Shape::Plain(rule) if rule.optional => Some((rule.name.as_str(), rule.crm.as_deref()?)),
            _ => None,
        })
    }

    /// Whether an optional rule is not used, because its column was not seen in the CRM yet.
    pub fn waits_for_columns(&self) -> bool {
        !self.unseen.is_empty()
    }

    /// The same map without the optional rules that are not in `seen`: those whose column was not seen in the CRM yet.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let seen = ["solution_area".to_owned()].into();
    /// let map = Map::with_override(CrmKind::Dynamics365, "")?.with_seen(&seen);
    /// assert!(map.unit("solution_area").is_some());
    /// assert!(map.unit("solution_play").is_none() && map.waits_for_columns());
    /// # Ok::<(), Vec<mapping::Fault>>(())
    /// ```
    pub fn with_seen(mut self, seen: &BTreeSet<String>) -> Map {
        let names: Vec<String> =
            self.optional().map(|(rule, _)| rule.to_owned()).filter(|rule| !seen.contains(rule)).collect();
        if !names.is_empty() {
            let (unseen, used) = self.rules.into_iter().partition(|one| names.contains(&one.unit.name));
            (self.unseen, self.rules) = (unseen, used);
            self.by_name = load::by_name(&self.rules);
            self.hash = load::digest(&format!("{} {}", self.hash, names.join(" ")));
            if let Some(lead) = &mut self.lead {
                lead.hash.clone_from(&self.hash);
            }
        }
        self
    }

    /// The map of one kind of record. Without a `[lead]` section there are no leads, and this is the map itself.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, RecordKind};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// assert_eq!(map.column("customer_name"), Some("account.name"));
    /// assert_eq!(map.of(RecordKind::Lead).column("customer_name"), Some("companyname"));
    /// ```
    pub fn of(&self, kind: RecordKind) -> &Map {
        match (kind, &self.lead) {
            (RecordKind::Lead, Some(lead)) => lead,
            _ => self,
        }
    }
    /// Whether a referral that is not accepted yet becomes a lead.
    pub fn has_leads(&self) -> bool {
        self.lead.is_some()
    }
    /// A digest of the map's content; layout and comments do not change it.
    pub fn hash(&self) -> &str {
        &self.hash
    }
    /// The CRM that it is for.
    pub fn crm(&self) -> CrmKind {
        self.crm
    }
    /// What `[switches]` says, with all defaults.
    pub fn switches(&self) -> &Switches {
        &self.switches
    }
    /// What `[vendor]` says, with all defaults.
    pub fn vendor(&self) -> &Vendor {
        &self.vendor
    }
    /// What `[account]` says, with all defaults.
    pub fn account(&self) -> &AccountRule {
        &self.account
    }
    /// What `[contact]` says, with all defaults.
    pub fn contact(&self) -> &ContactRule {
        &self.contact
    }
    /// The audit column and the most characters that it can hold, if the map names one.
    pub fn audit_column(&self) -> Option<(&str, usize)> {
        Some((self.audit.crm.as_deref()?, self.audit.length))
    }

    /// All merge units, in the order of the map.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.rules.iter().map(|one| &one.unit)
    }

    /// The merge unit of this name, if the map uses it.
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units().find(|unit| unit.name == name)
    }

    pub(crate) fn rule(&self, unit: &str) -> Result<&UnitRule, Refusal> {
        self.rules
            .iter()
            .find(|one| one.unit.name == unit)
            .ok_or_else(|| Refusal::new(unit, "the map has no such rule"))
    }

    /// The rule of a unit that is one value.
    pub(crate) fn plain_rule(&self, unit: &str) -> Option<&Rule> {
        self.rules.iter().find_map(|one| match &one.shape {
            Shape::Plain(rule) if one.unit.name == unit => Some(&**rule),
            _ => None,
        })
    }

    /// Whether the elements of a list also come from the CRM's sales team.
    pub fn has_sales_team(&self) -> bool {
        self.rules
            .iter()
            .any(|one| matches!(&one.shape, Shape::List(rule) if is_relation(rule) && rule.further.is_some()))
    }

    /// The columns of the record that name further elements of a list of child rows.
    pub fn text_columns(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(|one| match &one.shape {
            Shape::List(rule) => text_column(rule),
            _ => None,
        })
    }

    /// The column of a unit that has exactly one, such as `referral_id`.
    pub fn column(&self, unit: &str) -> Option<&str> {
        self.plain_rule(unit)?.crm.as_deref()
    }

    /// The columns that a CRM client has to read: of the record itself (`""`), of a related row (`account`, `contact`,
    /// `owner`), or of the rows of a list (`solutions`; columns of the row to which such a row points begin with
    /// `detail.`).
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let columns = Map::standard(CrmKind::Dynamics365).columns("contact");
    /// let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    /// assert_eq!(names, ["emailaddress1", "firstname", "lastname", "telephone1"]);
    /// ```
    pub fn columns(&self, relation: &str) -> Vec<ColumnUse> {
        let mut columns = Vec::new();
        if relation.is_empty() {
            columns.extend(self.text_columns().map(|name| ColumnUse { name: name.to_owned(), lookup: None }));
        }
        for one in &self.rules {
            match &one.shape {
                Shape::Plain(rule) => {
                    columns.extend(rule.crm.as_deref().and_then(|crm| used(rule, crm, relation)));
                    let composed = self.templates.columns(rule);
                    columns.extend(composed.filter_map(|crm| used(rule, crm, relation)));
                }
                Shape::Group(rules) => {
                    columns
                        .extend(rules.iter().filter_map(|rule| used(rule, rule.crm.as_deref()?, relation)));
                }
                Shape::List(list) if is_relation(list) => {
                    columns.extend(
                        list.members.iter().filter_map(|rule| used(rule, rule.crm.as_deref()?, relation)),
                    );
                }
                Shape::List(list) if list.crm.as_deref() == Some(relation) => {
                    let of_row = |rule: &Rule| {
                        Some(ColumnUse { name: rule.crm.clone()?, lookup: rule.lookup.clone() })
                    };
                    columns.extend(list.members.iter().filter_map(of_row));
                }
                Shape::Status if relation.is_empty() => {
                    let status =
                        self.status.columns.iter().map(|(_, column)| column).chain(&self.status.reason);
                    columns.extend(status.map(|name| ColumnUse { name: name.clone(), lookup: None }));
                }
                Shape::List(_) | Shape::Status => {}
            }
        }
        columns.sort();
        columns.dedup_by(|a, b| a.name == b.name);
        columns
    }

    /// The record that a text names, if it has the form of an id of this CRM: a GUID (Dynamics), or 15 or 18
    /// characters with a known prefix and a correct checksum (Salesforce). Any other text is a number of the partner's
    /// own.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let map = Map::standard(CrmKind::Salesforce);
    /// let id = map.shaped_like_record_id("0065i00000QkT3a").map(|id| id.to_string());
    /// assert_eq!(id.as_deref(), Some("opportunity/0065i00000QkT3aAAF"));
    /// assert_eq!(map.shaped_like_record_id("0065i00000QkT3aAAA"), None, "the checksum is wrong");
    /// assert_eq!(map.shaped_like_record_id("DEAL-2026-17"), None);
    /// ```
    pub fn shaped_like_record_id(&self, text: &str) -> Option<RecordId> {
        let text = text.trim();
        match self.crm {
            CrmKind::Dynamics365 => {
                let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
                let id = crate::ReferralId::parse(bare)?;
                Some(RecordId { kind: RecordKind::Opportunity, id: id.as_str().to_owned() })
            }
            CrmKind::Salesforce => {
                let id = salesforce_id(text)?;
                let kind = match id.get(..3)? {
                    "006" => RecordKind::Opportunity,
                    "00Q" => RecordKind::Lead,
                    _ => return None,
                };
                Some(RecordId { kind, id })
            }
        }
    }
}

impl Map {
    /// The record of the other kind that the same id may name. In Dynamics a GUID can be of either table; in
    /// Salesforce the prefix of an id names its table.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, RecordId};
    ///
    /// let deal = RecordId::parse("opportunity/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55").unwrap();
    /// let lead = RecordId::parse("lead/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55");
    /// assert_eq!(Map::standard(CrmKind::Dynamics365).other_kind(&deal), lead);
    /// assert_eq!(Map::standard(CrmKind::Salesforce).other_kind(&deal), None);
    /// ```
    pub fn other_kind(&self, record: &RecordId) -> Option<RecordId> {
        let kind = match record.kind {
            RecordKind::Opportunity => RecordKind::Lead,
            RecordKind::Lead => RecordKind::Opportunity,
        };
        let tells = self.crm == CrmKind::Salesforce || !self.has_leads();
        (!tells).then(|| RecordId { kind, id: record.id.clone() })
    }
}

fn used(rule: &Rule, crm: &str, relation: &str) -> Option<ColumnUse> {
    let name = match crm.split_once('.') {
        Some((of, column)) => (of == relation).then_some(column)?,
        None => relation.is_empty().then_some(crm)?,
    };
    Some(ColumnUse { name: name.to_owned(), lookup: rule.lookup.clone() })
}

/// An id with 18 characters. The last three encode which of the first 15 are capitals (vendors/salesforce.md, *Ids*).
fn salesforce_id(text: &str) -> Option<String> {
    let all_alphanumeric = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !all_alphanumeric || !matches!(text.len(), 15 | 18) {
        return None;
    }
    let (head, given) = text.split_at(15);
    let suffix: String = head
        .as_bytes()
        .chunks(5)
        .map(|block| {
            let capitals = block.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
            let index = capitals.fold(0usize, |bits, (n, _)| bits | 1 << n);
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[index])
        })
        .collect();
    (given.is_empty() || given == suffix).then(|| format!("{head}{suffix}"))
}
