//! A queue against a list: whatever is done in whatever order, the store answers as the list does.

use super::user::queue;
use super::world::World;
use orchestration::Timestamp;
use ports::{Metadata, NewMessage, QueueError, QueueStore, Receipt, Receiver};
use proptest::prelude::*;
use std::time::Duration;

/// One step. Numbers of messages are taken modulo how many were ever put.
#[derive(Clone, Debug)]
enum Step {
    Put { delay: u8, time_to_live: Option<u8> },
    Receive { count: usize, visibility: u8, receiver: Receiver },
    Peek { count: usize },
    Update { which: usize, visibility: u8, text: Option<u8>, old: bool },
    GiveBack { which: usize, delay: u8 },
    Delete { which: usize, old: bool },
    Clear,
    Advance { seconds: u8 },
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seconds = 0_u8..12;
    let which = 0_usize..30;
    let receiver = prop_oneof![Just(Receiver::Client), Just(Receiver::Host)];
    let step = prop_oneof![
        6 => (seconds.clone(), proptest::option::of(1_u8..40)).prop_map(|(delay, time_to_live)| Step::Put { delay, time_to_live }),
        4 => (0_usize..5, seconds.clone(), receiver)
            .prop_map(|(count, visibility, receiver)| Step::Receive { count, visibility, receiver }),
        2 => (0_usize..5).prop_map(|count| Step::Peek { count }),
        3 => (which.clone(), seconds.clone(), proptest::option::of(any::<u8>()), proptest::bool::weighted(0.2))
            .prop_map(|(which, visibility, text, old)| Step::Update { which, visibility, text, old }),
        1 => (which.clone(), seconds.clone()).prop_map(|(which, delay)| Step::GiveBack { which, delay }),
        3 => (which, proptest::bool::weighted(0.2)).prop_map(|(which, old)| Step::Delete { which, old }),
        1 => Just(Step::Clear),
        5 => seconds.prop_map(|seconds| Step::Advance { seconds }),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..60)
}

/// A message as the list has it.
#[derive(Clone, Debug)]
struct Modelled {
    id: String,
    text: String,
    inserted: Timestamp,
    visible: Timestamp,
    expires: Timestamp,
    count: u32,
    /// The one that counts; empty if none does.
    receipt: String,
    before: String,
    host: bool,
    gone: bool,
}

/// The list. Messages stay in it when they are gone, so that they can still be named.
#[derive(Default)]
struct Model(Vec<Modelled>);

impl Model {
    fn visible(&self, now: Timestamp, count: usize) -> Vec<usize> {
        let mut found: Vec<usize> =
            (0..self.0.len()).filter(|n| self.is_there(*n, now) && self.0[*n].visible <= now).collect();
        found.sort_by_key(|n| (self.0[*n].visible, *n));
        found.truncate(count);
        found
    }

    fn is_there(&self, which: usize, now: Timestamp) -> bool {
        !self.0[which].gone && self.0[which].expires > now
    }

    /// What an operation with this receipt must answer.
    fn expected(&self, which: usize, now: Timestamp, receipt: &str) -> Result<(), QueueError> {
        if !self.is_there(which, now) {
            Err(QueueError::MessageNotFound)
        } else if receipt.is_empty() || self.0[which].receipt != receipt {
            Err(QueueError::PopReceiptMismatch)
        } else {
            Ok(())
        }
    }
}

struct Run {
    world: World,
    model: Model,
}

impl Run {
    fn now(&self) -> Timestamp {
        ports::Clock::now(&*self.world.clock)
    }

    fn in_seconds(&self, seconds: u8) -> Timestamp {
        self.now().saturating_add(Duration::from_secs(seconds.into()))
    }

    fn receipt(&self, which: usize, old: bool) -> Receipt {
        let message = &self.model.0[which];
        let pop_receipt = if old { message.before.clone() } else { message.receipt.clone() };
        Receipt { queue: queue("orders"), id: message.id.clone(), pop_receipt }
    }

