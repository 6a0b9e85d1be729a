//! The members a request may carry, with their types: unknown ones, service-set ones and wrong types are refused.

use super::answer::{PartnerCenterRefusal, invalid};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use std::str::FromStr;

/// What a member may hold; `null` is allowed everywhere and means "not set".
#[derive(Clone, Copy)]
pub(super) enum MemberKind {
    Text,
    Flag,
    Number,
    Instant,
    Any,
    OneOf(&'static [&'static str]),
    Object(Members),
    List(Members),
}

pub(super) type Members = &'static [(&'static str, MemberKind)];

use MemberKind::{Any, Flag, Instant, List, Number, Object, OneOf, Text};

pub(super) const STATUSES: &[&str] = &["None", "New", "Active", "Closed"];
pub(super) const SUBSTATUSES: &[&str] =
    &["None", "Pending", "Received", "Accepted", "Won", "Lost", "Declined", "Expired", "Error"];
pub(super) const QUALIFICATIONS: &[&str] = &["None", "Direct", "MarketingQualified", "SalesQualified"];
pub(super) const TYPES: &[&str] = &["Independent", "Shared"];
pub(super) const DIRECTIONS: &[&str] = &["Incoming", "Outgoing"];
pub(super) const HELP: &[&str] = &[
    "Unknown",
    "WorkloadSpecificValueProposition",
    "CustomerTechnicalArchitecture",
    "ProofOfConceptOrDemo",
    "QuotesOrLicensing",
    "PostSalesCustomerSuccess",
    "GeneralOrOther",
];
const SIZES: &[&str] = &[
    "",
    "1to9employees",
    "10to50employees",
    "51to250employees",
    "251to1000employees",
    "1001to5000employees",
    "5001to10000employees",
    "10001to20000employees",
    "Morethan20000employees",
    "1to50employees",
    "51to500employees",
    "Morethan500employees",
];
/// The enum words of the contract and the percentages of the bulk format, as text.
const SALES_STAGES: &[&str] =
    &["Qualify", "Develop", "Propose", "Close", "10", "20", "40", "60", "80", "100"];

const PREFERENCE: Members = &[("locale", Text), ("disableNotifications", Flag)];
pub(super) const MEMBER: Members = &[
    ("firstName", Text),
    ("lastName", Text),
    ("phoneNumber", Text),
    ("email", Text),
    ("title", Text),
    ("contactPreference", Object(PREFERENCE)),
];
pub(super) const SOLUTION: Members = &[
    ("id", Text),
    ("name", Text),
    ("type", OneOf(&["None", "Category", "Name"])),
    ("price", Number),
    ("quantity", Number),
    ("currency", Text),
    ("publisherName", Text),
    ("solutionType", OneOf(&["1P", "3P"])),
    ("closingDateTime", Instant),
];
const IDS: Members = &[("id", Text)];
const IOT: Members = &[
    ("customerLicenseAgreementNumber", Text),
    ("deviceCategory", Text),
    ("siliconType", Text),
    ("azureCertifiedDevice", Flag),
    ("attachServices", Flag),
];
const ATTRIBUTE: Members = &[
    ("type", OneOf(&["CustomerMarketplaceIntent", "PartnerRole", "SolutionArea", "SolutionPlay"])),
    ("id", Text),
];
const ADDRESS: Members = &[
    ("addressLine1", Text),
    ("addressLine2", Text),
    ("city", Text),
    ("state", Text),
    ("postalCode", Text),
    ("country", Text),
    ("region", Text),
];
const PROFILE: Members = &[
    ("name", Text),
    ("size", OneOf(SIZES)),
    ("address", Object(ADDRESS)),
    ("team", List(MEMBER)),
    ("ids", List(&[("profileType", OneOf(&["Duns", "External"])), ("id", Text)])),
];
const CONSENT: Members = &[
    ("consentToToShareInfoWithOthers", Flag),
    ("consentToContact", Flag),
    ("consentToMicrosoftToContactSpecificPartners", Flag),
    ("consentToShareReferralWithMicrosoftSellers", Flag),
];
const REQUIREMENTS: Members = &[
    ("industries", List(IDS)),
    ("products", List(IDS)),
    ("services", List(IDS)),
    ("solutions", List(SOLUTION)),
    ("offers", Any),
    ("salesPlays", Any),
    ("additionalRequirements", Object(&[("iot", Object(IOT)), ("attributes", List(ATTRIBUTE))])),
];
const DETAILS: Members = &[
    ("notes", Text),
    ("dealValue", Number),
    ("currency", Text),
    ("closingDateTime", Instant),
    ("customerRequestedContact", Flag),
    ("customerAction", Text),
    ("incentiveLevel", Text),
    ("requirements", Object(REQUIREMENTS)),
];
const INVITE: Members = &[
    ("notes", Text),
    ("assistanceRequestCode", OneOf(HELP)),
    ("invitedMpnId", Text),
    ("invitedBy", Object(&[("organizationId", Text), ("organizationName", Text)])),
];
const TARGET: Members =
    &[("type", OneOf(&["None", "BusinessProfileLocation", "SolutionProfile"])), ("id", Text)];

/// The body of a create.
pub(super) const CREATE: Members = &[
    ("name", Text),
    ("engagementId", Text),
    ("externalReferenceId", Text),
    ("status", OneOf(STATUSES)),
    ("substatus", OneOf(SUBSTATUSES)),
    ("statusReason", Text),
    ("qualification", OneOf(QUALIFICATIONS)),
    ("type", OneOf(TYPES)),
    ("campaignId", Text),
    ("salesStage", OneOf(SALES_STAGES)),
    ("mpnId", Text),
    ("target", List(TARGET)),
    ("customerProfile", Object(PROFILE)),
    ("consent", Object(CONSENT)),
    ("details", Object(DETAILS)),
    ("team", List(MEMBER)),
    ("inviteContext", Object(INVITE)),
];

