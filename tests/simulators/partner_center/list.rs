//! `GET referrals`: filter, order, page by keyset.

use super::{
    PartnerCenter, REFERRALS,
    answer::{PartnerCenterRefusal, invalid},
    filter::ReferralFilter,
    referral::{ORGANIZATION_ID, instant, text},
};
use crate::server::{Request, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, ops::Bound};

/// A query, and how far it got; the content of `$skiptoken`.
#[derive(Clone, Default, Deserialize, Serialize)]
struct ListQuery {
    filter: Option<String>,
    orderby: Option<String>,
    select: Option<String>,
    /// Rows still wanted of `$top`; `None`: it is not set.
    top: Option<usize>,
    /// Order value and id of the last row answered.
    after: Option<(String, String)>,
}

/// Query options, decoded; a repeated one is refused.
pub(super) fn options(query: &str) -> Result<BTreeMap<String, String>, PartnerCenterRefusal> {
    let decode = |s: &str| {
        let text = percent_decode_str(&s.replace('+', " ")).decode_utf8().map(|t| t.into_owned());
        text.map_err(|_| invalid("invalidQuery", "the query is not UTF-8"))
    };
    let mut options = BTreeMap::new();
    for (name, value) in
        query.split('&').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap_or((p, "")))
    {
        if options.insert(decode(name)?, decode(value)?).is_some() {
            return Err(invalid("invalidQuery", format!("`{name}` is given twice")));
        }
    }
    Ok(options)
}

impl ListQuery {
    /// `None`: an option that is in the contract but not simulated.
    fn read(query: &str) -> Result<Option<Self>, PartnerCenterRefusal> {
        let options = options(query)?;
        if let Some(token) = options.get("$skiptoken") {
            let bad = || invalid("invalidSkipToken", "`$skiptoken` stands alone and unchanged");
            let bytes = URL_SAFE.decode(token).map_err(|_| bad())?;
            let read: ListQuery = serde_json::from_slice(&bytes).map_err(|_| bad())?;
            // A link may repeat the order.
            let repeated =
                options.iter().filter(|(n, v)| *n == "$orderby" && Some(*v) == read.orderby.as_ref());
            return if options.len() == 1 + repeated.count() { Ok(Some(read)) } else { Err(bad()) };
        }
        let mut read = ListQuery::default();
        for (name, value) in options {
            match name.as_str() {
                "$filter" => read.filter = Some(value),
                "$orderby" => read.orderby = Some(value),
                "$select" => read.select = Some(value),
                "$top" => {
                    let top = value.parse().ok().filter(|t| *t > 0);
                    read.top =
                        Some(top.ok_or_else(|| invalid("invalidQuery", format!("`$top`: `{value}`")))?);
                }
                "$skip" | "$count" | "$expand" => return Ok(None),
                other => return Err(invalid("invalidQuery", format!("unknown query option `{other}`"))),
            }
        }
        Ok(Some(read))
    }

    fn token(&self) -> String {
        utf8_percent_encode(&URL_SAFE.encode(json!(self).to_string()), NON_ALPHANUMERIC).to_string()
    }

    /// Order key and whether it descends.
    fn order(&self) -> Result<(&'static str, bool), PartnerCenterRefusal> {
        let Some(orderby) = &self.orderby else { return Ok(("createdDateTime", false)) };
        let mut words = orderby.split_whitespace();
        let key = match words.next() {
            Some("createdDateTime") => "createdDateTime",
            Some("updatedDateTime") => "updatedDateTime",
            _ => return Err(invalid("invalidOrderBy", format!("`$orderby`: `{orderby}`"))),
        };
        match (words.next(), words.next()) {
            (None | Some("asc"), None) => Ok((key, false)),
            (Some("desc"), None) => Ok((key, true)),
            _ => Err(invalid("invalidOrderBy", format!("`$orderby`: `{orderby}`"))),
        }
    }
}

