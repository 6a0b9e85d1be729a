//! The standard objects and their fields, one line each: `name | label | kind arguments | flags`.
//!
//! Flags: `required`, `readonly`, `createonly`, `unique`, `external`, `cased`, `restricted`, `default=…` (`_` for a blank),
//! `cascade`, `keep`; `currency`, `orgcurrency`, `statecountry`, `personaccounts`: only there with that feature.

use super::metadata::{Feature, Field, Object};
use super::setup::{
    ASSIGNMENT, CURRENCY, FIELD_PERMISSIONS, LEAD_STATUS, OBJECT_PERMISSIONS, ORGANIZATION, PERMISSION_SET,
    STAGE, USER,
};
use std::sync::Arc;

const LEAD_SOURCES: &str = "Web;Phone Inquiry;Partner Referral;Purchased List;Other";

const ACCOUNT: &str = "
Name | Account Name | text 255 | required
Website | Website | url 255
Phone | Account Phone | phone 40
Type | Account Type | picklist Prospect;Customer - Direct;Customer - Channel;Channel Partner / Reseller;Installation Partner;Technology Partner;Other
Industry | Industry | picklist Agriculture;Banking;Consulting;Education;Electronics;Finance;Government;Healthcare;Insurance;Manufacturing;Retail;Technology;Other
NumberOfEmployees | Employees | int
DunsNumber | D-U-N-S Number | text 9
Description | Account Description | long 32000
BillingStreet | Billing Street | textarea 255
BillingCity | Billing City | text 40
BillingState | Billing State/Province | text 80
BillingPostalCode | Billing Zip/Postal Code | text 20
BillingCountry | Billing Country | text 80
BillingStateCode | Billing State/Province Code | picklist @State | statecountry restricted
BillingCountryCode | Billing Country Code | picklist @Country | statecountry restricted
CurrencyIsoCode | Account Currency | picklist @CurrencyType | currency restricted
AccountNumber | Account Number | text 40
OwnerId | Owner ID | ref User Owner | keep
ParentId | Parent Account ID | ref Account Parent ChildAccounts
MasterRecordId | Master Record ID | ref Account MasterRecord | readonly keep
FirstName | First Name | text 40 | personaccounts
LastName | Last Name | text 80 | personaccounts
PersonEmail | Email | email 80 | personaccounts
IsPersonAccount | Is Person Account | bool | readonly personaccounts
PersonContactId | Contact ID | ref Contact PersonContact | readonly keep personaccounts
";
const CONTACT: &str = "
LastName | Last Name | text 80 | required
FirstName | First Name | text 40
Name | Full Name | text 121 | readonly
AccountId | Account ID | ref Account Account Contacts | cascade
Email | Email | email 80
Phone | Business Phone | phone 40
MobilePhone | Mobile Phone | phone 40
Title | Title | text 128
Department | Department | text 80
Description | Contact Description | long 32000
CurrencyIsoCode | Contact Currency | picklist @CurrencyType | currency restricted
OwnerId | Owner ID | ref User Owner | keep
MasterRecordId | Master Record ID | ref Contact MasterRecord | readonly keep
IsPersonAccount | Is Person Account | bool | readonly personaccounts
";
const LEAD: &str = "
LastName | Last Name | text 80 | required
FirstName | First Name | text 40
Name | Full Name | text 121 | readonly
Company | Company | text 255 | required
Email | Email | email 80
Phone | Phone | phone 40
Title | Title | text 128
Website | Website | url 255
Street | Street | textarea 255
City | City | text 40
State | State/Province | text 80
PostalCode | Zip/Postal Code | text 20
Country | Country | text 80
StateCode | State/Province Code | picklist @State | statecountry restricted
CountryCode | Country Code | picklist @Country | statecountry restricted
Status | Lead Status | picklist @LeadStatus | default=@
LeadSource | Lead Source | picklist @LeadSource
Rating | Rating | picklist Hot;Warm;Cold
Industry | Industry | picklist Agriculture;Banking;Consulting;Education;Electronics;Finance;Government;Healthcare;Insurance;Manufacturing;Retail;Technology;Other
NumberOfEmployees | Employees | int
Description | Lead Description | long 32000
CurrencyIsoCode | Lead Currency | picklist @CurrencyType | currency restricted
OwnerId | Owner ID | ref User Owner | keep
IsConverted | Converted | bool | readonly
ConvertedDate | Converted Date | date | readonly
ConvertedAccountId | Converted Account ID | ref Account ConvertedAccount | readonly keep
ConvertedContactId | Converted Contact ID | ref Contact ConvertedContact | readonly keep
ConvertedOpportunityId | Converted Opportunity ID | ref Opportunity ConvertedOpportunity | readonly keep
MasterRecordId | Master Record ID | ref Lead MasterRecord | readonly keep
";
const OPPORTUNITY: &str = "
Name | Opportunity Name | text 120 | required
AccountId | Account ID | ref Account Account Opportunities | cascade
StageName | Stage | picklist @OpportunityStage | required
CloseDate | Close Date | date | required
Amount | Amount | money 18 2
CurrencyIsoCode | Opportunity Currency | picklist @CurrencyType | currency restricted
Probability | Probability (%) | percent 3 0
Type | Opportunity Type | picklist Existing Customer - Upgrade;Existing Customer - Replacement;Existing Customer - Downgrade;New Customer
LeadSource | Lead Source | picklist @LeadSource
NextStep | Next Step | text 255
Description | Description | long 32000
ForecastCategoryName | Forecast Category | picklist Omitted;Pipeline;Best Case;Commit;Closed
IsPrivate | Private | bool
HasOpportunityLineItem | Has Line Item | bool | readonly
OwnerId | Owner ID | ref User Owner | keep
IsClosed | Closed | bool | readonly
IsWon | Won | bool | readonly
ForecastCategory | Forecast Category | picklist Omitted;Pipeline;BestCase;Forecast;Closed | readonly
ExpectedRevenue | Expected Amount | money 18 2 | readonly
";
const CONTACT_ROLE: &str = "
OpportunityId | Opportunity ID | ref Opportunity Opportunity OpportunityContactRoles | required createonly cascade
ContactId | Contact ID | ref Contact Contact OpportunityContactRoles | required createonly cascade
Role | Role | picklist Business User;Decision Maker;Economic Buyer;Economic Decision Maker;Evaluator;Executive Sponsor;Influencer;Technical Buyer;Other
IsPrimary | Primary | bool
";
const TEAM_MEMBER: &str = "
OpportunityId | Opportunity ID | ref Opportunity Opportunity OpportunityTeamMembers | required createonly cascade
UserId | User ID | ref User User | required createonly keep
Name | Name | text 361 | readonly
TeamMemberRole | Member Role | picklist Account Manager;Channel Manager;Executive Sponsor;Lead Qualifier;Pre-Sales Consultant;Sales Manager;Sales Rep
OpportunityAccessLevel | Opportunity Access | picklist Read;Edit;All | restricted default=Read
";
const NOTE: &str = "
ParentId | Parent ID | ref Account,Contact,Opportunity,Lead Parent Notes | required createonly cascade
Title | Title | text 80 | required
Body | Body | long 32000
IsPrivate | Private | bool
OwnerId | Owner ID | ref User Owner | keep
";
const TASK: &str = "
Subject | Subject | text 255
Status | Status | picklist Not Started;In Progress;Completed;Waiting on someone else;Deferred | default=Not_Started
Priority | Priority | picklist High;Normal;Low | default=Normal
ActivityDate | Due Date Only | date
Description | Description | long 32000
WhatId | Related To ID | ref Account,Opportunity What Tasks | cascade
WhoId | Name ID | ref Contact,Lead Who Tasks | cascade
OwnerId | Assigned To ID | ref User Owner | keep
IsClosed | Closed | bool | readonly
";
const CONTENT_NOTE: &str = "
Title | Title | text 255 | required
Content | Content | base64 | required
OwnerId | Owner ID | ref User Owner | keep
";
const CONTENT_DOCUMENT: &str = "
Title | Title | text 255
FileType | File Type | text 20 | readonly
OwnerId | Owner ID | ref User Owner | keep
";
const CONTENT_LINK: &str = "
ContentDocumentId | ContentDocument ID | ref ContentDocument ContentDocument ContentDocumentLinks | required createonly cascade
LinkedEntityId | Linked Entity ID | ref Account,Contact,Opportunity,Lead LinkedEntity ContentDocumentLinks | required createonly cascade
ShareType | Share Type | picklist V;C;I | restricted required
Visibility | Visibility | picklist AllUsers;InternalUsers;SharedUsers | restricted default=AllUsers
";
const SYSTEM: &str = "
IsDeleted | Deleted | bool | readonly
CreatedDate | Created Date | datetime | readonly
CreatedById | Created By ID | ref User CreatedBy | readonly keep
LastModifiedDate | Last Modified Date | datetime | readonly
LastModifiedById | Last Modified By ID | ref User LastModifiedBy | readonly keep
SystemModstamp | System Modstamp | datetime | readonly
";

