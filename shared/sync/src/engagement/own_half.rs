//! Our own half of an engagement: looked up or POSTed once, and linked with its record.

use super::{
    end::link_up,
    look_up::look_up_own,
    post::{Posted, post},
};
use crate::{
    planted::{self, Bug},
    ports::{Found, Links, Ports, Referrals, Seen},
    rows::{held::Held, run::Ended, stop::Stop, telling::park_and_tell},
    state::{
        image::digest,
        table::{Change, Expect, Key},
    },
};
use mapping::Referral;

/// Looks our own half up or POSTs it, and links it.
pub(super) async fn own_half<P: Ports>(held: &mut Held<'_, P>, seen: &Seen) -> Result<Referral, Stop> {
    let mut own: Option<Referral> = None;
    if held.intent.referral.is_none() && held.intent.unknown.is_some() && !held.about_to_post {
        own = look_up_own(held).await?;
    }
    if held.intent.referral.is_none() && own.is_none() {
        own = Some(create(held, seen).await?);
    }
    if own.is_none()
        && let Some(id) = held.intent.referral.clone()
    {
        own = match held.run.ports.referrals().fetch(&id).await? {
            Found::Referral(referral) => Some(*referral),
            Found::Missing | Found::Forbidden => {
                held.release().await?;
                return Err(Ended::later(10, "our new referral cannot be read yet").into());
            }
        };
    }
    let Some(own) = own else { return Err(Ended::later(10, "our new referral is not known yet").into()) };
    match link_up(held, &own, seen).await? {
        true => Ok(own),
        false => Err(Ended::later(2, "others are saving its link").into()),
    }
}

/// POSTs our own half, unless the seller has set Sync to No by now.
async fn create<P: Ports>(held: &mut Held<'_, P>, seen: &Seen) -> Result<Referral, Stop> {
    let run = held.run;
    if run.map.wants_referral(&seen.record) == Some(false) && !planted::is(Bug::IntentUnstoppable) {
        let end = vec![
            Change::delete(held.key(), Expect::Rev(held.rev)),
            Change::delete(Key::parked(&seen.record.id.to_string()), Expect::Any),
        ];
        let ended = match run.ports.links().commit(end).await? {
            true => Ended::done("skipped", "Sync with Partner Center was set to No before it was sent"),
            false => Ended::later(2, "its own webhook has just arrived"),
        };
        return Err(ended.into());
    }
    match Box::pin(post(held, None)).await? {
        Posted::Referral(referral) => Ok(*referral),
        Posted::Refused(words) => {
            let end = vec![Change::delete(held.key(), Expect::Rev(held.rev))];
            let print = digest(&held.intent.request);
            Err(park_and_tell(run, seen, &words, &print, end).await?.into())
        }
    }
}
