//! The simulators as a process, for runs from outside: starts them all on loopback, prints one JSON line of
//! addresses and serves until SIGINT or SIGTERM. Each one's control API is below `/_sim/` of its address.

use serde_json::json;
use simulators::{
    aws::Aws,
    clock::Clock,
    dataverse::Dataverse,
    login::Login,
    partner_center::{self, Forge, PartnerCenter},
    salesforce::{self, Salesforce},
    server::Server,
};
use std::{process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
usage: simulators [--port P]

Starts the simulated outside systems on 127.0.0.1 and prints one JSON line:
login, partner_center, dataverse, aws, salesforce (base URLs), certificate_url, certificate_roots_pem, and what signs in
to Salesforce: salesforce_client_id, salesforce_client_secret, salesforce_username, salesforce_admin_username,
salesforce_private_key_pem. Called as `localhost` Salesforce is the login host, as 127.0.0.1 My Domain.

Webhooks go out as events happen; a refused one again after a minute, then twice as long each time.

  --port P   login listens on P, the others on P+1 to P+4; 0 (default): free ports
  --help     this text

Stops on SIGINT or SIGTERM. Exit code 2: bad usage.
Control API of each: GET /_sim/state|requests|clock, POST /_sim/faults|clock|<verb>, DELETE /_sim/requests|faults.";

const SYSTEMS: u16 = 5;
const DELIVERY_PERIOD: Duration = Duration::from_millis(200);

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Help,
    Run { port: u16 },
}

fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let mut port = 0;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--port" => {
                let text = arguments.next().ok_or("`--port` needs a number")?;
                let highest = u16::MAX - (SYSTEMS - 1);
                let number = text.parse().ok().filter(|n| *n <= highest);
                port = number.ok_or_else(|| format!("`--port {text}`: expected 0 to {highest}"))?;
            }
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(Command::Run { port })
}

#[tokio::main]
async fn main() -> ExitCode {
    let port = match parse(std::env::args().skip(1)) {
        Ok(Command::Run { port }) => port,
        Ok(Command::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("{fault}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("simulators: {e}");
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16) -> std::io::Result<()> {
    // Before the addresses are out: who reads them may stop us at once.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let clock = Clock::default();
    let nth = |n: u16| if port == 0 { 0 } else { port + n };
    let dataverse = Server::start(nth(2), clock.clone(), Dataverse::new).await?;
    let organizations = vec![dataverse.url()];
    let login = Server::start(nth(0), clock.clone(), |_| Login::new(organizations)).await?;
    let timed = |url: &str| PartnerCenter::new(url).with_clock(clock.clone());
    let partner_center = Server::start(nth(1), clock.clone(), timed).await?;
    let aws = Server::start(nth(3), clock.clone(), Aws::new).await?;
    let salesforce = Server::start(nth(4), clock.clone(), Salesforce::new).await?;
    let addresses = json!({
        "login": login.url(),
        "partner_center": partner_center.url(),
        "dataverse": dataverse.url(),
        "aws": aws.url(),
        "salesforce": salesforce.url(),
        "certificate_url": partner_center.system().certificate_url(Forge::Microsoft),
        "certificate_roots_pem": partner_center::roots_pem(),
        "salesforce_client_id": salesforce::CLIENT_ID,
        "salesforce_client_secret": salesforce::CLIENT_SECRET,
        "salesforce_username": salesforce::USERNAME,
        "salesforce_admin_username": salesforce::ADMIN_USERNAME,
        "salesforce_private_key_pem": salesforce::PRIVATE_KEY_PEM,
    });
    println!("{addresses}");
    let deliveries = async {
        let mut ticks = tokio::time::interval(DELIVERY_PERIOD);
        loop {
            ticks.tick().await;
            partner_center::deliver(&partner_center).await;
        }
    };
    tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
        never = deliveries => never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Command, String> {
        parse(arguments.iter().map(|a| (*a).to_owned()))
    }

    #[test]
    fn the_port_is_optional_and_leaves_room_for_all_systems() {
        assert_eq!(parsed(&[]), Ok(Command::Run { port: 0 }));
        assert_eq!(parsed(&["--port", "65531"]), Ok(Command::Run { port: 65531 }));
        assert_eq!(parsed(&["--port", "1", "--help"]), Ok(Command::Help));
    }

    #[test]
    fn bad_usage_is_told() {
        for bad in [&["--port"][..], &["--port", "x"], &["--port", "65532"], &["--crm"], &["8080"]] {
            assert!(parsed(bad).is_err(), "{bad:?}");
        }
    }
}
