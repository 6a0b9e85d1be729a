//! ISO 3166-1 countries and ISO 4217 currencies.

use crate::keys::folded;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// Names people type that are not the standard's own.
const ALIASES: &[(&str, &str)] = &[
    ("america", "US"),
    ("usa", "US"),
    ("u.s.", "US"),
    ("u.s.a.", "US"),
    ("united states", "US"),
    ("uk", "GB"),
    ("u.k.", "GB"),
    ("united kingdom", "GB"),
    ("great britain", "GB"),
    ("england", "GB"),
    ("scotland", "GB"),
    ("wales", "GB"),
    ("northern ireland", "GB"),
    ("deutschland", "DE"),
    ("österreich", "AT"),
    ("schweiz", "CH"),
    ("suisse", "CH"),
    ("holland", "NL"),
    ("the netherlands", "NL"),
    ("netherlands", "NL"),
    ("czech republic", "CZ"),
    ("south korea", "KR"),
    ("korea", "KR"),
    ("russia", "RU"),
    ("taiwan", "TW"),
    ("vietnam", "VN"),
    ("turkey", "TR"),
    ("iran", "IR"),
    ("bolivia", "BO"),
    ("hong kong sar", "HK"),
];

/// Active ISO 4217 codes.
static CURRENCIES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| CODES.split(' ').collect());
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN \
    BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
    GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT \
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB \
    PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB \
    TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL";

/// The alpha-2 code of a country given as alpha-2, alpha-3 or English name.
pub(crate) fn alpha2(text: &str) -> Option<&'static str> {
    let given = text.trim();
    let upper = given.to_ascii_uppercase();
    let by_code = match given.len() {
        2 => rust_iso3166::from_alpha2(&upper),
        3 => rust_iso3166::from_alpha3(&upper),
        _ => None,
    };
    if let Some(country) = by_code {
        return Some(country.alpha2);
    }
    let wanted = folded(given);
    if wanted.is_empty() {
        return None;
    }
    if let Some((_, code)) = ALIASES.iter().find(|(name, _)| *name == wanted) {
        return Some(code);
    }
    NAMES.get(&wanted).copied()
}

/// `Bolivia (Plurinational State of)`, `Korea, Republic of`: the name in full, or what stands before the remark.
static NAMES: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let whole = rust_iso3166::ALL.iter().map(|country| (country.name, country.alpha2));
    let short = whole.clone().map(|(name, code)| (before_remark(name), code));
    // The name in full goes before another one's short form, the first one before the second.
    whole.chain(short).rev().map(|(name, code)| (folded(name), code)).collect()
});

fn before_remark(name: &str) -> &str {
    name.split(" (").next().unwrap_or(name)
}

/// The upper-case code, if it is an ISO 4217 one.
pub(crate) fn currency(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    CURRENCIES.contains(code.as_str()).then_some(code)
}
