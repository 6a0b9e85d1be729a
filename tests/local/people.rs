//! What sellers and admins do in either CRM, and what it shows them.

use crate::{words, world::World};
use jiff::SignedDuration;
use mapping::CrmKind;
use serde_json::{Value, json};
use simulators::{
    dataverse, salesforce,
    server::{Fault, Network},
};

pub const SOLUTION: &str = "SOL-48213-KTR";

impl World {
    /// What differs between the CRMs: Dynamics 365's, Salesforce's.
    pub fn by<T>(&self, dynamics: T, salesforce: T) -> T {
        match self.crm() {
            CrmKind::Dynamics365 => dynamics,
            CrmKind::Salesforce => salesforce,
        }
    }

    pub fn seller(&self) -> &'static str {
        self.by(dataverse::SELLER, salesforce::SELLER)
    }

    pub fn other_seller(&self) -> &'static str {
        self.by(dataverse::OTHER_SELLER, salesforce::OTHER_SELLER)
    }

    pub fn integration_user(&self) -> &'static str {
        self.by(dataverse::INTEGRATION_USER, salesforce::INTEGRATION_USER)
    }

    /// All rows of an entity set or object.
    pub fn rows(&self, set: &str) -> Vec<Value> {
        let (crm, name) = (self.crm(), words::set(self.crm(), set));
        match crm {
            CrmKind::Dynamics365 => {
                self.dataverse.system().rows(name).into_iter().map(|row| words::read(crm, set, row)).collect()
            }
            CrmKind::Salesforce => self
                .salesforce
                .system()
                .rows(name)
                .into_iter()
                .map(|row| words::read(crm, set, row))
                .collect(),
        }
    }

    pub fn opportunities(&self) -> Vec<Value> {
        self.rows("opportunities")
    }

    /// The only opportunity there is; panics if there are none or several.
    pub fn opportunity(&self) -> Value {
        let rows = self.opportunities();
        assert_eq!(rows.len(), 1, "one opportunity: {rows:#?}");
        rows[0].clone()
    }

    pub fn opportunity_id(&self) -> String {
        text(&self.opportunity(), "id")
    }

    /// The only lead there is; panics if there are none or several.
    pub fn lead(&self) -> Value {
        let rows = self.rows("leads");
        assert_eq!(rows.len(), 1, "one lead: {rows:#?}");
        rows[0].clone()
    }

    /// A seller creates a row, if the CRM takes it.
    pub fn try_sell(&self, set: &str, columns: Value) -> Result<String, String> {
        let (crm, now) = (self.crm(), self.now());
        let (name, columns) = (words::set(crm, set), words::written(crm, set, columns));
        match crm {
            CrmKind::Dynamics365 => self.dataverse.system().act_create(name, dataverse::SELLER, columns, now),
            CrmKind::Salesforce => {
                self.salesforce.system().act_create(name, salesforce::SELLER, columns, now)
            }
        }
    }

    /// A seller creates a row.
    pub fn sell(&self, set: &str, columns: Value) -> String {
        self.try_sell(set, columns).expect("a seller creates")
    }

    /// A seller edits a row, if the CRM takes it.
    pub fn try_edit(&self, set: &str, id: &str, columns: Value) -> Result<(), String> {
        let (crm, now) = (self.crm(), self.now());
        let (name, columns) = (words::set(crm, set), words::written(crm, set, columns));
        match crm {
            CrmKind::Dynamics365 => {
                self.dataverse.system().act_edit(name, id, dataverse::SELLER, columns, now)
            }
            // Users are no matter of sellers there.
            CrmKind::Salesforce if set == "users" => {
                self.salesforce.system().act_user(Some(id), columns, now);
                Ok(())
            }
            CrmKind::Salesforce => {
                self.salesforce.system().act_edit(name, id, salesforce::SELLER, columns, now)
            }
        }
    }

    /// A seller edits a row.
    pub fn edit(&self, set: &str, id: &str, columns: Value) {
        self.try_edit(set, id, columns).expect("a seller edits");
    }

    /// A seller deletes a row, if the CRM lets him.
    pub fn try_delete(&self, set: &str, id: &str) -> Result<(), String> {
        let (name, now) = (words::set(self.crm(), set), self.now());
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.system().act_delete(name, id, dataverse::SELLER, now),
            CrmKind::Salesforce => self.salesforce.system().act_delete(name, id, salesforce::SELLER, now),
        }
    }

    /// A seller deletes a row.
    pub fn delete(&self, set: &str, id: &str) {
        self.try_delete(set, id).expect("a seller deletes");
    }

    pub fn try_win(&self, id: &str) -> Result<(), String> {
        let now = self.now();
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.system().act_win(id, dataverse::SELLER, json!({}), now),
            CrmKind::Salesforce => self.salesforce.system().act_win(id, salesforce::SELLER, now),
        }
    }

    pub fn win(&self, id: &str) {
        self.try_win(id).expect("won");
    }

    pub fn try_lose(&self, id: &str) -> Result<(), String> {
        let now = self.now();
        match self.crm() {
            CrmKind::Dynamics365 => {
                self.dataverse.system().act_lose(id, dataverse::SELLER, 5, json!({}), now)
            }
            CrmKind::Salesforce => self.salesforce.system().act_lose(id, salesforce::SELLER, now),
        }
    }

    pub fn lose(&self, id: &str) {
        self.try_lose(id).expect("lost");
    }

    pub fn try_reopen(&self, id: &str) -> Result<(), String> {
        match self.crm() {
            CrmKind::Dynamics365 => {
                let now = self.now();
                self.dataverse.system().act_reopen(id, dataverse::SELLER, now)
            }
            CrmKind::Salesforce => self.try_edit("opportunities", id, json!({ "state": "active" })),
        }
    }

    pub fn reopen(&self, id: &str) {
        self.try_reopen(id).expect("reopened");
    }

    /// A customer with a contact.
    pub fn customer(&self) -> (String, String) {
        let account = self.sell(
            "accounts",
            json!({ "name": "Kestrel Foods Ltd", "line1": "4 Mill Lane", "city": "Leeds",
                    "postal_code": "LS1 4AB", "country": "United Kingdom" }),
        );
        let (lookup, row) = self.by(
            ("parentcustomerid_account@odata.bind", format!("/accounts({account})")),
            ("AccountId", account.clone()),
        );
        let contact = self.sell(
            "contacts",
            json!({ "first_name": "Priya", "last_name": "Shah", "phone": "+441135550177",
                    "email": "priya.shah@kestrelfoods.example", lookup: row }),
        );
        (account, contact)
    }

    /// An opportunity of a seller, Sync not chosen yet; `over` is laid over it.
    pub fn deal(&self, over: Value) -> String {
        let customer = self.customer();
        self.deal_of(&customer, over)
    }

    /// The same, of a customer and a contact that are there.
    pub fn deal_of(&self, (account, contact): &(String, String), over: Value) -> String {
        let mut columns = json!({
            "name": "Kestrel Foods - demand planning", "deal_value": 61000.5, "closing_date": "2027-07-31",
            "notes": "Need PoC support for forecasting workload.",
        });
        let related = match self.crm() {
            CrmKind::Dynamics365 => json!({
                "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({})", dataverse::CHF),
                "customerid_account@odata.bind": format!("/accounts({account})"),
                "parentaccountid@odata.bind": format!("/accounts({account})"),
                "parentcontactid@odata.bind": format!("/contacts({contact})"),
                "ownerid@odata.bind": format!("/systemusers({})", dataverse::SELLER),
            }),
            CrmKind::Salesforce => json!({
                "CurrencyIsoCode": "CHF", "AccountId": account, "StageName": "Prospecting",
                "OwnerId": salesforce::SELLER,
            }),
        };
        lay_over(&mut columns, related);
        lay_over(&mut columns, over);
        let deal = self.sell("opportunities", columns);
        if self.crm() == CrmKind::Salesforce {
            self.set_contact(&deal, contact);
        }
        deal
    }

    /// A seller merges two leads.
    pub fn merge_leads(&self, master: &str, loser: &str) {
        let (set, seller, now) = (words::set(self.crm(), "leads"), self.seller(), self.now());
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.system().act_merge(set, master, loser, seller, now),
            CrmKind::Salesforce => self.salesforce.system().act_merge(set, master, loser, seller, now),
        }
        .expect("the CRM merges leads");
    }

    /// A seller gives a deal products of this total, which owns its amount from then on.
    pub fn give_products(&self, opportunity: &str, total: f64) {
        let (seller, now) = (self.seller(), self.now());
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.system().act_products(opportunity, seller, total, now),
            CrmKind::Salesforce => self.salesforce.system().act_products(opportunity, seller, total, now),
        }
        .expect("the CRM takes products");
    }

    /// From now on the CRM stores notes without the blanks at their end.
    pub fn trim_notes(&self) {
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.system().rewrite(
                "opportunities",
                "description",
                dataverse::PluginRewrite::TrimEnd,
            ),
            CrmKind::Salesforce => self.salesforce.system().rewrite(
                "Opportunity",
                "Description",
                salesforce::FlowRewrite::TrimEnd,
            ),
        }
    }

    /// Each call to the CRM takes so long from now on.
    pub fn slow_crm(&self, milliseconds: i64) {
        let network = Network { latency: SignedDuration::from_millis(milliseconds), forgets_after: None };
        self.dataverse.network(network);
        self.salesforce.network(network);
    }

    /// The deal's contact is this one from now on; Salesforce: its primary one.
    pub fn set_contact(&self, opportunity: &str, contact: &str) {
        match self.crm() {
            CrmKind::Dynamics365 => {
                let bind = json!({ "parentcontactid@odata.bind": format!("/contacts({contact})") });
                self.edit("opportunities", opportunity, bind);
            }
            CrmKind::Salesforce => {
                let role = json!({ "OpportunityId": opportunity, "ContactId": contact, "IsPrimary": true });
                self.sell("OpportunityContactRole", role);
            }
        }
    }

    pub fn give_to(&self, opportunity: &str, user: &str) {
        let owner = self
            .by(json!({ "ownerid@odata.bind": format!("/systemusers({user})") }), json!({ "OwnerId": user }));
        self.edit("opportunities", opportunity, owner);
    }

    /// A colleague works on the deal; the row that says so.
    pub fn join_team(&self, opportunity: &str, user: &str) -> String {
        let row = self.by(
            json!({ "record1id_opportunity@odata.bind": format!("/opportunities({opportunity})"),
                    "record2id_systemuser@odata.bind": format!("/systemusers({user})"),
                    "record2roleid@odata.bind": format!("/connectionroles({})", dataverse::SALES_TEAM_ROLE) }),
            json!({ "OpportunityId": opportunity, "UserId": user, "TeamMemberRole": "Sales Rep" }),
        );
        self.sell("team", row)
    }

    /// Sellers choose countries from a list, and see their names.
    pub fn places_are_picklists(&self) -> bool {
        self.crm() == CrmKind::Salesforce && self.salesforce.system().switches.state_country_picklists
    }

    /// A user of the CRM who has left.
    pub fn user_who_left(&self, email: &str) {
        match self.crm() {
            CrmKind::Dynamics365 => {
                self.sell("users", json!({ "email": email, "isdisabled": true }));
            }
            CrmKind::Salesforce => {
                let now = self.now();
                let user = json!({ "Email": email, "IsActive": false });
                self.salesforce.system().act_user(None, user, now);
            }
        }
    }

    pub fn add_solution(&self, opportunity: &str) {
        self.add_catalogued(opportunity, SOLUTION, "Juniper Peak Fleet Insight");
    }

    /// A row in Microsoft Solutions, with its catalogue row.
    pub fn add_catalogued(&self, opportunity: &str, solution: &str, name: &str) -> String {
        self.try_add_catalogued(opportunity, solution, name).expect("a seller adds a solution")
    }

    pub fn try_add_catalogued(
        &self,
        opportunity: &str,
        solution: &str,
        name: &str,
    ) -> Result<String, String> {
        let known = self.rows("solution_details");
        let detail = match known.iter().find(|row| row["solution_id"] == solution) {
            Some(row) => text(row, "id"),
            None => self.try_sell(
                "solution_details",
                json!({ "solution_id": solution, "name": name, "origin": "3P", "publisher": "Juniper Peak Software" }),
            )?,
        };
        let row = self.by(
            json!({ "cosell_name": name,
                    "cosell_OpportunityId@odata.bind": format!("/opportunities({opportunity})"),
                    "cosell_SolutionDetailId@odata.bind": format!("/cosell_solutiondetails({detail})") }),
            json!({ "Opportunity__c": opportunity, "Solution_Detail__c": detail }),
        );
        self.try_sell("solutions", row)
    }

    /// From now on the CRM refuses writes that touch the column, in these words.
    pub fn rule(&self, set: &str, column: &str, words: &str) {
        let (name, column) = (words::set(self.crm(), set), words::column(self.crm(), set, column));
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.system().rule(name, Some(column), words),
            CrmKind::Salesforce => self.salesforce.system().rule(name, Some(column), words, &[column]),
        }
    }

    pub fn clear_rules(&self) {
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.system().clear_rules(),
            CrmKind::Salesforce => self.salesforce.system().clear_rules(),
        }
    }

    /// The organisation lacks the columns of opportunities that come with a release.
    pub fn drop_columns(&self, columns: &[&str]) {
        for column in columns {
            let name = words::column(self.crm(), "opportunities", column);
            match self.crm() {
                CrmKind::Dynamics365 => self.dataverse.system().drop_column("opportunities", name),
                CrmKind::Salesforce => self.salesforce.system().drop_field(&format!("Opportunity.{name}")),
            }
        }
    }

    /// From now on no opportunity is created without a rating; the column's name.
    pub fn demand_rating(&self) -> &'static str {
        let column = self.by("opportunityratingcode", "Rating__c");
        match self.crm() {
            CrmKind::Dynamics365 => {
                let words = "opportunityratingcode must be filled in";
                self.dataverse.system().demand("opportunities", column, words);
            }
            CrmKind::Salesforce => {
                let rating = json!({ "type": "Text", "label": "Rating", "length": 20, "required": true });
                self.add_field("Opportunity.Rating__c", rating);
            }
        }
        column
    }

    /// The organisation has columns of its own for value, currency and country; Dataverse's has them from the start.
    pub fn add_columns_of_its_own(&self) {
        if self.crm() == CrmKind::Salesforce {
            let money = json!({ "type": "Currency", "label": "Deal Budget", "precision": 18, "scale": 2 });
            self.add_field("Opportunity.Deal_Budget__c", money);
            let code = |label: &str| json!({ "type": "Text", "label": label, "length": 3 });
            self.add_field("Opportunity.Deal_Currency__c", code("Deal Currency"));
            self.add_field("Account.Iso_Country__c", code("Country"));
        }
    }

    fn add_field(&self, name: &str, metadata: Value) {
        let now = self.now();
        self.salesforce.system().add_custom_field(name, &metadata, true, now).expect("a field");
    }

    /// The notes at a record, title and words as people read them.
    pub fn notes(&self, record: &str) -> Vec<(String, String)> {
        let mut notes: Vec<_> = match self.crm() {
            CrmKind::Dynamics365 => {
                let rows = self.rows("annotations");
                let own = rows.iter().filter(|row| row["_objectid_value"] == record);
                own.map(|row| (text(row, "subject"), words::of_plain_html(&text(row, "notetext")))).collect()
            }
            CrmKind::Salesforce => {
                let (links, notes) = (self.rows("ContentDocumentLink"), self.rows("ContentNote"));
                let own = links.iter().filter(|link| link["LinkedEntityId"] == record);
                let note = |link: &Value| notes.iter().find(|note| note["Id"] == link["ContentDocumentId"]);
                let read = |note: &Value| (text(note, "Title"), words::of_html(&text(note, "Content")));
                own.filter_map(note).map(read).collect()
            }
        };
        notes.sort();
        notes
    }

    /// Nobody may, or can, make a note any more.
    pub fn take_notes_away(&self) {
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.system().deny("annotation", "create"),
            CrmKind::Salesforce => self.salesforce.system().switches.notes = false,
        }
    }

    /// Calls that look at or make notes.
    pub fn calls_for_notes(&self) -> usize {
        let composites = self.sent("POST composite");
        let of_notes = composites.iter().filter(|body| body.to_string().contains("Content"));
        self.sent("PATCH annotations").len() + of_notes.count()
    }

    /// Something goes wrong at the CRM.
    pub fn crm_fault(&self, fault: Fault) {
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.fault(fault),
            CrmKind::Salesforce => self.salesforce.fault(fault),
        }
    }

    pub fn pending_crm_faults(&self) -> usize {
        self.by(self.dataverse.pending_faults(), self.salesforce.pending_faults())
    }

    /// The columns of each update of an opportunity that was sent, by the vendor's names.
    pub fn patched(&self) -> Vec<Vec<String>> {
        let bodies: Vec<Value> = match self.crm() {
            CrmKind::Dynamics365 => self.sent("PATCH opportunities"),
            CrmKind::Salesforce => {
                let composites = self.sent("POST composite");
                let parts = composites
                    .iter()
                    .flat_map(|all| all["compositeRequest"].as_array().into_iter().flatten());
                let updates = parts.filter(|part| {
                    let url = part["url"].as_str().unwrap_or_default();
                    part["method"] == "PATCH" && url.contains("/sobjects/Opportunity/")
                });
                updates.map(|part| part["body"].clone()).collect()
            }
        };
        let columns =
            |body: &Value| body.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        bodies.iter().map(columns).collect()
    }

    /// Microsoft sends an inbound co-sell referral.
    pub fn refer(&self, over: Value) -> String {
        let now = self.now();
        self.partner_center.system().refer(&over, now)
    }

    /// Microsoft sends a lead.
    pub fn refer_lead(&self, over: Value) -> String {
        let now = self.now();
        self.partner_center.system().refer_lead(&over, now)
    }

    pub fn referral(&self, id: &str) -> Value {
        self.partner_center.system().referrals()[id].clone()
    }

    /// Somebody edits a referral in Partner Center.
    pub fn edit_referral(&self, id: &str, set: Value) {
        let now = self.now();
        self.partner_center.system().edit(id, &set, now).expect("an edit");
    }

    pub fn act(&self, id: &str, action: &str) {
        let now = self.now();
        let reason = matches!(action, "lost" | "decline").then_some("Customer chose another vendor");
        self.partner_center.system().act(id, action, reason, now).expect("an action");
    }

    /// Microsoft answers the call for help of a deal.
    pub fn microsoft(&self, id: &str, action: &str, reason: Option<&str>) -> String {
        let now = self.now();
        self.partner_center.system().microsoft(id, action, reason, now).expect("Microsoft answers")
    }

    /// Bodies of the requests of a route so far.
    pub fn sent(&self, route: &str) -> Vec<Value> {
        let logs = [self.partner_center.requests(), self.dataverse.requests(), self.salesforce.requests()];
        let of_route = logs.iter().flatten().filter(|log| log.route.contains(route));
        of_route.map(|log| serde_json::from_str(&log.body).unwrap_or(Value::Null)).collect()
    }
}

/// A member as text; empty if there is none.
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn lay_over(below: &mut Value, above: Value) {
    if let (Value::Object(below), Value::Object(above)) = (below, above) {
        below.extend(above);
    }
}