const CONTRACT: Members = &[
    ("value", Number),
    ("currency", Text),
    ("startDateTime", Instant),
    ("endDateTime", Instant),
    ("signDateTime", Instant),
    ("term", OneOf(&["Perpetual", "Finite"])),
];
const MARKETPLACE: Members =
    &[("isMarketplaceTransacted", Flag), ("marketplaceTransactionDateTime", Instant)];
const SOLUTION_DETAIL: Members = &[
    ("id", Text),
    ("currency", Text),
    ("value", Number),
    ("isDeployedOnAzure", Flag),
    ("primaryDeploymentOn", OneOf(&["Customer", "Partner"])),
    ("pricingModel", OneOf(&["PayAsYouGo", "Other"])),
    ("marketplaceTransactionDetails", Object(MARKETPLACE)),
];
const REGISTRATION: Members = &[
    ("type", OneOf(&["AzureIPCoSell"])),
    ("contract", Object(CONTRACT)),
    ("solutionDetails", List(SOLUTION_DETAIL)),
];

/// Paths a PATCH may write, with the type of the value; `/-` takes one item. Microsoft's connector lists no others.
pub(super) const PATCH: Members = &[
    ("/campaignId", Text),
    ("/consent/consentToShareReferralWithMicrosoftSellers", Flag),
    ("/customerProfile/team", List(MEMBER)),
    ("/customerProfile/team/-", Object(MEMBER)),
    ("/details/closingDateTime", Instant),
    ("/details/currency", Text),
    ("/details/dealValue", Number),
    ("/details/notes", Text),
    ("/details/requirements/solutions", List(SOLUTION)),
    ("/details/requirements/solutions/-", Object(SOLUTION)),
    ("/externalReferenceId", Text),
    ("/referralProgram", Text),
    ("/salesStage", OneOf(SALES_STAGES)),
    ("/status", OneOf(STATUSES)),
    ("/substatus", OneOf(SUBSTATUSES)),
    ("/statusReason", Text),
    ("/team", List(MEMBER)),
    ("/team/-", Object(MEMBER)),
    ("/registrations/-", Object(REGISTRATION)),
    ("/registrations/0/contract/startDateTime", Instant),
    ("/registrations/0/contract/endDateTime", Instant),
    ("/registrations/0/contract/signDateTime", Instant),
    ("/registrations/0/contract/term", OneOf(&["Perpetual", "Finite"])),
    ("/registrations/0/contract/value", Number),
    ("/registrations/0/solutionDetails/0/value", Number),
    ("/registrations/0/solutionDetails/0/currency", Text),
    ("/registrations/0/solutionDetails/0/isDeployedOnAzure", Flag),
    ("/registrations/0/solutionDetails/0/primaryDeploymentOn", OneOf(&["Customer", "Partner"])),
    ("/registrations/0/solutionDetails/0/pricingModel", OneOf(&["PayAsYouGo", "Other"])),
    ("/registrations/0/solutionDetails/0/marketplaceTransactionDetails/isMarketplaceTransacted", Flag),
    (
        "/registrations/0/solutionDetails/0/marketplaceTransactionDetails/marketplaceTransactionDateTime",
        Instant,
    ),
];

/// Refuses a value that does not fit; `at` names it in the refusal. Numbers may be text in a PATCH only.
pub(super) fn check(value: &Value, kind: MemberKind, at: &str) -> Result<(), PartnerCenterRefusal> {
    let wrong =
        |expected: &str| Err(invalid("invalidValue", format!("`{at}`: expected {expected}, got {value}.")));
    match (kind, value) {
        (_, Value::Null) | (Any, _) | (Text, Value::String(_)) | (Flag, Value::Bool(_)) => Ok(()),
        (Number, Value::Number(_)) => Ok(()),
        (Number, Value::String(s)) if at.starts_with('/') && Decimal::from_str(s).is_ok() => Ok(()),
        (Instant, Value::String(s)) if s.ends_with('Z') && s.parse::<Timestamp>().is_ok() => Ok(()),
        (OneOf(words), Value::String(s)) if words.contains(&s.as_str()) => Ok(()),
        (Object(members), Value::Object(object)) => {
            for (name, value) in object {
                let at = format!("{at}.{name}");
                let Some((_, kind)) = members.iter().find(|(n, _)| n == name) else {
                    return Err(invalid("unknownOrReadOnlyProperty", format!("`{at}` cannot be written.")));
                };
                check(value, *kind, &at)?;
            }
            Ok(())
        }
        (List(members), Value::Array(items)) => {
            for (n, item) in items.iter().enumerate() {
                let at = format!("{at}[{n}]");
                if item.is_null() {
                    return Err(invalid("invalidValue", format!("`{at}`: null.")));
                }
                check(item, Object(members), &at)?;
            }
            Ok(())
        }
        (Text, _) => wrong("a string"),
        (Flag, _) => wrong("a boolean"),
        (Number, _) => wrong("a number"),
        (Instant, _) => wrong("a UTC date-time"),
        (OneOf(words), _) => wrong(&format!("one of {}", words.join(", "))),
        (Object(_), _) => wrong("an object"),
        (List(_), _) => wrong("an array"),
    }
}
