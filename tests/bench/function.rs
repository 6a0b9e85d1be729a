//! A function as a process, and the least of Lambda's Runtime API that it needs: it asks for its next event, we hand one
//! out, it posts its answer.

use crate::meter;
use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};

const API: &str = "/2018-06-01/runtime";
/// Nothing here takes so long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// The function's own time-out in the template.
    pub(crate) limit: SignedDuration,
}

pub(crate) struct Function {
    /// From its start until it asked for its first event.
    pub(crate) init: Duration,
    name: String,
    log: PathBuf,
    child: Child,
    pid: u32,
    asked: mpsc::UnboundedReceiver<()>,
    events: mpsc::UnboundedSender<Bytes>,
    posted: mpsc::UnboundedReceiver<Posted>,
    server: JoinHandle<()>,
}

struct Posted {
    at: Instant,
    failed: bool,
    body: Bytes,
}

pub(crate) struct Answer {
    pub(crate) body: Value,
    pub(crate) wall: Duration,
}

struct Api {
    limit: SignedDuration,
    number: AtomicU64,
    asked: mpsc::UnboundedSender<()>,
    events: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    posted: mpsc::UnboundedSender<Posted>,
}

impl Function {
    /// Starts it and waits until it asks for an event. Its log goes to `logs`.
    pub(crate) async fn start(program: &Program, logs: &Path) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (asked_in, asked) = mpsc::unbounded_channel();
        let (events, events_out) = mpsc::unbounded_channel();
        let (posted_in, posted) = mpsc::unbounded_channel();
        let api = Api {
            limit: program.limit,
            number: AtomicU64::new(1),
            asked: asked_in,
            events: Mutex::new(events_out),
            posted: posted_in,
        };
        let server = tokio::spawn(serve(listener, Arc::new(api)));
        let path = logs.join(format!("{}.log", program.name));
        let log = File::create(&path)?;
        let (first, rest) = program.command.split_first().context("a command")?;
        let mut command = Command::new(first);
        command.args(rest).env_clear().envs(program.environment.iter().cloned());
        command.env("AWS_LAMBDA_RUNTIME_API", &address).env("AWS_LAMBDA_FUNCTION_NAME", &program.name);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("`{first}` does not start"))?;
        let pid = child.id().context("a process id")?;
        let mut function = Function {
            init: Duration::ZERO,
            name: program.name.clone(),
            log: path,
            child,
            pid,
            asked,
            events,
            posted,
            server,
        };
        function.wait().await?;
        function.init = began.elapsed();
        Ok(function)
    }

    /// Until it asks for an event: it has done all its work by then.
    async fn wait(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            asked = timeout(PATIENCE, self.asked.recv()) => match asked {
                Ok(Some(())) => Ok(()),
                _ => bail!("`{}` asks for no event; see its log", self.name),
            },
            ended = self.child.wait() => bail!("`{}` ended ({ended:?}); see its log", self.name),
        }
    }

    /// One event; returns once the function asks for the next.
    pub(crate) async fn invoke(&mut self, event: &Value) -> anyhow::Result<Answer> {
        let event = Bytes::from(event.to_string());
        let began = Instant::now();
        self.events.send(event)?;
        let posted = match timeout(PATIENCE, self.posted.recv()).await {
            Ok(Some(posted)) => posted,
            _ => bail!("`{}` does not answer; see its log", self.name),
        };
        self.wait().await?;
        if posted.failed {
            bail!("`{}` failed: {}", self.name, String::from_utf8_lossy(&posted.body));
        }
        let body = serde_json::from_slice(&posted.body).unwrap_or(Value::Null);
        Ok(Answer { body, wall: posted.at.duration_since(began) })
    }

    /// How long its log is.
    pub(crate) fn logged(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |file| file.len())
    }

    /// Processor time so far.
    pub(crate) fn processor(&self) -> Option<Duration> {
        meter::processor(self.pid)
    }

    /// Most memory it ever held, in bytes.
    pub(crate) fn peak(&self) -> Option<u64> {
        meter::peak(self.pid)
    }

    /// Ends it as a terminal would, so that who watches it may write down what was seen.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.pid.to_string()).status().await?;
        timeout(PATIENCE, self.child.wait()).await??;
        Ok(())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, api: Arc<Api>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let api = api.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(api.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(api: Arc<Api>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(API).unwrap_or_default();
    if parts.method == Method::GET && path == "/invocation/next" {
        let _ = api.asked.send(());
        let event = api.events.lock().await.recv().await;
        return next(&api, event.ok_or_else(|| std::io::Error::other("the bench is over"))?);
    }
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let failed = path.ends_with("/error");
    let known = parts.method == Method::POST && (failed || path.ends_with("/response"));
    if known {
        let _ = api.posted.send(Posted { at: Instant::now(), failed, body });
    }
    let status = if known { 202 } else { 404 };
    response(Response::builder().status(status), Bytes::from_static(br#"{"status":"OK"}"#))
}

fn next(api: &Api, event: Bytes) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let number = api.number.fetch_add(1, Relaxed);
    let deadline = (Timestamp::now() + api.limit).as_millisecond();
    let headers = Response::builder()
        .header("lambda-runtime-aws-request-id", format!("{number:08x}-0000-4000-8000-000000000000"))
        .header("lambda-runtime-deadline-ms", deadline)
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench")
        .header(
            "lambda-runtime-trace-id",
            "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0",
        )
        .header("content-type", "application/json");
    response(headers, event)
}

fn response(
    builder: hyper::http::response::Builder,
    body: Bytes,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    builder.body(Full::new(body)).map_err(std::io::Error::other)
}
