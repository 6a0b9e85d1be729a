//! The admin function of a local run on this machine.

use crate::admin::{Admin, Unreachable, report};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1, http::request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpStream;

/// The port of a local run's page, unless another one is given.
pub const PORT: u16 = 7070;
/// The header by which the command line is known. A page of another origin cannot send it: the browser would ask the
/// local run first, which does not agree.
pub const CALLER: &str = "x-cosell";

/// A local run on this machine, by its page's port.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    port: u16,
}

impl Local {
    /// The local run whose page listens at this port.
    pub fn at(port: u16) -> Self {
        Local { port }
    }

    /// The decisions with a number above this one, oldest first: `[{n, at, referral, record, decision, reason}]`.
    pub async fn decisions(&self, after: u64) -> Result<Vec<Value>, Unreachable> {
        let request = Request::get(format!("/api/decisions?after={after}"));
        let answer = self.sent(request, String::new()).await?;
        match answer["decisions"].as_array() {
            Some(decisions) => Ok(decisions.clone()),
            None => Err(Unreachable::NoReport("the local run answered with no decisions".to_owned())),
        }
    }

    async fn ask(&self, event: &Value) -> Result<Value, Unreachable> {
        let request = Request::post("/api/admin").header("content-type", "application/json");
        report(self.sent(request, event.to_string()).await?)
    }

    async fn sent(&self, request: request::Builder, body: String) -> Result<Value, Unreachable> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let none = |e: &dyn std::fmt::Display| {
            Unreachable::NoLocalRun(format!(
                "no local run at {address} ({e}): start one with `cosell demo` or `cargo run --example local`"
            ))
        };
        let stream = TcpStream::connect(address).await.map_err(|e| none(&e))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| none(&e))?;
        let driven = tokio::spawn(connection);
        let request = request
            .header("host", address.to_string())
            .header(CALLER, "command line")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| none(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| none(&e))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| none(&e))?.to_bytes();
        driven.abort();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        match body["error"].as_str() {
            Some(error) if !status.is_success() => Err(Unreachable::Failed(error.to_owned())),
            _ => Ok(body),
        }
    }
}

impl Admin for Local {
    fn invoke<'a>(&'a self, event: &'a Value) -> BoxFuture<'a, Result<Value, Unreachable>> {
        Box::pin(self.ask(event))
    }

    fn name(&self) -> String {
        "local run".to_owned()
    }

    fn flags(&self) -> String {
        match self.port {
            PORT => "--local".to_owned(),
            port => format!("--local={port}"),
        }
    }
}
