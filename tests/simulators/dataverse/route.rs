//! The label of a request, for counting and for fault scripts.

use super::ROOT;
use super::address::segments;
use super::values::guid;
use crate::server::Request;

/// Names the vendor knows and this simulator does not: 501 instead of the 404 of an unknown set.
pub(super) const KNOWN_ELSEWHERE: &[&str] = &[
    "$metadata",
    "RelationshipDefinitions",
    "GlobalOptionSetDefinitions",
    "Merge",
    "PublishAllXml",
    "teams",
    "businessunits",
    "products",
    "pricelevels",
    "competitors",
    "roles",
    "queues",
    "teamtemplates",
];

/// `GET opportunities/{id}` by GUID, `…/{key}` by alternate key, `… delta` and `… initial` of change tracking.
pub(super) fn label(request: &Request) -> String {
    let method = &request.method;
    let Some(path) = request.path.strip_prefix(ROOT).and_then(|p| p.strip_prefix('/')) else {
        return format!("{method} {}", request.path);
    };
    let Some(parts) = segments(path) else { return format!("{method} {path}") };
    let names: Vec<String> = parts
        .iter()
        .map(|part| {
            let name = part.name.strip_prefix("Microsoft.Dynamics.CRM.").unwrap_or(&part.name);
            match &part.key {
                None => name.to_owned(),
                Some(key) if key.is_empty() => name.to_owned(),
                Some(key) if guid(key).is_some() => format!("{name}/{{id}}"),
                Some(_) => format!("{name}/{{key}}"),
            }
        })
        .collect();
    let mut label = format!("{method} {}", names.join("/"));
    if request.query.contains("$deltatoken=") || request.query.contains("%24deltatoken=") {
        label.push_str(" delta");
    } else if request.header("prefer").is_some_and(|p| p.contains("odata.track-changes")) {
        label.push_str(" initial");
    }
    label
}
