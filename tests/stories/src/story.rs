//! A story as data: the company it plays in, and what happens there. It can be kept as JSON and played again.

use crate::values::{Customer, Day, Money, Person, Text};
use serde::{Deserialize, Serialize};

/// Where it plays, and all that happens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Story {
    pub org: Org,
    pub vendors: Vendors,
    /// The field map it begins with, over the default one.
    pub map: Vec<Override>,
    pub acts: Vec<Act>,
}

/// The CRM's organisation, as it is set up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Org {
    /// Opportunity teams are on (Salesforce), connections are tracked (Dynamics 365).
    pub teams: bool,
    /// Countries and states are picklists (Salesforce).
    pub place_picklists: bool,
    pub person_accounts: bool,
    /// `[vendor] convert_lead = "soap"` (Salesforce).
    pub converts_leads: bool,
    /// A plug-in or flow of the customer's that rewrites what is stored.
    pub rewrites: Vec<(Field, Rewriting)>,
}

/// A column as the stories call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    Value,
    ClosingDate,
    Notes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rewriting {
    TrimEnd,
    Upper,
    SingleBlanks,
    Round,
    Prefix,
}

/// How the vendors behave within what their documents allow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vendors {
    /// Rows a page of Partner Center; 0: as asked.
    pub partner_center_page: u8,
    /// Rows a page of the CRM.
    pub crm_page: u8,
    /// Child rows count towards a page (Salesforce).
    pub child_rows_count: bool,
    /// Each call of the CRM takes so long.
    pub crm_latency_ms: u16,
    pub partner_center_latency_ms: u16,
    /// Idle connections are forgotten after so many seconds; 0: never.
    pub forgets_after_s: u16,
    /// So many of a thousand calls fail while acts go on.
    pub weather: u8,
    /// Events are stamped so many microseconds after the referral.
    pub event_after_micros: i32,
    /// So many reads by id still show the version before.
    pub stale_reads: u8,
    /// PATCH answers 204 without a body.
    pub empty_patch: bool,
    /// Lists leave out what is empty.
    pub sparse: bool,
    /// `related-*` events carry the sibling's id.
    pub sibling_events: bool,
    /// An asynchronous process touches each row after a write of ours.
    pub touched_after: bool,
}

/// A key of a rule, with what is laid over the default map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Override {
    pub rule: String,
    pub key: String,
    /// As it is written in TOML, quotes included.
    pub value: String,
}

/// Something that happens, and how time goes on after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    pub what: What,
    pub then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The next act follows before anything else happens.
    AtOnce,
    /// Webhooks are delivered and the queue is emptied.
    Webhooks,
    /// A minute with everything.
    Minute,
    /// Until all is done that can be done now.
    Rest,
    Hours(u8),
}

/// A change of one field of a deal, on either side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    Name(Text),
    Value(Money),
    Day(Day),
    Notes(Text),
    NoNotes,
}

/// What a seller brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sale {
    pub name: Text,
    pub notes: Option<Text>,
    pub value: Money,
    pub day: Day,
    pub customer: Customer,
    pub person: Person,
    pub solutions: u8,
    pub help: bool,
    pub visible: bool,
    pub sync: bool,
}

/// What comes in from Partner Center.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    pub name: Text,
    pub notes: Option<Text>,
    pub value: Money,
    pub day: Day,
    pub customer: Customer,
    pub people: Vec<Person>,
    pub solutions: u8,
    /// Words that the documents do not list.
    #[serde(default)]
    pub help: Option<String>,
    #[serde(default)]
    pub intent: Option<String>,
    /// `team` is an object or null instead of a list.
    #[serde(default)]
    pub team: Option<OddTeam>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddTeam {
    Object,
    Null,
    Empty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Accept,
    Decline,
    Won,
    Lost,
    Expire,
}

