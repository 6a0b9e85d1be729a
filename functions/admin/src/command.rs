//! Commands as JSON: `{"command": "explain", "referral": "…"}`. What is not understood gets the usage text.

use crate::plan::Planning;
use mapping::{Map, RecordId, ReferralId};
use serde_json::{Map as Object, Value};

/// How to use it.
pub const USAGE: &str = "\
usage: sam remote invoke Admin --stack-name STACK --event '{\"command\": \"NAME\", …}'

  doctor     {part}                        is everything as it should be, and what to do if not
  register   {overwrite: yes|no}           registers the webhook at Partner Center; a foreign one only with yes
  rotate                                   renews the webhook's address and registers it anew
  unregister                               gives the registration back, if it is ours
  selftest                                 asks Partner Center for a test event and tells how it arrived
  watch                                    what the schedule looks at: registration, queues, parked items, tokens
  provision                                makes the missing columns and tables of the CRM
  deprovision {delete_data: yes, confirm: HOST}  says what of the CRM would go; with both it goes, data and all
  overview                                 is it well: how far each side was read, what waits, what is set aside
  deals      {state, filter, limit, cursor}  every linked deal, as a list; state: also parked, waiting, conflict
  parked                                   what is set aside, grouped by what would heal it
  acts                                     what administrators asked for: who, when, and how it ended
  explain    {referral | record, sides: yes}  one deal: its state and every decision; with sides: both sides as they are
  look       {referral | record}           both sides are read now, and what is due is written
  preview    {referral | record | all: yes}  what would be written now, and why; writes nothing
  backfill   {action: start|status|stop}   every referral and every record with Sync set; goes on by itself
  retry      {filter}                      what is parked is tried at once; filter: part of id or reason, or a cause
  redrive    {filter}                      dead letters and unusable messages go back to the queue
  relink     {referral, record | all_from} a detached link looks for its record, or takes this one; two are linked
  disconnect {referral | record}           sets Sync to No at the record: both sides stay as they are
  rebase     {action: start|status|stop}   after the table was restored: all links are compared anew
  map        {action: check|set|show|history|rollback, map: \"TOML\", version: N, all: yes}
  help

retry, relink, backfill start and map set with {preview: yes} do nothing and answer with `data.plan`; with {plan: …} they do
what it says: a deal that has moved since is left out and named, another map refuses everything.
An id: a referral's GUID; a record's as opportunity/ID or lead/ID (ID alone: an opportunity).";

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Is everything as it should be? Or one part of it.
    Doctor(Option<String>),
    /// Registers the webhook.
    Register {
        /// Somebody else's registration too; `None`: as deployed.
        overwrite: Option<bool>,
    },
    /// Renews the webhook's address.
    Rotate,
    /// Gives the registration back.
    Unregister,
    /// One event from Partner Center to the ingress.
    SelfTest,
    /// What the schedule looks at.
    Watch,
    /// Makes columns and tables.
    Provision,
    /// Deletes them.
    Deprovision {
        /// With what stands in them; else it is only told what would go.
        data: bool,
        /// The host of the environment that is meant.
        confirm: Option<String>,
    },
    /// Is it well?
    Overview,
    /// Every linked deal.
    Deals(Listed),
    /// What is set aside.
    Parked,
    /// What administrators asked for.
    Acts,
    /// One deal's timeline; with both sides as they are now.
    Explain(About, bool),
    /// Both sides of a deal are read now.
    Look(About),
    /// A dry run.
    Preview(Option<About>),
    /// The first load.
    Backfill(Action),
    /// Parked items.
    Retry {
        /// Part of id or reason.
        filter: Option<String>,
    },
    /// Dead letters.
    Redrive {
        /// Part of the body.
        filter: Option<String>,
    },
    /// Revives detached links, and makes those that an administrator confirms: whose, and with which record if it is
    /// another one.
    Relink(Vec<(ReferralId, Option<RecordId>)>),
    /// Stops one deal.
    Disconnect(About),
    /// After a restore of the table.
    Rebase(Action),
    /// The override of the field map.
    Map(MapAction),
    /// Shows first what one of them would do, or does what was shown.
    Planned(Box<Command>, Planning),
    /// The usage text.
    Help,
}

