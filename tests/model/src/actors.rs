//! People: sellers in the CRM, colleagues in Partner Center's portal, Microsoft.

use crate::{
    crm::{OTHER_NOTES, Shape, UNMAPPED, column_of},
    faults::{Faults, Kind},
    samples::{
        AMOUNTS, CURRENCIES, CUSTOMERS, DATES, NAMES, NOTES, SOLUTIONS, incoming, solution, solution_row,
    },
    trace::{say, short},
    world::{OURS, State},
};
use jiff::SignedDuration;
use mapping::{Action, RecordKind, ReferralId};
use serde_json::{Value, json};
use sync::{
    hint::{Hint, Subject},
    table::Key,
};

/// What a colleague in the portal may do, as rolls of the dice.
const PORTAL: usize = 19;
/// What a seller may do.
const SELLER: usize = 23;

/// What both sides may be busy with, as such rolls: portal, seller.
pub(crate) type Theme = (&'static [usize], &'static [usize]);

/// What there is to be busy with.
pub(crate) const THEMES: [Theme; 10] = [
    (&[0, 3], &[0, 3, 19]),
    (&[0], &[0]),
    (&[3], &[3]),
    (&[6, 8], &[6, 8]),
    (&[9], &[9]),
    (&[10, 10, 14], &[10, 10, 0]),
    (&[0, 3, 10], &[0, 3, 10]),
    (&[12, 14], &[12, 13]),
    (&[14, 16, 17], &[16, 18, 19]),
    (&[3, 14, 17], &[3, 14, 15]),
];

/// And where nobody looks at every deal once a day.
pub(crate) const ROUNDLESS_THEMES: [Theme; 5] = [
    (&[14], &[14, 15, 15]),
    (&[14], &[10, 14, 15, 15]),
    (&[3, 6, 9], &[3]),
    (&[3], &[3, 6, 9]),
    (&[14, 3], &[3, 14, 15]),
];

/// And where Microsoft's help is asked for before the deal is accepted.
pub(crate) const ASKING_THEME: Theme = (&[13, 13, 14], &[16]);

/// And where there are leads.
pub(crate) const LEAD_THEMES: [Theme; 5] = [
    (&[0, 3, 14], &[0, 3, 18]),
    (&[14, 16, 17], &[18, 19]),
    (&[3, 6, 9], &[3, 6, 9, 18]),
    (&[14], &[15, 14, 18]),
    (&[0, 14], &[10, 10, 18]),
];

impl State {
    /// What somebody does next, of all there is or of what people are after in this schedule.
    fn roll(&mut self, of: usize, after: fn(&Faults) -> &Vec<usize>) -> usize {
        match after(&self.faults).clone() {
            some if some.is_empty() => self.dice.below(of),
            some => *self.dice.pick(&some),
        }
    }

    /// One of so many values: with few of them people often come back to one.
    fn one_of(&mut self, n: usize) -> usize {
        let n = n.min(self.faults.values);
        self.dice.below(n)
    }