impl PartnerCenter {
    pub(super) fn list(&self, request: &Request) -> Result<Response, PartnerCenterRefusal> {
        let Some(mut query) = ListQuery::read(&request.query)? else {
            return Ok(Response::unknown(request, "a query option that is not simulated"));
        };
        let filter = query.filter.as_deref().map(|f| ReferralFilter::parse(f, &self.switches)).transpose()?;
        let (key, descending) = query.order()?;
        let position = |r: &Value| (text(r, key).to_owned(), text(r, "id").to_owned());
        let engagement = filter.as_ref().and_then(ReferralFilter::engagement);
        let others = engagement.is_some() || self.switches.list_siblings;
        let meant = |r: &&Value| {
            (others || text(r, "organizationId") == ORGANIZATION_ID)
                && filter.as_ref().is_none_or(|f| f.matches(r))
                && self.visible(r)
                && match &query.after {
                    None => true,
                    Some(after) if descending => position(r) < *after,
                    Some(after) => position(r) > *after,
                }
        };
        let size = self.switches.page_size.clamp(1, 100);
        // Undocumented: whether `$top` limits the whole answer or only the page.
        let wanted = query.top.unwrap_or(usize::MAX);
        let mut rows: Vec<&Value> = match engagement {
            Some(id) => self.engagement(id).into_iter().filter(meant).collect(),
            // Kept in this order: what is beyond the page is not looked at.
            None if key == "updatedDateTime" => {
                let since = filter.as_ref().and_then(ReferralFilter::updated_since);
                let first = since.map(|at| (instant(at), String::new())).unwrap_or_default();
                let after = query.after.clone().map(|after| after.max(first.clone()));
                let rows: Box<dyn Iterator<Item = _>> = if descending {
                    let last = after.map_or(Bound::Unbounded, Bound::Excluded);
                    Box::new(self.updated.range((Bound::Included(first), last)).rev())
                } else {
                    Box::new(self.updated.range(after.unwrap_or(first)..))
                };
                rows.map(|(_, id)| &self.referrals[id]).filter(meant).take(size + 1).collect()
            }
            None => self.referrals.values().filter(meant).collect(),
        };
        rows.sort_by_cached_key(|r| position(r));
        if descending {
            rows.reverse();
        }
        let page: Vec<&Value> = rows.iter().copied().take(size.min(wanted)).collect();
        let left = if self.switches.top_limits_total { wanted.min(rows.len()) } else { rows.len() };
        let next = (left > page.len()).then(|| {
            if self.switches.top_limits_total {
                query.top = query.top.map(|t| t - page.len());
            }
            query.after = page.last().map(|r| position(r));
            self.next_link(&query)
        });
        let value = page
            .iter()
            .map(|r| selected(self.shown(r), query.select.as_deref()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut body = json!({
            "@odata.context": "https://api.partner.microsoft.com/v1.0/$metadata#Referrals",
            "@odata.count": value.len(),
            "value": value,
        });
        if let Some(next) = next {
            body["@odata.nextLink"] = json!(next);
        }
        Ok(Response::json(200, &body))
    }

    /// The documented form has another scheme and a path that does not exist; the other one repeats the order.
    fn next_link(&self, query: &ListQuery) -> String {
        let token = query.token();
        if self.switches.odd_next_link {
            let authority = self.base.split("://").last().unwrap_or_default();
            format!("http://{authority}/v1.0/referrals?$skiptoken={token}")
        } else {
            let order = query
                .orderby
                .as_deref()
                .map(|o| format!("$orderby={}&", utf8_percent_encode(o, NON_ALPHANUMERIC)));
            format!("{}{REFERRALS}?{}$skiptoken={token}", self.base, order.unwrap_or_default())
        }
    }

    /// Own referrals, and all others of their engagements.
    pub(super) fn visible(&self, referral: &Value) -> bool {
        text(referral, "organizationId") == ORGANIZATION_ID || self.is_own(text(referral, "engagementId"))
    }

    /// Whether an own referral is in this engagement.
    pub(super) fn is_own(&self, engagement: &str) -> bool {
        self.engagement(engagement).into_iter().any(|r| text(r, "organizationId") == ORGANIZATION_ID)
    }
}

fn selected(row: Value, select: Option<&str>) -> Result<Value, PartnerCenterRefusal> {
    let Some(select) = select else { return Ok(row) };
    let mut kept = Map::new();
    for name in select.split(',').map(str::trim) {
        let value = row.get(name).ok_or_else(|| invalid("invalidSelect", format!("`$select`: `{name}`")))?;
        kept.insert(name.to_owned(), value.clone());
    }
    Ok(Value::Object(kept))
}
