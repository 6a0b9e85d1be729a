//! What somebody does at the page: as Microsoft, as the partner in Partner Center, as a seller in the CRM, or as bad luck.

use crate::world::World;
use mapping::CrmKind;
use serde_json::{Value, json};
use simulators::{
    partner_center::Forge,
    server::{Blow, Fault, FaultKind, Strike},
};
use std::sync::Arc;

/// Rows of an import.
const IMPORTED: usize = 200;

/// What befalls the next webhook.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mischief {
    Lost,
    Doubled,
    Forged,
}

/// The hands, and what they have prepared.
#[derive(Default)]
pub(crate) struct Hands {
    mischief: Option<Mischief>,
    /// The writer's next run that calls a vendor is killed.
    kill: bool,
}

impl Hands {
    /// One act; what is wrong with it in words.
    pub(crate) fn act(&mut self, world: &World, act: &Value) -> Result<Value, String> {
        let text = |name: &str| act[name].as_str().ok_or_else(|| format!("`{name}`: expected a text"));
        let number = |name: &str| act[name].as_f64().ok_or_else(|| format!("`{name}`: expected a number"));
        let done = |said: &str, id: Option<String>| json!({ "ok": true, "said": said, "id": id });
        let said = |said: &str| Ok(done(said, None));
        match text("act")? {
            "refer" => {
                let id = match act["kind"].as_str() {
                    Some("lead") => world.refer_lead(json!({})),
                    _ => world.refer(json!({})),
                };
                Ok(done("Microsoft sent a referral", Some(id)))
            }
            "microsoft" => {
                let (does, now) = (text("does")?, world.now());
                let reason = (does == "decline").then_some("Customer chose another vendor");
                world.partner_center.system().microsoft(text("id")?, does, reason, now)?;
                said("Microsoft answered")
            }
            does @ ("accept" | "decline" | "win" | "lose") => {
                let does = match does {
                    "win" => "won",
                    "lose" => "lost",
                    does => does,
                };
                let reason = matches!(does, "lost" | "decline").then_some("Customer chose another vendor");
                world.partner_center.system().act(text("id")?, does, reason, world.now())?;
                said("done in Partner Center")
            }
            "edit_referral" => {
                let set = json!({ "/details/dealValue": number("deal_value")? });
                world.partner_center.system().edit(text("id")?, &set, world.now())?;
                said("edited in Partner Center")
            }
            "deal" => {
                let id = world.deal(json!({ "help": "ProofOfConceptOrDemo" }));
                world.add_solution(&id);
                Ok(done("a seller made a deal; Sync is not set yet", Some(id)))
            }
            "share" => {
                world.try_edit("opportunities", text("id")?, json!({ "sync": true }))?;
                said("the seller set Sync to Yes")
            }
            "edit_deal" => {
                world.try_edit(
                    "opportunities",
                    text("id")?,
                    json!({ "deal_value": number("deal_value")? }),
                )?;
                said("edited in the CRM")
            }
            "win_deal" => {
                world.try_win(text("id")?)?;
                said("won in the CRM")
            }
            "lose_deal" => {
                world.try_lose(text("id")?)?;
                said("lost in the CRM")
            }
            "both" => both(world, text("id")?),
            "import" => {
                let customer = world.customer();
                for n in 0..IMPORTED {
                    world.deal_of(&customer, json!({ "name": format!("Imported {n}"), "sync": true }));
                }
                said("200 deals without a solution, Sync = Yes")
            }
            "complete" => {
                let lacking = world.opportunities().into_iter().filter(is_imported);
                let ids: Vec<String> =
                    lacking.filter_map(|deal| Some(deal["id"].as_str()?.to_owned())).collect();
                ids.iter().for_each(|id| world.add_solution(id));
                said(&format!("{} imported deals got their solution", ids.len()))
            }
            trouble => self.trouble(world, trouble, act),
        }
    }

    fn trouble(&mut self, world: &World, trouble: &str, act: &Value) -> Result<Value, String> {
        let answer = |status: u16, headers: &[(&str, &str)]| FaultKind::Answer {
            status,
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            body: String::new(),
        };
        let said = match trouble {
            "lose_webhook" => {
                self.mischief = Some(Mischief::Lost);
                "the next webhook is lost: the sweep finds the change"
            }
            "double_webhook" => {
                self.mischief = Some(Mischief::Doubled);
                "the next webhook comes twice"
            }
            "tamper_webhook" => {
                self.mischief = Some(Mischief::Forged);
                "the next webhook is signed by somebody else: it is refused, and sent again a minute later"
            }
            "stop" => {
                fault(world, act, u32::MAX, answer(503, &[]))?;
                "it answers 503 until it is mended"
            }
            "throttle" => {
                fault(world, act, 3, answer(429, &[("retry-after", "7")]))?;
                "it answers 429 to the next three calls"
            }
            "kill_writer" => {
                self.kill = true;
                "the writer's next run is killed before it reads a vendor's answer; what it held comes back after six minutes"
            }
            "mend" => {
                (self.mischief, self.kill) = (None, false);
                world.partner_center.clear_faults();
                world.dataverse.clear_faults();
                world.salesforce.clear_faults();
                "all is as it should be"
            }
            other => return Err(format!("`{other}` is no act")),
        };
        Ok(json!({ "ok": true, "said": said }))
    }

