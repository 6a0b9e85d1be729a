//! Wiring of the function `Ingress`: log, configuration, clients, run. What it does is in `lib.rs`. Connections are
//! opened before the first event arrives.

use clients::{aws, clock::Clock, config, log};
use ingress::{App, handle};
use lambda_http::{LambdaEvent, lambda_runtime, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    log::init();
    let config = config::Ingress::from_environment()?;
    let app = App::new(&config, &aws::config()?, Clock::system())?;
    app.open().await;
    let app = &app;
    // Raw: what cannot be read is refused, not failed at.
    let served = lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, lambda_runtime::Error>(handle(app, event.payload.get().as_bytes()).await)
    }));
    served.await.map_err(|e| anyhow::anyhow!("the lambda runtime ended: {e}"))
}
