//! What has no plain REST call and is yet seen through it: conversion of a lead, by a person or by SOAP (soap.rs).

use super::Salesforce;
use super::refusal::{SalesforceOutcome, bad};
use super::store::{SalesforceRow, SalesforceWriter};
use super::times::quarter_end;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What a conversion made, or took.
#[derive(Clone, Debug)]
pub struct Converted {
    pub account: String,
    pub contact: String,
    pub opportunity: Option<String>,
}

/// How a lead is to be converted.
#[derive(Clone, Debug, Default)]
pub(super) struct ConvertOptions {
    /// New ones are made without.
    pub account: Option<String>,
    pub contact: Option<String>,
    pub opportunity: bool,
    /// The new opportunity's name; `None`: the company's.
    pub name: Option<String>,
    /// The first there is without.
    pub status: Option<String>,
}

impl Salesforce {
    /// A person converts a lead: to a new account, or this one; with a new opportunity or without.
    pub fn act_convert(
        &mut self,
        lead: &str,
        by: &str,
        account: Option<&str>,
        opportunity: bool,
        now: Timestamp,
    ) -> Result<Converted, String> {
        let by = SalesforceWriter::person(by, now);
        let wishes =
            ConvertOptions { account: account.map(str::to_owned), opportunity, ..ConvertOptions::default() };
        let outcome = self.atomically(|org| org.convert(lead, &by, wishes));
        outcome.map_err(|refusal| format!("{refusal:?}"))
    }

    pub(super) fn convert(
        &mut self,
        id: &str,
        by: &SalesforceWriter,
        wishes: ConvertOptions,
    ) -> SalesforceOutcome<Converted> {
        let statuses = self.rows("LeadStatus");
        let is_wanted = |row: &&&SalesforceRow| {
            row["IsConverted"] == json!(true)
                && wishes.status.as_ref().is_none_or(|status| row["MasterLabel"] == json!(status))
        };
        let status = statuses.iter().find(is_wanted).map(|row| row["ApiName"].clone());
        let Some(status) = status else {
            let text = format!("invalid convertedStatus: {}", wishes.status.unwrap_or_default());
            return Err(bad("INVALID_STATUS", text, &[]));
        };
        let lead = self.live("Lead", id)?.clone();
        if lead["IsConverted"] == json!(true) {
            return Err(bad("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[]));
        }
        let copied = |pairs: &[(&str, &str)]| -> SalesforceRow {
            pairs.iter().map(|(to, from)| ((*to).to_owned(), lead[*from].clone())).collect()
        };
        self.check_locks(Some(id), &lead)?;
        let of_customer = |account: &Option<String>, contact: &str| -> SalesforceOutcome<()> {
            let row = self.live("Contact", contact)?;
            match account.as_ref().is_some_and(|account| row["AccountId"] == json!(account)) {
                true => Ok(()),
                false => Err(bad("INVALID_CROSS_REFERENCE_KEY", "the contact is not of this account", &[])),
            }
        };
        if let Some(contact) = &wishes.contact {
            of_customer(&wishes.account, contact)?;
        }
        let account = match wishes.account {
            Some(account) => {
                self.live("Account", &account)?;
                account
            }
            None => {
                let row = copied(&[
                    ("Name", "Company"),
                    ("Phone", "Phone"),
                    ("Website", "Website"),
                    ("BillingStreet", "Street"),
                    ("BillingCity", "City"),
                    ("BillingState", "State"),
                    ("BillingPostalCode", "PostalCode"),
                    ("BillingCountry", "Country"),
                    ("Industry", "Industry"),
                    ("NumberOfEmployees", "NumberOfEmployees"),
                    ("OwnerId", "OwnerId"),
                ]);
                let object = self.named("Account")?;
                self.insert(&object, row, by)?
            }
        };
        let contact = match wishes.contact {
            Some(contact) => contact,
            None => {
                let mut row = copied(&[
                    ("LastName", "LastName"),
                    ("FirstName", "FirstName"),
                    ("Email", "Email"),
                    ("Phone", "Phone"),
                    ("Title", "Title"),
                    ("OwnerId", "OwnerId"),
                ]);
                row.insert("AccountId".into(), json!(account));
                let object = self.named("Contact")?;
                self.insert(&object, row, by)?
            }
        };
        let deal = if wishes.opportunity {
            let mut row =
                copied(&[("Name", "Company"), ("LeadSource", "LeadSource"), ("OwnerId", "OwnerId")]);
            let company = lead["Company"].as_str().unwrap_or_default();
            let name: String = wishes.name.as_deref().unwrap_or(company).chars().take(120).collect();
            row.insert("Name".into(), json!(name));
            row.insert("AccountId".into(), json!(account));
            row.insert("CloseDate".into(), json!(quarter_end(by.now)));
            let mut stages = self.rows("OpportunityStage");
            stages.retain(|stage| stage["IsActive"] == json!(true));
            stages.sort_by_key(|stage| stage["SortOrder"].as_i64());
            row.insert(
                "StageName".into(),
                stages.first().map_or(Value::Null, |stage| stage["ApiName"].clone()),
            );
            for name in self.switches.convert_copies.clone() {
                row.insert(name.clone(), lead.get(&name).cloned().unwrap_or(Value::Null));
            }
            let object = self.named("Opportunity")?;
            let deal = self.insert(&object, row, by)?;
            let role = json!({ "OpportunityId": deal, "ContactId": contact, "IsPrimary": true });
            let object = self.named("OpportunityContactRole")?;
            self.insert(&object, super::people::fields(role), by)?;
            Some(deal)
        } else {
            None
        };
        let mut row = lead;
        row.insert("Status".into(), status);
        row.insert("IsConverted".into(), json!(true));
        row.insert("ConvertedDate".into(), json!(by.now.strftime("%Y-%m-%d").to_string()));
        row.insert("ConvertedAccountId".into(), json!(account));
        row.insert("ConvertedContactId".into(), json!(contact));
        row.insert("ConvertedOpportunityId".into(), json!(deal));
        let object = self.named("Lead")?;
        self.commit(&object, id, row, by);
        Ok(Converted { account, contact, opportunity: deal })
    }
}
