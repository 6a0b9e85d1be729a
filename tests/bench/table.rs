//! The table: an embedded DynamoDB, and in front of it somebody who counts what passes.

use crate::tally::Tally;
use anyhow::Context;
use dynoxide::{Database, Item};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{SendRequest, handshake},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinHandle,
};

pub(crate) const TABLE: &str = "links";

/// Running; ends when dropped.
pub(crate) struct Table {
    pub(crate) url: String,
    database: Database,
    tasks: [JoinHandle<()>; 2],
}

impl Table {
    pub(crate) async fn start(tally: Tally) -> anyhow::Result<Self> {
        let database = Database::memory()?;
        let attribute = |name| json!({ "AttributeName": name, "AttributeType": "S" });
        let key = |name, kind| json!({ "AttributeName": name, "KeyType": kind });
        database.create_table(serde_json::from_value(json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [attribute("pk"), attribute("sk")],
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        }))?)?;
        let engine = TcpListener::bind("127.0.0.1:0").await?;
        let behind = engine.local_addr()?;
        let front = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", front.local_addr()?);
        let tasks = [
            tokio::spawn(dynoxide::server::serve_on(engine, database.clone())),
            tokio::spawn(watch(front, behind, tally)),
        ];
        Ok(Table { url, database, tasks })
    }

    pub(crate) fn rows(&self) -> anyhow::Result<Vec<Value>> {
        let mut rows = vec![];
        let mut from = Value::Null;
        loop {
            let mut request = json!({ "TableName": TABLE });
            if !from.is_null() {
                request["ExclusiveStartKey"] = from;
            }
            let page = serde_json::to_value(self.database.scan(serde_json::from_value(request)?)?)?;
            rows.extend(page["Items"].as_array().into_iter().flatten().cloned());
            from = page["LastEvaluatedKey"].clone();
            if from.is_null() {
                return Ok(rows);
            }
        }
    }

    /// More rows, past the wire.
    pub(crate) fn fill(&self, rows: Vec<Value>) -> anyhow::Result<()> {
        let items: Vec<Item> = rows.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?;
        self.database.import_items(TABLE, items, dynoxide::ImportOptions::default())?;
        Ok(())
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// One connection behind for each in front.
async fn watch(front: TcpListener, behind: SocketAddr, tally: Tally) {
    loop {
        let Ok((stream, _)) = front.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let tally = tally.clone();
        tokio::spawn(async move {
            let Ok(sender) = connect(behind).await else { return };
            let sender = Arc::new(Mutex::new(sender));
            let service = service_fn(move |request| pass(sender.clone(), tally.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn connect(to: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn pass(
    behind: Arc<Mutex<SendRequest<Full<Bytes>>>>,
    tally: Tally,
    request: Request<Incoming>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let asked = body.collect().await?.to_bytes();
    let target = parts.headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit_once('.').map_or(target, |(_, name)| name).to_owned();
    let request = Request::from_parts(parts, Full::new(asked.clone()));
    let answer = behind.lock().await.send_request(request).await?;
    let (parts, body) = answer.into_parts();
    let answered = body.collect().await?.to_bytes();
    count(&tally, &operation, &asked, &answered).with_context(|| operation.clone())?;
    Ok(Response::from_parts(parts, Full::new(answered)))
}

fn count(tally: &Tally, operation: &str, asked: &[u8], answered: &[u8]) -> anyhow::Result<()> {
    let units = |bytes: usize, of: usize| bytes.div_ceil(of).max(1) as u64;
    let length = |item: &Value| item.as_object().map_or(0, members);
    let array = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (request, answer): (Value, Value) =
        (serde_json::from_slice(asked)?, serde_json::from_slice(answered)?);
    let (mut reads, mut writes) = (0, 0);
    match operation {
        "GetItem" => reads = units(length(&answer["Item"]), 4096),
        "BatchGetItem" => {
            let found = array(&answer["Responses"][TABLE]);
            let keys = array(&request["RequestItems"][TABLE]["Keys"]).len();
            reads = found.iter().map(|item| units(length(item), 4096)).sum::<u64>();
            // A key without an item costs a read as well.
            reads += keys.saturating_sub(found.len()) as u64;
        }
        "Query" | "Scan" => reads = units(array(&answer["Items"]).iter().map(length).sum(), 4096),
        "PutItem" => writes = units(length(&request["Item"]), 1024),
        "DeleteItem" | "UpdateItem" => writes = 1,
        "TransactWriteItems" => {
            let one = |item: &Value| 2 * units(length(&item["Put"]["Item"]), 1024);
            writes = array(&request["TransactItems"]).iter().map(one).sum();
        }
        other => anyhow::bail!("no price for `{other}`"),
    }
    tally.add(|counts| {
        counts.table_reads += u64::from(reads > 0);
        counts.table_writes += u64::from(writes > 0);
        counts.table_bytes += (asked.len() + answered.len()) as u64;
        counts.read_units += reads;
        counts.write_units += writes;
    });
    Ok(())
}

/// The bytes of an item as DynamoDB counts them: names and values, not how they are written on the wire.
fn members(item: &serde_json::Map<String, Value>) -> usize {
    item.iter().map(|(name, value)| name.len() + attribute(value)).sum()
}

fn attribute(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|one| one.iter().next()) else { return 0 };
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        // Two digits in a byte, and one more.
        ("N", Value::String(number)) => number.len().div_ceil(2) + 1,
        ("M", Value::Object(map)) => 3 + map.len() + members(map),
        ("SS", Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::len).sum(),
        ("L", Value::Array(list)) => 3 + list.len() + list.iter().map(attribute).sum::<usize>(),
        // Yes, no and nothing; the table holds no other kinds.
        _ => 1,
    }
}
