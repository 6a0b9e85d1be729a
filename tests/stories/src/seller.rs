//! What sellers do in the CRM, whichever it is.

use crate::{
    stage::{Side, Stage},
    story::{Edit, Sale},
    values::{Customer, Person},
};
use local::people::text;
use mapping::CrmKind;
use serde_json::{Value, json};
use simulators::{
    dataverse::{self, CHF, EUR, GBP, USD},
    salesforce,
};

/// Puts the currency beside the amount, if the CRM has it.
pub fn currency(columns: &mut Value, code: &str, crm: CrmKind) {
    match crm {
        CrmKind::Dynamics365 => {
            let known = [("EUR", EUR), ("USD", USD), ("CHF", CHF), ("GBP", GBP)];
            if let Some((_, id)) = known.iter().find(|(known, _)| *known == code) {
                columns["transactioncurrencyid@odata.bind"] = json!(format!("/transactioncurrencies({id})"));
            }
        }
        CrmKind::Salesforce => columns["CurrencyIsoCode"] = json!(code),
    }
}

impl Stage {
    fn dynamics(&self) -> bool {
        self.crm == CrmKind::Dynamics365
    }

    /// A customer's account: the one of that name that sellers made, or a new one.
    fn sold_account(&self, customer: &Customer) -> Result<String, String> {
        let name = customer.words();
        let short: String = name.chars().take(150).collect();
        let known = self.world.rows("accounts").into_iter().find(|row| text(row, "name") == short);
        if let Some(known) = known {
            return Ok(text(&known, "id"));
        }
        let columns = json!({ "name": short, "line1": "4 Mill Lane", "city": "Leeds",
            "postal_code": customer.postal_code, "country": customer.country });
        self.world.try_sell("accounts", columns)
    }

    fn sold_contact(&self, person: &Person, account: &str) -> Result<String, String> {
        let email = person.email();
        let known = self.world.rows("contacts").into_iter();
        let mut known = known.filter(|row| email.is_some() && row["email"].as_str() == email.as_deref());
        if let Some(known) = known.next() {
            return Ok(text(&known, "id"));
        }
        let lookup = match self.crm {
            CrmKind::Dynamics365 => ("parentcustomerid_account@odata.bind", format!("/accounts({account})")),
            CrmKind::Salesforce => ("AccountId", account.to_owned()),
        };
        let columns = json!({ "first_name": "Nadia", "last_name": person.last(), "phone": person.phone(),
            "email": email, lookup.0: lookup.1 });
        self.world.try_sell("contacts", columns)
    }

    pub(crate) fn sale(&mut self, sale: &Sale) {
        match self.sold(sale) {
            Ok(record) => {
                let deal = self.add(Side::Crm, None, Some(record));
                self.deals[deal].consented = false;
            }
            Err(refused) => self.tell(format!("   refused: {refused}")),
        }
    }

    fn sold(&self, sale: &Sale) -> Result<String, String> {
        let account = self.sold_account(&sale.customer)?;
        let contact = self.sold_contact(&sale.person, &account)?;
        let limit = if self.dynamics() { 300 } else { 120 };
        let name: String = sale.name.words("Deal").chars().take(limit).collect();
        let notes = sale.notes.as_ref().map(|notes| {
            let most = if self.dynamics() { 2_000 } else { 32_000 };
            notes.words("Note").chars().take(most).collect::<String>()
        });
        let mut columns = json!({ "name": name, "notes": notes, "deal_value": sale.value.amount,
            "closing_date": sale.day.date() });
        if let Some(code) = &sale.value.currency {
            currency(&mut columns, code, self.crm);
        }
        let related = match self.crm {
            CrmKind::Dynamics365 => json!({
                "customerid_account@odata.bind": format!("/accounts({account})"),
                "parentaccountid@odata.bind": format!("/accounts({account})"),
                "parentcontactid@odata.bind": format!("/contacts({contact})"),
                "ownerid@odata.bind": format!("/systemusers({})", dataverse::SELLER),
            }),
            CrmKind::Salesforce => json!({ "AccountId": account, "StageName": "Prospecting",
                "OwnerId": salesforce::SELLER,
                "closing_date": sale.day.date().as_str().unwrap_or("2027-06-30") }),
        };
        if let (Value::Object(columns), Value::Object(related)) = (&mut columns, related) {
            columns.extend(related);
            if sale.help {
                columns.insert("help".into(), json!("ProofOfConceptOrDemo"));
            }
            columns.insert("visible".into(), json!(sale.visible || sale.help));
        }
        let record = self.world.try_sell("opportunities", columns)?;
        if !self.dynamics() {
            let role = json!({ "OpportunityId": record, "ContactId": contact, "IsPrimary": true });
            self.world.try_sell("OpportunityContactRole", role)?;
        }
        for n in 0..sale.solutions {
            self.catalogued(&record, n)?;
        }
        if sale.sync {
            self.world.try_edit("opportunities", &record, json!({ "sync": true }))?;
        }
        Ok(record)
    }

