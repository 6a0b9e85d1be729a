//! The table (DynamoDB). Reads on which a decision depends are consistent, every save is conditional, and a write is
//! sent once: at a second attempt its own success would look like a lost race.

mod item;

use crate::{
    aws::{failure, once},
    clock::Clock,
};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem},
};
use futures_util::future::try_join_all;
use item::{Attributes, Condition};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use sync::{
    failure::{Class, Failure, System},
    ports::{Links as Port, TRANSACTION},
    table::{Change, Key, Row},
};

/// The most items in one read (vendors/aws.md, *DynamoDB*).
const READ_BATCH: usize = 100;
/// How many items of any kind are searched for one page of links.
const PAGE: i32 = 250;
/// How often keys are read that a throttled batch left out, with a pause that doubles each time.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// The table of links.
#[derive(Clone, Debug)]
pub struct Links {
    reads: Client,
    writes: Client,
    table: String,
    clock: Clock,
    counts: Arc<Counts>,
}

/// Numbers of calls since the start.
#[derive(Debug, Default)]
struct Counts {
    reads: AtomicU64,
    writes: AtomicU64,
    transactions: AtomicU64,
}

/// Numbers of calls since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Reads of one item, a batch or a page.
    pub reads: u64,
    /// Saves and deletes of one item.
    pub writes: u64,
    /// Saves of several items together.
    pub transactions: u64,
}

impl Links {
    /// The table of this name.
    pub fn new(aws: &SdkConfig, table: &str, clock: Clock) -> Self {
        let writes = aws_sdk_dynamodb::config::Builder::from(aws).retry_config(once()).build();
        Links {
            reads: Client::new(aws),
            writes: Client::from_conf(writes),
            table: table.to_owned(),
            clock,
            counts: Arc::default(),
        }
    }

    /// The calls since the start, by this value and its clones.
    pub fn calls(&self) -> Calls {
        let Counts { reads, writes, transactions } = &*self.counts;
        Calls {
            reads: reads.load(Relaxed),
            writes: writes.load(Relaxed),
            transactions: transactions.load(Relaxed),
        }
    }

    async fn read_one(&self, key: &Key) -> Result<Option<Row>, Failure> {
        self.counts.reads.fetch_add(1, Relaxed);
        let get = self.reads.get_item().table_name(&self.table).set_key(Some(item::key(key)));
        let answer = get.consistent_read(true).send().await;
        let answer = answer.map_err(|e| failure(System::Table, &format!("read `{}`", key.pk), &e))?;
        answer.item.map_or(Ok(None), |found| self.row(found))
    }

