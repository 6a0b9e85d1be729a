//! Builds a new record for a referral: its columns, its lists, and the customer to find or create.

use crate::{
    CrmKind, CrmValue, Fields, Map, Mark, Missing, NewRecord, On, Owner, OwnerWish, Party, RecordKind,
    Referral, Value, day,
    fields::NAME,
    keys::{child_id, contact_key, customer_key},
    list::{self, is_relation},
    record_patch::{column, list_row},
    rule::{Kind, Rule},
    scalar,
    shape::Shape,
    status::{pair_of, phase_of_pair},
    text::{is_address, marked},
};
use std::collections::BTreeMap;

/// The members of a person's name in a list.
const FIRST_NAME: &str = "first_name";
const LAST_NAME: &str = "last_name";

type Columns = BTreeMap<String, CrmValue>;

#[derive(Default)]
struct Draft {
    columns: Columns,
    account: Columns,
    contact: Option<Party>,
    lists: BTreeMap<String, Vec<Columns>>,
    missing: Vec<Missing>,
    left_out: Vec<Missing>,
    defaults: Fields,
    quarter_end: String,
}

impl Map {
    /// The record to create for a referral, or everything that is missing. If the CRM closes by an action (Dynamics),
    /// the record of a closed referral is created open, and the action follows.
    ///
    /// ```
    /// use mapping::{CrmKind, CrmValue, Map, Referral};
    /// use serde_json::json;
    ///
    /// # let fixture = include_str!(concat!(
    /// #     env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/referral-incoming-cosell-new-pending.json"
    /// # ));
    /// # let mut body: serde_json::Value = serde_json::from_str(fixture)?;
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// // `body`: that of an inbound co-sell deal.
    /// let record = map.new_record(&Referral::parse(body.clone())?).unwrap();
    /// assert_eq!(record.columns["name"], CrmValue::Plain("✔ Harbor Line – multi-site tracking".into()));
    /// assert_eq!(record.account.name, "Harbor Line Logistics AG");
    /// body["name"] = json!(null);
    /// let missing = map.new_record(&Referral::parse(body)?).unwrap_err();
    /// assert_eq!(missing[0].to_string(), "name (Topic): is needed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new_record(&self, referral: &Referral) -> Result<NewRecord, Vec<Missing>> {
        let shown = self.referral_fields(referral);
        let mut draft = Draft { quarter_end: day::quarter_end(referral.updated()), ..Draft::default() };
        let mut people = None;
        for one in self.rules.iter().filter(|one| one.unit.on != On::Update) {
            let value = shown.get(&one.unit.name).unwrap_or(&Value::Null);
            let (name, to_crm) = (&one.unit.name, one.unit.to_crm());
            match &one.shape {
                Shape::Plain(rule) if to_crm => draft.plain(self, name, rule, value),
                Shape::Group(rules) if to_crm => draft.group(self, name, rules, value),
                Shape::List(rule) if rule.crm.as_deref() == Some("contact") => {
                    people = Some((name, rule));
                }
                Shape::List(rule) if to_crm && !is_relation(rule) => draft.list(self, name, rule, value),
                Shape::Status if to_crm => draft.status(self, value),
                _ => {}
            }
        }
        if self.switches.check_mark {
            draft.mark(self.column(NAME));
        }
        let account = self.account_of(&shown, std::mem::take(&mut draft.account));
        if let Some((unit, rule)) = people {
            draft.contact = draft.contact_of(self, unit, rule, referral, &account);
            // A lead is its own contact.
            if self.kind == RecordKind::Lead {
                draft.columns.extend(draft.contact.take().map(|c| c.columns).unwrap_or_default());
            }
        }
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
                defaults: draft.defaults,
            }),
            false => Err(draft.missing),
        }
    }

    /// Who is to own the record: our people in the referral, in its order, then the owner that the map names.
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

/// A person with a last name, because both CRMs require one: else the first name takes its place, else the part of the
/// address before `@`, else the company's name.
fn with_last_name(
    mut element: BTreeMap<String, Value>,
    key: impl Fn(&BTreeMap<String, Value>) -> Option<String>,
    company: &str,
) -> BTreeMap<String, Value> {
    if element.get(LAST_NAME).is_none_or(Value::is_null) {
        let first = element.remove(FIRST_NAME).filter(|name| !name.is_null());
        let local = key(&element).filter(|key| is_address(key));
        let local = local.as_deref().and_then(|email| email.split('@').next()).map(Value::of_text);
        let name = first.or(local).unwrap_or_else(|| Value::of_text(company));
        element.insert(LAST_NAME.to_owned(), name);
    }
    element
}

