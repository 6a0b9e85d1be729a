//! WinOpportunity, LoseOpportunity, QualifyLead, WhoAmI.

use super::address::Address;
use super::metadata::Table;
use super::refusal::{DataverseOutcome, bad_payload, no_resource, no_such_row, not_modelled, refuse};
use super::store::{DataverseRow, DataverseWriter, TARGET};
use super::{Dataverse, DataverseCall, people};
use crate::server::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

impl Dataverse {
    pub(super) fn who_am_i(&self, call: &DataverseCall) -> DataverseOutcome<Response> {
        if call.request.method != "GET" {
            return Err(no_resource());
        }
        let body = json!({
            "@odata.context": format!("{}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse", self.root()),
            "BusinessUnitId": people::BUSINESS_UNIT,
            "UserId": call.user,
            "OrganizationId": people::ORGANIZATION,
        });
        Ok(self.ok(call, body.as_object().expect("an object").clone()))
    }

    /// `state`: 1 Win, 2 Lose.
    pub(super) fn close(&mut self, call: &DataverseCall, state: i64) -> DataverseOutcome<Response> {
        let body = self.object("opportunities", &call.request.body)?;
        if let Some(name) = body.keys().find(|k| *k != "Status" && *k != "OpportunityClose") {
            return Err(bad_payload(
                "",
                format!("The parameter '{name}' is not a parameter of the operation."),
            ));
        }
        let status = body.get("Status").and_then(Value::as_i64);
        let status = status.ok_or_else(|| bad_payload("", "The parameter 'Status' must be an Edm.Int32."))?;
        let close = body.get("OpportunityClose").and_then(Value::as_object);
        let close = close.ok_or_else(|| bad_payload("", "The parameter 'OpportunityClose' is missing."))?;
        self.privileges_to(&[("opportunities", "write"), ("opportunitycloses", "create")])?;
        let by = DataverseWriter { user: call.user.clone(), now: call.now, action: true, late: 0 };
        self.atomically(|org| org.close_opportunity(state, status, close, &by))?;
        Ok(Response::new(204).with("OData-Version", "4.0"))
    }

    pub(super) fn close_opportunity(
        &mut self,
        state: i64,
        status: i64,
        close: &Map<String, Value>,
        by: &DataverseWriter,
    ) -> DataverseOutcome<()> {
        let (table, closes) = (self.table("opportunities")?, self.table("opportunitycloses")?);
        let mut activity = self.changes(&closes, close)?;
        let id = activity.get("_opportunityid_value").and_then(Value::as_str).map(str::to_owned);
        let id = id.ok_or_else(|| bad_payload("opportunitycloses", "'opportunityid' is missing."))?;
        let row = self.get("opportunities", &id).ok_or_else(|| no_such_row(&table, &id))?.clone();
        let open = row["statecode"] == json!(0);
        if !open && self.switches.second_close_refused {
            return Err(refuse(400, "0x80040265", "This opportunity is already closed."));
        }
        let status = if status == -1 { table.default_reason(state).unwrap_or_default() } else { status };
        let today = by.now.strftime("%Y-%m-%d").to_string();
        let given = |name: &str| activity.get(name).filter(|v| !v.is_null()).cloned();
        let revenue = given("actualrevenue")
            .unwrap_or_else(|| if state == 1 { row["estimatedvalue"].clone() } else { json!(0.0) });
        let end = given("actualend").unwrap_or_else(|| json!(today));
        let changes = DataverseRow::from_iter([
            ("statecode".to_owned(), json!(state)),
            ("statuscode".to_owned(), json!(status)),
            ("actualvalue".to_owned(), revenue.clone()),
            ("actualclosedate".to_owned(), end.clone()),
        ]);
        // All or nothing: the opportunity's own checks first.
        self.update(&table, &id, changes, by)?;
        let currency = "_transactioncurrencyid_value";
        for name in [currency.to_owned(), format!("{currency}{TARGET}")] {
            activity.insert(name.clone(), row.get(&name).cloned().unwrap_or(Value::Null));
        }
        activity.insert("actualrevenue".into(), revenue);
        activity.insert("actualend".into(), end);
        activity.insert("statecode".into(), json!(1));
        activity.insert("statuscode".into(), json!(2));
        let close_id = self.new_id();
        self.insert(&closes, &close_id, activity, by)
    }

