//! Which oddities a story may have at all. A fault that stops everything hides the others, so each story is calm in most
//! ways and odd in a few (swarm testing); what it may not have is turned into what is usual.

use crate::{
    story::{Act, Edit, Mishap, Offer, Org, Sale, Story, Vendors, What},
    values::{Customer, Day, Email, Flavour, Last, Person, Phone, Text},
};

/// A set of oddities, as bits.
#[derive(Clone, Copy, Debug)]
pub struct Taste(u64);

/// Each oddity is one bit; the flavours of text take the first ones.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Odd {
    Lengths = 20,
    Money,
    Days,
    Emails,
    LastNames,
    Phones,
    Crowds,
    ManySolutions,
    Countries,
    Words,
    Teams,
    Rules,
    ContactRules,
    Products,
    HiddenFields,
    Mishaps,
    LongThrottles,
    Outages,
    Garbage,
    Expiry,
    Consent,
    Secrets,
    Upgrades,
    Maps,
    FirstMaps,
    Imports,
    Merges,
    Names,
    MovedRows,
    Rewrites,
    Weather,
    Latency,
    Pages,
    Connections,
    Stamps,
    Shapes,
    Deletions,
    Leads,
    Repairs,
    Loads,
    Retries,
}

impl Taste {
    /// Of two random words: each oddity in a quarter of the stories.
    pub fn new(one: u64, other: u64) -> Self {
        Taste(one & other)
    }

    fn likes(self, odd: Odd) -> bool {
        self.0 >> (odd as u8) & 1 == 1
    }

    fn flavour(self, flavour: Flavour) -> bool {
        flavour == Flavour::Plain || self.0 >> (flavour as u8) & 1 == 1
    }

    /// The story without what it may not have.
    pub fn season(self, story: Story) -> Story {
        Story {
            org: self.org(story.org),
            vendors: self.vendors(story.vendors),
            map: if self.likes(Odd::FirstMaps) { story.map } else { vec![] },
            acts: story.acts.into_iter().filter_map(|act| self.act(act)).collect(),
        }
    }

    fn org(self, org: Org) -> Org {
        Org { rewrites: if self.likes(Odd::Rewrites) { org.rewrites } else { vec![] }, ..org }
    }

    fn vendors(self, vendors: Vendors) -> Vendors {
        let mut vendors = vendors;
        if !self.likes(Odd::Pages) {
            (vendors.partner_center_page, vendors.crm_page, vendors.child_rows_count) = (0, 0, false);
        }
        if !self.likes(Odd::Latency) {
            (vendors.crm_latency_ms, vendors.partner_center_latency_ms) = (0, 0);
        }
        if !self.likes(Odd::Connections) {
            vendors.forgets_after_s = 0;
        }
        if !self.likes(Odd::Weather) {
            vendors.weather = 0;
        }
        if !self.likes(Odd::Stamps) {
            (vendors.event_after_micros, vendors.stale_reads) = (0, 0);
        }
        if !self.likes(Odd::Shapes) {
            (vendors.empty_patch, vendors.sparse, vendors.sibling_events, vendors.touched_after) =
                (false, false, false, false);
        }
        vendors
    }

    fn act(self, act: Act) -> Option<Act> {
        let liked = match &act.what {
            What::Rule(_) => self.likes(Odd::Rules),
            What::ContactRule => self.likes(Odd::ContactRules),
            What::Products(_) => self.likes(Odd::Products),
            What::HideLeads => self.likes(Odd::HiddenFields),
            What::Mishap(_, Mishap::ThrottledForDays) => self.likes(Odd::LongThrottles),
            What::Mishap(..) | What::LoseWebhooks => self.likes(Odd::Mishaps),
            What::Down(..) => self.likes(Odd::Outages),
            What::Garbage(_) | What::Knock(_) => self.likes(Odd::Garbage),
            What::Expire => self.likes(Odd::Expiry),
            What::RevokeConsent(_) => self.likes(Odd::Consent),
            What::PasteSecret(_) => self.likes(Odd::Secrets),
            What::Upgrade => self.likes(Odd::Upgrades),
            What::Map(_) | What::Rollback => self.likes(Odd::Maps),
            What::Import { .. } | What::ImportReferrals(_) | What::EditAll(_) => self.likes(Odd::Imports),
            What::MergeAccounts(..) | What::MergeLeads(..) => self.likes(Odd::Merges),
            What::NameRecord(..) | What::NameReferral(..) => self.likes(Odd::Names),
            What::MoveSolution(..) | What::EmptySolution(_) => self.likes(Odd::MovedRows),
            What::OddHalf(_) => self.likes(Odd::Shapes),
            What::Delete(_) | What::Undelete(_) => self.likes(Odd::Deletions),
            What::ReferLead(_) => self.likes(Odd::Leads) || self.likes(Odd::Merges),
            What::Relink(..) | What::Disconnect(_) => self.likes(Odd::Repairs),
            What::Backfill | What::Rebase => self.likes(Odd::Loads),
            What::Retry => self.likes(Odd::Retries) || self.likes(Odd::Garbage),
            _ => true,
        };
        liked.then(|| Act { what: self.what(act.what), ..act })
    }

