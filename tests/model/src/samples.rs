//! A referral as Partner Center shows it and the small sets of values that people choose from.

use serde_json::{Value, json};

/// What people name deals, on either side.
pub(crate) const NAMES: [&str; 4] = ["Harbor Line", "Kestrel Foods", "Blue Fjord", "Marlow & Sons"];
/// Notes; one is longer than what is kept in a link as it is.
pub(crate) const NOTES: [&str; 4] = ["14 sites.", "Needs a proof of concept.", "Call back in May.", LONG];
const LONG: &str = "Warehouse visibility for all sites, one after the other, beginning in the north. The customer asks for a fixed price, for references from the same trade, for somebody who knows the old system, for a plan of the first ninety days, and for a contact who answers.";
/// Values of deals, whatever their currency.
pub(crate) const AMOUNTS: [f64; 4] = [84000.0, 61000.5, 12000.0, 250.25];
pub(crate) const CURRENCIES: [&str; 3] = ["CHF", "EUR", "GBP"];
/// Days on which people expect a deal to close.
pub(crate) const DATES: [&str; 3] = ["2026-09-30", "2026-07-31", "2027-01-15"];
pub(crate) const SOLUTIONS: [&str; 3] = ["SOL-1", "SOL-2", "SOL-3"];
/// Customers: name and postal code.
pub(crate) const CUSTOMERS: [(&str, &str); 2] =
    [("Harbor Line Logistics AG", "4057"), ("Kestrel Foods Ltd", "LS1 4AB")];

/// One solution of a referral.
pub(crate) fn solution(id: &str) -> Value {
    json!({
        "id": id, "name": format!("Solution {id}"), "type": "Name", "price": null,
        "publisherName": "Juniper Peak Software", "solutionType": "3P",
    })
}

/// One row of a record's solutions, by the columns' names.
pub(crate) fn solution_row(id: &str) -> std::collections::BTreeMap<String, Value> {
    [
        ("cosell_name", format!("Solution {id}")),
        ("detail.cosell_solutionid", id.to_owned()),
        ("detail.cosell_name", format!("Solution {id}")),
        ("detail.cosell_publisher", "Juniper Peak Software".to_owned()),
        ("detail.cosell_type", "3P".to_owned()),
    ]
    .into_iter()
    .map(|(column, text)| (column.to_owned(), Value::String(text)))
    .collect()
}

/// An incoming co-sell opportunity. Partner Center adds its own id, stamps and eTag.
pub(crate) fn incoming(customer: (&str, &str)) -> Value {
    json!({
        "name": NAMES[0],
        "organizationId": crate::world::OURS,
        "organizationName": "Juniper Peak Software",
        "externalReferenceId": null,
        "status": "New", "substatus": "Pending", "statusReason": null,
        "qualification": "SalesQualified", "type": "Shared", "direction": "Incoming",
        "favorite": false, "referralProgram": null,
        "customerProfile": {
            "name": customer.0,
            "address": {
                "addressLine1": "Hafenstrasse 12", "addressLine2": null, "city": "Basel", "state": "BS",
                "postalCode": customer.1, "country": "CH", "region": null,
            },
            "team": [{
                "firstName": "Nadia", "lastName": "Keller", "phoneNumber": "+41615550110",
                "email": "nadia.keller@harborline.example",
            }],
        },
        "consent": { "consentToShareReferralWithMicrosoftSellers": false },
        "details": {
            "notes": NOTES[0], "dealValue": AMOUNTS[0], "currency": CURRENCIES[0],
            "closingDateTime": "2026-09-30T00:00:00Z",
            "requirements": {
                "solutions": [solution(SOLUTIONS[0])],
                "additionalRequirements": {
                    "attributes": [{ "type": "CustomerMarketplaceIntent", "id": "HaveNotDecided" }],
                },
            },
        },
        "team": [],
        "inviteContext": {
            "notes": "Can you take this?", "assistanceRequestCode": "Unknown",
            "invitedBy": { "organizationId": "msft", "organizationName": "Microsoft" },
        },
        "trackingInfo": { "microsoftMsxId": null },
    })
}
