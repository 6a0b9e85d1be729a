//! What is behind a sign-in that Entra refused (vendors/entra.md, *Errors*), and what to do about it: by the AADSTS
//! number, else by the OAuth error. Data and one look-up; Salesforce's own are in `sign_in/salesforce.rs`.

pub(crate) mod salesforce;

use clients::{
    crm::salesforce::AUDIENCE,
    token::{entra_number, refused_audience},
};
use sync::failure::{Failure, System};

/// A number or an error, and what to do for Partner Center's application and for the CRM's.
struct Cure<T>(T, &'static str, &'static str);

const CONSENT: &str = "consent again (`functions/admin/consent.py`), and store the new refresh_token";
const CONSENT_WITH_MFA: &str = "consent again with MFA, and store the new refresh_token";
const NO_USER: &str = "the CRM's application signs in as itself: no policy for users may be asked of it (Conditional Access, workload identities)";
const NO_APPLICATION: &str = "the client id must be an application of DynamicsTenantId (DynamicsClientId, or client_id in the secret of CrmAdminSecretArn)";
const NO_RESOURCE: &str =
    "DynamicsUrl must be the environment's own address, and DynamicsTenantId the tenant it belongs to";
const SECRET: &str = "client_secret in the secret of Partner Center is wrong or expired: store the secret's *value*, not its id";
const CRM_SECRET: &str = "client id or client_secret of the CRM's application is wrong or expired: store the secret's *value*, not its id";

const NUMBERS: &[Cure<u32>] = &[
    Cure(
        650_057,
        "give the application the delegated permission `user_impersonation` on both Partner Center resources, grant admin consent, then consent again",
        NO_RESOURCE,
    ),
    Cure(
        500_011,
        "PartnerCenterAudience and PartnerCenterWebhooksAudience must be the APIs' own addresses, and PartnerCenterTenantId the tenant of the Partner Center account",
        NO_RESOURCE,
    ),
    Cure(700_016, "PartnerCenterClientId must be an application of PartnerCenterTenantId", NO_APPLICATION),
    Cure(
        90_002,
        "PartnerCenterTenantId is no tenant: its GUID or domain is needed",
        "DynamicsTenantId is no tenant: its GUID or domain is needed",
    ),
    Cure(
        900_023,
        "PartnerCenterTenantId is no tenant: its GUID or domain is needed",
        "DynamicsTenantId is no tenant: its GUID or domain is needed",
    ),
    Cure(65_001, "grant admin consent to the application's permissions, then consent again", NO_USER),
    Cure(65_004, "the consent was declined: consent again, and accept", NO_USER),
    Cure(
        70_043,
        "a Conditional Access policy (sign-in frequency) ends the refresh token: take the service account out of it, then consent again",
        NO_USER,
    ),
    Cure(50_173, CONSENT, NO_USER),
    Cure(700_082, CONSENT, NO_USER),
    Cure(50_076, CONSENT_WITH_MFA, NO_USER),
    Cure(50_079, CONSENT_WITH_MFA, NO_USER),
    Cure(
        53_003,
        "a Conditional Access policy blocks the service account: let it in from AWS, then consent again",
        "a Conditional Access policy for workload identities blocks the application: let it in from AWS",
    ),
    Cure(50_057, "the service account is disabled: enable it, then consent again", NO_USER),
    Cure(7_000_215, SECRET, CRM_SECRET),
    Cure(7_000_222, SECRET, CRM_SECRET),
    Cure(
        7_000_112,
        "the application is disabled: Entra, Enterprise applications, Properties, *Enabled for users to sign-in*",
        "the application is disabled: Entra, Enterprise applications, Properties, *Enabled for users to sign-in*",
    ),
];

const ERRORS: &[Cure<&str>] = &[
    Cure("invalid_grant", CONSENT, NO_USER),
    Cure("interaction_required", CONSENT_WITH_MFA, NO_USER),
    Cure(
        "consent_required",
        "grant admin consent to the application's permissions, then consent again",
        NO_USER,
    ),
    Cure("invalid_client", SECRET, CRM_SECRET),
    Cure(
        "unauthorized_client",
        "PartnerCenterClientId must be an application of PartnerCenterTenantId",
        NO_APPLICATION,
    ),
    Cure(
        "invalid_resource",
        "PartnerCenterAudience must be the API's own address, and the application must have its permission",
        NO_RESOURCE,
    ),
    Cure("invalid_scope", "PartnerCenterAudience must be the API's own address", NO_RESOURCE),
    Cure(
        "invalid_request",
        "PartnerCenterTenantId and PartnerCenterClientId must be Entra's GUIDs, and LoginUrl its sign-in",
        "DynamicsTenantId and DynamicsClientId must be Entra's GUIDs, and LoginUrl its sign-in",
    ),
];

/// What to do about a refused sign-in; `None`: it is none, or nothing is known to help.
pub(crate) fn cure(failure: &Failure) -> Option<&'static str> {
    if refused_audience(failure)? == AUDIENCE {
        return salesforce::known(&failure.text);
    }
    let number = entra_number(&failure.text);
    let error = failure.text.split(':').next().unwrap_or_default();
    let by_number = NUMBERS.iter().find(|cure| Some(cure.0) == number).map(|cure| (cure.1, cure.2));
    let known = by_number.or_else(|| ERRORS.iter().find(|cure| cure.0 == error).map(|cure| (cure.1, cure.2)));
    known.map(|(partner_center, crm)| if failure.system == System::Crm { crm } else { partner_center })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::failure::Class;

    fn told(system: System, text: &str) -> &'static str {
        told_at("https://api", system, text)
    }

    fn told_at(audience: &str, system: System, text: &str) -> &'static str {
        let failure = Failure {
            system,
            operation: format!("token for `{audience}`"),
            class: Class::Retryable { after: None },
            wide: true,
            text: text.to_owned(),
        };
        cure(&failure).unwrap_or_default()
    }

    #[test]
    fn the_number_decides_before_the_error() {
        for (text, center, crm) in [
            ("invalid_resource: AADSTS650057: Invalid resource.", "user_impersonation", "DynamicsUrl"),
            ("invalid_resource: AADSTS500011: The resource", "PartnerCenterAudience", "DynamicsUrl"),
            ("unauthorized_client: AADSTS700016: Application", "PartnerCenterClientId", "DynamicsClientId"),
            ("invalid_request: AADSTS90002: Tenant", "PartnerCenterTenantId", "DynamicsTenantId"),
            ("invalid_grant: AADSTS65001: The user", "grant admin consent", "as itself"),
            ("invalid_grant: AADSTS70043: The refresh token", "sign-in frequency", "as itself"),
            ("invalid_grant: AADSTS50173: revoked", "consent again", "as itself"),
            ("invalid_grant: AADSTS1: of tomorrow", "consent again", "as itself"),
            ("consent_required: AADSTS2: of tomorrow", "grant admin consent", "as itself"),
            ("invalid_scope: AADSTS70011: The scope", "PartnerCenterAudience", "DynamicsUrl"),
            ("invalid_client: AADSTS7000215: Invalid", "*value*", "CRM's application"),
        ] {
            assert!(told(System::PartnerCenter, text).contains(center), "{text}");
            assert!(told(System::Crm, text).contains(crm), "{text}");
        }
        let gone = "app_not_found: External client app is not installed in this org";
        assert!(told_at(AUDIENCE, System::Crm, gone).contains("My Domain"));
        assert_eq!(told(System::PartnerCenter, "status 503: busy"), "");
        assert_eq!(told(System::Crm, "not sent: connection refused"), "");
    }
}
