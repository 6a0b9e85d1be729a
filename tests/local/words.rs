//! What scenarios call things in either CRM: the names of the map's rules, and behind them each vendor's own. Names that
//! are not listed are the vendor's.

use base64::{Engine, engine::general_purpose::STANDARD};
use mapping::CrmKind;
use serde_json::{Map, Value, json};

/// A word, what Dynamics 365 calls it, what Salesforce calls it.
type Word = (&'static str, &'static str, &'static str);

const SETS: &[Word] = &[
    ("opportunities", "opportunities", "Opportunity"),
    ("accounts", "accounts", "Account"),
    ("contacts", "contacts", "Contact"),
    ("leads", "leads", "Lead"),
    ("users", "systemusers", "User"),
    ("solutions", "cosell_solutions", "Microsoft_Solution__c"),
    ("solution_details", "cosell_solutiondetails", "Microsoft_Solution_Detail__c"),
    ("team", "connections", "OpportunityTeamMember"),
];

const DEAL: &[Word] = &[
    ("name", "name", "Name"),
    ("deal_value", "estimatedvalue", "Amount"),
    ("closing_date", "estimatedclosedate", "CloseDate"),
    ("notes", "description", "Description"),
    ("sync", "cosell_syncwithpartnercenter", "Sync_with_Partner_Center__c"),
    ("referral_id", "cosell_referralid", "Referral_Identifier__c"),
    ("referral_link", "cosell_referrallink", "Referral_Link__c"),
    ("help", "cosell_helprequested", "How_can_Microsoft_help__c"),
    ("visible", "cosell_visibletomicrosoft", "Visible_to_Microsoft_Sellers__c"),
    ("microsoft_crm_id", "cosell_microsoftcrmid", "Microsoft_CRM_Identifier__c"),
    ("marketplace_intent", "cosell_marketplaceintent", "Marketplace_Intent__c"),
    ("solution_area", "cosell_solutionarea", "Solution_Area__c"),
    ("solution_play", "cosell_solutionplay", "Solution_Play__c"),
    ("audit", "cosell_audit", "Audit__c"),
    ("probability", "closeprobability", "Probability"),
    ("owner", "_ownerid_value", "OwnerId"),
    ("account", "_parentaccountid_value", "AccountId"),
    // An organisation's own, for maps that name them.
    ("budget", "new_dealbudget", "Deal_Budget__c"),
    ("budget_currency", "new_dealcurrency", "Deal_Currency__c"),
    ("id", "opportunityid", "Id"),
];
const LEAD: &[Word] = &[
    ("name", "subject", "Name"),
    ("sync", "cosell_syncwithpartnercenter", "Sync_with_Partner_Center__c"),
    ("referral_id", "cosell_referralid", "Referral_Identifier__c"),
    ("audit", "cosell_audit", "Audit__c"),
    ("id", "leadid", "Id"),
];
const ACCOUNT: &[Word] = &[
    ("name", "name", "Name"),
    ("line1", "address1_line1", "BillingStreet"),
    ("city", "address1_city", "BillingCity"),
    ("postal_code", "address1_postalcode", "BillingPostalCode"),
    ("country", "address1_country", "BillingCountry"),
    ("phone", "telephone1", "Phone"),
    ("key", "cosell_customerkey", "Partner_Center_Customer_Key__c"),
    ("iso_country", "new_isocountry", "Iso_Country__c"),
    ("id", "accountid", "Id"),
];
const CONTACT: &[Word] = &[
    ("first_name", "firstname", "FirstName"),
    ("last_name", "lastname", "LastName"),
    ("phone", "telephone1", "Phone"),
    ("email", "emailaddress1", "Email"),
    ("key", "cosell_contactkey", "Partner_Center_Contact_Key__c"),
    ("id", "contactid", "Id"),
];
const USER: &[Word] = &[
    ("phone", "address1_telephone1", "Phone"),
    ("email", "internalemailaddress", "Email"),
    ("id", "systemuserid", "Id"),
];
const SOLUTION: &[Word] = &[("id", "cosell_solutionid", "Id")];
const DETAIL: &[Word] = &[
    ("id", "cosell_solutiondetailid", "Id"),
    ("solution_id", "cosell_solutionid", "Solution_Identifier__c"),
    ("name", "cosell_name", "Name"),
    ("origin", "cosell_type", "Type__c"),
    ("publisher", "cosell_publisher", "Publisher__c"),
];

/// Choices: Partner Center's code, Dynamics 365's option, Salesforce's value.
const CHOICES: &[(&str, i64, &str)] = &[
    ("ProofOfConceptOrDemo", 100_000_003, "Proof of concept or demo"),
    ("GeneralOrOther", 100_000_006, "General or other"),
    ("HaveNotDecided", 100_000_000, "Have not decided"),
    ("Security", 100_000_003, "Security"),
    ("Data Security", 100_000_015, "Data Security"),
];

/// How a deal stands: the word, Dynamics 365's state and reason, Salesforce's stage.
const STATES: &[(&str, (i64, i64), &str)] = &[
    ("on hold", (0, 2), "Qualification"),
    ("active", (0, 1), "Prospecting"),
    ("won", (1, 3), "Closed Won"),
    ("lost", (2, 5), "Closed Lost"),
    ("canceled", (2, 4), "Closed Lost"),
];

/// What a person reads of a note's content, which is HTML in base 64.
pub fn of_html(content: &str) -> String {
    let html = STANDARD.decode(content).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    of_plain_html(&html.unwrap_or_default())
}

/// What a person reads of HTML without markup of others: there must be none.
pub fn of_plain_html(html: &str) -> String {
    let html = html.replace("<br>", "\n");
    assert!(!html.contains(['<', '>']), "markup that somebody else wrote: {html}");
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.into_iter().fold(html, |text, (entity, c)| text.replace(entity, c))
}

fn own(word: &Word, crm: CrmKind) -> &'static str {
    match crm {
        CrmKind::Dynamics365 => word.1,
        CrmKind::Salesforce => word.2,
    }
}

