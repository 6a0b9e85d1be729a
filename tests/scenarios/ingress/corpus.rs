//! The corpus of hostile requests, `corpus.json`: a genuine request with one thing changed per line, what it is
//! answered, and how many certificates are fetched for it.

use super::{
    door::{Answer, BODY, Door, HeaderLines, at, set, try_knock},
    papers::{issued_at, paper},
};
use serde::Deserialize;
use simulators::{
    partner_center::Forge,
    server::{Fault, FaultKind},
};
use std::collections::BTreeMap;

/// A genuine request with one thing changed: a line of `corpus.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hostile {
    name: String,
    /// The status; 401 in the one wording.
    answer: u16,
    /// Requests to the certificate host.
    #[serde(default)]
    fetches: usize,
    /// Microsoft's certificate is known from an event before.
    #[serde(default)]
    warm: bool,
    /// No issuing authority is at hand, the root alone.
    #[serde(default)]
    bare: bool,
    /// Headers in place of the genuine ones; `{…}` see [`filled`].
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// Headers sent besides the genuine ones, whatever they repeat.
    #[serde(default)]
    add: Vec<(String, String)>,
    /// Names of genuine headers that are left out.
    #[serde(default)]
    drop: Vec<String>,
    /// A certificate of the simulator's, and its key.
    forge: Option<String>,
    /// What lies at the certificate's address: a certificate of `papers.rs` or a way of answering.
    serve: Option<String>,
    /// The certificate names this as its issuer's address; `{…}` as above.
    issuer_at: Option<String>,
    /// The body in place of the genuine one.
    body: Option<String>,
    /// The body stands so many times in a row; without: once.
    repeat: Option<usize>,
    /// The body that was signed, where it is not the one that is sent.
    signed: Option<String>,
}

fn corpus() -> Vec<Hostile> {
    serde_json::from_str(include_str!("corpus.json")).expect("the corpus is readable")
}

#[tokio::test]
async fn every_hostile_request_is_refused_as_its_line_says() {
    let corpus = corpus();
    let mut door = Door::open().await;
    let (mut faults, mut refusals, mut knocks) = (vec![], vec![], 0);
    for hostile in &corpus {
        let (answer, fetches) = play(&door, hostile).await;
        if (answer.0, fetches) != (hostile.answer, hostile.fetches) {
            faults.push(format!(
                "{}: expected {} after {} fetches, seen {} after {fetches}",
                hostile.name, hostile.answer, hostile.fetches, answer.0
            ));
        }
        if answer.0 == 401 {
            refusals.push(answer);
        }
        let genuine = usize::from(hostile.warm);
        if door.messages() != genuine || door.sent() != genuine {
            faults.push(format!("{}: something reached the queue", hostile.name));
        }
        if door.knocks() != 0 {
            faults.push(format!("{}: a host off the list was called", hostile.name));
        }
        knocks += door.knocks();
        door = Door::open().await;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "the same answer whatever failed: {refusals:#?}");
    println!("{} hostile requests refused, {knocks} connections to hosts off the list", corpus.len());
}

#[test]
fn the_corpus_is_large_and_no_line_stands_twice() {
    let corpus = corpus();
    assert!(corpus.len() >= 60, "{}", corpus.len());
    let names: std::collections::BTreeSet<&str> = corpus.iter().map(|h| h.name.as_str()).collect();
    assert_eq!(names.len(), corpus.len());
    assert!(corpus.iter().all(|h| [400, 401, 413, 503].contains(&h.answer)), "all refused");
}

#[tokio::test]
async fn a_bait_counts_who_knocks() {
    let door = Door::open().await;
    for n in 0..2 {
        let address = door.bait(n).trim_start_matches("http://").to_owned();
        tokio::net::TcpStream::connect(address).await.expect("a connection");
    }
    while door.knocks() < 2 {
        tokio::task::yield_now().await;
    }
}

