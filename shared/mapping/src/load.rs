//! Builds a map from its texts: the embedded default and an override laid over it; and runs the checks.

use crate::{
    AccountRule, CrmKind, Direction, Fault, Map, On, RecordKind, Side, Unit, check, lead, optional,
    reader::{Place, Reader, join},
    reading::{self, Readings},
    rule::{self, Kind, Rule},
    settings::{self, Audit, OwnerRule},
    shape::{Shape, UnitRule},
    status::StatusTable,
    template::Templates,
    tree::Node,
    vocabulary,
};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const TABLES: [&str; 9] =
    ["switches", "vendor", "account", "contact", "owner", "audit", "status", "fields", lead::LEAD];

/// Builds the map from the tree of an override. What has a fault is left out, and all faults are returned.
pub(crate) fn build(crm: CrmKind, top: Node) -> (Map, Vec<Fault>) {
    let mut reader = Reader::default();
    let mut tree = default_tree(crm).clone();
    optional::as_text(&mut tree, &top);
    tree.overlay(top);
    let hash = digest(&format!("{crm} {}", tree.digest_text()));

    reader.known(Place { node: &tree, key: "" }, &TABLES);
    let mut map = of_tree(&mut reader, &tree, crm, RecordKind::Opportunity, &hash);
    if let Some(of_leads) = lead::tree(&mut reader, &tree) {
        let mut faults = Reader::default();
        map.lead = Some(Box::new(of_tree(&mut faults, &of_leads, crm, RecordKind::Lead, &hash)));
        lead::add_faults(&mut reader, faults);
    }
    let mut faults = reader.faults;
    faults.sort();
    faults.dedup();
    (map, faults)
}

/// Builds the map of one kind of record.
fn of_tree(reader: &mut Reader, tree: &Node, crm: CrmKind, kind: RecordKind, hash: &str) -> Map {
    let nothing = Node::empty();
    let place = |key: &'static str| Place { node: tree.get(key).unwrap_or(&nothing), key };
    let switches = settings::switches(reader, place("switches"));
    let vendor = settings::vendor(reader, place("vendor"));
    let account: AccountRule = settings::account(reader, place("account"));
    let contact = settings::contact(reader, place("contact"));
    let owner: OwnerRule = settings::owner(reader, place("owner"));
    let audit: Audit = settings::audit(reader, place("audit"));
    let status = StatusTable::read(reader, place("status"), crm, kind);
    let rules = rules(reader, place("fields")).into_iter();
    let rules: Vec<Rule> = rules.map(|rule| rule.in_zone(vendor.closing_date_zone).of_crm(crm)).collect();
    let templates = Templates::compile(reader, &rules, tree);
    let rules = optional::giving_way(rules);
    check::all(reader, &rules, tree, kind);

    let mut rules = units(rules, switches.patch_name);
    reading::note(&mut rules, tree);
    let by_name = by_name(&rules);
    Map {
        crm,
        kind,
        hash: hash.to_owned(),
        switches,
        vendor,
        account,
        contact,
        owner,
        audit,
        status,
        rules,
        unseen: Vec::new(),
        by_name,
        templates,
        before: Readings::new(),
        lead: None,
    }
}

/// The positions of the rules, ordered by their names.
pub(crate) fn by_name(rules: &[UnitRule]) -> Vec<usize> {
    let mut by_name: Vec<usize> = (0..rules.len()).collect();
    by_name.sort_by_key(|at| &rules[*at].unit.name);
    by_name
}

pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tree of an embedded default, parsed once. A test ensures that it has no fault.
fn default_tree(crm: CrmKind) -> &'static Node {
    fn parsed(crm: CrmKind, text: &str) -> Node {
        let mut tree = Node::parse(text, false).unwrap_or_else(|faults| panic!("{faults:?}"));
        vocabulary::fill(&mut tree, crm);
        tree
    }
    static DYNAMICS365: LazyLock<Node> =
        LazyLock::new(|| parsed(CrmKind::Dynamics365, include_str!("../maps/dynamics365.toml")));
    static SALESFORCE: LazyLock<Node> =
        LazyLock::new(|| parsed(CrmKind::Salesforce, include_str!("../maps/salesforce.toml")));
    match crm {
        CrmKind::Dynamics365 => &DYNAMICS365,
        CrmKind::Salesforce => &SALESFORCE,
    }
}

fn rules(reader: &mut Reader, place: Place<'_>) -> Vec<Rule> {
    let Some(entries) = place.node.table() else {
        reader.fault(place.node.line, place.key, format!("expected a table, found {}", place.node.what()));
        return Vec::new();
    };
    let mut rules = Vec::new();
    for (name, node) in entries {
        let key = join(place.key, name);
        let place = Place { node, key: &key };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            reader.fault(node.line, &key, "expected a name of lower-case letters, digits and `_`");
        }
        if reader.yes(place, "off", false) {
            continue;
        }
        rules.extend(rule::read(reader, place, name, false));
    }
    rules
}

fn units(rules: Vec<Rule>, patch_name: bool) -> Vec<UnitRule> {
    let (members, rules): (Vec<Rule>, Vec<Rule>) = rules.into_iter().partition(|rule| rule.group.is_some());
    let own = |rule: &Rule| {
        members.iter().filter(|member| member.group.as_ref() == Some(&rule.name)).cloned().collect::<Vec<_>>()
    };
    rules
        .into_iter()
        .map(|rule| {
            let group = own(&rule);
            UnitRule { unit: unit(&rule, &group, patch_name), shape: shape(rule, group) }
        })
        .collect()
}

fn shape(rule: Rule, group: Vec<Rule>) -> Shape {
    match rule.kind {
        Kind::Group => Shape::Group(group),
        Kind::List => Shape::List(Box::new(rule)),
        Kind::Status => Shape::Status,
        _ => Shape::Plain(Box::new(rule)),
    }
}

fn unit(rule: &Rule, group: &[Rule], patch_name: bool) -> Unit {
    let direction = rule.direction.unwrap_or(Direction::Both);
    let status = rule.kind == Kind::Status;
    let composed = |wanted| rule.template.is_some() && direction == wanted;
    let mut paths = group.iter().chain([rule]).filter_map(|rule| rule.referral.as_ref());
    let patchable = match rule.name.as_str() {
        _ if status => true,
        crate::fields::NAME => patch_name,
        _ => rule.referral.is_some() == group.is_empty() && paths.all(|path| path.is_patchable()),
    };
    Unit {
        name: rule.name.clone(),
        direction,
        on: rule.on.unwrap_or(if rule.constant.is_some() { On::Create } else { On::Both }),
        owner: rule.owner.unwrap_or(Side::Crm),
        list: rule.kind == Kind::List,
        rise_only: rule.rise_only,
        only_while_empty: rule.only_while_empty,
        has_referral: status
            || composed(Direction::ToCrm)
            || group.iter().chain([rule]).any(|rule| rule.referral.is_some() && rule.constant.is_none()),
        has_crm: status
            || composed(Direction::ToPartnerCenter)
            || group.iter().chain([rule]).any(|rule| rule.crm.is_some()),
        required_by_crm: rule.required_by_crm,
        patchable,
        label: rule.shown_as().to_owned(),
        reading: String::new(),
    }
}
