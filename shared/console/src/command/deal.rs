//! Commands about deals, and how a deal is named.

use super::{named, word};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

/// Which deals are listed, and from where on.
#[derive(Debug, Args)]
pub struct Deals {
    /// Of this state, or with this mark, only.
    #[arg(long, value_enum)]
    pub state: Option<State>,
    /// Part of a name, customer or id.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// At least so many, if there are: the table is read by pages.
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Where the list before ended.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

impl Deals {
    pub(super) fn event(&self) -> Value {
        json!({
            "command": "deals", "state": self.state.map(word), "filter": self.filter, "limit": self.limit,
            "cursor": self.cursor,
        })
    }
}

/// A state, or a mark.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum State {
    Creating,
    Linked,
    Detached,
    Closed,
    Stopped,
    Parked,
    Waiting,
    Conflict,
    #[value(name = "awaiting_microsoft")]
    AwaitingMicrosoft,
}

impl State {
    /// Their words, in their order.
    pub fn words() -> Vec<String> {
        Self::value_variants().iter().copied().map(word).collect()
    }
}

/// One deal, by either of its ends.
#[derive(Debug, Args)]
pub struct About {
    /// A referral's or a record's id, `opportunity/ID`, `lead/ID`, or an address of Partner Center or the CRM that has one.
    #[arg(value_name = "DEAL")]
    pub deal: String,
}

impl About {
    pub(super) fn event(&self, command: &str, besides: &Value) -> Result<Value, String> {
        of_deal(command, &self.deal, besides)
    }
}

/// One deal, or all.
#[derive(Debug, Args)]
pub struct Preview {
    /// The deal, named as for `explain`.
    #[arg(value_name = "DEAL", required_unless_present = "all")]
    pub deal: Option<String>,
    /// Every deal there is.
    #[arg(long, conflicts_with = "deal")]
    pub all: bool,
}

impl Preview {
    pub(super) fn event(&self) -> Result<Value, String> {
        match &self.deal {
            Some(deal) => of_deal("preview", deal, &json!({})),
            None => Ok(json!({ "command": "preview", "all": "yes" })),
        }
    }
}

/// A referral, perhaps a record.
#[derive(Debug, Args)]
pub struct Relink {
    /// The referral's id, or the address of its page.
    #[arg(value_name = "REFERRAL")]
    pub referral: String,
    /// The record it is to be linked with.
    #[arg(value_name = "RECORD")]
    pub record: Option<String>,
}

impl Relink {
    pub(super) fn event(&self) -> Value {
        json!({ "command": "relink", "referral": self.referral, "record": self.record })
    }
}

/// The admin command about a deal, however it is named.
pub(super) fn of_deal(command: &str, deal: &str, besides: &Value) -> Result<Value, String> {
    let mut event = named(command);
    for (name, value) in besides.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    let (end, id) = end_of(deal).ok_or_else(|| format!("`{deal}` holds no id of a referral or a record"))?;
    event[end] = json!(id);
    Ok(event)
}

/// Which end of a deal was named, and by which id. A bare GUID is taken for a referral's.
pub(super) fn end_of(text: &str) -> Option<(&'static str, String)> {
    let text = text.trim();
    for kind in ["opportunity", "lead"] {
        if let Some(id) =
            text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).filter(|id| !id.is_empty())
        {
            return Some(("record", format!("{kind}/{id}")));
        }
    }
    let is_lead = text.contains("etn=lead") || text.contains("/Lead/");
    let kind = if is_lead { "lead" } else { "opportunity" };
    let text = &text.replace("%7B", "").replace("%7b", "").replace("%7D", "").replace("%7d", "");
    // An address may hold other ids before the record's own.
    let named = text.find("?id=").or_else(|| text.find("&id=")).map_or("", |at| &text[at + "?id=".len()..]);
    let is_guid = |part: &&str| part.len() == 36 && uuid::Uuid::try_parse(part).is_ok();
    if let Some(guid) = parts(named).next().filter(is_guid).or_else(|| parts(text).find(is_guid)) {
        let of_crm = text.contains(".dynamics.com") || text.contains("etn=");
        return Some(match of_crm {
            true => ("record", format!("{kind}/{guid}")),
            false => ("referral", guid.to_owned()),
        });
    }
    // Salesforce's ids say by their first three characters what they are of.
    let id = parts(text).find(|part| {
        matches!(part.len(), 15 | 18)
            && part.chars().all(|c| c.is_ascii_alphanumeric())
            && (part.starts_with("006") || part.starts_with("00Q"))
    })?;
    let kind = if id.starts_with("00Q") { "lead" } else { "opportunity" };
    Some(("record", format!("{kind}/{id}")))
}

/// What may be an id: letters, digits and hyphens in a row.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|part| !part.is_empty())
}
