//! Where a field is mapped: converts between a referral of Partner Center, canonical values and a record of the CRM,
//! and validates, as a field map says. Pure: no async, clock, environment or files. The rules are data (`maps/*.toml`,
//! which are also the manual); README.md says how to change one or add a field. In code start at [`Map`]: `load` reads
//! a map, `convert` and `status` apply its rules, `new_referral` and `new_record` say what a create needs.

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
