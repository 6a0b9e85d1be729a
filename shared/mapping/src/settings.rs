//! Reads the tables of a map that contain no rules: switches, vendor, account, contact, owner, audit.

use crate::{
    AccountRule, ContactRule, ConvertLead, CrmIdLinks, Duplicates, MicrosoftHalf, Switches, Vendor, day,
    reader::{Place, Reader, join},
};

/// Who owns a record that is created for a referral.
#[derive(Clone, Debug)]
pub(crate) struct OwnerRule {
    pub(crate) crm: String,
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) inbound: Option<String>,
    /// The table of users and its column with the e-mail address.
    pub(crate) from_team: Option<(String, String)>,
}

/// The column with the last decisions.
#[derive(Clone, Debug)]
pub(crate) struct Audit {
    pub(crate) crm: Option<String>,
    pub(crate) length: usize,
}

/// The keys of `[switches]`.
pub const SWITCHES: [&str; 8] = [
    "check_mark",
    "cosell_only",
    "patch_name",
    "add_unknown_solutions",
    "daily_engagements",
    "registration_hints",
    "microsoft_note",
    "crm_id_links",
];

/// The keys of `[vendor]`.
pub const VENDOR: [&str; 12] = [
    "microsoft_half",
    "versionnumber_orders",
    "related_event_sibling_id",
    "error_substatus_writable",
    "contact_frozen_once_shared",
    "filter_updated",
    "event_tolerance",
    "closing_date_zone",
    "forms_by_api",
    "duplicates",
    "convert_lead",
    "api_share",
];

/// Keys of `[vendor]` that have no effect any more and are ignored, so that a stored map with one of them stays valid.
const RETIRED: [&str; 1] = ["page_size"];

pub(crate) fn switches(reader: &mut Reader, place: Place<'_>) -> Switches {
    reader.known(place, &SWITCHES);
    Switches {
        check_mark: reader.yes(place, "check_mark", true),
        cosell_only: reader.yes(place, "cosell_only", false),
        patch_name: reader.yes(place, "patch_name", true),
        add_unknown_solutions: reader.yes(place, "add_unknown_solutions", true),
        daily_engagements: reader.yes(place, "daily_engagements", true),
        registration_hints: reader.yes(place, "registration_hints", false),
        microsoft_note: reader.yes(place, "microsoft_note", true),
        crm_id_links: reader
            .word(
                place,
                "crm_id_links",
                &[
                    ("same_customer", CrmIdLinks::SameCustomer),
                    ("always", CrmIdLinks::Always),
                    ("never", CrmIdLinks::Never),
                ],
            )
            .unwrap_or(CrmIdLinks::SameCustomer),
    }
}

pub(crate) fn vendor(reader: &mut Reader, place: Place<'_>) -> Vendor {
    reader.known_besides(place, &VENDOR, &RETIRED);
    let halves = [
        ("post_if_missing", MicrosoftHalf::PostIfMissing),
        ("post", MicrosoftHalf::Post),
        ("appears", MicrosoftHalf::Appears),
    ];
    let duplicates = [("allow_save", Duplicates::AllowSave), ("adopt", Duplicates::Adopt)];
    let convert_lead = [("off", ConvertLead::Off), ("soap", ConvertLead::Soap)];
    Vendor {
        microsoft_half: reader.word(place, "microsoft_half", &halves).unwrap_or(MicrosoftHalf::PostIfMissing),
        versionnumber_orders: reader.yes(place, "versionnumber_orders", true),
        related_event_sibling_id: reader.yes(place, "related_event_sibling_id", true),
        error_substatus_writable: reader.yes(place, "error_substatus_writable", false),
        contact_frozen_once_shared: reader.yes(place, "contact_frozen_once_shared", true),
        filter_updated: reader.yes(place, "filter_updated", true),
        event_tolerance: reader.number(place, "event_tolerance", 0).unwrap_or(3),
        closing_date_zone: zone(reader, place),
        forms_by_api: reader.yes(place, "forms_by_api", true),
        duplicates: reader.word(place, "duplicates", &duplicates).unwrap_or(Duplicates::AllowSave),
        convert_lead: reader.word(place, "convert_lead", &convert_lead).unwrap_or(ConvertLead::Off),
        api_share: reader.number(place, "api_share", 1).unwrap_or(80),
    }
}

fn zone(reader: &mut Reader, place: Place<'_>) -> Option<jiff::tz::Offset> {
    const KEY: &str = "closing_date_zone";
    let text = reader.text(place, KEY)?;
    let zone = day::zone(&text);
    if zone.is_none() {
        let line = place.node.get(KEY).map_or(place.node.line, |node| node.line);
        let expected = "expected an offset from UTC such as `+13:00`; names of zones are not known";
        reader.fault(line, join(place.key, KEY), format!("`{text}`: {expected}"));
    }
    zone
}

pub(crate) fn account(reader: &mut Reader, place: Place<'_>) -> AccountRule {
    let (key, match_on, create) = matching(reader, place, &["key", "match_on", "alike", "create"]);
    AccountRule { key, match_on, alike: reader.yes(place, "alike", true), create }
}

pub(crate) fn contact(reader: &mut Reader, place: Place<'_>) -> ContactRule {
    let (key, match_on, create) = matching(reader, place, &["key", "match_on", "create"]);
    ContactRule { key, match_on, create }
}

fn matching(reader: &mut Reader, place: Place<'_>, keys: &[&str]) -> (String, Vec<String>, bool) {
    reader.known(place, keys);
    let key = needed(reader, place, "key");
    (key, reader.texts(place, "match_on"), reader.yes(place, "create", true))
}

pub(crate) fn owner(reader: &mut Reader, place: Place<'_>) -> OwnerRule {
    reader.known(place, &["crm", "table", "column", "inbound", "from_team"]);
    let from_team = reader.text(place, "from_team").and_then(|text| {
        let pair = text.split_once('.').map(|(table, column)| (table.to_owned(), column.to_owned()));
        if pair.is_none() {
            let line = place.node.get("from_team").map_or(place.node.line, |node| node.line);
            reader.fault(
                line,
                join(place.key, "from_team"),
                "expected a table and its e-mail column, `table.column`",
            );
        }
        pair
    });
    OwnerRule {
        from_team,
        crm: needed(reader, place, "crm"),
        table: needed(reader, place, "table"),
        column: needed(reader, place, "column"),
        inbound: reader.text(place, "inbound"),
    }
}

pub(crate) fn audit(reader: &mut Reader, place: Place<'_>) -> Audit {
    reader.known(place, &["crm", "length"]);
    Audit {
        crm: reader.text(place, "crm"),
        length: reader.number(place, "length", 1).unwrap_or(10_000) as usize,
    }
}

fn needed(reader: &mut Reader, place: Place<'_>, key: &str) -> String {
    let text = reader.text(place, key);
    if text.is_none() {
        let line = place.node.get(key).map_or(place.node.line, |node| node.line);
        reader.fault(line, join(place.key, key), "missing: expected the name of a column or table");
    }
    text.unwrap_or_default()
}
