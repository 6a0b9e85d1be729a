//! The tables of the org: the standard ones with the columns the reference names, and our custom ones.

use super::columns::{choice, table, to};
use super::metadata::{ColumnKind, Table};
use std::collections::BTreeMap;

/// All tables by entity set name.
pub(super) fn all() -> BTreeMap<String, Table> {
    let tables = [
        account(),
        contact(),
        opportunity(),
        lead(),
        annotation(),
        opportunityclose(),
        systemuser(),
        transactioncurrency(),
        new_country(),
        campaign(),
        connection(),
        connectionrole(),
        cosell_solution(),
        cosell_solutiondetail(),
        publisher(),
        solution(),
        systemform(),
        savedquery(),
        organization(),
    ];
    tables.into_iter().map(|t| (t.set.clone(), t)).collect()
}

fn account() -> Table {
    table("account", "accounts", "accountid", "name")
        .texts(&[
            ("name", 160),
            ("websiteurl", 200),
            ("telephone1", 50),
            ("accountnumber", 20),
            ("emailaddress1", 100),
            ("cosell_customerkey", 100),
            // This organisation's own.
            ("new_isocountry", 10),
        ])
        .memos(&["description"], 2000)
        .address()
        .add("numberofemployees", ColumnKind::Integer { min: 0, max: 1_000_000_000 })
        .money(&["revenue"])
        .lookup("new_countryid", &[("new_CountryId", "new_country")])
        .lookup("primarycontactid", &[("primarycontactid", "contact")])
        .lookup("parentaccountid", &[("parentaccountid", "account")])
        .fixed("merged", ColumnKind::Boolean { default: Some(false) })
        .fixed("masterid", to(&[("masterid", "account")]))
        .owned()
        .simple_states()
        .key("cosell_customerkey", "Customer Key")
        .tracked()
}

fn contact() -> Table {
    table("contact", "contacts", "contactid", "fullname")
        .texts(&[
            ("firstname", 50),
            ("lastname", 50),
            ("emailaddress1", 100),
            ("telephone1", 50),
            ("mobilephone", 50),
            ("jobtitle", 100),
            ("cosell_contactkey", 100),
        ])
        .memos(&["description"], 2000)
        .address()
        .fixed("fullname", ColumnKind::Text { max: 160 })
        .lookup(
            "parentcustomerid",
            &[("parentcustomerid_account", "account"), ("parentcustomerid_contact", "contact")],
        )
        .fixed("merged", ColumnKind::Boolean { default: Some(false) })
        .fixed("masterid", to(&[("masterid", "contact")]))
        .owned()
        .simple_states()
        .key("cosell_contactkey", "Contact Key")
        .tracked()
}

fn opportunity() -> Table {
    table("opportunity", "opportunities", "opportunityid", "name")
        .texts(&[
            ("name", 300),
            ("stepname", 200),
            ("emailaddress", 100),
            ("new_dealcurrency", 3),
            ("new_products", 255),
        ])
        .memos(&["description", "customerneed", "currentsituation", "proposedsolution"], 2000)
        .money(&["estimatedvalue", "actualvalue", "budgetamount", "new_dealbudget"])
        .add("isrevenuesystemcalculated", ColumnKind::Boolean { default: Some(false) })
        .add("estimatedclosedate", ColumnKind::Date)
        .add("actualclosedate", ColumnKind::Date)
        .add("closeprobability", ColumnKind::Integer { min: 0, max: 100 })
        .add("opportunityratingcode", choice(&[(1, "Hot"), (2, "Warm"), (3, "Cold")]))
        .add("salesstage", choice(&[(0, "Qualify"), (1, "Develop"), (2, "Propose"), (3, "Close")]))
        .add(
            "msdyn_forecastcategory",
            choice(&[
                (100_000_001, "Pipeline"),
                (100_000_002, "Best case"),
                (100_000_003, "Committed"),
                (100_000_004, "Omitted"),
                (100_000_005, "Won"),
                (100_000_006, "Lost"),
            ]),
        )
        .lookup("customerid", &[("customerid_account", "account"), ("customerid_contact", "contact")])
        .lookup("parentaccountid", &[("parentaccountid", "account")])
        .lookup("parentcontactid", &[("parentcontactid", "contact")])
        .lookup("originatingleadid", &[("originatingleadid", "lead")])
        .lookup("campaignid", &[("campaignid", "campaign")])
        .owned()
        .states(&[
            (0, "Open", &[(1, "In Progress"), (2, "On Hold")]),
            (1, "Won", &[(3, "Won")]),
            (2, "Lost", &[(4, "Canceled"), (5, "Out-Sold")]),
        ])
        .cosell_columns()
        .solution_area()
        .children("cosell_solution_OpportunityId", "cosell_solution", "cosell_opportunityid")
        .tracked()
}

