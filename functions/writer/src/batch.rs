//! One batch of messages as groups of hints. Bodies are strings, parsed one by one: one bad body must not fail its
//! neighbours.

use aws_lambda_events::event::sqs::SqsEvent;
use std::collections::BTreeMap;
use sync::hint::Hint;

/// The hints of one FIFO group: worked off as one; they succeed together and fail together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The referral's or record's id.
    pub(crate) name: String,
    pub(crate) hints: Vec<Hint>,
    pub(crate) messages: Vec<Message>,
    /// How often its oldest message was received.
    pub(crate) received: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) receipt: String,
}

/// A message that is no hint of ours.
#[derive(Debug)]
pub(crate) struct Unusable {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) why: String,
}

pub(crate) fn group(event: SqsEvent) -> (Vec<Group>, Vec<Unusable>) {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut unusable = vec![];
    for record in event.records {
        let id = record.message_id.unwrap_or_default();
        let body = record.body.unwrap_or_default();
        let received =
            record.attributes.get("ApproximateReceiveCount").and_then(|n| n.parse().ok()).unwrap_or(1);
        match Hint::parse(&body) {
            Ok(hint) => {
                let name = hint.group();
                let group = groups.entry(name.clone()).or_insert_with(|| Group {
                    name,
                    hints: vec![],
                    messages: vec![],
                    received,
                });
                group.received = group.received.max(received);
                group.hints.push(hint);
                group.messages.push(Message { id, receipt: record.receipt_handle.unwrap_or_default() });
            }
            Err(why) => unusable.push(Unusable { id, body, why: why.to_string() }),
        }
    }
    (groups.into_values().collect(), unusable)
}
