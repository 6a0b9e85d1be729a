//! Who gets an answer, and what an answer looks like.

use super::*;
use crate::{
    admin::May,
    local::{CALLER, Local},
};
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Deaf;

impl Admin for Deaf {
    fn invoke<'a>(&'a self, event: &'a Value) -> BoxFuture<'a, Result<Value, Unreachable>> {
        let answer = match event["command"].as_str() {
            Some("doctor") => Ok(json!({ "ok": true, "lines": [], "data": null })),
            Some("sleepy") => Err(Unreachable::SignIn("sign in".into())),
            _ => Err(Unreachable::Failed("no such thing".into())),
        };
        Box::pin(async { answer })
    }

    fn name(&self) -> String {
        "a stack".into()
    }

    fn flags(&self) -> String {
        "--stack a".into()
    }

    fn may(&self) -> May {
        May::Look
    }
}

struct Toy;

impl Simulated for Toy {
    fn state(&self) -> BoxFuture<'_, Value> {
        Box::pin(async { json!({ "crm": [] }) })
    }

    fn decisions(&self, after: u64) -> Vec<Value> {
        vec![json!({ "n": after + 1 })]
    }

    fn act<'a>(&'a self, _: &'a Value) -> BoxFuture<'a, Result<Value, String>> {
        Box::pin(async { Err("not today".into()) })
    }
}

async fn open(local: bool) -> (Served, u16, String) {
    let simulated = local.then(|| Arc::new(Toy) as Arc<dyn Simulated>);
    let served = serve(Page { admin: Arc::new(Deaf), crm: None, simulated }, 0).await.unwrap();
    let port = served.port;
    let token = served.url.split_once("token=").unwrap().1.to_owned();
    (served, port, token)
}

/// What comes back to a request as it is written: status, headers, body.
async fn sent(port: u16, text: String) -> (u16, BTreeMap<String, String>, String) {
    let mut stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    (status, headers.map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect(), body.to_owned())
}

fn get_of(path: &str, port: u16, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{more}\r\n")
}

fn post_of(path: &str, port: u16, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{more}\r\n{body}"
    )
}

/// Signed in: the cookie's header, and the path below which the page is.
async fn signed_in(port: u16, token: &str) -> (String, String) {
    let (status, headers, _) = sent(port, get_of(&format!("/?token={token}"), port, "")).await;
    assert_eq!(status, 303);
    let base = headers["location"].strip_suffix('/').unwrap().to_owned();
    assert!(base.len() == 65 && base.starts_with('/'), "unguessable: {base}");
    let cookie = &headers["set-cookie"];
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(cookie.ends_with(&format!("; Path={base}")), "for no other listener of this machine: {cookie}");
    (format!("Cookie: {}\r\n", cookie.split(';').next().unwrap()), base)
}

