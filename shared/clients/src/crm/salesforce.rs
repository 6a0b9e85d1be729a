//! Salesforce Sales Cloud over its REST API (salesforce.md): opportunities with their customer, primary contact, owner
//! and Microsoft Solutions. Every write is conditional or create-only; none is sent twice.

mod change;
mod create;
pub mod describe;
mod errors;
mod feed;
pub mod provision;
mod rows;
pub mod setup;
mod soql;
mod wire;

use crate::{crm::not_begun::NotBegun, http::Http, token::Tokens};
pub use create::Prepared;
use errors::Said;
use mapping::{
    Action, CrmValue, Map, NewRecord, RecordId, RecordKind, RecordPatch, ReferralId, WantedTable, names,
};
use rows::{Fields, SOLUTION, SOLUTION_OPPORTUNITY, object_of};
use serde_json::{Map as Object, Value};
use soql::{is_id, is_name, quoted};
use std::{collections::BTreeMap, sync::Arc};
use sync::{
    failure::{Failure, Written},
    ports::{Changes, Feed, Position, Ready, Seen},
    version::Version,
};
use wire::{Composite, Part, Wire};

/// The Referral Identifier where the map has no rule for it.
const REFERRAL_ID: &str = "Referral_Identifier__c";

/// The object a map's table is.
pub fn object_of_table(table: WantedTable) -> &'static str {
    match table {
        WantedTable::Opportunity => object_of(RecordKind::Opportunity),
        WantedTable::Lead => object_of(RecordKind::Lead),
        WantedTable::Account => "Account",
        WantedTable::Contact => "Contact",
        WantedTable::Owner => "User",
        WantedTable::Solution => SOLUTION,
        WantedTable::SolutionDetail => rows::SOLUTION_DETAIL,
    }
}

/// The lookups of a row of Microsoft Solutions: to its deal, to the catalogue.
pub const SOLUTION_LOOKUPS: [&str; 2] = [SOLUTION_OPPORTUNITY, rows::SOLUTION_DETAIL_LOOKUP];

/// One org, seen through one map.
pub struct Salesforce {
    wire: Wire,
    map: Arc<Map>,
    fields: Fields,
    /// The Referral Identifier's field; a unique external id.
    key: String,
}

impl Salesforce {
    /// The org that the tokens lead to, by this version of its API, its fields as `map` names them.
    pub fn new(http: Http, tokens: Arc<Tokens>, version: &str, map: Arc<Map>) -> Self {
        Self::through(map, Wire::new(http, tokens, version))
    }

    /// The same org and connections through another map.
    #[must_use]
    pub fn with_map(&self, map: Arc<Map>) -> Self {
        Self::through(map, self.wire.clone())
    }

    fn through(map: Arc<Map>, wire: Wire) -> Self {
        let key = map.column(names::REFERRAL_ID).filter(|column| is_name(column));
        Salesforce { key: key.unwrap_or(REFERRAL_ID).to_owned(), fields: Fields::of(&map), wire, map }
    }

    /// The record with its lists; `which` is a condition on the opportunity, `of` the same on its child rows.
    fn record_parts(&self, which: &str, of: impl Fn(&str) -> String) -> Vec<Part> {
        let select = self.fields.record_select();
        let record = format!("SELECT {select} FROM Opportunity WHERE {which}");
        let solutions = format!(
            "SELECT {} FROM {SOLUTION} WHERE {} ORDER BY Id",
            self.fields.solution_select(),
            of(SOLUTION_OPPORTUNITY)
        );
        let contact = format!(
            "SELECT Id, {} FROM OpportunityContactRole WHERE {} AND IsPrimary = true ORDER BY Id LIMIT 1",
            self.fields.contact_select(),
            of("Opportunity")
        );
        let mut parts = vec![
            Part::query("shown_record", &record),
            Part::query("shown_solutions", &solutions),
            Part::query("shown_contact", &contact),
        ];
        if self.fields.sales_team {
            let members = self.fields.member_select();
            let team = format!(
                "SELECT {members} FROM OpportunityTeamMember WHERE {} ORDER BY Id",
                of("Opportunity")
            );
            parts.push(Part::query("shown_team", &team));
        }
        parts
    }

    fn parts_by_id(&self, id: &str) -> Vec<Part> {
        let of = |lookup: &str| match lookup {
            "Opportunity" => format!("OpportunityId = {}", quoted(id)),
            lookup => format!("{lookup} = {}", quoted(id)),
        };
        self.record_parts(&format!("Id = {}", quoted(id)), of)
    }

