//! Wiring: log, configuration, clients, run. Connections are opened before the first event arrives.

use clients::{aws, clock::Clock, config, log};
use ingress::{App, handle};
use lambda_http::{Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    log::init();
    let config = config::Ingress::from_environment()?;
    let app = App::new(&config, &aws::config()?, Clock::system())?;
    app.open().await;
    let app = &app;
    let served = lambda_http::run(service_fn(move |request: Request| handle(app, request))).await;
    served.map_err(|e| anyhow::anyhow!("the lambda runtime ended: {e}"))
}