fn lead() -> Table {
    table("lead", "leads", "leadid", "fullname")
        .texts(&[
            ("subject", 300),
            ("firstname", 50),
            ("lastname", 50),
            ("companyname", 100),
            ("emailaddress1", 100),
            ("telephone1", 50),
            ("jobtitle", 100),
            ("websiteurl", 200),
        ])
        .memos(&["description"], 2000)
        .address()
        .fixed("fullname", ColumnKind::Text { max: 160 })
        .money(&["estimatedamount"])
        .add("estimatedclosedate", ColumnKind::Date)
        .add("leadqualitycode", choice(&[(1, "Hot"), (2, "Warm"), (3, "Cold")]))
        .lookup("parentaccountid", &[("parentaccountid", "account")])
        .lookup("parentcontactid", &[("parentcontactid", "contact")])
        .fixed("qualifyingopportunityid", to(&[("qualifyingopportunityid", "opportunity")]))
        .fixed("merged", ColumnKind::Boolean { default: Some(false) })
        .fixed("masterid", to(&[("masterid", "lead")]))
        .owned()
        .states(&[
            (0, "Open", &[(1, "New"), (2, "Contacted")]),
            (1, "Qualified", &[(3, "Qualified")]),
            (
                2,
                "Disqualified",
                &[(4, "Lost"), (5, "Cannot Contact"), (6, "No Longer Interested"), (7, "Canceled")],
            ),
        ])
        .cosell_columns()
        .tracked()
}

fn annotation() -> Table {
    table("annotation", "annotations", "annotationid", "subject")
        .texts(&[("subject", 500), ("filename", 255), ("mimetype", 256)])
        .memos(&["notetext"], 100_000)
        .memos(&["documentbody"], 1_073_741_823)
        .flag("isdocument")
        .lookup(
            "objectid",
            &[
                ("objectid_opportunity", "opportunity"),
                ("objectid_account", "account"),
                ("objectid_lead", "lead"),
                ("objectid_contact", "contact"),
            ],
        )
        .owned()
}

fn opportunityclose() -> Table {
    table("opportunityclose", "opportunitycloses", "activityid", "subject")
        .texts(&[("subject", 400)])
        .memos(&["description"], 2000)
        .money(&["actualrevenue"])
        .add("actualend", ColumnKind::Date)
        .lookup("opportunityid", &[("opportunityid", "opportunity")])
        .owned()
        .states(&[
            (0, "Open", &[(1, "Open")]),
            (1, "Completed", &[(2, "Completed")]),
            (2, "Canceled", &[(3, "Canceled")]),
        ])
}

fn systemuser() -> Table {
    table("systemuser", "systemusers", "systemuserid", "fullname")
        .texts(&[
            ("firstname", 256),
            ("lastname", 256),
            ("internalemailaddress", 100),
            ("address1_telephone1", 64),
            ("mobilephone", 64),
            ("title", 128),
            ("domainname", 1024),
        ])
        .fixed("fullname", ColumnKind::Text { max: 200 })
        .add("applicationid", ColumnKind::Id)
        .fixed("azureactivedirectoryobjectid", ColumnKind::Id)
        .flag("isdisabled")
}

fn transactioncurrency() -> Table {
    table("transactioncurrency", "transactioncurrencies", "transactioncurrencyid", "currencyname")
        .texts(&[("isocurrencycode", 5), ("currencyname", 100), ("currencysymbol", 13)])
        .add("currencyprecision", ColumnKind::Integer { min: 0, max: 4 })
        .add("exchangerate", ColumnKind::Decimal)
        .simple_states()
}

