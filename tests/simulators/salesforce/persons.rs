//! Person accounts: an account that is a person, and the contact that goes with it. An API insert without a record type
//! makes a business account, which is the org's default one.

use super::Salesforce;
use super::metadata::Object;
use super::refusal::{SalesforceOutcome, SalesforceRefusal, bad, not_modelled};
use super::store::{SalesforceRow, SalesforceWriter};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Fields of a person's account and of its contact.
const SHARED: [(&str, &str); 3] =
    [("FirstName", "FirstName"), ("LastName", "LastName"), ("PersonEmail", "Email")];

fn is_person(row: &SalesforceRow) -> bool {
    row.get("IsPersonAccount") == Some(&json!(true))
}

fn refused(what: &str) -> SalesforceRefusal {
    bad("INVALID_PERSON_ACCOUNT_OPERATION", format!("cannot reference person {what}"), &[])
}

impl Salesforce {
    /// A person makes a person account, and its contact with it. Returns the account's id.
    pub fn act_person_account(
        &mut self,
        last_name: &str,
        email: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<String, String> {
        let by = SalesforceWriter::person(by, now);
        self.act(|org| {
            if !org.switches.person_accounts {
                return Err(not_modelled("a person account where they are off"));
            }
            let object = org.named("Account")?;
            let named = json!({ "LastName": last_name, "PersonEmail": email });
            let mut changes = org.changes(&object, &super::people::fields(named), true, &by)?;
            if changes["LastName"].is_null() {
                let text = "Required fields are missing: [LastName]";
                return Err(bad("REQUIRED_FIELD_MISSING", text, &["LastName"]));
            }
            changes.insert("IsPersonAccount".into(), json!(true));
            let account = org.insert(&object, changes, &by)?;
            let contact = json!({ "LastName": last_name, "Email": email, "AccountId": account });
            let of_contacts = org.named("Contact")?;
            let mut changes = org.changes(&of_contacts, &super::people::fields(contact), true, &by)?;
            changes.insert("IsPersonAccount".into(), json!(true));
            let contact = org.insert(&of_contacts, changes, &by)?;
            let mut row = org.live("Account", &account)?.clone();
            row.insert("PersonContactId".into(), json!(contact));
            org.put("Account", &account, Some(row));
            Ok(account)
        })
    }

    /// A person has no `Name` to write, a company no last name; a person's contact is written through the account, and
    /// is the only one below it. (The code is known from writes to such contacts; that it is the same for a contact below
    /// a person account is unverified.)
    pub(super) fn check_persons(
        &self,
        object: &Object,
        old: Option<&SalesforceRow>,
        row: &SalesforceRow,
        changes: &SalesforceRow,
    ) -> SalesforceOutcome<()> {
        if !self.switches.person_accounts {
            return Ok(());
        }
        match object.name.as_str() {
            "Account" => {
                let wrong: &[&str] =
                    if is_person(row) { &["Name"] } else { &["FirstName", "LastName", "PersonEmail"] };
                let wrong: Vec<&str> =
                    wrong.iter().copied().filter(|name| changes.contains_key(*name)).collect();
                if !wrong.is_empty() {
                    let text =
                        format!("Account: bad field names on insert/update call: {}", wrong.join(", "));
                    return Err(bad("INVALID_FIELD_FOR_INSERT_UPDATE", text, &wrong));
                }
            }
            "Contact" if old.is_some_and(is_person) => return Err(refused("contact")),
            "Contact" if !is_person(row) => {
                let account = changes.get("AccountId").and_then(Value::as_str);
                if account.and_then(|id| self.row("Account", id)).is_some_and(is_person) {
                    return Err(refused("account"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What was written to a person's account stands in its contact too.
    pub(super) fn carry_person(&mut self, account: &str, by: &SalesforceWriter) {
        let held = &self.rows["Account"][account];
        let contact = held["PersonContactId"].as_str().filter(|_| is_person(held));
        let Some(contact) = contact.map(str::to_owned) else { return };
        let (Some(object), Some(mut row)) = (self.object("Contact"), self.row("Contact", &contact).cloned())
        else {
            return;
        };
        let (before, held) = (row.clone(), held.clone());
        for (from, to) in SHARED {
            row.insert(to.into(), held[from].clone());
        }
        row.insert("Name".into(), held["Name"].clone());
        if row != before {
            self.commit(&object, &contact, row, by);
        }
    }
}