    /// The completed close activities of a reopened opportunity are canceled.
    pub(super) fn cancel_close(&mut self, opportunity: &str, by: &DataverseWriter) -> DataverseOutcome<()> {
        let closes = self.table("opportunitycloses")?;
        let mine = self.holding("opportunitycloses", "_opportunityid_value", opportunity);
        let ids: Vec<String> = mine.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let changes = DataverseRow::from_iter([
                ("statecode".to_owned(), json!(2)),
                ("statuscode".to_owned(), json!(3)),
            ]);
            self.update(&closes, &id, changes, &DataverseWriter { action: true, ..by.clone() })?;
        }
        Ok(())
    }

    pub(super) fn qualify(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        address: &Address,
    ) -> DataverseOutcome<Response> {
        let Address::Id(id) = address else { return Err(not_modelled("QualifyLead by alternate key")) };
        let body = self.object("leads", &call.request.body)?;
        let lead = self.open_lead(table, id)?;
        let mut wishes = QualifyOptions::default();
        for (name, value) in &body {
            let wrong = || bad_payload("leads", format!("The parameter '{name}' has the wrong type."));
            match name.as_str() {
                "CreateAccount" => wishes.account = value.as_bool().ok_or_else(wrong)?,
                "CreateContact" => wishes.contact = value.as_bool().ok_or_else(wrong)?,
                "CreateOpportunity" => wishes.opportunity = value.as_bool().ok_or_else(wrong)?,
                "Status" => wishes.status = value.as_i64().ok_or_else(wrong)?,
                "OpportunityCurrencyId" => wishes.currency = Some(self.entity(value)?),
                "OpportunityCustomerId" => wishes.customer = Some(self.entity(value)?),
                _ => return Err(not_modelled(format!("QualifyLead parameter `{name}`"))),
            }
        }
        let making = [
            (wishes.account, ("accounts", "create")),
            (wishes.contact, ("contacts", "create")),
            (wishes.opportunity, ("opportunities", "create")),
            (true, ("leads", "write")),
        ];
        let needed: Vec<_> =
            making.into_iter().filter(|(wanted, _)| *wanted).map(|(_, right)| right).collect();
        self.privileges_to(&needed)?;
        let by = DataverseWriter { user: call.user.clone(), now: call.now, action: true, late: 0 };
        let made = self.atomically(|org| org.qualify_lead(table, id, &lead, wishes, &by))?;
        let reference = |(name, id): &(String, String)| {
            let mut entity = Map::new();
            entity.insert("@odata.type".into(), json!(format!("#Microsoft.Dynamics.CRM.{name}")));
            entity.insert(format!("{name}id"), json!(id));
            Value::Object(entity)
        };
        let body = json!({
            "@odata.context": format!("{}/$metadata#Collection(Microsoft.Dynamics.CRM.crmbaseentity)", self.root()),
            "value": made.iter().map(reference).collect::<Value>(),
        });
        Ok(self.ok(call, body.as_object().expect("an object").clone()))
    }

    fn open_lead(&self, table: &Table, id: &str) -> DataverseOutcome<DataverseRow> {
        let lead = self.get("leads", id).ok_or_else(|| no_such_row(table, id))?.clone();
        match lead["statecode"] == json!(0) {
            true => Ok(lead),
            false => Err(refuse(400, "0x80040265", "The lead is already closed.")),
        }
    }

    /// A person qualifies a lead: what it has no account and contact for is made; `opportunity`: one of these too.
    /// Answers its id.
    pub fn act_qualify(
        &mut self,
        id: &str,
        by: &str,
        opportunity: bool,
        now: Timestamp,
    ) -> Result<Option<String>, String> {
        let by = DataverseWriter { user: by.to_owned(), now, action: true, late: 0 };
        let made = self.act(|org| {
            let table = org.table("leads")?;
            let lead = org.open_lead(&table, id)?;
            let wishes = QualifyOptions {
                account: lead["_parentaccountid_value"].is_null(),
                contact: lead["_parentcontactid_value"].is_null(),
                opportunity,
                status: -1,
                ..QualifyOptions::default()
            };
            org.qualify_lead(&table, id, &lead, wishes, &by)
        })?;
        Ok(made.into_iter().find(|(name, _)| name == "opportunity").map(|(_, id)| id))
    }

    /// An entity parameter: `@odata.type` and the id of a row that is there.
    fn entity(&self, value: &Value) -> DataverseOutcome<(String, String)> {
        let wrong = || bad_payload("leads", "An entity parameter needs '@odata.type' and its id.");
        let kind = value["@odata.type"].as_str().ok_or_else(wrong)?.trim_start_matches('#');
        let name = kind.strip_prefix("Microsoft.Dynamics.CRM.").ok_or_else(wrong)?;
        let table = self.table_named(name).ok_or_else(wrong)?;
        let id = value[&table.id].as_str().ok_or_else(wrong)?;
        self.get(&table.set, id).ok_or_else(|| no_such_row(&table, id))?;
        Ok((name.to_owned(), id.to_owned()))
    }

    fn qualify_lead(
        &mut self,
        table: &Table,
        id: &str,
        lead: &DataverseRow,
        wishes: QualifyOptions,
        by: &DataverseWriter,
    ) -> DataverseOutcome<Vec<(String, String)>> {
        let mut made = vec![];
        let mut account = target_of(lead, "_parentaccountid_value", "account");
        let mut contact = target_of(lead, "_parentcontactid_value", "contact");
        if wishes.account {
            account =
                Some(self.make("accounts", &mut made, vec![("name", lead["companyname"].clone())], by)?);
        }
        if wishes.contact {
            let names = ["firstname", "lastname", "emailaddress1", "telephone1", "jobtitle"];
            let mut columns: Vec<(&str, Value)> = names.map(|n| (n, lead[n].clone())).to_vec();
            if let Some((name, id)) = &account {
                columns.extend(pointing("_parentcustomerid_value", name, id));
            }
            contact = Some(self.make("contacts", &mut made, columns, by)?);
        }
        let mut changes = DataverseRow::from_iter([
            ("statecode".to_owned(), json!(1)),
            ("statuscode".to_owned(), json!(if wishes.status == -1 { 3 } else { wishes.status })),
        ]);
        if wishes.opportunity {
            let mut columns = vec![
                ("name", lead["subject"].clone()),
                ("description", lead["description"].clone()),
                ("estimatedvalue", lead["estimatedamount"].clone()),
                ("estimatedclosedate", lead["estimatedclosedate"].clone()),
            ];
            columns.extend(pointing("_originatingleadid_value", "lead", id));
            let currency = target_of(lead, "_transactioncurrencyid_value", "transactioncurrency");
            if let Some((name, id)) = wishes.currency.or(currency) {
                columns.extend(pointing("_transactioncurrencyid_value", &name, &id));
            }
            if let Some((name, id)) = wishes.customer.or(account.clone()).or(contact.clone()) {
                columns.extend(pointing("_customerid_value", &name, &id));
            }
            if let Some((name, id)) = account {
                columns.extend(pointing("_parentaccountid_value", &name, &id));
            }
            if let Some((name, id)) = contact {
                columns.extend(pointing("_parentcontactid_value", &name, &id));
            }
            let copies = self.switches.qualify_copies.clone();
            columns.extend(copies.iter().map(|c| (c.as_str(), lead.get(c).cloned().unwrap_or(Value::Null))));
            let (_, made_id) = self.make("opportunities", &mut made, columns, by)?;
            changes.insert("_qualifyingopportunityid_value".into(), json!(made_id));
            changes.insert(format!("_qualifyingopportunityid_value{TARGET}"), json!("opportunity"));
        }
        self.update(table, id, changes, by)?;
        Ok(made)
    }

    fn make(
        &mut self,
        set: &str,
        made: &mut Vec<(String, String)>,
        columns: Vec<(&str, Value)>,
        by: &DataverseWriter,
    ) -> DataverseOutcome<(String, String)> {
        let table = self.table(set)?;
        let id = self.new_id();
        let mut row = DataverseRow::new();
        for (name, value) in columns {
            match value.get("target") {
                Some(target) => {
                    row.insert(format!("{name}{TARGET}"), target.clone());
                    row.insert(name.to_owned(), value["id"].clone());
                }
                None => {
                    row.insert(name.to_owned(), value);
                }
            }
        }
        self.insert(&table, &id, row, by)?;
        made.push((table.name.clone(), id.clone()));
        Ok((table.name.clone(), id))
    }
}

#[derive(Default)]
struct QualifyOptions {
    account: bool,
    contact: bool,
    opportunity: bool,
    status: i64,
    currency: Option<(String, String)>,
    customer: Option<(String, String)>,
}

fn target_of(row: &DataverseRow, property: &str, name: &str) -> Option<(String, String)> {
    Some((name.to_owned(), row[property].as_str()?.to_owned()))
}

/// A lookup as `make` takes it.
fn pointing<'a>(property: &'a str, target: &str, id: &str) -> [(&'a str, Value); 1] {
    [(property, json!({ "target": target, "id": id }))]
}
