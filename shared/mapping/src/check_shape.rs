//! Checks groups and lists.

use crate::{
    Direction, On,
    check::Check,
    list::{LISTS, RELATIONS, is_relation},
    names::SALES_TEAM,
    reader::one_of,
    rule::{Kind, Rule},
};

impl Check<'_> {
    pub(crate) fn group(&mut self, rule: &Rule, rules: &[Rule]) {
        if let Some(group) = &rule.group {
            if !rules.iter().any(|other| other.name == *group && other.kind == Kind::Group) {
                let groups: Vec<&str> =
                    rules.iter().filter(|r| r.kind == Kind::Group).map(|r| r.name.as_str()).collect();
                self.fault(rule, "group", &format!("`{group}` is no group: expected {}", one_of(&groups)));
            }
            if matches!(rule.kind, Kind::Group | Kind::List | Kind::Status) {
                self.fault(rule, "group", "groups, lists and the status cannot be in a group");
            }
            for (key, given) in [
                ("direction", rule.direction.is_some()),
                ("on", rule.on.is_some()),
                ("owner", rule.owner.is_some()),
                ("template", rule.template.is_some()),
                ("rise_only", rule.rise_only),
                ("only_while_empty", rule.only_while_empty),
            ] {
                if given {
                    self.fault(rule, key, &format!("belongs to the group's own rule `fields.{group}`"));
                }
            }
        }
        if rule.kind == Kind::Group && !rules.iter().any(|other| other.group.as_ref() == Some(&rule.name)) {
            self.fault(rule, "kind", &format!("no rule has `group = \"{}\"`", rule.name));
        }
        if matches!(rule.kind, Kind::Group | Kind::Status) {
            let what = if rule.kind == Kind::Group {
                "a group's members have these"
            } else {
                "these stand in `[status]`"
            };
            for (key, given) in [
                ("referral", rule.referral.is_some()),
                ("crm", rule.crm.is_some()),
                ("lookup", rule.lookup.is_some()),
                ("constant", rule.constant.is_some()),
                ("template", rule.template.is_some()),
            ] {
                if given {
                    self.fault(rule, key, what);
                }
            }
        }
    }

    pub(crate) fn list(&mut self, rule: &Rule) {
        if rule.kind != Kind::List {
            let members = !rule.members.is_empty();
            for (key, given) in
                [("key", rule.key.is_some()), ("members", members), ("further", rule.further.is_some())]
            {
                if given {
                    self.fault(rule, key, "only a rule of kind `list` has this");
                }
            }
            return;
        }
        let known: Vec<&str> = LISTS.iter().chain(&RELATIONS[1..]).copied().collect();
        match rule.crm.as_deref() {
            Some(crm) if known.contains(&crm) => {}
            Some(crm) => self.fault(rule, "crm", &format!("`{crm}`: expected {}", one_of(&known))),
            None => self.fault(rule, "crm", &format!("missing: expected {}", one_of(&known))),
        }
        if rule.referral.is_none() {
            self.fault(rule, "referral", "missing: expected the path of the list");
        }
        match (rule.crm.as_deref(), rule.further.as_deref()) {
            (_, None) | (Some("owner"), Some(SALES_TEAM)) => {}
            (Some(crm), Some(column)) if LISTS.contains(&crm) && !column.contains('.') => {}
            (Some(crm), Some(_)) if LISTS.contains(&crm) => {
                self.fault(rule, "further", "expected a column of the record itself");
            }
            _ => self.fault(rule, "further", &format!("expected `{SALES_TEAM}`, besides `crm = \"owner\"`")),
        }
        let names: Vec<&str> = rule.members.iter().map(|member| member.name.as_str()).collect();
        let key = rule.members.iter().find(|member| Some(&member.name) == rule.key.as_ref());
        match key {
            Some(key) if key.carried || key.referral.is_none() || key.crm.is_none() => self.fault(
                rule,
                "key",
                &format!("`{}` must be in both the referral and the CRM and not be `carried`", key.name),
            ),
            Some(_) => {}
            None => self.fault(rule, "key", &format!("expected {}", one_of(&names))),
        }
        if is_relation(rule)
            && rule.on.unwrap_or(On::Both) != On::Create
            && rule.direction != Some(Direction::ToPartnerCenter)
        {
            self.fault(
                rule,
                "on",
                "expected `create`, or direction `to_partner_center`: a related row is never rewritten",
            );
        }
        for member in &rule.members {
            let at = format!("members.{}", member.name);
            if matches!(member.kind, Kind::Group | Kind::List | Kind::Status) {
                self.fault(rule, &format!("{at}.kind"), "groups, lists and the status cannot be in a list");
            }
            let prefix = rule.crm.as_deref().filter(|_| is_relation(rule)).map(|crm| format!("{crm}."));
            if let (Some(prefix), Some(crm)) = (prefix, &member.crm)
                && !crm.starts_with(&prefix)
            {
                self.fault(rule, &format!("{at}.crm"), &format!("`{crm}`: expected a column of `{prefix}…`"));
            }
            if member.referral.is_none() {
                self.fault(rule, &format!("{at}.referral"), "missing: expected the element's member");
            }
            self.values(member, &format!("fields.{}.{at}", rule.name));
        }
    }
}
