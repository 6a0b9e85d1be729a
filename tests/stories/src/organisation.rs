//! What the organisation and its administrators set up and change, and what goes wrong between the systems.

use crate::{
    overrides,
    stage::Stage,
    story::{Field, Mishap, Org, Override, Paste, Rewriting, System, Vendors},
};
use local::world::QUEUE;
use mapping::CrmKind;
use serde_json::{Value, json};
use simulators::{
    dataverse, login, salesforce,
    server::{Fault, FaultKind, Server, Simulator},
    weather::Weather,
};

/// A field's column, by the name the world's words know.
fn column(field: Field) -> &'static str {
    match field {
        Field::Name => "name",
        Field::Value => "deal_value",
        Field::ClosingDate => "closing_date",
        Field::Notes => "notes",
    }
}

/// What a field is called in what is shown.
pub(crate) fn shown(field: Field) -> &'static str {
    match field {
        Field::Name => "name",
        Field::Value => "value",
        Field::ClosingDate => "closing_date",
        Field::Notes => "notes",
    }
}

pub(crate) fn found(stage: &Stage, org: &Org) {
    for (field, how) in &org.rewrites {
        let name = local::words::column(stage.crm, "opportunities", column(*field)).to_owned();
        match stage.crm {
            CrmKind::Dynamics365 => {
                let how = match how {
                    Rewriting::TrimEnd => dataverse::PluginRewrite::TrimEnd,
                    Rewriting::Upper => dataverse::PluginRewrite::Upper,
                    Rewriting::SingleBlanks => dataverse::PluginRewrite::SingleBlanks,
                    Rewriting::Round => dataverse::PluginRewrite::Round(0),
                    Rewriting::Prefix => dataverse::PluginRewrite::Prefix("EU ".into()),
                };
                stage.world.dataverse.system().rewrite("opportunities", &name, how);
            }
            CrmKind::Salesforce => {
                let how = match how {
                    Rewriting::TrimEnd => salesforce::FlowRewrite::TrimEnd,
                    Rewriting::Upper => salesforce::FlowRewrite::Upper,
                    Rewriting::SingleBlanks => salesforce::FlowRewrite::SingleBlanks,
                    Rewriting::Round => salesforce::FlowRewrite::Round(0),
                    Rewriting::Prefix => salesforce::FlowRewrite::Prefix("EU ".into()),
                };
                stage.world.salesforce.system().rewrite("Opportunity", &name, how);
            }
        }
    }
    if org.person_accounts {
        stage.world.salesforce.system().switches.person_accounts = true;
    }
}

pub(crate) fn behave(stage: &Stage, vendors: &Vendors) {
    let mut dataverse = stage.world.dataverse.system();
    let mut salesforce = stage.world.salesforce.system();
    if vendors.crm_page > 0 {
        dataverse.switches.page_rows = Some(vendors.crm_page.into());
        salesforce.switches.page_size = Some(vendors.crm_page.into());
    }
    salesforce.switches.child_rows_count = vendors.child_rows_count;
    dataverse.switches.plugin_bump = vendors.touched_after;
    salesforce.switches.system_process_after = vendors.touched_after.then_some(1);
    dataverse.switches.stale_reads = vendors.stale_reads.into();
}

/// Nothing fails any more; what the organisation decided stays.
pub(crate) fn fair(stage: &mut Stage) {
    fn clear<S: Simulator>(server: &Server<S>) {
        server.weather(None);
        server.clear_faults();
    }
    clear(&stage.world.partner_center);
    clear(&stage.world.dataverse);
    clear(&stage.world.salesforce);
    clear(&stage.world.login);
}

impl Stage {
    pub(crate) fn mishap(&mut self, system: System, mishap: Mishap) {
        let answer = |status: u16, after: Option<&str>| FaultKind::Answer {
            status,
            headers: after.map(|s| ("retry-after".to_owned(), s.to_owned())).into_iter().collect(),
            body: "<html>busy</html>".into(),
        };
        let kind = match mishap {
            Mishap::Throttled => answer(429, Some("20")),
            Mishap::ThrottledForDays => answer(429, Some("2592000")),
            Mishap::Busy => answer(503, None),
            Mishap::FailedAfter => FaultKind::AnswerAfter { status: 500, body: "<html>error</html>".into() },
            Mishap::RequestLost => FaultKind::DropBefore,
            Mishap::AnswerLost => FaultKind::DropAfter,
        };
        let fault = Fault { route: String::new(), skip: 0, times: 1, kind };
        match (system, self.crm) {
            (System::PartnerCenter, _) => self.world.partner_center.fault(fault),
            (System::Crm, CrmKind::Dynamics365) => self.world.dataverse.fault(fault),
            (System::Crm, CrmKind::Salesforce) => self.world.salesforce.fault(fault),
            (System::Login, _) => self.world.login.fault(fault),
        }
    }

