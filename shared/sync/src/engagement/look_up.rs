//! Looks a referral up after a POST with an unknown outcome: no second POST follows before.

use crate::{
    planted::{self, Bug},
    ports::{Ports, Referrals},
    rows::{held::Held, run::Ended, stop::Stop},
};
use jiff::SignedDuration;
use mapping::Referral;

/// How many look-ups must find nothing before a second POST.
const LOOK_UPS: u32 = 3;
/// The least time since the first POST before a second one.
const LOOKED_UP_FOR: SignedDuration = SignedDuration::from_mins(10);
/// How long before the intent the look-up's list begins.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);
/// The pause between two look-ups, in seconds: three look-ups then span more than ten minutes.
const LOOK_UP_PAUSE: i64 = 310;

/// Looks for our own half after an unknown outcome: own organisation, our record's id, all pages. `None`: enough
/// look-ups have found nothing.
pub(super) async fn look_up_own<P: Ports>(held: &mut Held<'_, P>) -> Result<Option<Referral>, Stop> {
    let run = held.run;
    let mut cursor: Option<String> = None;
    loop {
        let page =
            run.ports.referrals().changed_since(held.intent.began - LOOK_BACK, cursor.as_deref()).await?;
        for referral in page.referrals {
            let names = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
            let named = names.as_ref() == Some(&held.intent.record) && held.intent.may_be(&referral);
            if referral.belongs_to(&run.settings.organization) && named {
                return Ok(Some(referral));
            }
        }
        cursor = page.next.filter(|_| !planted::is(Bug::LookUpOnePage));
        if cursor.is_none() {
            break;
        }
    }
    in_vain(held).await.map(|()| None)
}

/// Counts a look-up that found nothing. Unless there were enough, the story ends here until the next one.
pub(super) async fn in_vain<P: Ports>(held: &mut Held<'_, P>) -> Result<(), Stop> {
    let now = held.run.now();
    let Some(unknown) = &mut held.intent.unknown else { return Ok(()) };
    unknown.look_ups += 1;
    let enough = unknown.look_ups >= LOOK_UPS && now.duration_since(unknown.since) >= LOOKED_UP_FOR;
    if enough || planted::is(Bug::SecondPostEarly) {
        held.intent.unknown = None;
        held.intent.n += 1;
        if !held.save(vec![]).await? {
            return Err(Ended::later(2, "its own webhook has just arrived").into());
        }
        return Ok(());
    }
    held.release().await?;
    Err(Ended::later(LOOK_UP_PAUSE, "looking whether the referral was created").into())
}