async fn play(door: &Door, hostile: &Hostile) -> (Answer, usize) {
    let forge = hostile.forge.as_deref().map_or(Forge::Microsoft, |name| {
        *Forge::ALL.iter().find(|f| format!("{f:?}") == name).expect("a certificate of that name")
    });
    let body = hostile.body.clone().unwrap_or_else(|| BODY.clone()).repeat(hostile.repeat.unwrap_or(1));
    let signed = hostile.signed.as_ref().unwrap_or(&body).as_bytes();
    let app = match (hostile.warm, hostile.bare) {
        (true, _) => door.warm().await,
        (false, true) => door.bare(),
        (false, false) => door.app(),
    };
    let mut headers: HeaderLines = {
        let headers = door.host.system().headers(signed, forge);
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect()
    };
    let signature = door.host.system().sign(signed, forge);
    let fill = |text: &str| filled(text, door, &signature);
    let issuer_at = hostile.issuer_at.as_deref().map(|url| {
        let url = String::from_utf8_lossy(&fill(url)).into_owned();
        FaultKind::Answer { status: 200, headers: [].into(), body: issued_at(&[url]) }
    });
    if let Some(kind) = issuer_at.or(hostile.serve.as_deref().map(|serve| served(serve, door))) {
        headers = at(&headers, &format!("{}/cert/served.cer", door.host.url()));
        door.host.fault(Fault { route: "cert/".into(), skip: 0, times: 9, kind });
    }
    headers.retain(|(name, _)| !hostile.drop.contains(name));
    for (name, value) in &hostile.set {
        set(&mut headers, name, &fill(value));
    }
    for (name, value) in &hostile.add {
        headers.push((name.clone(), fill(value)));
    }
    let answer = try_knock(&app, headers, body.as_bytes()).await;
    (answer.unwrap_or_else(|| panic!("{}: no server hands this on", hostile.name)), door.fetches())
}

/// `{host}`: the certificate host; `{port}`: its port; `{bait}`, `{bait2}`: hosts off the list; `{genuine}`: the
/// genuine certificate's address; `{signature}`: the genuine signature, `{…}` of it in other spellings.
fn filled(text: &str, door: &Door, signature: &str) -> Vec<u8> {
    let host = door.host.url();
    let (line, rest) = signature.split_at(64);
    let spellings = [
        ("{host}", host.clone()),
        ("{port}", host.rsplit(':').next().unwrap_or_default().to_owned()),
        ("{bait}", door.bait(0).to_owned()),
        ("{bait host}", door.bait(0).trim_start_matches("http://").to_owned()),
        ("{bait2}", door.bait(1).to_owned()),
        ("{genuine}", door.host.system().certificate_url(Forge::Microsoft)),
        ("{signature}", signature.to_owned()),
        ("{url-safe}", signature.replace('+', "-").replace('/', "_")),
        ("{unpadded}", signature.trim_end_matches('=').to_owned()),
        ("{broken}", format!("{line} {rest}")),
        ("{tab}", format!("{line}\t{rest}")),
        ("{hex}", signature.bytes().map(|b| format!("{b:02x}")).collect()),
        ("{long}", "A".repeat(4096)),
        ("{longest}", "a".repeat(600)),
        ("{latin}", "\u{ff}".to_owned()),
    ];
    spellings.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value)).into_bytes()
}

/// How the certificate host answers.
fn served(name: &str, door: &Door) -> FaultKind {
    let answer = |status: u16, location: Option<String>, body: String| {
        let headers = location.map(|l| ("location".to_owned(), l)).into_iter().collect();
        FaultKind::Answer { status, headers, body }
    };
    let genuine = || door.host.system().certificate_url(Forge::Pem);
    match name {
        "redirect off the list" => answer(302, Some(format!("{}/cert/x.cer", door.bait(0))), String::new()),
        "redirect on the list" => answer(301, Some(genuine()), String::new()),
        "temporary redirect" => answer(307, Some(format!("{}/cert/x.cer", door.bait(1))), String::new()),
        "more than 32 KB" => answer(200, None, "x".repeat(32 * 1024 + 1)),
        "a megabyte around a certificate" => {
            answer(200, None, format!("{}{}", " ".repeat(1 << 20), paper("a key only")))
        }
        "nothing" => answer(200, None, String::new()),
        "a page" => answer(200, None, "<html><body>certificates</body></html>".to_owned()),
        "slow" => FaultKind::Delay { ms: 2500, after_commit: false },
        "hang up" => FaultKind::DropBefore,
        status if status.parse::<u16>().is_ok() => answer(status.parse().unwrap_or(0), None, String::new()),
        certificate => answer(200, None, paper(certificate)),
    }
}

#[tokio::test]
async fn the_host_in_a_genuine_event_is_never_called() {
    let door = Door::open().await;
    let app = door.app();
    let id = "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01";
    for host in [door.bait(0), door.bait(1), "https://evil.example", "file://", "\\\\evil\\share"] {
        let body = BODY.replace("https://api.partnercenter.microsoft.com", host).replace('\\', "\\\\");
        assert!(body.contains(id) && body != *BODY);
        let answer = try_knock(&app, door.headers(body.as_bytes()), body.as_bytes()).await;
        assert_eq!(answer.map(|a| a.0), Some(200), "{host}");
    }
    assert_eq!((door.knocks(), door.fetches()), (0, 1), "the certificate alone");
    let messages = door.queue.system().messages("hints.fifo");
    assert!(messages.iter().all(|m| m.to_string().contains(id) && !m.to_string().contains("evil")));
}
