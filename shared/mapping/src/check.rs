//! Checks what must hold between the keys of a rule and between rules. A fault does not end the check: all are
//! collected.

use crate::{
    Direction, On, RecordKind,
    list::RELATIONS,
    path::PATCHABLE,
    reader::{Reader, bare, one_of},
    rule::{Kind, Required, Rule},
    scalar,
    tree::Node,
};

/// Rules on which the code relies, and the kind that each must have.
const NEEDED: [(&str, Kind, &str); 17] = [
    ("name", Kind::Text, "text"),
    ("value", Kind::Group, "group"),
    ("deal_value", Kind::Money, "money"),
    ("currency", Kind::Currency, "currency"),
    ("closing_date", Kind::Date, "date"),
    ("status", Kind::Status, "status"),
    ("visible", Kind::Boolean, "boolean"),
    ("help", Kind::Choice, "choice"),
    ("solutions", Kind::List, "list"),
    ("external_reference", Kind::Text, "text"),
    ("referral_id", Kind::Id, "id"),
    ("sync", Kind::Boolean, "boolean"),
    ("customer_name", Kind::Text, "text"),
    ("address", Kind::Group, "group"),
    ("country", Kind::Country, "country"),
    ("contacts", Kind::List, "list"),
    ("team", Kind::List, "list"),
];

/// Those of them that a lead needs too. A lead needs no name: in Salesforce it has no name but its person's.
const NEEDED_OF_LEADS: [&str; 5] = ["status", "external_reference", "referral_id", "sync", "customer_name"];

/// The line of a dotted key in the override: of the key itself, else of its rule or table; 0 if all of these are the
/// default's.
pub(crate) fn line_of(tree: &Node, key: &str) -> usize {
    let (mut at, mut line) = (tree, 0);
    for (depth, part) in key.split('.').enumerate() {
        let Some(node) = at.get(part) else { break };
        at = node;
        if node.line > 0 && depth > 0 {
            line = node.line;
        }
    }
    line
}

/// The faults so far, and the tree of the map in which they are.
pub(crate) struct Check<'a> {
    pub(crate) reader: &'a mut Reader,
    pub(crate) tree: &'a Node,
}

pub(crate) fn all(reader: &mut Reader, rules: &[Rule], tree: &Node, of: RecordKind) {
    let mut check = Check { reader, tree };
    for (name, kind, word) in NEEDED {
        if of == RecordKind::Lead && !NEEDED_OF_LEADS.contains(&name) {
            continue;
        }
        match rules.iter().find(|rule| rule.name == name) {
            None => {
                let off = line_of(tree, &format!("fields.{name}.off"));
                check.fault_at(
                    off,
                    &format!("fields.{name}"),
                    "this rule is needed: expected it to be there and not `off`",
                );
            }
            Some(rule) if rule.kind != kind => {
                check.fault(
                    rule,
                    "kind",
                    &format!("expected `{word}`, which the code relies on for this rule"),
                );
            }
            Some(_) => {}
        }
    }
    for rule in rules {
        check.group(rule, rules);
        check.list(rule);
        check.ends(rule);
        check.values(rule, &format!("fields.{}", rule.name));
        check.patch(rule);
        if of == RecordKind::Lead {
            check.of_lead(rule);
        }
    }
    check.twice(rules);
}

