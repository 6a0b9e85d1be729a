//! Wiring of the functions `Admin` and `AdminLook`: configuration, clients, run. What they do is in `lib.rs`. A faulty
//! configuration is answered, not crashed on: a deployment would hang for an hour.

use admin::{App, Call};
use clients::{
    aws,
    clock::Clock,
    config::Admin,
    log, metrics,
    outside::{self, map},
};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let app = open().await.map_err(|fault| fault.to_string());
    let app = &app;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let ends = outside::ends(event.context.deadline);
        let call = Call { ends, request: event.context.request_id };
        let answer = admin::handle(app, &event.payload, &call).await;
        if let (Ok(app), Some(numbers)) = (app, answer["data"]["metrics"].as_object()) {
            metrics::put(app.stack(), numbers, Clock::system().now());
        }
        Ok::<Value, lambda_runtime::Error>(answer)
    }))
    .await
}

async fn open() -> anyhow::Result<App> {
    let config = Admin::from_environment()?;
    let aws = aws::config()?;
    let map = map(config.worker.crm.kind(), None)?;
    Ok(App::open(config, &aws, &aws, map, Clock::system(), true)?)
}
