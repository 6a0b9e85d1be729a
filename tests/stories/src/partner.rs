//! What users of Partner Center and Microsoft do.

use crate::{
    stage::{Side, Stage},
    story::{Answer, Edit, OddTeam, Offer},
    values::{Day, Money, Person, Text},
};
use local::people::text;
use serde_json::{Value, json};
use simulators::partner_center::Deal as Kind;

/// A solution as a referral names it.
fn solution(number: u8) -> Value {
    json!({ "type": "Name", "id": format!("SOL-{number}"), "name": format!("Solution {number}"),
        "publisherName": "Juniper Peak Software", "solutionType": "3P" })
}

fn solutions(first: u8, count: u8) -> Value {
    (0..count).map(|n| solution(first.saturating_add(n))).collect()
}

/// What an offer lays over the documented sample.
fn body(offer: &Offer) -> Value {
    let customer = &offer.customer;
    let people: Vec<Value> = offer.people.iter().map(Person::member).collect();
    let mut body = json!({
        "name": offer.name.words("Referral"),
        "customerProfile": {
            "name": customer.words(),
            "address": { "addressLine1": "Hafenstrasse 12", "addressLine2": customer.line2, "city": "Basel",
                "state": customer.state, "postalCode": customer.postal_code, "country": customer.country },
            "team": people,
        },
        "details": {
            "notes": offer.notes.as_ref().map(|notes| notes.words("Remark")),
            "dealValue": offer.value.amount, "currency": offer.value.currency,
            "closingDateTime": offer.day.instant(),
            "requirements": { "solutions": solutions(0, offer.solutions) },
        },
    });
    if let Some(help) = &offer.help {
        body["inviteContext"] = json!({ "assistanceRequestCode": help });
    }
    if let Some(intent) = &offer.intent {
        body["details"]["requirements"]["additionalRequirements"] =
            json!({ "attributes": [{ "type": "CustomerMarketplaceIntent", "id": intent }] });
    }
    match offer.team {
        Some(OddTeam::Object) => {
            body["team"] = json!({ "firstName": "Sara", "lastName": "Klein", "email": "sara.klein@partner.example",
                "phoneNumber": "+49 711 555001" });
        }
        Some(OddTeam::Null) => body["team"] = Value::Null,
        Some(OddTeam::Empty) => body["team"] = json!([]),
        None => {}
    }
    body
}

impl Stage {
    pub(crate) fn refer(&mut self, offer: &Offer, lead: bool) {
        let now = self.world.now();
        let over = body(offer);
        let id = match lead {
            true => self.world.partner_center.system().refer_lead(&over, now),
            false => self.world.partner_center.system().refer(&over, now),
        };
        self.add(Side::PartnerCenter, Some(id), None);
    }

    pub(crate) fn new_deal(&mut self, offer: &Offer) {
        let now = self.world.now();
        let mut over = body(offer);
        if let Some(over) = over.as_object_mut() {
            over.remove("inviteContext");
        }
        let id = self.world.partner_center.system().create_deal(Kind::PartnerLed, &over, now);
        self.add(Side::PartnerCenter, Some(id), None);
    }

    pub(crate) fn edit_referral(&mut self, which: u8, edit: &Edit) {
        let set = match edit {
            Edit::Name(name) => json!({ "/name": name.words("Referral") }),
            Edit::Value(money) => {
                json!({ "/details/dealValue": money.amount, "/details/currency": money.currency })
            }
            Edit::Day(day) => json!({ "/details/closingDateTime": day.instant() }),
            Edit::Notes(notes) => json!({ "/details/notes": notes.words("Remark") }),
            Edit::NoNotes => json!({ "/details/notes": null }),
        };
        self.set_referral(which, set);
    }

    pub(crate) fn set_referral(&mut self, which: u8, set: Value) {
        let Some((deal, referral)) = self.referral(which) else { return };
        self.says(deal, Side::PartnerCenter, |stage| {
            let now = stage.world.now();
            stage.world.partner_center.system().edit(&referral, &set, now)
        });
    }

    pub(crate) fn people(&mut self, which: u8, people: &[Person]) {
        let people: Vec<Value> = people.iter().map(Person::member).collect();
        self.set_referral(which, json!({ "/customerProfile/team": people }));
        if let Some((deal, referral)) = self.referral(which) {
            let team = self.held(&referral).map(|held| held["customerProfile"]["team"].clone());
            self.deals[deal].people = team.as_ref().and_then(Value::as_array).cloned();
        }
    }

    pub(crate) fn solve(&mut self, which: u8, first: u8, count: u8) {
        self.set_referral(which, json!({ "/details/requirements/solutions": solutions(first, count) }));
    }

    pub(crate) fn answer(&mut self, which: u8, answer: Answer) {
        let Some((deal, referral)) = self.referral(which) else { return };
        self.says(deal, Side::PartnerCenter, |stage| {
            let now = stage.world.now();
            let reason =
                matches!(answer, Answer::Lost | Answer::Decline).then_some("Customer chose another vendor");
            stage.world.partner_center.system().act(&referral, answer.word(), reason, now)
        });
    }

