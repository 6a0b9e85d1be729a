//! `PUT referrals/{id}`: the deprecated full replacement. The whole resource as read, without `links`, with a mandatory
//! `If-Match`; what may change is what a PATCH may change. Every use is counted.

use super::{
    PartnerCenter,
    answer::{PartnerCenterRefusal, invalid},
    create::json_body,
    referral::{state_of, text},
    schema,
};
use crate::server::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

impl PartnerCenter {
    pub(super) fn put(
        &mut self,
        request: &Request,
        id: &str,
        now: Timestamp,
    ) -> Result<Response, PartnerCenterRefusal> {
        *self.counts.entry("deprecated PUT").or_default() += 1;
        let mut body = json_body(request)?;
        let current = self.writable(request, id)?;
        if request.header("if-match").is_none() {
            return Err(invalid("ifMatchRequired", "PUT needs If-Match"));
        }
        let mut operations = vec![];
        for (path, _) in schema::PATCH.iter().filter(|(p, _)| !p.starts_with("/registrations/")) {
            let (Some(new), Some(old)) = (body.pointer_mut(path), current.pointer(path)) else { continue };
            if new != old {
                operations.push(json!({ "op": "replace", "path": path, "value": new }));
                new.clone_from(old);
            }
        }
        let (Some(sent), Some(kept)) = (body.as_object(), current.as_object()) else {
            return Err(invalid("malformedBody", "the body is no object"));
        };
        if let Some(name) = sent.keys().find(|n| sent.get(*n) != kept.get(*n)) {
            return Err(invalid("unknownOrReadOnlyProperty", format!("`{name}` cannot be written.")));
        }
        if let Some(name) = kept.keys().find(|n| !sent.contains_key(*n)) {
            return Ok(Response::unknown(request, &format!("a PUT without `{name}`")));
        }
        if !operations.is_empty() {
            let operations = self.operations(&Value::Array(operations))?;
            let (changed, before) = (self.changed(current, &operations, now)?, state_of(current));
            self.commit(id, changed, &before, now);
        }
        let entity = self.entity(&self.referrals[id]);
        Ok(Response::json(200, &entity).with("etag", text(&entity, "eTag")))
    }
}