    async fn read_batch(&self, keys: &[&Key]) -> Result<Vec<Row>, Failure> {
        let mut open: Vec<Attributes> = keys.iter().map(|key| item::key(key)).collect();
        let mut rows = Vec::with_capacity(keys.len());
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
            }
            self.counts.reads.fetch_add(1, Relaxed);
            let wanted = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(true).build();
            let wanted = wanted.map_err(|e| refused("read", e.to_string()))?;
            let answer = self.reads.batch_get_item().request_items(&self.table, wanted).send().await;
            let answer =
                answer.map_err(|e| failure(System::Table, &format!("read {} items", keys.len()), &e))?;
            for found in answer.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                rows.extend(self.row(found)?);
            }
            let left = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
            open = left.map(|left| left.keys).unwrap_or_default();
            if open.is_empty() {
                return Ok(rows);
            }
        }
        Err(Failure::later(System::Table, "read", format!("{} items left over", open.len())))
    }

    /// All items of one partition, in the order of their sort keys.
    pub async fn partition(&self, pk: &str) -> Result<Vec<Row>, Failure> {
        let mut rows = vec![];
        let mut next = None;
        loop {
            self.counts.reads.fetch_add(1, Relaxed);
            let query = self.reads.query().table_name(&self.table).consistent_read(true);
            let query = query.key_condition_expression("pk = :pk").set_exclusive_start_key(next);
            let query = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
            let page =
                query.send().await.map_err(|e| failure(System::Table, &format!("read all of `{pk}`"), &e))?;
            for found in page.items.into_iter().flatten() {
                rows.extend(self.row(found)?);
            }
            next = page.last_evaluated_key.filter(|key| !key.is_empty());
            if next.is_none() {
                return Ok(rows);
            }
        }
    }

    /// The items of a partition with the last sort keys, the last one first.
    pub async fn newest(&self, pk: &str, most: i32) -> Result<Vec<Row>, Failure> {
        self.counts.reads.fetch_add(1, Relaxed);
        let query = self.reads.query().table_name(&self.table).consistent_read(true).limit(most);
        let query = query.key_condition_expression("pk = :pk").scan_index_forward(false);
        let query = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
        let page = query.send().await;
        let page = page.map_err(|e| failure(System::Table, &format!("read the last of `{pk}`"), &e))?;
        let rows = page.items.into_iter().flatten().map(|found| self.row(found));
        Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The row of an item; `None`: it has expired, and the table has not deleted it yet.
    fn row(&self, found: Attributes) -> Result<Option<Row>, Failure> {
        let key = item::text(&found, "pk");
        item::row(found, self.clock.now()).map_err(|e| refused(&format!("read `{key}`"), e))
    }

    async fn save(&self, change: Change) -> Result<bool, Failure> {
        self.counts.writes.fetch_add(1, Relaxed);
        let (operation, now) = (format!("save `{}`", change.key.pk), self.clock.now());
        let condition = Condition::of(change.expect, now);
        match item::attributes(&change, now).map_err(|e| refused(&operation, e))? {
            Some(attributes) => {
                let put = self.writes.put_item().table_name(&self.table).set_item(Some(attributes));
                let put = put.set_condition_expression(condition.expression);
                saved(&operation, put.set_expression_attribute_values(condition.values).send().await)
            }
            None => {
                let delete =
                    self.writes.delete_item().table_name(&self.table).set_key(Some(item::key(&change.key)));
                let delete = delete.set_condition_expression(condition.expression);
                saved(&operation, delete.set_expression_attribute_values(condition.values).send().await)
            }
        }
    }

    async fn save_together(&self, changes: Vec<Change>) -> Result<bool, Failure> {
        self.counts.transactions.fetch_add(1, Relaxed);
        let first = changes.first().map_or("", |change| &change.key.pk);
        let operation = format!("save {} items with `{first}`", changes.len());
        if changes.len() > TRANSACTION {
            return Err(refused(&operation, format!("more than {TRANSACTION} items in a transaction")));
        }
        let writes = changes.iter().map(|change| self.write_of(change)).collect::<Result<Vec<_>, _>>();
        let writes = writes.map_err(|e| refused(&operation, e))?;
        // The SDK sets `ClientRequestToken`, new for each call.
        match self.writes.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(error) => match lost_transaction(&error) {
                Some(verdict) => {
                    verdict.map(|()| false).map_err(|text| Failure::later(System::Table, operation, text))
                }
                None => Err(failure(System::Table, &operation, &error)),
            },
        }
    }

    fn write_of(&self, change: &Change) -> Result<TransactWriteItem, String> {
        let now = self.clock.now();
        let condition = Condition::of(change.expect, now);
        let write = TransactWriteItem::builder();
        Ok(match item::attributes(change, now)? {
            Some(attributes) => {
                let put = Put::builder().table_name(&self.table).set_item(Some(attributes));
                let put = put.set_condition_expression(condition.expression);
                let put = put.set_expression_attribute_values(condition.values).build();
                write.put(put.map_err(|e| e.to_string())?)
            }
            None => {
                let delete = Delete::builder().table_name(&self.table).set_key(Some(item::key(&change.key)));
                let delete = delete.set_condition_expression(condition.expression);
                let delete = delete.set_expression_attribute_values(condition.values).build();
                write.delete(delete.map_err(|e| e.to_string())?)
            }
        }
        .build())
    }
}

