//! Consent: what links a referral and a record of which only one names the other. Any user with the smallest role in
//! Partner Center may enter the id of another seller's opportunity, and any seller may enter a referral's id in the
//! CRM.

use crate::{
    planted::{self, Bug},
    ports::{Ports, Seen},
    rows::{
        aliases::namers,
        parking::{Aside, park_besides, parked_row},
        referrals::referral_print,
        run::Run,
        stop::Outcome,
        telling::{park_and_tell, tell},
    },
    state::{
        deal,
        image::digest,
        table::{Change, Expect, Item, Key},
    },
};
use jiff::SignedDuration;
use mapping::{CrmIdLinks, RecordId, RecordKind, Referral, names::STATUS};

/// How long the list of these referrals is kept. A referral that waits is tried once a day, and then enters the list
/// anew.
const NAMED_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many of the referrals that name a record without its consent are remembered.
const NAMERS: usize = 10;

/// Whether the two may be linked although one of them does not name the other; `Err`: what is missing.
pub(crate) fn may_link<P: Ports>(run: &Run<'_, P>, referral: &Referral, seen: &Seen) -> Result<(), String> {
    match run.map.switches().crm_id_links {
        CrmIdLinks::Always => return Ok(()),
        CrmIdLinks::Never => return Err("the other one has to name it".into()),
        CrmIdLinks::SameCustomer => {}
    }
    if planted::is(Bug::OneWordLinks) {
        return Ok(());
    }
    let map = run.map.of(seen.record.id.kind);
    let status = map.record_field(STATUS, &seen.record);
    if status.is_none_or(|status| deal::is_closed_record(map, &status)) {
        return Err("the record is closed".into());
    }
    if map.wants_referral(&seen.record) != Some(true) {
        return Err("its Sync with Partner Center is not Yes".into());
    }
    if !map.is_same_customer(referral, &seen.record) {
        return Err("the customers are not the same".into());
    }
    if seen.record.id.kind == RecordKind::Opportunity {
        // The record must have everything that a new referral needs.
        map.new_referral(&seen.record).map_err(|missing| {
            let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
            missing.join("; ")
        })?;
    }
    Ok(())
}

/// The referral names a record that does not name it. The referral is parked and the record's Audit field says so;
/// before another referral is made for the record, this one is read again.
pub(crate) async fn refused_by_record<P: Ports>(
    run: &Run<'_, P>,
    referral: &Referral,
    seen: &Seen,
    lacks: &str,
) -> Outcome {
    let (id, record) = (referral.id(), &seen.record.id);
    let words = format!("it names record `{record}`, which does not name it, and {lacks}");
    let before = parked_row(run, id.as_str()).await?;
    if before.is_none_or(|before| before.reason != words) {
        let told = format!(
            "referral `{id}` in Partner Center names this record and is not linked: {lacks}. To link it, enter it as Referral Identifier"
        );
        tell(run, seen, &told, None).await?;
    }
    let mut referrals = namers(run, record).await?;
    referrals.retain(|known| known != id);
    referrals.push(id.clone());
    let excess = referrals.len().saturating_sub(NAMERS);
    referrals.drain(..excess);
    let named = Change::put(Key::named(record), Expect::Any, Item::Named { referrals });
    let named = named.until(run.now() + NAMED_KEPT);
    waits_for(run, referral, record, &words, vec![named]).await
}

/// The record names a referral that does not name it: both are parked, each with the reason.
pub(crate) async fn refused_by_referral<P: Ports>(
    run: &Run<'_, P>,
    referral: &Referral,
    seen: &Seen,
    lacks: &str,
) -> Outcome {
    let (id, record) = (referral.id(), &seen.record.id);
    let words = format!("its Referral Identifier `{id}` names a referral that does not name it, and {lacks}");
    let theirs = format!("record `{record}` names it, which it does not name, and {lacks}");
    waits_for(run, referral, record, &theirs, vec![]).await?;
    park_and_tell(run, seen, &words, &digest(&words), vec![]).await
}

/// Parks a referral until the record consents.
async fn waits_for<P: Ports>(
    run: &Run<'_, P>,
    referral: &Referral,
    record: &RecordId,
    words: &str,
    besides: Vec<Change>,
) -> Outcome {
    let print = referral_print(referral);
    let aside =
        Aside { waits_for: Some(record.clone()), ..Aside::new(referral.id().as_str(), words, &print) };
    park_besides(run, aside, besides).await
}
