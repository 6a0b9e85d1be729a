//! A whole world in one process: the simulators, an embedded DynamoDB, our handlers, and what AWS does between them
//! (gateway, event source mapping, schedule). Scenarios and the local run are built on it.

use aws_lambda_events::event::sqs::SqsEvent;
use clients::{
    aws::{self, SdkConfig},
    certificates::{Prefix, Sources},
    clock::Clock,
    config,
    links::{Calls, Links},
    live::Live,
    outside::{self, App},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{CrmKind, Map};
use serde_json::{Value, json};
use simulators::{
    aws::{Aws, lambda_event},
    clock,
    dataverse::Dataverse,
    login::{self, Login},
    partner_center::{self, PartnerCenter},
    salesforce::{self, Salesforce},
    server::{Logged, Server, Strike},
    weather::Weather,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use sync::{
    ports::Links as _,
    table::{Item, Key, Row},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Events the connector registers for.
pub const EVENTS: [&str; 4] =
    ["referral-created", "referral-updated", "related-referral-created", "related-referral-updated"];
const TABLE: &str = "links";
/// The last segment of the webhook's address, and the secret it stands in.
pub const SEGMENT: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH";
pub const SEGMENT_SECRET: &str = "webhook-token";
pub const QUEUE: &str = "hints.fifo";
pub const DEAD: &str = "hints-dlq.fifo";
/// The queue's visibility and the functions' time-outs (template.yaml).
const VISIBILITY: u32 = 360;
const WRITER: SignedDuration = SignedDuration::from_secs(60);
const POLLER: SignedDuration = SignedDuration::from_secs(300);
const ADMIN: SignedDuration = SignedDuration::from_secs(300);

/// What Lambda would say of an invocation.
const REQUEST: &str = "8f0e4a52-6c1d-4d7e-9a55-000000000001";
/// The ARN of the stack that a world stands for.
pub const STACK_ID: &str =
    "arn:aws:cloudformation:us-east-1:000000000000:stack/world/0d9e3c10-5f4b-11ef-8f4e-0a0000000001";

/// What may differ from world to world.
#[derive(Default)]
pub struct Options {
    /// Every message is delivered twice: its first delivery's acknowledgement gets lost.
    pub twice: bool,
    /// TOML laid over the standard map.
    pub map: Option<String>,
    /// Ports of the simulators; 0: any free one.
    pub port: u16,
    /// The CRM; none: Dynamics 365.
    pub crm: Option<CrmKind>,
    /// Salesforce with all that an organisation may switch on and that changes what is asked or sent: opportunity teams
    /// and places as picklists. It has several currencies and notes in any case.
    pub full: bool,
    /// A stack beside production: nothing is written to Partner Center.
    pub staging: bool,
    /// No command may delete data.
    pub keeps_data: bool,
    /// Salesforce's sign-in is asked at the login host instead of My Domain.
    pub login_host: bool,
    /// Whose referrals are ours; none: the simulated partner's.
    pub organization: Option<String>,
    /// The clock stands here and only moves when it is moved; none: the machine's time.
    pub begins: Option<Timestamp>,
}

pub struct World {
    pub clock: clock::Clock,
    pub login: Server<Login>,
    pub partner_center: Server<PartnerCenter>,
    pub dataverse: Server<Dataverse>,
    pub salesforce: Server<Salesforce>,
    pub aws: Server<Aws>,
    /// The whole of it.
    pub webhook_url: String,
    pub links: Links,
    writer: Live,
    poller: Live,
    admin: admin::Opened,
    /// What another map is deployed with.
    deployment: Deployment,
    /// Who may kill a handler while it waits for an answer.
    pub strike: Mutex<Option<Arc<Strike>>>,
    twice: bool,
    gateway: JoinHandle<()>,
    _table: tokio::sync::oneshot::Sender<()>,
}

/// What the functions are opened with.
#[derive(Clone)]
struct Deployment {
    admin: config::Admin,
    aws: SdkConfig,
    table: SdkConfig,
    time: Clock,
}

impl Deployment {
    /// Opens the writer and the poller with this map.
    fn open(&self, map: &Arc<Map>) -> anyhow::Result<(Live, Live)> {
        let app = |stores| {
            let worker = &self.admin.worker;
            App::open(worker, &self.aws, &self.table, Arc::clone(map), self.time.clone(), stores)
        };
        Ok((Live::new(app(false)?), Live::new(app(true)?)))
    }

    /// The simulated organisations have every column of ours.
    fn map(&self, toml: &str) -> anyhow::Result<Arc<Map>> {
        let faulty = |faults: Vec<mapping::Fault>| anyhow::anyhow!("the map has faults: {faults:?}");
        Ok(Arc::new(Map::with_override(self.admin.worker.crm.kind(), toml).map_err(faulty)?))
    }

    fn open_admin(&self, map: &Arc<Map>) -> anyhow::Result<admin::Opened> {
        let map = Arc::clone(map);
        let (config, time) = (self.admin.clone(), self.time.clone());
        Ok(Ok(admin::App::open(config, &self.aws, &self.table, map, time, false)?))
    }
}

/// Whether a request writes. A batch does if it holds a change set or a patch.
pub fn is_write(log: &Logged) -> bool {
    let in_batch = || ["changeset", "\r\nPATCH "].iter().any(|write| log.body.contains(write));
    log.method != "GET" && (!log.path.ends_with("$batch") || in_batch())
}

impl World {
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let clock = clock::Clock::default();
        if let Some(at) = options.begins {
            clock.stop_at(at);
        }
        let port = |n: u16| if options.port == 0 { 0 } else { options.port + n };
        let dataverse = Server::start(port(0), clock.clone(), Dataverse::new).await?;
        let partner_center = Server::start(port(1), clock.clone(), PartnerCenter::new).await?;
        let dynamics = dataverse.url();
        let login = Server::start(port(2), clock.clone(), |_| Login::new(vec![dynamics.clone()])).await?;
        let aws = Server::start(port(3), clock.clone(), Aws::new).await?;
        let salesforce = Server::start(port(5), clock.clone(), Salesforce::new).await?;
        let kind = options.crm.unwrap_or(CrmKind::Dynamics365);
        // As the default map expects it.
        salesforce.system().switches.multi_currency = true;
        salesforce.system().switches.notes = true;
        salesforce.system().switches.team_selling = options.full;
        salesforce.system().switches.state_country_picklists = options.full;
        // Rows of a page, whatever was asked for: no client may take a short page for the last one.
        salesforce.system().switches.child_rows_count = true;
        salesforce.system().switches.page_size = Some(50);
        dataverse.system().switches.page_rows = Some(50);
        let (table, stop) = table().await?;

        let (queue_url, dead_url, partner_secret, crm_secret, admin_secret, webhook_token_arn) = {
            let mut aws = aws.system();
            let dead = aws.create_fifo(DEAD, None, VISIBILITY);
            let queue = aws.create_fifo(QUEUE, Some((DEAD, 100)), VISIBILITY);
            let partner =
                json!({ "client_secret": login::PARTNER_SECRET, "refresh_token": login::REFRESH_TOKEN });
            let crm = match kind {
                CrmKind::Dynamics365 => json!({ "client_secret": login::DYNAMICS_SECRET }),
                CrmKind::Salesforce => json!({ "private_key": salesforce::PRIVATE_KEY_PEM }),
            };
            let administrator = match kind {
                CrmKind::Dynamics365 => json!({
                    "client_id": login::ADMINISTRATOR_CLIENT, "client_secret": login::ADMINISTRATOR_SECRET,
                }),
                CrmKind::Salesforce => json!({
                    "client_id": salesforce::CLIENT_ID, "username": salesforce::ADMIN_USERNAME,
                    "private_key": salesforce::PRIVATE_KEY_PEM,
                }),
            };
            (
                queue,
                dead,
                aws.put_secret("partner-center", &partner.to_string()),
                aws.put_secret("crm", &crm.to_string()),
                aws.put_secret("crm-admin", &administrator.to_string()),
                // Registered long ago: what was good before is no more.
                aws.put_secret(
                    SEGMENT_SECRET,
                    &json!({ "token": SEGMENT, "previous_until": "1970-01-01T00:00:00Z" }).to_string(),
                ),
            )
        };
        let at_aws = aws::at(&aws.url())?;
        let at_table = aws::at(&table)?;
        let time = {
            let clock = clock.clone();
            Clock::of(move || clock.now())
        };
        let worker = config::Worker {
            table_name: TABLE.into(),
            queue_url: queue_url.clone(),
            grace: SignedDuration::from_secs(180),
            audit_days: 400,
            stack: "world".into(),
            partner_center: config::PartnerCenterConfig {
                tenant_id: login::PARTNER_TENANT.into(),
                client_id: login::PARTNER_CLIENT.into(),
                organization_id: options
                    .organization
                    .unwrap_or_else(|| partner_center::ORGANIZATION_ID.to_owned()),
                secret_arn: partner_secret,
                api_url: partner_center.url(),
                audience: login::REFERRALS_AUDIENCE.into(),
                writes: if options.staging { config::Writes::None } else { config::Writes::All },
                login_url: login.url(),
            },
            crm: match kind {
                CrmKind::Dynamics365 => config::CrmConfig::Dynamics365(config::DynamicsConfig {
                    url: dataverse.url(),
                    tenant_id: login::DYNAMICS_TENANT.into(),
                    client_id: login::DYNAMICS_CLIENT.into(),
                    secret_arn: crm_secret,
                    login_url: login.url(),
                }),
                CrmKind::Salesforce => config::CrmConfig::Salesforce(config::SalesforceConfig {
                    login_url: match options.login_host {
                        true => salesforce.url().replace("127.0.0.1", "localhost"),
                        false => salesforce.url(),
                    },
                    client_id: salesforce::CLIENT_ID.into(),
                    username: salesforce::USERNAME.into(),
                    secret_arn: crm_secret,
                    api_version: "62.0".into(),
                    host_pattern: salesforce.url().trim_start_matches("http://").to_owned(),
                }),
            },
        };
        let folder = |name: &str| Prefix::of_issuers(&format!("{}/{name}/", partner_center.url()));
        let certificates = Sources {
            prefixes: vec![folder("cert")?],
            issuers: vec![folder("issuers")?],
            roots_pem: Some(partner_center.system().roots_pem()),
        };
        let ingress_config = config::Ingress {
            queue_url,
            webhook_token_arn: webhook_token_arn.clone(),
            event_max_age_days: 7,
            certificates: certificates.clone(),
        };
        let ingress = Arc::new(ingress::App::new(&ingress_config, &at_aws, time.clone())?);
        let (base, gateway) = gateway(port(4), ingress).await?;
        let webhook_url = format!("{base}/{SEGMENT}");
        let admin = config::Admin {
            worker,
            dead_letter_queue_url: dead_url,
            webhook_url: base,
            webhook_token_arn,
            webhooks_api_url: partner_center.url(),
            webhooks_audience: login::WEBHOOKS_AUDIENCE.into(),
            register: !options.staging,
            overwrite: false,
            certificates,
            stack_id: Some(STACK_ID.to_owned()),
            allow_data_deletion: !options.keeps_data,
            crm_admin_secret_arn: Some(admin_secret),
            right: config::Right::Act,
            alarms_to: None,
        };
        let deployment = Deployment { admin, aws: at_aws, table: at_table, time };
        let map = options.map.as_deref().unwrap_or_default();
        let map = deployment.map(map)?;
        let (writer, poller) = deployment.open(&map)?;
        let admin = deployment.open_admin(&map)?;
        let now = clock.now();
        partner_center.system().register_webhook(&webhook_url, &EVENTS, false, now);
        let links = Links::new(&deployment.table, TABLE, deployment.time.clone());
        Ok(World {
            clock,
            login,
            partner_center,
            dataverse,
            salesforce,
            aws,
            webhook_url,
            links,
            writer,
            poller,
            admin,
            deployment,
            twice: options.twice,
            strike: Mutex::default(),
            gateway,
            _table: stop,
        })
    }

    /// Deploys the functions anew, with another map laid over the standard one.
    pub fn remap(&mut self, toml: &str) -> anyhow::Result<()> {
        let map = self.deployment.map(toml)?;
        self.deploy(&map)
    }

    /// Deploys the functions anew as they are released: they begin with the standard map and read what is stored of it.
    pub fn deploy_released(&mut self) -> anyhow::Result<()> {
        let map = outside::map(self.crm(), None)?;
        self.deploy(&map)
    }

    fn deploy(&mut self, map: &Arc<Map>) -> anyhow::Result<()> {
        (self.writer, self.poller) = self.deployment.open(map)?;
        self.admin = self.deployment.open_admin(map)?;
        Ok(())
    }

    /// The map in effect.
    pub fn map(&self) -> Arc<Map> {
        Arc::clone(&self.writer.last().map)
    }

    pub fn crm(&self) -> CrmKind {
        self.deployment.admin.worker.crm.kind()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Partner Center delivers its pending webhooks.
    pub async fn webhooks(&self) -> usize {
        partner_center::deliver(&self.partner_center).await.len()
    }

    /// The event source mapping: batches go to the writer until nothing is visible. Returns how many messages went.
    pub async fn pump(&self) -> anyhow::Result<usize> {
        let mut count = 0;
        loop {
            match self.batch().await? {
                0 => return Ok(count),
                n => count += n,
            }
        }
    }

    /// One batch goes to the writer. Returns how many messages it had.
    pub async fn batch(&self) -> anyhow::Result<usize> {
        let received = self.aws.system().receive_batch(QUEUE, 10, None, self.now());
        if received.is_empty() {
            return Ok(0);
        }
        let arn = self.aws.system().queue_arn(QUEUE);
        let event = lambda_event(&arn, &received);
        let mut failed = self.invoke_writer(&event).await?;
        if self.twice {
            failed.extend(self.invoke_writer(&event).await?);
        }
        let now = self.now();
        for message in received.iter().filter(|m| !failed.contains(&m.message_id)) {
            self.aws
                .system()
                .delete(QUEUE, &message.receipt_handle, now)
                .map_err(|e| anyhow::anyhow!("{}", e.code()))?;
        }
        Ok(received.len())
    }

    async fn invoke_writer(&self, event: &Value) -> anyhow::Result<BTreeSet<String>> {
        let all = || event["Records"].as_array().into_iter().flatten();
        let all = || all().filter_map(|r| r["messageId"].as_str()).map(str::to_owned).collect();
        let batch: SqsEvent = serde_json::from_value(event.clone())?;
        let answer = writer::handle(&self.writer, batch, self.now() + WRITER);
        Ok(match self.or_killed(answer).await {
            Some(Ok(answer)) => answer.batch_item_failures.into_iter().map(|f| f.item_identifier).collect(),
            // As AWS does: an error or a death hands the whole batch back.
            Some(Err(_)) | None => all(),
        })
    }

    /// `None`: it was killed where it stood, its future dropped.
    async fn or_killed<T>(&self, handler: impl Future<Output = T>) -> Option<T> {
        let strike = self.strike.lock().expect("strike").clone();
        match strike {
            Some(strike) => tokio::select! {
                biased;
                () = strike.killed() => None,
                answer = handler => Some(answer),
            },
            None => Some(handler.await),
        }
    }

    /// The schedule fires once.
    pub async fn tick(&self) -> anyhow::Result<sync::poll::Report> {
        let app = self.poller.app().await?;
        match self.or_killed(poller::handle(&app, self.now() + POLLER)).await {
            Some(report) => Ok(report?),
            None => Ok(sync::poll::Report::default()),
        }
    }

    /// A call of the admin function: a command, or what CloudFormation sends.
    pub async fn call(&self, event: Value) -> Value {
        self.call_for(event, ADMIN.as_secs()).await
    }

    /// A call whose run is killed after so many seconds.
    pub async fn call_for(&self, event: Value, seconds: i64) -> Value {
        let ends = self.now() + SignedDuration::from_secs(seconds);
        admin::handle(&self.admin, &event, &admin::Call { ends, request: REQUEST.into() }).await
    }

    /// A call of the function that only looks.
    pub async fn call_look(&self, event: Value) -> anyhow::Result<Value> {
        let mut deployment = self.deployment.clone();
        deployment.admin.right = config::Right::Look;
        let app = deployment.open_admin(&deployment.map("")?)?;
        let call = admin::Call { ends: self.now() + ADMIN, request: "look".into() };
        Ok(admin::handle(&app, &event, &call).await)
    }

    /// Webhooks and messages until nothing is left, moving time on for messages that wait.
    pub async fn quiet(&self) -> anyhow::Result<()> {
        for _ in 0..400 {
            let moved = self.webhooks().await + self.pump().await?;
            if moved > 0 {
                continue;
            }
            if self.messages() == 0 && self.partner_center.system().pending() == 0 {
                return Ok(());
            }
            self.advance(5);
        }
        anyhow::bail!("it does not come to rest: {:?}", self.aws.system().messages(QUEUE))
    }

    /// Ticks and everything that follows, until a tick finds nothing more to do.
    pub async fn settle(&self) -> anyhow::Result<()> {
        for _ in 0..12 {
            self.quiet().await?;
            let before = self.writes();
            self.advance(60);
            self.tick().await?;
            self.quiet().await?;
            if self.writes() == before {
                return Ok(());
            }
        }
        anyhow::bail!("writes do not come to rest")
    }

    /// Calls of writer and poller to the table.
    pub fn table_calls(&self) -> [Calls; 2] {
        [&self.writer, &self.poller].map(|function| function.last().outside.links.calls())
    }

    /// Messages in the queue, in flight or not.
    pub fn messages(&self) -> usize {
        self.aws.system().messages(QUEUE).len()
    }

    pub fn dead_letters(&self) -> usize {
        self.aws.system().messages(DEAD).len()
    }

    /// Outside calls to the vendors since they were last forgotten, tokens, certificates and look-ups of currencies apart.
    pub fn calls(&self) -> Vec<String> {
        let line = |log: &Logged| log.route.clone();
        let apart = ["cert/", "issuers/", "transactioncurrencies"];
        let ours = |log: &&Logged| !apart.iter().any(|part| log.route.contains(part));
        let mut calls: Vec<String> = self.partner_center.requests().iter().filter(ours).map(line).collect();
        calls.extend(self.dataverse.requests().iter().filter(ours).map(line));
        calls.extend(self.salesforce.requests().iter().filter(ours).map(line));
        calls
    }

    /// Where the CRM's simulator listens.
    pub fn crm_url(&self) -> String {
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.url(),
            CrmKind::Salesforce => self.salesforce.url(),
        }
    }

    /// Every request the CRM got.
    pub fn crm_requests(&self) -> Vec<Logged> {
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.requests(),
            CrmKind::Salesforce => self.salesforce.requests(),
        }
    }

    /// From now on the vendors fail now and then.
    pub fn weather(&self, weather: &Arc<Weather>) {
        self.partner_center.weather(Some(Arc::clone(weather)));
        match self.crm() {
            CrmKind::Dynamics365 => self.dataverse.weather(Some(Arc::clone(weather))),
            CrmKind::Salesforce => self.salesforce.weather(Some(Arc::clone(weather))),
        }
    }

    pub fn forget_calls(&self) {
        self.partner_center.forget_requests();
        self.dataverse.forget_requests();
        self.salesforce.forget_requests();
    }

    /// Requests with writes that reached a vendor so far.
    pub fn writes(&self) -> usize {
        // A composite counts if it writes.
        let salesforce = |log: &Logged| {
            log.path.starts_with("/services/Soap/")
                || log.path.ends_with("/composite")
                    && ["\"POST\"", "\"PATCH\"", "\"DELETE\""].iter().any(|m| log.body.contains(m))
        };
        self.partner_center.count(is_write)
            + self.dataverse.count(is_write)
            + self.salesforce.count(salesforce)
    }

    /// How many bytes the largest item of the table has, and its key.
    pub async fn largest_item(&self) -> anyhow::Result<(usize, String)> {
        use aws_sdk_dynamodb::types::AttributeValue;
        let client = aws_sdk_dynamodb::Client::new(&self.deployment.table);
        let mut pages = client.scan().table_name(TABLE).into_paginator().items().send();
        let mut largest = (0, String::new());
        while let Some(item) = pages.next().await {
            let item = item?;
            let size: usize = item.iter().map(|(name, value)| name.len() + size_of(value)).sum();
            if size > largest.0 {
                let key =
                    |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
                largest = (size, format!("{} / {}", key("pk"), key("sk")));
            }
        }
        return Ok(largest);

        fn size_of(value: &AttributeValue) -> usize {
            match value {
                AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
                AttributeValue::B(bytes) => bytes.as_ref().len(),
                AttributeValue::L(list) => list.iter().map(|value| size_of(value) + 1).sum(),
                AttributeValue::M(map) => {
                    map.iter().map(|(name, value)| name.len() + size_of(value) + 1).sum()
                }
                _ => 1,
            }
        }
    }

    /// Until when a system is left alone, as writer and poller have stored it; none: neither is.
    pub async fn held_until(&self) -> anyhow::Result<Option<Timestamp>> {
        let keys = ["partner_center", "crm"].map(Key::hold);
        let rows = self.links.read(&keys).await?;
        let until = rows.into_iter().flatten().filter_map(|row| match row.item {
            Item::Hold(hold) => Some(hold.until),
            _ => None,
        });
        Ok(until.max().filter(|until| *until > self.now()))
    }

    pub async fn parked(&self) -> anyhow::Result<Vec<Row>> {
        Ok(self.links.parked().await?)
    }

    /// Nothing is left over: no message, no dead letter, no fault that never struck, no request a simulator did not
    /// know. Every scenario ends with it.
    pub async fn end(&self) -> anyhow::Result<()> {
        self.tidy();
        anyhow::ensure!(self.messages() == 0, "left in the queue: {:?}", self.aws.system().messages(QUEUE));
        anyhow::ensure!(self.dead_letters() == 0, "dead letters: {:?}", self.aws.system().messages(DEAD));
        Ok(())
    }

    fn tidy(&self) {
        let logs = [
            self.partner_center.requests(),
            self.dataverse.requests(),
            self.salesforce.requests(),
            self.aws.requests(),
            self.login.requests(),
        ];
        let unknown = logs.iter().flatten().find(|log| log.status == 501);
        assert!(
            unknown.is_none(),
            "a simulator did not know this request: {}",
            unknown.map_or("", |log| &log.answer)
        );
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.gateway.abort();
        if !std::thread::panicking() {
            self.tidy();
        }
    }
}

/// An embedded DynamoDB with the one table of the template.
async fn table() -> anyhow::Result<(String, tokio::sync::oneshot::Sender<()>)> {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let database = dynoxide::Database::memory()?;
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, async {
        let _ = stopped.await;
    }));
    let client = aws_sdk_dynamodb::Client::new(&aws::at(&url)?);
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
    };
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk")?)
        .attribute_definitions(attribute("sk")?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .send()
        .await?;
    Ok((url, stop))
}

