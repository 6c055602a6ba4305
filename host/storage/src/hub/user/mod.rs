//! What users keep, in the same batches as the task hub: queues, tables, documents, and the effects of a function as a whole.
//!
//! Every write here goes the way of all writes of the hub: claim, read, draft one batch, write it, and when it is durable change
//! the memory and answer.

mod arrival;
mod documents;
mod dropping;
mod effects;
mod entities;
mod messages;
mod opening;
mod queues;
mod ranges;
mod tables;

pub(super) use dropping::Dropping;
pub(super) use opening::{OpenedUser, load};

use super::claims::Held;
use super::outbox::Outbox;
use super::{Answer, Shared, State};
use crate::codec::{self, MessageRow};
use crate::dispatch::Delivery;
use crate::rows::{Batch, Table, View};
use crate::user::Queue;
use entities::Pending as PendingEntities;
use orchestration::{InstanceId, Timestamp};
use ports::StoreError;
use std::collections::BTreeSet;
use std::sync::Arc;
use storage_model::QueueName;

/// The key in [`Table::Meta`] of the mark that no stamp has passed.
const STAMPS: &[u8] = b"stamps";

/// What a durable batch changes in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Applied {
    /// A queue is there, empty, with this number.
    Queue(QueueName, u64),
    QueueGone(QueueName),
    Message(QueueName, u64, MessageRow),
    MessageGone(QueueName, u64),
    /// A table is there, with this number; by its name without case.
    Table(String, u64),
    TableGone(String),
}

impl Applied {
    /// The number of a queue of that name, if it is what is there now.
    fn made_queue(&self, queue: &QueueName) -> Option<u64> {
        if let Applied::Queue(name, number) = self { (name == queue).then_some(*number) } else { None }
    }

    /// The number of a table of that name, if it is what is there now.
    fn made_table(&self, table: &str) -> Option<u64> {
        if let Applied::Table(name, number) = self { (name == table).then_some(*number) } else { None }
    }

    fn queue(&self) -> Option<&QueueName> {
        match self {
            Applied::Queue(name, _)
            | Applied::QueueGone(name)
            | Applied::Message(name, _, _)
            | Applied::MessageGone(name, _) => Some(name),
            Applied::Table(_, _) | Applied::TableGone(_) => None,
        }
    }
}

/// A batch in the making.
struct Draft<'a> {
    shared: &'a Shared,
    view: &'a dyn View,
    outbox: Outbox<'a>,
    now: Timestamp,
    applied: Vec<Applied>,
    /// Instances that the batch creates.
    created: BTreeSet<InstanceId>,
    entities: PendingEntities,
    /// Whether stamps were given out.
    is_stamped: bool,
}

/// A batch, and what changes in memory once it is durable.
struct Drafted {
    batch: Batch,
    deliveries: Vec<Delivery>,
    created: BTreeSet<InstanceId>,
    applied: Vec<Applied>,
    mark: Option<i64>,
}

impl<'a> Draft<'a> {
    fn new(shared: &'a Shared, view: &'a dyn View) -> Draft<'a> {
        Draft {
            shared,
            view,
            outbox: Outbox::new(shared, view),
            now: shared.clock.now(),
            applied: Vec::new(),
            created: BTreeSet::new(),
            entities: PendingEntities::default(),
            is_stamped: false,
        }
    }

    fn batch(&mut self) -> &mut Batch {
        &mut self.outbox.batch
    }

    /// A moment that never comes twice.
    fn stamp(&mut self) -> i64 {
        self.is_stamped = true;
        self.shared.with(|state| state.user.stamps.next(self.now))
    }

    fn finish(mut self) -> Drafted {
        let mark = if self.is_stamped { self.shared.with(|state| state.user.stamps.mark()) } else { None };
        if let Some(mark) = mark {
            self.batch().put(Table::Meta, STAMPS.to_vec(), codec::encode_number(mark.unsigned_abs()));
        }
        let Outbox { batch, deliveries, .. } = self.outbox;
        Drafted { batch, deliveries, created: self.created, applied: self.applied, mark }
    }
}

impl Shared {
    /// Writes a batch, changes the memory accordingly, and answers with `value`.
    fn submit<T: Send + 'static>(self: &Arc<Shared>, drafted: Drafted, held: Held, value: T) -> Answer<T> {
        let Drafted { batch, deliveries, created, applied, mark } = drafted;
        let (answer, waiting) = Answer::channel();
        let shared = Arc::clone(self);
        let done = move |written: Result<(), StoreError>| {
            let queues: BTreeSet<QueueName> = applied.iter().filter_map(Applied::queue).cloned().collect();
            let (fronts, dropped) = shared.with(|state| {
                let fronts: Vec<_> = queues.into_iter().map(|name| (front(state, &name), name)).collect();
                if let Some(mark) = mark {
                    state.user.stamps.marked(mark, written.is_ok());
                }
                let mut dropped = Vec::new();
                if written.is_ok() {
                    created.iter().for_each(|id| state.dispatch.forget(id));
                    for delivery in deliveries {
                        state.dispatch.deliver(delivery);
                    }
                    dropped = applied.into_iter().filter_map(|applied| state.apply(applied)).collect();
                }
                (fronts, dropped)
            });
            // A big queue takes its time to go; the lock is free by now.
            drop(dropped);
            drop(held);
            if written.is_ok() {
                created.iter().for_each(|id| shared.watchers.wake(id));
            }
            for (before, name) in fronts {
                shared.wake_if_sooner(&name, before);
            }
            answer.give(written.map(|()| value));
        };
        self.rows.write(batch, Box::new(done));
        waiting
    }
}

/// From when on the first message of a queue can be received.
fn front(state: &State, queue: &QueueName) -> Option<Timestamp> {
    state.user.queues.get(queue).and_then(Queue::next_visible)
}

impl State {
    /// Answers the queue that went, if any.
    fn apply(&mut self, applied: Applied) -> Option<Queue> {
        let user = &mut self.user;
        match applied {
            Applied::Queue(name, number) => return user.queues.insert(name, Queue::new(number)),
            Applied::QueueGone(name) => return user.queues.remove(&name),
            Applied::Message(name, sequence, row) => {
                if let Some(queue) = user.queues.get_mut(&name) {
                    queue.set(sequence, row);
                }
            }
            Applied::MessageGone(name, sequence) => {
                if let Some(queue) = user.queues.get_mut(&name) {
                    queue.remove(sequence);
                }
            }
            Applied::Table(name, number) => {
                user.tables.insert(name, number);
            }
            Applied::TableGone(name) => {
                user.tables.remove(&name);
            }
        }
        None
    }
}
