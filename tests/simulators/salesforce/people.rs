//! The org as it is found: users, permission set, currencies; and people who act in it, by the same rules as the API.

use super::refusal::{SalesforceOutcome, SalesforceRefusal};
use super::store::{SalesforceRow, SalesforceWriter, initial};
use super::times::stamp;
use super::{ORGANIZATION, Salesforce, standard::SET_UP};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The user the connector signs in as; what the sign-in's `id` ends with.
pub const INTEGRATION_USER: &str = "005Qy000001AbCdIAK";
pub const USERNAME: &str = "cosell.integration@contoso-partner.example";
pub const SELLER: &str = "005Qy000002EfGhIAK";
pub const OTHER_SELLER: &str = "005Qy000003IjKlIAK";
/// Who provisions; signs in with the same app and key.
pub const ADMIN: &str = "005Qy000005QrStIAK";
pub const ADMIN_USERNAME: &str = "admin@contoso-partner.example";
/// Whom automated processes run as.
pub const SYSTEM: &str = "005Qy000004MnOpIAK";
/// The permission set of the integration user and the admin.
pub const PERMISSION_SET: &str = "0PSQy00000hIjKlOAK";

/// A write that has been made and is not visible yet: its stamps are of when it was made.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub since: Timestamp,
    object: String,
    id: String,
    by: String,
    columns: Value,
}

impl Salesforce {
    pub(super) fn furnish(&mut self) {
        let user = |name: &str, first: &str, last: &str, mail: &str, phone: &str| {
            json!({ "Username": name, "FirstName": first, "LastName": last, "Name": format!("{first} {last}").trim(),
                    "Email": mail, "Phone": phone, "UserType": "Standard", "IsActive": true,
                    "Title": "Account Executive" })
        };
        let (sara, tom) = ("sara.klein@partner.example", "tom.abara@partner.example");
        for (id, row) in [
            (INTEGRATION_USER, user(USERNAME, "", "Co-sell Connector", "", "")),
            (ADMIN, user(ADMIN_USERNAME, "Ada", "Admin", "admin@partner.example", "")),
            (SYSTEM, user("automatedprocess@contoso-partner.example", "", "Automated Process", "", "")),
            (SELLER, user(sara, "Sara", "Klein", sara, "+49 711 555001")),
            (OTHER_SELLER, user(tom, "Tom", "Abara", tom, "+1 425 555 0102")),
        ] {
            self.furnish_row("User", Some(id), row);
        }
        let organization = json!({ "Name": "Contoso Partner", "InstanceName": "SIM1", "IsSandbox": false,
            "OrganizationType": "Enterprise Edition", "DefaultCurrencyIsoCode": self.switches.currency });
        self.furnish_row("Organization", Some(ORGANIZATION), organization);
        self.furnish_row(
            "PermissionSet",
            Some(PERMISSION_SET),
            json!({ "Name": "CoSell_Integration", "Label": "Co-sell integration" }),
        );
        for user in [INTEGRATION_USER, ADMIN] {
            let row = json!({ "PermissionSetId": PERMISSION_SET, "AssigneeId": user });
            self.furnish_row("PermissionSetAssignment", None, row);
        }
        self.furnish_stages();
        for (n, (name, converted)) in [
            ("Open - Not Contacted", false),
            ("Working - Contacted", false),
            ("Closed - Converted", true),
            ("Closed - Not Converted", false),
        ]
        .into_iter()
        .enumerate()
        {
            let row = json!({ "ApiName": name, "MasterLabel": name, "IsDefault": n == 0, "IsConverted": converted,
                "SortOrder": n + 1 });
            self.furnish_row("LeadStatus", None, row);
        }
        for (code, rate) in [("EUR", 1.0), ("USD", 1.09), ("CHF", 0.95), ("GBP", 0.86), ("JPY", 163.0)] {
            let row = json!({ "IsoCode": code, "ConversionRate": rate, "DecimalPlaces": if code == "JPY" { 0 } else { 2 },
                "IsActive": true, "IsCorporate": code == self.switches.currency });
            self.furnish_row("CurrencyType", None, row);
        }
    }

