//! What stands around the functions: the simulators as upstreams, the table, and the events AWS would hand out.

use crate::{
    function::Program,
    table::{TABLE, Table},
    tally::Tally,
};
use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use simulators::{
    aws::{Aws, Received, lambda_event},
    clock::Clock,
    dataverse::{Dataverse, SELLER},
    login::{self, Login},
    partner_center::{self, Forge, PartnerCenter},
    server::{Fault, FaultKind, Server},
};
use std::path::Path;

const EVENTS: [&str; 4] =
    ["referral-created", "referral-updated", "related-referral-created", "related-referral-updated"];
const QUEUE: &str = "hints.fifo";
/// The last segment of the webhook's address.
const SEGMENT: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH";
/// The queue's visibility in the template.
const VISIBILITY: u32 = 360;

/// How long the upstreams take for each call, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    pub(crate) partner_center: u64,
    pub(crate) crm: u64,
}

impl Latency {
    pub(crate) const NONE: Latency = Latency { partner_center: 0, crm: 0 };
    pub(crate) const USUAL: Latency = Latency { partner_center: 80, crm: 150 };

    pub(crate) fn name(self) -> String {
        format!("{} + {} ms", self.partner_center, self.crm)
    }
}

pub(crate) struct Stage {
    pub(crate) clock: Clock,
    pub(crate) partner_center: Server<PartnerCenter>,
    pub(crate) dataverse: Server<Dataverse>,
    pub(crate) aws: Server<Aws>,
    pub(crate) table: Table,
    pub(crate) tally: Tally,
    login: Server<Login>,
    queue_url: String,
    dead_url: String,
    secrets: [String; 3],
}

/// A message as the writer gets it, and what deletes it.
pub(crate) struct Batch {
    pub(crate) event: Value,
    received: Vec<Received>,
}

impl Batch {
    pub(crate) fn messages(&self) -> usize {
        self.received.len()
    }
}

