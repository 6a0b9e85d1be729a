//! ISO 3166-1 countries, by code or by the names that people use, and ISO 4217 currencies.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use unicode_normalization::UnicodeNormalization;

/// Per country: alpha-2, alpha-3, and names in English, six other languages and its own (`countries.py` makes the
/// file).
const COUNTRIES: &str = include_str!("../maps/countries.tsv");

/// Names that people type and that neither ISO 3166 nor the Unicode CLDR has.
const ALIASES: &[(&str, &str)] = &[
    ("america", "US"),
    ("usa", "US"),
    ("great britain", "GB"),
    ("england", "GB"),
    ("scotland", "GB"),
    ("wales", "GB"),
    ("northern ireland", "GB"),
    ("holland", "NL"),
    ("korea", "KR"),
    ("hong kong sar", "HK"),
    ("macau sar", "MO"),
    ("uae", "AE"),
    ("prc", "CN"),
    ("slovak republic", "SK"),
    ("bosnia herzegovina", "BA"),
    ("burma", "MM"),
    ("macedonia", "MK"),
    ("vatican", "VA"),
    // Without this entry `republic of ` would be removed, and what is left is another country's name.
    ("republic of china", "TW"),
];

/// Forms of state that may precede a country's usual name.
const FORMS: &[&str] = &[
    "the ",
    "republic of ",
    "federal republic of ",
    "federative republic of ",
    "islamic republic of ",
    "peoples republic of ",
    "kingdom of ",
    "grand duchy of ",
    "principality of ",
    "commonwealth of ",
    "sultanate of ",
    "state of ",
];

/// Active ISO 4217 codes.
static CURRENCIES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| CODES.split(' ').collect());
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN \
    BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
    GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT \
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB \
    PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB \
    TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL";

/// The alpha-2 code of a country, which is given as alpha-2, alpha-3 or name.
pub(crate) fn alpha2(text: &str) -> Option<&'static str> {
    let given = text.trim();
    let by_code = |code: &str| CODES_OF_COUNTRIES.get(code).copied();
    by_code(&given.to_ascii_uppercase()).or_else(|| by_name(&spoken(given))).or_else(|| {
        // `Korea, Republic of` is `Republic of Korea`.
        let (name, rest) = given.split_once(',')?;
        by_name(&spoken(&format!("{rest} {name}")))
    })
}

fn by_name(name: &str) -> Option<&'static str> {
    NAMES.get(name).copied().or_else(|| {
        let mut without = FORMS.iter().filter_map(|form| name.strip_prefix(form));
        without.find_map(by_name)
    })
}

/// A name without what people leave out or write in other ways: accents, apostrophes, points, brackets, `&`.
fn spoken(name: &str) -> String {
    let name = name.replace('&', " and ");
    let plain = name.nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    let plain =
        plain.flat_map(char::to_lowercase).filter(|c| !matches!(c, '\'' | '’' | '‘' | 'ʻ' | '`' | '.'));
    let spaced: String = plain.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rows() -> impl DoubleEndedIterator<Item = Vec<&'static str>> {
    let rows = COUNTRIES.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split('\t').collect())
}

/// Alpha-2 and alpha-3 to alpha-2.
static CODES_OF_COUNTRIES: LazyLock<BTreeMap<&str, &'static str>> =
    LazyLock::new(|| rows().flat_map(|row| [(row[0], row[0]), (row[1], row[0])]).collect());

/// Names to alpha-2. Of `Bolivia (Plurinational State of)`: as it is, with the remark in front, and without it, unless
/// that is what several are called: `Virgin Islands`.
static NAMES: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let iso = || rust_iso3166::ALL.iter().map(|country| (country.name.to_owned(), country.alpha2));
    let bare = |name: &str| name.split_once(" (").map(|(short, _)| spoken(short));
    let mut bearers: BTreeMap<String, usize> = BTreeMap::new();
    iso().filter_map(|(name, _)| bare(&name)).for_each(|short| *bearers.entry(short).or_default() += 1);
    let remark = |(name, code): (String, &'static str)| {
        let (short, remark) = name.split_once(" (")?;
        let in_front = (format!("{} {short}", remark.trim_end_matches(')')), code);
        let alone = bearers.get(&spoken(short)) == Some(&1);
        Some([Some(in_front), alone.then(|| (short.to_owned(), code))].into_iter().flatten())
    };
    let remarks = iso().filter_map(remark).flatten();
    let called =
        rows().flat_map(|row| row[2..].iter().map(|name| (name.to_string(), row[0])).collect::<Vec<_>>());
    let aliases = ALIASES.iter().map(|(name, code)| (name.to_string(), *code));
    // Of several entries with one name the first counts, so that a full name wins over another country's short form.
    let all: Vec<_> = aliases.chain(iso()).chain(called).chain(remarks).collect();
    all.into_iter().rev().map(|(name, code)| (spoken(&name), code)).collect()
});

