//! Commands as JSON: `{"command": "explain", "referral": "…"}`. What is not understood gets the usage text.

mod arguments;
pub(crate) mod planning;

pub(crate) use arguments::ALWAYS;
use arguments::Arguments;
use mapping::{Map, RecordId, ReferralId};
use planning::Planning;
use serde_json::Value;

/// How to use it.
pub const USAGE: &str = "\
usage: sam remote invoke Admin --stack-name STACK --event '{\"command\": \"NAME\", …}'

  doctor     {part}                        is everything as it should be, and what to do if not
  register   {overwrite: yes|no}           registers the webhook at Partner Center; a foreign one only with yes
  rotate                                   renews the webhook's address and registers it anew
  unregister                               gives the registration back, if it is ours
  selftest                                 asks Partner Center for a test event and says how it arrived
  watch                                    what the schedule looks at: registration, queues, parked items, tokens
  provision                                makes the missing columns and tables of the CRM
  deprovision {delete_data: yes, confirm: HOST}  says what of the CRM would go; with both it goes, data and all
  overview                                 is it well: how far each side was read, what waits, what is parked
  deals      {state, filter, limit, cursor}  every linked deal, as a list; state: also parked, waiting, conflict
  parked                                   what is parked: kept and tried again, waiting for someone
  acts                                     what administrators asked for: who, when, and how it ended
  explain    {referral | record, sides: yes}  one deal: its state and every decision; with sides: both sides as they are
  look       {referral | record}           both sides are read now, and what is due is written
  preview    {referral | record | all: yes}  what would be written now, and why; writes nothing
  backfill   {action: start|status|stop}   every referral and every record with Sync set; continues by itself
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

/// A command, with its arguments as they were understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Is everything as it should be? Or one part of it.
    Doctor(Option<String>),
    /// Makes this stack the one that receives Partner Center's events.
    Register {
        /// Whether a registration of another address is replaced too; `None`: as the parameter `OverwriteRegistration`
        /// says.
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
    /// Deletes what `provision` made, and gives the registration back.
    Deprovision {
        /// Whether they are deleted with all data in them; else the answer only says what would be deleted.
        data: bool,
        /// The host of the environment that is meant.
        confirm: Option<String>,
    },
    /// Whether all is well, and what is not.
    Overview,
    /// The linked deals, from the table alone.
    Deals(Listed),
    /// What is parked, grouped by what would heal it.
    Parked,
    /// What administrators asked for.
    Acts,
    /// One deal's timeline; with both sides as they are now.
    Explain(About, bool),
    /// Both sides of a deal are read now.
    Look(About),
    /// What would be written now to one deal, or to all; nothing is written.
    Preview(Option<About>),
    /// The first load, over as many calls as it needs.
    Backfill(Action),
    /// Parked items are tried again now.
    Retry {
        /// Part of id or reason.
        filter: Option<String>,
    },
    /// Messages of the dead-letter queue return to the queue.
    Redrive {
        /// Part of the body.
        filter: Option<String>,
    },
    /// Revives detached links, and makes links that an administrator confirms. Each referral, with its record if that
    /// is not the one it had.
    Relink(Vec<(ReferralId, Option<RecordId>)>),
    /// Stops one deal in both directions; its link stays.
    Disconnect(About),
    /// After a restore of the table.
    Rebase(Action),
    /// The override of the field map.
    Map(MapAction),
    /// A command of which only the plan is asked for, or whose plan is carried out.
    Planned(Box<Command>, Planning),
    /// The usage text is the answer.
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
    /// Only deals of this state, or with this mark: one of [`STATES`].
    pub state: Option<String>,
    /// Only deals of which a text that the list shows contains this.
    pub filter: Option<String>,
    /// At least as many deals as this, if there are.
    pub limit: Option<usize>,
    /// The answer's `data.next` of the page before.
    pub cursor: Option<String>,
}

/// A deal, by one of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// By its end in Partner Center.
    Referral(ReferralId),
    /// By its end in the CRM.
    Record(RecordId),
}

/// What is done with a command that needs many calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Begins, or continues what was begun.
    Start,
    /// Says how far it is.
    Status,
    /// Ends it; what was sent stays sent.
    Stop,
}

/// What is done with the field map's override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapAction {
    /// Says which faults a TOML text has and what it would change: in all deals that time allows (`true`), or in some.
    Check(String, bool),
    /// Checks a TOML text and puts it into effect.
    Set(String),
    /// Shows the override that is in effect.
    Show,
    /// Shows every version that was set.
    History,
    /// Puts this earlier version into effect again; `None`: the one before.
    Rollback(Option<u32>),
}

impl Command {
    /// Reads a command from an event; the error is a sentence that says what is wrong with it.
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