impl Stage {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let (clock, tally) = (Clock::default(), Tally::default());
        let dataverse = Server::start(0, clock.clone(), Dataverse::new).await?;
        let partner_center = Server::start(0, clock.clone(), PartnerCenter::new).await?;
        let organizations = vec![dataverse.url()];
        let login = Server::start(0, clock.clone(), |_| Login::new(organizations)).await?;
        let aws = Server::start(0, clock.clone(), Aws::new).await?;
        let table = Table::start(tally.clone()).await?;
        partner_center.system().register_webhook("http://127.0.0.1:9/", &EVENTS, false, clock.now());
        let (queue_url, dead_url, secrets) = {
            let mut system = aws.system();
            let dead = system.create_fifo("hints-dlq.fifo", None, VISIBILITY);
            let queue = system.create_fifo(QUEUE, Some(("hints-dlq.fifo", 100)), VISIBILITY);
            let partner =
                json!({ "client_secret": login::PARTNER_SECRET, "refresh_token": login::REFRESH_TOKEN });
            let crm = json!({ "client_secret": login::DYNAMICS_SECRET });
            let segment = json!({ "token": SEGMENT, "previous_until": "1970-01-01T00:00:00Z" });
            let secrets = [("partner-center", partner), ("crm", crm), ("webhook-token", segment)];
            (queue, dead, secrets.map(|(name, value)| system.put_secret(name, &value.to_string())))
        };
        let counted = tally.clone();
        partner_center.watch(move |log| counted.vendor(log, false));
        let counted = tally.clone();
        dataverse.watch(move |log| counted.vendor(log, true));
        let counted = tally.clone();
        login.watch(move |log| counted.login(log));
        let counted = tally.clone();
        aws.watch(move |log| counted.aws(log));
        Ok(Stage { clock, partner_center, dataverse, aws, table, tally, login, queue_url, dead_url, secrets })
    }

    /// A function of this workspace as it is deployed, reaching these upstreams.
    pub(crate) fn program(&self, name: &str, binaries: &Path) -> Program {
        let limit = match name {
            "ingress" => 10,
            "writer" => 60,
            _ => 300,
        };
        Program {
            name: name.to_owned(),
            command: vec![binaries.join(name).display().to_string()],
            environment: self.environment(),
            limit: SignedDuration::from_secs(limit),
        }
    }

    /// The variables of template.yaml, for all functions alike.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let [partner_secret, crm_secret, segment] = self.secrets.clone();
        let certificates = format!("{}/cert/", self.partner_center.url());
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            of("AWS_REGION", "us-east-1"),
            of("AWS_DEFAULT_REGION", "us-east-1"),
            of("AWS_ACCESS_KEY_ID", "test"),
            of("AWS_SECRET_ACCESS_KEY", "test"),
            of("AWS_ENDPOINT_URL", &self.aws.url()),
            of("AWS_ENDPOINT_URL_DYNAMODB", &self.table.url),
            of("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            of("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            of("QUEUE_URL", &self.queue_url),
            of("CERTIFICATE_URL_PREFIXES", &certificates),
            of("CERTIFICATE_ROOTS_PEM", &partner_center::bundle_pem()),
            of("CRM", "dynamics365"),
            of("TABLE_NAME", TABLE),
            of("STACK_NAME", "bench"),
            of("LOGIN_URL", &self.login.url()),
            of("PARTNER_CENTER_TENANT_ID", login::PARTNER_TENANT),
            of("PARTNER_CENTER_CLIENT_ID", login::PARTNER_CLIENT),
            of("PARTNER_CENTER_ORGANIZATION_ID", partner_center::ORGANIZATION_ID),
            of("PARTNER_CENTER_SECRET_ARN", &partner_secret),
            of("PARTNER_CENTER_API_URL", &self.partner_center.url()),
            of("PARTNER_CENTER_AUDIENCE", login::REFERRALS_AUDIENCE),
            of("PARTNER_CENTER_WRITES", "all"),
            of("DYNAMICS_URL", &self.dataverse.url()),
            of("DYNAMICS_TENANT_ID", login::DYNAMICS_TENANT),
            of("DYNAMICS_CLIENT_ID", login::DYNAMICS_CLIENT),
            of("CRM_SECRET_ARN", &crm_secret),
            of("DEAD_LETTER_QUEUE_URL", &self.dead_url),
            of("WEBHOOK_URL", "https://webhook.example/webhook"),
            of("WEBHOOK_TOKEN_ARN", &segment),
            of("PARTNER_CENTER_WEBHOOKS_API_URL", &self.partner_center.url()),
            of("PARTNER_CENTER_WEBHOOKS_AUDIENCE", login::WEBHOOKS_AUDIENCE),
        ]
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// From now on each call of the vendors takes so long.
    pub(crate) fn slow(&self, latency: Latency) {
        let fault = |ms| Fault {
            route: String::new(),
            skip: 0,
            times: u32::MAX,
            kind: FaultKind::Delay { ms, after_commit: false },
        };
        self.partner_center.clear_faults();
        self.dataverse.clear_faults();
        if latency.partner_center + latency.crm > 0 {
            self.partner_center.fault(fault(latency.partner_center));
            self.dataverse.fault(fault(latency.crm));
        }
    }

    /// The webhooks that are due, as the gateway hands them to the ingress.
    pub(crate) fn webhooks(&self) -> Vec<Value> {
        let mut system = self.partner_center.system();
        let pending: Vec<String> = system
            .outbox()
            .iter()
            .filter(|event| event.state == partner_center::DeliveryState::Pending)
            .map(partner_center::Event::body)
            .collect();
        let events = pending.iter().map(|body| gateway_event(&system, body, Forge::Microsoft)).collect();
        // They are delivered here, not by the simulator.
        system.lose();
        events
    }

    /// A webhook with this body, signed as told.
    pub(crate) fn webhook(&self, body: &str, forge: Forge) -> Value {
        gateway_event(&self.partner_center.system(), body, forge)
    }

    /// Up to `most` messages, if any are visible.
    pub(crate) fn batch(&self, most: usize) -> Option<Batch> {
        let mut aws = self.aws.system();
        let received = aws.receive_batch(QUEUE, most, None, self.clock.now());
        let event = lambda_event(&aws.queue_arn(QUEUE), &received);
        (!received.is_empty()).then_some(Batch { event, received })
    }

    /// What the writer answered for a batch: all of it was done.
    pub(crate) fn acknowledge(&self, batch: &Batch, answer: &Value) -> anyhow::Result<usize> {
        let failed = answer["batchItemFailures"].as_array().map_or(0, Vec::len);
        ensure!(failed == 0, "the writer handed back {failed} messages; see its log");
        let (now, mut aws) = (self.clock.now(), self.aws.system());
        for message in &batch.received {
            aws.delete(QUEUE, &message.receipt_handle, now).map_err(|e| anyhow::anyhow!("{}", e.code()))?;
        }
        Ok(batch.received.len())
    }

    /// The queue is emptied without anybody looking.
    pub(crate) fn drain(&self) -> anyhow::Result<()> {
        while let Some(batch) = self.batch(10) {
            self.acknowledge(&batch, &Value::Null)?;
        }
        Ok(())
    }

    /// The hints of a batch are told once more, under another deduplication id.
    pub(crate) fn tell_again(&self, batch: &Batch, round: usize) -> anyhow::Result<()> {
        for message in &batch.received {
            let group = message.attributes.get("MessageGroupId").context("a group")?;
            let id = format!("again-{round}-{}", message.message_id);
            let sent = self.aws.system().send(QUEUE, group, &id, &message.body, self.clock.now());
            sent.map_err(|e| anyhow::anyhow!("{}", e.code()))?;
        }
        Ok(())
    }

    /// Somebody edits a referral in Partner Center.
    pub(crate) fn edit_referral(&self, id: &str, set: Value) -> anyhow::Result<()> {
        let now = self.now();
        self.partner_center.system().edit(id, &set, now).map_err(|e| anyhow::anyhow!(e))
    }

    /// A seller edits the opportunity of a referral.
    pub(crate) fn edit_opportunity(&self, referral: &str, set: Value) -> anyhow::Result<()> {
        let now = self.now();
        let mut crm = self.dataverse.system();
        let row = crm.rows("opportunities").into_iter().find(|row| row["cosell_referralid"] == referral);
        let id = row.and_then(|row| row["opportunityid"].as_str()).context("an opportunity")?.to_owned();
        crm.act_edit("opportunities", &id, SELLER, set, now).map_err(|e| anyhow::anyhow!(e))
    }
}

/// Payload version 2.0, the body in base64.
fn gateway_event(system: &PartnerCenter, body: &str, forge: Forge) -> Value {
    let headers = system.headers(body.as_bytes(), forge);
    let headers: serde_json::Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    json!({
        "version": "2.0", "routeKey": "POST /webhook/{token}", "rawPath": format!("/webhook/{SEGMENT}"), "rawQueryString": "",
        "headers": headers, "isBase64Encoded": true, "body": STANDARD.encode(body),
        "requestContext": {
            "accountId": "000000000000", "apiId": "bench", "domainName": "127.0.0.1", "requestId": "bench",
            "routeKey": "POST /webhook/{token}", "stage": "$default", "time": "", "timeEpoch": 0,
            "http": { "method": "POST", "path": format!("/webhook/{SEGMENT}"), "protocol": "HTTP/1.1",
                      "sourceIp": "127.0.0.1", "userAgent": "" },
        },
    })
}
