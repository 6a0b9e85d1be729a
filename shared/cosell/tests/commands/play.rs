//! The program as a child, and a local run to ask.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// The longest anything here takes, on a machine that does other things besides.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// It failed with this exit and code, said this, and put nothing on standard output.
    #[track_caller]
    pub(crate) fn fails(&self, exit: i32, code: &str, said: &str) {
        assert_eq!(self.code, exit, "{self:?}");
        assert!(self.err.contains(&format!("error[{code}]")) && self.err.contains(said), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
    }

    /// The words were wrong.
    #[track_caller]
    pub(crate) fn usage(&self) {
        assert_eq!((self.code, self.out.as_str()), (2, ""), "{self:?}");
        assert!(!self.err.is_empty());
    }
}

fn program(words: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cosell"));
    for name in ["COSELL_STACK", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.args(words).envs(variables.iter().copied()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program to its end, with nobody at its standard input.
pub(crate) fn cosell(words: &[&str], variables: &[(&str, &str)]) -> Done {
    done(program(words, variables).spawn().unwrap())
}

fn done(child: Child) -> Done {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A local run of its own, `cosell demo` on any free ports.
pub(crate) struct Demo {
    child: Child,
    port: u16,
    cookie: String,
    /// Below which path the page is.
    base: String,
    folder: std::path::PathBuf,
}

impl Demo {
    pub(crate) fn start(crm: &str) -> Self {
        let mut command = program(&["demo", "--page", "0", "--crm", crm], &[]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        let address = loop {
            let line = lines.recv_timeout(PATIENCE).expect("the local run prints its page's address");
            if let Some((_, address)) = line.split_once("http://127.0.0.1:")
                && address.contains("/?token=")
            {
                break address.to_owned();
            }
        };
        // What follows is read on, so that the run is never held up.
        std::thread::spawn(move || lines.iter().for_each(drop));
        let (port, path) = address.split_once('/').unwrap();
        let port = port.parse().unwrap();
        let (head, _) = sent(port, &format!("GET /{path}"), "", "");
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let base = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
        let folder = std::env::temp_dir().join(format!("cosell-test-{}-{crm}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Demo { child, port, cookie, base, folder }
    }

    /// Somebody acts, as at the page.
    pub(crate) fn act(&self, act: &Value) -> Value {
        let (head, body) =
            sent(self.port, &format!("POST {}api/local", self.base), &self.cookie, &act.to_string());
        assert!(head.starts_with("HTTP/1.1 200"), "{act}: {head}\n{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn cosell(&self, words: &[&str]) -> Done {
        cosell(&[&[self.flag().as_str()], words].concat(), &[])
    }

    /// With something at its standard input.
    pub(crate) fn piped(&self, words: &[&str], text: &str) -> Done {
        let mut command = program(&[&[self.flag().as_str()], words].concat(), &[]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        done(child)
    }

    /// A command's text and its answer as JSON; both end with this code and say nothing besides.
    #[track_caller]
    pub(crate) fn both(&self, words: &[&str], code: i32) -> (String, Value) {
        let text = self.cosell(words);
        assert_eq!((text.code, text.err.as_str()), (code, ""), "{words:?}: {text:?}");
        let json = self.cosell(&[words, &["--json"]].concat());
        assert_eq!((json.code, json.err.as_str()), (code, ""), "{words:?}: {json:?}");
        let report = json.json();
        assert_eq!(report["schema_version"], 1, "{words:?}");
        (text.out, report)
    }

    /// A command whose answer depends on the CRM: text and JSON agree on how it ended.
    #[track_caller]
    pub(crate) fn same(&self, words: &[&str]) {
        let code = self.cosell(words).code;
        assert!([0, 1].contains(&code), "{words:?}: {code}");
        let (_, report) = self.both(words, code);
        assert_eq!(report["ok"], code == 0, "{words:?}");
    }

    /// Asks until the answer is as it should be.
    pub(crate) fn until(&self, words: &[&str], is: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let report = self.cosell(&[words, &["--json"]].concat()).json();
            if is(&report) {
                return report;
            }
            assert!(began.elapsed() < PATIENCE, "{words:?}: {report}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// `tail` until its lines have it, ended by Ctrl-C.
    pub(crate) fn tail(&self, words: &[&str], has: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut child = program(&[&[self.flag().as_str(), "tail"], words].concat(), &[]).spawn().unwrap();
        let received = lines(child.stdout.take().unwrap());
        let mut told = vec![];
        while !has(&told) {
            told.push(received.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{e}: {told:#?}")));
        }
        let stopped = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(stopped.success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "as shells have it for Ctrl-C");
        told
    }

    /// A file of this run's.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn flag(&self) -> String {
        format!("--local={}", self.port)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn lines(from: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (line, lines) = mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(from).lines().map_while(Result::ok).try_for_each(|text| line.send(text)).ok();
    });
    lines
}

/// A request as the page makes it: the answer's head and body.
fn sent(port: u16, what: &str, cookie: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let request = format!(
        "{what} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nCookie: {cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}
