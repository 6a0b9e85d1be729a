//! Custom fields of a partner's org: ours, as a source deployment brings them, and those of the vendor's package of 2020.

use super::Salesforce;
use super::metadata::{Field, Object};
use super::standard::{fields, object};
use serde_json::json;
use std::sync::Arc;

const HELP: &str = "Workload specific value proposition;Customer technical architecture;Proof of concept or demo;\
                    Quotes or licensing;Post sales customer success;General or other";

/// On Opportunity and Lead.
const DEAL: &str = "
Sync_with_Partner_Center__c | Sync with Partner Center | bool
Referral_Identifier__c | Referral Identifier | text 100 | unique external
Referral_Link__c | Referral Link | url 255
How_can_Microsoft_help__c | How can Microsoft help? | picklist @Help | restricted
Visible_to_Microsoft_Sellers__c | Visible to Microsoft sellers | bool
Microsoft_CRM_Identifier__c | Microsoft CRM Identifier | text 100
Referral_Program__c | Referral Program | text 100
Marketplace_Intent__c | Marketplace purchase intent | picklist Have not decided;Yes;No | restricted
Audit__c | Audit | long 10000
";
/// On Opportunity only; the labels of Partner Center's forms (vendors/partner-center.md, *Solution area and play*).
const AREA: &str = "
Solution_Area__c | Solution area | picklist AI Business Solutions;Cloud and AI Platforms;Security | restricted
Solution_Play__c | Solution play | picklist @Plays | restricted
";
const PLAYS: &str = "Copilot and Agents at Work;Innovate with Low Code AI and Agents;Secure AI Productivity;\
                     Scale Business Operations with AI;Sales Transformation with AI;Service Transformation with AI;\
                     ERP Transformation with AI;Converged Communications;Scale with Cloud and AI Endpoints;\
                     AI Ready with Surface Copilot PCs;Migrate and Modernize your Estate;\
                     Innovate with Azure AI Apps and Agents;Unify Your Data Platform;\
                     Modern SecOps with Unified Platform;Data Security;Protect Cloud AI Platform and Apps";
const ACCOUNT_KEY: &str =
    "Partner_Center_Customer_Key__c | Partner Center customer key | text 100 | unique external";
const CONTACT_KEY: &str =
    "Partner_Center_Contact_Key__c | Partner Center contact key | text 100 | unique external";
const DETAIL: &str = "
Name | Solution Name | text 80 | required
Solution_Identifier__c | Solution Identifier | text 100 | required unique external
Type__c | Type | picklist 1P;3P | restricted
Publisher__c | Publisher Name | text 200
OwnerId | Owner ID | ref User Owner | keep
";
const SOLUTION: &str = "
Name | Microsoft Solution | auto MS-
Opportunity__c | Opportunity | ref Opportunity Opportunity__r Microsoft_Solutions__r | cascade
Solution_Detail__c | Solution Detail | ref Microsoft_Solution_Detail__c Solution_Detail__r Microsoft_Solutions__r
OwnerId | Owner ID | ref User Owner | keep
";
/// The package's fields on Opportunity; its identifier is an external id and not unique.
const PACKAGE: &str = "
Sync_with_Partner_Center__c | Sync with Partner Center | bool
Referral_Identifier__c | Referral Identifier | text 100 | external
Referral_Link__c | Referral Link | url 255
How_can_Microsoft_help__c | How can Microsoft help? | picklist @Help
Products__c | Products | text 255
Audit__c | Audit | long 100000
";

pub(super) const SOLUTION_OBJECT: &str = "Microsoft_Solution__c";
pub(super) const DETAIL_OBJECT: &str = "Microsoft_Solution_Detail__c";

fn noted(lines: &str) -> Vec<Field> {
    fields(&lines.replace("@Help", HELP).replace("@Plays", PLAYS))
}

impl Salesforce {
    /// Our package is deployed: fields, child objects, and their rights for the integration user's permission set.
    pub fn provision(&mut self) {
        for (name, lines) in [
            ("Opportunity", DEAL),
            ("Opportunity", AREA),
            ("Lead", DEAL),
            ("Account", ACCOUNT_KEY),
            ("Contact", CONTACT_KEY),
        ] {
            self.add_fields(name, noted(lines), true);
        }
        self.add_object(object(
            DETAIL_OBJECT,
            "a01",
            "Microsoft Solution Detail",
            "Microsoft Solution Details",
            DETAIL,
        ));
        self.add_object(object(
            SOLUTION_OBJECT,
            "a02",
            "Microsoft Solution",
            "Microsoft Solutions",
            SOLUTION,
        ));
    }

    /// The org before provisioning: no custom field, no custom object, no rights on them.
    pub fn unprovision(&mut self) {
        self.objects.retain(|_, object| !object.custom());
        self.definitions.clear();
        self.rows.retain(|name, _| !name.ends_with("__c"));
        for object in self.objects.values_mut() {
            Arc::make_mut(object).fields.retain(|field| !field.custom());
        }
        for row in self.rows.values_mut().flat_map(|rows| rows.values_mut()) {
            row.retain(|name, _| !name.ends_with("__c"));
        }
        let theirs =
            |row: &super::SalesforceRow, name: &str| row[name].as_str().is_some_and(|f| f.ends_with("__c"));
        if let Some(rows) = self.rows.get_mut("FieldPermissions") {
            rows.retain(|_, row| !theirs(row, "Field"));
        }
        if let Some(rows) = self.rows.get_mut("ObjectPermissions") {
            rows.retain(|_, row| !theirs(row, "SobjectType"));
        }
    }

    /// Microsoft's package of 2020 is installed: its fields in a namespace (`""`: without one), seen by everybody.
    pub fn install_package(&mut self, namespace: &str) {
        let prefix = if namespace.is_empty() { String::new() } else { format!("{namespace}__") };
        let named = |mut field: Field| {
            field.name = format!("{prefix}{}", field.name);
            field
        };
        self.add_fields("Opportunity", noted(PACKAGE).into_iter().map(named).collect(), true);
    }

    /// New fields at the end of an object; `granted`: the integration user's permission set may read and write them.
    pub(super) fn add_fields(&mut self, object: &str, fields: Vec<Field>, granted: bool) {
        let names: Vec<String> = fields.iter().filter(|f| f.custom()).map(|f| f.name.clone()).collect();
        let Some(held) = self.objects.get_mut(object) else { return };
        let held = Arc::make_mut(held);
        for field in fields {
            let empty = self.rows.entry(object.to_owned()).or_default().values_mut();
            for row in empty {
                row.insert(field.name.clone(), super::store::initial(&field));
            }
            held.fields.retain(|f| f.name != field.name);
            held.fields.push(field);
        }
        for name in names.iter().filter(|_| granted) {
            self.grant(object, name, true, true);
        }
    }

    pub(super) fn add_object(&mut self, object: Object) {
        let name = object.name.clone();
        let custom: Vec<String> =
            object.fields.iter().filter(|f| f.custom()).map(|f| f.name.clone()).collect();
        self.objects.insert(name.clone(), Arc::new(object));
        self.rows.entry(name.clone()).or_default();
        let rights = json!({ "ParentId": super::PERMISSION_SET, "SobjectType": name, "PermissionsRead": true,
            "PermissionsCreate": true, "PermissionsEdit": true, "PermissionsDelete": true });
        self.furnish_row("ObjectPermissions", None, rights);
        for field in custom {
            self.grant(&name, &field, true, true);
        }
    }
}