impl Check<'_> {
    pub(crate) fn fault_at(&mut self, line: usize, key: &str, text: &str) {
        self.reader.fault(line, key, text);
    }

    pub(crate) fn fault(&mut self, rule: &Rule, key: &str, text: &str) {
        let key = format!("fields.{}.{key}", rule.name);
        let line = line_of(self.tree, &key);
        self.reader.fault(line, key, text);
    }

    /// Whether the rule has this key, even if the key's value was refused already.
    fn given(&self, rule: &Rule, key: &str) -> bool {
        let node =
            self.tree.get("fields").and_then(|fields| fields.get(&rule.name)).and_then(|node| node.get(key));
        node.is_some_and(|node| node.plain().is_none_or(|text| text != ""))
    }

    /// Checks where the rule reads and writes: `referral`, `crm`, and what they demand of its other keys.
    fn ends(&mut self, rule: &Rule) {
        if matches!(rule.kind, Kind::Group | Kind::List | Kind::Status) {
            return;
        }
        let direction = rule.direction.unwrap_or(Direction::Both);
        if rule.constant.is_some() && rule.template.is_some() {
            self.fault(rule, "template", "a rule has a `constant` or a `template`, not both");
        }
        if rule.template.is_some() && direction == Direction::Both {
            self.fault(
                rule,
                "direction",
                "expected one of `to_crm`, `to_partner_center`: composed text has no way back",
            );
        }
        if rule.constant.is_some() && direction == Direction::Both && rule.group.is_none() {
            self.fault(rule, "direction", "expected one of `to_crm`, `to_partner_center` for a constant");
        }
        let composed = rule.constant.is_some() || rule.template.is_some();
        if !self.given(rule, "referral") && (direction == Direction::ToPartnerCenter || !composed) {
            self.fault(rule, "referral", "missing: expected a path such as `details.dealValue`");
        }
        if !self.given(rule, "crm") && (direction == Direction::ToCrm || !composed) {
            self.fault(rule, "crm", "missing: expected the name of a column");
        }
        for (key, path) in [("referral_else", &rule.referral_else), ("referral_next", &rule.referral_next)] {
            if path.is_some() && rule.referral.is_none() {
                self.fault(rule, key, "expected a `referral` besides");
            }
        }
        if rule.required != Required::Never && direction == Direction::ToCrm {
            self.fault(rule, "required", "expected `never`: this rule sends nothing to Partner Center");
        }
        if let Some((relation, _)) = rule.crm.as_deref().and_then(|crm| crm.split_once('.')) {
            let writes = direction != Direction::ToPartnerCenter;
            if !RELATIONS.contains(&relation) {
                self.fault(rule, "crm", &format!("`{relation}`: expected {}", one_of(&RELATIONS)));
            } else if writes && relation != "account" {
                self.fault(
                    rule,
                    "crm",
                    "only the columns of `account` can be written, and of `contact` by the list `contacts`",
                );
            } else if writes && rule.group.is_none() && rule.on.unwrap_or(On::Both) != On::Create {
                self.fault(rule, "on", "expected `create`: a related row is never rewritten");
            }
        }
        let whole = rule.group.is_none() && rule.crm.as_deref().is_some_and(|crm| !crm.contains('.'));
        if rule.optional && (!whole || rule.kind == Kind::List) {
            self.fault(
                rule,
                "optional",
                "expected a column of the record itself, outside of groups and lists",
            );
        }
        if rule.rise_only && !matches!(rule.kind, Kind::Boolean | Kind::Choice) {
            self.fault(rule, "rise_only", "expected kind `boolean` or `choice`");
        }
    }

    /// Checks the keys that only some kinds may have. `at` is the dotted key of the rule or member.
    pub(crate) fn values(&mut self, rule: &Rule, at: &str) {
        let mut wrong = Vec::new();
        if rule.kind == Kind::Choice && rule.values.is_empty() && rule.constant.is_none() {
            wrong.push((
                "values",
                "missing: expected Partner Center's words and the CRM's options".to_owned(),
            ));
        }
        if rule.kind != Kind::Choice && !rule.values.is_empty() {
            wrong.push(("values", "only a rule of kind `choice` has this".to_owned()));
        }
        let options: Vec<_> = rule.values.iter().map(|(_, option)| bare(option)).collect();
        let way_back = rule.direction != Some(Direction::ToCrm);
        let twice = options.iter().enumerate().find(|(n, option)| options[..*n].contains(option));
        if let Some((_, twice)) = twice.filter(|_| way_back) {
            wrong.push(("values", format!("option `{twice}` stands twice, so there is no way back")));
        }
        if let (Some(default), false) = (&rule.default, rule.values.is_empty()) {
            let words: Vec<&str> = rule.values.iter().map(|(word, _)| word.as_str()).collect();
            if !words.contains(&&*bare(default)) {
                wrong.push(("default", format!("`{}`: expected {}", bare(default), one_of(&words))));
            }
        }
        for (solution, word) in &rule.solution_default {
            let unknown = scalar::unknown_code(rule, word).map(|text| format!("`{solution}` = {text}"));
            wrong.extend(unknown.map(|text| ("solution_default", text)));
            let words: Vec<&str> = rule.values.iter().map(|(word, _)| word.as_str()).collect();
            if !words.is_empty() && !words.contains(&&*bare(word)) {
                let text = format!("`{solution}` = `{}`: expected {}", bare(word), one_of(&words));
                wrong.push(("solution_default", text));
            }
        }
        for (key, plain) in
            [("constant", &rule.constant), ("default", &rule.default), ("crm_default", &rule.crm_default)]
        {
            wrong.extend(plain.iter().filter_map(|plain| Some((key, scalar::unknown_code(rule, plain)?))));
        }
        let textual = rule.kind == Kind::Text || rule.kind.is_identifier();
        for (key, given) in
            [("length", rule.length.is_some()), ("referral_length", rule.referral_length.is_some())]
        {
            if given && !textual {
                wrong.push((key, "only kinds `text`, `email`, `phone` and `id` have this".to_owned()));
            }
        }
        if rule.precision > 10 {
            wrong.push(("precision", "expected at most 10 decimals".to_owned()));
        }
        if rule.lookup.is_some() && rule.crm.is_none() {
            wrong.push(("lookup", "expected a `crm` column besides".to_owned()));
        }
        if rule.kind == Kind::Boolean && rule.constant.as_ref().is_some_and(|constant| !constant.is_boolean())
        {
            wrong.push(("constant", "expected true or false".to_owned()));
        }
        for (key, text) in wrong {
            let key = format!("{at}.{key}");
            let line = line_of(self.tree, &key);
            self.fault_at(line, &key, &text);
        }
    }

    /// Checks that a rule which changes existing referrals has a path that can be written there.
    fn patch(&mut self, rule: &Rule) {
        let on = rule.group.as_ref().map_or(rule.on, |group| self.group_on(group));
        let on = on.unwrap_or(if rule.constant.is_some() { On::Create } else { On::Both });
        let sends = rule.direction != Some(Direction::ToCrm) && on != On::Create;
        let Some(path) = rule.referral.as_ref().filter(|path| sends && !path.is_patchable()) else { return };
        let expected = format!("expected `on = \"create\"`, direction `to_crm`, or {}", one_of(&PATCHABLE));
        if let Some(group) = &rule.group {
            let text =
                format!("`{}` cannot be written in an existing referral: expected `create`", path.as_str());
            let key = format!("fields.{group}.on");
            let line =
                line_of(self.tree, &key).max(line_of(self.tree, &format!("fields.{}.group", rule.name)));
            // One fault for the whole group: its other members would give the same.
            if !self.reader.faults.iter().any(|fault| fault.key == key) {
                self.fault_at(line, &key, &text);
            }
        } else if rule.name != crate::fields::NAME {
            let text = format!("`{}` cannot be written in an existing referral: {expected}", path.as_str());
            self.fault(rule, "referral", &text);
        }
    }

    fn group_on(&self, group: &str) -> Option<On> {
        let known = self.tree.get("fields").and_then(|fields| fields.get(group));
        // A group that does not exist is a fault of its own.
        let Some(fields) = known else { return Some(On::Create) };
        let to_crm = fields.get("direction").and_then(Node::plain).is_some_and(|word| word == "to_crm");
        let on = fields.get("on").and_then(Node::plain);
        match on.as_ref().and_then(|word| word.as_str()) {
            Some("create") => Some(On::Create),
            _ if to_crm => Some(On::Create),
            _ => None,
        }
    }

    /// Two rules that write the same column or path would undo each other.
    fn twice(&mut self, rules: &[Rule]) {
        let direction = |rule: &Rule| rule.direction.unwrap_or(Direction::Both);
        for (n, rule) in rules.iter().enumerate() {
            for earlier in &rules[..n] {
                let both = |not| direction(rule) != not && direction(earlier) != not;
                if rule.crm.is_some() && rule.crm == earlier.crm && both(Direction::ToPartnerCenter) {
                    self.fault(rule, "crm", &format!("already written by `fields.{}`", earlier.name));
                }
                if rule.referral.is_some() && rule.referral == earlier.referral && both(Direction::ToCrm) {
                    self.fault(rule, "referral", &format!("already written by `fields.{}`", earlier.name));
                }
            }
        }
    }
}
