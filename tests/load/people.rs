//! What people do in a storm: Microsoft refers, sellers share and edit, users of Partner Center edit and accept.

use crate::{
    shown::{CURRENCIES, Shown, money},
    storm::Storm,
};
use serde_json::{Value, json};
use simulators::dataverse::SELLER;
use std::collections::HashMap;

/// One deal as its people know it.
pub(crate) struct Deal {
    pub(crate) referral: Option<String>,
    pub(crate) opportunity: Option<String>,
    /// Referred and not accepted yet.
    pub(crate) open: bool,
    /// The last word on each unit that only one side edits.
    pub(crate) said: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    PartnerCenter,
    Crm,
    /// Contested: sometimes the one, sometimes the other.
    Both,
}

const UNITS: [&str; 4] = ["name", "value", "closing date", "notes"];
/// So many customers have several deals each.
const CUSTOMERS: usize = 97;
const SOLUTION: &str = "SOL-48213-KTR";

/// Who edits a unit of a deal. Of the units of each deal one at least is edited on either side.
fn side_of(deal: usize, unit: usize) -> Side {
    match (deal + unit) % 5 {
        0 | 1 => Side::PartnerCenter,
        2 | 3 => Side::Crm,
        _ => Side::Both,
    }
}

impl Storm {
    /// Microsoft refers a customer; accepted at once or left waiting.
    pub(crate) fn refer(&mut self, accepted: bool) -> anyhow::Result<usize> {
        let (number, now) = (self.deals.len(), self.world.now());
        let customer = number % CUSTOMERS;
        let (name, value) = (format!("Referral {number}"), 10_000 + number);
        let over = json!({
            "name": name,
            "customerProfile": {
                "name": format!("Customer {customer} AG"),
                "address": { "postalCode": format!("{}", 4000 + customer) },
                "team": [{
                    "firstName": "Nadia", "lastName": format!("Keller {customer}"), "phoneNumber": "+41615550110",
                    "email": format!("nadia.{customer}@customer.example"), "title": "Head of IT",
                    "contactPreference": { "locale": "de-ch", "disableNotifications": true },
                }],
            },
            "details": { "dealValue": value, "currency": "CHF", "notes": format!("Note {number}.") },
        });
        let id = self.world.partner_center.system().refer(&over, now);
        let said = Shown::from([
            ("name", name),
            ("value", money(value as f64, "CHF")),
            ("closing date", "2026-09-30".to_owned()),
            ("notes", format!("Note {number}.")),
        ]);
        self.deals.push(Deal { referral: Some(id), opportunity: None, open: true, said });
        self.contested(number);
        self.events += 1;
        if accepted {
            self.accept(number)?;
        }
        Ok(number)
    }

    pub(crate) fn accept(&mut self, deal: usize) -> anyhow::Result<()> {
        let now = self.world.now();
        if let Some(id) = self.deals[deal].referral.clone()
            && std::mem::take(&mut self.deals[deal].open)
        {
            let accepted = self.world.partner_center.system().act(&id, "accept", None, now);
            accepted.map_err(|e| anyhow::anyhow!(e))?;
            self.events += 1;
        }
        Ok(())
    }

