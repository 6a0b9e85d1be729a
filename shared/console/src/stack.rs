//! The admin function of a deployed stack, invoked with the AWS profile and region that every AWS tool of the user's
//! has.

use crate::{
    admin::{Admin, May, Unreachable, report},
    proof,
};
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_lambda::{error::ProvideErrorMetadata, primitives::Blob};
use aws_smithy_http_client::{
    Builder as Client,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::SystemTime,
};

/// The outputs of the stack that name its functions: the one that acts, and the one that only looks.
const ACTS: &str = "AdminFunction";
const LOOKS: &str = "AdminLookFunction";

/// A deployed stack, by name, profile and region.
#[derive(Debug)]
pub struct Stack {
    name: String,
    /// Its ARN, to which proofs are bound.
    id: String,
    /// The profile and region that were given: another account may have a stack of the same name.
    profile: Option<String>,
    region: Option<String>,
    acts: String,
    /// `None`: a stack of an earlier version, which has no such function.
    looks: Option<String>,
    /// The user may not invoke the function that acts.
    only_looks: AtomicBool,
    aws: SdkConfig,
    lambda: aws_sdk_lambda::Client,
}

impl Stack {
    /// Looks the functions up. Which of them the user may invoke is known after the first command.
    pub async fn open(name: &str, profile: Option<&str>, region: Option<&str>) -> Result<Self, Unreachable> {
        let config = config(profile, region).await;
        let stacks = aws_sdk_cloudformation::Client::new(&config).describe_stacks().stack_name(name).send();
        let stacks = stacks.await.map_err(|e| unreachable(&format!("look up stack `{name}`"), &e))?;
        let found = stacks.stacks().first();
        let output = |key: &str| {
            let mut outputs = found.into_iter().flat_map(|stack| stack.outputs());
            outputs.find(|output| output.output_key() == Some(key))?.output_value().map(str::to_owned)
        };
        let Some(acts) = output(ACTS) else {
            return Err(Unreachable::Failed(format!(
                "stack `{name}` has no output `{ACTS}`: is it this product's?"
            )));
        };
        // No retries: a command whose answer was lost may have been carried out, and must not be carried out twice.
        let once =
            aws_sdk_lambda::config::Builder::from(&config).retry_config(RetryConfig::disabled()).build();
        let given = |text: Option<&str>| text.map(str::to_owned);
        Ok(Stack {
            name: name.to_owned(),
            id: found.and_then(|stack| stack.stack_id()).unwrap_or_default().to_owned(),
            profile: given(profile),
            region: given(region),
            acts,
            looks: output(LOOKS),
            only_looks: AtomicBool::new(false),
            lambda: aws_sdk_lambda::Client::from_conf(once),
            aws: config,
        })
    }

    /// Asks the function that acts, or the one that only looks where IAM refuses the other.
    async fn ask(&self, event: &Value) -> Result<Value, Unreachable> {
        if !self.only_looks.load(Relaxed) {
            let mut event = event.clone();
            if let Some(proof) = self.proof().await {
                event["caller"] = json!(proof);
            }
            match (self.invoke_one(&self.acts, &event).await, &self.looks) {
                (Err(Refused::Right(_)), Some(_)) => self.only_looks.store(true, Relaxed),
                (answered, _) => return answered.map_err(Unreachable::from),
            }
        }
        let looks = self.looks.as_ref().unwrap_or(&self.acts);
        self.invoke_one(looks, event).await.map_err(Unreachable::from)
    }

    async fn invoke_one(&self, function: &str, event: &Value) -> Result<Value, Refused> {
        let call = self.lambda.invoke().function_name(function).payload(Blob::new(event.to_string()));
        let answer = call.send().await.map_err(|error| {
            let denied = error.code() == Some("AccessDeniedException");
            let told = unreachable(&format!("invoke `{function}`"), &error);
            if denied { Refused::Right(told) } else { Refused::Other(told) }
        })?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        report(serde_json::from_slice(&payload).unwrap_or_default()).map_err(Refused::Other)
    }

    /// The proof of who asks. Without one a command is carried out all the same, and its row says *not proven*.
    async fn proof(&self) -> Option<String> {
        let keys = self.aws.credentials_provider()?.provide_credentials().await.ok()?;
        let region = self.aws.region()?.as_ref();
        let sts = self.aws.endpoint_url().map_or_else(|| proof::host(region), str::to_owned);
        proof::query(&keys, region, &sts, &self.id, SystemTime::now()).ok()
    }
}

/// Why a function gave no answer.
enum Refused {
    /// The user may not invoke it.
    Right(Unreachable),
    Other(Unreachable),
}

impl From<Refused> for Unreachable {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Right(told) | Refused::Other(told) => told,
        }
    }
}

impl Admin for Stack {
    fn invoke<'a>(&'a self, event: &'a Value) -> BoxFuture<'a, Result<Value, Unreachable>> {
        Box::pin(self.ask(event))
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn may(&self) -> May {
        if self.only_looks.load(Relaxed) { May::Look } else { May::Act }
    }

    fn flags(&self) -> String {
        let more = [("profile", &self.profile), ("region", &self.region)].into_iter();
        let more = more.filter_map(|(flag, value)| Some(format!(" --{flag} {}", value.as_ref()?)));
        format!("--stack {}{}", self.name, more.collect::<String>())
    }
}

/// AWS as the user's other tools reach it.
pub(crate) async fn config(profile: Option<&str>, region: Option<&str>) -> SdkConfig {
    // Trust the system's roots: a company's proxy may have added one.
    let http = Client::new().tls_provider(Provider::rustls(CryptoMode::Ring)).build_https();
    let mut config = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    if let Some(profile) = profile {
        config = config.profile_name(profile);
    }
    if let Some(region) = region {
        config = config.region(aws_config::Region::new(region.to_owned()));
    }
    config.load().await
}

/// An error with the texts of all its sources. An error of credentials is one that the user solves by signing in.
pub(crate) fn unreachable(what: &str, error: &(dyn std::error::Error + 'static)) -> Unreachable {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        words.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    let text = format!("cannot {what}: {words}");
    let signs = ["credential", "expired", "token", "accessdenied", "not authorized", "unrecognizedclient"];
    match signs.iter().any(|sign| words.to_lowercase().contains(sign)) {
        true => Unreachable::SignIn(format!("{text}\nsign in (`aws sso login`), or name another --profile")),
        false => Unreachable::Failed(text),
    }
}
