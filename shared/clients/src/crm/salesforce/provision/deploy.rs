//! Deploys shipped objects and fields by the Metadata API's REST resource, all or nothing.

use super::package::package;
use crate::crm::salesforce::{Salesforce, errors::SalesforceError};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use sync::failure::Failure;

/// A boundary that no shipped file contains.
const BOUNDARY: &str = "cosell-connector-deployment-7f3a1c";

/// The state of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// It is not finished; Salesforce's name for its state.
    Running(String),
    /// It is finished, and everything was deployed.
    Succeeded,
    /// Nothing was deployed: each component that failed, with Salesforce's message.
    Failed(Vec<String>),
}

impl Salesforce {
    /// Starts a deployment of these shipped objects and fields, and returns its id.
    pub async fn deploy(
        &self,
        objects: &BTreeSet<&'static str>,
        fields: &BTreeSet<(&'static str, &'static str)>,
    ) -> Result<String, Failure> {
        let operation = "deploy objects and fields";
        let options = json!({ "deployOptions": {
            "rollbackOnError": true, "singlePackage": true, "testLevel": "NoTestRun",
        } });
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"json\"\r\nContent-Type: application/json\r\n\r\n\
             {options}\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"deploy.zip\"\r\n\
             Content-Type: application/zip\r\n\r\n"
        )
        .into_bytes();
        body.extend(package(objects, fields, self.wire.version()));
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let taken = self.wire.post_raw(operation, "metadata/deployRequest", &kind, body).await?;
        let id = taken
            .and_then(|body| body["id"].as_str().map(str::to_owned).ok_or_else(SalesforceError::unreadable));
        id.map_err(|said| self.wire.failed(operation, &said))
    }

    /// Reads the state of a deployment.
    pub async fn deployment(&self, id: &str) -> Result<Deployment, Failure> {
        let operation = format!("look at deployment `{id}`");
        let path = format!("metadata/deployRequest/{id}?includeDetails=true");
        let shown = self.wire.get(&operation, &path).await?;
        let shown = shown.map_err(|said| self.wire.failed(&operation, &said))?;
        Ok(read(&shown["deployResult"]))
    }
}

fn read(result: &Value) -> Deployment {
    // Some answers give flags as texts.
    let flag = |name: &str| result[name] == true || result[name] == "true";
    let status = result["status"].as_str().unwrap_or("Pending").to_owned();
    let over = matches!(status.as_str(), "Succeeded" | "SucceededPartial" | "Failed" | "Canceled");
    if !flag("done") && !over {
        return Deployment::Running(status);
    }
    if flag("success") || status == "Succeeded" {
        return Deployment::Succeeded;
    }
    let failures = result["details"]["componentFailures"].as_array().into_iter().flatten();
    let text = |failure: &Value, name: &str| failure[name].as_str().unwrap_or_default().to_owned();
    let mut words: Vec<String> =
        failures.map(|one| format!("`{}`: {}", text(one, "fullName"), text(one, "problem"))).collect();
    if words.is_empty() {
        words.push(result["errorMessage"].as_str().map_or(status, str::to_owned));
    }
    Deployment::Failed(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_over_when_it_says_so() {
        assert_eq!(read(&Value::Null), Deployment::Running("Pending".into()));
        let going = json!({ "status": "InProgress", "done": "false" });
        assert_eq!(read(&going), Deployment::Running("InProgress".into()));
        assert_eq!(
            read(&json!({ "status": "Succeeded", "done": true, "success": true })),
            Deployment::Succeeded
        );
        let failed = json!({ "status": "Failed", "done": true, "success": false, "details": { "componentFailures": [
            { "fullName": "Opportunity.Audit__c", "problem": "too many custom fields" } ] } });
        let words = vec!["`Opportunity.Audit__c`: too many custom fields".to_owned()];
        assert_eq!(read(&failed), Deployment::Failed(words));
        let canceled = json!({ "status": "Canceled", "done": true });
        assert_eq!(read(&canceled), Deployment::Failed(vec!["Canceled".into()]));
    }
}