/// A table that this organisation made for itself, as the prefix `new_` says; accounts have a look-up of it.
fn new_country() -> Table {
    table("new_country", "new_countries", "new_countryid", "new_name")
        .texts(&[("new_name", 100), ("new_isocode", 2)])
        .simple_states()
}

fn campaign() -> Table {
    table("campaign", "campaigns", "campaignid", "name")
        .texts(&[("name", 128), ("codename", 32)])
        .simple_states()
}

fn connection() -> Table {
    let ends = |n: u8| {
        ["opportunity", "systemuser", "contact", "account", "lead"]
            .map(|t| (format!("record{n}id_{t}"), t.to_owned()))
            .to_vec()
    };
    table("connection", "connections", "connectionid", "name")
        .texts(&[("name", 500)])
        .memos(&["description"], 2000)
        .add("record1id", ColumnKind::Lookup { targets: ends(1) })
        .add("record2id", ColumnKind::Lookup { targets: ends(2) })
        .lookup("record1roleid", &[("record1roleid", "connectionrole")])
        .lookup("record2roleid", &[("record2roleid", "connectionrole")])
        .fixed("ismaster", ColumnKind::Boolean { default: Some(true) })
        .owned()
        .simple_states()
}

fn connectionrole() -> Table {
    table("connectionrole", "connectionroles", "connectionroleid", "name")
        .texts(&[("name", 100)])
        .add(
            "category",
            choice(&[
                (1, "Business"),
                (2, "Family"),
                (3, "Social"),
                (4, "Sales"),
                (5, "Other"),
                (1000, "Stakeholder"),
                (1001, "Sales Team"),
                (1002, "Service"),
            ]),
        )
        .simple_states()
}

/// Whose customizations carry which prefix.
fn publisher() -> Table {
    table("publisher", "publishers", "publisherid", "friendlyname")
        .texts(&[("uniquename", 256), ("friendlyname", 256), ("customizationprefix", 8)])
        .add("customizationoptionvalueprefix", ColumnKind::Integer { min: 10_000, max: 99_999 })
}

/// A set of customizations that is exported and removed as one.
fn solution() -> Table {
    table("solution", "solutions", "solutionid", "friendlyname")
        .texts(&[("uniquename", 65), ("friendlyname", 256), ("version", 256)])
        .lookup("publisherid", &[("publisherid", "publisher")])
}

/// The one row of the org itself.
fn organization() -> Table {
    table("organization", "organizations", "organizationid", "name")
        .texts(&[("name", 160)])
        .add("languagecode", ColumnKind::Integer { min: 0, max: 100_000 })
}

/// How a table's rows are shown: one row of one.
fn systemform() -> Table {
    table("systemform", "systemforms", "formid", "name")
        .texts(&[("name", 256), ("objecttypecode", 64)])
        .add("type", choice(&[(2, "Main"), (6, "Quick View"), (7, "Quick Create"), (11, "Card")]))
        .add("formactivationstate", choice(&[(0, "Inactive"), (1, "Active")]))
        .memos(&["formxml"], 1_073_741_823)
        .flag("isdefault")
}

/// How a table's rows are shown: many of one.
fn savedquery() -> Table {
    table("savedquery", "savedqueries", "savedqueryid", "name")
        .texts(&[("name", 200), ("returnedtypecode", 64)])
        .add("querytype", ColumnKind::Integer { min: 0, max: 1_000_000_000 })
        .flag("isdefault")
}

fn cosell_solution() -> Table {
    table("cosell_solution", "cosell_solutions", "cosell_solutionid", "cosell_name")
        .texts(&[("cosell_name", 850)])
        .lookup("cosell_opportunityid", &[("cosell_OpportunityId", "opportunity")])
        .lookup("cosell_solutiondetailid", &[("cosell_SolutionDetailId", "cosell_solutiondetail")])
        .owned()
        .simple_states()
        .tracked()
}

fn cosell_solutiondetail() -> Table {
    table("cosell_solutiondetail", "cosell_solutiondetails", "cosell_solutiondetailid", "cosell_name")
        .texts(&[
            ("cosell_solutionid", 100),
            ("cosell_name", 850),
            ("cosell_type", 10),
            ("cosell_publisher", 200),
        ])
        .owned()
        .simple_states()
        .key("cosell_solutionid", "Solution Identifier")
        .tracked()
}
