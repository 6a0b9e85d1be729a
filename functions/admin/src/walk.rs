//! Everything there is, page by page: every referral of ours, then every record with Sync set, then the leads; or every
//! link. What comes of it says whoever walks.

use clients::outside::App;
use jiff::Timestamp;
use mapping::{RecordId, ReferralId};
use serde::{Deserialize, Serialize};
use sync::{
    failure::{Class, Failure, System},
    ports::{Changed, Changes, Crm, Feed, Ports, Position, Referrals},
};

/// Where a walk is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) part: Part,
    pub(crate) cursor: Option<String>,
}

/// The parts of a walk, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    Referrals,
    Opportunities,
    Leads,
}

/// One of what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum One {
    Referral(ReferralId),
    Record(RecordId),
}

impl Place {
    pub(crate) fn start() -> Self {
        Place { part: Part::Referrals, cursor: None }
    }

    fn after(&self, app: &App) -> Option<Place> {
        let part = match self.part {
            Part::Referrals => Part::Opportunities,
            Part::Opportunities if app.map.has_leads() && !app.map.switches().cosell_only => Part::Leads,
            Part::Opportunities | Part::Leads => return None,
        };
        Some(Place { part, cursor: None })
    }
}

/// One page, and where the next one begins; `None`: that was all.
pub(crate) async fn page(app: &App, place: &Place) -> Result<(Vec<One>, Option<Place>), Failure> {
    let (found, next) = match place.part {
        Part::Referrals => referrals(app, place.cursor.as_deref()).await?,
        Part::Opportunities => records(app, Feed::Opportunities, place.cursor.as_deref()).await?,
        Part::Leads => records(app, Feed::Leads, place.cursor.as_deref()).await?,
    };
    let next = match next {
        Some(cursor) => Some(Place { cursor: Some(cursor), ..place.clone() }),
        None => place.after(app),
    };
    Ok((found, next))
}

type Page = (Vec<One>, Option<String>);

async fn referrals(app: &App, cursor: Option<&str>) -> Result<Page, Failure> {
    let page = app.outside.partner_center.changed_since(Timestamp::UNIX_EPOCH, cursor).await?;
    let ours = page.referrals.iter().filter(|r| r.belongs_to(&app.settings.organization));
    Ok((ours.map(|r| One::Referral(r.id().clone())).collect(), page.next))
}

async fn records(app: &App, feed: Feed, cursor: Option<&str>) -> Result<Page, Failure> {
    let position = cursor.map_or(Position::Start, |cursor| Position::At(cursor.to_owned()));
    match app.outside.crm().changes(feed, &position).await? {
        Changes::Page { rows, next, .. } => {
            let wanted = rows.into_iter().filter_map(|row| match row {
                Changed::Record(seen) => {
                    let map = app.map.of(seen.record.id.kind);
                    (map.wants_referral(&seen.record) == Some(true)).then_some(One::Record(seen.record.id))
                }
                Changed::Child(_) | Changed::Gone(_) => None,
            });
            Ok((wanted.collect(), next))
        }
        Changes::Expired => Err(Failure {
            system: System::Crm,
            operation: format!("read all {}", feed.as_str()),
            class: Class::Permanent,
            wide: false,
            text: "the saved page is no longer there: start again".to_owned(),
        }),
    }
}
