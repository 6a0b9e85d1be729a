//! Builds the ports of `sync` over real connections from the configuration, for writer, poller and tests.

use crate::{
    clock::Clock,
    config::{self, Worker, Writes},
    crm::{Crm, dynamics::Dynamics, salesforce::Salesforce},
    http::{BuildError, Http},
    links::Links,
    partner_center::PartnerCenter,
    queue::Queue,
    secrets::Secrets,
    token::Tokens,
};
use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use mapping::{CrmKind, Map};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use sync::{
    ports::Ports,
    run::{Run, Settings},
    table::StoredMap,
};

/// Time limit of one request to Partner Center or the CRM.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The outside systems of one function.
pub struct Outside {
    /// Partner Center's Referrals API.
    pub partner_center: PartnerCenter,
    /// The one CRM of the stack.
    pub crm: Crm,
    /// The stack's table in DynamoDB.
    pub links: Links,
    /// The queue of hints in SQS.
    pub queue: Queue,
    /// The clock that every run reads.
    pub clock: Clock,
}

impl Ports for Outside {
    type Referrals = PartnerCenter;
    type Crm = Crm;
    type Links = Links;
    type Hints = Queue;
    type Clock = Clock;
    fn referrals(&self) -> &PartnerCenter {
        &self.partner_center
    }
    fn crm(&self) -> &Crm {
        &self.crm
    }
    fn links(&self) -> &Links {
        &self.links
    }
    fn hints(&self) -> &Queue {
        &self.queue
    }
    fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// What writer and poller keep between runs.
pub struct App {
    /// The ports, shared by all runs of this process.
    pub outside: Outside,
    /// The field map in effect.
    pub map: Arc<Map>,
    /// Facts of the deployment.
    pub settings: Settings,
}

impl App {
    /// Builds every client once. `table`: the configuration by which the table is reached; the same as `aws`, except
    /// where the table is embedded. `stores_rotation`: for the poller, which alone stores a rotated refresh token.
    pub fn open(
        config: &Worker,
        aws: &SdkConfig,
        table: &SdkConfig,
        map: Arc<Map>,
        clock: Clock,
        stores_rotation: bool,
    ) -> Result<Self, BuildError> {
        let http = Http::new(TIMEOUT)?;
        let secrets = Secrets::new(aws);
        let from = &config.partner_center;
        let tokens =
            Tokens::partner_center(http.clone(), secrets.clone(), clock.clone(), from, stores_rotation);
        let filter = map.vendor().filter_updated;
        let partner_center =
            PartnerCenter::new(http.clone(), Arc::new(tokens), &from.api_url, &from.audience, filter);
        let crm = match &config.crm {
            config::CrmConfig::Dynamics365(dynamics) => {
                let tokens = Arc::new(Tokens::dynamics(http.clone(), secrets, clock.clone(), dynamics));
                Crm::Dynamics(Dynamics::new(http, tokens, &dynamics.url, map.clone()))
            }
            config::CrmConfig::Salesforce(salesforce) => {
                let tokens = Arc::new(Tokens::salesforce(http.clone(), secrets, clock.clone(), salesforce));
                Crm::Salesforce(Salesforce::new(http, tokens, &salesforce.api_version, map.clone()))
            }
        };
        let links = Links::new(table, &config.table_name, clock.clone());
        let queue = Queue::new(aws, &config.queue_url);
        let settings = Settings {
            organization: from.organization_id.clone(),
            grace: config.grace,
            audit_kept: SignedDuration::from_hours(24 * i64::from(config.audit_days)),
            writes: from.writes == Writes::All,
            strangers: Arc::default(),
        };
        Ok(App { outside: Outside { partner_center, crm, links, queue, clock }, map, settings })
    }

    /// The same connections and caches with another map.
    #[must_use]
    pub fn with_map(&self, map: Arc<Map>) -> Self {
        let Outside { partner_center, crm, links, queue, clock } = &self.outside;
        let outside = Outside {
            partner_center: partner_center.filtering(map.vendor().filter_updated),
            crm: crm.with_map(Arc::clone(&map)),
            links: links.clone(),
            queue: queue.clone(),
            clock: clock.clone(),
        };
        App { outside, map, settings: self.settings.clone() }
    }

    /// One run, which Lambda kills at `ends`; its hints have been received `attempt` times.
    pub fn run(&self, ends: Timestamp, attempt: u32) -> Run<'_, Outside> {
        Run { ports: &self.outside, map: &self.map, settings: &self.settings, ends, attempt }
    }
}

/// A stored field map cannot be used; the text lists all its faults.
#[derive(Debug, thiserror::Error)]
#[error("the field map has faults:\n{0}")]
pub struct FaultyMap(String);

/// The default map of a CRM, with the stored override if there is one.
pub fn map(crm: CrmKind, stored: Option<&StoredMap>) -> Result<Arc<Map>, FaultyMap> {
    let faulty = |faults: Vec<mapping::Fault>| {
        FaultyMap(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let map = Map::with_override(crm, stored.map_or("", |stored| &stored.toml)).map_err(faulty)?;
    Ok(Arc::new(match stored {
        Some(stored) => map.with_readings_before(&stored.readings).with_seen(&stored.seen),
        None => map.with_seen(&BTreeSet::new()),
    }))
}

/// The instant at which Lambda kills an invocation, from its deadline in milliseconds.
pub fn ends(deadline_ms: u64) -> Timestamp {
    i64::try_from(deadline_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}