/// Whether two texts name two different countries. A text that is empty or unknown names none.
///
/// ```
/// use mapping::are_apart;
///
/// assert!(are_apart("CH", "Deutschland"));
/// assert!(!are_apart("CH", "Schweiz"));
/// assert!(!are_apart("CH", "Utopia"));
/// ```
pub fn are_apart(one: &str, other: &str) -> bool {
    matches!((alpha2(one), alpha2(other)), (Some(one), Some(other)) if one != other)
}

/// The upper-case code, if it is one of ISO 4217.
pub(crate) fn currency(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    CURRENCIES.contains(code.as_str()).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_by_what_people_call_it() {
        for (code, names) in [
            ("US", "us USA usa. U.S. U.S.A. America"),
            ("DE", "DE deu Germany Deutschland Allemagne Duitsland"),
            ("XK", "XK XKK Kosovo Kosovë"),
            ("NL", "Nederland Netherlands Niederlande Holland"),
            ("ES", "España Espana Spain Spanien"),
            ("IT", "Italia Italien"),
            ("BR", "Brasil Brazil"),
            ("PL", "Polska Poland"),
            ("CZ", "Czechia Česko"),
            ("CH", "Schweiz Suisse Svizzera Switzerland"),
            ("AT", "Österreich Oesterreich? Austria"),
            ("JP", "日本 Japan"),
            ("GR", "Ελλάδα Greece"),
            ("LA", "Laos"),
            ("MO", "Macau Macao"),
            ("TR", "Turkey Türkiye Turkiye"),
            ("SZ", "Eswatini Swaziland?"),
        ] {
            for name in names.split(' ').filter(|name| !name.ends_with('?')) {
                assert_eq!(alpha2(name), Some(code), "{name}");
            }
        }
        for (code, name) in [
            ("KR", "Korea, Republic of"),
            ("KR", "Republic of Korea"),
            ("KR", "Korea (Republic of)"),
            ("KR", "Korea, South"),
            ("KP", "Korea, Democratic People's Republic of"),
            ("KP", "North Korea"),
            ("CI", "Côte d’Ivoire"),
            ("CI", "Cote d'Ivoire"),
            ("CI", "Ivory Coast"),
            ("IE", "Republic of Ireland"),
            ("TT", "Trinidad & Tobago"),
            ("TT", "Trinidad and Tobago"),
            ("NL", "The Netherlands"),
            ("GB", "United Kingdom of Great Britain and Northern Ireland"),
            ("BO", "Bolivia (Plurinational State of)"),
            ("BO", "Bolivia, Plurinational State of"),
            ("CD", "Congo, Democratic Republic of the"),
            ("CD", "Democratic Republic of the Congo"),
            ("CG", "Republic of the Congo"),
            ("TW", "Republic of China"),
            ("TW", "Taiwan, Province of China"),
            ("CN", "People's Republic of China"),
            ("MD", "Moldova, Republic of"),
            ("BS", "Bahamas, The"),
            ("GM", "The Gambia"),
            ("HK", "Hong Kong SAR"),
            ("VN", "Viet Nam"),
            ("US", "  united   states of america "),
            ("VG", "British Virgin Islands"),
            ("VG", "Virgin Islands (British)"),
            ("VI", "Virgin Islands, U.S."),
            ("KR", "Korea"),
            ("CG", "Congo"),
            ("BO", "Bolivia"),
            ("AE", "U.A.E."),
            ("CN", "PRC"),
            ("SK", "Slovak Republic"),
            ("BA", "Bosnia-Herzegovina"),
            ("MM", "Burma"),
            ("MK", "Republic of Macedonia"),
            ("VA", "Vatican"),
        ] {
            assert_eq!(alpha2(name), Some(code), "{name}");
        }
    }

    #[test]
    fn what_is_no_country_any_more_or_never_was_is_none() {
        for name in ["", " ", "AN", "ZZ", "Utopia", "Georgia, USA", "the", "republic of", "N/A", "-", "..."] {
            assert_eq!(alpha2(name), None, "{name}");
        }
        // Two countries have this name; which of them is meant is not known.
        assert_eq!(alpha2("Virgin Islands"), None);
    }

    #[test]
    fn two_countries_are_apart_and_an_unknown_one_is_nowhere() {
        assert!(are_apart("CH", "Deutschland"));
        for (one, other) in
            [("CH", "Schweiz"), ("CH", ""), ("", ""), ("CH", "Utopia"), ("Utopia", "Elsewhere")]
        {
            assert!(!are_apart(one, other), "{one} {other}");
        }
    }

    #[test]
    fn every_country_of_the_standard_is_known_by_its_codes_and_its_name() {
        for country in rust_iso3166::ALL {
            for known in [country.alpha2, country.alpha3, country.name] {
                assert_eq!(alpha2(known), Some(country.alpha2), "{known}");
            }
        }
    }

    #[test]
    fn a_name_is_of_one_country() {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for row in rows() {
            for name in &row[2..] {
                let other = seen.insert(spoken(name), row[0]);
                assert!(other.is_none_or(|other| other == row[0]), "{name}: {} and {other:?}", row[0]);
            }
        }
        assert_eq!(rows().count(), 250);
    }
}
