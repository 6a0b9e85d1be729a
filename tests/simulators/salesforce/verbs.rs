//! More control verbs: what people and the customer's own flows do.

use super::{FlowRewrite, Salesforce};
use jiff::Timestamp;
use serde_json::{Value, json};

impl Salesforce {
    pub(super) fn more(
        &mut self,
        verb: &str,
        body: &Value,
        by: &str,
        now: Timestamp,
    ) -> Option<Result<Value, String>> {
        let text = |name: &str| body[name].as_str().ok_or_else(|| format!("`{name}`: expected text"));
        let done = |outcome: Result<(), String>| outcome.map(|()| json!({}));
        Some(match verb {
            "products" => text("id").and_then(|id| {
                let total = body["total"].as_f64().ok_or("`total`: expected a number")?;
                done(self.act_products(id, by, total, now))
            }),
            "no-products" => text("id").and_then(|id| done(self.act_no_products(id, by, now))),
            "person-account" => text("last_name").and_then(|last_name| {
                let email = body["email"].as_str().unwrap_or_default();
                Ok(json!({ "id": self.act_person_account(last_name, email, by, now)? }))
            }),
            "rewrite" => text("object").and_then(|object| {
                let field = text("field")?;
                let rewrite: FlowRewrite =
                    serde_json::from_value(body["rewrite"].clone()).map_err(|e| e.to_string())?;
                self.rewrite(object, field, rewrite);
                Ok(json!({}))
            }),
            _ => return None,
        })
    }
}
