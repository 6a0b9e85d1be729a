//! Rare answers of AWS and Entra and what follows from them: half a batch, a throttled read, tokens that expire.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use clients::{
    aws,
    clock::Clock,
    crm::dynamics::Dynamics,
    http::Http,
    links::Links,
    queue::Queue,
    secrets::Secrets,
    token::{Grant, Tokens},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{CrmKind, Map, ReferralId};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use sync::{
    failure::System,
    hint::{Hint, Subject},
    ports::{Changed, Changes, Crm as _, Feed, Hints, Links as _, Position},
    table::{Item, Key},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// What a request asked for: the operation of AWS or the path, and the body.
type Asked = (String, String);

/// A server that answers by a function of the request and keeps all requests.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    async fn start(answer: impl Fn(&Asked, usize) -> (u16, Value) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let seen = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let one = read(&mut socket).await;
                let before = seen.lock().unwrap().iter().filter(|(what, _)| *what == one.0).count();
                let (status, body) = answer(&one, before);
                seen.lock().unwrap().push(one);
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        Server { url, asked }
    }

    fn times(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == what).count()
    }
}

async fn read(socket: &mut TcpStream) -> Asked {
    let (mut bytes, mut chunk) = (vec![], [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let line = head.lines().find(|line| line.to_lowercase().starts_with(name))?;
                Some(line.split_once(':')?.1.trim().to_owned())
            };
            let length: usize = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let operation = header("x-amz-target").and_then(|t| Some(t.split_once('.')?.1.to_owned()));
                return (operation.unwrap_or(path), body.to_owned());
            }
        }
        let n = socket.read(&mut chunk).await.unwrap();
        assert!(n > 0, "a whole request");
        bytes.extend_from_slice(&chunk[..n]);
    }
}

fn referral(n: u8) -> ReferralId {
    ReferralId::parse(&format!("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c{n:02}")).unwrap()
}

#[tokio::test]
async fn an_entry_that_the_queue_did_not_take_is_no_hint_sent() {
    let server = Server::start(|(_, body), _| {
        let own = body.contains(referral(1).as_str());
        let failed = json!({ "Id": "0", "Code": "Trouble", "SenderFault": own, "Message": "words" });
        let taken = json!({ "Id": "1", "MessageId": "m", "MD5OfMessageBody": "x" });
        (200, json!({ "Failed": [failed], "Successful": [taken] }))
    })
    .await;
    let queue = Queue::new(&aws::at(&server.url).unwrap(), &format!("{}/q.fifo", server.url));
    let hint = |n| Hint::new(Subject::Referral { referral: referral(n) }, "test", NOW);
    let theirs = queue.send(&[hint(2), hint(3)]).await.unwrap_err();
    assert!(theirs.is_retryable() && theirs.text.contains("1 of 2"), "{theirs}");
    let ours = queue.send(&[hint(1)]).await.unwrap_err();
    assert!(!ours.is_retryable(), "{ours}");
}

#[tokio::test]
async fn what_a_throttled_read_leaves_over_is_asked_for_again_and_is_not_absent() {
    let row = |key: &Key| json!({ "pk": { "S": key.pk }, "sk": { "S": key.sk }, "rev": { "N": "1" }, "type": { "S": "foreign" } });
    let keys = [Key::foreign(&referral(1)), Key::foreign(&referral(2)), Key::foreign(&referral(3))];
    let [one, two, _] = keys.clone();
    let only = |key: &Key| json!({ "pk": { "S": key.pk }, "sk": { "S": key.sk } });
    let server = Server::start(move |_, before| {
        let left = json!({ "links": { "Keys": [only(&two)], "ConsistentRead": true } });
        (
            200,
            match before {
                0 => json!({ "Responses": { "links": [row(&one)] }, "UnprocessedKeys": left }),
                1 => json!({ "Responses": {}, "UnprocessedKeys": left }),
                _ => json!({ "Responses": { "links": [row(&two)] }, "UnprocessedKeys": {} }),
            },
        )
    })
    .await;
    let links = Links::new(&aws::at(&server.url).unwrap(), "links", Clock::of(|| NOW));
    let rows = links.read(&keys).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row.item.clone())).collect();
    assert_eq!(found, [Some(Item::Foreign), Some(Item::Foreign), None]);
    assert_eq!(server.times("BatchGetItem"), 3);
}

#[tokio::test]
async fn a_read_that_stays_throttled_is_a_failure_and_not_an_empty_table() {
    let keys = [Key::foreign(&referral(1)), Key::foreign(&referral(2))];
    let left: Vec<Value> = keys.iter().map(|k| json!({ "pk": { "S": k.pk }, "sk": { "S": k.sk } })).collect();
    let server = Server::start(move |_, _| {
        (200, json!({ "Responses": {}, "UnprocessedKeys": { "links": { "Keys": left } } }))
    })
    .await;
    let links = Links::new(&aws::at(&server.url).unwrap(), "links", Clock::of(|| NOW));
    let failure = links.read(&keys).await.unwrap_err();
    assert!(failure.is_retryable() && failure.text.contains("2 items"), "{failure}");
}

/// A sign-in whose secret was stored this many hours ago, by the test's clock.
struct SignIn {
    server: Server,
    now: Arc<Mutex<Timestamp>>,
    tokens: Tokens,
}

const ASK: &str = "/t/oauth2/token";

