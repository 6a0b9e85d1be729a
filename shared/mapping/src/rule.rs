//! A rule of a map: `[fields.<name>]`, or a member of a list.

use crate::{
    CrmKind, Direction, On, Side,
    path::Path,
    reader::{Place, Reader, join},
    tree::Raw,
};
use jiff::tz::Offset;
use serde_json::Value as Json;

/// How a value is read, compared and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Trimmed and in lower case.
    Email,
    /// Text that is never cut.
    Phone,
    /// A GUID in lower case, or any other text without blanks around it.
    Id,
    /// A decimal number that is never sent to Partner Center as 0 or empty.
    Money,
    Number,
    /// A date without a time of day.
    Date,
    Country,
    Currency,
    Boolean,
    Choice,
    Group,
    List,
    Status,
}

const KINDS: [(&str, Kind); 14] = [
    ("text", Kind::Text),
    ("email", Kind::Email),
    ("phone", Kind::Phone),
    ("id", Kind::Id),
    ("money", Kind::Money),
    ("number", Kind::Number),
    ("date", Kind::Date),
    ("country", Kind::Country),
    ("currency", Kind::Currency),
    ("boolean", Kind::Boolean),
    ("choice", Kind::Choice),
    ("group", Kind::Group),
    ("list", Kind::List),
    ("status", Kind::Status),
];

impl Kind {
    /// Whether a value leads to a person or a thing only as a whole: one that is too long for the target is left out,
    /// never cut.
    pub(crate) fn is_identifier(self) -> bool {
        matches!(self, Kind::Email | Kind::Phone | Kind::Id)
    }
}

/// When a referral cannot be created without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Required {
    Never,
    Always,
    /// Only if help from Microsoft is asked for.
    WithHelp,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) referral: Option<Path>,
    pub(crate) referral_else: Option<Path>,
    /// The path of the text's lines after the first.
    pub(crate) referral_next: Option<Path>,
    pub(crate) crm: Option<String>,
    pub(crate) lookup: Option<(String, String)>,
    pub(crate) direction: Option<Direction>,
    pub(crate) on: Option<On>,
    pub(crate) owner: Option<Side>,
    pub(crate) group: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) members: Vec<Rule>,
    /// Of a list that comes from one related row: the list of the CRM whose rows are further elements. Of a list of
    /// child rows: a column with ids, which is only read.
    pub(crate) further: Option<String>,
    /// Of a list's member: it is written with a new element, but never compared.
    pub(crate) carried: bool,
    pub(crate) values: Vec<(String, Json)>,
    pub(crate) empty: Option<String>,
    pub(crate) length: Option<usize>,
    pub(crate) referral_length: Option<usize>,
    pub(crate) precision: u32,
    /// Of a date: the zone in which instants in UTC are read as days ([`day`](crate::day)).
    pub(crate) zone: Option<Offset>,
    pub(crate) default: Option<Json>,
    /// Defaults for a co-sell deal, by the id of a solution in it.
    pub(crate) solution_default: Vec<(String, Json)>,
    pub(crate) crm_default: Option<Json>,
    pub(crate) constant: Option<Json>,
    pub(crate) template: Option<String>,
    pub(crate) entities: bool,
    pub(crate) required: Required,
    pub(crate) required_by_crm: bool,
    pub(crate) rise_only: bool,
    pub(crate) only_while_empty: bool,
    /// The rule is not used until its column was seen in the CRM.
    pub(crate) optional: bool,
    /// The CRM would read `@{...}` in a text as a reference.
    pub(crate) references: bool,
}

/// The keys of a list's member; a rule of its own may also have those of [`RULE_ONLY`].
const MEMBER_KEYS: [&str; 19] = [
    "kind",
    "label",
    "referral",
    "referral_else",
    "referral_next",
    "crm",
    "lookup",
    "direction",
    "values",
    "empty",
    "length",
    "referral_length",
    "precision",
    "default",
    "crm_default",
    "constant",
    "entities",
    "required",
    "carried",
];
const RULE_ONLY: [&str; 13] = [
    "on",
    "owner",
    "group",
    "key",
    "members",
    "further",
    "template",
    "required_by_crm",
    "rise_only",
    "only_while_empty",
    "solution_default",
    "optional",
    "off",
];

/// All keys that a rule may have.
#[cfg(test)]
pub(crate) fn all_keys() -> impl Iterator<Item = &'static str> {
    MEMBER_KEYS.into_iter().chain(RULE_ONLY)
}

const DIRECTIONS: [(&str, Direction); 3] = [
    ("both", Direction::Both),
    ("to_crm", Direction::ToCrm),
    ("to_partner_center", Direction::ToPartnerCenter),
];
const REQUIRED: [(&str, Required); 3] =
    [("never", Required::Never), ("always", Required::Always), ("with_help", Required::WithHelp)];

