//! The control verbs: act as a seller or an admin, set rules, rights, switches and sessions.

use super::{SELLER, Salesforce};
use crate::login::merged;
use jiff::Timestamp;
use serde_json::{Value, json};

impl Salesforce {
    pub(super) fn command(
        &mut self,
        verb: &str,
        body: &Value,
        now: Timestamp,
    ) -> Option<Result<Value, String>> {
        let text = |name: &str| {
            body[name].as_str().map(str::to_owned).ok_or_else(|| format!("`{name}`: expected text"))
        };
        let texts = |name: &str| -> Vec<String> {
            let items = body[name].as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let by = body["by"].as_str().unwrap_or(SELLER).to_owned();
        let times = body["times"].as_u64().unwrap_or(1) as u32;
        let done = |outcome: Result<(), String>| outcome.map(|()| json!({}));
        let ok = || Ok(json!({}));
        Some(match verb {
            "create" => text("object")
                .and_then(|object| self.act_create(&object, &by, body["columns"].clone(), now))
                .map(|id| json!({ "id": id })),
            "edit" => text("object").and_then(|object| {
                let late = body["late_seconds"].as_i64().unwrap_or(0);
                done(self.act_late_edit(&object, &text("id")?, &by, body["set"].clone(), now, late))
            }),
            "open" => text("object").and_then(|object| {
                let number = self.act_open(&object, &text("id")?, &by, body["set"].clone(), now);
                Ok(json!({ "transaction": number }))
            }),
            "commit" => done(self.commit_open(body["transaction"].as_u64().unwrap_or(0) as u32, now)),
            "delete" => text("object").and_then(|object| done(self.act_delete(&object, &text("id")?, &by, now))),
            "undelete" => {
                text("object").and_then(|object| done(self.act_undelete(&object, &text("id")?, &by, now)))
            }
            "merge" => text("object").and_then(|object| {
                done(self.act_merge(&object, &text("winner")?, &text("loser")?, &by, now))
            }),
            "convert" => text("id").and_then(|id| {
                let opportunity = body["opportunity"] != json!(false);
                let made = self.act_convert(&id, &by, body["account"].as_str(), opportunity, now)?;
                Ok(json!({ "account": made.account, "contact": made.contact, "opportunity": made.opportunity }))
            }),
            "win" => text("id").and_then(|id| done(self.act_win(&id, &by, now))),
            "lose" => text("id").and_then(|id| done(self.act_lose(&id, &by, now))),
            "system" => text("object").and_then(|object| {
                self.act_system(&object, &text("id")?, now);
                ok()
            }),
            "rule" => text("object").and_then(|object| {
                let shown = texts("fields");
                let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
                self.rule(&object, body["field"].as_str(), &text("message")?, &shown);
                ok()
            }),
            "duplicate-rule" => text("object").and_then(|object| {
                let fields = texts("fields");
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                self.duplicate_rule(&object, &fields, body["block"] == json!(true));
                ok()
            }),
            "trigger" => text("object").and_then(|object| {
                self.trigger(&object, &text("message")?, times);
                ok()
            }),
            "flow" => text("object").and_then(|object| {
                self.flow(&object, body["set"].clone());
                ok()
            }),
            "clear-rules" => {
                self.clear_rules();
                ok()
            }
            "lock" => text("id").and_then(|id| {
                self.lock(&id, times);
                ok()
            }),
            "approval" => text("id").and_then(|id| {
                self.approval_process(&id, body["running"] != json!(false));
                ok()
            }),
            "deny" => text("object").and_then(|object| {
                let right = text("right")?;
                match body["field"].as_str() {
                    Some(field) => self.deny_field(&object, field, &right),
                    None => self.deny(&object, &right),
                }
                ok()
            }),
            "deny-row" => text("id").and_then(|id| {
                self.deny_row(&id);
                ok()
            }),
            "allow-all" => {
                self.allow_all();
                ok()
            }
            "grant" => text("object").and_then(|object| {
                let flag = |name: &str| body[name] != json!(false);
                self.grant(&object, &text("field")?, flag("read"), flag("edit"));
                ok()
            }),
            "field" => text("name").and_then(|name| {
                done(self.add_custom_field(&name, &body["metadata"], body["granted"] == json!(true), now))
            }),
            "alter-field" => {
                text("name").and_then(|name| done(self.alter_field(&name, &body["metadata"], now)))
            }
            "drop-field" => text("name").and_then(|name| {
                self.drop_field(&name);
                ok()
            }),
            "stage" => text("name").and_then(|name| {
                let flag = |name: &str| body[name] == json!(true);
                self.add_stage(&name, body["probability"].as_i64().unwrap_or(10), flag("closed"), flag("won"));
                ok()
            }),
            "rename-stage" => text("from").and_then(|from| {
                self.rename_stage(&from, &text("to")?, now);
                ok()
            }),
            "deactivate-stage" => text("name").and_then(|name| {
                self.deactivate_stage(&name);
                ok()
            }),
            "approve" => text("user").and_then(|user| {
                let approval = serde_json::from_value(body["approval"].clone()).map_err(|e| e.to_string())?;
                self.approve(&user, approval);
                ok()
            }),
            "sign-in" => Ok(json!({ "access_token": self.sign_in(&by, now) })),
            "revoke" => {
                self.revoke();
                ok()
            }
            "expire-locators" => {
                self.expire_locators();
                ok()
            }
            "empty-bin" => {
                self.empty_bin();
                ok()
            }
            "provision" => {
                self.provision();
                ok()
            }
            "unprovision" => {
                self.unprovision();
                ok()
            }
            "package" => {
                self.install_package(body["namespace"].as_str().unwrap_or_default());
                ok()
            }
            "switches" => merged(&self.switches, body).map(|switches| {
                self.switches = switches;
                json!(self.switches)
            }),
            _ => return self.more(verb, body, &by, now),
        })
    }
}