/// When the org was set up: its definitions are that old.
pub(super) const SET_UP: &str = "2026-01-05T08:00:00Z";

/// Lines of fields, blank ones aside.
pub(super) fn fields(lines: &str) -> Vec<Field> {
    let lines = lines.replace("@LeadSource", LEAD_SOURCES);
    lines.lines().filter(|line| !line.trim().is_empty()).map(Field::noted).collect()
}

pub(super) fn object(name: &str, prefix: &str, label: &str, plural: &str, lines: &str) -> Object {
    let mut all = vec![Field::noted(&format!("Id | {label} ID | id"))];
    all.extend(fields(lines));
    all.extend(fields(SYSTEM));
    Object {
        name: name.to_owned(),
        label: label.to_owned(),
        plural: plural.to_owned(),
        prefix: prefix.to_owned(),
        fields: all,
        createable: true,
        updateable: true,
        deletable: true,
        replicateable: true,
        feature: None,
        changed: SET_UP.parse().expect("a time"),
    }
}

pub(super) fn all() -> Vec<Arc<Object>> {
    let kept = |name, prefix, label, plural, lines| object(name, prefix, label, plural, lines);
    let read_only = |name, prefix, label, plural, lines| Object {
        createable: false,
        updateable: false,
        deletable: false,
        replicateable: false,
        ..object(name, prefix, label, plural, lines)
    };
    let rights = |name, prefix, label, plural, lines| Object {
        replicateable: false,
        ..object(name, prefix, label, plural, lines)
    };
    let team = kept(
        "OpportunityTeamMember",
        "00q",
        "Opportunity Team Member",
        "Opportunity Team Member",
        TEAM_MEMBER,
    );
    let note = kept("ContentNote", "069", "Note", "Notes", CONTENT_NOTE);
    [
        kept("Account", "001", "Account", "Accounts", ACCOUNT),
        kept("Contact", "003", "Contact", "Contacts", CONTACT),
        kept("Lead", "00Q", "Lead", "Leads", LEAD),
        kept("Opportunity", "006", "Opportunity", "Opportunities", OPPORTUNITY),
        kept(
            "OpportunityContactRole",
            "00K",
            "Opportunity Contact Role",
            "Opportunity Contact Role",
            CONTACT_ROLE,
        ),
        Object { feature: Some(Feature::TeamSelling), ..team },
        kept("Note", "002", "Note", "Notes", NOTE),
        kept("Task", "00T", "Task", "Tasks", TASK),
        Object { feature: Some(Feature::Notes), updateable: false, ..note },
        read_only("ContentDocument", "069", "Content Document", "Content Documents", CONTENT_DOCUMENT),
        Object {
            replicateable: false,
            ..kept(
                "ContentDocumentLink",
                "06A",
                "Content Document Link",
                "Content Document Link",
                CONTENT_LINK,
            )
        },
        read_only("OpportunityStage", "01J", "Opportunity Stage", "Opportunity Stage", STAGE),
        read_only("LeadStatus", "01J", "Lead Status Value", "Lead Status Value", LEAD_STATUS),
        Object {
            feature: Some(Feature::MultiCurrency),
            ..read_only("CurrencyType", "01L", "Currency Type", "Currency Type", CURRENCY)
        },
        read_only("Organization", "00D", "Organization", "Organizations", ORGANIZATION),
        Object { replicateable: true, ..read_only("User", "005", "User", "Users", USER) },
        rights("PermissionSet", "0PS", "Permission Set", "Permission Sets", PERMISSION_SET),
        rights(
            "PermissionSetAssignment",
            "0Pa",
            "Permission Set Assignment",
            "Permission Set Assignments",
            ASSIGNMENT,
        ),
        rights("FieldPermissions", "01k", "Field Permissions", "Field Permissions", FIELD_PERMISSIONS),
        rights("ObjectPermissions", "110", "Object Permissions", "Object Permissions", OBJECT_PERMISSIONS),
    ]
    .map(Arc::new)
    .into()
}
