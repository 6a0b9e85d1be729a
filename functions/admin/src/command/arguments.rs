//! The arguments of a command, read one by one; each says what it expected and what it found.

use super::{About, Action, Command, Listed, MapAction, STATES};
use mapping::{Map, RecordId, ReferralId};
use serde_json::{Map as Object, Value};

/// What any event may have besides its command's arguments.
pub(crate) const ALWAYS: [&str; 2] = ["command", "caller"];

/// The members of an event.
pub(super) struct Arguments<'a>(pub(super) &'a Object<String, Value>);

impl<'a> Arguments<'a> {
    /// The command, unless an argument was given that it does not take.
    pub(super) fn only(&self, names: &[&str], command: Command) -> Result<Command, String> {
        let stranger =
            self.0.keys().find(|key| !ALWAYS.contains(&key.as_str()) && !names.contains(&key.as_str()));
        stranger.map_or(Ok(command), |key| Err(format!("`{key}` is no argument of this command")))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(other) => Err(format!("`{name}`: expected a text, found `{other}`")),
        }
    }

    pub(super) fn owned(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    pub(super) fn yes(&self, name: &str) -> Result<Option<bool>, String> {
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

    pub(super) fn referral(&self) -> Result<Option<ReferralId>, String> {
        let read = |text| ReferralId::parse(text).ok_or_else(|| format!("`referral`: `{text}` is no GUID"));
        self.text("referral")?.map(read).transpose()
    }

    pub(super) fn record(&self, map: &Map) -> Result<Option<RecordId>, String> {
        let read = |text: &str| {
            let known = match text.split_once('/') {
                Some((_, id)) => RecordId::parse(text).filter(|_| map.shaped_like_record_id(id).is_some()),
                None => map.shaped_like_record_id(text),
            };
            known.ok_or_else(|| format!("`record`: `{text}` is no opportunity/ID or lead/ID of this CRM"))
        };
        self.text("record")?.map(read).transpose()
    }

    pub(super) fn pair(&self, map: &Map) -> Result<(ReferralId, Option<RecordId>), String> {
        Ok((self.referral()?.ok_or("`referral` is missing")?, self.record(map)?))
    }

    /// As `backfill` lists what waits; what else it says of each is left alone.
    pub(super) fn pairs(&self, map: &Map) -> Result<Vec<(ReferralId, Option<RecordId>)>, String> {
        let wrong = || "`all_from`: expected a list of objects with `referral` and `record`".to_owned();
        let list = self.0.get("all_from").and_then(Value::as_array).ok_or_else(wrong)?;
        let one = |value: &Value| match Arguments(value.as_object().ok_or_else(wrong)?).pair(map)? {
            (_, None) => Err(wrong()),
            pair => Ok(pair),
        };
        list.iter().map(one).collect()
    }

    pub(super) fn about(&self, map: &Map) -> Result<About, String> {
        match (self.referral()?, self.record(map)?) {
            (Some(referral), None) => Ok(About::Referral(referral)),
            (None, Some(record)) => Ok(About::Record(record)),
            (Some(_), Some(_)) => Err("either `referral` or `record`, not both".into()),
            (None, None) => Err("`referral` or `record` is missing".into()),
        }
    }

    pub(super) fn listed(&self) -> Result<Listed, String> {
        let state = self.owned("state")?;
        if let Some(state) = state.as_ref().filter(|state| !STATES.contains(&state.as_str())) {
            return Err(format!("`state`: expected one of {}, found `{state}`", STATES.join(", ")));
        }
        let limit = self.number("limit")?.map(|limit| limit as usize);
        Ok(Listed { state, filter: self.owned("filter")?, limit, cursor: self.owned("cursor")? })
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u32>, String> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let number = number.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        number.map(Some).ok_or_else(|| format!("`{name}`: expected a number above 0, found `{value}`"))
    }

    pub(super) fn action(&self) -> Result<Action, String> {
        match self.text("action")? {
            None | Some("start") => Ok(Action::Start),
            Some("status") => Ok(Action::Status),
            Some("stop") => Ok(Action::Stop),
            Some(other) => Err(format!("`action`: expected start, status or stop, found `{other}`")),
        }
    }

    pub(super) fn map(&self) -> Result<MapAction, String> {
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
