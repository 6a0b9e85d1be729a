//! The label of a request, for counting and for fault scripts.

use super::ids;
use super::token::form;
use crate::server::Request;

/// `PATCH sobjects/Opportunity/{id}`, `…/Referral_Identifier__c/{key}`, `GET query Opportunity`, `GET query/{locator}`,
/// `POST token jwt-bearer`, `POST soap convertLead`: the only call of SOAP that is modelled.
pub(super) fn label(request: &Request) -> String {
    let method = &request.method;
    if request.path == "/services/oauth2/token" {
        let grant = form(request).remove("grant_type").unwrap_or_default();
        return format!("{method} token {}", grant.rsplit(':').next().unwrap_or_default());
    }
    if request.path.starts_with("/services/Soap/c/") {
        return format!("{method} soap convertLead");
    }
    let below = request.path.strip_prefix("/services/data/v").and_then(|p| p.split_once('/'));
    let Some((_, path)) = below else { return format!("{method} {}", request.path) };
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts[..] {
        [query @ ("query" | "queryAll")] => format!("{method} {query} {}", queried(&request.query)),
        [query @ ("query" | "queryAll"), _] => format!("{method} {query}/{{locator}}"),
        ["sobjects", object, id] if ids::parsed(id).is_some() => format!("{method} sobjects/{object}/{{id}}"),
        ["sobjects", object, field, _] => format!("{method} sobjects/{object}/{field}/{{key}}"),
        _ => format!("{method} {}", parts.join("/")),
    }
}

/// The object after the last FROM outside parentheses; subqueries come before it.
fn queried(query: &str) -> String {
    let text =
        percent_encoding::percent_decode_str(&query.replace('+', " ")).decode_utf8_lossy().into_owned();
    let (mut depth, mut from, mut object) = (0i32, false, String::new());
    for word in text.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ if depth == 0 && from => {
                object = word.to_owned();
                break;
            }
            _ if depth == 0 => from = word.eq_ignore_ascii_case("from"),
            _ => {}
        }
    }
    object
}
