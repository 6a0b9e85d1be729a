//! How AWS is called: with ring, the few roots that AWS uses, and short time-outs; and what AWS's errors mean here.

pub use aws_config::SdkConfig;

use crate::{config::environment, http::is_loopback};
use aws_config::{
    BehaviorVersion, Region, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_sdk_sqs::{
    config::{Credentials, SharedCredentialsProvider, SharedHttpClient},
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_http_client::{
    Builder as Client,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_types::{
    sdk_config::Builder,
    service_config::{LoadServiceConfig, ServiceConfigKey},
};
use jiff::SignedDuration;
use std::time::Duration;
use sync::failure::{Class, Failure, System};

/// Amazon Trust Services: no other authority signs certificates of AWS's endpoints (vendors/aws.md, *Errors and TLS*).
const ROOTS: &str = include_str!("../roots/amazon.pem");
/// Time limit for connecting: a TLS handshake with 128 MB of Lambda memory takes most of a second.
const CONNECT: Duration = Duration::from_secs(3);
/// Time limit of one attempt: DynamoDB and SQS answer in milliseconds or not at all.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Time limit of all attempts of a call that may be repeated.
const CALL: Duration = Duration::from_secs(12);
/// The most attempts of a call that may be repeated.
const TRIES: u32 = 3;

/// Error codes that pass by themselves: AWS is throttling.
const THROTTLING: &[&str] = &[
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ThrottledException",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
    "AWS.SimpleQueueService.RequestThrottled",
    "KmsThrottled",
    "LimitExceededException",
    "TransactionInProgressException",
];

/// Error codes of a deployment that an administrator has to repair: nothing is wrong with the input.
const DEPLOYMENT: &[&str] = &[
    "AccessDeniedException",
    "AccessDenied",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "ExpiredTokenException",
    "ExpiredToken",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "ResourceNotFoundException",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "DecryptionFailure",
    "KmsAccessDenied",
    "KmsDisabled",
    "KmsInvalidState",
    "KmsNotFound",
];

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("aws: tls cannot be set up: {0}")]
pub struct NoTls(String);

/// The configuration that Lambda's environment describes: the role's keys, the region, `AWS_ENDPOINT_URL` and its
/// variants for one service. The SDK's own chain also asks profiles, containers, instances and web identities, none of
/// which exists here, and its code would be a tenth of a binary.
pub fn config() -> Result<SdkConfig, NoTls> {
    let mut config = common()?.service_config(Endpoints);
    config.set_region(environment("AWS_REGION").map(Region::new));
    config.set_endpoint_url(environment("AWS_ENDPOINT_URL"));
    let keys = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
    Ok(config.credentials_provider(keys).build())
}

/// Reads `AWS_ENDPOINT_URL_DYNAMODB` and its variants for other services.
#[derive(Debug)]
struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        environment(&format!("{}_{service}", key.env()))
    }
}

/// The configuration for an endpoint that emulates AWS (local run, tests); reads no environment.
pub fn at(endpoint: &str) -> Result<SdkConfig, NoTls> {
    let credentials = Credentials::new("test", "test", None, None, "local");
    let config = common()?.region(Region::new("us-east-1")).endpoint_url(endpoint);
    Ok(config.credentials_provider(SharedCredentialsProvider::new(credentials)).build())
}

/// The region without hyphens, as in the addresses of CloudFormation.
pub fn region_word(aws: &SdkConfig) -> Option<String> {
    Some(aws.region()?.as_ref().replace('-', ""))
}

/// Whether the endpoint is on this machine and emulates AWS.
pub fn is_emulated(aws: &SdkConfig) -> bool {
    let at = aws.endpoint_url().and_then(|url| reqwest::Url::parse(url).ok());
    at.is_some_and(|url| is_loopback(&url))
}

/// The settings of every configuration.
fn common() -> Result<Builder, NoTls> {
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http()?)
        // Every answer is small and has a time-out of its own.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts())
        .retry_config(retries()))
}

/// No second attempt: for writes that must not be repeated, because their own success would look like a lost race.
pub fn once() -> RetryConfig {
    RetryConfig::disabled()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(TRIES).with_initial_backoff(Duration::from_millis(100))
}

fn timeouts() -> TimeoutConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(ATTEMPT);
    timeouts.operation_attempt_timeout(ATTEMPT).operation_timeout(CALL).build()
}

fn http() -> Result<SharedHttpClient, NoTls> {
    let tls = TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(ROOTS));
    let tls = tls.build().map_err(|e| NoTls(e.to_string()))?;
    Ok(Client::new().tls_provider(Provider::rustls(CryptoMode::Ring)).tls_context(tls).build_https())
}

/// The failure for an SDK error. `wide` is never set: a hold is saved in our own table, which may be what failed.
pub fn failure<E: ProvideErrorMetadata + std::error::Error + 'static>(
    system: System,
    operation: &str,
    error: &SdkError<E>,
) -> Failure {
    let (class, text) = match error {
        SdkError::ServiceError(refused) => {
            let (meta, status) = (refused.err().meta(), refused.raw().status().as_u16());
            let code = meta.code().unwrap_or("no code");
            let words = meta.message().unwrap_or("no message");
            (class(code, status), format!("{status} {code}: {words}"))
        }
        SdkError::TimeoutError(_) => (later(), "no answer in time".to_owned()),
        SdkError::DispatchFailure(e) => {
            (later(), e.as_connector_error().map_or("not sent".into(), |e| deepest(e)))
        }
        SdkError::ResponseError(e) => (later(), format!("unreadable answer, status {}", e.raw().status())),
        other => (Class::Permanent, deepest(other)),
    };
    Failure { system, operation: operation.to_owned(), class, wide: false, text }
}

/// The class of an error, by AWS's code and status.
fn class(code: &str, status: u16) -> Class {
    if status >= 500 || status == 429 || THROTTLING.contains(&code) || DEPLOYMENT.contains(&code) {
        later()
    } else {
        Class::Permanent
    }
}

fn later() -> Class {
    Class::Retryable { after: None::<SignedDuration> }
}

/// The innermost error's message: the outer ones say only that something failed.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_what_can_be_done() {
        let retryable = |code, status| matches!(class(code, status), Class::Retryable { .. });
        assert!(retryable("ThrottlingException", 400));
        assert!(retryable("InternalServerError", 500));
        assert!(retryable("AccessDeniedException", 400));
        assert!(!retryable("ValidationException", 400));
    }

    #[tokio::test]
    async fn a_closed_port_is_a_failure_that_time_may_cure() {
        // This also builds a client with TLS, which panics if the bundled roots cannot be read.
        let config = at("http://127.0.0.1:9").unwrap();
        let sqs = aws_sdk_sqs::Client::new(&config);
        let error = sqs.list_queues().send().await.unwrap_err();
        let failure = failure(System::Queue, "list queues", &error);
        assert!(failure.is_retryable(), "{failure}");
        assert!(failure.text.contains("refused"), "{failure}");
    }
}