/// The vendor's name of an entity set or object.
pub fn set(crm: CrmKind, set: &str) -> &str {
    SETS.iter().find(|word| word.0 == set).map_or(set, |word| own(word, crm))
}

fn words(set: &str) -> &'static [Word] {
    match set {
        "opportunities" => DEAL,
        "leads" => LEAD,
        "accounts" => ACCOUNT,
        "contacts" => CONTACT,
        "users" => USER,
        "solutions" => SOLUTION,
        "solution_details" => DETAIL,
        _ => &[],
    }
}

/// The vendor's name of a column.
pub fn column<'a>(crm: CrmKind, set: &str, column: &'a str) -> &'a str {
    words(set).iter().find(|word| word.0 == column).map_or(column, |word| own(word, crm))
}

/// Columns as the vendor takes them.
pub fn written(crm: CrmKind, set: &str, columns: Value) -> Value {
    let Value::Object(columns) = columns else { return columns };
    let mut written = Map::new();
    for (name, value) in columns {
        if name == "state" {
            let (_, (_, reason), stage) =
                STATES.iter().find(|state| value == state.0).expect("a state with a name");
            match crm {
                CrmKind::Dynamics365 => written.insert("statuscode".to_owned(), json!(reason)),
                CrmKind::Salesforce => written.insert("StageName".to_owned(), json!(stage)),
            };
            continue;
        }
        let choice = CHOICES.iter().find(|choice| value == choice.0);
        let value = match (choice, crm) {
            (None, _) => value,
            (Some(choice), CrmKind::Dynamics365) => json!(choice.1),
            (Some(choice), CrmKind::Salesforce) => json!(choice.2),
        };
        written.insert(column(crm, set, &name).to_owned(), value);
    }
    Value::Object(written)
}

/// A row as the vendor shows it, with the words beside its own names.
pub fn read(crm: CrmKind, set: &str, row: &Map<String, Value>) -> Value {
    let mut read = row.clone();
    for word in words(set) {
        let Some(shown) = row.get(own(word, crm)) else { continue };
        let meant = |choice: &&(&str, i64, &str)| match crm {
            CrmKind::Dynamics365 => *shown == choice.1,
            CrmKind::Salesforce => *shown == choice.2,
        };
        let choice = CHOICES.iter().find(meant).filter(|_| ["help", "marketplace_intent"].contains(&word.0));
        read.insert(word.0.to_owned(), choice.map_or_else(|| shown.clone(), |choice| json!(choice.0)));
    }
    if set == "opportunities" {
        let code = |name: &str| row.get(name).and_then(Value::as_i64);
        let state = match crm {
            CrmKind::Dynamics365 => STATES
                .iter()
                .find(|(_, (state, reason), _)| {
                    (code("statecode"), code("statuscode")) == (Some(*state), Some(*reason))
                })
                .map(|state| json!(state.0)),
            CrmKind::Salesforce => {
                STATES.iter().find(|state| row["StageName"] == state.2).map(|state| json!(state.0))
            }
        };
        read.insert("state".to_owned(), state.unwrap_or(Value::Null));
    }
    Value::Object(read)
}
