//! Leads in memory: what they show, and how one becomes an opportunity.

use super::{
    Columns, Shape, UNMAPPED,
    write::{Ended, plain},
};
use crate::{crm::SYNC, invariant::Invariant, trace::short, world::State};
use mapping::{CrmKind, Map, NewRecord, RecordKind};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::LazyLock};
use sync::version::Version;

/// What a lead's map reads.
static OWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| columns(&[""]));
/// ... and writes: it is its own contact.
pub(super) static WRITTEN: LazyLock<BTreeSet<String>> = LazyLock::new(|| columns(&["", "contact"]));
/// What qualifying always copies: of the lead, of the opportunity.
const COPIED: [(&str, &str); 5] = [
    ("subject", "name"),
    ("description", "description"),
    ("estimatedamount", "estimatedvalue"),
    ("estimatedclosedate", "estimatedclosedate"),
    ("transactioncurrencyid", "transactioncurrencyid"),
];
/// What a conversion copies of it, and the date it gives every opportunity.
const CONVERTED: &str = "subject";
const END_OF_QUARTER: &str = "2026-12-31";
/// What a lead says of its customer, and where the account and the contact show it.
const CUSTOMER: [(&str, &str); 8] = [
    ("companyname", "account.name"),
    ("address1_city", "account.address1_city"),
    ("address1_postalcode", "account.address1_postalcode"),
    ("address1_country", "account.address1_country"),
    ("firstname", "contact.firstname"),
    ("lastname", "contact.lastname"),
    ("telephone1", "contact.telephone1"),
    ("emailaddress1", "contact.emailaddress1"),
];
/// What an administrator may have mapped besides: nothing, the switch alone, all that is ours.
pub(crate) const COPIES: [&[&str]; 3] = [
    &[],
    &[SYNC],
    &[
        SYNC,
        "cosell_referralid",
        "cosell_referrallink",
        "cosell_audit",
        "cosell_visibletomicrosoft",
        "cosell_marketplaceintent",
    ],
];

fn columns(relations: &[&str]) -> BTreeSet<String> {
    let map = Map::standard(CrmKind::Dynamics365).of(RecordKind::Lead);
    relations.iter().flat_map(|relation| map.columns(relation)).map(|used| used.name).collect()
}

impl Shape {
    /// A lead with every column there is, empty.
    pub(super) fn empty_lead(id: &str) -> Self {
        let mut own: Columns = OWN.iter().map(|name| (name.clone(), Value::Null)).collect();
        own.insert("leadid".into(), json!(id));
        own.insert("statecode".into(), json!(0));
        own.insert("statuscode".into(), json!(1));
        own.insert(UNMAPPED.into(), json!("North"));
        Shape { kind: RecordKind::Lead, own, related: Columns::new(), ..Shape::empty(id) }
    }

    pub(super) fn empty_of(kind: RecordKind, id: &str) -> Self {
        match kind {
            RecordKind::Opportunity => Shape::empty(id),
            RecordKind::Lead => Shape::empty_lead(id),
        }
    }
}

/// What a lead calls an opportunity's column.
pub(crate) fn column_of(kind: RecordKind, column: &str) -> &str {
    let of_lead = COPIED.iter().find(|(_, deal)| kind == RecordKind::Lead && *deal == column);
    of_lead.map_or(column, |(lead, _)| lead)
}

impl State {
    /// `QualifyLead`. `ours`: the version it goes out on and the customer it is for. `opportunity`: whether it makes one.
    pub(crate) fn qualify(
        &mut self,
        id: &str,
        ours: Option<(&Version, &NewRecord)>,
        opportunity: bool,
    ) -> Ended {
        let Some(before) = self.crm.now(id).cloned().filter(|shape| shape.kind == RecordKind::Lead) else {
            return Ended::Lost;
        };
        let converts = ours.is_some() && self.crm.converts;
        if ours.is_some_and(|(version, _)| !converts && !self.is_current(&before, version)) {
            return Ended::Lost;
        }
        if !before.is_open() {
            return Ended::Refused(Some("statecode".into()), "the lead is already closed".into());
        }
        if ours.is_some() && !converts && before.own.get(SYNC) == Some(&json!(false)) {
            let words = format!("we qualified lead {} although its Sync is No", short(id));
            self.violate(Invariant::Sync, words);
        }
        let mut lead = Shape::clone(&before);
        lead.own.insert("statecode".into(), json!(1));
        lead.own.insert("statuscode".into(), json!(3));
        if opportunity {
            let made = self.guid("deal");
            let mut deal = Shape::empty(&made);
            deal.lead = Some(id.to_owned());
            let besides = self.crm.copies.iter().map(|name| (*name, *name));
            let copied = COPIED.into_iter().filter(|(from, _)| !converts || *from == CONVERTED);
            for (from, to) in copied.chain(besides) {
                deal.own.insert(to.to_owned(), before.own.get(from).cloned().unwrap_or_default());
            }
            if converts {
                deal.own.insert("estimatedclosedate".into(), json!(END_OF_QUARTER));
            }
            for (column, related) in CUSTOMER {
                deal.related.insert(related.to_owned(), before.own.get(column).cloned().unwrap_or_default());
            }
            deal.is_owned();
            if let Some((_, new)) = ours {
                *self.crm.accounts.entry(new.account.key.clone()).or_default() |= 1;
                deal.belongs_to(new);
            }
            lead.deal = Some(made.clone());
            self.keep(&made, Some(deal), ours.is_some());
        }
        self.keep(id, Some(lead), ours.is_some());
        Ended::Done
    }
}

impl Shape {
    /// Its account and its contact become those of `new`.
    pub(super) fn belongs_to(&mut self, new: &NewRecord) {
        for (column, value) in &new.account.columns {
            self.related.insert(format!("account.{column}"), plain(value));
        }
        for (column, value) in new.contact.iter().flat_map(|c| &c.columns) {
            self.related.insert(format!("contact.{column}"), plain(value));
        }
    }
}