    fn catalogued(&self, record: &str, number: u8) -> Result<String, String> {
        self.world.try_add_catalogued(record, &format!("SOL-{number}"), &format!("Solution {number}"))
    }

    pub(crate) fn edit_record(&mut self, which: u8, edit: &Edit) {
        let Some((deal, record)) = self.record(which) else { return };
        let Some((set, _)) = self.row(&record) else { return };
        self.says(deal, Side::Crm, |stage| {
            let columns = stage.columns(set, edit);
            if columns == json!({}) {
                return Ok(());
            }
            stage.world.try_edit(set, &record, columns)
        });
    }

    /// One column of an opportunity.
    pub(crate) fn set(&mut self, which: u8, columns: Value) {
        let Some((deal, record)) = self.record(which) else { return };
        let Some((set, _)) = self.row(&record) else { return };
        self.says(deal, Side::Crm, |stage| stage.world.try_edit(set, &record, columns));
    }

    pub(crate) fn share(&mut self, which: u8, on: bool) {
        self.set(which, json!({ "sync": on }));
        if let Some(deal) = self.deal(which) {
            self.deals[deal].parted = !on;
        }
    }

    pub(crate) fn close(&mut self, which: u8, won: bool, edit: Option<&Edit>) {
        let Some((deal, record)) = self.opportunity(which) else { return };
        if let Some(edit) = edit {
            self.edit_record(which, edit);
        }
        self.says(deal, Side::Crm, |stage| {
            if won { stage.world.try_win(&record) } else { stage.world.try_lose(&record) }
        });
    }

    pub(crate) fn reopen(&mut self, which: u8) {
        let Some((deal, record)) = self.opportunity(which) else { return };
        self.says(deal, Side::Crm, |stage| stage.world.try_reopen(&record));
    }

    pub(crate) fn take_up(&mut self, which: u8) {
        let Some((deal, record)) = self.opportunity(which) else { return };
        let on_hold = self.row(&record).is_some_and(|(_, row)| row["state"] == "on hold");
        if on_hold {
            self.says(deal, Side::Crm, |stage| {
                stage.world.try_edit("opportunities", &record, json!({ "state": "active" }))
            });
        }
    }

    fn opportunity(&self, which: u8) -> Option<(usize, String)> {
        let (deal, record) = self.record(which)?;
        let (set, _) = self.row(&record)?;
        (set == "opportunities").then_some((deal, record))
    }

    pub(crate) fn delete(&mut self, which: u8) {
        let Some((deal, record)) = self.record(which) else { return };
        let Some((set, _)) = self.row(&record) else { return };
        if self.world.try_delete(set, &record).is_ok() {
            self.deals[deal].parted = true;
        }
    }

    pub(crate) fn undelete(&mut self, which: u8) {
        let Some((deal, record)) = self.record(which) else { return };
        let now = self.world.now();
        let back = ["Opportunity", "Lead"].into_iter().any(|object| {
            self.world.salesforce.system().act_undelete(object, &record, salesforce::SELLER, now).is_ok()
        });
        if back {
            self.deals[deal].parted = false;
        }
    }

    pub(crate) fn add_solutions(&mut self, which: u8, first: u8, count: u8) {
        let Some((deal, record)) = self.opportunity(which) else { return };
        self.says(deal, Side::Crm, |stage| {
            for n in 0..count {
                stage.catalogued(&record, first.saturating_add(n))?;
            }
            Ok(())
        });
    }

