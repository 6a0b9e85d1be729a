//! Salesforce Sales Cloud over its REST API (vendors/salesforce.md, *Addressing*): opportunities with their customer,
//! primary contact, owner and Microsoft Solutions; leads. Every write is conditional or create-only; none is sent
//! twice.

mod change;
mod composite;
mod convert;
mod create;
pub mod describe;
mod errors;
mod features;
mod feed;
mod lead;
mod note;
mod party;
mod patch;
mod place;
pub mod provision;
mod records;
mod rows;
pub mod setup;
mod soap;
mod solution;
mod soql;
mod wire;

use crate::{crm::not_begun::NotBegun, gather::Gather, http::Http, token::Tokens};
use composite::{Composite, Part};
pub use create::PreparedComposite;
use errors::SalesforceError;
use features::{Features, OrgCache};
use mapping::{
    Action, CrmValue, Duplicates, Map, NewRecord, RecordId, RecordKind, RecordPatch, ReferralId, WantedTable,
    names,
};
use patch::{CompositeResult, Patch};
use rows::{Fields, SOLUTION, SOLUTION_OPPORTUNITY, object_of};
use serde_json::{Map as Object, Value};
use soql::{is_id, is_name, quoted};
use std::{collections::BTreeMap, sync::Arc};
use sync::{
    failure::{Failure, Written},
    note::Note,
    ports::{Changes, Feed, Position, Qualified, Ready, Seen},
    version::Version,
};
pub use wire::AUDIENCE;
use wire::SalesforceWire;

/// The field of the Referral Identifier if the map has no rule for it.
const REFERRAL_ID: &str = "Referral_Identifier__c";

/// The Salesforce object of a table of the map.
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

/// The lookups of a row of Microsoft Solutions: to its opportunity, and to the catalogue.
pub const SOLUTION_LOOKUPS: [&str; 2] = [SOLUTION_OPPORTUNITY, rows::SOLUTION_DETAIL_LOOKUP];

/// One org, with the fields that one map names.
pub struct Salesforce {
    wire: SalesforceWire,
    map: Arc<Map>,
    fields: Fields,
    lead_fields: Fields,
    /// The field of the Referral Identifier; it is a unique external id.
    key: String,
    lead_key: String,
    known: Arc<OrgCache>,
    patches: Gather<Patch, CompositeResult>,
}

impl Salesforce {
    /// The org to which the tokens lead, by this version of its API, with the fields that `map` names.
    pub fn new(http: Http, tokens: Arc<Tokens>, version: &str, map: Arc<Map>) -> Self {
        Self::through(map, SalesforceWire::new(http, tokens, version), Arc::default())
    }

    /// The same org and connections with another map.
    #[must_use]
    pub fn with_map(&self, map: Arc<Map>) -> Self {
        Self::through(map, self.wire.clone(), self.known.clone())
    }

    /// By how much the org's clock is ahead of ours, by its last answer.
    pub fn skew(&self) -> Option<jiff::SignedDuration> {
        self.wire.skew()
    }

    fn through(map: Arc<Map>, wire: SalesforceWire, known: Arc<OrgCache>) -> Self {
        let key = |map: &Map| {
            let column = map.column(names::REFERRAL_ID).filter(|column| is_name(column));
            column.unwrap_or(REFERRAL_ID).to_owned()
        };
        let allow_save = map.vendor().duplicates == Duplicates::AllowSave;
        Salesforce {
            wire: wire.allowing_duplicates(allow_save),
            fields: Fields::of(&map, RecordKind::Opportunity),
            lead_fields: Fields::of(map.of(RecordKind::Lead), RecordKind::Lead),
            key: key(&map),
            lead_key: key(map.of(RecordKind::Lead)),
            map,
            known,
            patches: Gather::default(),
        }
    }

    fn fields_of(&self, kind: RecordKind) -> &Fields {
        match kind {
            RecordKind::Opportunity => &self.fields,
            RecordKind::Lead => &self.lead_fields,
        }
    }

    fn key_of(&self, kind: RecordKind) -> &str {
        match kind {
            RecordKind::Opportunity => &self.key,
            RecordKind::Lead => &self.lead_key,
        }
    }

    /// Reads a lead, which has no lists and no related rows.
    fn lead_part(&self, which: &str) -> Part {
        let select = self.lead_fields.own_select();
        Part::query("shown_record", &format!("SELECT {select} FROM Lead WHERE {which}"))
    }