fn left_out(unit: &str, column: &str, text: &str) -> Missing {
    Missing { unit: unit.to_owned(), column: column.to_owned(), what: format!("is left out: {text}") }
}

impl Draft {
    /// The first person with an e-mail address, else the first with any text in its place.
    fn contact_of(
        &mut self,
        map: &Map,
        unit: &str,
        rule: &Rule,
        referral: &Referral,
        account: &Party,
    ) -> Option<Party> {
        let raw = list::raw_elements(rule, referral.body()).unwrap_or_default();
        let mut people: Vec<_> = raw.into_iter().map(|raw| list::element_of_referral(rule, raw)).collect();
        let key = |element: &_| list::key_of(rule, element);
        let reachable = people.iter().position(|element| key(element).is_some_and(|key| is_address(&key)));
        let lead = map.kind == RecordKind::Lead;
        let chosen = reachable.or_else(|| people.iter().position(|element| key(element).is_some()));
        let element = match chosen.or_else(|| (lead && !people.is_empty()).then_some(0)) {
            Some(at) => people.swap_remove(at),
            // In Salesforce every lead needs a last name.
            None if lead && map.crm == CrmKind::Salesforce => BTreeMap::new(),
            None => return None,
        };
        let element = with_last_name(element, key, &account.name);
        let email = key(&element).filter(|email| is_address(email));
        let mut columns = Columns::new();
        for member in &rule.members {
            let value = element.get(&member.name).unwrap_or(&Value::Null);
            self.leaves_out(unit, member, value);
            // A value that the contact cannot hold is left out, so that it does not keep the deal out.
            let taken = scalar::to_crm(member, value).ok().filter(|value| !value.is_null());
            if let Some((name, value)) = taken.and_then(|value| column(member, &value).ok()?) {
                columns.insert(name.trim_start_matches("contact.").to_owned(), value);
            }
        }
        let parts = [FIRST_NAME, LAST_NAME].map(|name| element.get(name).and_then(Value::text));
        let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let key = match &email {
            Some(email) => contact_key(email),
            // Many people have a text such as `n/a` in place of an address.
            None => child_id(&["person", &account.key, &name]),
        };
        Some(Party { key, name, postal_code: None, country: None, email, columns })
    }

    fn leaves_out(&mut self, unit: &str, rule: &Rule, shown: &Value) {
        self.left_out.extend(scalar::unusable(rule, shown).map(|what| Missing {
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
        let written = |value: &Value| if value.is_null() { Ok(None) } else { column(rule, value) };
        // One value that fits nowhere does not keep the deal out.
        let (written, refusal) = match value.and_then(|value| written(&value)) {
            Ok(written) => (written, None),
            Err(text) => (None, Some(text)),
        };
        let default = match (&written, &rule.crm_default) {
            (None, Some(word)) if rule.kind == Kind::Date && word == day::QUARTER_END => {
                Some(Value::Text(self.quarter_end.clone()))
            }
            (None, Some(default)) => Some(scalar::from_map(rule, default)),
            _ => None,
        };
        let by_default = default.as_ref().and_then(|value| column(rule, value).ok()?);
        if let Some(default) = default.filter(|_| by_default.is_some() && rule.name == unit) {
            self.defaults.insert(unit.to_owned(), default);
        }
        match (written.or(by_default), refusal) {
            (None, refusal) if rule.required_by_crm => {
                self.lacks(unit, rule, refusal.unwrap_or_else(|| "is needed".to_owned()));
            }
            (written, refusal) => {
                self.left_out.extend(refusal.map(|text| left_out(unit, rule.shown_as(), &text)));
                if let Some((name, value)) = written {
                    self.put(name, value);
                }
            }
        }
    }

    fn put(&mut self, column: String, value: CrmValue) {
        match column.strip_prefix("account.") {
            Some(column) => _ = self.account.insert(column.to_owned(), value),
            None => _ = self.columns.insert(column, value),
        }
    }

    fn group(&mut self, map: &Map, unit: &str, rules: &[Rule], shown: &Value) {
        // An amount and its currency are written only together, but each line of an address by itself.
        let whole = rules.iter().any(|rule| rule.kind == Kind::Money);
        if let (true, Err(refusal)) = (whole, map.to_crm(unit, shown)) {
            let column = map.unit(unit).map_or(unit, |unit| unit.label.as_str());
            self.left_out.push(left_out(unit, column, &refusal.text));
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
        // A new lead in Salesforce gets the organisation's own first status.
        if map.kind == RecordKind::Lead && !dynamics && !closed {
            return;
        }
        let mut columns = map.status_columns(&form);
        if dynamics {
            // `statecode` cannot be set in a create (vendors/dataverse.md, *Opportunity*); the status reason alone
            // sets both.
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
