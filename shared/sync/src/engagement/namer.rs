//! Referrals that name a record for which another referral is about to be created.

use crate::{
    identity::{adopt, consent::may_link},
    ports::{Found, Ports, Referrals, Seen},
    rows::{
        aliases::{is_linked, namers},
        run::{Ended, Run},
        stop::Stop,
    },
};

/// Adopts the first referral that names the record and may be linked with it by now. `None`: there is none, and the
/// record gets a referral of its own. A stranger's referral that names a record cannot keep it from being sent.
pub(crate) async fn of_its_namer<P: Ports>(run: &Run<'_, P>, seen: &Seen) -> Result<Option<Ended>, Stop> {
    for id in namers(run, &seen.record.id).await? {
        if is_linked(run, &id).await? {
            continue;
        }
        let Found::Referral(referral) = run.ports.referrals().fetch(&id).await? else { continue };
        let names = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
        let is_named = names.is_some_and(|named| named.id == seen.record.id.id);
        if is_named && !referral.is_terminal() && may_link(run, &referral, seen).is_ok() {
            return adopt(run, *referral, seen.clone()).await.map(Some);
        }
    }
    Ok(None)
}
