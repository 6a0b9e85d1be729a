//! A referral as Partner Center might answer it: read, converted both ways by each map, compared with itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::{CrmKind, Map, Referral, Side, classify};
use std::sync::LazyLock;

const OWN: &str = "2e5d1c7a-6b30-4f8e-9c41-8a7d0b3f5e21";
static MAPS: LazyLock<[&Map; 2]> =
    LazyLock::new(|| [CrmKind::Dynamics365, CrmKind::Salesforce].map(Map::standard));

fuzz_target!(|input: &[u8]| {
    let Ok(body) = serde_json::from_slice(input) else { return };
    let Ok(referral) = Referral::parse(body) else { return };
    let _ = (classify(&referral, OWN), referral.created(), referral.etag(), referral.external_reference());
    for map in *MAPS {
        let shown = map.referral_fields(&referral);
        let _ = map.new_record(&referral);
        for (unit, value) in &shown {
            let _ = map.owner(unit, Some(value));
            let Ok(there) = map.to_crm(unit, value) else { continue };
            assert!(map.equal(unit, value, &there), "`{unit}`: {value:?} is not what was written: {there:?}");
            assert!(map.shows(unit, Side::Crm, &there, &there), "`{unit}`: {there:?}");
            let _ = map.to_partner_center(unit, &there);
        }
        let _ = map.record_patch(&shown, &Default::default());
        let _ = map.referral_patch(Some(&referral), &shown);
    }
});
