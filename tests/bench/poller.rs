//! The poller: nothing to do, one change, ten changes, a new co-sell deal.

use crate::{figure::Figure, play::Play, stage::Latency};
use anyhow::Context;
use serde_json::{Value, json};
use simulators::dataverse::{CHF, SELLER};

pub(crate) async fn measure(play: &mut Play, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    play.rest().await?;
    // Usual upstreams take their time: a tenth of the rounds tells as much.
    let latencies = [(Latency::NONE, rounds), (Latency::USUAL, rounds.div_ceil(10))];
    let mut figures = vec![];
    // Before anything has changed of late: the sweep lists that again.
    for (latency, rounds) in latencies {
        figures.push(idle(play, rounds, latency).await?);
    }
    for (latency, rounds) in latencies {
        figures.push(changed(play, rounds, 1, latency).await?);
    }
    figures.push(changed(play, rounds.div_ceil(4), 10, Latency::NONE).await?);
    figures.push(shared(play, rounds.div_ceil(10)).await?);
    Ok(figures)
}

/// An event is a tick here.
pub(crate) async fn idle(play: &mut Play, rounds: usize, latency: Latency) -> anyhow::Result<Figure> {
    let mut figure = Figure::new("poller", format!("idle tick, upstreams {}", latency.name()));
    play.stage.slow(latency);
    for _ in 0..rounds {
        play.tick(&mut figure, 1).await?;
    }
    play.stage.slow(Latency::NONE);
    Ok(figure)
}

/// A seller changes the value of some opportunities. The tick's own calls are in it.
async fn changed(play: &mut Play, rounds: usize, deals: usize, latency: Latency) -> anyhow::Result<Figure> {
    let case = format!("tick with {deals} changed, upstreams {}", latency.name());
    let mut figure = Figure::new("poller", case);
    for _ in 0..rounds {
        for _ in 0..deals {
            let (id, value) = (play.next(), 60_000 + play.number());
            play.stage.edit_opportunity(&id, json!({ "estimatedvalue": value }))?;
        }
        play.stage.slow(latency);
        play.tick(&mut figure, deals).await?;
        play.stage.slow(Latency::NONE);
        play.rest().await?;
    }
    Ok(figure)
}

/// A seller shares a deal with Microsoft. The tick's own calls are in it.
async fn shared(play: &mut Play, rounds: usize) -> anyhow::Result<Figure> {
    let mut figure = Figure::new("poller", "tick with a new co-sell deal");
    for _ in 0..rounds {
        share(play)?;
        play.tick(&mut figure, 1).await?;
        play.rest().await?;
    }
    Ok(figure)
}

fn share(play: &mut Play) -> anyhow::Result<()> {
    let number = play.number();
    let now = play.stage.now();
    let mut crm = play.stage.dataverse.system();
    let detail = crm.rows("cosell_solutiondetails").into_iter().next();
    let detail =
        detail.and_then(|row| row["cosell_solutiondetailid"].as_str()).context("a solution")?.to_owned();
    let mut create = |set: &str, columns: Value| {
        crm.act_create(set, SELLER, columns, now).map_err(|e| anyhow::anyhow!("{set}: {e}"))
    };
    let account = create(
        "accounts",
        json!({ "name": format!("Kestrel Foods {number} Ltd"), "address1_line1": "4 Mill Lane",
                "address1_city": "Leeds", "address1_postalcode": "LS1 4AB", "address1_country": "GB" }),
    )?;
    let contact = create(
        "contacts",
        json!({ "firstname": "Priya", "lastname": "Shah", "telephone1": "+441135550177",
                "emailaddress1": format!("priya.{number}@kestrelfoods.example") }),
    )?;
    let deal = create(
        "opportunities",
        json!({ "name": format!("Kestrel Foods - planning {number}"), "estimatedvalue": 61000.5,
                "estimatedclosedate": "2027-07-31", "description": "Need PoC support.",
                "cosell_helprequested": 100_000_003,
                "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({CHF})"),
                "customerid_account@odata.bind": format!("/accounts({account})"),
                "parentaccountid@odata.bind": format!("/accounts({account})"),
                "parentcontactid@odata.bind": format!("/contacts({contact})"),
                "ownerid@odata.bind": format!("/systemusers({SELLER})") }),
    )?;
    create(
        "cosell_solutions",
        json!({ "cosell_name": "A solution", "cosell_OpportunityId@odata.bind": format!("/opportunities({deal})"),
                "cosell_SolutionDetailId@odata.bind": format!("/cosell_solutiondetails({detail})") }),
    )?;
    let shared =
        crm.act_edit("opportunities", &deal, SELLER, json!({ "cosell_syncwithpartnercenter": true }), now);
    shared.map_err(|e| anyhow::anyhow!(e))
}
