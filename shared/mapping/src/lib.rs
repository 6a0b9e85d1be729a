//! Where a field is mapped: converts between a referral of Partner Center, canonical values and a record of the CRM,
//! and validates, as a field map says. Pure: no async, clock, environment or files. The rules are data (`maps/*.toml`,
//! which are also the manual); README.md says how to change one or add a field. In code start at [`Map`], whose methods
//! are the verbs of this crate, each with an example.
//!
//! Values and ids:
//!
//! - `referral`: [`Referral`], the body that Partner Center returns, and its ids
//! - `record`: [`Record`], the columns and lists that the CRM returns, and its id
//! - `value`: [`Value`], what both sides' values are compared and converted as; [`Fields`], values by unit
//! - `day`: calendar days, and the instants that Partner Center keeps for them
//! - `country`: countries by code or name, and codes of currencies
//! - `text`: lengths, check marks, HTML entities, what a CRM can store
//! - `foreign`: [`one_line`], for text from outside within text of ours
//! - `keys`: keys that every run derives alike, and names that read alike
//!
//! The map:
//!
//! - `map`: [`Map`] and the questions to it
//! - `switches`: the types of `[switches]`, `[vendor]`, `[account]` and `[contact]`
//! - `unit`: [`Unit`], what is written, compared and owned as one
//! - `shape`: the rules of which a unit consists: one, a group, a list, the status
//! - `rule`: the keys of one rule, `[fields.<name>]`
//! - `path`: the place of a value in a referral's body
//! - `names`: the rules that the protocol knows by name
//! - `wanted`: the columns and stages that the map demands of the CRM
//! - `vendor_name`: the unit of a field that a vendor's refusal names
//! - `reading`: digests of how each unit is read, by which a changed rule is noticed
//!
//! Reading and checking a map:
//!
//! - `load`: builds a map of the default and an override
//! - `tree`: TOML that keeps lines and the order of keys; lays an override over a default
//! - `reader`: reads keys from the tree and collects faults
//! - `settings`: reads the tables that hold no rules
//! - `vocabulary`: puts Microsoft's yearly tables of words in the place of their names
//! - `optional`: rules that are used only if the CRM has their column
//! - `lead`: the map of leads, laid over that of opportunities
//! - `template`: texts composed by an expression
//! - `check`, `check_shape`: what must hold between keys and between rules
//! - `fault`: the errors: [`Fault`] of a map, [`Refusal`] of a value, [`Missing`] value
//!
//! Reading and converting a deal:
//!
//! - `fields`: reads the units of a referral or a record
//! - `convert`: a unit's value in the other side's form; whether both sides have the same one
//! - `scalar`: one value: read, converted, written as JSON
//! - `list`: people and solutions, element by element
//! - `status`: both sides' statuses and the table between them
//! - `steps`: the ways from one status to another
//!
//! Decisions and writes:
//!
//! - `classify`: [`classify()`], whether a referral is a deal, a lead or another organisation's
//! - `customer`: whether a referral and a record have the same customer
//! - `microsoft`: what Microsoft's half of an engagement says
//! - `registration`: hints about registering a deal with Microsoft
//! - `patch`: the types of what is written into a CRM
//! - `new_record`, `record_patch`: what a create and an update write into the CRM
//! - `new_referral`, `referral_patch`: the same for Partner Center

mod check;
mod check_shape;
mod classify;
mod convert;
mod country;
mod customer;
mod day;
mod fault;
mod fields;
mod foreign;
mod keys;
mod lead;
mod list;
mod load;
mod map;
mod microsoft;
pub mod names;
mod new_record;
mod new_referral;
mod optional;
mod patch;
mod path;
mod reader;
mod reading;
mod record;
mod record_patch;
mod referral;
mod referral_patch;
mod registration;
mod rule;
mod scalar;
mod settings;
mod shape;
mod status;
mod steps;
mod switches;
mod template;
mod text;
mod tree;
mod unit;
mod value;
mod vendor_name;
mod vocabulary;
mod wanted;

pub use classify::{Category, classify};
pub use country::are_apart;
pub use fault::{Fault, Missing, Refusal};
pub use foreign::one_line;
pub use keys::{child_id, contact_key, customer_key, reads_alike, telling_words};
pub use map::{ColumnUse, Map};
pub use microsoft::MicrosoftSaid;
pub use patch::{
    Action, CrmStep, CrmValue, DealKind, ListChange, Mark, NewRecord, Owner, OwnerWish, Party, RecordPatch,
    Trim,
};
pub use reading::Readings;
pub use record::{CrmKind, Record, RecordId, RecordKind, UnknownCrm};
pub use referral::{EngagementId, Malformed, Referral, ReferralId};
pub use settings::{SWITCHES, VENDOR};
pub use switches::{
    AccountRule, ContactRule, ConvertLead, CrmIdLinks, Duplicates, MicrosoftHalf, Switches, Vendor,
};
pub use text::{storable, without_references};
pub use unit::{Direction, On, Side, Unit};
pub use value::{Fields, Value};
pub use wanted::{WantedColumn, WantedKind, WantedStage, WantedTable};