    fn what(self, what: What) -> What {
        match what {
            What::Sell(sale) => What::Sell(Box::new(self.sale(*sale))),
            What::Refer(offer) => What::Refer(Box::new(self.offer(*offer))),
            What::ReferLead(offer) => What::ReferLead(Box::new(self.offer(*offer))),
            What::NewDeal(offer) => What::NewDeal(Box::new(self.offer(*offer))),
            What::EditRecord(deal, edit) => What::EditRecord(deal, self.edit(edit)),
            What::EditReferral(deal, edit) => What::EditReferral(deal, self.edit(edit)),
            What::Close(deal, won, edit) => What::Close(deal, won, edit.map(|edit| self.edit(edit))),
            What::Quarrel(deal, edit, times) => What::Quarrel(deal, self.edit(edit), times),
            What::EditAll(edit) => What::EditAll(self.edit(edit)),
            What::SetContact(deal, person) => What::SetContact(deal, self.person(person)),
            What::People(deal, people) => What::People(deal, self.people(people)),
            What::AddSolutions(deal, first, count) => What::AddSolutions(deal, first, self.solutions(count)),
            What::Solutions(deal, first, count) => What::Solutions(deal, first, self.solutions(count)),
            other => other,
        }
    }

    fn sale(self, sale: Sale) -> Sale {
        Sale {
            name: self.text(sale.name),
            notes: sale.notes.map(|notes| self.text(notes)),
            value: self.money(sale.value),
            day: self.day(sale.day),
            customer: self.customer(sale.customer, "Switzerland"),
            person: self.person(sale.person),
            solutions: self.solutions(sale.solutions),
            ..sale
        }
    }

    fn offer(self, offer: Offer) -> Offer {
        let words = self.likes(Odd::Words);
        Offer {
            name: self.text(offer.name),
            notes: offer.notes.map(|notes| self.text(notes)),
            value: self.money(offer.value),
            day: self.day(offer.day),
            customer: self.customer(offer.customer, "CH"),
            people: self.people(offer.people),
            solutions: self.solutions(offer.solutions),
            help: offer.help.filter(|_| words),
            intent: offer.intent.filter(|_| words),
            team: offer.team.filter(|_| self.likes(Odd::Teams)),
        }
    }

    fn text(self, text: Text) -> Text {
        Text {
            flavour: if self.flavour(text.flavour) { text.flavour } else { Flavour::Plain },
            length: if self.likes(Odd::Lengths) { text.length } else { 0 },
            ..text
        }
    }

    fn edit(self, edit: Edit) -> Edit {
        match edit {
            Edit::Name(name) => Edit::Name(self.text(name)),
            Edit::Notes(notes) => Edit::Notes(self.text(notes)),
            Edit::Value(money) => Edit::Value(self.money(money)),
            Edit::Day(day) => Edit::Day(self.day(day)),
            Edit::NoNotes => Edit::NoNotes,
        }
    }

    fn money(self, money: crate::values::Money) -> crate::values::Money {
        let usual = |money: &crate::values::Money| {
            money
                .amount
                .is_some_and(|amount| (1_000.0..900_000.0).contains(&amount) && (amount * 2.0).fract() == 0.0)
                && money
                    .currency
                    .as_ref()
                    .is_some_and(|code| ["CHF", "EUR", "USD", "GBP"].contains(&code.as_str()))
        };
        if self.likes(Odd::Money) || usual(&money) {
            return money;
        }
        crate::values::Money { amount: Some(12_000.5), currency: Some("CHF".to_owned()) }
    }

    fn day(self, day: Day) -> Day {
        match day {
            day if self.likes(Odd::Days) => day,
            Day::Picked { month, day, .. } | Day::Offset { month, day, .. } => {
                Day::Picked { month, day, east: 0 }
            }
            _ => Day::Picked { month: 6, day: 30, east: 0 },
        }
    }

    fn person(self, person: Person) -> Person {
        Person {
            email: if self.likes(Odd::Emails) { person.email } else { Email::Usual },
            last: if self.likes(Odd::LastNames) { person.last } else { Last::Usual },
            phone: if self.likes(Odd::Phones) { person.phone } else { Phone::Usual },
            ..person
        }
    }

    fn people(self, people: Vec<Person>) -> Vec<Person> {
        let most = if self.likes(Odd::Crowds) { usize::MAX } else { 3 };
        people.into_iter().take(most).map(|person| self.person(person)).collect()
    }

    fn solutions(self, count: u8) -> u8 {
        if self.likes(Odd::ManySolutions) { count } else { count.clamp(1, 3) }
    }

    fn customer(self, customer: Customer, usual: &str) -> Customer {
        let customer = Customer { name: self.text(customer.name), ..customer };
        let known =
            ["CH", "GB", "DE", "US", "NL", "AR", "Switzerland", "United Kingdom", "Germany", "United States"];
        let is_usual = customer.country.as_ref().is_some_and(|country| known.contains(&country.as_str()));
        if self.likes(Odd::Countries) {
            return customer;
        }
        Customer {
            country: if is_usual { customer.country } else { Some(usual.to_owned()) },
            state: None,
            ..customer
        }
    }
}
