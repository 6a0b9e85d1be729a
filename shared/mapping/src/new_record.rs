//! A new record for a referral: its columns, its lists, and the customer to find or create.

use crate::{
    CrmKind, CrmValue, Fields, Map, Mark, Missing, NewRecord, On, Owner, OwnerWish, Party, RecordKind,
    Referral, Value,
    fields::NAME,
    keys::{contact_key, customer_key},
    list::{self, is_relation},
    load::Shape,
    record_patch::{column, list_row},
    rule::Rule,
    scalar,
    status::{pair_of, phase_of_pair},
    text::marked,
};
use std::collections::BTreeMap;

type Columns = BTreeMap<String, CrmValue>;

#[derive(Default)]
struct Draft {
    columns: Columns,
    account: Columns,
    contact: Option<Party>,
    lists: BTreeMap<String, Vec<Columns>>,
    missing: Vec<Missing>,
    left_out: Vec<Missing>,
}

impl Map {
    /// The record to create for a referral, or all that is missing. A closed referral begins open where the CRM closes
    /// by an action (Dynamics); the action comes after.
    pub fn new_record(&self, referral: &Referral) -> Result<NewRecord, Vec<Missing>> {
        let shown = self.referral_fields(referral);
        let mut draft = Draft::default();
        for one in self.rules.iter().filter(|one| one.unit.on != On::Update) {
            let value = shown.get(&one.unit.name).unwrap_or(&Value::Null);
            let (name, to_crm) = (&one.unit.name, one.unit.to_crm());
            match &one.shape {
                Shape::Plain(rule) if to_crm => draft.plain(self, name, rule, value),
                Shape::Group(rules) if to_crm => draft.group(self, name, rules, value),
                Shape::List(rule) if rule.crm.as_deref() == Some("contact") => {
                    draft.contact = draft.contact_of(name, rule, referral);
                    // A lead is its own contact.
                    if self.kind == RecordKind::Lead {
                        draft.columns.extend(draft.contact.take().map(|c| c.columns).unwrap_or_default());
                    }
                }
                Shape::List(rule) if to_crm && !is_relation(rule) => draft.list(self, name, rule, value),
                Shape::Status if to_crm => draft.status(self, value),
                _ => {}
            }
        }
        if self.switches.check_mark {
            draft.mark(self.column(NAME));
        }
        let account = self.account_of(&shown, draft.account);
        match draft.missing.is_empty() {
            true => Ok(NewRecord {
                kind: self.kind,
                referral: referral.id().clone(),
                account,
                contact: draft.contact,
                owner: self.owner_of(referral),
                columns: draft.columns,
                lists: draft.lists,
                left_out: draft.left_out,
            }),
            false => Err(draft.missing),
        }
    }

    /// Our people in the referral, in its order; then whom the map names.
    fn owner_of(&self, referral: &Referral) -> Owner {
        let rule = &self.owner;
        let team = list::elements(&referral.body()["team"]).into_iter();
        let emails =
            team.filter_map(|person| person["email"].as_str().map(str::trim)).filter(|e| !e.is_empty());
        let wish = |table: &str, column: &str, text: &str| OwnerWish {
            table: table.to_owned(),
            column: column.to_owned(),
            text: text.to_owned(),
        };
        let from_team = rule.from_team.iter().flat_map(|(table, column)| {
            emails.clone().map(|email| wish(table, column, email)).collect::<Vec<_>>()
        });
        let named = rule.inbound.iter().map(|text| wish(&rule.table, &rule.column, text));
        Owner { column: rule.crm.clone(), wanted: from_team.chain(named).collect() }
    }

    fn account_of(&self, shown: &Fields, columns: Columns) -> Party {
        let text = |value: Option<&Value>| value.and_then(Value::text).map(str::to_owned);
        let address = shown.get("address").unwrap_or(&Value::Null);
        let name = text(shown.get("customer_name")).unwrap_or_default();
        let postal_code = text(Some(address.member("postal_code")));
        let country =
            self.to_crm("address", address).ok().and_then(|address| text(Some(address.member("country"))));
        Party {
            key: customer_key(&name, postal_code.as_deref(), country.as_deref()),
            name,
            postal_code,
            country,
            email: None,
            columns,
        }
    }
}

