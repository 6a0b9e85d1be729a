//! Which tasks wait for which, and what a task gets if the one that sends for it is stopped.

use super::*;
use std::sync::atomic::AtomicUsize;
use tokio::task::JoinSet;

type Doubling = Arc<Gather<usize, usize>>;

/// Asks for a request that doubles the numbers sent, and counts the requests.
async fn asks(gather: Doubling, n: usize, requests: Arc<AtomicUsize>) -> Option<usize> {
    let send = async |parts: Vec<usize>| {
        requests.fetch_add(1, Ordering::Relaxed);
        parts.into_iter().map(|n| 2 * n).collect()
    };
    gather.send(n, 8, send).await
}

#[tokio::test]
async fn those_who_sit_together_leave_together_and_each_has_its_own_answer() {
    let (gather, requests) = (Doubling::default(), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for (n, seat) in Seat::for_each(8).enumerate() {
        let (gather, requests) = (gather.clone(), requests.clone());
        tasks.spawn(seat.take(async move {
            match n {
                0 => None,
                1 => {
                    leave();
                    std::future::pending::<Option<usize>>().await
                }
                n => {
                    // Each task asks after another number of steps.
                    for _ in 0..n {
                        tokio::task::yield_now().await;
                    }
                    assert_eq!(asks(gather, n, requests).await, Some(2 * n));
                    Some(n)
                }
            }
        }));
    }
    for _ in 0..7 {
        tasks.join_next().await.unwrap().unwrap();
    }
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn without_a_seat_it_leaves_at_once() {
    let (gather, requests) = (Doubling::default(), Arc::new(AtomicUsize::new(0)));
    assert_eq!(asks(gather.clone(), 3, requests.clone()).await, Some(6));
    let mut seats = Seat::for_each(2);
    let (one, _other) = (seats.next().unwrap(), seats.next().unwrap());
    let left = one.take(async {
        leave();
        asks(gather, 4, requests.clone()).await
    });
    assert_eq!(left.await, Some(8));
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn more_than_one_request_takes_are_several_requests() {
    let (gather, requests) = (Doubling::default(), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for (n, seat) in Seat::for_each(20).enumerate() {
        tasks.spawn(seat.take(asks(gather.clone(), n, requests.clone())));
    }
    let mut answers: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    answers.sort_unstable();
    assert_eq!(answers, (0..20).map(|n| 2 * n).collect::<Vec<_>>());
    assert_eq!(requests.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_does_not_come_keeps_nobody() {
    let (gather, requests) = (Doubling::default(), Arc::new(AtomicUsize::new(0)));
    let mut seats = Seat::for_each(2);
    let (one, _sits) = (seats.next().unwrap(), seats.next().unwrap());
    assert_eq!(one.take(asks(gather, 5, requests)).await, Some(10));
}

#[tokio::test]
async fn whoever_is_stopped_while_it_waits_is_not_sent_for() {
    let (gather, requests) = (Doubling::default(), Arc::new(AtomicUsize::new(0)));
    let mut seats = Seat::for_each(3);
    let (one, other, last) = (seats.next().unwrap(), seats.next().unwrap(), seats.next().unwrap());
    let waits = tokio::spawn(one.take(asks(gather.clone(), 1, requests.clone())));
    tokio::task::yield_now().await;
    waits.abort();
    assert!(waits.await.unwrap_err().is_cancelled());
    drop(last);
    let sent = other.take(gather.send(2, 8, async |parts| {
        assert_eq!(parts, [2]);
        vec![4]
    }));
    assert_eq!(sent.await, Some(4));
}

#[tokio::test]
async fn when_the_sender_is_stopped_nobody_knows() {
    let (gather, sender) = (Doubling::default(), Arc::new(AtomicUsize::new(usize::MAX)));
    let mut tasks: Vec<_> = Seat::for_each(2)
        .enumerate()
        .map(|(n, seat)| {
            let (gather, sender) = (gather.clone(), sender.clone());
            tokio::spawn(seat.take(async move {
                let send = async |_| {
                    sender.store(n, Ordering::Relaxed);
                    std::future::pending().await
                };
                gather.send(n, 8, send).await
            }))
        })
        .collect();
    while sender.load(Ordering::Relaxed) == usize::MAX {
        tokio::task::yield_now().await;
    }
    let sends = tasks.remove(sender.load(Ordering::Relaxed));
    sends.abort();
    assert!(sends.await.unwrap_err().is_cancelled());
    assert_eq!(tasks.remove(0).await.unwrap(), None);
}
