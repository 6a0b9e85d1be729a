//! One POST: saved before it is sent; and what its outcome means.

use crate::{
    planted::{self, Bug},
    ports::{Ports, Referrals},
    rows::{held::Held, run::Ended, stop::Stop},
    state::{
        failure::{Refused, Written},
        intent::Unknown,
    },
};
use mapping::{Map, Referral};

pub(super) enum Posted {
    Referral(Box<Referral>),
    Refused(String),
}

/// Sends one POST of the present step. The caller holds the intent's claim.
pub(super) async fn post<P: Ports>(held: &mut Held<'_, P>, body: Option<String>) -> Result<Posted, Stop> {
    let run = held.run;
    if !run.may_write() {
        held.release().await?;
        return Err(Ended::later(0, "this run has no time left for a create").into());
    }
    let body = body.unwrap_or_else(|| held.intent.request.clone());
    if !held.about_to_post {
        let unknown = Unknown { since: run.now(), look_ups: 0 };
        held.intent.unknown = Some(unknown).filter(|_| !planted::is(Bug::PostNotWrittenAhead));
        if !held.save(vec![]).await? {
            return Err(Ended::later(2, "somebody else saved its intent").into());
        }
    }
    held.about_to_post = false;
    let outcome = run.ports.referrals().create(&body, &held.intent.request_id()).await;
    if !matches!(outcome, Written::Unknown(_)) {
        held.intent.unknown = None;
    }
    match outcome {
        Written::Done(referral) => Ok(Posted::Referral(Box::new(referral))),
        Written::Later(failure) => {
            held.intent.n += 1;
            held.release().await?;
            Err(failure.into())
        }
        Written::Refused(Refused { field, text }) => {
            held.intent.n += 1;
            Ok(Posted::Refused(match field {
                Some(field) => format!("Partner Center refused it: `{field}`: {text}"),
                None => format!("Partner Center refused it: {text}{}", besides(run.map, &body)),
            }))
        }
        Written::Lost | Written::Exists => {
            held.intent.n += 1;
            held.release().await?;
            Err(Ended::later(5, "Partner Center met a conflict while creating it").into())
        }
        Written::Unknown(failure) => {
            let why = format!("it is not known whether the referral was created: {failure}");
            Err(run.just_after(held.intent.claim_until, why).into())
        }
    }
}

/// A text for a refusal that names no field: it is often about fields that only the vendor's own forms ask for.
fn besides(map: &Map, body: &str) -> String {
    let request = serde_json::from_str(body).unwrap_or_default();
    match map.unsaid(&request).join(" and ") {
        unsaid if unsaid.is_empty() => String::new(),
        unsaid => {
            format!(". It names no field. Its own forms ask for {unsaid}, which this deal does not say")
        }
    }
}
