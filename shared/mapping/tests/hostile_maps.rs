//! Overrides that ask for too much are refused, or need a bounded amount of memory.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use mapping::{CrmKind, Map, Record, RecordId, RecordKind, Referral};
use serde_json::json;

const MOST: usize = 64 * 1024;

fn referral() -> Referral {
    let text = include_str!("fixtures/referral-incoming-cosell-new-pending.json");
    Referral::parse(serde_json::from_str(text).unwrap()).unwrap()
}

/// The size of what an override with this template makes of a referral; `None`: the override is refused.
fn size(template: &str) -> Option<usize> {
    let rule = format!(
        "[fields.note]\nkind = \"text\"\ncrm = \"new_note\"\ndirection = \"to_crm\"\nlength = 100\ntemplate = {template:?}"
    );
    let map = Map::with_override(CrmKind::Dynamics365, &rule).ok()?;
    let shown = map.referral_fields(&referral());
    let there = map.to_crm("note", shown.get("note")?).ok()?;
    Some(there.text().unwrap_or_default().len())
}

#[test]
fn a_template_that_asks_for_gigabytes_gets_none() {
    for template in [
        "{{ referral.name * 3000000000 }}",
        "{{ referral.name * 100000000 }}",
        "{{ range(100000000) | join }}{{ referral.name }}",
        "{{ referral.name | replace('', 'y' * 1000) }}",
        "{{ 9 ** 999999999 }}{{ referral.name }}",
        "{{ [referral.name] * 100000000 }}",
        "{{ '%1000000000s' | format(referral.name) }}",
    ] {
        let size = size(template);
        assert!(size.is_none_or(|bytes| bytes <= MOST), "{template}: {size:?}");
    }
    assert!(size("{{ referral.name }}").is_some());
}

#[test]
fn depth_is_refused_and_not_followed() {
    assert_eq!(size(&format!("{{{{ {}referral.name }}}}", "-".repeat(100_000))), None);
    let deep =
        |open: &str, close: &str| format!("{{{{ {}referral.name{} }}}}", open.repeat(900), close.repeat(900));
    for template in
        [deep("(", ")"), deep("-", ""), deep("not ", ""), deep("[", "]"), deep("", ".x"), deep("", "|upper")]
    {
        assert!(size(&template).is_none_or(|bytes| bytes <= MOST));
    }
    for text in [
        "a = ".to_owned() + &"[".repeat(9000),
        "a.".repeat(9000) + "b = 1",
        "a = ".to_owned() + &"{b=".repeat(9000),
    ] {
        assert!(Map::with_override(CrmKind::Dynamics365, &text).is_err());
    }
}

#[test]
fn a_column_called_like_a_relation_is_a_column() {
    let rule = "[fields.note]\nkind = \"text\"\nreferral = \"details.notes\"\ndirection = \"to_partner_center\"\n\
                template = \"{{ record.account.name }} {{ record.account }}\"";
    let Ok(map) = Map::with_override(CrmKind::Dynamics365, rule) else { return };
    let id =
        RecordId { kind: RecordKind::Opportunity, id: "5f4c7d8e-2b13-4a69-bd0c-91e6f2a7c004".to_owned() };
    let columns = json!({ "account": "text", "account.name": "Contoso" });
    let record = Record { id, columns: serde_json::from_value(columns).unwrap(), lists: Default::default() };
    assert!(!map.record_fields(&record).is_empty());
}