#[tokio::test]
async fn the_token_is_good_for_one_use_and_becomes_a_cookie() {
    let (_served, port, token) = open(false).await;
    assert_eq!(sent(port, get_of("/", port, "")).await.0, 404);
    assert_eq!(sent(port, get_of("/?token=wrong", port, "")).await.0, 401);
    let (cookie, base) = signed_in(port, &token).await;
    assert_eq!(sent(port, get_of(&format!("/?token={token}"), port, "")).await.0, 401, "used up");
    let page = format!("{base}/");
    assert_eq!(sent(port, get_of(&page, port, "")).await.0, 401, "the path alone is no key");
    for outside in ["/", "/api/about", "/app.js", "/x/", &base, &format!("{}/", &base[..64])] {
        assert_eq!(sent(port, get_of(outside, port, &cookie)).await.0, 404, "{outside}");
    }
    let (status, headers, page) = sent(port, get_of(&page, port, &cookie)).await;
    assert_eq!(status, 200);
    assert!(page.contains("<script") && page.contains("app.js"), "the page");
    assert!(headers["content-security-policy"].contains("default-src 'none'"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn nobody_else_gets_an_answer() {
    let (_served, port, token) = open(true).await;
    let (cookie, base) = signed_in(port, &token).await;
    let doctor = r#"{"command":"doctor"}"#;
    let admin = &format!("{base}/api/admin");
    for foreign in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        let more = format!("{cookie}{foreign}");
        assert_eq!(sent(port, post_of(admin, port, &more, doctor)).await.0, 403, "{foreign}");
    }
    let rebound = get_of(&format!("{base}/"), port, &cookie).replace("127.0.0.1", "evil.example");
    assert_eq!(sent(port, rebound).await.0, 403, "a name that leads here");
    assert_eq!(sent(port, post_of(admin, port, "", doctor)).await.0, 401, "no cookie");
    assert_eq!(sent(port, post_of(admin, port, "Cookie: cosell_1=x\r\n", doctor)).await.0, 401);
    let own = format!("{cookie}Origin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n");
    assert_eq!(sent(port, post_of(admin, port, &own, doctor)).await.0, 200);
    let caller = format!("{CALLER}: command line\r\n");
    assert_eq!(sent(port, post_of("/api/admin", port, &caller, doctor)).await.0, 200, "the command line");
    assert_eq!(sent(port, get_of("/api/local", port, &caller)).await.0, 404, "that and no more");
    let page = format!("{caller}Origin: http://127.0.0.1:{port}\r\n");
    assert_eq!(sent(port, post_of("/api/admin", port, &page, doctor)).await.0, 404, "not from a page");
}

#[tokio::test]
async fn a_stacks_page_takes_no_command_line_and_has_nothing_simulated() {
    let (_served, port, token) = open(false).await;
    let caller = format!("{CALLER}: command line\r\n");
    assert_eq!(sent(port, post_of("/api/admin", port, &caller, "{}")).await.0, 404);
    let (cookie, base) = signed_in(port, &token).await;
    assert_eq!(sent(port, get_of(&format!("{base}/api/local"), port, &cookie)).await.0, 404);
    let (_, _, body) = sent(port, get_of(&format!("{base}/api/about"), port, &cookie)).await;
    assert!(body.contains("--stack a") && body.contains("\"stack\""), "{body}");
    assert!(body.contains("\"may\":\"look\""), "what acts is not offered: {body}");
}

/// The first so many bytes of an answer that does not end.
async fn begun(port: u16, path: &str, cookie: &str, words: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    stream.write_all(get_of(path, port, cookie).as_bytes()).await.unwrap();
    let (mut seen, mut buffer) = (String::new(), [0; 4096]);
    while !seen.contains(words) {
        let n = stream.read(&mut buffer).await.unwrap();
        assert!(n > 0, "ended without `{words}`: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
    seen
}

#[tokio::test]
async fn what_changes_is_sent_to_whoever_is_signed_in() {
    let (_served, port, token) = open(true).await;
    let (cookie, base) = signed_in(port, &token).await;
    let live = |of: &str| format!("{base}/api/live?of={of}");
    let seen = begun(port, &live("local"), &cookie, "\"crm\"").await;
    assert!(seen.contains("text/event-stream"), "{seen}");
    let seen = begun(port, &live("overview"), &cookie, "no such thing").await;
    assert!(seen.contains("data: {\"error\""), "what is wrong is said: {seen}");
    assert_eq!(sent(port, get_of(&live("local"), port, "")).await.0, 401, "and to nobody else");
    assert_eq!(sent(port, get_of(&live("everything"), port, &cookie)).await.0, 404);
    let (_served, port, token) = open(false).await;
    let (cookie, base) = signed_in(port, &token).await;
    assert_eq!(sent(port, get_of(&format!("{base}/api/live?of=local"), port, &cookie)).await.0, 404);
}

#[tokio::test]
async fn each_file_that_the_page_asks_for_is_there() {
    let (_served, port, token) = open(false).await;
    let (cookie, base) = signed_in(port, &token).await;
    for (at, kind, text) in FILES {
        let (status, headers, body) = sent(port, get_of(&format!("{base}{at}"), port, &cookie)).await;
        assert!(status == 200 && headers["content-type"] == kind && body == text, "{at}");
        let asked =
            text.split('\'').filter_map(|word| word.strip_prefix('.')).filter(|word| word.ends_with(".js"));
        for file in asked {
            assert!(FILES.iter().any(|(at, ..)| *at == file), "{at} asks for {file}");
        }
    }
}

#[tokio::test]
async fn what_goes_wrong_is_said() {
    let (_served, port, token) = open(true).await;
    let (cookie, base) = signed_in(port, &token).await;
    for (path, body, status, words) in [
        ("/api/admin", r#"{"command":"sleepy"}"#, 403, "sign in"),
        ("/api/admin", r#"{"command":"dance"}"#, 502, "no such thing"),
        ("/api/local", r#"{"act":"dance"}"#, 400, "not today"),
    ] {
        let (seen, _, told) = sent(port, post_of(&format!("{base}{path}"), port, &cookie, body)).await;
        assert!(seen == status && told.contains(words), "{body}: {seen} {told}");
    }
    let admin = format!("{base}/api/admin");
    let (status, ..) = sent(port, post_of(&admin, port, &cookie, "no JSON")).await;
    assert_eq!(status, 400);
    let much = format!("\"{}\"", "x".repeat(MOST + 1));
    assert_eq!(sent(port, post_of(&admin, port, &cookie, &much)).await.0, 413);
}

#[tokio::test]
async fn the_command_line_reaches_a_local_run() {
    let (_served, port, _) = open(true).await;
    let local = Local::at(port);
    assert_eq!(local.invoke(&json!({ "command": "doctor" })).await.unwrap()["ok"], true);
    let wrong = local.invoke(&json!({ "command": "dance" })).await.unwrap_err();
    assert_eq!(wrong, Unreachable::Failed("no such thing".into()));
    let nobody = Local::at(1).invoke(&json!({})).await.unwrap_err();
    assert!(nobody.to_string().contains("cargo run --example local"), "{nobody}");
}

#[tokio::test]
async fn decisions_are_told_to_the_command_line_and_to_nobody_else() {
    let (_served, port, _) = open(true).await;
    assert_eq!(Local::at(port).decisions(6).await.unwrap(), [json!({ "n": 7 })]);
    let caller = format!("{CALLER}: page\r\n");
    let from = |more: &str| get_of("/api/decisions?after=0", port, more);
    assert_eq!(sent(port, from(&caller)).await.0, 200);
    assert_eq!(sent(port, from("")).await.0, 404, "neither the page's path nor the header");
    let foreign = format!("{caller}Origin: https://example.com\r\n");
    assert_eq!(sent(port, from(&foreign)).await.0, 403, "a page of somebody else's");
    assert_eq!(sent(port, get_of("/api/decisions?after=x", port, &caller)).await.0, 400);
    let (_served, port, _) = open(false).await;
    assert_eq!(sent(port, get_of("/api/decisions", port, &caller)).await.0, 404, "no local run");
}

/// The page's filters are the command line's and the admin function's, word for word.
#[test]
fn states_and_marks_have_the_same_words_everywhere() {
    use crate::command::State;
    use clap::ValueEnum;
    let text = |file: &str| FILES.iter().find(|(at, ..)| *at == file).unwrap().2;
    let of = |file: &str, begins: &str| {
        let from = text(file).split(begins).nth(1).unwrap();
        from.split(['}', ']']).next().unwrap().to_owned()
    };
    let states = of("/deals.js", "const STATES = [");
    let states = states.split(',').map(|word| word.trim().trim_matches('\'').to_owned());
    let marks = of("/kit.js", "const MARKS = {");
    let marks = marks.split(',').filter_map(|pair| Some(pair.split_once(':')?.0.trim().to_owned()));
    let page: Vec<String> = states.chain(marks).collect();
    let values = State::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    assert_eq!(page, values.map(|value| value.get_name().to_owned()).collect::<Vec<_>>());
}