impl Draft {
    /// The first contact that has an e-mail address.
    fn contact_of(&mut self, unit: &str, rule: &Rule, referral: &Referral) -> Option<Party> {
        let raw = list::raw_elements(rule, referral.body())?;
        let elements = raw.into_iter().map(|raw| list::element_of_referral(rule, raw));
        let (email, element) =
            elements.into_iter().find_map(|element| Some((list::key_of(rule, &element)?, element)))?;
        let mut columns = Columns::new();
        for member in &rule.members {
            let value = element.get(&member.name).unwrap_or(&Value::Null);
            self.leaves_out(unit, member, value);
            // A value the contact cannot take is left out; it must not keep the deal from coming in.
            let taken = scalar::to_crm(member, value).ok().filter(|value| !value.is_null());
            if let Some((name, value)) = taken.and_then(|value| column(member, &value).ok()?) {
                columns.insert(name.trim_start_matches("contact.").to_owned(), value);
            }
        }
        let part = |name: &str| element.get(name).and_then(Value::text);
        let name =
            [part("first_name"), part("last_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = if name.is_empty() { email.clone() } else { name };
        Some(Party {
            key: contact_key(&email),
            name,
            postal_code: None,
            country: None,
            email: Some(email),
            columns,
        })
    }

    fn leaves_out(&mut self, unit: &str, rule: &Rule, shown: &Value) {
        self.left_out.extend(scalar::too_long(rule, shown).map(|what| Missing {
            unit: unit.to_owned(),
            column: rule.shown_as().to_owned(),
            what,
        }));
    }

    fn lacks(&mut self, unit: &str, rule: &Rule, what: impl Into<String>) {
        self.missing.push(Missing {
            unit: unit.to_owned(),
            column: rule.shown_as().to_owned(),
            what: what.into(),
        });
    }

    fn plain(&mut self, map: &Map, unit: &str, rule: &Rule, shown: &Value) {
        let value = match &rule.constant {
            Some(constant) => Ok(scalar::from_map(rule, constant)),
            None => {
                self.leaves_out(unit, rule, shown);
                map.plain_to_crm(rule, shown)
            }
        };
        let value = match (value, &rule.crm_default) {
            (Ok(value), Some(default)) if value.is_null() => Ok(scalar::from_map(rule, default)),
            (value, _) => value,
        };
        match value {
            Err(text) => self.lacks(unit, rule, text),
            Ok(value) if value.is_null() && rule.required_by_crm => self.lacks(unit, rule, "is needed"),
            Ok(value) if value.is_null() => {}
            Ok(value) => match column(rule, &value) {
                Ok(Some((name, value))) => self.put(name, value),
                Ok(None) => {}
                Err(text) => self.lacks(unit, rule, text),
            },
        }
    }

    fn put(&mut self, column: String, value: CrmValue) {
        match column.strip_prefix("account.") {
            Some(column) => _ = self.account.insert(column.to_owned(), value),
            None => _ = self.columns.insert(column, value),
        }
    }

    fn group(&mut self, map: &Map, unit: &str, rules: &[Rule], shown: &Value) {
        if let Err(refusal) = map.to_crm(unit, shown) {
            let column = map.unit(unit).map_or_else(|| unit.to_owned(), |unit| unit.label.clone());
            self.missing.push(Missing { unit: unit.to_owned(), column, what: refusal.text });
            return;
        }
        for rule in rules.iter().filter(|rule| rule.crm.is_some()) {
            self.plain(map, unit, rule, shown.member(&rule.name));
        }
    }

    fn list(&mut self, map: &Map, unit: &str, rule: &Rule, shown: &Value) {
        for element in shown.members().into_iter().flat_map(|elements| elements.values()) {
            for member in &rule.members {
                self.leaves_out(unit, member, element.member(&member.name));
            }
        }
        let rows = map.to_crm(unit, shown).map_err(|refusal| refusal.text).and_then(|list| {
            let elements = list.members().into_iter().flat_map(|elements| elements.values());
            elements.map(|element| list_row(rule, element)).collect::<Result<Vec<_>, _>>()
        });
        match (rows, &rule.crm) {
            (Ok(rows), Some(list)) if !rows.is_empty() => _ = self.lists.insert(list.clone(), rows),
            (Ok(_), _) => {}
            (Err(text), _) => self.lacks(unit, rule, text),
        }
    }

    fn status(&mut self, map: &Map, shown: &Value) {
        let dynamics = map.crm == CrmKind::Dynamics365;
        let pair = pair_of(shown);
        let closed = phase_of_pair(&pair).is_some_and(|phase| phase.is_closed());
        let form = map.status.crm_form(if closed && dynamics { "Active/Accepted" } else { &pair });
        let Some(form) = form else {
            let what = format!("`{pair}` is not in the status table");
            self.missing.push(Missing { unit: "status".to_owned(), column: "Status".to_owned(), what });
            return;
        };
        // What is new in Salesforce has the organisation's own first status.
        if map.kind == RecordKind::Lead && !dynamics && !closed {
            return;
        }
        let mut columns = map.status_columns(&form);
        if dynamics {
            // `statecode` is not valid on create (dataverse.md §5); the status reason alone says it.
            columns.retain(|column, _| {
                map.status.columns.iter().any(|(member, name)| *member == "status" && name == column)
            });
        }
        self.columns.append(&mut columns);
    }

    fn mark(&mut self, column: Option<&str>) {
        let name = column.and_then(|column| self.columns.get_mut(column));
        if let Some(CrmValue::Plain(serde_json::Value::String(name))) = name {
            *name = marked(name, Some(Mark::Ok));
        }
    }
}
