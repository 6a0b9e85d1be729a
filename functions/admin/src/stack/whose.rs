//! Whether a request is CloudFormation's, and about this stack. A caller with the right to invoke the function could
//! otherwise send a request of his own, and have the outcome sent to an address of his choice.

use super::Request;
use clients::{
    aws::{self, SdkConfig},
    config,
};
use reqwest::Url;

/// Where CloudFormation keeps its answers, one bucket for each region (template reference, custom resources).
const BUCKET: &str = "cloudformation-custom-resource-response-";

/// Which requests are answered.
pub(crate) struct Whose {
    stack: Option<String>,
    /// The region without hyphens.
    region: Option<String>,
    /// AWS is emulated on this machine: addresses of loopback are accepted.
    emulated: bool,
}

impl Whose {
    /// Where the function could not be opened, its stack and region are unknown: requests about any stack are answered.
    pub(crate) const UNKNOWN: Whose = Whose { stack: None, region: None, emulated: false };

    pub(crate) fn of(config: &config::Admin, aws: &SdkConfig) -> Self {
        let (stack, region) = (config.stack_id.clone(), aws::region_word(aws));
        Whose { stack, region, emulated: aws::is_emulated(aws) }
    }

    /// Why a request is not answered; `None`: it is CloudFormation's, and about this stack.
    pub(crate) fn refuses(&self, request: &Request) -> Option<&'static str> {
        if self.stack.as_ref().is_some_and(|own| *own != request.stack_id) {
            return Some("the request is about another stack");
        }
        (!self.is_cloudformations(&request.response_url))
            .then_some("its `ResponseURL` is not CloudFormation's")
    }

    fn is_cloudformations(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        let (Some(host), true) = (url.host_str(), url.username().is_empty() && url.password().is_none())
        else {
            return false;
        };
        if self.emulated && matches!(host, "127.0.0.1" | "[::1]" | "localhost") {
            return true;
        }
        let s3 = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"));
        let (Some(s3), "https", None) = (s3, url.scheme(), url.port()) else { return false };
        // The bucket in the host, or in the path.
        match s3.split_once('.') {
            Some((bucket, service)) if bucket != "s3" => self.is_bucket(bucket) && is_s3(service),
            _ => {
                is_s3(s3)
                    && url.path_segments().and_then(|mut all| all.next()).is_some_and(|b| self.is_bucket(b))
            }
        }
    }

    fn is_bucket(&self, name: &str) -> bool {
        let Some(region) = name.strip_prefix(BUCKET) else { return false };
        match &self.region {
            Some(own) => region == own,
            None => !region.is_empty() && region.chars().all(|c| c.is_ascii_alphanumeric()),
        }
    }
}

/// `s3`, `s3.REGION`, `s3-REGION` and their like.
fn is_s3(service: &str) -> bool {
    let rest = service.strip_prefix("s3");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']) && rest.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(whose: &Whose, url: &str, stack: &str) -> bool {
        let event = json!({
            "RequestType": "Delete", "ResponseURL": url, "StackId": stack, "RequestId": "r",
            "LogicalResourceId": "Setup",
        });
        whose.refuses(&Request::read(&event).unwrap()).is_some()
    }

    #[test]
    fn only_cloudformation_is_told_and_only_of_this_stack() {
        let own = "arn:aws:cloudformation:eu-west-1:1:stack/cosell/1";
        let deployed = Whose { stack: Some(own.into()), region: Some("euwest1".into()), emulated: false };
        let local = Whose { emulated: true, stack: None, region: None };
        let bucket = "cloudformation-custom-resource-response-euwest1";
        for good in [
            format!("https://{bucket}.s3.eu-west-1.amazonaws.com/arn%3Aaws/x?X-Amz-Signature=1"),
            format!("https://{bucket}.s3-eu-west-1.amazonaws.com/x"),
            format!("https://{bucket}.s3.amazonaws.com/x"),
            format!("https://s3.eu-west-1.amazonaws.com/{bucket}/x"),
            format!("https://s3-eu-west-1.amazonaws.com/{bucket}/x"),
        ] {
            assert!(!refused(&deployed, &good, own), "{good}");
            assert!(refused(&deployed, &good, "arn:aws:cloudformation:eu-west-1:1:stack/other/1"));
            assert!(!refused(&Whose::UNKNOWN, &good, own), "a broken stack must still go away");
        }
        for bad in [
            format!("http://{bucket}.s3.amazonaws.com/x"),
            format!("https://{bucket}.s3.amazonaws.com:8443/x"),
            format!("https://user@{bucket}.s3.amazonaws.com/x"),
            format!("https://{bucket}.s3.amazonaws.com.evil.example/x"),
            format!("https://{bucket}.evil.s3.amazonaws.com/x"),
            format!("https://evil.s3.amazonaws.com/{bucket}/x"),
            format!("https://{bucket}-evil.s3.amazonaws.com/x"),
            format!("https://{bucket}.execute-api.eu-west-1.amazonaws.com/x"),
            "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/x".into(),
            "https://evil.example/x".into(),
            "http://127.0.0.1:9/x".into(),
            "http://169.254.169.254/x".into(),
            "file:///x".into(),
            "".into(),
        ] {
            assert!(refused(&deployed, &bad, own), "{bad}");
        }
        assert!(!refused(&local, "http://127.0.0.1:4566/x", own));
        assert!(refused(&local, "http://evil.example/x", own));
    }
}
