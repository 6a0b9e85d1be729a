//! The interactive run: addresses, `curl` lines, and one readable line per step.

use crate::{
    decisions::Decisions,
    desk::{Asked, Desk},
    events::Events,
    hands::{self, Hands, title},
    world::World,
};
use anyhow::Context as _;
use console::page::{self, Page};
use mapping::CrmKind;
use serde_json::json;
use simulators::{server::Logged, weather::Weather};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use sync::table::Item;
use tokio::time::MissedTickBehavior;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Between two looks at the webhooks and the queue.
const BEAT: Duration = Duration::from_millis(300);
/// Between two polls; the deployed schedule is a minute.
const POLL: Duration = Duration::from_secs(5);

/// Between two looks of the admin function's own; the deployed schedule is five minutes.
const WATCH: Duration = Duration::from_secs(15);

/// Of the vendors' calls so many fail in a run with a seed.
const TROUBLE: f64 = 0.05;

pub(crate) async fn run(world: &World, seed_of_trouble: Option<u64>, page: u16) -> anyhow::Result<()> {
    // What the functions decide, as their own log says it.
    let ours = Targets::new().with_default(LevelFilter::INFO).with_target("dynoxide", LevelFilter::OFF);
    let lines = fmt::layer().compact().without_time().with_target(false).with_level(false);
    let events = Events::default();
    let decisions = Decisions::default();
    let listeners = tracing_subscriber::registry().with(ours).with(lines);
    listeners.with(events.clone()).with(decisions.clone()).init();
    world.tick().await?;
    let deal = seed(world);
    let (desk, mut asked) = Desk::new(decisions);
    let desk = Arc::new(desk);
    let shown = Page { admin: desk.clone(), crm: Some(world.crm().as_str()), simulated: Some(desk.clone()) };
    let served = page::serve(shown, page).await;
    let served =
        served.with_context(|| format!("the page's port {page}: another run may have it; --page N"))?;
    desk.is_at(served.port);
    println!("\nOpen in a browser on this machine (once):  {}", served.url);
    introduce(world, &deal);
    world.forget_calls();
    if let Some(seed) = seed_of_trouble {
        world.weather(&Weather::mixed(seed, TROUBLE));
    }
    let mut hands = Hands::default();
    let mut seen = Printed::default();
    let mut polled = Instant::now();
    let mut watched = Instant::now();
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => {
                println!("\nstopped");
                return Ok(());
            }
            Some(one) = asked.recv() => {
                answer(world, &mut hands, &events, one).await;
                continue;
            }
            _ = beat.tick() => {}
        }
        let delivered = hands.deliver(world).await;
        if delivered > 0 {
            let plural = if delivered == 1 { "" } else { "s" };
            let text = format!("{delivered} event{plural} delivered to the ingress");
            println!("  webhook         {text}");
            events.push(world.now(), "webhook", text);
        }
        hands.pump(world).await?;
        if polled.elapsed() >= POLL {
            polled = Instant::now();
            if let Err(error) = world.tick().await {
                println!("  poller          {error:#}");
            }
        }
        if watched.elapsed() >= WATCH {
            watched = Instant::now();
            world.call(json!({ "command": "watch" })).await;
        }
        seen.news(world, &events).await?;
    }
}

/// What the page asked.
async fn answer(world: &World, hands: &mut Hands, events: &Events, asked: Asked) {
    // Whoever asked may have gone away.
    match asked {
        Asked::Admin(event, to) => {
            let call = world.call(event);
            tokio::pin!(call);
            // A test event arrives while its command waits for it.
            let report = loop {
                tokio::select! {
                    report = &mut call => break report,
                    () = tokio::time::sleep(Duration::from_millis(5)) => {
                        world.webhooks().await;
                    }
                }
            };
            _ = to.send(report);
        }
        Asked::State(to) => _ = to.send(hands::state(world, events.last())),
        Asked::Act(act, to) => {
            let done = hands.act(world, &act);
            if let Ok(done) = &done {
                let said = done["said"].as_str().unwrap_or_default();
                events.push(world.now(), "you", said.to_owned());
            }
            _ = to.send(done);
        }
    }
}

/// How much of it was shown.
#[derive(Default)]
struct Printed {
    partner_center: usize,
    crm: usize,
    parked: usize,
}

