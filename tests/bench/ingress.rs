//! The ingress and its peers: the same webhooks for each.

use crate::{
    figure::{Figure, Start, round},
    function::{Function, Program},
    stage::Stage,
};
use anyhow::ensure;
use serde_json::{Value, json};
use simulators::partner_center::Forge;
use std::path::Path;

/// Forged signatures make a function look whether the certificate was renewed, a few times an hour.
const LOOKS: usize = 12;

/// Enqueued, verified, refused: so many of each.
pub(crate) async fn measure(
    stage: &Stage,
    program: &Program,
    logs: &Path,
    rounds: usize,
    start: &mut Start,
) -> anyhow::Result<Vec<Figure>> {
    let mut function = Function::start(program, logs).await?;
    let first = function.invoke(&changed(stage, 0)).await?;
    ensure!(first.body["statusCode"] == 200, "`{}` answers {}", program.name, first.body);
    start.first_ms = Some(round(first.wall.as_secs_f64() * 1e3));
    let mut figures = vec![];
    for case in Case::ALL {
        let mut figure = Figure::new(&program.name, case.name());
        for number in 0..case.warm_up() + rounds {
            let event = case.event(stage, number);
            let answer = if number < case.warm_up() {
                function.invoke(&event).await?.body
            } else {
                figure.invoke(&stage.tally, &mut function, 1, &event).await?
            };
            ensure!(answer["statusCode"] == case.status(), "`{}` answers {answer}", program.name);
        }
        figures.push(figure);
    }
    start.peak_bytes = function.peak();
    stage.drain()?;
    Ok(figures)
}

#[derive(Clone, Copy)]
pub(crate) enum Case {
    Enqueued,
    Verified,
    Forged,
    ForeignAddress,
}

impl Case {
    const ALL: [Case; 4] = [Case::Enqueued, Case::Verified, Case::Forged, Case::ForeignAddress];

    fn name(self) -> &'static str {
        match self {
            Case::Enqueued => "verified and enqueued",
            Case::Verified => "verified, nothing to enqueue",
            Case::Forged => "refused: signature",
            Case::ForeignAddress => "refused: certificate's address",
        }
    }

    fn status(self) -> u16 {
        match self {
            Case::Enqueued | Case::Verified => 200,
            Case::Forged | Case::ForeignAddress => 401,
        }
    }

    fn warm_up(self) -> usize {
        if matches!(self, Case::Forged) { LOOKS } else { 3 }
    }

    pub(crate) fn event(self, stage: &Stage, number: usize) -> Value {
        match self {
            Case::Enqueued => changed(stage, number + 1),
            Case::Verified => stage.webhook(r#"{"EventName":"test-created"}"#, Forge::Microsoft),
            Case::Forged => {
                let mut event = changed(stage, number);
                let genuine = stage.webhook(r#"{"EventName":"test-created"}"#, Forge::Microsoft);
                event["headers"] = genuine["headers"].clone();
                event
            }
            Case::ForeignAddress => {
                let mut event = changed(stage, number);
                event["headers"]["x-ms-certificate-url"] = json!("https://elsewhere.example/cert/x.cer");
                event
            }
        }
    }
}

/// A referral nobody knows has changed: the ingress does not ask.
fn changed(stage: &Stage, number: usize) -> Value {
    let at = stage.now();
    let body = format!(
        r#"{{"EventName":"referral-updated","ResourceUri":"https://api.partnercenter.microsoft.com/engagements/v1/referrals/{number:08x}-0000-4000-8000-000000000000","ResourceName":"referral","AuditUri":null,"ResourceChangeUtcDate":"{at}"}}"#
    );
    stage.webhook(&body, Forge::Microsoft)
}
