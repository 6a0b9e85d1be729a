//! The functions `Admin` and `AdminLook`: set-up and operation. Called by CloudFormation as a custom resource, by the
//! schedule every five minutes, and by people with `cosell` or `sam remote invoke`. JSON in, readable JSON out; decides
//! nothing about deals. Start at [`handle`]; [`command`] lists the commands, and most have a file of their own.
//!
//! Called and answered:
//!
//! - [`command`]: the commands, as JSON, and the usage
//! - [`report`]: the answer: lines for a person, data for a program
//! - `acts`: a row in the table for each act: who, what, how it ended
//! - [`plan`]: what an act was shown to do, and that it does no more
//! - `stack`: the custom resource of CloudFormation
//!
//! Looking:
//!
//! - `overview`: whether all is well, and the numbers behind it
//! - `doctor`: each system asked, with what to do
//! - `surroundings`: its checks that call no vendor
//! - `sign_in`: its cures for a refused sign-in
//! - `certificate`: its check of the signing certificate
//! - `columns`: the CRM's metadata held against the map
//! - `watch`: what the schedule checks every five minutes
//! - `history`: the numbers of the last 24 hours
//! - `pace`: how far each part of a tick has come, and holds
//! - `deadlines`: what has an end: secrets, certificates, deals
//! - `deals`: every linked deal, from the table
//! - `parked`: what is parked, by what would heal it
//! - `explain`: one deal's timeline
//! - `sides`: a deal as both sides have it now
//! - `preview`: what would be written now, by the ports of `dry`
//! - `anew`: what another map would change
//!
//! Acting:
//!
//! - `map`: the override of the field map
//! - `provision`: makes what the map names and the CRM lacks
//! - `forms`: our columns on Dynamics 365's forms
//! - `deprovision`: deletes what `provision` made
//! - [`register`]: the webhook's registration
//! - `rotate`: another address for the webhook
//! - `repair`: tries again, and repairs links
//! - `long`: `backfill` and `rebase`, over many calls
//! - `walk`: every referral, record or link, page by page
//! - `dry`: ports that read, and write nothing

mod acts;
mod anew;
mod certificate;
mod columns;
pub mod command;
mod deadlines;
mod deals;
mod deprovision;
mod doctor;
mod dry;
mod explain;
mod forms;
mod history;
mod long;
mod map;
mod overview;
mod pace;
mod parked;
pub mod plan;
mod preview;
mod provision;
pub mod register;
mod repair;
pub mod report;
mod rotate;
mod sides;
mod sign_in;
mod stack;
mod surroundings;
mod walk;
mod watch;

use clients::{
    aws::SdkConfig, caller::Callers, clock::Clock, config, door::WebhookAddress, http::BuildError,
    live::Live, outside, partner_center::webhooks::Webhooks, queue::Queue, secrets::Secrets,
};
use command::{Command, USAGE};
use config::Right;
use jiff::{SignedDuration, Timestamp};
use long::Long;
use mapping::Map;
use report::Report;
use serde_json::{Value, json};
use stack::whose::Whose;
use std::{sync::Arc, time::Duration};
use sync::failure::Failure;

/// A command ends this long before its run is killed, so that its answer is still given.
const TAIL: SignedDuration = SignedDuration::from_secs(20);

/// What the function keeps between calls.
pub struct App {
    config: config::Admin,
    live: Live,
    webhooks: Webhooks,
    dead: Queue,
    secrets: Secrets,
    callers: Callers,
    /// Which requests of CloudFormation are answered: those about this stack, at an address of CloudFormation's.
    whose: Whose,
    /// Whether a pause takes its full time. `false` in tests, which move the clock themselves.
    sleeps: bool,
}

impl App {
    /// Builds every client once. `table`: the AWS configuration with which the table is reached.
    pub fn open(
        config: config::Admin,
        aws: &SdkConfig,
        table: &SdkConfig,
        map: Arc<Map>,
        clock: Clock,
        sleeps: bool,
    ) -> Result<Self, BuildError> {
        let worker = outside::App::open(&config.worker, aws, table, map, clock, false)?;
        let center = &worker.outside.partner_center;
        let webhooks = center.webhooks(&config.webhooks_api_url, &config.webhooks_audience);
        let dead = Queue::new(aws, &config.dead_letter_queue_url);
        let whose = Whose::of(&config, aws);
        let callers = Callers::new(aws, config.stack_id.as_deref().unwrap_or_default())?;
        Ok(App {
            whose,
            webhooks,
            dead,
            secrets: Secrets::new(aws),
            callers,
            live: Live::new(worker),
            config,
            sleeps,
        })
    }

    /// The stack's name: a dimension of each metric, so that several stacks do not mix.
    pub fn stack(&self) -> &str {
        &self.config.worker.stack
    }

    /// The webhook's address as it is stored now.
    async fn address(&self) -> Result<WebhookAddress, Failure> {
        WebhookAddress::fetch(&self.secrets, &self.config.webhook_token_arn, &self.config.webhook_url).await
    }

