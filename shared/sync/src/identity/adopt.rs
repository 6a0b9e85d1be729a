//! Adopts: links a referral and a record that both exist.

use crate::{
    ports::{Ports, Seen},
    rows::{
        aliases::{alias_of, links_back, remember_lead},
        parking::park,
        referrals::referral_print,
        run::Run,
        stop::Outcome,
        work::Work,
    },
    settle::{Look, settle_on},
    state::{
        link::{Link, State},
        table::{Change, Expect, Key},
    },
};
use mapping::Referral;

/// Links a referral and a record without any base: equal values agree, of different ones the owner's stands.
pub(crate) async fn adopt<P: Ports>(run: &Run<'_, P>, referral: Referral, seen: Seen) -> Outcome {
    let map = run.map.of(seen.record.id.kind);
    if let Some(other) = map.record_referral_id(&seen.record).filter(|other| other != referral.id()) {
        let words = format!("record `{}` carries another Referral Identifier, `{other}`", seen.record.id);
        return park(run, referral.id().as_str(), &words, &referral_print(&referral)).await;
    }
    // An opportunity that was made of a linked lead belongs to the lead's link, which moves to it.
    if let Some(lead) = &seen.lead
        && let Some(other) = alias_of(run, lead).await?
        && other != *referral.id()
    {
        let words =
            format!("record `{}` was made of a lead that belongs to referral `{other}`", seen.record.id);
        return park(run, referral.id().as_str(), &words, &referral_print(&referral)).await;
    }
    let mut link = Link::new(referral.id().clone(), Some(seen.record.id.clone()), State::Linked);
    link.engagement = referral.engagement().cloned();
    let mut work = Work::fresh(run, link);
    work.besides = links_back(&work.link, &seen.record.id);
    remember_lead(&mut work, &seen);
    // On the condition that no run is creating a referral for this record.
    work.besides.push(Change::delete(Key::intent(&seen.record.id), Expect::Absent));
    work.note("adopted", "linked with the referral that names it", true);
    settle_on(
        work,
        Look { referral: true, record: true, body: Some(referral), row: Some(seen), ..Look::default() },
    )
    .await
}