    /// A system is down for so many minutes.
    pub(crate) async fn down(&mut self, system: System, minutes: u8) -> anyhow::Result<()> {
        self.weather(system, true);
        for _ in 0..minutes {
            self.minute().await?;
        }
        self.weather(system, false);
        Ok(())
    }

    fn weather(&self, system: System, down: bool) {
        let weather = down.then(|| Weather::down(3));
        match (system, self.crm) {
            (System::PartnerCenter, _) => self.world.partner_center.weather(weather),
            (System::Crm, CrmKind::Dynamics365) => self.world.dataverse.weather(weather),
            (System::Crm, CrmKind::Salesforce) => self.world.salesforce.weather(weather),
            (System::Login, _) => self.world.login.weather(weather),
        }
    }

    pub(crate) fn garbage(&mut self, looks_like_a_hint: bool) {
        let now = self.world.now();
        let body = if looks_like_a_hint {
            r#"{"v":9,"kind":"referral","id":"5f1c2d3e-0000-4000-8000-000000000001"}"#
        } else {
            "please call me back"
        };
        let group = format!("garbage-{now}");
        let _ = self.world.aws.system().send(QUEUE, &group, &group, body, now);
    }

    pub(crate) fn expire(&mut self) {
        match self.crm {
            CrmKind::Dynamics365 => self.world.dataverse.system().expire_delta_tokens(),
            CrmKind::Salesforce => self.world.salesforce.system().expire_locators(),
        }
    }

    /// A validation rule: the column takes nothing.
    pub(crate) fn rule(&mut self, field: Field) {
        self.rules = true;
        // It refuses whole creates.
        self.closed_door = true;
        for deal in &mut self.deals {
            deal.kept_out.insert(shown(field));
        }
        self.world.rule("opportunities", column(field), "Budget over 90,000 needs approval.");
    }

    /// A validation rule on contacts: none with a phone number.
    pub(crate) fn contact_rule(&mut self) {
        self.rules = true;
        self.world.rule("contacts", "phone", "Phones are kept elsewhere.");
    }

    pub(crate) fn clear_rules(&mut self) {
        self.rules = false;
        self.closed_door = false;
        self.world.clear_rules();
    }

    pub(crate) fn products(&mut self, which: u8) {
        let Some((deal, record)) = self.record(which) else { return };
        let Some(("opportunities", _)) = self.row(&record) else { return };
        let now = self.world.now();
        let crm = self.crm;
        self.says(deal, crate::stage::Side::Crm, |stage| match crm {
            CrmKind::Dynamics365 => {
                stage.world.dataverse.system().act_products(&record, dataverse::SELLER, 4321.5, now)
            }
            CrmKind::Salesforce => {
                stage.world.salesforce.system().act_products(&record, salesforce::SELLER, 4321.5, now)
            }
        });
    }

    /// A field of leads is hidden from the connector's user.
    pub(crate) fn hide_leads(&mut self) {
        self.world.salesforce.system().deny_field("Lead", "Description", "read");
    }

    pub(crate) async fn set_map(&mut self, overrides: &[Override]) {
        let mut map = self.map.clone();
        map.extend(overrides.iter().cloned());
        let answer =
            self.command(json!({ "command": "map", "action": "set", "map": overrides::toml(&map) })).await;
        if answer["ok"] == true {
            self.earlier_maps.push(std::mem::replace(&mut self.map, map));
        }
    }

    pub(crate) async fn rollback(&mut self) {
        let answer = self.command(json!({ "command": "map", "action": "rollback" })).await;
        if answer["ok"] == true
            && let Some(earlier) = self.earlier_maps.pop()
        {
            self.map = earlier;
        }
    }

    pub(crate) async fn relink(&mut self, which: u8, to: u8) {
        let (Some((deal, referral)), Some((other, record))) = (self.referral(which), self.record(to)) else {
            return;
        };
        let Some((set, _)) = self.row(&record) else { return };
        let kind = if set == "leads" { "lead" } else { "opportunity" };
        let answer = self
            .command(
                json!({ "command": "relink", "referral": referral, "record": format!("{kind}/{record}") }),
            )
            .await;
        if answer["ok"] == true && deal != other {
            // Whose record it was goes its own way from here on.
            self.deals[other].parted = true;
            self.deals[deal].parted = true;
        }
    }

