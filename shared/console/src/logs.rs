//! The decisions of a deployed stack, followed in CloudWatch Logs with the user's own rights. The only place that reads
//! logs.

use crate::{
    admin::Unreachable,
    decision::{self, Decision},
    stack,
};
use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The log groups' names in the template.
const GROUPS: [&str; 4] = ["IngressLog", "WriterLog", "PollerLog", "AdminLog"];
/// The filter for lines that hold a decision: no other lines are fetched.
const PATTERN: &str = "{ $.decision = \"*\" }";
/// A line may arrive this long after the time it carries.
const LATE: SignedDuration = SignedDuration::from_secs(30);

/// The log groups of a stack.
#[derive(Clone, Debug)]
pub struct Logs {
    client: aws_sdk_cloudwatchlogs::Client,
    groups: Vec<String>,
    since: Timestamp,
    /// The lines that were returned before, by their ids: each call reads some of the time of the call before again.
    told: BTreeMap<String, Timestamp>,
}

impl Logs {
    /// Finds the stack's log groups. Decisions from `since` on will be returned.
    pub async fn open(
        name: &str,
        profile: Option<&str>,
        region: Option<&str>,
        since: Timestamp,
    ) -> Result<Self, Unreachable> {
        let config = stack::config(profile, region).await;
        let resources = aws_sdk_cloudformation::Client::new(&config).describe_stack_resources();
        let found = resources.stack_name(name).send().await.map_err(|e| {
            let right = format!("cloudformation:DescribeStackResources on stack {name}");
            refused(&format!("look up the log groups of stack `{name}`"), &right, &e)
        })?;
        let resources = found.stack_resources().iter();
        let is_group = |id: Option<&str>| id.is_some_and(|id| GROUPS.contains(&id));
        let groups = resources.filter(|one| is_group(one.logical_resource_id()));
        let groups: Vec<String> =
            groups.filter_map(|one| one.physical_resource_id().map(str::to_owned)).collect();
        if groups.is_empty() {
            let text = format!("stack `{name}` has none of {}: is it this product's?", GROUPS.join(", "));
            return Err(Unreachable::Failed(text));
        }
        let client = aws_sdk_cloudwatchlogs::Client::new(&config);
        Ok(Logs { client, groups, since, told: BTreeMap::new() })
    }

    /// The decisions that are new since the last call, oldest first.
    pub async fn next(&mut self) -> Result<Vec<Decision>, Unreachable> {
        let mut new = vec![];
        for group in &self.groups {
            let pages = self.client.filter_log_events().log_group_name(group).filter_pattern(PATTERN);
            let mut pages = pages.start_time(self.since.as_millisecond()).into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|e| {
                    let right = format!("logs:FilterLogEvents on {group}");
                    refused(&format!("read log group `{group}`"), &right, &e)
                })?;
                for line in page.events() {
                    let (Some(id), Some(at)) = (line.event_id(), line.timestamp()) else { continue };
                    let at = Timestamp::from_millisecond(at).unwrap_or(self.since);
                    if self.told.insert(id.to_owned(), at).is_none() {
                        let text = line.message().unwrap_or_default();
                        let line = serde_json::from_str(text).unwrap_or_default();
                        new.extend(decision::read(at, &line));
                    }
                }
            }
        }
        new.sort_by_key(|decision| decision.at);
        if let Some(newest) = self.told.values().max() {
            self.since = self.since.max(*newest - LATE);
        }
        self.told.retain(|_, at| *at >= self.since);
        Ok(new)
    }
}

/// An error as text; where access was denied, it names the right that is missing.
fn refused<E, R>(what: &str, right: &str, error: &SdkError<E, R>) -> Unreachable
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match error.code() {
        Some(code) if code.starts_with("AccessDenied") => {
            Unreachable::SignIn(format!("cannot {what}: the right {right} is missing"))
        }
        _ => stack::unreachable(what, error),
    }
}