    /// Reads opportunities with their lists. `which` is a condition on the opportunity; `of` gives the same condition
    /// for a lookup of its child rows. `several`: there may be more than one opportunity, so child rows also return
    /// their parent's id.
    fn record_parts(
        &self,
        has: Features,
        which: &str,
        of: impl Fn(&str) -> String,
        several: bool,
    ) -> Vec<Part> {
        let own = |select: String, parent: &str| match several {
            true if select.split(", ").all(|field| field != parent) => format!("{select}, {parent}"),
            _ => select,
        };
        let first = if several { "" } else { " LIMIT 1" };
        let select = self.fields.record_select(has);
        let record = format!("SELECT {select} FROM Opportunity WHERE {which}");
        let solutions = format!(
            "SELECT {} FROM {SOLUTION} WHERE {} ORDER BY Id",
            own(self.fields.solution_select(), SOLUTION_OPPORTUNITY),
            of(SOLUTION_OPPORTUNITY)
        );
        let contact = format!(
            "SELECT Id, {} FROM OpportunityContactRole WHERE {} AND IsPrimary = true ORDER BY Id{first}",
            own(self.fields.contact_select(), "OpportunityId"),
            of("Opportunity")
        );
        let mut parts = vec![
            Part::query("shown_record", &record),
            Part::query("shown_solutions", &solutions),
            Part::query("shown_contact", &contact),
        ];
        if self.fields.sales_team && has.teams {
            let members = own(self.fields.member_select(), "OpportunityId");
            let team = format!(
                "SELECT {members} FROM OpportunityTeamMember WHERE {} ORDER BY Id",
                of("Opportunity")
            );
            parts.push(Part::query("shown_team", &team));
        }
        parts
    }

    fn parts_by_id(&self, has: Features, kind: RecordKind, id: &str) -> Vec<Part> {
        if kind == RecordKind::Lead {
            return vec![self.lead_part(&format!("Id = {}", quoted(id)))];
        }
        let of = |lookup: &str| match lookup {
            "Opportunity" => format!("OpportunityId = {}", quoted(id)),
            lookup => format!("{lookup} = {}", quoted(id)),
        };
        self.record_parts(has, &format!("Id = {}", quoted(id)), of, false)
    }

    /// Reads the record of this kind that carries this Referral Identifier.
    fn parts_by_key(&self, has: Features, kind: RecordKind, referral: &ReferralId) -> Vec<Part> {
        match kind {
            RecordKind::Opportunity => self.parts_by_referral(has, referral),
            RecordKind::Lead => {
                vec![self.lead_part(&format!("{} = {}", self.lead_key, quoted(referral.as_str())))]
            }
        }
    }

    fn parts_by_referral(&self, has: Features, referral: &ReferralId) -> Vec<Part> {
        let is = format!("{} = {}", self.key, quoted(referral.as_str()));
        let of = |lookup: &str| format!("{}.{is}", lookup.replace("__c", "__r"));
        self.record_parts(has, &is, of, false)
    }

    /// The record, from a composite's answer; `None`: it is not there.
    fn shown(&self, kind: RecordKind, answer: &Composite) -> Result<Option<Seen>, SalesforceError> {
        let Some(row) = answer.rows("shown_record")?.into_iter().next() else { return Ok(None) };
        let seen = self.fields_of(kind).seen(&row, true, answer.date);
        let Some(mut seen) = seen else { return Ok(None) };
        if kind == RecordKind::Lead {
            return Ok(Some(seen));
        }
        if answer.has("shown_lead") {
            seen.lead = lead::origin(&answer.rows("shown_lead")?);
        }
        let solutions = self.fields.solutions(&answer.rows("shown_solutions")?);
        seen.record.lists.insert(names::SOLUTIONS.to_owned(), solutions);
        self.fields.add_contact(&mut seen.record, &answer.rows("shown_contact")?);
        if self.fields.sales_team {
            // An org without opportunity teams is not asked, and the team is empty.
            let asked = answer.has("shown_team");
            let team = if asked { self.fields.team(&answer.rows("shown_team")?) } else { vec![] };
            seen.record.lists.insert(names::SALES_TEAM.to_owned(), team);
        }
        Ok(Some(seen))
    }

    async fn read(&self, operation: &str, kind: RecordKind, parts: &[Part]) -> Result<Option<Seen>, Failure> {
        let answer = self.wire.look(operation, parts).await?;
        self.shown(kind, &answer).map_err(|said| {
            self.known.forget();
            self.wire.failed(operation, &said)
        })
    }