    async fn pause(&self, pause: Duration) {
        tokio::time::sleep(if self.sleeps { pause } else { Duration::from_millis(20) }).await;
    }
}

/// The function, or why it could not be opened; a call is answered in either case.
pub type Opened = Result<App, String>;

/// What Lambda says about an invocation.
#[derive(Clone, Debug)]
pub struct Call {
    /// When its run is killed.
    pub ends: Timestamp,
    /// Its request id: CloudTrail names the caller under it.
    pub request: String,
}

/// One call: a stack's event, or a command. Never fails: every outcome is an answer.
pub async fn handle(app: &Opened, event: &Value, call: &Call) -> Value {
    let ends = call.ends - TAIL;
    if let Some(request) = stack::Request::read(event) {
        if app.as_ref().is_ok_and(|app| app.config.right == Right::Look) {
            return json!(acts::only_looks("a stack's request"));
        }
        let whose = app.as_ref().map_or(&Whose::UNKNOWN, |app| &app.whose);
        return match whose.refuses(&request) {
            None => Box::pin(stack::handle(app, &request, ends, &call.request)).await,
            Some(reason) => {
                tracing::error!(
                    alarm = "stranger",
                    reason,
                    "a request that is not this stack's CloudFormation's"
                );
                json!(Report::fault_only(reason, "nothing was done, and nobody was told"))
            }
        };
    }
    let report = match app {
        Ok(app) => Box::pin(answer(app, event, ends, &call.request)).await,
        Err(faults) => Report::fault_only(faults, "correct the stack's parameters and deploy again"),
    };
    json!(report)
}

async fn answer(app: &App, event: &Value, ends: Timestamp, request: &str) -> Report {
    match Command::parse(event, Map::standard(app.config.worker.crm.kind())) {
        Ok(command) if !command.acts() => Box::pin(done(app, command, ends)).await,
        Ok(_) if app.config.right == Right::Look => acts::only_looks(&format!("`{}`", acts::name(event))),
        // What the schedule does is no administrator's act.
        Ok(Command::Watch) => Box::pin(done(app, Command::Watch, ends)).await,
        Ok(command) => Box::pin(acts::act(app, command, event, ends, request)).await,
        Err(wrong) => {
            let mut report = Report::fault_only(wrong, "see the usage in `data`");
            report.data = usage();
            report
        }
    }
}

/// Carries a command out; a failure becomes a line of the report.
async fn done(app: &App, command: Command, ends: Timestamp) -> Report {
    Box::pin(run(app, command, ends)).await.unwrap_or_else(|failure| {
        let mut report = Report::default();
        report.failed(&failure);
        report
    })
}

/// Carries a command out.
async fn run(app: &App, command: Command, ends: Timestamp) -> Result<Report, Failure> {
    match command {
        Command::Register { overwrite } => {
            register::register(app, overwrite.unwrap_or(app.config.overwrite)).await
        }
        Command::Rotate => rotate::rotate(app).await,
        Command::Unregister => register::unregister(app).await,
        Command::SelfTest => register::self_test(app).await,
        Command::Watch => Box::pin(watch::watch(app, ends)).await,
        Command::Overview => overview::overview(app).await,
        Command::Deals(listed) => deals::deals(app, listed).await,
        Command::Parked => parked::parked(app).await,
        Command::Acts => acts::list(app).await,
        Command::Explain(about, sides) => Box::pin(explain::explain(app, about, sides)).await,
        Command::Look(about) => repair::look(app, about).await,
        Command::Preview(about) => Box::pin(preview::preview(app, about, ends)).await,
        Command::Backfill(action) => Box::pin(long::command(app, Long::Backfill, action, ends)).await,
        Command::Rebase(action) => Box::pin(long::command(app, Long::Rebase, action, ends)).await,
        Command::Retry { filter } => repair::retry(app, filter.as_deref(), ends).await,
        Command::Planned(command, planning) => Box::pin(plan::run(app, *command, planning, ends)).await,
        Command::Redrive { filter } => repair::redrive(app, filter.as_deref(), ends).await,
        Command::Relink(pairs) => repair::relink(app, pairs, ends).await,
        Command::Disconnect(about) => repair::disconnect(app, about, ends).await,
        Command::Map(action) => Box::pin(map::map(app, action, ends)).await,
        Command::Doctor(part) => Box::pin(doctor::doctor(app, part.as_deref())).await,
        Command::Provision => Box::pin(provision::provision(app, ends)).await,
        Command::Deprovision { data, confirm } => {
            Box::pin(deprovision::deprovision(app, data, confirm.as_deref(), ends)).await
        }
        Command::Help => {
            let mut report = Report::default();
            report.good("the usage is in `data`");
            report.data = usage();
            Ok(report)
        }
    }
}

fn usage() -> Value {
    json!(USAGE.lines().collect::<Vec<_>>())
}