    pub(crate) async fn disconnect(&mut self, which: u8) {
        let Some((deal, referral)) = self.referral(which) else { return };
        let answer = self.command(json!({ "command": "disconnect", "referral": referral })).await;
        if answer["ok"] == true {
            self.deals[deal].parted = true;
        }
    }

    /// CloudFormation updates the stack: the custom resource runs again.
    pub(crate) async fn upgrade(&mut self) {
        // CloudFormation's own address is played by a scripted answer.
        let taken = FaultKind::Answer { status: 200, headers: [].into(), body: String::new() };
        let route = "PUT cloudformation".to_owned();
        self.world.partner_center.fault(Fault { route, skip: 0, times: 1, kind: taken });
        let url = format!("{}/cloudformation", self.world.partner_center.url());
        let event = json!({
            "RequestType": "Update", "ResponseURL": url, "StackId": local::world::STACK_ID, "RequestId": "r-1",
            "LogicalResourceId": "Setup", "PhysicalResourceId": "setup", "ResourceType": "Custom::Setup",
            "ResourceProperties": { "ServiceToken": "arn:function" },
        });
        let told = self.world.call(event).await;
        let status = told["Status"].as_str().unwrap_or_default().to_owned();
        self.tell(format!("   Setup's update: {status} {}", told["Reason"].as_str().unwrap_or_default()));
        if status != "SUCCESS" {
            self.wrong("upgrade-failed", format!("an update of Setup fails: {}", told["Reason"]));
        }
    }

    /// A dry call changes nothing.
    pub(crate) async fn ask_what_would_go(&mut self) {
        let registered = self.world.partner_center.system().registration().is_some();
        let writes = self.world.writes();
        self.command(json!({ "command": "deprovision" })).await;
        let still = self.world.partner_center.system().registration().is_some();
        if registered && !still {
            self.wrong(
                "dry-run:registration",
                "`deprovision` without confirmation gave the registration away",
            );
            let (url, now) = (self.world.webhook_url.clone(), self.world.now());
            self.world.partner_center.system().register_webhook(&url, &local::world::EVENTS, false, now);
        } else if self.world.writes() != writes {
            self.wrong("dry-run:writes", "`deprovision` without confirmation wrote");
        }
    }

    pub(crate) fn paste_secret(&mut self, paste: Paste) {
        let key = salesforce::PRIVATE_KEY_PEM;
        let secret = match (self.crm, paste) {
            (CrmKind::Dynamics365, Paste::Mark) => {
                format!("\u{feff}{}", json!({ "client_secret": login::DYNAMICS_SECRET }))
            }
            (CrmKind::Dynamics365, _) => {
                json!({ "client_secret": format!("{}\n", login::DYNAMICS_SECRET) }).to_string()
            }
            (_, Paste::Mark) => format!("\u{feff}{}", json!({ "private_key": key })),
            (_, Paste::LineBreak) => json!({ "private_key": format!("{key}\n\n") }).to_string(),
            (_, Paste::Blanks) => json!({ "private_key": key.replace('\n', " ") }).to_string(),
            (_, Paste::Literal) => json!({ "private_key": key.replace('\n', "\\n") }).to_string(),
            (_, Paste::Quoted) => json!({ "private_key": format!("\"{key}\"") }).to_string(),
            (_, Paste::WithCertificate) => {
                let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
                json!({ "private_key": format!("{certificate}{key}") }).to_string()
            }
        };
        self.world.aws.system().put_secret("crm", &secret);
        // Whoever pastes deploys: the functions start anew and read it.
        let toml = overrides::toml(&self.map);
        if let Err(refused) = self.world.remap(&toml) {
            self.tell(format!("   the functions do not start: {refused:#}"));
        }
    }

    pub(crate) fn revoke_consent(&mut self, given_again: bool) {
        let now = self.world.now();
        let mut login = self.world.login.system();
        login.revoke();
        if given_again {
            let token = login.consent(now);
            drop(login);
            let secret: Value = json!({ "client_secret": login::PARTNER_SECRET, "refresh_token": token });
            self.world.aws.system().put_secret("partner-center", &secret.to_string());
        } else {
            drop(login);
            self.consent_revoked = true;
        }
    }

    /// The administrator does what the cure says: consents again.
    pub(crate) fn consent_again(&mut self) {
        if std::mem::take(&mut self.consent_revoked) {
            self.revoke_consent(true);
        }
    }
}