    pub(crate) fn name_record(&mut self, which: u8, of: u8) {
        let (Some((deal, _)), Some((other, record))) = (self.referral(which), self.record(of)) else {
            return;
        };
        if deal == other || self.deals[deal].record.is_some() {
            return;
        }
        self.set_referral(which, json!({ "/externalReferenceId": record }));
    }

    pub(crate) fn microsoft(&mut self, which: u8, answer: Answer) {
        let Some((_, referral)) = self.referral(which) else { return };
        let now = self.world.now();
        let reason = matches!(answer, Answer::Decline | Answer::Lost).then_some("No fit\n<b>for</b> \"us\"");
        let done = self.world.partner_center.system().microsoft(&referral, answer.word(), reason, now);
        if let Err(refused) = done {
            self.tell(format!("   refused: {refused}"));
        }
    }

    pub(crate) fn convert(&mut self, which: u8) {
        let Some((_, referral)) = self.referral(which) else { return };
        let now = self.world.now();
        if let Err(refused) = self.world.partner_center.system().convert(&referral, now) {
            self.tell(format!("   refused: {refused}"));
        }
    }

    /// Microsoft's half in a shape that no document shows.
    pub(crate) fn odd_half(&mut self, which: u8) {
        let Some((_, referral)) = self.referral(which) else { return };
        let now = self.world.now();
        let mut center = self.world.partner_center.system();
        if let Some(half) = center.microsoft_half(&referral) {
            let _ = center.edit(&half, &json!({ "/substatus": null }), now);
        }
    }

    pub(crate) fn import_referrals(&mut self, rows: u16) {
        let now = self.world.now();
        for n in 0..rows {
            self.numbers += 1;
            let over = json!({
                "name": format!("Imported referral {}", self.numbers),
                "details": { "notes": format!("Imported remark {}", self.numbers) },
                "customerProfile": { "name": format!("Imported customer {}", n % 7),
                    "address": { "postalCode": format!("{}", 4000 + n % 7) } },
            });
            let id = self.world.partner_center.system().refer(&over, now);
            if n < 12 {
                self.add(Side::PartnerCenter, Some(id), None);
            }
        }
    }

    /// All referrals of our own that are open get the same edit.
    pub(crate) fn edit_all(&mut self, edit: &Edit) {
        for deal in 0..self.deals.len() {
            self.edit_referral(u8::try_from(deal).unwrap_or(u8::MAX), edit);
        }
    }

    /// Both sides edit the same field before anything else happens.
    pub(crate) fn quarrel(&mut self, which: u8, edit: &Edit) {
        let other = match edit {
            Edit::Name(name) => Edit::Name(Text { mark: name.mark ^ 1, ..name.clone() }),
            Edit::Notes(notes) => Edit::Notes(Text { mark: notes.mark ^ 1, ..notes.clone() }),
            Edit::Value(money) => {
                Edit::Value(Money { amount: money.amount.map(|a| a + 1.0), ..money.clone() })
            }
            Edit::Day(_) => Edit::Day(Day::Picked { month: 9, day: 9, east: 0 }),
            Edit::NoNotes => Edit::Notes(Text::plain(9)),
        };
        self.edit_record(which, edit);
        self.edit_referral(which, &other);
    }

    pub(crate) fn import(&mut self, rows: u16, complete: bool, wide: bool) {
        let most = if self.crm == mapping::CrmKind::Dynamics365 { 1_990 } else { 31_900 };
        let notes = if wide { "w".repeat(most - 8) } else { "Imported.".to_owned() };
        let account = self.world.try_sell(
            "accounts",
            json!({ "name": "Imported Ltd", "line1": "4 Mill Lane", "city": "Leeds",
                "postal_code": "LS1 4AB", "country": "United Kingdom" }),
        );
        let Ok(account) = account else { return };
        for n in 0..rows {
            self.numbers += 1;
            let notes = format!("{notes} {}", self.numbers);
            let mut columns = json!({ "name": format!("Imported deal {}", self.numbers), "deal_value": 1000.5 + f64::from(n),
                "closing_date": "2027-07-31", "notes": notes, "sync": true });
            let related = match self.crm {
                mapping::CrmKind::Dynamics365 => json!({
                    "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({})", simulators::dataverse::CHF),
                    "customerid_account@odata.bind": format!("/accounts({account})"),
                    "parentaccountid@odata.bind": format!("/accounts({account})") }),
                mapping::CrmKind::Salesforce => {
                    json!({ "CurrencyIsoCode": "CHF", "AccountId": account, "StageName": "Prospecting" })
                }
            };
            if let (Value::Object(columns), Value::Object(related)) = (&mut columns, related) {
                columns.extend(related);
            }
            let Ok(record) = self.world.try_sell("opportunities", columns) else { return };
            if complete {
                let _ = self.world.try_add_catalogued(&record, "SOL-1", "Solution 1");
            }
            if n == 0 {
                self.add(Side::Crm, None, Some(record));
            }
        }
        let rows = self.world.rows("opportunities");
        self.tell(format!(
            "   {} opportunities now, the first `{}`",
            rows.len(),
            rows.first().map(|r| text(r, "name")).unwrap_or_default()
        ));
    }
}
