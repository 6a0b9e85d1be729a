//! Who is told of alarms.

use super::Reader;

/// Who is told of alarms, as the stack's parameters say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmsTo {
    /// `nobody`: neither `AlarmEmail` nor `AlarmTopicArn` is given.
    Nobody,
    /// `topic`: `AlarmTopicArn`.
    Topic,
    /// `email`: `AlarmEmail`, with or without a topic.
    Email,
}

impl Reader<'_> {
    /// `None`: not set.
    pub(super) fn alarms_to(&mut self, name: &str) -> Option<AlarmsTo> {
        match self.optional(name)?.as_str() {
            "nobody" => Some(AlarmsTo::Nobody),
            "topic" => Some(AlarmsTo::Topic),
            "email" => Some(AlarmsTo::Email),
            other => {
                self.fault(name, format_args!("expected `nobody`, `topic` or `email`, found `{other}`"));
                None
            }
        }
    }
}
