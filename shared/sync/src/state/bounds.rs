//! Keeps a link within the size of a table item, however much text other systems write: the size is checked before a
//! save.

use crate::state::{image::whole, link::Link};
use mapping::{Side, names::STATUS};

/// The most bytes of a link as JSON; a DynamoDB item takes 400 KB.
const MOST: usize = 300_000;
/// Makes a link small enough. First its journal is shortened, since the audit rows keep every line; then the images of
/// groups and lists become digests, the largest first. A list with only a digest has no base for its elements: elements
/// are added and none is removed.
pub(crate) fn fit(link: &mut Link) {
    if size(link) <= MOST {
        return;
    }
    tracing::warn!(referral.id = %link.referral, bytes = size(link), "a link is larger than the table takes: it is made smaller");
    link.journal.shrink();
    while size(link) > MOST {
        let sizes = [Side::PartnerCenter, Side::Crm].into_iter().flat_map(|side| {
            let images = link
                .side(side)
                .images
                .iter()
                .filter(|(unit, image)| *unit != STATUS && image.members().is_some());
            images.map(move |(unit, image)| (serde_json::json!(image).to_string().len(), side, unit.clone()))
        });
        let Some((_, side, unit)) = sizes.max() else { return };
        if let Some(image) = link.side_mut(side).images.get_mut(&unit) {
            *image = whole(image);
        }
    }
}

fn size(link: &Link) -> usize {
    serde_json::to_vec(link).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{audit::Line, image::is_image, link::State, parked::Parked};
    use jiff::Timestamp;
    use mapping::{ReferralId, Value};
    use std::collections::BTreeMap;

    fn list(n: usize) -> Value {
        let element = |at: usize| {
            (
                format!("SOL-{at}"),
                Value::Map(BTreeMap::from([("name".to_owned(), Value::Text("€".repeat(80)))])),
            )
        };
        Value::Map((0..n).map(element).collect())
    }

    #[test]
    fn whatever_others_write_the_link_fits_and_knows_what_changed() {
        let referral = ReferralId::parse("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01").unwrap();
        let mut link = Link::new(referral, None, State::Linked);
        let long = "€".repeat(32_000);
        let now = Timestamp::UNIX_EPOCH;
        for n in 0..40 {
            link.journal.note(Line { at: now, decision: "conflict".into(), text: long.clone() }, true);
            link.agree(&format!("notes{n}"), &Value::Text(long.clone()), &Value::Text(long.clone()));
            let parked = Parked::again(long.clone(), None, "x".into(), now, None);
            link.parked.insert(format!("notes{n}"), parked);
        }
        link.agree("solutions", &list(700), &list(700));
        link.agree(STATUS, &list(1), &list(1));
        fit(&mut link);
        assert!(size(&link) <= MOST, "{}", size(&link));
        let image = &link.crm.images["solutions"];
        assert!(is_image(&list(700), image) && !is_image(&list(701), image));
        assert!(link.crm.images[STATUS].members().is_some());
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let referral = ReferralId::parse("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01").unwrap();
        let mut link = Link::new(referral, None, State::Linked);
        link.agree("solutions", &list(50), &list(50));
        let before = link.clone();
        fit(&mut link);
        assert_eq!(link, before);
    }
}