impl Port for Links {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Failure> {
        // DynamoDB refuses a read that names a key twice.
        let distinct: Vec<&Key> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let rows = match distinct[..] {
            [] => return Ok(vec![]),
            [one] => self.read_one(one).await?.into_iter().collect(),
            _ => {
                try_join_all(distinct.chunks(READ_BATCH).map(|batch| self.read_batch(batch))).await?.concat()
            }
        };
        let rows: HashMap<(&str, &str), &Row> =
            rows.iter().map(|row| ((row.key.pk.as_str(), row.key.sk.as_str()), row)).collect();
        Ok(keys
            .iter()
            .map(|key| rows.get(&(key.pk.as_str(), key.sk.as_str())).map(|row| (*row).clone()))
            .collect())
    }

    async fn commit(&self, mut changes: Vec<Change>) -> Result<bool, Failure> {
        match (changes.pop(), changes.is_empty()) {
            (None, _) => Ok(true),
            (Some(one), true) => self.save(one).await,
            (Some(last), false) => {
                changes.push(last);
                self.save_together(changes).await
            }
        }
    }

    async fn page(&self, cursor: Option<&str>) -> Result<(Vec<Row>, Option<String>), Failure> {
        self.counts.reads.fetch_add(1, Relaxed);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let begins = cursor.and_then(|cursor| cursor.split_once(' '));
        let begins = begins.map(|(sk, pk)| item::key(&Key { pk: pk.to_owned(), sk: sk.to_owned() }));
        let scan = self.reads.scan().table_name(&self.table).consistent_read(true).limit(PAGE);
        let scan = scan.filter_expression("sk = :link AND begins_with(pk, :referral)");
        let scan = scan.expression_attribute_values(":link", text("LINK"));
        let scan = scan.expression_attribute_values(":referral", text("REFERRAL#"));
        let page = scan.set_exclusive_start_key(begins).send().await;
        let page = page.map_err(|e| failure(System::Table, "read a page of links", &e))?;
        let mut rows = vec![];
        for found in page.items.into_iter().flatten() {
            rows.extend(self.row(found)?);
        }
        let last = page.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((rows, last.map(|key| format!("{} {}", item::text(&key, "sk"), item::text(&key, "pk")))))
    }

    async fn parked(&self) -> Result<Vec<Row>, Failure> {
        self.partition(&Key::parked("").pk).await
    }
}

/// How the save of one item ended.
fn saved<T, E: ProvideErrorMetadata + std::error::Error + 'static>(
    operation: &str,
    answer: Result<T, SdkError<E>>,
) -> Result<bool, Failure> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) => match error.code() {
            // Another run's transaction is about to change the item: the race is lost.
            Some("ConditionalCheckFailedException" | "TransactionConflictException") => Ok(false),
            _ => Err(failure(System::Table, operation, &error)),
        },
    }
}

/// Why a transaction was cancelled. `Ok`: the race is lost; `Err`: for a reason that time cures; `None`: for another
/// one.
fn lost_transaction(error: &SdkError<TransactWriteItemsError>) -> Option<Result<(), String>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.as_service_error()? else {
        return None;
    };
    let codes: Vec<&str> =
        cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    judge_codes(&codes)
}

fn judge_codes(codes: &[&str]) -> Option<Result<(), String>> {
    if codes.iter().any(|code| ["ConditionalCheckFailed", "TransactionConflict"].contains(code)) {
        return Some(Ok(()));
    }
    let busy = ["ThrottlingError", "ProvisionedThroughputExceeded"];
    codes.iter().find(|code| busy.contains(code)).map(|code| Err(format!("transaction cancelled: {code}")))
}

fn refused(operation: &str, text: String) -> Failure {
    Failure {
        system: System::Table,
        operation: operation.to_owned(),
        class: Class::Permanent,
        wide: false,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_transaction_is_a_lost_race_or_a_matter_of_time_or_a_fault() {
        assert_eq!(judge_codes(&["None", "ConditionalCheckFailed"]), Some(Ok(())));
        assert_eq!(judge_codes(&["TransactionConflict", "None"]), Some(Ok(())));
        assert!(matches!(judge_codes(&["None", "ThrottlingError"]), Some(Err(_))));
        assert_eq!(judge_codes(&["ValidationError"]), None);
    }
}
