//! A field map, and what it tells about itself.

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
    /// The records it is for.
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
    /// Optional rules that are not used.
    pub(crate) unseen: Vec<UnitRule>,
    /// The rules' positions by name: fields that come in order need no searching for their place.
    pub(crate) by_name: Vec<usize>,
    pub(crate) templates: Templates,
    /// How units were read when nobody noted it yet.
    pub(crate) before: Readings,
    /// What it says of leads, as a map of its own.
    pub(crate) lead: Option<Box<Map>>,
}

/// A column the CRM client selects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnUse {
    /// Its name, without the relation's.
    pub name: String,
    /// It is a lookup, shown as the text of this column of this table.
    pub lookup: Option<(String, String)>,
}

static DYNAMICS365: LazyLock<Map> = LazyLock::new(|| load::build(CrmKind::Dynamics365, Node::empty()).0);
static SALESFORCE: LazyLock<Map> = LazyLock::new(|| load::build(CrmKind::Salesforce, Node::empty()).0);

impl Map {
    /// The default map of a CRM. A test holds that the embedded files are without fault.
    pub fn standard(crm: CrmKind) -> &'static Map {
        match crm {
            CrmKind::Dynamics365 => &DYNAMICS365,
            CrmKind::Salesforce => &SALESFORCE,
        }
    }

    /// The default map with an override laid over it; all faults of it at once.
    pub fn with_override(crm: CrmKind, toml_text: &str) -> Result<Map, Vec<Fault>> {
        let (map, faults) = load::build(crm, Node::parse(toml_text, true)?);
        if faults.is_empty() { Ok(map) } else { Err(faults) }
    }

    /// Rules that are used only where the CRM has their column: rule and column of the opportunity.
    pub fn optional(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.iter().chain(&self.unseen).filter_map(|one| match &one.shape {
            Shape::Plain(rule) if rule.optional => Some((rule.name.as_str(), rule.crm.as_deref()?)),
            _ => None,
        })
    }

    /// Whether an optional rule is not used because nobody has seen its column.
    pub fn waits_for_columns(&self) -> bool {
        !self.unseen.is_empty()
    }

    /// The same map without the optional rules whose column nobody has seen yet.
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

    /// The map of one kind of record. Without a `[lead]` section there are no leads.
    pub fn of(&self, kind: RecordKind) -> &Map {
        match (kind, &self.lead) {
            (RecordKind::Lead, Some(lead)) => lead,
            _ => self,
        }
    }
    /// Whether unaccepted leads become leads.
    pub fn has_leads(&self) -> bool {
        self.lead.is_some()
    }
    /// A digest of what the map says; the same for the same content, whatever its layout and comments.
    pub fn hash(&self) -> &str {
        &self.hash
    }
    /// Whose map it is.
    pub fn crm(&self) -> CrmKind {
        self.crm
    }
    /// `[switches]`.
    pub fn switches(&self) -> &Switches {
        &self.switches
    }
    /// `[vendor]`.
    pub fn vendor(&self) -> &Vendor {
        &self.vendor
    }
    /// `[account]`.
    pub fn account(&self) -> &AccountRule {
        &self.account
    }
    /// `[contact]`.
    pub fn contact(&self) -> &ContactRule {
        &self.contact
    }
    /// The audit column and the characters it takes, if there is one.
    pub fn audit_column(&self) -> Option<(&str, usize)> {
        Some((self.audit.crm.as_deref()?, self.audit.length))
    }

    /// Every merge unit, in the order of the map.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.rules.iter().map(|one| &one.unit)
    }

    /// One merge unit.
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units().find(|unit| unit.name == name)
    }

    pub(crate) fn rule(&self, unit: &str) -> Result<&UnitRule, Refusal> {
        self.rules
            .iter()
            .find(|one| one.unit.name == unit)
            .ok_or_else(|| Refusal::new(unit, "the map has no such rule"))
    }

    /// The rule of a plain unit.
    pub(crate) fn plain_rule(&self, unit: &str) -> Option<&Rule> {
        self.rules.iter().find_map(|one| match &one.shape {
            Shape::Plain(rule) if one.unit.name == unit => Some(&**rule),
            _ => None,
        })
    }

    /// Whether a list takes the colleagues of the CRM's sales team.
    pub fn has_sales_team(&self) -> bool {
        self.rules
            .iter()
            .any(|one| matches!(&one.shape, Shape::List(rule) if is_relation(rule) && rule.further.is_some()))
    }

    /// Columns of the record that name further elements of a list of rows.
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

    /// What the CRM client selects: of the record itself (`""`), of a related row (`account`, `contact`, `owner`), or
    /// of the rows of a list (`solutions`; what a row points to has `detail.` in front).
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

    /// The record a text names, if it is shaped like an id of this CRM: a GUID (Dynamics), 15 or 18 characters with
    /// a known prefix and a right checksum (Salesforce). Anything else is somebody's own number.
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
    /// The other record the same id may name: a GUID says nothing of its table (Dynamics), a prefix does (Salesforce).
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

/// The 18-character form. The last three say which of the first 15 are capitals (vendors/salesforce.md, *Ids*).
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
