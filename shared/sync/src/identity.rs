//! A referral without a link: decides whose it is and which record it belongs to. Adopts a record, creates one, or
//! parks the referral with the reason.

mod adopt;
pub(crate) mod consent;
mod create;
mod found;
mod resume;

use crate::{
    identity::consent::{may_link, refused_by_record},
    planted::{self, Bug},
    ports::{Crm, Links, Ports, Referrals},
    rows::{
        aliases::alias_of_sibling,
        late::older_than_hint,
        parking::park,
        referrals::{look_up, referral_print},
        run::{Ended, Run},
        stop::Outcome,
    },
    settle::{Look, settle},
    state::{
        failure::Failure,
        intent::Intent,
        table::{Change, Expect, Item, Key, Row},
    },
};
pub(crate) use adopt::adopt;
use create::create;
use jiff::{SignedDuration, Timestamp};
use mapping::{Category, RecordKind, Referral, ReferralId, classify};
pub(crate) use resume::settle_or_resume;

/// How long the tombstone of an id that is not ours is kept.
const FOREIGN_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long it is kept if the id may be Microsoft's half.
const RELATED_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// What named a referral without a link. It decides what follows if the referral stays missing (404). Of several, the
/// greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// A webhook: the id gets a tombstone.
    Told,
    /// A related event: its id may be the sibling's and may appear later, so its tombstone is kept for minutes.
    Related,
    /// Partner Center's list, or a parked row: the referral exists, and is tried again by time.
    Listed,
}

/// Handles a referral that has no link. `since`: the hint's instant.
pub(crate) async fn meet<P: Ports>(
    run: &Run<'_, P>,
    id: &ReferralId,
    since: Option<Timestamp>,
    named: Named,
) -> Outcome {
    // A referral that only a webhook named does not cause a hold: a run that itself needs Partner Center meets the same
    // trouble and causes it.
    let asked = look_up(run, id).await.map_err(|failure| match named {
        Named::Listed => failure,
        Named::Told | Named::Related => Failure { wide: false, ..failure },
    });
    let referral = match asked? {
        Some(referral) => referral,
        None => return not_there(run, id, named).await,
    };
    if let Some(again) = older_than_hint(run, since, &referral) {
        return Ok(again);
    }
    match classify(&referral, &run.settings.organization) {
        Category::Sibling if planted::is(Bug::SiblingIsOurs) => Box::pin(own(run, referral)).await,
        Category::Sibling => Box::pin(sibling(run, referral)).await,
        Category::Unclear(words) => park(run, id.as_str(), &words, &referral_print(&referral)).await,
        Category::Lead if run.map.switches().cosell_only => {
            Ok(Ended::done("skipped", "a lead, and only co-sell is synchronised"))
        }
        Category::Lead if !run.map.has_leads() => {
            let words = "an unaccepted lead: it comes as opportunity once it is accepted";
            park(run, id.as_str(), words, &referral_print(&referral)).await
        }
        Category::Lead | Category::Opportunity => Box::pin(own(run, referral)).await,
    }
}

/// A referral without a link is missing (404). Partner Center may show it later: after three more tries it gets a
/// tombstone or is parked.
async fn not_there<P: Ports>(run: &Run<'_, P>, id: &ReferralId, named: Named) -> Outcome {
    let why = "Partner Center does not show it (yet)";
    match run.attempt {
        0 | 1 => return Ok(Ended::later(10, why)),
        2 => return Ok(Ended::later(60, why)),
        3 => return Ok(Ended::later(300, why)),
        _ => {}
    }
    match named {
        Named::Listed if !planted::is(Bug::ListedGivenUp) => {
            let words = "Partner Center lists this referral, but does not show it";
            return park(run, id.as_str(), words, "listed").await;
        }
        Named::Told | Named::Related => {
            let kept = if named == Named::Told { FOREIGN_KEPT } else { RELATED_KEPT };
            let row = Change::put(Key::foreign(id), Expect::Any, Item::Foreign).until(run.now() + kept);
            run.ports.links().commit(vec![row]).await?;
        }
        Named::Listed => {}
    }
    Ok(Ended::done("foreign", "Partner Center does not show this referral to us"))
}