impl SignIn {
    /// `refuses`: which of the requests for a token, counted in order, are refused.
    async fn stored(hours: i64, refuses: &'static [usize]) -> SignIn {
        let created = NOW - SignedDuration::from_hours(hours);
        let server = Server::start(move |(what, _), before| match what.as_str() {
            ASK if refuses.contains(&before) => {
                (400, json!({ "error": "invalid_grant", "error_description": "AADSTS50173: revoked." }))
            }
            ASK => (200, json!({ "access_token": format!("t{before}"), "expires_in": 3600, "refresh_token": "new" })),
            "GetSecretValue" => (200, json!({
                "VersionId": format!("v{before}"), "CreatedDate": created.as_second(),
                "SecretString": json!({ "client_secret": "c", "refresh_token": format!("r{before}") }).to_string(),
            })),
            _ => (200, json!({ "VersionId": "next" })),
        })
        .await;
        let now = Arc::new(Mutex::new(NOW));
        let (shown, aws) = (now.clone(), aws::at(&server.url).unwrap());
        let (http, grant) =
            (Http::new(Duration::from_secs(5)).unwrap(), Grant::refresh_token(&server.url, "t", "c"));
        let clock = Clock::of(move || *shown.lock().unwrap());
        let tokens = Tokens::new(http, Secrets::new(&aws), clock, System::PartnerCenter, grant, "arn", true);
        SignIn { server, now, tokens }
    }

    fn at(&self, seconds: i64) {
        *self.now.lock().unwrap() = NOW + SignedDuration::from_secs(seconds);
    }
}

#[tokio::test]
async fn lookups_of_a_whole_page_are_resolved_however_many_requests_that_takes() {
    let id = |n: usize| format!("00000000-0000-4000-8000-{n:012}");
    let server = Server::start(move |(what, _), _| {
        let row = |n: usize| {
            json!({ "@odata.etag": "W/\"1\"", "versionnumber": 1, "opportunityid": id(n),
                    "_transactioncurrencyid_value": id(1000 + n) })
        };
        let currency = |n: usize| json!({ "transactioncurrencyid": id(1000 + n), "isocurrencycode": format!("C{n}") });
        (200, match what.as_str() {
            "/t/oauth2/v2.0/token" => json!({ "access_token": "t", "expires_in": 3600 }),
            "GetSecretValue" => json!({ "VersionId": "v", "SecretString": "{\"client_secret\":\"c\"}" }),
            path if path.contains("/transactioncurrencies") => {
                json!({ "value": (0..120).filter(|n| path.contains(&id(1000 + n))).map(currency).collect::<Value>() })
            }
            _ => json!({ "value": (0..120).map(row).collect::<Value>(),
                         "@odata.deltaLink": "http://x/api/data/v9.2/opportunities?$deltatoken=1" }),
        })
    })
    .await;
    let (aws, http) = (aws::at(&server.url).unwrap(), Http::new(Duration::from_secs(5)).unwrap());
    let grant = Grant::client_credentials(&server.url, "t", "c");
    let (secrets, clock) = (Secrets::new(&aws), Clock::of(|| NOW));
    let tokens = Tokens::new(http.clone(), secrets, clock, System::Crm, grant, "arn", false);
    let map = Map::with_override(CrmKind::Dynamics365, "").unwrap();
    let crm = Dynamics::new(http, Arc::new(tokens), &server.url, Arc::new(map));
    let changes = crm.changes(Feed::Opportunities, &Position::Since(NOW)).await.unwrap();
    let Changes::Page { rows, .. } = changes else { panic!("a page") };
    let currencies: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| match row {
            Changed::Record(seen) => seen.record.columns["transactioncurrencyid"].as_str().map(str::to_owned),
            _ => None,
        })
        .collect();
    assert_eq!(currencies, (0..120).map(|n| format!("C{n}")).collect());
}

#[tokio::test]
async fn a_token_is_used_until_five_minutes_before_its_end() {
    let sign_in = SignIn::stored(1, &[]).await;
    for (seconds, token) in [(0, "t0"), (3299, "t0"), (3300, "t1"), (3600 + 2999, "t1"), (3600 + 3000, "t2")]
    {
        sign_in.at(seconds);
        assert_eq!(sign_in.tokens.bearer("a").await.unwrap(), token, "after {seconds} s");
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_stored_once_a_day() {
    for (hours, stored) in [(23, 0), (25, 1)] {
        let sign_in = SignIn::stored(hours, &[]).await;
        for audience in ["a", "b", "c"] {
            sign_in.tokens.bearer(audience).await.unwrap();
        }
        // Each secret that is read after the first has the age that this server reports, so each rotation would be
        // stored.
        let puts = sign_in.server.times("PutSecretValue");
        assert_eq!(puts.min(1), stored, "stored {hours} hours ago");
        assert_eq!(sign_in.server.times("UpdateSecretVersionStage"), puts);
    }
}

#[tokio::test]
async fn a_refused_secret_is_read_again() {
    let sign_in = SignIn::stored(1, &[1, 2]).await;
    assert_eq!(sign_in.tokens.bearer("a").await.unwrap(), "t0");
    assert_eq!(sign_in.server.times("GetSecretValue"), 1);
    sign_in.tokens.expire("a", "t0");
    // Refused with the kept secret, and then with the one that is read again.
    sign_in.tokens.bearer("a").await.unwrap_err();
    assert_eq!((sign_in.server.times("GetSecretValue"), sign_in.server.times(ASK)), (2, 3));
    assert_eq!(sign_in.tokens.bearer("a").await.unwrap(), "t3", "an administrator's new one is found");
    assert_eq!(sign_in.server.times("GetSecretValue"), 3);
    let last = sign_in.server.asked.lock().unwrap().iter().rfind(|(what, _)| what == ASK).unwrap().1.clone();
    assert!(last.contains("refresh_token=r2"), "{last}");
}