    fn parts_by_referral(&self, referral: &ReferralId) -> Vec<Part> {
        let is = format!("{} = {}", self.key, quoted(referral.as_str()));
        let of = |lookup: &str| format!("{}.{is}", lookup.replace("__c", "__r"));
        self.record_parts(&is, of)
    }

    /// The record in a composite's answer; `None`: it is not there.
    fn shown(&self, answer: &Composite) -> Result<Option<Seen>, Said> {
        let Some(row) = answer.rows("shown_record")?.into_iter().next() else { return Ok(None) };
        let seen = self.fields.seen(RecordKind::Opportunity, &row, true, answer.date);
        let Some(mut seen) = seen else { return Ok(None) };
        let solutions = self.fields.solutions(&answer.rows("shown_solutions")?);
        seen.record.lists.insert(names::SOLUTIONS.to_owned(), solutions);
        self.fields.add_contact(&mut seen.record, &answer.rows("shown_contact")?);
        if self.fields.sales_team {
            let team = self.fields.team(&answer.rows("shown_team")?);
            seen.record.lists.insert(names::SALES_TEAM.to_owned(), team);
        }
        Ok(Some(seen))
    }

    async fn read(&self, operation: &str, parts: &[Part]) -> Result<Option<Seen>, Failure> {
        let answer = self.wire.look(operation, parts).await?;
        self.shown(&answer).map_err(|said| self.wire.failed(operation, &said))
    }

    /// The id for a path. Ids come from a table of ours and from Partner Center, where people type.
    fn id<'a>(&self, operation: &str, id: &'a RecordId) -> Result<&'a str, Failure> {
        let unusable = || self.wire.unusable(operation, format!("`{}` is no Salesforce id", id.id));
        if is_id(&id.id) { Ok(&id.id) } else { Err(unusable()) }
    }

    /// A body with these fields.
    fn body(&self, columns: &BTreeMap<String, CrmValue>) -> Result<Object<String, Value>, NotBegun> {
        let mut body = Object::new();
        for (name, value) in columns {
            if !is_name(name) {
                return Err(NotBegun::refused(name, "a related row's field is not written with the record"));
            }
            match value {
                CrmValue::Plain(value) => {
                    body.insert(name.clone(), value.clone());
                }
                CrmValue::Lookup { .. } => {
                    return Err(NotBegun::refused(name, "a lookup is not written to Salesforce by its text"));
                }
            }
        }
        Ok(body)
    }
}

impl sync::ports::Crm for Salesforce {
    type Prepared = Prepared;

    async fn fetch(&self, id: &RecordId) -> Result<Option<Seen>, Failure> {
        let operation = format!("fetch `{id}`");
        if id.kind == RecordKind::Lead {
            return Ok(None);
        }
        let parts = self.parts_by_id(self.id(&operation, id)?);
        self.read(&operation, &parts).await
    }

    async fn find(&self, kind: RecordKind, referral: &ReferralId) -> Result<Option<Seen>, Failure> {
        if kind == RecordKind::Lead {
            return Ok(None);
        }
        let operation = format!("find the {} of referral `{referral}`", object_of(kind));
        self.read(&operation, &self.parts_by_referral(referral)).await
    }

    async fn prepare(&self, new: &NewRecord) -> Written<Ready<Prepared>> {
        self.prepared(new).await.map_or_else(NotBegun::written, Written::Done)
    }

    async fn create(&self, new: &NewRecord, prepared: Prepared) -> Written<Seen> {
        self.create_record(new, prepared).await
    }

    async fn patch(&self, id: &RecordId, version: &Version, patch: &RecordPatch) -> Written<Option<Seen>> {
        self.patch_record(id, version, patch).await
    }

    /// Closing is a stage here: it goes with the other fields.
    async fn act(&self, id: &RecordId, _action: &Action) -> Written<Option<Seen>> {
        NotBegun::refused("StageName", format!("`{id}` is closed by its stage")).written()
    }

    fn feeds(&self) -> &'static [Feed] {
        &[Feed::Opportunities, Feed::Solutions, Feed::Contacts, Feed::Accounts]
    }

    async fn qualify(&self, lead: &RecordId, _version: &Version, _new: &NewRecord) -> Written<Seen> {
        NotBegun::refused("Status", format!("`{lead}` is converted by a seller")).written()
    }

    async fn qualified(&self, _lead: &RecordId) -> Result<Option<Seen>, Failure> {
        Ok(None)
    }

    async fn changes(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        self.feed(feed, position).await
    }
}
