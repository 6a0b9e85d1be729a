//! What a stranger does who has found the public address.

use crate::{stage::Stage, story::Knock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

/// One request, byte by byte; the answer has to be the one fixed refusal.
pub(crate) async fn knock(stage: &mut Stage, how: Knock) -> anyhow::Result<()> {
    let url = stage.world.webhook_url.clone();
    let rest = url.trim_start_matches("http://");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let query = if how == Knock::OddQuery { "?a=%22&b=\"" } else { "" };
    let mut head =
        format!("POST /{path}{query} HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n").into_bytes();
    let extra: &[u8] = match how {
        Knock::OddProtocol => b"x-forwarded-proto: ht tp\r\n",
        Knock::OddHost => b"x-forwarded-host: [::\"\r\n",
        Knock::ControlCharacter => b"authorization: Signature a\x80\xff\r\n",
        Knock::Unpadded => b"authorization: Signature QQ\r\nms-certificate-url: %%%\r\n",
        Knock::Nothing | Knock::OddQuery => b"",
    };
    head.extend_from_slice(format!("host: {host}\r\n").as_bytes());
    head.extend_from_slice(extra);
    head.extend_from_slice(b"\r\n{}");
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(&head).await?;
    let mut answer = vec![];
    let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    let status = String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or("none").to_owned();
    if read.is_err() || status != "401" {
        stage.wrong(format!("ingress:{how:?}:{status}"), "a stranger is not answered with the fixed 401");
    }
    Ok(())
}
