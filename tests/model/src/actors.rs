//! People: sellers in the CRM, colleagues in Partner Center's portal, Microsoft.

use crate::{
    crm::{Shape, UNMAPPED},
    faults::Kind,
    samples::{
        AMOUNTS, CURRENCIES, CUSTOMERS, DATES, NAMES, NOTES, SOLUTIONS, incoming, solution, solution_row,
    },
    trace::{say, short},
    world::{OURS, State},
};
use jiff::SignedDuration;
use mapping::{Action, ReferralId};
use serde_json::{Value, json};

impl State {
    /// Microsoft, or a partner, sends a referral.
    pub(crate) fn deal_comes_in(&mut self) -> ReferralId {
        let customer = *self.dice.pick(&CUSTOMERS);
        let mut body = incoming(customer);
        if self.dice.chance(300) {
            body["status"] = json!("Active");
            body["substatus"] = json!("Accepted");
        }
        if self.dice.chance(100) {
            body["externalReferenceId"] = json!("OPP-2026-00417");
        }
        let id = self.receive_referral(body);
        say!(self, "Microsoft", "referral {} comes in", short(id.as_str()));
        id
    }

    /// A seller opens an opportunity that shall go to Partner Center.
    pub(crate) fn deal_opens(&mut self) -> String {
        let id = self.guid("record");
        let mut shape = Shape::empty(&id);
        let own: [(&str, Value); 10] = [
            ("name", json!(NAMES[self.dice.below(4)])),
            ("estimatedvalue", json!(AMOUNTS[self.dice.below(4)])),
            ("transactioncurrencyid", json!(CURRENCIES[self.dice.below(3)])),
            ("estimatedclosedate", json!(DATES[self.dice.below(3)])),
            (
                "description",
                if self.dice.chance(150) { Value::Null } else { json!(NOTES[self.dice.below(4)]) },
            ),
            ("statuscode", json!(1)),
            ("cosell_syncwithpartnercenter", json!(true)),
            ("cosell_visibletomicrosoft", json!(self.dice.chance(300))),
            ("cosell_helprequested", if self.dice.chance(650) { json!(100000003) } else { Value::Null }),
            ("cosell_marketplaceintent", Value::Null),
        ];
        shape.own.extend(own.map(|(column, value)| (column.to_owned(), value)));
        let (name, postal_code) = *self.dice.pick(&CUSTOMERS);
        let related: [(&str, &str); 13] = [
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
            ("owner.firstname", "Omar"),
            ("owner.lastname", "Haddad"),
            ("owner.address1_telephone1", "+442075550199"),
        ];
        shape.related.extend(related.map(|(column, text)| (column.to_owned(), json!(text))));
        shape.related.insert("owner.internalemailaddress".into(), json!("omar.haddad@juniperpeak.example"));
        let row = solution_row(SOLUTIONS[self.dice.below(3)]);
        shape.solutions.insert(self.guid("row"), row);
        self.keep(&id, Some(shape), false);
        say!(self, "seller", "opens record {} with Sync = Yes", short(&id));
        id
    }

    /// Somebody does something to one of the deals.
    pub(crate) fn somebody_acts(&mut self) {
        self.counts.edits += 1;
        let referrals: Vec<ReferralId> =
            self.center.all().filter(|r| r.organization() == OURS).map(|r| r.id().clone()).collect();
        let records: Vec<String> = self.crm.all().map(|(id, _)| id.clone()).collect();
        let sides = referrals.len() + records.len();
        if sides == 0 {
            return;
        }
        let one = self.dice.below(sides);
        match referrals.get(one) {
            Some(id) => self.partner_center_acts(id),
            None => self.seller_acts(&records[one - referrals.len()]),
        }
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
        match self.dice.below(20) {
            0..=2 => {
                let name = NAMES[self.dice.below(4)];
                self.colleague(id, "/name", json!(name));
            }
            3..=5 => {
                let text = NOTES[self.dice.below(4)];
                self.colleague(id, "/details/notes", json!(text));
            }
            6 | 7 => {
                let amount = AMOUNTS[self.dice.below(4)];
                self.colleague(id, "/details/dealValue", json!(amount));
            }
            8 => {
                let currency = CURRENCIES[self.dice.below(3)];
                self.colleague(id, "/details/currency", json!(currency));
            }
            9 => {
                let date = format!("{}T00:00:00Z", DATES[self.dice.below(3)]);
                self.colleague(id, "/details/closingDateTime", json!(date));
            }
            10 | 11 => {
                let key = SOLUTIONS[self.dice.below(3)];
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
            18 => self.colleague(id, "/referralProgram", json!("CoSell")),
            _ => {
                if self.strikes(Kind::Hidden) {
                    let until = self.now + SignedDuration::from_secs(self.dice.between(5, 600));
                    let forbidden = self.dice.below(2) == 0;
                    self.center.hidden.insert(id.clone(), (until, forbidden));
                    say!(
                        self,
                        "Partner Center",
                        "hides {} until {until} ({})",
                        short(id.as_str()),
                        if forbidden { 403 } else { 404 }
                    );
                }
            }
        }
    }

    /// Microsoft's half moves, and our own shows Microsoft's opportunity.
    fn microsoft_accepts(&mut self, id: &ReferralId) {
        let Some(engagement) = self.center.now(id).and_then(|r| r.engagement()).cloned() else { return };
        let mut all = self.center.all();
        let half =
            all.find(|r| r.is_microsoft() && r.engagement() == Some(&engagement)).map(|r| r.id().clone());
        drop(all);
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

    /// A seller changes a column of an open record.
    pub(crate) fn sales(&mut self, id: &str, column: &str, value: Value) {
        let done = self.seller(id, |shape| {
            if shape.is_open() {
                shape.own.insert(column.to_owned(), value.clone());
                // An amount without a currency takes the organisation's.
                if column == "estimatedvalue" && shape.own["transactioncurrencyid"].is_null() {
                    shape.own.insert("transactioncurrencyid".into(), json!("CHF"));
                }
            }
        });
        let version = self.crm.now(id).map_or(0, |shape| shape.version);
        say!(self, "seller", "{} {column} = {value} -> {}", short(id), if done { version } else { 0 });
    }

    fn seller_acts(&mut self, id: &str) {
        match self.dice.below(24) {
            0..=2 => {
                let name = NAMES[self.dice.below(4)];
                let marked = if self.dice.below(2) == 0 { format!("✔ {name}") } else { name.to_owned() };
                self.sales(id, "name", json!(marked));
            }
            3..=5 => {
                let text = NOTES[self.dice.below(4)];
                self.sales(id, "description", json!(text));
            }
            6 | 7 => {
                let amount = AMOUNTS[self.dice.below(4)];
                self.sales(id, "estimatedvalue", json!(amount));
            }
            8 => {
                let currency = CURRENCIES[self.dice.below(3)];
                self.sales(id, "transactioncurrencyid", json!(currency));
            }
            9 => {
                let date = DATES[self.dice.below(3)];
                self.sales(id, "estimatedclosedate", json!(date));
            }
            10 | 11 => {
                let key = SOLUTIONS[self.dice.below(3)];
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
            22 => self.sales(id, "cosell_helprequested", json!(100000001)),
            _ => {
                if self.strikes(Kind::Delete) {
                    self.keep(id, None, false);
                    say!(self, "seller", "deletes {}", short(id));
                }
            }
        }
    }
}
