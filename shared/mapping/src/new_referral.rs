//! Builds a new referral for a record: the body to POST, or everything that is missing.

use crate::{
    DealKind, Direction, EngagementId, Map, Missing, On, Record, ReferralId, Refusal, Value,
    convert::is_positive,
    list,
    names::{HELP, REFERRAL_ID, SOLUTIONS, SYNC, VISIBLE},
    referral::MICROSOFT,
    rule::{Kind, Required, Rule},
    scalar,
    shape::{Shape, UnitRule},
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

impl Map {
    /// Whether Sync with Partner Center is Yes; an empty one is No. `None`: it was not read.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Record, RecordId};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let id = RecordId::parse("opportunity/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55").unwrap();
    /// let mut record = Record { id, columns: [].into(), lists: [].into() };
    /// assert_eq!(map.wants_referral(&record), None);
    /// record.columns.insert("cosell_syncwithpartnercenter".to_owned(), true.into());
    /// assert_eq!(map.wants_referral(&record), Some(true));
    /// ```
    pub fn wants_referral(&self, record: &Record) -> Option<bool> {
        match self.record_field(SYNC, record)? {
            Value::Bool(yes) => Some(yes),
            _ => Some(false),
        }
    }

    /// The Referral Identifier of the record; `None`: it is empty or no GUID.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Record, RecordId};
    ///
    /// let id = RecordId::parse("opportunity/0065i00000QkT3aAAF").unwrap();
    /// let of = |text: &str| [("Referral_Identifier__c".to_owned(), text.into())].into();
    /// let mut record = Record { id, columns: of(" 9B7A51DE-4C0E-4F3B-8A52-61C0D7AA0E02"), lists: [].into() };
    /// let map = Map::standard(CrmKind::Salesforce);
    /// assert_eq!(map.record_referral_id(&record).unwrap().as_str(), "9b7a51de-4c0e-4f3b-8a52-61c0d7aa0e02");
    /// record.columns = of("ask Priya");
    /// assert_eq!(map.record_referral_id(&record), None);
    /// ```
    pub fn record_referral_id(&self, record: &Record) -> Option<ReferralId> {
        let text = record.columns.get(self.column(REFERRAL_ID)?)?.as_str()?;
        ReferralId::parse(text.trim())
    }

    /// The kind of deal that the record asks for: co-sell if it asks for help, else partner-led if it is visible.
    ///
    /// ```
    /// use mapping::{CrmKind, DealKind, Map, Record, RecordId};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let id = RecordId::parse("opportunity/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55").unwrap();
    /// let columns = [("cosell_helprequested".to_owned(), 100000003.into())].into();
    /// let record = Record { id, columns, lists: [].into() };
    /// assert_eq!(map.deal_kind(&record)?, DealKind::CoSell { help: "ProofOfConceptOrDemo".to_owned() });
    /// # Ok::<(), mapping::Refusal>(())
    /// ```
    pub fn deal_kind(&self, record: &Record) -> Result<DealKind, Refusal> {
        let unread =
            |unit: &str| Refusal::new(unit, format!("`{}` was not read", self.column(unit).unwrap_or(unit)));
        let help = self.record_field(HELP, record).ok_or_else(|| unread(HELP))?;
        if let Value::Text(code) = self.to_partner_center(HELP, &help)? {
            return Ok(DealKind::CoSell { help: code });
        }
        match self.record_field(VISIBLE, record).ok_or_else(|| unread(VISIBLE))? {
            Value::Bool(true) => Ok(DealKind::PartnerLed),
            _ => Ok(DealKind::Private),
        }
    }

    /// The body that creates our own referral for a record, or everything that is missing.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Record, RecordId};
    ///
    /// # let fixture = include_str!(concat!(
    /// #     env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/record-dynamics365.json"
    /// # ));
    /// # let read: serde_json::Value = serde_json::from_str(fixture)?;
    /// # let (columns, lists) = (read["columns"].clone(), read["lists"].clone());
    /// # let (columns, lists) = (serde_json::from_value(columns)?, serde_json::from_value(lists)?);
    /// # let id = RecordId::parse("opportunity/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55").unwrap();
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// // `columns` and `lists`: those of an opportunity that asks for help.
    /// let mut record = Record { id, columns, lists };
    /// let body = map.new_referral(&record).unwrap();
    /// assert_eq!(body["inviteContext"]["assistanceRequestCode"], "ProofOfConceptOrDemo");
    /// record.columns.insert("estimatedvalue".to_owned(), 0.into());
    /// let missing = map.new_referral(&record).unwrap_err();
    /// assert_eq!(missing[0].column, "Est. Revenue");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new_referral(&self, record: &Record) -> Result<Json, Vec<Missing>> {
        let mut request =
            Request { body: json!({}), missing: Vec::new(), map: self, cosell: false, solutions: Vec::new() };
        let kind = self.deal_kind(record).unwrap_or_else(|refusal| {
            let column = self.unit(&refusal.unit).map_or(refusal.unit.clone(), |unit| unit.label.clone());
            request.missing.push(Missing { unit: refusal.unit, column, what: refusal.text });
            DealKind::Private
        });
        request.cosell = matches!(kind, DealKind::CoSell { .. });
        if request.cosell {
            request.solutions = self.solutions_of(record);
        }
        let shown = self.record_fields(record);
        for one in self.rules.iter().filter(|one| one.unit.to_partner_center() && one.unit.on != On::Update) {
            let name = &one.unit.name;
            match &one.shape {
                Shape::Plain(rule) if name == VISIBLE => {
                    request.put(rule, &Value::Bool(kind != DealKind::Private))
                }
                Shape::Plain(rule) if name == HELP => {
                    if let DealKind::CoSell { help } = &kind {
                        request.put(rule, &Value::Text(help.clone()));
                    }
                }
                Shape::Plain(rule) => request.plain(name, rule, shown.get(name).unwrap_or(&Value::Null)),
                Shape::Group(rules) => {
                    let group = shown.get(name).cloned().unwrap_or(Value::Null);
                    for rule in rules {
                        request.plain(name, rule, group.member(&rule.name));
                    }
                }
                Shape::List(rule) => request.list(name, rule, record),
                // Our own deals become Active/Accepted, whatever status is sent (vendors/partner-center.md, *Create*).
                Shape::Status => {}
            }
        }
        request.frame(&kind);
        if request.missing.is_empty() { Ok(request.body) } else { Err(request.missing) }
    }

    /// The labels of fields that Partner Center's own form asks for in a co-sell deal and this request lacks: if a
    /// refusal gives no reason, one of them is the likeliest.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let request = serde_json::json!({ "type": "Shared" });
    /// let unsaid = Map::standard(CrmKind::Dynamics365).unsaid(&request);
    /// assert_eq!(unsaid, ["Solution area", "Solution play"]);
    /// ```
    pub fn unsaid(&self, request: &Json) -> Vec<&str> {
        let asked = |one: &UnitRule| matches!(&one.shape, Shape::Plain(rule) if rule.optional);
        let said = |one: &UnitRule| match &one.shape {
            Shape::Plain(rule) => {
                rule.referral.as_ref().and_then(|path| path.read(request)).is_some_and(|said| !said.is_null())
            }
            _ => true,
        };
        let rules = self.rules.iter().chain(&self.unseen).filter(|_| request["type"] == "Shared");
        rules.filter(|one| asked(one) && !said(one)).map(|one| one.unit.label.as_str()).collect()
    }

    fn solutions_rule(&self) -> Option<&Rule> {
        self.rules.iter().find_map(|one| match &one.shape {
            Shape::List(rule) if one.unit.name == SOLUTIONS => Some(&**rule),
            _ => None,
        })
    }

    /// The ids of the record's solutions, in its order.
    fn solutions_of(&self, record: &Record) -> Vec<String> {
        let elements =
            self.solutions_rule().and_then(|rule| Some((rule, list::elements_of_record(rule, record)?)));
        let ids = elements.map(|(rule, all)| all.iter().filter_map(|one| list::key_of(rule, one)).collect());
        ids.unwrap_or_default()
    }

    /// The body that creates Microsoft's half of the engagement that our own request opened. `organization` is ours:
    /// id and name.
    ///
    /// ```
    /// use mapping::{CrmKind, EngagementId, Map};
    /// use serde_json::json;
    ///
    /// let own = json!({ "name": "Kestrel Foods", "externalReferenceId": "0065i00000QkT3aAAF" });
    /// let engagement = EngagementId::parse("2f0c7c19-8d5c-4b4a-9a7e-3d6b5b0f4e22").unwrap();
    /// let us = ("6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10", "Juniper Peak Software");
    /// let half = Map::standard(CrmKind::Salesforce).microsoft_half(&own, &engagement, us);
    /// assert_eq!((&half["name"], &half["substatus"]), (&json!("Kestrel Foods"), &json!("Pending")));
    /// assert_eq!(half["externalReferenceId"], json!(null), "the record is ours alone");
    /// ```
    pub fn microsoft_half(
        &self,
        own_request: &Json,
        engagement: &EngagementId,
        organization: (&str, &str),
    ) -> Json {
        let mut body = own_request.clone();
        if let Some(members) = body.as_object_mut() {
            members.remove("externalReferenceId");
        }
        body["type"] = json!("Shared");
        body["target"] = json!([{ "type": "BusinessProfileLocation", "id": MICROSOFT }]);
        if !body["inviteContext"].is_object() {
            body["inviteContext"] = json!({});
        }
        body["inviteContext"]["invitedBy"] =
            json!({ "organizationId": organization.0, "organizationName": organization.1 });
        body["engagementId"] = json!(engagement);
        body["status"] = json!("New");
        body["substatus"] = json!("Pending");
        body
    }
}

