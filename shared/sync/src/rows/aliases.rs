//! Aliases: rows that lead to a link from its record, from the lead that the record was made of, and from Microsoft's
//! half.

use crate::{
    planted::{self, Bug},
    ports::{Links, Ports, Seen},
    rows::{run::Run, work::Work},
    state::{
        failure::Failure,
        link::Link,
        table::{Change, Expect, Item, Key, Row},
    },
};
use mapping::{RecordId, ReferralId};

/// The alias that leads from Microsoft's half to our link.
pub(crate) fn alias_of_sibling(sibling: &ReferralId, own: &ReferralId) -> Change {
    Change::put(Key::sibling(sibling), Expect::Any, Item::Alias { referral: own.clone() })
}

/// The alias from a record to its link; it must not exist before, since one record has one referral. What was parked
/// for the record or the referral without a link is deleted.
pub(crate) fn links_back(link: &Link, record: &RecordId) -> Vec<Change> {
    let nobody = if planted::is(Bug::OneRecordTwoReferrals) { Expect::Any } else { Expect::Absent };
    vec![
        Change::put(Key::record(record), nobody, Item::Alias { referral: link.referral.clone() }),
        Change::delete(Key::parked(&record.to_string()), Expect::Any),
        Change::delete(Key::parked(link.referral.as_str()), Expect::Any),
    ]
}

/// Adds an alias for the lead that the record was made of and that had no link: the lead leads to the same link.
pub(crate) fn remember_lead<P: Ports>(work: &mut Work<'_, P>, seen: &Seen) {
    if let Some(lead) = seen.lead.clone().filter(|_| work.run.map.has_leads()) {
        let alias = Item::Alias { referral: work.link.referral.clone() };
        work.besides.push(Change::put(Key::record(&lead), Expect::Absent, alias));
        work.link.lead = Some(lead);
    }
}

/// The referral that a record belongs to.
pub(crate) async fn alias_of<P: Ports>(
    run: &Run<'_, P>,
    record: &RecordId,
) -> Result<Option<ReferralId>, Failure> {
    Ok(match run.ports.links().read(&[Key::record(record)]).await?.pop().flatten() {
        Some(Row { item: Item::Alias { referral }, .. }) => Some(referral),
        _ => None,
    })
}

/// The referrals that name this record without its consent.
pub(crate) async fn namers<P: Ports>(
    run: &Run<'_, P>,
    record: &RecordId,
) -> Result<Vec<ReferralId>, Failure> {
    Ok(match run.ports.links().read(&[Key::named(record)]).await?.pop().flatten() {
        Some(Row { item: Item::Named { referrals }, .. }) => referrals,
        _ => vec![],
    })
}

/// Whether a referral has a link.
pub(crate) async fn is_linked<P: Ports>(run: &Run<'_, P>, id: &ReferralId) -> Result<bool, Failure> {
    let row = run.ports.links().read(&[Key::link(id)]).await?.pop().flatten();
    Ok(matches!(row, Some(Row { item: Item::Link(_), .. })))
}