impl Printed {
    async fn news(&mut self, world: &World, events: &Events) -> anyhow::Result<()> {
        let partner_center = world.partner_center.requests();
        let crm = world.crm_requests();
        let mut news: Vec<(&str, &Logged)> = vec![];
        news.extend(partner_center[self.partner_center..].iter().map(|log| ("Partner Center", log)));
        news.extend(crm[self.crm..].iter().map(|log| (title(world.crm()), log)));
        show(news, events);
        (self.partner_center, self.crm) = (partner_center.len(), crm.len());
        let parked = world.parked().await?;
        if parked.len() != self.parked {
            self.parked = parked.len();
            for row in &parked {
                if let Item::Parked(parked) = &row.item {
                    events.push(world.now(), "parked", format!("{}: {}", row.key.sk, parked.reason));
                    println!(
                        "  parked          {}: {}, again at {}",
                        row.key.sk, parked.reason, parked.next_try
                    );
                }
            }
        }
        Ok(())
    }
}

/// In the order they arrived. Idle polls are no news.
fn show(mut news: Vec<(&str, &Logged)>, events: &Events) {
    news.retain(|(_, log)| {
        !(log.method == "GET" && (log.route.contains("delta") || log.route.ends_with('?')))
    });
    news.sort_by_key(|(_, log)| log.at);
    for (system, log) in news {
        if log.method != "GET" && !log.path.contains("token") {
            let kind = if system == "Partner Center" { "partner_center" } else { "crm" };
            events.push(log.at, kind, format!("{} -> {}", log.route, log.status));
        }
        let writes = log.method != "GET" && !log.body.is_empty() && !log.path.ends_with("$batch");
        let body: String = if writes { log.body.chars().take(160).collect() } else { String::new() };
        println!("  {system:<15} {} -> {} {body}", log.route, log.status);
    }
}

/// An opportunity that lacks only Sync = Yes.
fn seed(world: &World) -> String {
    let deal = world.deal(json!({ "help": "ProofOfConceptOrDemo" }));
    world.add_solution(&deal);
    deal
}

/// What the seller does, as the CRM's simulator takes it: the member that names a table, the table, Sync, the amount.
fn of_seller(crm: CrmKind) -> [&'static str; 4] {
    match crm {
        CrmKind::Dynamics365 => ["table", "opportunities", "cosell_syncwithpartnercenter", "estimatedvalue"],
        CrmKind::Salesforce => ["object", "Opportunity", "Sync_with_Partner_Center__c", "Amount"],
    }
}

fn introduce(world: &World, deal: &str) {
    let (pc, crm, name) = (world.partner_center.url(), world.crm_url(), title(world.crm()));
    let [table, deals, sync, amount] = of_seller(world.crm());
    println!(
        "\
Partner Center   {pc}      {name:<14} {crm}
Login            {login}      SQS, secrets   {aws}
Webhook          {webhook}
Everything each of them holds: /_sim/state; every request it got: /_sim/requests

1. Microsoft sends a co-sell referral; an opportunity appears, on hold:
   curl -sw '\\n' -XPOST {pc}/_sim/refer -d '{{}}'
   curl -s {crm}/_sim/state | python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin), indent=1))' | less

2. Somebody accepts it, then edits it, in Partner Center (ID: the answer of 1):
   curl -sw '\\n' -XPOST {pc}/_sim/accept -d '{{\"id\":\"ID\"}}'
   curl -sw '\\n' -XPOST {pc}/_sim/edit -d '{{\"id\":\"ID\",\"set\":{{\"/details/dealValue\":92500}}}}'

3. A seller shares an opportunity with Microsoft; both halves of a co-sell engagement appear within {poll} seconds:
   curl -sw '\\n' -XPOST {crm}/_sim/edit -d '{{\"{table}\":\"{deals}\",\"id\":\"{deal}\",\"set\":{{\"{sync}\":true}}}}'

4. The seller edits it:
   curl -sw '\\n' -XPOST {crm}/_sim/edit -d '{{\"{table}\":\"{deals}\",\"id\":\"{deal}\",\"set\":{{\"{amount}\":72000}}}}'

5. A fault: {name} is down for three calls:
   curl -sw '\\n' -XPOST {crm}/_sim/faults -d '{{\"times\":3,\"kind\":\"answer\",\"status\":503}}'

What follows from it, step by step (Ctrl-C ends):",
        login = world.login.url(),
        aws = world.aws.url(),
        webhook = world.webhook_url,
        poll = POLL.as_secs(),
    );
}