    /// The id for a path. Ids come from our table and from Partner Center, where people type them, so they are
    /// checked.
    fn id<'a>(&self, operation: &str, id: &'a RecordId) -> Result<&'a str, Failure> {
        let unusable = || self.wire.unusable(operation, format!("`{}` is no Salesforce id", id.id));
        if is_id(&id.id) { Ok(&id.id) } else { Err(unusable()) }
    }

    /// The body of a write to these fields.
    fn body(&self, columns: &BTreeMap<String, CrmValue>) -> Result<Object<String, Value>, NotBegun> {
        let mut body = Object::new();
        for (name, value) in columns {
            if !is_name(name) {
                return Err(NotBegun::refused(name, "a related row's field is not written with the record"));
            }
            match value {
                CrmValue::Plain(value) => {
                    body.insert(name.clone(), literal(crate::crm::stored(value)));
                }
                CrmValue::Lookup { .. } => {
                    return Err(NotBegun::refused(name, "a lookup is not written to Salesforce by its text"));
                }
            }
        }
        Ok(body)
    }
}

/// The value of a field as it is: in a composite, `@{...}` in a text would be read as a reference.
fn literal(value: Value) -> Value {
    match value {
        Value::String(text) => mapping::without_references(&text).into(),
        other => other,
    }
}

impl sync::ports::Crm for Salesforce {
    type Prepared = PreparedComposite;

    async fn fetch(&self, id: &RecordId) -> Result<Option<Seen>, Failure> {
        let operation = format!("fetch `{id}`");
        let mut parts = self.parts_by_id(self.features().await?, id.kind, self.id(&operation, id)?);
        parts.extend(self.origin_part(&id.id).filter(|_| id.kind == RecordKind::Opportunity));
        self.read(&operation, id.kind, &parts).await
    }

    async fn find(&self, kind: RecordKind, referral: &ReferralId) -> Result<Option<Seen>, Failure> {
        let operation = format!("find the {} of referral `{referral}`", object_of(kind));
        let parts = self.parts_by_key(self.features().await?, kind, referral);
        self.read(&operation, kind, &parts).await
    }

    fn rows_at_once(&self) -> usize {
        solution::AT_ONCE
    }

    async fn prepare(&self, new: &NewRecord) -> Written<Ready<PreparedComposite>> {
        self.prepared(new).await.map_or_else(NotBegun::written, Written::Done)
    }

    async fn create(&self, new: &NewRecord, prepared: PreparedComposite) -> Written<Seen> {
        self.create_record(new, prepared).await
    }

    async fn patch(&self, id: &RecordId, version: &Version, patch: &RecordPatch) -> Written<Option<Seen>> {
        self.patch_record(id, version, patch).await
    }

    /// In Salesforce an opportunity is closed by its stage, which is written with the other fields: this is never
    /// called.
    async fn act(&self, id: &RecordId, _action: &Action) -> Written<Option<Seen>> {
        NotBegun::refused("StageName", format!("`{id}` is closed by its stage")).written()
    }

    async fn add_note(&self, id: &RecordId, note: &Note) -> Written<()> {
        self.write_note(id, note).await
    }

    fn feeds(&self) -> &'static [Feed] {
        const PLAIN: [Feed; 6] = [
            Feed::Leads,
            Feed::Opportunities,
            Feed::Solutions,
            Feed::ContactRoles,
            Feed::Contacts,
            Feed::Accounts,
        ];
        const WITH_TEAM: [Feed; 7] = [
            Feed::Leads,
            Feed::Opportunities,
            Feed::Solutions,
            Feed::ContactRoles,
            Feed::Contacts,
            Feed::Accounts,
            Feed::SalesTeam,
        ];
        if self.fields.sales_team { &WITH_TEAM } else { &PLAIN }
    }

    async fn qualify(&self, lead: &RecordId, version: &Version, new: &NewRecord) -> Written<Option<Seen>> {
        self.qualify_lead(lead, version, new).await
    }

    async fn qualified(&self, lead: &RecordId) -> Result<Option<Qualified>, Failure> {
        self.deal_of_lead(lead).await
    }

    async fn merged_into(&self, record: &RecordId) -> Result<Option<RecordId>, Failure> {
        self.master_of(record).await
    }

    async fn changes(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        self.feed(feed, position).await
    }
}