/// What `state` of `deals` takes: the states, then the marks.
pub const STATES: [&str; 9] = [
    "creating",
    "linked",
    "detached",
    "closed",
    "stopped",
    "parked",
    "waiting",
    "conflict",
    "awaiting_microsoft",
];

/// Which deals, and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Of this state or with this mark only.
    pub state: Option<String>,
    /// Part of what the list shows of a deal.
    pub filter: Option<String>,
    /// At least so many, if there are.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A deal, by one of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Of Partner Center.
    Referral(ReferralId),
    /// Of the CRM.
    Record(RecordId),
}

/// Of something long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Begins, or goes on.
    Start,
    /// How far it is.
    Status,
    /// Ends it where it is.
    Stop,
}

/// Of the field map's override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapAction {
    /// Faults of a TOML text, and what it would change; of all deals, as far as time allows, or of some.
    Check(String, bool),
    /// Checks and puts it into effect.
    Set(String),
    /// The one in effect.
    Show,
    /// All that were set.
    History,
    /// An earlier one again; `None`: the one before.
    Rollback(Option<u32>),
}

impl Command {
    /// Reads one; the error says what is wrong in words.
    pub fn parse(event: &Value, map: &Map) -> Result<Command, String> {
        let Some(members) = event.as_object() else { return Err("expected a JSON object".into()) };
        if let Some((planning, rest)) = Planning::read(members)? {
            let command = planning.command().map_or_else(|| Command::parse(&rest, map), Ok)?;
            return Ok(Command::Planned(Box::new(command), planning));
        }
        let arguments = Arguments(members);
        let name = arguments.text("command")?.ok_or("`command` is missing")?;
        match name {
            "doctor" => arguments.only(&["part"], Command::Doctor(arguments.owned("part")?)),
            "register" => {
                arguments.only(&["overwrite"], Command::Register { overwrite: arguments.yes("overwrite")? })
            }
            "rotate" => arguments.only(&[], Command::Rotate),
            "unregister" => arguments.only(&[], Command::Unregister),
            "selftest" => arguments.only(&[], Command::SelfTest),
            "watch" => arguments.only(&[], Command::Watch),
            "provision" => arguments.only(&[], Command::Provision),
            "deprovision" => {
                let data = arguments.yes("delete_data")? == Some(true);
                let confirm = arguments.owned("confirm")?;
                arguments.only(&["delete_data", "confirm"], Command::Deprovision { data, confirm })
            }
            "overview" => arguments.only(&[], Command::Overview),
            "deals" => {
                arguments.only(&["state", "filter", "limit", "cursor"], Command::Deals(arguments.listed()?))
            }
            "parked" => arguments.only(&[], Command::Parked),
            "acts" => arguments.only(&[], Command::Acts),
            "explain" => {
                let sides = arguments.yes("sides")? == Some(true);
                let command = Command::Explain(arguments.about(map)?, sides);
                arguments.only(&["referral", "record", "sides"], command)
            }
            "look" => arguments.only(&DEAL, Command::Look(arguments.about(map)?)),
            "preview" if arguments.yes("all")? == Some(true) => {
                arguments.only(&["all"], Command::Preview(None))
            }
            "preview" => arguments.only(&DEAL, Command::Preview(Some(arguments.about(map)?))),
            "backfill" => arguments.only(&["action"], Command::Backfill(arguments.action()?)),
            "retry" => arguments.only(&["filter"], Command::Retry { filter: arguments.owned("filter")? }),
            "redrive" => arguments.only(&["filter"], Command::Redrive { filter: arguments.owned("filter")? }),
            "relink" if members.contains_key("all_from") => {
                arguments.only(&["all_from"], Command::Relink(arguments.pairs(map)?))
            }
            "relink" => arguments.only(&DEAL, Command::Relink(vec![arguments.pair(map)?])),
            "disconnect" => arguments.only(&DEAL, Command::Disconnect(arguments.about(map)?)),
            "rebase" => arguments.only(&["action"], Command::Rebase(arguments.action()?)),
            "map" => arguments.only(&["action", "map", "version", "all"], Command::Map(arguments.map()?)),
            "help" => arguments.only(&[], Command::Help),
            other => Err(format!("`{other}` is no command")),
        }
    }
}

