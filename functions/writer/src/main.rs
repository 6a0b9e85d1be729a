//! Wiring of the function `Writer`: log, configuration, clients, run. What it does is in `lib.rs`.

use aws_lambda_events::event::sqs::SqsEvent;
use clients::{
    aws,
    clock::Clock,
    config::Worker,
    live::Live,
    log,
    outside::{self, App},
};
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Worker::from_environment()?;
    let aws = aws::config()?;
    let map = outside::map(config.crm.kind(), None)?;
    let live = Live::new(App::open(&config, &aws, &aws, map, Clock::system(), false)?);
    let live = &live;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let answer = writer::handle(live, event.payload, outside::ends(event.context.deadline)).await;
        answer.map_err(lambda_runtime::Error::from)
    }))
    .await
}