/// Another organisation's half of an engagement never gets a record of its own: it leads to our half.
async fn sibling<P: Ports>(run: &Run<'_, P>, sibling: Referral) -> Outcome {
    let Some(engagement) = sibling.engagement().cloned() else {
        return Ok(Ended::done("foreign", "another organisation's referral without an engagement"));
    };
    let halves = run.ports.referrals().engagement(&engagement).await?;
    let Some(own_half) = halves.into_iter().find(|r| r.belongs_to(&run.settings.organization)) else {
        return Ok(Ended::later(30, "our half of the engagement is not there (yet)"));
    };
    let key = Key::link(own_half.id());
    match run.ports.links().read(&[key]).await?.pop().flatten() {
        Some(Row { item: Item::Link(link), .. }) => {
            let id = own_half.id().clone();
            if sibling.is_microsoft() && link.microsoft.is_none() && link.claim.is_some() {
                // A write is in flight and its run will save the link: only the alias is saved here, so that save is
                // not overtaken.
                run.ports.links().commit(vec![alias_of_sibling(sibling.id(), &id)]).await?;
            }
            let look = Look { body: Some(own_half), referral: true, engagement: true, ..Look::default() };
            settle(run, &id, None, look).await
        }
        _ => own(run, own_half).await,
    }
}

/// Our own referral without a link: the record that it names decides.
async fn own<P: Ports>(run: &Run<'_, P>, referral: Referral) -> Outcome {
    let named = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
    let named = match kind_of(run, &referral) {
        RecordKind::Lead => named.map(|record| run.map.other_kind(&record).unwrap_or(record)),
        RecordKind::Opportunity => named,
    };
    let Some(record) = named.filter(|_| !planted::is(Bug::OwnReferralIsStranger)) else {
        // It names no record. A text that is not shaped like a record id counts as empty.
        return create(run, referral).await;
    };
    // The id may be that of a lead or of an opportunity.
    let both = [Some(record.clone()), run.map.other_kind(&record)];
    let keys: Vec<Key> = both.iter().flatten().flat_map(|id| [Key::record(id), Key::intent(id)]).collect();
    let rows: Vec<Row> = run.ports.links().read(&keys).await?.into_iter().flatten().collect();
    let alias = rows.iter().find(|row| matches!(row.item, Item::Alias { .. })).cloned();
    let intent = rows.into_iter().find(|row| matches!(row.item, Item::Intent(_)));
    if let Some(Row { item: Item::Alias { referral: linked }, .. }) = alias {
        if linked == *referral.id() {
            return Ok(Ended::later(1, "the link was just made"));
        }
        let words = format!("it names record `{record}`, which belongs to referral `{linked}`");
        return park(run, referral.id().as_str(), &words, &referral_print(&referral)).await;
    }
    if let Some(Row { key, rev, item: Item::Intent(intent) }) = intent {
        return note_in_intent(run, key, rev, *intent, &referral).await;
    }
    let mut seen = run.ports.crm().fetch(&record).await?;
    if let (None, Some(other)) = (&seen, run.map.other_kind(&record)) {
        seen = run.ports.crm().fetch(&other).await?;
    }
    match seen {
        Some(seen) => {
            let names = run.map.of(seen.record.id.kind).record_referral_id(&seen.record);
            let agreed = match names {
                Some(_) => Ok(()),
                None => may_link(run, &referral, &seen),
            };
            match agreed {
                Ok(()) => adopt(run, referral, seen).await,
                Err(lacks) => Box::pin(refused_by_record(run, &referral, &seen, &lacks)).await,
            }
        }
        None => {
            let words = format!("it names record `{record}`, which the CRM does not have");
            park(run, referral.id().as_str(), &words, &referral_print(&referral)).await
        }
    }
}

/// The webhook of our own new referral arrived before the run that POSTed it saved its id, which is usual. The id is
/// noted in the intent, and only the intent's holder continues.
async fn note_in_intent<P: Ports>(
    run: &Run<'_, P>,
    key: Key,
    rev: u64,
    mut intent: Intent,
    referral: &Referral,
) -> Outcome {
    if intent.referral.is_none() && !intent.may_be(referral) {
        let words = "its record is already becoming a referral of its own";
        return park(run, referral.id().as_str(), words, &referral_print(referral)).await;
    }
    if intent.referral.is_none() {
        intent.referral = Some(referral.id().clone());
        intent.engagement = referral.engagement().cloned();
        let change = Change::put(key, Expect::Rev(rev), Item::Intent(Box::new(intent)));
        if !run.ports.links().commit(vec![change]).await? {
            return Ok(Ended::later(2, "its maker is saving it"));
        }
    } else if intent.referral.as_ref() != Some(referral.id()) {
        let words = format!(
            "its record is already becoming referral `{}`",
            intent.referral.as_ref().map_or("", |r| r.as_str())
        );
        return park(run, referral.id().as_str(), &words, &referral_print(referral)).await;
    }
    Ok(Ended::done("noted", "our own new referral; whoever is creating it goes on"))
}

/// The kind of record that a new referral becomes.
fn kind_of<P: Ports>(run: &Run<'_, P>, referral: &Referral) -> RecordKind {
    match classify(referral, &run.settings.organization) {
        Category::Lead if run.map.has_leads() => RecordKind::Lead,
        _ => RecordKind::Opportunity,
    }
}