impl Command {
    /// Whether it may change anything, in the table, the CRM or Partner Center. The rest may be asked of the function
    /// that only looks.
    pub fn acts(&self) -> bool {
        match self {
            Command::Doctor(_)
            | Command::Overview
            | Command::Deals(_)
            | Command::Parked
            | Command::Acts
            | Command::Explain(..)
            | Command::Preview(_)
            | Command::Help => false,
            Command::Planned(_, planning) => planning.acts(),
            Command::Backfill(action) | Command::Rebase(action) => *action != Action::Status,
            Command::Map(action) => matches!(action, MapAction::Set(_) | MapAction::Rollback(_)),
            Command::Register { .. }
            | Command::Rotate
            | Command::Unregister
            | Command::SelfTest
            | Command::Watch
            | Command::Provision
            | Command::Deprovision { .. }
            | Command::Look(_)
            | Command::Retry { .. }
            | Command::Redrive { .. }
            | Command::Relink(_)
            | Command::Disconnect(_) => true,
        }
    }
}

const DEAL: [&str; 2] = ["referral", "record"];
/// What any event may have besides its command's arguments.
const ALWAYS: [&str; 2] = ["command", "caller"];

struct Arguments<'a>(&'a Object<String, Value>);

impl<'a> Arguments<'a> {
    /// The command, unless an argument was given that it does not take.
    fn only(&self, names: &[&str], command: Command) -> Result<Command, String> {
        let stranger =
            self.0.keys().find(|key| !ALWAYS.contains(&key.as_str()) && !names.contains(&key.as_str()));
        stranger.map_or(Ok(command), |key| Err(format!("`{key}` is no argument of this command")))
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(other) => Err(format!("`{name}`: expected a text, found `{other}`")),
        }
    }

    fn owned(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    fn yes(&self, name: &str) -> Result<Option<bool>, String> {
        match self.0.get(name) {
            Some(Value::Bool(yes)) => return Ok(Some(*yes)),
            Some(Value::String(_)) | None | Some(Value::Null) => {}
            Some(other) => return Err(format!("`{name}`: expected yes or no, found `{other}`")),
        }
        match self.text(name)? {
            None => Ok(None),
            Some("yes" | "true") => Ok(Some(true)),
            Some("no" | "false") => Ok(Some(false)),
            Some(other) => Err(format!("`{name}`: expected yes or no, found `{other}`")),
        }
    }

    fn referral(&self) -> Result<Option<ReferralId>, String> {
        let read = |text| ReferralId::parse(text).ok_or_else(|| format!("`referral`: `{text}` is no GUID"));
        self.text("referral")?.map(read).transpose()
    }

    fn record(&self, map: &Map) -> Result<Option<RecordId>, String> {
        let read = |text: &str| {
            let known = match text.split_once('/') {
                Some((_, id)) => RecordId::parse(text).filter(|_| map.shaped_like_record_id(id).is_some()),
                None => map.shaped_like_record_id(text),
            };
            known.ok_or_else(|| format!("`record`: `{text}` is no opportunity/ID or lead/ID of this CRM"))
        };
        self.text("record")?.map(read).transpose()
    }

    fn pair(&self, map: &Map) -> Result<(ReferralId, Option<RecordId>), String> {
        Ok((self.referral()?.ok_or("`referral` is missing")?, self.record(map)?))
    }

    /// As `backfill` lists what waits; what else it says of each is left alone.
    fn pairs(&self, map: &Map) -> Result<Vec<(ReferralId, Option<RecordId>)>, String> {
        let wrong = || "`all_from`: expected a list of objects with `referral` and `record`".to_owned();
        let list = self.0.get("all_from").and_then(Value::as_array).ok_or_else(wrong)?;
        let one = |value: &Value| match Arguments(value.as_object().ok_or_else(wrong)?).pair(map)? {
            (_, None) => Err(wrong()),
            pair => Ok(pair),
        };
        list.iter().map(one).collect()
    }

    fn about(&self, map: &Map) -> Result<About, String> {
        match (self.referral()?, self.record(map)?) {
            (Some(referral), None) => Ok(About::Referral(referral)),
            (None, Some(record)) => Ok(About::Record(record)),
            (Some(_), Some(_)) => Err("either `referral` or `record`, not both".into()),
            (None, None) => Err("`referral` or `record` is missing".into()),
        }
    }

    fn listed(&self) -> Result<Listed, String> {
        let state = self.owned("state")?;
        if let Some(state) = state.as_ref().filter(|state| !STATES.contains(&state.as_str())) {
            return Err(format!("`state`: expected one of {}, found `{state}`", STATES.join(", ")));
        }
        let limit = self.number("limit")?.map(|limit| limit as usize);
        Ok(Listed { state, filter: self.owned("filter")?, limit, cursor: self.owned("cursor")? })
    }

    fn number(&self, name: &str) -> Result<Option<u32>, String> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let number = number.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        number.map(Some).ok_or_else(|| format!("`{name}`: expected a number above 0, found `{value}`"))
    }

    fn action(&self) -> Result<Action, String> {
        match self.text("action")? {
            None | Some("start") => Ok(Action::Start),
            Some("status") => Ok(Action::Status),
            Some("stop") => Ok(Action::Stop),
            Some(other) => Err(format!("`action`: expected start, status or stop, found `{other}`")),
        }
    }

    fn map(&self) -> Result<MapAction, String> {
        // An empty text is the default map.
        let toml = || match self.0.get("map") {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => Err("`map`: expected the TOML text of an override".to_owned()),
        };
        let version = self.number("version")?;
        match self.text("action")? {
            Some("check") => Ok(MapAction::Check(toml()?, self.yes("all")? == Some(true))),
            Some("set") => Ok(MapAction::Set(toml()?)),
            Some("show") => Ok(MapAction::Show),
            Some("history") => Ok(MapAction::History),
            Some("rollback") => Ok(MapAction::Rollback(version)),
            other => {
                let found = other.map_or("nothing".to_owned(), |other| format!("`{other}`"));
                Err(format!("`action`: expected check, set, show, history or rollback, found {found}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::CrmKind;
    use serde_json::json;

    fn parsed(event: Value) -> Result<Command, String> {
        Command::parse(&event, Map::standard(CrmKind::Dynamics365))
    }

    #[test]
    fn each_command_of_the_usage_text_is_read() {
        let id = "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01";
        let names =
            USAGE.lines().skip(2).filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
        for name in names.take_while(|name| !name.is_empty()) {
            let mut event = json!({ "command": name });
            match name {
                "explain" | "look" | "preview" | "relink" | "disconnect" => event["referral"] = json!(id),
                "map" => event["action"] = json!("show"),
                _ => {}
            }
            assert!(parsed(event).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_record_is_named_with_or_without_its_table() {
        let id = "5f0c54a8-3b0e-4d2c-9d55-5b8b8a3f1a11";
        let of = |record: &str| parsed(json!({ "command": "explain", "record": record }));
        assert_eq!(of(id), of(&format!("opportunity/{id}")));
        assert!(of(&format!("lead/{id}")).is_ok());
        for bad in ["account/5f0c54a8-3b0e-4d2c-9d55-5b8b8a3f1a11", "opportunity/7", "7"] {
            assert!(of(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (event, word) in [
            (json!([]), "object"),
            (json!({}), "`command`"),
            (json!({ "command": "dance" }), "dance"),
            (json!({ "command": "doctor", "now": true }), "`now`"),
            (json!({ "command": "explain" }), "`referral` or `record`"),
            (json!({ "command": "explain", "referral": "7" }), "`7`"),
            (json!({ "command": "deals", "state": "lost" }), "lost"),
            (json!({ "command": "deals", "limit": "many" }), "many"),
            (json!({ "command": "register", "overwrite": "perhaps" }), "perhaps"),
            (json!({ "command": "map", "action": "set" }), "`map`"),
            (json!({ "command": "map", "action": "rollback", "version": -1 }), "-1"),
            (json!({ "command": "relink", "all_from": "all" }), "`all_from`"),
            (json!({ "command": "relink", "all_from": [{ "referral": "7", "record": "8" }] }), "`7`"),
            (json!({ "command": 7 }), "`7`"),
        ] {
            let told = parsed(event.clone()).unwrap_err();
            assert!(told.contains(word), "{event}: {told}");
        }
    }
}