    /// The first row of Microsoft Solutions of a record.
    fn solution_row(&self, record: &str) -> Option<String> {
        let parent = if self.dynamics() { "_cosell_opportunityid_value" } else { "Opportunity__c" };
        let rows = self.world.rows("solutions");
        rows.iter().find(|row| text(row, parent) == record).map(|row| text(row, "id"))
    }

    pub(crate) fn remove_solution(&mut self, which: u8) {
        let Some((deal, record)) = self.opportunity(which) else { return };
        let Some(row) = self.solution_row(&record) else { return };
        self.says(deal, Side::Crm, |stage| stage.world.try_delete("solutions", &row));
    }

    /// A row of Microsoft Solutions gets another deal, or none.
    pub(crate) fn move_solution(&mut self, which: u8, to: Option<u8>) {
        let Some((deal, record)) = self.opportunity(which) else { return };
        let Some(row) = self.solution_row(&record) else { return };
        let target = match to {
            Some(to) => match self.opportunity(to) {
                Some((_, target)) if target != record => Some(target),
                _ => return,
            },
            None => None,
        };
        let column = match (self.crm, &target) {
            (CrmKind::Dynamics365, Some(target)) => {
                json!({ "cosell_OpportunityId@odata.bind": format!("/opportunities({target})") })
            }
            (CrmKind::Dynamics365, None) => json!({ "cosell_OpportunityId@odata.bind": null }),
            (CrmKind::Salesforce, target) => json!({ "Opportunity__c": target }),
        };
        self.says(deal, Side::Crm, |stage| stage.world.try_edit("solutions", &row, column));
    }

    pub(crate) fn set_contact(&mut self, which: u8, person: &Person) {
        let Some((_, record)) = self.opportunity(which) else { return };
        let Some((_, row)) = self.row(&record) else { return };
        let account = text(&row, "account");
        let Ok(contact) = self.sold_contact(person, &account) else { return };
        let done = match self.crm {
            CrmKind::Dynamics365 => {
                let bind = json!({ "parentcontactid@odata.bind": format!("/contacts({contact})") });
                self.world.try_edit("opportunities", &record, bind)
            }
            CrmKind::Salesforce => {
                let role = json!({ "OpportunityId": record, "ContactId": contact, "IsPrimary": true });
                self.world.try_sell("OpportunityContactRole", role).map(drop)
            }
        };
        if let Err(refused) = done {
            self.tell(format!("   refused: {refused}"));
        }
    }

    /// The contact of a deal.
    pub(crate) fn contact_of(&self, record: &str) -> Option<String> {
        let (_, row) = self.row(record)?;
        let contact = match self.crm {
            CrmKind::Dynamics365 => text(&row, "_parentcontactid_value"),
            CrmKind::Salesforce => {
                let roles = self.world.rows("OpportunityContactRole");
                let primary = |role: &&Value| role["OpportunityId"] == record && role["IsPrimary"] == true;
                roles.iter().find(primary).map(|role| text(role, "ContactId")).unwrap_or_default()
            }
        };
        (!contact.is_empty()).then_some(contact)
    }

    pub(crate) fn correct_phone(&mut self, which: u8) {
        let Some((_, record)) = self.opportunity(which) else { return };
        let Some(contact) = self.contact_of(&record) else { return };
        self.numbers += 1;
        let phone = format!("+49711{:06}", self.numbers);
        if let Err(refused) = self.world.try_edit("contacts", &contact, json!({ "phone": phone })) {
            self.tell(format!("   refused: {refused}"));
        }
    }

    pub(crate) fn give_to(&mut self, which: u8) {
        let Some((_, record)) = self.opportunity(which) else { return };
        let user = self.world.other_seller();
        let owner = match self.crm {
            CrmKind::Dynamics365 => json!({ "ownerid@odata.bind": format!("/systemusers({user})") }),
            CrmKind::Salesforce => json!({ "OwnerId": user }),
        };
        let _ = self.world.try_edit("opportunities", &record, owner);
    }