impl Answer {
    pub fn word(self) -> &'static str {
        match self {
            Answer::Accept => "accept",
            Answer::Decline => "decline",
            Answer::Won => "won",
            Answer::Lost => "lost",
            Answer::Expire => "expire",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    PartnerCenter,
    Crm,
    Login,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    Throttled,
    ThrottledForDays,
    Busy,
    FailedAfter,
    RequestLost,
    AnswerLost,
}

/// How somebody pastes a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paste {
    /// A byte order mark before the JSON.
    Mark,
    /// A line break behind each member.
    LineBreak,
    /// Blanks in place of the key's line breaks.
    Blanks,
    /// `\n` in place of each line break, as two characters.
    Literal,
    /// The key in quotes of its own.
    Quoted,
    /// A certificate below the key.
    WithCertificate,
}

/// What a stranger sends to the public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Knock {
    Nothing,
    OddQuery,
    OddProtocol,
    OddHost,
    ControlCharacter,
    Unpadded,
}

/// Which deal is meant: modulo those there are.
pub type Which = u8;

/// What a person or a vendor does, or which mishap a system has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    // Sellers.
    Sell(Box<Sale>),
    EditRecord(Which, Edit),
    Share(Which, bool),
    Show(Which),
    AskForHelp(Which),
    /// Won or lost; with an edit of the same minute before it.
    Close(Which, bool, Option<Edit>),
    Reopen(Which),
    /// A deal on hold goes on: the referral is accepted.
    TakeUp(Which),
    Delete(Which),
    Undelete(Which),
    AddSolutions(Which, u8, u8),
    RemoveSolution(Which),
    MoveSolution(Which, Which),
    EmptySolution(Which),
    SetContact(Which, Person),
    CorrectPhone(Which),
    GiveTo(Which),
    JoinTeam(Which),
    LeaveTeam(Which),
    MergeAccounts(Which, Which),
    MergeLeads(Which, Which),
    QualifyLead(Which),
    DropLead(Which),
    /// Writes another deal's referral id into a record's Referral Identifier.
    NameReferral(Which, Which),
    // Users of Partner Center.
    EditReferral(Which, Edit),
    People(Which, Vec<Person>),
    Solutions(Which, u8, u8),
    Answer(Which, Answer),
    NewDeal(Box<Offer>),
    /// Both sides edit the same field in the same minute, so many times.
    Quarrel(Which, Edit, u8),
    /// Writes another deal's record id into a referral.
    NameRecord(Which, Which),
    // Microsoft.
    Refer(Box<Offer>),
    ReferLead(Box<Offer>),
    Microsoft(Which, Answer),
    Convert(Which),
    /// Microsoft's half shows a substatus of null.
    OddHalf(Which),
    // Administrators.
    Map(Vec<Override>),
    Rollback,
    Relink(Which, Which),
    Disconnect(Which),
    Retry,
    Backfill,
    Rebase,
    Upgrade,
    PasteSecret(Paste),
    RevokeConsent(bool),
    /// `deprovision` without its confirmation: says what would go.
    AskWhatWouldGo,
    // Importers.
    /// Rows at once; without solutions unless complete; with long descriptions.
    Import {
        rows: u16,
        complete: bool,
        wide: bool,
    },
    ImportReferrals(u16),
    /// All referrals of our own get the same edit.
    EditAll(Edit),
    // The organisation.
    Rule(Field),
    ContactRule,
    ClearRules,
    Products(Which),
    HideLeads,
    // Trouble.
    Mishap(System, Mishap),
    Down(System, u8),
    LoseWebhooks,
    Garbage(bool),
    /// Somebody calls the public address.
    Knock(Knock),
    /// All cursors of the CRM expire.
    Expire,
    // Time.
    Wait,
}

impl Story {
    /// One line for each thing that is not as ever, and for each act.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![];
        let plain = Story::default();
        if self.org != plain.org {
            lines.push(format!("the organisation: {:?}", self.org));
        }
        if self.vendors != plain.vendors {
            lines.push(format!("the vendors: {:?}", self.vendors));
        }
        lines
            .extend(self.map.iter().map(|o| format!("the map: [fields.{}] {} = {}", o.rule, o.key, o.value)));
        lines.extend(
            self.acts.iter().enumerate().map(|(n, act)| format!("{n}: {:?}, then {:?}", act.what, act.then)),
        );
        lines
    }
}
