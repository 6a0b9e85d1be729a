//! The interactive run: addresses, `curl` lines, and one readable line per step.

use local::world::World;
use serde_json::{Value, json};
use simulators::{
    dataverse::{CHF, SELLER},
    server::Logged,
    weather::Weather,
};
use std::time::{Duration, Instant};
use sync::table::Item;
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

/// Of the vendors' calls so many fail in a run with a seed.
const TROUBLE: f64 = 0.05;

pub(crate) async fn run(world: &World, seed_of_trouble: Option<u64>) -> anyhow::Result<()> {
    // What the functions decide, as their own log says it.
    let ours = Targets::new().with_default(LevelFilter::INFO).with_target("dynoxide", LevelFilter::OFF);
    let lines = fmt::layer().compact().without_time().with_target(false).with_level(false);
    tracing_subscriber::registry().with(ours).with(lines).init();
    world.tick().await?;
    let deal = seed(world)?;
    introduce(world, &deal);
    world.partner_center.forget_requests();
    world.dataverse.forget_requests();
    if let Some(weather) = seed_of_trouble.map(|seed| Weather::mixed(seed, TROUBLE)) {
        world.partner_center.weather(Some(weather.clone()));
        world.dataverse.weather(Some(weather));
    }
    let mut shown = (0, 0, 0);
    let mut polled = Instant::now();
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => {
                println!("\nstopped");
                return Ok(());
            }
            () = tokio::time::sleep(BEAT) => {}
        }
        let delivered = world.webhooks().await;
        if delivered > 0 {
            println!("  webhook         {delivered} event(s) delivered to the ingress");
        }
        world.pump().await?;
        if polled.elapsed() >= POLL {
            polled = Instant::now();
            if let Err(error) = world.tick().await {
                println!("  poller          {error:#}");
            }
        }
        let partner_center = world.partner_center.requests();
        let dataverse = world.dataverse.requests();
        let mut news: Vec<(&str, &Logged)> = vec![];
        news.extend(partner_center[shown.0..].iter().map(|log| ("partner center", log)));
        news.extend(dataverse[shown.1..].iter().map(|log| ("dynamics", log)));
        show(news);
        shown.0 = partner_center.len();
        shown.1 = dataverse.len();
        let parked = world.parked().await?;
        if parked.len() != shown.2 {
            shown.2 = parked.len();
            for row in &parked {
                if let Item::Parked(parked) = &row.item {
                    println!(
                        "  parked          {}: {}, again at {}",
                        row.key.sk, parked.reason, parked.next_try
                    );
                }
            }
        }
    }
}

/// In the order they arrived. Idle polls are no news.
fn show(mut news: Vec<(&str, &Logged)>) {
    news.retain(|(_, log)| {
        !(log.method == "GET" && (log.route.contains("delta") || log.route.ends_with('?')))
    });
    news.sort_by_key(|(_, log)| log.at);
    for (system, log) in news {
        let writes = log.method != "GET" && !log.body.is_empty() && !log.path.ends_with("$batch");
        let body: String = if writes { log.body.chars().take(160).collect() } else { String::new() };
        println!("  {system:<15} {} -> {} {body}", log.route, log.status);
    }
}

/// An opportunity that lacks only Sync = Yes.
fn seed(world: &World) -> anyhow::Result<String> {
    let now = world.now();
    let mut crm = world.dataverse.system();
    let known = crm
        .rows("cosell_solutiondetails")
        .into_iter()
        .find(|row| row["cosell_solutionid"] == "SOL-48213-KTR");
    let known = known.and_then(|row| row["cosell_solutiondetailid"].as_str()).map(str::to_owned);
    let mut create = |set: &str, columns: Value| {
        crm.act_create(set, SELLER, columns, now).map_err(|e| anyhow::anyhow!("{set}: {e}"))
    };
    let account = create(
        "accounts",
        json!({ "name": "Kestrel Foods Ltd", "address1_line1": "4 Mill Lane", "address1_city": "Leeds",
                "address1_postalcode": "LS1 4AB", "address1_country": "GB" }),
    )?;
    let contact = create(
        "contacts",
        json!({ "firstname": "Priya", "lastname": "Shah", "telephone1": "+441135550177",
                "emailaddress1": "priya.shah@kestrelfoods.example" }),
    )?;
    let detail = match known {
        Some(id) => id,
        None => create(
            "cosell_solutiondetails",
            json!({ "cosell_solutionid": "SOL-48213-KTR", "cosell_name": "Juniper Peak Fleet Insight",
                    "cosell_type": "3P", "cosell_publisher": "Juniper Peak Software" }),
        )?,
    };
    let deal = create(
        "opportunities",
        json!({ "name": "Kestrel Foods - demand planning", "estimatedvalue": 61000.5,
                "estimatedclosedate": "2027-07-31", "description": "Need PoC support for forecasting workload.",
                "cosell_helprequested": 100_000_003,
                "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({CHF})"),
                "customerid_account@odata.bind": format!("/accounts({account})"),
                "parentaccountid@odata.bind": format!("/accounts({account})"),
                "parentcontactid@odata.bind": format!("/contacts({contact})"),
                "ownerid@odata.bind": format!("/systemusers({SELLER})") }),
    )?;
    create(
        "cosell_solutions",
        json!({ "cosell_name": "Juniper Peak Fleet Insight",
                "cosell_OpportunityId@odata.bind": format!("/opportunities({deal})"),
                "cosell_SolutionDetailId@odata.bind": format!("/cosell_solutiondetails({detail})") }),
    )?;
    Ok(deal)
}

fn introduce(world: &World, deal: &str) {
    let (pc, crm) = (world.partner_center.url(), world.dataverse.url());
    println!(
        "\
Partner Center   {pc}      Dynamics 365   {crm}
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
   curl -sw '\\n' -XPOST {crm}/_sim/edit -d '{{\"table\":\"opportunities\",\"id\":\"{deal}\",\"set\":{{\"cosell_syncwithpartnercenter\":true}}}}'

4. The seller edits it:
   curl -sw '\\n' -XPOST {crm}/_sim/edit -d '{{\"table\":\"opportunities\",\"id\":\"{deal}\",\"set\":{{\"estimatedvalue\":72000}}}}'

5. A fault: Dynamics 365 is down for three calls:
   curl -sw '\\n' -XPOST {crm}/_sim/faults -d '{{\"times\":3,\"kind\":\"answer\",\"status\":503}}'

What follows from it, step by step (Ctrl-C ends):",
        login = world.login.url(),
        aws = world.aws.url(),
        webhook = world.webhook_url,
        poll = POLL.as_secs(),
    );
}
