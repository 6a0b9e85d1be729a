//! What the stories ask about the state of a deal.

use mapping::{Action, Fields, Map, Trim, Value, names::STATUS};

fn word(value: &Value) -> Option<&str> {
    match value {
        Value::Map(members) => members.get(STATUS).and_then(Value::text),
        _ => None,
    }
}

/// A referral that nobody has accepted yet.
pub(crate) fn is_new(partner_center: &Value) -> bool {
    word(partner_center) == Some("New")
}

/// A referral that nobody can change any more.
pub(crate) fn is_terminal(partner_center: &Value) -> bool {
    word(partner_center) == Some("Closed")
}

/// A referral that was accepted, and not lost since: what was a lead is a deal.
pub(crate) fn was_accepted(partner_center: &Value) -> bool {
    let won =
        || matches!(partner_center, Value::Map(m) if m.get("substatus").and_then(Value::text) == Some("Won"));
    word(partner_center) == Some("Active") || is_terminal(partner_center) && won()
}

/// A record that takes nothing more: won or lost, of a lead also qualified.
pub(crate) fn is_closed_record(map: &Map, crm: &Value) -> bool {
    map.is_closed_in_crm(crm)
}

/// What the seller reads of a value that the map put where Partner Center has none; nothing where no edit of it goes back.
pub(crate) fn by_default(map: &Map, unit: &str, value: &Value) -> Option<String> {
    let unit = map.unit(unit).filter(|unit| unit.is_kept_in_step())?;
    let (label, value) = (&unit.label, value.text()?);
    Some(format!("`{label}` is empty in Partner Center: `{value}` stands here until somebody changes it"))
}

/// The action that closes a record this way.
pub(crate) fn closing_action(map: &Map, crm: &Value) -> Option<Action> {
    map.record_patch(&Fields::from([(STATUS.to_owned(), crm.clone())]), &Trim::default()).ok()?.action
}