/// The API gateway: an HTTP request becomes the event JSON of payload version 2.0, the body in base64.
async fn gateway(port: u16, app: Arc<ingress::App>) -> anyhow::Result<(String, JoinHandle<()>)> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use http_body_util::{BodyExt, Full};
    use hyper::{body::Bytes, service::service_fn};
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let url = format!("http://{}/webhook", listener.local_addr()?);
    let answer = move |request: hyper::Request<hyper::body::Incoming>| {
        let app = app.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
            // Those of one name are joined.
            let joined = |name| {
                let all = parts.headers.get_all(name).iter();
                let all: Vec<_> = all.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
                json!(all.join(","))
            };
            let names = parts.headers.keys();
            let headers: serde_json::Map<String, Value> =
                names.map(|name| (name.to_string(), joined(name))).collect();
            let event = json!({
                "version": "2.0", "routeKey": "POST /webhook/{token}", "rawPath": parts.uri.path(),
                "rawQueryString": parts.uri.query().unwrap_or_default(),
                "headers": headers, "isBase64Encoded": true, "body": STANDARD.encode(&body),
                "requestContext": {
                    "accountId": "000000000000", "apiId": "local", "domainName": "127.0.0.1", "requestId": "local",
                    "routeKey": "POST /webhook/{token}", "stage": "$default", "time": "", "timeEpoch": 0,
                    "http": { "method": parts.method.as_str(), "path": parts.uri.path(), "protocol": "HTTP/1.1",
                              "sourceIp": "127.0.0.1", "userAgent": "" },
                },
            });
            let answer = ingress::handle(&app, event.to_string().as_bytes()).await;
            let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
            let body = answer["body"].as_str().unwrap_or_default().to_owned();
            let mut response = hyper::Response::builder().status(status.unwrap_or(500));
            for (name, value) in answer["headers"].as_object().into_iter().flatten() {
                response = response.header(name, value.as_str().unwrap_or_default());
            }
            response.body(Full::new(Bytes::from(body))).map_err(std::io::Error::other)
        }
    };
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new();
            let answer = answer.clone();
            tokio::spawn(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = connection.serve_connection(io, service_fn(answer)).await;
            });
        }
    });
    Ok((url, task))
}
