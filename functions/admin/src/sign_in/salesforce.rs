//! What usually is behind Salesforce's words when the org cannot be asked at all
//! (vendors/salesforce.md, *Sign-in* and *Errors*).

/// Words of the vendor's, or of ours about the secret, and what to do.
const CURES: &[(&[&str], &str)] = &[
    // One answer for three causes.
    (
        &["app_not_found", "OAUTH_EC_APP_NOT_FOUND"],
        "SalesforceLoginUrl must be the org's My Domain (https://….my.salesforce.com): login.salesforce.com does not know external client apps; a new app takes some minutes; its policies must pre-authorise a permission set of SalesforceUsername",
    ),
    // Salesforce names one cause of three, and only the scope that is usually missing.
    (
        &["refresh_token scope is required"],
        "give the app the OAuth scopes `api` and `refresh_token, offline_access` (both), install it, and pre-authorise SalesforceUsername; then wait some minutes",
    ),
    (
        &["hasn't approved"],
        "the app's policy must be `Admin approved users are pre-authorized`, with a permission set or profile of SalesforceUsername",
    ),
    (
        &["invalid_app_access", "not admin approved"],
        "assign SalesforceUsername a permission set or profile that the app is approved for",
    ),
    (
        &["invalid_client_id"],
        "SalesforceClientId must be the app's consumer key; a new app takes some minutes",
    ),
    (&["invalid_client"], "client_secret in the secret of CrmSecretArn is wrong or was changed"),
    (
        &["audience is invalid"],
        "SalesforceLoginUrl must be the org's My Domain: https://….my.salesforce.com, of a sandbox https://….sandbox.my.salesforce.com",
    ),
    (
        &["not supported on this domain"],
        "client credentials work on My Domain only: SalesforceLoginUrl must be https://….my.salesforce.com",
    ),
    (
        &["unsupported_grant_type", "unauthorized_client"],
        "switch *Enable JWT Bearer Flow* (or *Enable Client Credentials Flow*) on in the app's settings",
    ),
    (&["invalid_scope"], "give the app the OAuth scopes `api` and `refresh_token, offline_access`"),
    (&["login_rate_exceeded"], "too many sign-ins in an hour: it passes by itself"),
    (&["inactive_user"], "activate SalesforceUsername"),
    (&["inactive_org"], "the org is inactive or read-only: ask Salesforce"),
    (
        &["invalid_grant"],
        "private_key must belong to the certificate the app holds, and SalesforceUsername must be a user of this org",
    ),
    (&["`private_key` is no"], "store the private key as PEM text in `private_key` of the secret"),
    (
        &["the secret has no", "not a JSON object"],
        "store the secret of CrmSecretArn as JSON with private_key (sign-in by certificate) or client_secret",
    ),
    (&["SalesforceHostPattern"], "SalesforceHostPattern must match the org's own host"),
    (
        &["REQUEST_LIMIT_EXCEEDED"],
        "the org's API requests of 24 hours are used up: find who uses them (Setup, Company Information), or buy more; everything waits and goes on by itself",
    ),
    (
        &["API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED"],
        "the edition must have the API, and the user's profile or permission set `API Enabled`",
    ),
    (&["410", "UNSUPPORTED_API_VERSION"], "SalesforceApiVersion is retired: name a newer one"),
    (&["401"], "the app's policy (IP relaxation, API access control) must let the connector's user in"),
];

/// What to do, also if these words are not known.
pub(crate) fn of(words: &str) -> &'static str {
    known(words).unwrap_or("is SalesforceLoginUrl the org's My Domain, and is the org up?")
}

/// What to do, if these words are known.
pub(super) fn known(words: &str) -> Option<&'static str> {
    let known = CURES.iter().find(|(signs, _)| signs.iter().any(|sign| words.contains(sign)));
    known.map(|(_, cure)| *cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_sign_decides() {
        for (words, cure) in [
            (
                "invalid_request: refresh_token scope is required and the connected app should",
                "`api` and `refresh_token, offline_access`",
            ),
            ("invalid_grant: user hasn't approved this consumer", "pre-authorized"),
            ("invalid_grant: audience is invalid", "sandbox.my.salesforce.com"),
            ("app_not_found: External client app is not installed in this org", "My Domain"),
            ("invalid_grant: invalid assertion", "private_key"),
            ("invalid_client_id: client identifier invalid", "consumer key"),
            ("invalid_client: invalid client credentials", "client_secret"),
            ("invalid_scope: the requested scope is not allowed", "OAuth scopes"),
            ("unsupported_grant_type: grant type not supported", "JWT Bearer Flow"),
            ("inactive_user: user is inactive", "activate SalesforceUsername"),
            ("403 REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.", "used up"),
            ("not sent: connection refused", "SalesforceLoginUrl"),
        ] {
            assert!(of(words).contains(cure), "{words}: {}", of(words));
        }
    }
}
