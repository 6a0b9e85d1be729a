//! Reads main forms, published and as drafts, saves a draft and publishes it. The caller decides what is in the XML.
//! Only set-up uses it. No real environment has answered these calls yet (vendors/dataverse.md, *Forms*):
//! `forms_by_api` of the map switches them off.

use super::{Dynamics, batch::Request, errors::DataverseError, wire::ROOT};
use serde_json::json;
use sync::failure::Failure;

/// `type` of a main form.
const MAIN: u8 = 2;
/// `formactivationstate` of a form that is in use.
const ACTIVE: u8 = 1;
/// `querytype` of a table's own views.
const PUBLIC: u8 = 0;

/// A form as it is published.
#[derive(Clone, Debug)]
pub struct Form {
    /// Its `formid`, a GUID.
    pub id: String,
    /// Its name, for administrators.
    pub name: String,
    /// Whether it is used for users who have not chosen another form.
    pub default: bool,
    /// Its `formxml`, the whole text.
    pub xml: String,
}

impl Dynamics {
    /// The main forms of a table that are in use.
    pub async fn main_forms(&self, table: &str) -> Result<Vec<Form>, Failure> {
        let query = format!(
            "systemforms?$select=formid,name,isdefault,formxml&$filter=objecttypecode eq '{table}' and type eq {MAIN} and \
             formactivationstate eq {ACTIVE}&$orderby=name"
        );
        let rows = self.wire.rows(&format!("read the main forms of `{table}`"), &query).await?;
        let form = |row: &serde_json::Value| {
            let text = |name: &str| row[name].as_str().map(str::to_owned);
            Some(Form {
                id: text("formid")?,
                name: text("name").unwrap_or_default(),
                default: row["isdefault"] == true,
                xml: text("formxml")?,
            })
        };
        Ok(rows.iter().filter_map(form).collect())
    }

    /// A form's XML with all changes that are saved but not published, of any user.
    pub async fn draft_of(&self, form: &Form) -> Result<String, Failure> {
        let operation = format!("read the draft of form `{}`", form.name);
        let path = format!("systemforms({})/Microsoft.Dynamics.CRM.RetrieveUnpublished()", form.id);
        let answer = self.wire.get(&operation, &format!("{ROOT}/{path}?$select=formxml"), "").await?;
        let body = answer.json().filter(|_| answer.status == 200);
        let xml = body.and_then(|body| body["formxml"].as_str().map(str::to_owned));
        xml.ok_or_else(|| self.wire.failed(&operation, &DataverseError::of(&answer)))
    }

    /// Saves a draft. A write to a form cannot be conditional, because forms have no version: read the draft just
    /// before.
    pub async fn save_draft(&self, form: &Form, xml: &str) -> Result<(), Failure> {
        let operation = format!("change form `{}`", form.name);
        let path = format!("systemforms({})?$select=formid", form.id);
        let answer =
            self.wire.patch(&operation, &Request::patch(path, "*", json!({ "formxml": xml }))).await?;
        if answer.is_success() {
            Ok(())
        } else {
            Err(self.wire.failed(&operation, &DataverseError::of(&answer)))
        }
    }

    /// Publishes all drafts of these tables, to all users.
    pub async fn publish(&self, tables: &[&str]) -> Result<(), Failure> {
        let entities: String = tables.iter().map(|table| format!("<entity>{table}</entity>")).collect();
        let xml = format!("<importexportxml><entities>{entities}</entities></importexportxml>");
        let operation = format!("publish {}", tables.join(", "));
        let answer = self.wire.post(&operation, "PublishXml", &json!({ "ParameterXml": xml }), "").await?;
        if answer.is_success() {
            Ok(())
        } else {
            Err(self.wire.failed(&operation, &DataverseError::of(&answer)))
        }
    }

    /// The view that lists a table's rows for users who have not chosen another view; `None`: it has none.
    pub async fn default_view(&self, table: &str) -> Result<Option<String>, Failure> {
        let query = format!(
            "savedqueries?$select=savedqueryid&$filter=returnedtypecode eq '{table}' and querytype eq {PUBLIC} and \
             isdefault eq true"
        );
        let rows = self.wire.rows(&format!("read the views of `{table}`"), &query).await?;
        Ok(rows.first().and_then(|row| row["savedqueryid"].as_str().map(str::to_owned)))
    }
}