    /// Delivers what waits, as the mischief has it; how many events.
    pub(crate) async fn deliver(&mut self, world: &World) -> usize {
        let Some(mischief) = self.mischief.filter(|_| world.partner_center.system().pending() > 0) else {
            return world.webhooks().await;
        };
        self.mischief = None;
        let set = |doubled: bool, forge: Forge| {
            let mut system = world.partner_center.system();
            system.switches.duplicate_deliveries = doubled;
            system.switches.forge = forge;
        };
        match mischief {
            Mischief::Lost => {
                world.partner_center.system().lose();
                return 0;
            }
            Mischief::Doubled => set(true, Forge::Microsoft),
            Mischief::Forged => set(false, Forge::WrongKey),
        }
        let delivered = world.webhooks().await;
        set(false, Forge::Microsoft);
        delivered
    }

    /// Hands the queue's messages to the writer, which may be killed.
    pub(crate) async fn pump(&mut self, world: &World) -> anyhow::Result<()> {
        let blow = self.kill.then(|| Strike::new(0, Blow::Kill { after_commit: true }));
        strike(world, blow.clone());
        let pumped = world.pump().await;
        strike(world, None);
        self.kill &= blow.is_none_or(|blow| !blow.has_struck());
        pumped.map(drop)
    }
}

/// Imported, and not shared yet.
fn is_imported(deal: &Value) -> bool {
    let name = deal["name"].as_str().unwrap_or_default();
    name.contains("Imported ") && deal["referral_id"].as_str().is_none_or(str::is_empty)
}

/// The same field on both sides at once.
fn both(world: &World, id: &str) -> Result<Value, String> {
    let deals = world.opportunities();
    let deal =
        deals.iter().find(|deal| deal["referral_id"] == id).ok_or("no deal of the CRM has this referral")?;
    world.partner_center.system().edit(id, &json!({ "/details/dealValue": 91_000 }), world.now())?;
    let of_crm = deal["id"].as_str().unwrap_or_default();
    world.try_edit("opportunities", of_crm, json!({ "deal_value": 73_000 }))?;
    Ok(
        json!({ "ok": true, "said": "91,000 in Partner Center and 73,000 in the CRM: the owner's stands, the other is told" }),
    )
}

fn fault(world: &World, act: &Value, times: u32, kind: FaultKind) -> Result<(), String> {
    let fault = Fault { route: String::new(), skip: 0, times, kind };
    match act["side"].as_str() {
        Some("partner_center") => world.partner_center.fault(fault),
        Some("crm") => world.crm_fault(fault),
        _ => return Err("`side`: expected `crm` or `partner_center`".to_owned()),
    }
    Ok(())
}

fn strike(world: &World, strike: Option<Arc<Strike>>) {
    world.partner_center.strike(strike.clone());
    world.dataverse.strike(strike.clone());
    world.salesforce.strike(strike.clone());
    if let Ok(mut known) = world.strike.lock() {
        *known = strike;
    }
}

/// Both vendors' deals, as the page shows them beside each other.
pub(crate) fn state(world: &World, events: Value) -> Value {
    let system = world.partner_center.system();
    let mut referrals: Vec<Value> = system
        .referrals()
        .values()
        .map(|one| {
            json!({
                "id": one["id"], "name": one["name"], "type": one["type"], "direction": one["direction"],
                "status": one["status"], "substatus": one["substatus"], "deal_value": one["details"]["dealValue"],
                "currency": one["details"]["currency"], "engagement": one["engagementId"],
                "microsoft": one["organizationName"] == "Microsoft", "created": one["createdDateTime"],
            })
        })
        .collect();
    drop(system);
    referrals.sort_by(|one, other| one["created"].as_str().cmp(&other["created"].as_str()));
    let rows = |table: &'static str| {
        let rows = world.rows(table).into_iter();
        rows.map(move |row| {
            json!({
                "table": table, "id": row["id"], "name": row["name"], "status": status(&row),
                "deal_value": row["deal_value"], "sync": row["sync"], "referral_id": row["referral_id"],
                "audit": row["audit"],
            })
        })
    };
    let crm: Vec<Value> = rows("opportunities").chain(rows("leads")).collect();
    json!({ "now": world.now(), "partner_center": referrals, "crm": crm, "events": events })
}

/// A deal's state in words, or a lead's status.
fn status(row: &Value) -> Value {
    let word =
        |code: Option<i64>| ["open", "qualified", "disqualified"].get(usize::try_from(code?).ok()?).copied();
    match (&row["state"], row["statecode"].as_i64()) {
        (Value::Null, code @ Some(_)) => json!(word(code)),
        (Value::Null, None) => row["Status"].clone(),
        (state, _) => state.clone(),
    }
}

pub(crate) fn title(crm: CrmKind) -> &'static str {
    match crm {
        CrmKind::Dynamics365 => "Dynamics 365",
        CrmKind::Salesforce => "Salesforce",
    }
}