    async fn step(&mut self, step: Step) {
        let name = queue("orders");
        let named = |which: usize, len: usize| (len > 0).then(|| which % len);
        match step {
            Step::Put { delay, time_to_live } => self.put(delay, time_to_live).await,
            Step::Receive { count, visibility, receiver } => self.receive(count, visibility, receiver).await,
            Step::Peek { count } => {
                let expected = self.model.visible(self.now(), count);
                let seen = self.world.peek(&name, count).await.unwrap();
                let expected: Vec<_> =
                    expected.iter().map(|n| (&self.model.0[*n].id, &self.model.0[*n].text)).collect();
                assert_eq!(seen.iter().map(|seen| (&seen.id, &seen.text)).collect::<Vec<_>>(), expected);
            }
            Step::Update { which, visibility, text, old } => {
                if let Some(which) = named(which, self.model.0.len()) {
                    self.update(which, visibility, text.map(|text| text.to_string()), old, false).await;
                }
            }
            Step::GiveBack { which, delay } => {
                if let Some(which) = named(which, self.model.0.len()) {
                    self.update(which, delay, None, false, true).await;
                }
            }
            Step::Delete { which, old } => {
                if let Some(which) = named(which, self.model.0.len()) {
                    let receipt = self.receipt(which, old);
                    let expected = self.model.expected(which, self.now(), &receipt.pop_receipt);
                    assert_eq!(self.world.delete_message(&receipt).await, expected);
                    self.model.0[which].gone |= expected.is_ok();
                }
            }
            Step::Clear => {
                self.world.clear(&name).await.unwrap();
                self.model.0.iter_mut().for_each(|message| message.gone = true);
            }
            Step::Advance { seconds } => self.world.clock.advance(Duration::from_secs(seconds.into())),
            Step::Reopen => {
                self.world.reopen();
                for message in self.model.0.iter_mut().filter(|message| message.host) {
                    (message.host, message.visible) = (false, message.inserted);
                    message.before = std::mem::take(&mut message.receipt);
                }
            }
        }
        let there = (0..self.model.0.len()).filter(|n| self.model.is_there(*n, self.now())).count();
        assert_eq!(self.world.queue(&name).await.unwrap().messages, there as u64);
    }

    async fn put(&mut self, delay: u8, time_to_live: Option<u8>) {
        let text = self.model.0.len().to_string();
        let message = NewMessage {
            text: text.clone(),
            delay: Duration::from_secs(delay.into()),
            time_to_live: time_to_live.map(|seconds| Duration::from_secs(seconds.into())),
        };
        let put = self.world.put_message(&queue("orders"), message).await.unwrap();
        self.model.0.push(Modelled {
            id: put.id,
            text,
            inserted: self.now(),
            visible: self.in_seconds(delay),
            expires: time_to_live.map_or(Timestamp::MAX, |seconds| self.in_seconds(seconds)),
            count: 0,
            receipt: put.pop_receipt,
            before: String::new(),
            host: false,
            gone: false,
        });
    }

    async fn receive(&mut self, count: usize, visibility: u8, receiver: Receiver) {
        let expected = self.model.visible(self.now(), count);
        let visible = self.in_seconds(visibility);
        let visibility = Duration::from_secs(visibility.into());
        let received = self.world.receive(&queue("orders"), count, visibility, receiver).await.unwrap();
        assert_eq!(received.len(), expected.len());
        for (received, which) in received.into_iter().zip(expected) {
            let message = &mut self.model.0[which];
            message.count += 1;
            (message.visible, message.host) = (visible, receiver == Receiver::Host);
            let expected = (&message.id, &message.text, message.count, message.visible, message.expires);
            let found = (&received.id, &received.text, received.dequeue_count, received.visible, received.expires);
            assert_eq!(found, expected);
            message.before = std::mem::replace(&mut message.receipt, received.pop_receipt);
        }
    }

    async fn update(&mut self, which: usize, visibility: u8, text: Option<String>, old: bool, gives_back: bool) {
        let receipt = self.receipt(which, old);
        let expected = self.model.expected(which, self.now(), &receipt.pop_receipt);
        let (visible, span) = (self.in_seconds(visibility), Duration::from_secs(visibility.into()));
        let updated = if gives_back {
            self.world.give_back(&receipt, span).await
        } else {
            self.world.update_message(&receipt, span, text.clone()).await
        };
        assert_eq!(updated.as_ref().map(drop), expected.as_ref().copied());
        let Ok(updated) = updated else { return };
        let message = &mut self.model.0[which];
        message.text = text.unwrap_or_else(|| message.text.clone());
        (message.visible, message.host) = (visible, message.host && !gives_back);
        assert_eq!((&updated.text, updated.dequeue_count), (&message.text, message.count));
        message.before = std::mem::replace(&mut message.receipt, updated.pop_receipt);
    }
}

fn check(world: World, steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        world.create_queue(&queue("orders"), Metadata::new()).await.unwrap();
        let mut run = Run { world, model: Model::default() };
        for step in steps {
            run.step(step).await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn a_queue_in_memory_is_a_list(steps in steps()) {
        check(World::memory(), steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn a_queue_in_a_folder_is_a_list(steps in steps()) {
        check(World::embedded(), steps);
    }
}
