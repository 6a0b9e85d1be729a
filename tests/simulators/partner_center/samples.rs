//! The reference's own bodies (values invented, member names real), for the tests: one file each below `samples/`.

macro_rules! samples {
    ($($name:literal),+ $(,)?) => {
        /// All of them, by name.
        pub(super) const ALL: &[(&str, &str)] = &[$(($name, include_str!(concat!("samples/", $name, ".json")))),+];
    };
}

samples![
    "create-request-cosell-step1-own",
    "create-request-cosell-step2-microsoft",
    "create-request-partner-led",
    "create-request-private",
    "error-400-invalid-request",
    "error-401-mfa-required-partner-center",
    "error-401-unauthenticated",
    "error-403-access-denied",
    "error-404-item-not-found",
    "error-409-conflict",
    "error-412-precondition-failed",
    "error-429-throttled",
    "error-503-unavailable",
    "error-partner-center-webhooks-host",
    "patch-request-accept",
    "patch-request-add-registration",
    "patch-request-add-team-member",
    "patch-request-close-lost",
    "patch-request-close-won",
    "patch-request-decline",
    "patch-request-update-fields",
    "put-request-update-deprecated",
    "referral-active-accepted",
    "referral-closed-declined",
    "referral-closed-expired",
    "referral-closed-lost",
    "referral-closed-won-with-registration",
    "referral-closed-won",
    "referral-incoming-cosell-new-pending",
    "referral-list-last-page",
    "referral-list-page",
    "referral-list-related-by-engagement",
    "referral-outgoing-cosell-active",
    "referral-related-microsoft-accepted",
    "referral-related-microsoft-pending",
    "token-response-v1-refresh",
    "webhook-callback-headers",
    "webhook-event-referral-created",
    "webhook-event-referral-updated",
    "webhook-event-related-referral-created",
    "webhook-event-related-referral-updated",
    "webhook-event-test-created",
    "webhook-events-list-response",
    "webhook-registration-get-response",
    "webhook-registration-request",
    "webhook-registration-response",
    "webhook-validation-event-get-response",
    "webhook-validation-event-post-response",
];

pub(super) const CREATE_OWN: &str = include_str!("samples/create-request-cosell-step1-own.json");
pub(super) const CREATE_MICROSOFT: &str = include_str!("samples/create-request-cosell-step2-microsoft.json");
pub(super) const INCOMING: &str = include_str!("samples/referral-incoming-cosell-new-pending.json");
pub(super) const PATCH_ACCEPT: &str = include_str!("samples/patch-request-accept.json");
pub(super) const PATCH_DECLINE: &str = include_str!("samples/patch-request-decline.json");
pub(super) const PATCH_FIELDS: &str = include_str!("samples/patch-request-update-fields.json");
pub(super) const PATCH_MEMBER: &str = include_str!("samples/patch-request-add-team-member.json");
pub(super) const PATCH_WON: &str = include_str!("samples/patch-request-close-won.json");
pub(super) const PATCH_LOST: &str = include_str!("samples/patch-request-close-lost.json");
pub(super) const PATCH_REGISTRATION: &str = include_str!("samples/patch-request-add-registration.json");
pub(super) const ERROR_400: &str = include_str!("samples/error-400-invalid-request.json");
pub(super) const ERROR_401: &str = include_str!("samples/error-401-unauthenticated.json");
pub(super) const ERROR_401_MFA: &str = include_str!("samples/error-401-mfa-required-partner-center.json");
pub(super) const ERROR_403: &str = include_str!("samples/error-403-access-denied.json");
pub(super) const ERROR_404: &str = include_str!("samples/error-404-item-not-found.json");
pub(super) const ERROR_409: &str = include_str!("samples/error-409-conflict.json");
pub(super) const ERROR_412: &str = include_str!("samples/error-412-precondition-failed.json");
pub(super) const ERROR_429: &str = include_str!("samples/error-429-throttled.json");
pub(super) const REGISTER: &str = include_str!("samples/webhook-registration-request.json");
pub(super) const REGISTERED: &str = include_str!("samples/webhook-registration-response.json");
pub(super) const REGISTRATION_READ: &str = include_str!("samples/webhook-registration-get-response.json");
pub(super) const EVENTS: &str = include_str!("samples/webhook-events-list-response.json");
pub(super) const EVENT: &str = include_str!("samples/webhook-event-referral-updated.json");
pub(super) const VALIDATION: &str = include_str!("samples/webhook-validation-event-get-response.json");
