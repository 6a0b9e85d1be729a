//! The control verbs: acting as people or as the vendor over `/_sim/`.

use super::{Deal, FAULTS, PartnerCenter, fault};
use crate::login::merged;
use jiff::Timestamp;
use serde_json::{Value, json};

impl PartnerCenter {
    /// `refer` and `refer_lead` take a referral to lay over the sample; `create_deal {"kind", "set"}`;
    /// `edit {"id", "set": {"/pointer": value}}`; `accept|decline|won|lost|expire {"id", "reason"}`;
    /// `convert {"id"}`;
    /// `microsoft {"id" or "engagementId", "action", "reason"}`; `lose`; `renew_certificate`; `switches`;
    /// `route {"from", "to"}`: deliveries to addresses that begin with `from`;
    /// `documented_faults` answers what `POST faults` takes, by name.
    pub(super) fn act_by_verb(
        &mut self,
        verb: &str,
        body: &Value,
        now: Timestamp,
    ) -> Option<Result<Value, String>> {
        let id = body["id"].as_str().or(body["engagementId"].as_str()).unwrap_or_default();
        let reason = body["reason"].as_str();
        let over = if body.is_null() { json!({}) } else { body.clone() };
        Some(match verb {
            "refer" => Ok(json!({ "id": self.refer(&over, now) })),
            "refer_lead" => Ok(json!({ "id": self.refer_lead(&over, now) })),
            "create_deal" => {
                let deal = match body["kind"].as_str().unwrap_or("cosell") {
                    "cosell" => Deal::CoSell,
                    "partner_led" => Deal::PartnerLed,
                    "private" => Deal::Private,
                    other => {
                        return Some(Err(format!(
                            "`kind`: expected cosell, partner_led or private, got `{other}`"
                        )));
                    }
                };
                let over = body.get("set").cloned().unwrap_or_else(|| json!({}));
                Ok(json!({ "id": self.create_deal(deal, &over, now) }))
            }
            "edit" => self.edit(id, &body["set"], now).map(|()| json!({ "id": id })),
            "accept" | "decline" | "won" | "lost" | "expire" => {
                self.act(id, verb, reason, now).map(|()| json!({ "id": id }))
            }
            "microsoft" => {
                let action = body["action"].as_str().unwrap_or_default();
                self.microsoft(id, action, reason, now).map(|id| json!({ "id": id }))
            }
            "convert" => self.convert(id, now).map(|id| json!({ "id": id })),
            "lose" => Ok(json!({ "lost": self.lose() })),
            "documented_faults" => {
                Ok(FAULTS.iter().filter_map(|name| Some((*name, json!(fault(name)?)))).collect())
            }
            "route" => {
                let text = |name: &str| body[name].as_str().unwrap_or_default();
                self.route(text("from"), text("to"));
                Ok(json!({}))
            }
            "renew_certificate" => {
                self.renew_certificate();
                Ok(json!({}))
            }
            "switches" => merged(&self.switches, body).map(|s| {
                self.switches = s;
                json!(self.switches)
            }),
            _ => return None,
        })
    }
}
