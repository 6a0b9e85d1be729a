//! Where the stack sends its alarms.

use super::Reader;

/// Where the stack sends its alarms, by its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmsTo {
    /// `nobody`: nowhere, because neither `AlarmEmail` nor `AlarmTopicArn` is given.
    Nobody,
    /// `topic`: to the topic `AlarmTopicArn`.
    Topic,
    /// `email`: to the address `AlarmEmail`, with or without a topic.
    Email,
}

impl Reader<'_> {
    /// `None`: not set, or a fault.
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
