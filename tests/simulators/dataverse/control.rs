//! The control verbs: act as a seller, set rules, switches and tokens.

use super::{Dataverse, PluginRewrite, SELLER};
use jiff::Timestamp;
use serde_json::{Value, json};

type Done = Result<Value, String>;

fn text(body: &Value, name: &str) -> Result<String, String> {
    body[name].as_str().map(str::to_owned).ok_or_else(|| format!("`{name}`: expected text"))
}

fn done(outcome: Result<(), String>) -> Done {
    outcome.map(|()| json!({}))
}

impl Dataverse {
    pub(super) fn command(&mut self, verb: &str, body: &Value, now: Timestamp) -> Option<Done> {
        self.acted(verb, body, now).or_else(|| self.furnished(verb, body))
    }

    /// What people do to rows.
    fn acted(&mut self, verb: &str, body: &Value, now: Timestamp) -> Option<Done> {
        let text = |name: &str| text(body, name);
        let by = body["by"].as_str().unwrap_or(SELLER).to_owned();
        let close = body.get("close").cloned().unwrap_or_else(|| json!({}));
        Some(match verb {
            "create" => text("table")
                .and_then(|set| self.act_create(&set, &by, body["columns"].clone(), now))
                .map(|id| json!({ "id": id })),
            "edit" => text("table").and_then(|set| {
                let late = body["late_seconds"].as_i64().unwrap_or(0);
                done(self.act_late_edit(&set, &text("id")?, &by, body["set"].clone(), now, late))
            }),
            "delete" => text("table").and_then(|set| done(self.act_delete(&set, &text("id")?, &by, now))),
            "win" => text("id").and_then(|id| done(self.act_win(&id, &by, close, now))),
            "lose" => text("id").and_then(|id| {
                let reason = body["reason"].as_i64().unwrap_or(4);
                done(self.act_lose(&id, &by, reason, close, now))
            }),
            "qualify" => text("id").and_then(|id| {
                let made = self.act_qualify(&id, &by, body["opportunity"] != json!(false), now);
                made.map(|id| json!({ "id": id }))
            }),
            "reopen" => text("id").and_then(|id| done(self.act_reopen(&id, &by, now))),
            "merge" => text("table")
                .and_then(|set| done(self.act_merge(&set, &text("master")?, &text("loser")?, &by, now))),
            "products" => text("id").and_then(|id| {
                let total = body["total"].as_f64().ok_or("`total`: expected a number")?;
                done(self.act_products(&id, &by, total, now))
            }),
            "no-products" => text("id").and_then(|id| done(self.act_no_products(&id, &by, now))),
            _ => return None,
        })
    }

    /// How the org behaves from now on.
    fn furnished(&mut self, verb: &str, body: &Value) -> Option<Done> {
        let text = |name: &str| text(body, name);
        Some(match verb {
            "rule" => text("table").and_then(|table| {
                let message = text("message")?;
                let column = body["column"].as_str().filter(|c| *c != "any");
                self.rule(&table, column, &message);
                Ok(json!({}))
            }),
            "rewrite" => self.plugged_in(body),
            "clear-rules" => {
                self.clear_rules();
                Ok(json!({}))
            }
            "deny" => text("table").and_then(|table| {
                self.deny(&table, &text("right")?);
                Ok(json!({}))
            }),
            "allow-all" => {
                self.allow_all();
                Ok(json!({}))
            }
            "stale" => text("table").and_then(|set| {
                let reads = body["reads"].as_u64().unwrap_or(1);
                self.stale(&set, &text("id")?, reads as u32);
                Ok(json!({}))
            }),
            "key-status" => {
                text("table").and_then(|set| done(self.key_status(&set, &text("column")?, &text("status")?)))
            }
            "expire-delta-tokens" => {
                self.expire_delta_tokens();
                Ok(json!({}))
            }
            "unprovision" => {
                self.unprovision();
                Ok(json!({}))
            }
            "switches" => self.switched(body),
            _ => return None,
        })
    }

    fn plugged_in(&mut self, body: &Value) -> Done {
        let (set, column) = (text(body, "table")?, text(body, "column")?);
        let rewrite: PluginRewrite =
            serde_json::from_value(body["as"].clone()).map_err(|e| format!("`as`: {e}"))?;
        if !self.tables.get(&set).is_some_and(|table| table.columns.contains_key(&column)) {
            return Err(format!("no column `{column}` in `{set}`"));
        }
        self.rewrite(&set, &column, rewrite);
        Ok(json!({}))
    }

    /// Only what is named changes.
    fn switched(&mut self, body: &Value) -> Done {
        let mut all = json!(self.switches);
        for (name, value) in body.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        self.switches = serde_json::from_value(all).map_err(|e| e.to_string())?;
        Ok(json!(self.switches))
    }
}
