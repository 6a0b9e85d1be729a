//! The arguments `preview` and `plan`: whether a command is shown beforehand, or done as it was shown.

use super::Command;
use serde::{Deserialize, Serialize};
use serde_json::{Map as Object, Value};

/// As it is handed out and taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub(crate) command: String,
    /// The map it was made with.
    pub(crate) map: String,
    /// How many deals there are, named or not.
    #[serde(default)]
    pub(crate) count: usize,
    #[serde(default)]
    pub(crate) deals: Vec<Planned>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planned {
    pub(crate) id: String,
    /// Of `relink`: the record it is to be linked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<String>,
    /// The version last seen there; `None`: none was.
    pub(crate) partner_center: Option<String>,
    pub(crate) crm: Option<String>,
    /// How much would be written, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) writes: Option<usize>,
}

/// Whether a command is shown beforehand, or done as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planning {
    /// It answers with a plan and does nothing.
    Preview,
    /// It does what the plan says.
    Plan(Plan),
}

impl Planning {
    /// What is asked with `preview` or `plan`, and the command without them; `None`: neither.
    pub(crate) fn read(members: &Object<String, Value>) -> Result<Option<(Self, Value)>, String> {
        let name = members.get("command").and_then(Value::as_str).unwrap_or_default();
        if !["retry", "relink", "backfill", "map"].contains(&name) {
            return Ok(None);
        }
        let mut rest = members.clone();
        let planning = match (rest.remove("preview"), rest.remove("plan")) {
            (Some(_), Some(_)) => return Err("either `preview` or `plan`, not both".to_owned()),
            (None | Some(Value::Null), None | Some(Value::Null)) => return Ok(None),
            (Some(yes), _) if yes == true || yes == "yes" => Planning::Preview,
            (Some(no), _) if no == false || no == "no" => return Ok(None),
            (Some(other), _) => return Err(format!("`preview`: expected yes or no, found `{other}`")),
            (None, Some(plan)) => {
                let plan: Plan = serde_json::from_value(plan).map_err(|e| format!("`plan`: {e}"))?;
                if plan.command != name {
                    return Err(format!("`plan` is one of `{}`, not of `{name}`", plan.command));
                }
                Planning::Plan(plan)
            }
        };
        Ok(Some((planning, Value::Object(rest))))
    }

    /// Whether it does anything.
    pub(crate) fn acts(&self) -> bool {
        matches!(self, Planning::Plan(_))
    }

    /// What is to be done where the plan itself says it.
    pub(crate) fn command(&self) -> Option<Command> {
        let Planning::Plan(plan) = self else { return None };
        match plan.command.as_str() {
            "retry" => Some(Command::Retry { filter: None }),
            "relink" => Some(Command::Relink(vec![])),
            _ => None,
        }
    }
}
