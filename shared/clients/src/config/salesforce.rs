//! What is configured for Salesforce only: its sign-in, its API version, and where its tokens may be sent.

use super::{Reader, SalesforceConfig};

/// `SalesforceApiVersion` and `SalesforceHostPattern`, where the template does not say.
const SALESFORCE_API_VERSION: &str = "62.0";
const SALESFORCE_HOST_PATTERN: &str = "*.my.salesforce.com";

impl Reader<'_> {
    /// Required, because there is no host that serves every org: `login.salesforce.com` does not know external client
    /// apps.
    fn my_domain(&mut self, name: &str) -> String {
        if self.optional(name).is_some() {
            return self.origin(name);
        }
        self.fault(name, "not set: the org's My Domain, such as `https://contoso.my.salesforce.com`");
        String::new()
    }

    pub(super) fn salesforce(&mut self) -> SalesforceConfig {
        let version = |text: &str| {
            text.split_once('.').is_some_and(|(major, minor)| {
                minor == "0" && major.parse::<u32>().is_ok_and(|number| number >= 52)
            })
        };
        let api_version = match self.optional("SALESFORCE_API_VERSION") {
            None => SALESFORCE_API_VERSION.to_owned(),
            Some(_) => self.checked("SALESFORCE_API_VERSION", "a version from 52.0", version),
        };
        let pattern = self.optional("SALESFORCE_HOST_PATTERN");
        SalesforceConfig {
            login_url: self.my_domain("SALESFORCE_LOGIN_URL"),
            client_id: self.text("SALESFORCE_CLIENT_ID"),
            username: self.text("SALESFORCE_USERNAME"),
            secret_arn: self.arn("CRM_SECRET_ARN"),
            api_version,
            host_pattern: match pattern {
                None => SALESFORCE_HOST_PATTERN.to_owned(),
                Some(_) => self.checked(
                    "SALESFORCE_HOST_PATTERN",
                    "a host, or one `*` before a domain as in `*.my.salesforce.com`",
                    is_host_pattern,
                ),
            },
        }
    }
}

/// Whether the pattern is one host, or `*` before a domain of two labels or more: a token is sent nowhere else.
fn is_host_pattern(pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => !pattern.is_empty(),
        Some((_, domain)) => {
            let labels = domain.strip_prefix('.').map(|domain| domain.split('.').collect::<Vec<_>>());
            labels.is_some_and(|all| all.len() >= 2 && all.iter().all(|l| !l.is_empty() && !l.contains('*')))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_host_pattern;

    #[test]
    fn a_host_pattern_names_a_domain() {
        for (pattern, good) in [
            ("*.my.salesforce.com", true),
            ("contoso--*.sandbox.my.salesforce.com", true),
            ("contoso.my.salesforce.com", true),
            ("127.0.0.1:4711", true),
            ("*", false),
            ("*.com", false),
            ("*.", false),
            ("*.*.com", false),
            ("*salesforce.com", false),
            ("my.*", false),
        ] {
            assert_eq!(is_host_pattern(pattern), good, "{pattern}");
        }
    }
}
