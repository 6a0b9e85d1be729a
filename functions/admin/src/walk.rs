//! Everything there is, page by page: every referral of ours, then every record with Sync set, then the leads; or every
//! link. The caller decides what is done with each.

use crate::command::About;
use clients::outside::App;
use jiff::Timestamp;
use mapping::{RecordId, ReferralId};
use serde::{Deserialize, Serialize};
use sync::{
    failure::{Class, Failure, System},
    hint::Subject,
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

impl From<About> for One {
    fn from(about: About) -> Self {
        match about {
            About::Referral(id) => One::Referral(id),
            About::Record(id) => One::Record(id),
        }
    }
}

impl One {
    /// Its id, and where to look.
    pub(crate) fn subject(self) -> (String, Subject) {
        match self {
            One::Referral(referral) => (referral.to_string(), Subject::Referral { referral }),
            One::Record(record) => {
                (record.to_string(), Subject::Record { record, referral: None, seen: None })
            }
        }
    }
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

pub(crate) struct Page {
    pub(crate) found: Vec<One>,
    /// Where the next one begins; `None`: that was all.
    pub(crate) next: Option<Place>,
    /// The vendor no longer knew the page: this is its part's first one.
    pub(crate) anew: bool,
}

/// The page at a place. One that the vendor no longer knows is no end: a walk of days outlives what leads from page to page.
pub(crate) async fn page(app: &App, place: &Place) -> Result<Page, Failure> {
    let known = read(app, place.part, place.cursor.as_deref()).await?;
    let anew = known.is_none() && place.cursor.is_some();
    let read = if anew { read(app, place.part, None).await? } else { known };
    let (found, next) = read.ok_or_else(|| Failure {
        system: System::Crm,
        operation: format!("read all {:?}", place.part),
        class: Class::Retryable { after: None },
        wide: false,
        text: "the first page is not there".to_owned(),
    })?;
    let next = match next {
        Some(cursor) => Some(Place { cursor: Some(cursor), ..place.clone() }),
        None => place.after(app),
    };
    Ok(Page { found, next, anew })
}

/// What a page has, and what leads to the next one.
type Read = (Vec<One>, Option<String>);

/// `None`: what leads to this page is no longer good.
async fn read(app: &App, part: Part, cursor: Option<&str>) -> Result<Option<Read>, Failure> {
    match part {
        Part::Referrals => referrals(app, cursor).await,
        Part::Opportunities => records(app, Feed::Opportunities, cursor).await,
        Part::Leads => records(app, Feed::Leads, cursor).await,
    }
}

async fn referrals(app: &App, cursor: Option<&str>) -> Result<Option<Read>, Failure> {
    let page = match app.outside.partner_center.changed_since(Timestamp::UNIX_EPOCH, cursor).await {
        Ok(page) => page,
        // A read from the beginning decides whether the page or the whole list is refused.
        Err(failure) if cursor.is_some() && !failure.is_retryable() => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let ours = page.referrals.iter().filter(|r| r.belongs_to(&app.settings.organization));
    Ok(Some((ours.map(|r| One::Referral(r.id().clone())).collect(), page.next)))
}

async fn records(app: &App, feed: Feed, cursor: Option<&str>) -> Result<Option<Read>, Failure> {
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
            Ok(Some((wanted.collect(), next)))
        }
        Changes::Expired => Ok(None),
    }
}
