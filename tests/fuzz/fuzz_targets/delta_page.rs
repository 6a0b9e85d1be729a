//! A page of changes as Dataverse might answer it: links stay below the service root, rows become records.
#![no_main]

use clients::crm::dynamics::page::{Line, Page};
use libfuzzer_sys::fuzz_target;
use mapping::{CrmKind, Map, Record, RecordId, RecordKind};
use std::sync::LazyLock;

static MAP: LazyLock<&Map> = LazyLock::new(|| Map::standard(CrmKind::Dynamics365));

fuzz_target!(|input: &[u8]| {
    let Ok(body) = serde_json::from_slice(input) else { return };
    let Ok(page) = Page::read(body) else { return };
    for link in [&page.next, &page.resume].into_iter().flatten() {
        let path = link.split('?').next().unwrap_or_default();
        let set = path.strip_prefix("/api/data/v9.2/").expect("below the service root");
        assert!(!set.contains(['/', '\\', '%', '#']) && !set.contains(".."), "{link}");
    }
    for line in page.lines {
        let Line::Row(row) = line else { continue };
        let id =
            RecordId { kind: RecordKind::Opportunity, id: "5f4c7d8e-2b13-4a69-bd0c-91e6f2a7c004".into() };
        let record = Record { id, columns: row.into_iter().collect(), lists: Default::default() };
        let shown = MAP.record_fields(&record);
        for (unit, value) in &shown {
            let _ = MAP.to_partner_center(unit, value);
        }
        let _ = (MAP.new_referral(&record), MAP.wants_referral(&record), MAP.record_referral_id(&record));
        let _ = (MAP.deal_kind(&record), MAP.referral_patch(None, &shown));
    }
});