/// Reads a rule; `None`: it cannot be used, and its faults were added to `reader`.
pub(crate) fn read(reader: &mut Reader, place: Place<'_>, name: &str, member: bool) -> Option<Rule> {
    let keys: Vec<&str> = if member {
        MEMBER_KEYS.to_vec()
    } else {
        MEMBER_KEYS.iter().filter(|key| **key != "carried").chain(&RULE_ONLY).copied().collect()
    };
    if !reader.known(place, &keys) {
        return None;
    }
    let kind = reader.word(place, "kind", &KINDS);
    if place.node.get("kind").is_none() {
        let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
        reader.fault(
            place.node.line,
            join(place.key, "kind"),
            format!("missing: expected {}", crate::reader::one_of(&words)),
        );
    }
    let default_precision = if kind == Some(Kind::Money) { 2 } else { 10 };
    let rule = Rule {
        name: name.to_owned(),
        label: reader.text(place, "label"),
        kind: kind.unwrap_or(Kind::Text),
        referral: path(reader, place, "referral"),
        referral_else: path(reader, place, "referral_else"),
        referral_next: path(reader, place, "referral_next"),
        crm: reader.text(place, "crm"),
        lookup: lookup(reader, place),
        direction: reader.word(place, "direction", &DIRECTIONS),
        on: reader.word(place, "on", &[("create", On::Create), ("update", On::Update), ("both", On::Both)]),
        owner: reader.word(place, "owner", &[("crm", Side::Crm), ("partner_center", Side::PartnerCenter)]),
        group: reader.text(place, "group"),
        key: reader.text(place, "key"),
        members: members(reader, place),
        further: reader.text(place, "further"),
        carried: reader.yes(place, "carried", false),
        values: reader.pairs(place, "values"),
        empty: reader.text(place, "empty"),
        length: reader.number(place, "length", 1).map(|n| n as usize),
        referral_length: reader.number(place, "referral_length", 1).map(|n| n as usize),
        precision: reader.number(place, "precision", 0).unwrap_or(default_precision),
        zone: None,
        default: reader.plain(place, "default"),
        solution_default: reader.pairs(place, "solution_default"),
        crm_default: reader.plain(place, "crm_default"),
        constant: reader.plain(place, "constant"),
        template: reader.text(place, "template"),
        entities: reader.yes(place, "entities", kind == Some(Kind::Text)),
        required: reader.word(place, "required", &REQUIRED).unwrap_or(Required::Never),
        required_by_crm: reader.yes(place, "required_by_crm", false),
        rise_only: reader.yes(place, "rise_only", false),
        only_while_empty: reader.yes(place, "only_while_empty", false),
        optional: reader.yes(place, "optional", false),
        references: false,
    };
    kind.map(|_| rule)
}

fn path(reader: &mut Reader, place: Place<'_>, key: &str) -> Option<Path> {
    let text = reader.text(place, key)?;
    match Path::parse(&text) {
        Ok(path) => Some(path),
        Err(expected) => {
            let line = place.node.get(key).map_or(0, |node| node.line);
            reader.fault(line, join(place.key, key), format!("`{text}`: {expected}"));
            None
        }
    }
}

fn lookup(reader: &mut Reader, place: Place<'_>) -> Option<(String, String)> {
    let node = place.node.get("lookup")?;
    if matches!(&node.raw, Raw::Text(text) if text.is_empty()) {
        return None;
    }
    let key = join(place.key, "lookup");
    let place = Place { node, key: &key };
    if !reader.known(place, &["table", "column"]) {
        return None;
    }
    let pair = (reader.text(place, "table"), reader.text(place, "column"));
    if let (Some(table), Some(column)) = pair {
        return Some((table, column));
    }
    reader.fault(node.line, key, "expected `table` and `column`");
    None
}

fn members(reader: &mut Reader, place: Place<'_>) -> Vec<Rule> {
    let Some(node) = place.node.get("members") else { return Vec::new() };
    let key = join(place.key, "members");
    let Some(entries) = node.table() else {
        reader.fault(node.line, key, format!("expected a table, found {}", node.what()));
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|(name, node)| read(reader, Place { node, key: &join(&key, name) }, name, true))
        .collect()
}

impl Rule {
    /// The same rule with this zone, for itself and its members.
    pub(crate) fn in_zone(self, zone: Option<Offset>) -> Rule {
        let members = self.members.into_iter().map(|member| member.in_zone(zone)).collect();
        Rule { zone, members, ..self }
    }

    /// The same rule of a map for this CRM, for itself and its members.
    pub(crate) fn of_crm(self, crm: CrmKind) -> Rule {
        let members = self.members.into_iter().map(|member| member.of_crm(crm)).collect();
        Rule { references: crm == CrmKind::Salesforce, members, ..self }
    }

    /// What sellers call it: its label, else its column, else its name.
    pub(crate) fn shown_as(&self) -> &str {
        self.label.as_deref().or(self.crm.as_deref()).unwrap_or(&self.name)
    }
}
