//! An override of a field map, as an admin might type it: a map or a list of faults; a map without faults reads a
//! referral and a record, and says what it reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::{CrmKind, Map, Record, RecordId, RecordKind, Referral};
use std::sync::LazyLock;

static REFERRAL: LazyLock<Referral> = LazyLock::new(|| {
    let text =
        include_str!("../../../shared/mapping/tests/fixtures/referral-incoming-cosell-new-pending.json");
    Referral::parse(serde_json::from_str(text).unwrap()).unwrap()
});
static RECORD: LazyLock<Record> = LazyLock::new(|| {
    let id = RecordId { kind: RecordKind::Opportunity, id: "5f4c7d8e-2b13-4a69-bd0c-91e6f2a7c004".into() };
    let columns = [("name", "A deal"), ("estimatedvalue", "1.5"), ("description", "Words")];
    let columns = columns.map(|(name, text)| (name.to_owned(), text.into())).into_iter().collect();
    Record { id, columns, lists: Default::default() }
});

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Map::with_override(CrmKind::Dynamics365, text) {
        Err(faults) => assert!(!faults.is_empty()),
        Ok(map) => {
            let shown = map.referral_fields(&REFERRAL);
            for (unit, value) in &shown {
                let _ = map.to_crm(unit, value);
            }
            let _ = (map.new_record(&REFERRAL), map.new_referral(&RECORD), map.hash().len());
            for relation in ["", "account", "contact", "owner", "solutions"] {
                let _ = map.columns(relation);
            }
        }
    }
});
