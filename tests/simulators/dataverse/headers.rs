//! Which headers a request must bring, and which ask for what is not modelled.

use super::Dataverse;
use super::refusal::{DataverseOutcome, not_modelled, refuse};
use crate::server::Request;

impl Dataverse {
    /// The headers the vendor's documents tell every client to send.
    pub(super) fn check_headers(&self, request: &Request) -> DataverseOutcome<()> {
        for name in request.headers.keys() {
            let known = !name.starts_with("mscrm.") && name != "callerobjectid" && name != "mscrmcallerid";
            let harmless = name == "mscrm.solutionuniquename"
                || name == "mscrm.suppressduplicatedetection" && request.header(name) == Some("true");
            if !known && !harmless {
                return Err(not_modelled(format!("header `{name}`")));
            }
        }
        if !self.switches.strict_headers {
            return Ok(());
        }
        for name in ["odata-version", "odata-maxversion"] {
            if request.header(name) != Some("4.0") {
                return Err(refuse(400, "0x80060888", format!("The header '{name}' must be 4.0.")));
            }
        }
        let accepts = request.header("accept").unwrap_or_default();
        if !accepts.split([',', ';']).any(|a| a.trim() == "application/json") {
            return Err(refuse(400, "0x80060888", "The header 'Accept' must be application/json."));
        }
        let kind = request.header("content-type").unwrap_or_default();
        let batch = request.path.ends_with("/$batch");
        if !request.body.is_empty() && !batch && kind.split(';').next() != Some("application/json") {
            let text = format!("A supported MIME type could not be found that matches '{kind}'.");
            return Err(refuse(400, "0x80060888", text));
        }
        Ok(())
    }
}