    pub(crate) fn join_team(&mut self, which: u8) {
        let Some((_, record)) = self.opportunity(which) else { return };
        let user = self.world.other_seller();
        let row = match self.crm {
            CrmKind::Dynamics365 => {
                json!({ "record1id_opportunity@odata.bind": format!("/opportunities({record})"),
                    "record2id_systemuser@odata.bind": format!("/systemusers({user})"),
                    "record2roleid@odata.bind": format!("/connectionroles({})", dataverse::SALES_TEAM_ROLE) })
            }
            CrmKind::Salesforce => {
                json!({ "OpportunityId": record, "UserId": user, "TeamMemberRole": "Sales Rep" })
            }
        };
        if let Err(refused) = self.world.try_sell("team", row) {
            self.tell(format!("   refused: {refused}"));
        }
    }

    pub(crate) fn leave_team(&mut self, which: u8) {
        let Some((_, record)) = self.opportunity(which) else { return };
        let (parent, id) = match self.crm {
            CrmKind::Dynamics365 => ("_record1id_value", "connectionid"),
            CrmKind::Salesforce => ("OpportunityId", "Id"),
        };
        let rows = self.world.rows("team");
        let row = rows.iter().find(|row| text(row, parent) == record).map(|row| text(row, id));
        if let Some(row) = row {
            let _ = self.world.try_delete("team", &row);
        }
    }

    pub(crate) fn merge_accounts(&mut self, one: u8, two: u8) {
        let account = |which: u8| {
            let (_, record) = self.opportunity(which)?;
            let (_, row) = self.row(&record)?;
            Some(text(&row, "account")).filter(|account| !account.is_empty())
        };
        let (Some(master), Some(loser)) = (account(one), account(two)) else { return };
        if master != loser {
            self.merge("accounts", &master, &loser);
        }
    }

    pub(crate) fn merge_leads(&mut self, one: u8, two: u8) {
        let lead = |which: u8| {
            let (deal, record) = self.record(which)?;
            let (set, _) = self.row(&record)?;
            (set == "leads").then_some((deal, record))
        };
        let (Some((kept, master)), Some((lost, loser))) = (lead(one), lead(two)) else { return };
        if master != loser && self.merge("leads", &master, &loser) {
            self.deals[lost].parted = true;
            self.deals[kept].parted = true;
        }
    }

    fn merge(&self, set: &str, master: &str, loser: &str) -> bool {
        let now = self.world.now();
        let done = match self.crm {
            CrmKind::Dynamics365 => {
                self.world.dataverse.system().act_merge(set, master, loser, dataverse::SELLER, now)
            }
            CrmKind::Salesforce => {
                let object = local::words::set(self.crm, set).to_owned();
                self.world.salesforce.system().act_merge(&object, master, loser, salesforce::SELLER, now)
            }
        };
        if let Err(refused) = &done {
            self.tell(format!("   refused: {refused}"));
        }
        done.is_ok()
    }

    pub(crate) fn qualify_lead(&mut self, which: u8) {
        let Some((_, record)) = self.record(which) else { return };
        let Some(("leads", _)) = self.row(&record) else { return };
        let now = self.world.now();
        let done = match self.crm {
            CrmKind::Dynamics365 => {
                let mut org = self.world.dataverse.system();
                org.act_qualify(&record, dataverse::SELLER, true, now).map(drop)
            }
            CrmKind::Salesforce => {
                let mut org = self.world.salesforce.system();
                org.act_convert(&record, salesforce::SELLER, None, true, now).map(drop)
            }
        };
        if let Err(refused) = done {
            self.tell(format!("   refused: {refused}"));
        }
    }

    pub(crate) fn drop_lead(&mut self, which: u8) {
        let Some((_, record)) = self.record(which) else { return };
        let Some(("leads", _)) = self.row(&record) else { return };
        let columns = match self.crm {
            CrmKind::Dynamics365 => json!({ "statecode": 2, "statuscode": 7 }),
            CrmKind::Salesforce => json!({ "Status": "Closed - Not Converted" }),
        };
        if let Err(refused) = self.world.try_edit("leads", &record, columns) {
            self.tell(format!("   refused: {refused}"));
        }
    }

    pub(crate) fn name_referral(&mut self, which: u8, of: u8) {
        let (Some((deal, record)), Some((other, referral))) = (self.opportunity(which), self.referral(of))
        else {
            return;
        };
        if deal == other || self.deals[deal].referral.is_some() {
            return;
        }
        let named = self.world.try_edit("opportunities", &record, json!({ "referral_id": referral }));
        if let Err(refused) = named {
            self.tell(format!("   refused: {refused}"));
        }
    }
}