    /// The solution that is added or taken off: always the same one where people keep coming back to a value.
    fn solution(&mut self) -> &'static str {
        let others = if self.faults.values == 2 { 1 } else { SOLUTIONS.len() };
        SOLUTIONS[(1 + self.dice.below(others)) % SOLUTIONS.len()]
    }

    /// Microsoft, or a partner, sends a referral.
    pub(crate) fn deal_comes_in(&mut self) -> ReferralId {
        let customer = *self.dice.pick(&CUSTOMERS);
        let mut body = incoming(customer);
        if self.faults.sort.leads && self.dice.chance(650) {
            body["type"] = json!("Independent");
            body["qualification"] =
                json!(self.dice.pick(&["Direct", "MarketingQualified", "SalesQualified"]));
        }
        if self.dice.chance(300) {
            body["status"] = json!("Active");
            body["substatus"] = json!("Accepted");
        }
        if self.dice.chance(100) {
            body["externalReferenceId"] = json!("OPP-2026-00417");
        }
        let records: Vec<String> = self.crm.all().map(|(id, _)| id.clone()).collect();
        if !records.is_empty() && (self.faults.sort.asks || self.dice.chance(300)) {
            // Somebody typed it.
            let record = self.dice.pick(&records).clone();
            self.about_its_customer(&mut body, &record);
            body["externalReferenceId"] = json!(record);
        }
        let id = self.receive_referral(body);
        say!(self, "Microsoft", "referral {} comes in", short(id.as_str()));
        if self.strikes(Kind::Hidden) {
            self.hides(&id);
        }
        id
    }

    /// Who names a record mostly means its customer; a stranger names any.
    fn about_its_customer(&self, body: &mut Value, record: &str) {
        let Some(shape) = self.crm.now(record).filter(|_| !record.ends_with(['0', '1', '2', '3'])) else {
            return;
        };
        let related = |column: &str| shape.related.get(column).filter(|value| !value.is_null()).cloned();
        if let Some(name) = related("account.name") {
            body["customerProfile"]["name"] = name;
            let british =
                related("account.address1_country").is_some_and(|country| country == "United Kingdom");
            body["customerProfile"]["address"]["country"] = json!(if british { "GB" } else { "CH" });
        }
    }

    /// A seller opens an opportunity that shall go to Partner Center.
    pub(crate) fn deal_opens(&mut self) -> String {
        let id = self.guid("record");
        let mut shape = Shape::empty(&id);
        let own: [(&str, Value); 10] = [
            ("name", json!(NAMES[self.one_of(4)])),
            ("estimatedvalue", json!(AMOUNTS[self.one_of(4)])),
            ("transactioncurrencyid", json!(CURRENCIES[self.one_of(3)])),
            ("estimatedclosedate", json!(DATES[self.one_of(3)])),
            ("description", if self.dice.chance(150) { Value::Null } else { json!(NOTES[self.one_of(4)]) }),
            ("statuscode", json!(1)),
            ("cosell_syncwithpartnercenter", json!(true)),
            ("cosell_visibletomicrosoft", json!(self.dice.chance(300))),
            ("cosell_helprequested", if self.dice.chance(650) { json!(100000003) } else { Value::Null }),
            ("cosell_marketplaceintent", Value::Null),
        ];
        shape.own.extend(own.map(|(column, value)| (column.to_owned(), value)));
        let (name, postal_code) = *self.dice.pick(&CUSTOMERS);
        let related: [(&str, &str); 10] = [
            ("account.name", name),
            ("account.address1_line1", "4 Mill Lane"),
            ("account.address1_line2", "Unit 9"),
            ("account.address1_city", "Leeds"),
            ("account.address1_postalcode", postal_code),
            ("account.address1_country", "United Kingdom"),
            ("contact.firstname", "Priya"),
            ("contact.lastname", "Shah"),
            ("contact.telephone1", "+441135550177"),
            ("contact.emailaddress1", "priya.shah@kestrelfoods.example"),
        ];
        shape.related.extend(related.map(|(column, text)| (column.to_owned(), json!(text))));
        shape.is_owned();
        let row = solution_row(SOLUTIONS[self.one_of(3)]);
        shape.solutions.insert(self.guid("row"), row);
        self.keep(&id, Some(shape), false);
        say!(self, "seller", "opens record {} with Sync = Yes", short(&id));
        id
    }

    /// Somebody does something to one of the deals.
    pub(crate) fn somebody_acts(&mut self) {
        self.counts.edits += 1;
        if self.faults.sort.remaps && self.counts.edits == 4 {
            self.remap();
        }
        let referrals: Vec<ReferralId> =
            self.center.all().filter(|r| r.organization() == OURS).map(|r| r.id().clone()).collect();
        let records: Vec<String> = self.crm.all().map(|(id, _)| id.clone()).collect();
        let sides = referrals.len() + records.len();
        if sides == 0 {
            return;
        }
        if self.faults.sort.roundless && self.dice.chance(80) {
            self.deal_comes_in();
            return;
        }
        let one = self.dice.below(sides);
        match referrals.get(one) {
            Some(id) if self.strikes(Kind::Hidden) => self.hides(id),
            Some(id) => self.partner_center_acts(id),
            None => {
                let id = &records[one - referrals.len()];
                if self.crm.broken.is_empty() && self.strikes(Kind::Broken) {
                    self.crm.broken.insert(id.clone());
                    say!(self, "the CRM", "{} cannot be read by id any more", short(id));
                } else if self.strikes(Kind::Delete) {
                    if self.faults.sort.roundless {
                        self.somebody_asks(id);
                    }
                    self.keep(id, None, false);
                    say!(self, "seller", "deletes {}", short(id));
                } else {
                    self.seller_acts(id);
                }
            }
        }
    }

    /// An administrator has a record looked at, just when it goes away.
    fn somebody_asks(&mut self, id: &str) {
        let subject = Subject::Record { record: self.record_id(id), referral: None, seen: None };
        let at = self.now + SignedDuration::from_millis(self.dice.between(1_000, 60_000));
        self.queue.arrive(Hint::new(subject, "backfill", at), at);
    }

    /// A colleague in the portal changes a member.
    pub(crate) fn colleague(&mut self, id: &ReferralId, path: &str, value: Value) {
        let done = self.portal(id, &[json!({ "op": "replace", "path": path, "value": value })]);
        let tag = self.center.now(id).and_then(|r| r.etag()).unwrap_or_default().to_owned();
        say!(self, "portal", "{} {path} = {value} -> {}", short(id.as_str()), if done { &tag } else { "no" });
    }

    fn partner_center_acts(&mut self, id: &ReferralId) {
        let status = |status: &str, substatus: &str| {
            vec![
                json!({ "op": "replace", "path": "/status", "value": status }),
                json!({ "op": "replace", "path": "/substatus", "value": substatus }),
            ]
        };
        if self.faults.sort.notes && self.dice.chance(250) {
            return self.microsoft_answers(id);
        }
        match self.roll(PORTAL, |faults| &faults.portal) {
            0..=2 => {
                let name = NAMES[self.one_of(4)];
                // Longer than the CRM takes.
                let name = if self.dice.chance(150) { name.repeat(40) } else { name.to_owned() };
                self.colleague(id, "/name", json!(name));
            }
            3..=5 => {
                let text = NOTES[self.one_of(4)];
                self.colleague(id, "/details/notes", json!(text));
            }
            6 | 7 => {
                let amount = AMOUNTS[self.one_of(4)];
                self.colleague(id, "/details/dealValue", json!(amount));
            }
            8 => {
                let currency = CURRENCIES[self.one_of(3)];
                self.colleague(id, "/details/currency", json!(currency));
            }
            9 => {
                let date = format!("{}T00:00:00Z", DATES[self.one_of(3)]);
                self.colleague(id, "/details/closingDateTime", json!(date));
            }
            10 | 11 => {
                let key = self.solution();
                let Some(mut all) = self
                    .center
                    .now(id)
                    .and_then(|r| r.body()["details"]["requirements"]["solutions"].as_array().cloned())
                else {
                    return;
                };
                let before = all.len();
                all.retain(|s| s["id"] != key);
                if all.len() == before {
                    let mut new = solution(key);
                    new["price"] = json!(7);
                    all.push(new);
                }
                if !all.is_empty() {
                    self.colleague(id, "/details/requirements/solutions", Value::Array(all));
                }
            }
            12 => self.colleague(id, "/consent/consentToShareReferralWithMicrosoftSellers", json!(true)),
            13 => {
                let yes = self.dice.below(2) == 1;
                self.colleague(id, "/favorite", json!(yes));
            }
            14 | 15 => {
                let done = self.portal(id, &status("Active", "Accepted"));
                say!(self, "portal", "{} accepted -> {done}", short(id.as_str()));
            }
            16 => {
                let open = self.center.now(id).is_some_and(|r| r.is_active());
                let to = match (open, self.dice.below(2)) {
                    (true, 0) => status("Closed", "Won"),
                    (true, _) => status("Closed", "Lost"),
                    _ => status("Closed", "Declined"),
                };
                let done = self.dice.chance(500) && self.portal(id, &to);
                say!(self, "portal", "{} closed as {} -> {done}", short(id.as_str()), to[1]["value"]);
            }
            17 => self.microsoft_accepts(id),
            _ => self.colleague(id, "/referralProgram", json!("CoSell")),
        }
    }

    /// Partner Center does not show a referral by id for a while.
    fn hides(&mut self, id: &ReferralId) {
        let until = self.now + SignedDuration::from_secs(self.dice.between(5, 900));
        let forbidden = self.dice.below(2) == 0;
        self.center.hidden.insert(id.clone(), (until, forbidden));
        let answer = if forbidden { 403 } else { 404 };
        say!(self, "Partner Center", "hides {} until {until} ({answer})", short(id.as_str()));
    }

    /// Microsoft's half moves, and our own shows Microsoft's opportunity.
    fn microsoft_accepts(&mut self, id: &ReferralId) {
        let Some(engagement) = self.center.now(id).and_then(|r| r.engagement()).cloned() else { return };
        let mut all = self.center.all();
        let half =
            all.find(|r| r.is_microsoft() && r.engagement() == Some(&engagement)).map(|r| r.id().clone());
        drop(all);
        let linked = self.table.get(&Key::link(id), self.now).is_some();
        match half {
            Some(half) if linked && !self.dice.is_script() && self.dice.below(2) == 0 => {
                self.microsofts_id_appears(id, half)
            }
            half => {
                if let Some(half) = half {
                    let accepted = [
                        json!({ "op": "replace", "path": "/status", "value": "Active" }),
                        json!({ "op": "replace", "path": "/substatus", "value": "Accepted" }),
                    ];
                    let done = self.portal(&half, &accepted);
                    say!(self, "Microsoft", "accepts its half {} -> {done}", short(half.as_str()));
                }
                self.colleague(id, "/trackingInfo/microsoftMsxId", json!("7-3XKQ9TLM2"));
            }
        }
    }

    /// Microsoft's half moves on, whatever it says.
    fn microsoft_answers(&mut self, id: &ReferralId) {
        let engagement = self.center.now(id).and_then(|r| r.engagement()).cloned();
        let half = self.center.all().find(|r| r.is_microsoft() && r.engagement() == engagement.as_ref());
        let Some(half) = half.map(|half| half.id().clone()) else { return };
        let answers = [("Active", "Accepted"), ("Closed", "Declined"), ("Closed", "Lost")];
        let (status, substatus) = *self.dice.pick(&answers);
        let moves = [
            json!({ "op": "replace", "path": "/status", "value": status }),
            json!({ "op": "replace", "path": "/substatus", "value": substatus }),
        ];
        let done = self.portal(&half, &moves);
        say!(self, "Microsoft", "says {substatus} in its half {} -> {done}", short(half.as_str()));
    }

    /// Our own half shows Microsoft's opportunity without a stamp of its own: a `related-*` event tells, with an instant of
    /// Microsoft's, or the daily round.
    fn microsofts_id_appears(&mut self, id: &ReferralId, half: ReferralId) {
        self.shows_quietly(id, "/trackingInfo/microsoftMsxId", json!("7-3XKQ9TLM2"));
        let named = if self.center.sibling_id { half } else { id.clone() };
        let at = self.now - SignedDuration::from_secs(self.dice.between(1, 300));
        let hint = Hint::new(Subject::Engagement { referral: named }, "related-referral-updated", at);
        say!(self, "Microsoft", "its id appears in {}", short(id.as_str()));
        if self.may_be_lost("related") && self.strikes(Kind::WebhookLost) {
            return;
        }
        let late = SignedDuration::from_millis(self.dice.between(10, 60_000));
        self.queue.arrive(hint, self.now + late);
    }

    /// A seller changes a column of an open record.
    pub(crate) fn sales(&mut self, id: &str, column: &str, value: Value) {
        let column = match column {
            "description" if self.remapped.is_some() && self.crm.kind(id) == RecordKind::Opportunity => {
                OTHER_NOTES
            }
            column => column_of(self.crm.kind(id), column),
        };
        let done = self.seller(id, |shape| {
            if shape.is_open() {
                shape.own.insert(column.to_owned(), value.clone());
                // An amount without a currency takes the organisation's.
                if ["estimatedvalue", "estimatedamount"].contains(&column)
                    && shape.own["transactioncurrencyid"].is_null()
                {
                    shape.own.insert("transactioncurrencyid".into(), json!("CHF"));
                }
            }
        });
        let version = self.crm.now(id).map_or(0, |shape| shape.version);
        say!(self, "seller", "{} {column} = {value} -> {}", short(id), if done { version } else { 0 });
    }

    /// A seller says what becomes of a lead.
    fn lead_ends(&mut self, id: &str, qualified: bool) {
        if !self.crm.now(id).is_some_and(|shape| shape.is_open()) {
            return;
        }
        if qualified {
            let opportunity = !self.dice.chance(150);
            _ = self.qualify(id, None, opportunity);
            say!(self, "seller", "qualifies lead {}, with an opportunity: {opportunity}", short(id));
            return;
        }
        let status = 4 + self.dice.below(4);
        self.seller(id, |shape| {
            shape.own.insert("statecode".into(), json!(2));
            shape.own.insert("statuscode".into(), json!(status));
        });
        say!(self, "seller", "disqualifies lead {}: {status}", short(id));
    }

    fn seller_acts(&mut self, id: &str) {
        let roll = self.roll(SELLER, |faults| &faults.seller);
        // A lead has no solutions, and ends otherwise.
        match (self.crm.kind(id), roll) {
            (RecordKind::Lead, 10 | 11 | 18) => return self.lead_ends(id, true),
            (RecordKind::Lead, 19) => {
                let qualified = self.dice.below(3) == 0;
                return self.lead_ends(id, qualified);
            }
            _ => {}
        }
        match roll {
            0..=2 => {
                let name = NAMES[self.one_of(4)];
                let marked = if self.dice.below(2) == 0 { format!("✔ {name}") } else { name.to_owned() };
                self.sales(id, "name", json!(marked));
            }
            3..=5 => {
                let text = NOTES[self.one_of(4)];
                self.sales(id, "description", json!(text));
            }
            6 | 7 => {
                let amount = AMOUNTS[self.one_of(4)];
                self.sales(id, "estimatedvalue", json!(amount));
            }
            8 => {
                let currency = CURRENCIES[self.one_of(3)];
                self.sales(id, "transactioncurrencyid", json!(currency));
            }
            9 => {
                let date = DATES[self.one_of(3)];
                self.sales(id, "estimatedclosedate", json!(date));
            }
            10 | 11 => {
                let key = self.solution();
                let row = self.guid("row");
                let may_delete = self.strikes(Kind::ChildDelete);
                let done = self.seller(id, |shape| {
                    let there = shape.solutions.values().any(|r| r["detail.cosell_solutionid"] == key);
                    if there && may_delete {
                        shape.solutions.retain(|_, r| r["detail.cosell_solutionid"] != key);
                    } else if !there {
                        shape.solutions.insert(row, solution_row(key));
                    }
                });
                say!(self, "seller", "{} solution {key} turned -> {done}", short(id));
            }
            12 => self.sales(id, "cosell_visibletomicrosoft", json!(true)),
            13 => self.sales(id, "cosell_visibletomicrosoft", json!(false)),
            14 => {
                let yes = self.dice.below(2) == 0;
                self.sales(id, "cosell_syncwithpartnercenter", json!(yes));
            }
            15 => self.sales(id, "cosell_syncwithpartnercenter", json!(true)),
            16 | 17 => self.sales(id, "statuscode", json!(1)),
            18 => self.sales(id, "statuscode", json!(2)),
            19 => {
                let action = match self.dice.below(4) {
                    0 => Some(Action::Win { status: 3 }),
                    1 => Some(Action::Lose { status: 5, reason: None }),
                    _ => None,
                };
                if let Some(action) = action {
                    _ = self.close_record(id, &action, false);
                    say!(self, "seller", "{} {action:?}", short(id));
                }
            }
            20 => {
                let region = ["North", "South"][self.dice.below(2)];
                self.sales(id, UNMAPPED, json!(region));
            }
            21 => self.sales(id, "cosell_audit", json!("a seller's own words")),
            _ => self.sales(id, "cosell_helprequested", json!(100000001)),
        }
    }
}
