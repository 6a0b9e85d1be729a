//! Wiring of the function `Poller`: log, configuration, clients, run. What it does is in `lib.rs`.

use clients::{
    aws,
    clock::Clock,
    config::Worker,
    live::Live,
    log, metrics,
    outside::{self, App},
};
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Worker::from_environment()?;
    let aws = aws::config()?;
    let map = outside::map(config.crm.kind(), None)?;
    let live = Live::new(App::open(&config, &aws, &aws, map, Clock::system(), true)?);
    let (live, stack) = (&live, &config.stack);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let app = live.app().await?;
        let report = poller::handle(&app, outside::ends(event.context.deadline)).await?;
        metrics::put(stack, &poller::numbers(&report), Clock::system().now());
        Ok::<(), lambda_runtime::Error>(())
    }))
    .await
}
