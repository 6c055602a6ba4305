//! Listening to one queue for one function: fetches batches while there is room, and works on every message at once.

use super::function::QueueFunction;
use super::source::{Source, Stopping};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use ports::QueueMessage;
use std::sync::Arc;

/// Listens to the queue of one function.
pub struct QueueListener {
    function: Arc<QueueFunction>,
}

/// What happens while listening.
enum Event {
    /// The queue was looked into.
    Fetched(Source, Vec<QueueMessage>),
    /// Nothing more is to be fetched.
    Stopped,
    /// A message has come to its end here.
    Worked,
}

impl QueueListener {
    pub(super) fn new(function: Arc<QueueFunction>) -> QueueListener {
        QueueListener { function }
    }

    /// The function's name.
    pub fn function(&self) -> &str {
        self.function.name()
    }

    /// Listens until `stopping` completes, and then until the messages that are at work have come to their end. Dropping the
    /// future stops them in the middle: their messages come back when their visibility lapses, or at the next start.
    pub async fn run(&self, stopping: impl Future<Output = ()> + Send + 'static) {
        let stopping: Stopping = stopping.boxed().shared();
        let mut source = Some(self.function.source());
        let mut at_work = 0;
        let mut events = FuturesUnordered::<BoxFuture<'_, Event>>::new();
        loop {
            let room = self.function.room(at_work);
            if room > 0
                && let Some(idle) = source.take()
            {
                events.push(fetch(idle, room, stopping.clone()).boxed());
            }
            match events.next().await {
                Some(Event::Fetched(idle, messages)) => {
                    source = Some(idle);
                    at_work += messages.len();
                    for message in messages {
                        let work = self.function.work_on(message, stopping.clone());
                        events.push(work.map(|()| Event::Worked).boxed());
                    }
                }
                Some(Event::Worked) => at_work -= 1,
                // The source is gone with it, so that nothing is fetched any more.
                Some(Event::Stopped) => {}
                None => return,
            }
        }
    }
}

async fn fetch(mut source: Source, count: usize, stopping: Stopping) -> Event {
    match source.fetch(count, stopping).await {
        Some(messages) => Event::Fetched(source, messages),
        None => Event::Stopped,
    }
}
