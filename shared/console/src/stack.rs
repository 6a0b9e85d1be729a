//! The admin function of a deployed stack, invoked with the AWS profile and region that every AWS tool of the user's has.

use crate::admin::{Admin, Unreachable, report};
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_sdk_lambda::primitives::Blob;
use aws_smithy_http_client::{
    Builder as Client,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures_util::future::BoxFuture;
use serde_json::Value;

/// The output of the stack that names the function.
const OUTPUT: &str = "AdminFunction";

/// A deployed stack.
#[derive(Clone, Debug)]
pub struct Stack {
    name: String,
    /// As they were given: other ones may have a stack of the same name.
    profile: Option<String>,
    region: Option<String>,
    function: String,
    lambda: aws_sdk_lambda::Client,
}

impl Stack {
    /// Looks the function up.
    pub async fn open(name: &str, profile: Option<&str>, region: Option<&str>) -> Result<Self, Unreachable> {
        let config = config(profile, region).await;
        let stacks = aws_sdk_cloudformation::Client::new(&config).describe_stacks().stack_name(name).send();
        let stacks = stacks.await.map_err(|e| unreachable(&format!("look up stack `{name}`"), &e))?;
        let outputs = stacks.stacks().iter().flat_map(|stack| stack.outputs());
        let function =
            outputs.filter(|output| output.output_key() == Some(OUTPUT)).find_map(|o| o.output_value());
        let Some(function) = function else {
            return Err(Unreachable::Failed(format!(
                "stack `{name}` has no output `{OUTPUT}`: is it this product's?"
            )));
        };
        // A command that was carried out and whose answer was lost is not carried out again.
        let once =
            aws_sdk_lambda::config::Builder::from(&config).retry_config(RetryConfig::disabled()).build();
        let given = |text: Option<&str>| text.map(str::to_owned);
        Ok(Stack {
            name: name.to_owned(),
            profile: given(profile),
            region: given(region),
            function: function.to_owned(),
            lambda: aws_sdk_lambda::Client::from_conf(once),
        })
    }

    async fn ask(&self, event: &Value) -> Result<Value, Unreachable> {
        let call = self.lambda.invoke().function_name(&self.function).payload(Blob::new(event.to_string()));
        let answer =
            call.send().await.map_err(|e| unreachable(&format!("invoke `{}`", self.function), &e))?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        report(serde_json::from_slice(&payload).unwrap_or_default())
    }
}

impl Admin for Stack {
    fn invoke<'a>(&'a self, event: &'a Value) -> BoxFuture<'a, Result<Value, Unreachable>> {
        Box::pin(self.ask(event))
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn flags(&self) -> String {
        let more = [("profile", &self.profile), ("region", &self.region)].into_iter();
        let more = more.filter_map(|(flag, value)| Some(format!(" --{flag} {}", value.as_ref()?)));
        format!("--stack {}{}", self.name, more.collect::<String>())
    }
}

/// AWS as the user's other tools reach it.
pub(crate) async fn config(profile: Option<&str>, region: Option<&str>) -> SdkConfig {
    // The system's own roots: a company's proxy may have put one there.
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

/// An error with all that its sources say; those of credentials are for whoever runs this.
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
