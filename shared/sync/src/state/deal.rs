//! What the stories ask about the state of a deal.

use mapping::{Action, Fields, Map, Trim, Value, names::STATUS};

fn word(value: &Value) -> Option<&str> {
    match value {
        Value::Map(members) => members.get(STATUS).and_then(Value::text),
        _ => None,
    }
}

/// Whether a referral with this status is still to be accepted or declined.
pub(crate) fn is_new(partner_center: &Value) -> bool {
    word(partner_center) == Some("New")
}

/// Whether a referral with this status is closed: Partner Center takes no further change of it.
pub(crate) fn is_terminal(partner_center: &Value) -> bool {
    word(partner_center) == Some("Closed")
}

/// Whether a referral with this status was accepted and not lost since: its lead becomes an opportunity.
pub(crate) fn was_accepted(partner_center: &Value) -> bool {
    let won =
        || matches!(partner_center, Value::Map(m) if m.get("substatus").and_then(Value::text) == Some("Won"));
    word(partner_center) == Some("Active") || is_terminal(partner_center) && won()
}

/// Whether a record with this status is closed and takes no further write: won or lost; a lead also when it is
/// qualified.
pub(crate) fn is_closed_record(map: &Map, crm: &Value) -> bool {
    map.is_closed_in_crm(crm)
}

/// The audit text about a default value that the map wrote because Partner Center has none. `None` if the unit is not
/// kept in step: an edit of it would not go back to Partner Center.
pub(crate) fn by_default(map: &Map, unit: &str, value: &Value) -> Option<String> {
    let unit = map.unit(unit).filter(|unit| unit.is_kept_in_step())?;
    let (label, value) = (&unit.label, value.text()?);
    Some(format!("`{label}` is empty in Partner Center: `{value}` stands here until somebody changes it"))
}

/// The action that brings a record to this status, if the CRM needs one (Win, Lose).
pub(crate) fn closing_action(map: &Map, crm: &Value) -> Option<Action> {
    map.record_patch(&Fields::from([(STATUS.to_owned(), crm.clone())]), &Trim::default()).ok()?.action
}