    /// A seller shares a deal with Microsoft.
    pub(crate) fn sell(&mut self) -> anyhow::Result<usize> {
        let (number, now) = (self.deals.len(), self.world.now());
        let mut crm = self.world.dataverse.system();
        let mut create = |set: &str, columns: Value| {
            crm.act_create(set, SELLER, columns, now).map_err(|e| anyhow::anyhow!("{set}: {e}"))
        };
        let account = create(
            "accounts",
            json!({ "name": format!("Buyer {number} Ltd"), "address1_line1": "4 Mill Lane", "address1_city": "Leeds",
                    "address1_postalcode": format!("LS{number}"), "address1_country": "GB" }),
        )?;
        let contact = create(
            "contacts",
            json!({ "firstname": "Priya", "lastname": "Shah", "telephone1": "+441135550177",
                    "emailaddress1": format!("priya.{number}@buyer.example") }),
        )?;
        let (code, currency) = CURRENCIES[number % CURRENCIES.len()];
        let said = Shown::from([
            ("name", format!("Deal {number}")),
            ("value", money(20_000.5 + number as f64, code)),
            ("closing date", "2027-07-31".to_owned()),
            ("notes", format!("Note {number}.")),
        ]);
        let deal = create(
            "opportunities",
            json!({ "name": said["name"], "estimatedvalue": 20_000.5 + number as f64,
                    "estimatedclosedate": said["closing date"], "description": said["notes"],
                    "cosell_helprequested": 100_000_003,
                    "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({currency})"),
                    "customerid_account@odata.bind": format!("/accounts({account})"),
                    "parentaccountid@odata.bind": format!("/accounts({account})"),
                    "parentcontactid@odata.bind": format!("/contacts({contact})"),
                    "ownerid@odata.bind": format!("/systemusers({SELLER})") }),
        )?;
        drop(crm);
        self.add_solution(&deal)?;
        let mut crm = self.world.dataverse.system();
        let shared = crm.act_edit(
            "opportunities",
            &deal,
            SELLER,
            json!({ "cosell_syncwithpartnercenter": true }),
            now,
        );
        shared.map_err(|e| anyhow::anyhow!(e))?;
        drop(crm);
        self.deals.push(Deal { referral: None, opportunity: Some(deal), open: false, said });
        self.contested(number);
        self.events += 1;
        Ok(number)
    }

    /// A row of Microsoft Solutions, with its row of the catalogue.
    fn add_solution(&self, deal: &str) -> anyhow::Result<()> {
        let now = self.world.now();
        let mut crm = self.world.dataverse.system();
        let known =
            crm.rows("cosell_solutiondetails").into_iter().find(|r| r["cosell_solutionid"] == SOLUTION);
        let known = known.and_then(|row| row["cosell_solutiondetailid"].as_str()).map(str::to_owned);
        let name = "Juniper Peak Fleet Insight";
        let mut create = |set: &str, columns: Value| {
            crm.act_create(set, SELLER, columns, now).map_err(|e| anyhow::anyhow!("{set}: {e}"))
        };
        let detail = match known {
            Some(id) => id,
            None => create(
                "cosell_solutiondetails",
                json!({ "cosell_solutionid": SOLUTION, "cosell_name": name, "cosell_type": "3P",
                        "cosell_publisher": "Juniper Peak Software" }),
            )?,
        };
        create(
            "cosell_solutions",
            json!({ "cosell_name": name, "cosell_OpportunityId@odata.bind": format!("/opportunities({deal})"),
                    "cosell_SolutionDetailId@odata.bind": format!("/cosell_solutiondetails({detail})") }),
        )
        .map(drop)
    }

    /// Whatever both sides edit has no last word.
    fn contested(&mut self, deal: usize) {
        for (n, unit) in UNITS.iter().enumerate().filter(|(n, _)| side_of(deal, *n) == Side::Both) {
            debug_assert!(n < UNITS.len());
            self.deals[deal].said.remove(unit);
        }
    }

    /// Somebody edits a unit of a deal where that unit is edited, as far as the deal is there; `only`: on this side.
    pub(crate) fn edit(&mut self, deal: usize, only: Option<Side>) -> anyhow::Result<()> {
        let first = self.dice.below(UNITS.len());
        let there = |side: Side| match side {
            Side::PartnerCenter => self.deals[deal].referral.is_some(),
            // Before it is accepted a seller's edit waits.
            Side::Crm => self.deals[deal].opportunity.is_some() && !self.deals[deal].open,
            Side::Both => true,
        };
        let coin = self.dice.below(2);
        let chosen = (0..UNITS.len()).map(|n| (first + n) % UNITS.len()).find_map(|unit| {
            let side = match side_of(deal, unit) {
                Side::Both => only.unwrap_or([Side::PartnerCenter, Side::Crm][coin]),
                side => side,
            };
            (there(side) && only.is_none_or(|only| only == side)).then_some((unit, side))
        });
        let Some((unit, side)) = chosen else { return Ok(()) };
        self.events += 1;
        let n = self.events as usize;
        let (code, currency) = CURRENCIES[self.dice.below(CURRENCIES.len())];
        let amount = (100_000 + self.dice.below(9_000_000)) as f64 / 100.0;
        let date = format!("2027-{:02}-{:02}", 1 + self.dice.below(12), 1 + self.dice.below(28));
        let name = format!("Deal {deal}, edit {n}");
        let notes = format!("Note {deal}, edit {n}.");
        let (said, referral, opportunity) = match UNITS[unit] {
            "name" => (name.clone(), json!({ "/name": name }), json!({ "name": name })),
            "value" => (
                money(amount, code),
                json!({ "/details/dealValue": amount, "/details/currency": code }),
                json!({ "estimatedvalue": amount,
                        "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({currency})") }),
            ),
            "closing date" => (
                date.clone(),
                json!({ "/details/closingDateTime": format!("{date}T00:00:00Z") }),
                json!({ "estimatedclosedate": date }),
            ),
            _ => (notes.clone(), json!({ "/details/notes": notes }), json!({ "description": notes })),
        };
        let now = self.world.now();
        let it = &self.deals[deal];
        let done = match (side, &it.referral, &it.opportunity) {
            (Side::Crm, _, Some(id)) => {
                self.world.dataverse.system().act_edit("opportunities", id, SELLER, opportunity, now)
            }
            (_, Some(id), _) => self.world.partner_center.system().edit(id, &referral, now),
            _ => Ok(()),
        };
        done.map_err(|e| anyhow::anyhow!("{e}"))?;
        if side_of(deal, unit) != Side::Both {
            self.deals[deal].said.insert(UNITS[unit], said);
        }
        Ok(())
    }

    /// An edit of any deal.
    pub(crate) fn edit_any(&mut self, only: Option<Side>) -> anyhow::Result<()> {
        let deal = self.dice.below(self.deals.len());
        self.edit(deal, only)
    }

    /// The other halves of deals that have come to be.
    pub(crate) fn learn(&mut self) {
        if self.deals.iter().all(|deal| deal.referral.is_some() && deal.opportunity.is_some()) {
            return;
        }
        let crm = self.world.dataverse.system();
        let pairs: Vec<(String, String)> = crm
            .rows("opportunities")
            .into_iter()
            .filter_map(|row| {
                let own = |name: &str| row[name].as_str().map(str::to_owned);
                own("cosell_referralid").zip(own("opportunityid"))
            })
            .collect();
        drop(crm);
        let by_referral: HashMap<&String, &String> = pairs.iter().map(|(r, o)| (r, o)).collect();
        let by_opportunity: HashMap<&String, &String> = pairs.iter().map(|(r, o)| (o, r)).collect();
        for deal in &mut self.deals {
            match (&deal.referral, &deal.opportunity) {
                (Some(id), None) => deal.opportunity = by_referral.get(id).map(|id| (*id).clone()),
                (None, Some(id)) => deal.referral = by_opportunity.get(id).map(|id| (*id).clone()),
                _ => {}
            }
        }
    }

    /// Deals in step on both sides before the storm: three of four referred, the fourth shared by a seller.
    pub(crate) async fn furnish(&mut self, deals: usize) -> anyhow::Result<()> {
        for n in 0..deals {
            if n % 4 == 3 {
                self.sell()?
            } else {
                self.refer(true)?
            };
        }
        self.rest().await
    }
}