/// A body under construction.
struct Request<'a> {
    body: Json,
    missing: Vec<Missing>,
    map: &'a Map,
    cosell: bool,
    /// The ids of the record's solutions, in a co-sell deal.
    solutions: Vec<String>,
}

impl Request<'_> {
    fn needs(&self, required: Required) -> bool {
        required == Required::Always || (required == Required::WithHelp && self.cosell)
    }

    fn lacks(&mut self, unit: &str, column: &str, what: impl Into<String>) {
        self.missing.push(Missing { unit: unit.to_owned(), column: column.to_owned(), what: what.into() });
    }

    fn put(&mut self, rule: &Rule, value: &Value) {
        let Some(path) = &rule.referral else { return };
        if let Some((text, next)) = value.text().zip(rule.referral_next.as_ref())
            && let [first, further @ ..] = &*lines_of(text)
            && !further.is_empty()
        {
            path.write(&mut self.body, (*first).into());
            return next.write(&mut self.body, further.join(", ").into());
        }
        match scalar::partner_center_json(rule, value) {
            Ok(json) => path.write(&mut self.body, json),
            Err(text) => self.lacks(&rule.name, rule.shown_as(), text),
        }
    }

    fn plain(&mut self, unit: &str, rule: &Rule, shown: &Value) {
        let fixed = |plain: &Json| scalar::from_map(rule, plain);
        let value = match &rule.constant {
            Some(constant) => Ok(fixed(constant)),
            None => scalar::to_partner_center(rule, shown),
        };
        // Of a text of several lines, empty ones say nothing.
        let value = value.map(|value| match value.text().filter(|_| rule.referral_next.is_some()) {
            Some(text) => Value::of_text(lines_of(text).join("\n")),
            None => value,
        });
        match value {
            Err(_) if scalar::leaves_alone(rule, shown) => {}
            Err(text) => self.lacks(unit, rule.shown_as(), text),
            Ok(value) if rule.kind == Kind::Money && !value.is_null() && !is_positive(&value) => {
                self.lacks(unit, rule.shown_as(), "an amount above 0 is needed");
            }
            Ok(Value::Null) => match self.solutions_word(rule).or(rule.default.as_ref()) {
                Some(Json::String(empty)) if empty.is_empty() => {
                    if let Some(path) = &rule.referral {
                        path.write(&mut self.body, json!(""));
                    }
                }
                Some(default) => self.put(rule, &fixed(default)),
                None if self.needs(rule.required) => self.lacks(unit, rule.shown_as(), needed(rule)),
                None => {}
            },
            Ok(value) => self.put(rule, &value),
        }
    }

    /// The rule's default for the first of the deal's solutions that the rule names.
    fn solutions_word<'r>(&self, rule: &'r Rule) -> Option<&'r Json> {
        let of = |id: &String| rule.solution_default.iter().find(|(solution, _)| solution == id);
        self.solutions.iter().find_map(of).map(|(_, word)| word)
    }

    fn list(&mut self, unit: &str, rule: &Rule, record: &Record) {
        let shown = list::elements_of_record(rule, record).unwrap_or_default();
        let needed = self.needs(rule.required);
        if shown.is_empty() && needed {
            self.lacks(unit, rule.shown_as(), "at least one is needed");
        }
        let mut items: Vec<Json> = Vec::new();
        let mut keys = Vec::new();
        for element in shown {
            let key = list::key_of(rule, &element);
            let gaps: Vec<&Rule> = rule
                .members
                .iter()
                .filter(|member| {
                    self.needs(member.required) && element.get(&member.name).is_none_or(Value::is_null)
                })
                .collect();
            if needed {
                for member in gaps {
                    self.lacks(unit, member.shown_as(), "is needed");
                }
            } else if !gaps.is_empty() {
                // No one in this list is required, and Partner Center refuses people without an address.
                continue;
            }
            let Some(key) = key.filter(|key| !keys.contains(key)) else { continue };
            let one = Value::Map(BTreeMap::from([(key.clone(), Value::Map(element))]));
            let converted = list::convert(rule, &one, Direction::ToPartnerCenter, scalar::to_partner_center)
                .and_then(|list| list::new_element(rule, list.member(&key)));
            match converted {
                Ok(item) => items.push(item),
                Err(text) => self.lacks(unit, rule.shown_as(), text),
            }
            keys.push(key);
        }
        if let Some(path) = &rule.referral {
            path.write(&mut self.body, Json::Array(items));
        }
    }

    /// Adds what follows from the kind of deal, and the empty containers that are in Microsoft's own samples.
    fn frame(&mut self, kind: &DealKind) {
        let rule = self.map.solutions_rule();
        let solutions = rule.and_then(|rule| rule.referral.as_ref()?.read(&self.body));
        let ids: Vec<Json> = solutions
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(|solution| Some(json!({ "type": "SolutionProfile", "id": solution.get("id")? })))
            .collect();
        self.body["type"] = json!(if self.cosell { "Shared" } else { "Independent" });
        self.body["target"] =
            if matches!(kind, DealKind::CoSell { .. }) { Json::Array(ids) } else { json!([]) };
        let ids = &mut self.body["customerProfile"]["ids"];
        if ids.is_null() {
            *ids = json!([]);
        }
        self.body["details"]["requirements"]["additionalRequirements"]["iot"] = json!({});
    }
}

/// The lines that say something, without the blanks around them.
fn lines_of(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

fn needed(rule: &Rule) -> &'static str {
    match rule.kind {
        Kind::Money => "an amount above 0 is needed",
        Kind::Country => "a country is needed",
        Kind::Date => "a date is needed",
        _ => "is needed",
    }
}
