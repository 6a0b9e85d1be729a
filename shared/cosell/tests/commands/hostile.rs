//! Whoever listens where the local run should, and answers what it likes.

use crate::play::{Done, cosell};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// Answers each request in turn, the last answer again and again, and keeps what it was asked.
struct Impostor {
    port: u16,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Impostor {
    fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(vec![]));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                // Kept before it is answered: who has the answer may look at once.
                let request = request(&stream);
                kept.lock().unwrap().push(request);
                answer(&mut stream, &answers[n.min(answers.len() - 1)]);
            }
        });
        Impostor { port, asked }
    }

    fn cosell(&self, words: &[&str]) -> Done {
        cosell(&[&[format!("--local={}", self.port).as_str()], words].concat(), &[])
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|event| event["command"].as_str().unwrap_or("?").to_owned()).collect()
    }
}

fn request(stream: &TcpStream) -> Value {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap_or_default()
}

fn answer(stream: &mut TcpStream, answer: &str) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
    stream.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes()).unwrap();
}

fn report(data: &Value) -> String {
    json!({ "schema_version": 1, "ok": true, "lines": [{ "level": "ok", "text": "fine" }], "data": data })
        .to_string()
}

#[test]
fn what_is_no_report_is_told_and_never_shown_as_one() {
    for none in ["", "null", "[]", "hello", "{\"ok\": true}", "{\"errorMessage\": \"out of memory\u{9b}2J\"}"]
    {
        let impostor = Impostor::start(vec![none.to_owned()]);
        let done = impostor.cosell(&["overview"]);
        done.fails(1, "no-report", "no report");
        assert!(!done.err.contains('\u{9b}'), "{done:?}");
        impostor.cosell(&["overview", "--json"]).fails(1, "no-report", "no report");
    }
}

#[test]
fn a_newer_schema_is_refused_before_anything_is_done() {
    let newer = json!({ "schema_version": 2, "ok": true, "lines": [], "data": null }).to_string();
    let id = "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01";
    for words in [&["overview"][..], &["redrive", "--yes"], &["disconnect", id, "--yes"], &["look", id]] {
        let impostor = Impostor::start(vec![newer.clone()]);
        impostor.cosell(words).fails(1, "newer-schema", "schema 2");
        let only = if words[0] == "overview" { "overview" } else { "help" };
        assert_eq!(impostor.asked(), [only], "{words:?}: nothing is executed");
    }
}

#[test]
fn names_of_strangers_do_nothing_to_the_terminal() {
    let deals = json!({ "deals": [{
        "name": "Harbor\u{1b}[2J\u{1b}]0;x\u{7}\nLine\u{202e}\u{9b}31m", "customer": "<script>", "referral": "r\u{7f}",
        "state": "linked", "marks": ["\u{1b}[1m"],
    }], "next": "\u{1b}c" });
    let impostor = Impostor::start(vec![report(&deals)]);
    let disturbs = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    let text = impostor.cosell(&["deals"]);
    assert!(text.code == 0 && text.out.contains("Harbor") && !text.out.contains(disturbs), "{text:?}");
    let json = impostor.cosell(&["deals", "--json"]);
    assert!(json.code == 0 && !json.out.contains(disturbs), "{json:?}");
    assert_eq!(json.json()["data"], deals, "programs get it whole");
    let lines = json!({ "schema_version": 1, "ok": false, "data": null, "lines": [
        { "level": "\u{1b}[31mfault", "text": "no\u{1b}[2K", "cure": "do\u{7}" },
    ] });
    let done = Impostor::start(vec![lines.to_string()]).cosell(&["doctor"]);
    assert!(done.code == 1 && !done.out.contains(disturbs), "{done:?}");
}

#[test]
fn something_long_is_not_final_until_it_is_over() {
    let at = |done: bool, sent: u32| {
        report(&json!({ "done": done, "sent": sent, "pages": 1, "began": "2026-11-30T10:00:00Z" }))
    };
    let under_way = || Impostor::start(vec![report(&Value::Null), at(false, 10)]);
    let done = under_way().cosell(&["backfill", "start", "--yes"]);
    assert_eq!(done.code, 5, "{done:?}");
    let cut = report(&json!({ "done": false, "made": [] }));
    assert_eq!(Impostor::start(vec![report(&Value::Null), cut]).cosell(&["provision", "--yes"]).code, 5);
    let impostor = Impostor::start(vec![at(false, 10)]);
    assert_eq!(impostor.cosell(&["rebase", "status", "--json"]).code, 5);
    let impostor = Impostor::start(vec![report(&Value::Null), at(false, 10), at(false, 20), at(true, 30)]);
    let done = impostor.cosell(&["backfill", "start", "--yes", "--wait", "--json"]);
    assert_eq!((done.code, &done.json()["data"]["sent"]), (0, &json!(30)), "{done:?}");
    for part in ["backfill, begun 2026-11-30T10:00:00Z: 10 hints", "20 hints"] {
        assert!(done.err.contains(part), "what it waits for, and since when: {done:?}");
    }
    assert_eq!(impostor.asked(), ["help", "backfill", "backfill", "backfill"]);
    let waiting = |n: u32| report(&json!({ "waiting": n }));
    let impostor =
        Impostor::start(vec![report(&Value::Null), report(&json!({ "sent": 3 })), waiting(3), waiting(0)]);
    let done = impostor.cosell(&["redrive", "--yes", "--wait"]);
    assert!(done.code == 0 && done.err.contains("3 messages wait"), "{done:?}");
}