    /// A row of the org's own, without checks.
    pub(super) fn furnish_row(&mut self, object: &str, id: Option<&str>, columns: Value) {
        let Some(held) = self.objects.get(object).cloned() else { return };
        let mut row: SalesforceRow = held.fields.iter().map(|f| (f.name.clone(), initial(f))).collect();
        row.extend(fields(columns));
        let id = id.map_or_else(|| self.new_id(&held.prefix), str::to_owned);
        row.insert("Id".into(), json!(id));
        for name in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
            row.insert(name.into(), json!(stamp(SET_UP.parse().expect("a time"))));
        }
        for name in ["CreatedById", "LastModifiedById"] {
            row.insert(name.into(), json!(SYSTEM));
        }
        self.put(object, &id, Some(row));
    }

    /// All rows of an object, those in the recycle bin aside.
    pub fn rows(&self, object: &str) -> Vec<&SalesforceRow> {
        let rows = self.rows.get(object).into_iter().flat_map(|rows| rows.values());
        rows.filter(|row| row["IsDeleted"] != json!(true)).collect()
    }

    /// One row with all its fields, also out of the recycle bin.
    pub fn row(&self, object: &str, id: &str) -> Option<&SalesforceRow> {
        self.rows.get(object)?.get(id)
    }

    pub(super) fn act<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> SalesforceOutcome<T>,
    ) -> Result<T, String> {
        self.atomically(act).map_err(|refusal| match refusal {
            SalesforceRefusal::Vendor(status, fault) => format!("{status} {} {}", fault.code, fault.message),
            SalesforceRefusal::Bare(status) => status.to_string(),
            SalesforceRefusal::NotModelled(why) => format!("not modelled: {why}"),
        })
    }

    pub(super) fn named(&self, object: &str) -> SalesforceOutcome<std::sync::Arc<super::metadata::Object>> {
        self.object(object).ok_or_else(|| super::refusal::no_such_object(object))
    }

    /// A person creates a row; fields as in a POST. Returns its id.
    pub fn act_create(
        &mut self,
        object: &str,
        by: &str,
        columns: Value,
        now: Timestamp,
    ) -> Result<String, String> {
        let by = SalesforceWriter::person(by, now);
        self.act(|org| {
            let object = org.named(object)?;
            let changes = org.changes(&object, &fields(columns), true, &by)?;
            org.insert(&object, changes, &by)
        })
    }

    /// A person changes fields of a row.
    pub fn act_edit(
        &mut self,
        object: &str,
        id: &str,
        by: &str,
        columns: Value,
        now: Timestamp,
    ) -> Result<(), String> {
        self.act_late_edit(object, id, by, columns, now, 0)
    }

    /// An edit whose stamps lie some seconds before its commit.
    pub fn act_late_edit(
        &mut self,
        object: &str,
        id: &str,
        by: &str,
        columns: Value,
        now: Timestamp,
        late: i64,
    ) -> Result<(), String> {
        let by = SalesforceWriter { late, ..SalesforceWriter::person(by, now) };
        self.act(|org| {
            let object = org.named(object)?;
            let changes = org.changes(&object, &fields(columns), false, &by)?;
            org.update(&object, id, changes, &by)
        })
    }

    /// A long transaction begins with an edit that nobody sees yet; [`Self::commit_open`] ends it. Meanwhile
    /// `latestDateCovered` stays behind its start.
    pub fn act_open(&mut self, object: &str, id: &str, by: &str, columns: Value, now: Timestamp) -> u32 {
        let number = self.open.keys().next_back().map_or(1, |last| last + 1);
        let (object, id, by) = (object.to_owned(), id.to_owned(), by.to_owned());
        self.open.insert(number, Open { since: now, object, id, by, columns });
        number
    }

    /// The long transaction commits: its edit becomes visible with the stamps of its start.
    pub fn commit_open(&mut self, number: u32, now: Timestamp) -> Result<(), String> {
        let open = self.open.remove(&number).ok_or_else(|| format!("no open transaction {number}"))?;
        let late = now.as_second() - open.since.as_second();
        self.act_late_edit(&open.object, &open.id, &open.by, open.columns, now, late)
    }

    pub fn act_delete(&mut self, object: &str, id: &str, by: &str, now: Timestamp) -> Result<(), String> {
        let by = SalesforceWriter::person(by, now);
        self.act(|org| {
            let object = org.named(object)?;
            org.remove(&object, id, &by)
        })
    }

    /// A person takes a row, and what went with it, out of the recycle bin.
    pub fn act_undelete(&mut self, object: &str, id: &str, by: &str, now: Timestamp) -> Result<(), String> {
        let by = SalesforceWriter::person(by, now);
        self.act(|org| {
            let object = org.named(object)?;
            org.restore(&object, id, &by)
        })
    }

    /// An admin adds a user, or changes one. Returns the id.
    pub fn act_user(&mut self, id: Option<&str>, columns: Value, now: Timestamp) -> String {
        let id = id.map_or_else(|| self.new_id("005"), str::to_owned);
        let Some(mut row) = self.row("User", &id).cloned() else {
            self.furnish_row("User", Some(&id), columns);
            return id;
        };
        row.extend(fields(columns));
        for name in ["LastModifiedDate", "SystemModstamp"] {
            row.insert(name.into(), json!(stamp(now)));
        }
        self.put("User", &id, Some(row));
        id
    }

    /// A person moves an opportunity to the stage for won ones.
    pub fn act_win(&mut self, id: &str, by: &str, now: Timestamp) -> Result<(), String> {
        self.act_edit("Opportunity", id, by, json!({ "StageName": "Closed Won" }), now)
    }

    pub fn act_lose(&mut self, id: &str, by: &str, now: Timestamp) -> Result<(), String> {
        self.act_edit("Opportunity", id, by, json!({ "StageName": "Closed Lost" }), now)
    }

    /// An automated process touches a row: only its `SystemModstamp` moves.
    pub fn act_system(&mut self, object: &str, id: &str, now: Timestamp) {
        if let Some(mut row) = self.row(object, id).cloned() {
            row.insert("SystemModstamp".into(), json!(stamp(now)));
            self.put(object, id, Some(row));
        }
    }
}

pub(super) fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
