//! The life of one message: received, decoded, worked on, and then gone with its effects, back in its queue, or in the poison
//! queue.

use super::hold::hold;
use super::source::{Source, Stopping};
use super::{ManualRun, QueueDefaults, QueueParts};
use crate::accounts::AccountId;
use crate::bindings::{BindingData, BindingSetupError, FunctionBindings, Produced, text_encoding};
use crate::concurrency::Gate;
use crate::invocation::{Invocation, new_invocation_id};
use crate::retry::{backoff, delay_after};
use futures::future::{Either, select};
use manifest::settings::MessageEncoding;
use manifest::{Function, QueueTrigger, RetryPolicy};
use orchestration::Timestamp;
use ports::{
    EffectError, Effects, GuestFault, NewMessage, QueueError, QueueInvocation, QueueMessage, Ran, Receipt,
    RetryContext, StoreError,
};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::Instrument;

/// How long until something that the host had no room for, or that the store could not do, is tried again.
const MIN_WAIT: Duration = Duration::from_millis(100);
const MAX_WAIT: Duration = Duration::from_secs(5);

/// One function with a queue trigger.
pub(super) struct QueueFunction {
    name: String,
    is_disabled: bool,
    trigger: QueueTrigger,
    retry: Option<RetryPolicy>,
    /// How many messages a look fetches at most.
    batch: usize,
    /// Looks happen while no more than this many messages are at work.
    threshold: usize,
    /// How many messages may be at work.
    most: usize,
    max_polling_interval: Duration,
    gate: Gate,
    account: AccountId,
    bindings: FunctionBindings,
    parts: QueueParts,
    /// Whether it was said how `auto` reads this queue.
    encoding_told: AtomicBool,
}

/// Why a run came to nothing.
enum Unsuccessful {
    /// It failed.
    Failed { why: String, may_help_to_retry: bool },
    /// The host had no room, or could not store what came of it: that is no fault of the message.
    HostCannot(String),
    /// Somebody else has the message, or it is gone.
    Lost(String),
}

/// A run, and the invocation in the log that it belongs to, which lasts until its effects are settled.
struct Attempt {
    invocation: Invocation,
    result: Result<(Ran, Produced), Unsuccessful>,
}

impl QueueFunction {
    pub(super) fn new(
        function: &Function,
        trigger: &QueueTrigger,
        parts: QueueParts,
        defaults: QueueDefaults,
    ) -> Result<QueueFunction, BindingSetupError> {
        let settings = &trigger.settings;
        let account = parts.bindings.accounts.find(&trigger.connection).map_err(|why| BindingSetupError {
            function: function.name.clone(),
            binding: "trigger".to_owned(),
            why,
        })?;
        let threshold =
            settings.new_batch_threshold.unwrap_or((settings.batch_size / 2).saturating_mul(defaults.cores));
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(QueueFunction {
            name: function.name.clone(),
            is_disabled: function.disabled,
            trigger: trigger.clone(),
            retry: function.retry.clone(),
            batch: size(settings.batch_size),
            threshold: size(threshold),
            most: function.max_concurrency.map_or(usize::MAX, size),
            max_polling_interval: settings.max_polling_interval.unwrap_or(defaults.max_polling_interval),
            gate: Gate::of_function(function),
            account,
            bindings: FunctionBindings::new(function, parts.bindings.clone())?,
            parts,
            encoding_told: AtomicBool::new(false),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.is_disabled
    }

    pub(super) fn source(&self) -> Source {
        Source::new(self.trigger.queue_name.clone(), self.account, self.max_polling_interval, self.parts.clone())
    }

    /// How many messages may be fetched while so many are at work.
    pub(super) fn room(&self, at_work: usize) -> usize {
        if at_work > self.threshold { 0 } else { self.batch.min(self.most.saturating_sub(at_work)) }
    }

    /// Brings a message that was received to its end.
    pub(super) async fn work_on(&self, mut message: QueueMessage, stopping: Stopping) {
        let mut receipt = Receipt {
            queue: self.trigger.queue_name.clone(),
            id: message.id.clone(),
            pop_receipt: message.pop_receipt.clone(),
        };
        if self.is_overdue(message.dequeue_count) {
            let why = format!("it was received {} times and never came to an end", message.dequeue_count);
            return self.poison(receipt, message.text, &why).await;
        }
        let raw = match self.decode(&message.text) {
            Ok(content) => std::mem::replace(&mut message.text, content),
            Err(why) => return self.poison(receipt, message.text, &why).await,
        };
        let queues = &*self.parts.bindings.accounts.account(self.account).queues;
        let run = self.run_when_there_is_room(&message, stopping.clone());
        let Some(Attempt { mut invocation, result }) = hold(queues, &*self.parts.clock, &mut receipt, run).await else {
            return self.show(&receipt, Duration::ZERO).await;
        };
        let span = invocation.span().clone();
        let settled = match result {
            Ok((_, produced)) => self.commit(produced, &receipt, stopping).instrument(span.clone()).await,
            Err(unsuccessful) => Err(unsuccessful),
        };
        match settled {
            Ok(()) => invocation.succeed(),
            Err(Unsuccessful::Failed { why, may_help_to_retry }) => {
                invocation.fail(why.clone());
                let delay = may_help_to_retry.then(|| self.delay_after(message.dequeue_count)).flatten();
                match delay {
                    Some(delay) => self.show(&receipt, delay).instrument(span).await,
                    None => self.poison(receipt, raw, &why).instrument(span).await,
                }
            }
            Err(Unsuccessful::HostCannot(why)) => {
                invocation.fail(why);
                self.show(&receipt, Duration::ZERO).instrument(span).await;
            }
            Err(Unsuccessful::Lost(why)) => invocation.fail(why),
        }
    }

    /// Whether a message has been received more often than it may be tried, which is found on arrival when a process has died
    /// over it again and again.
    fn is_overdue(&self, dequeue_count: u32) -> bool {
        let most = match &self.retry {
            None => Some(self.trigger.settings.max_dequeue_count),
            Some(policy) => policy.max_retry_count.map(|retries| retries.saturating_add(1)),
        };
        most.is_some_and(|most| dequeue_count > most)
    }

    /// How long until the next try; none: there is none. The dequeue count is durable, and so is the count of retries.
    fn delay_after(&self, dequeue_count: u32) -> Option<Duration> {
        let settings = &self.trigger.settings;
        match &self.retry {
            Some(policy) => delay_after(policy, dequeue_count, &*self.parts.randomness),
            None => (dequeue_count < settings.max_dequeue_count).then_some(settings.visibility_timeout),
        }
    }

    fn decode(&self, text: &str) -> Result<String, String> {
        let encoding = self.trigger.settings.message_encoding;
        let decoded = text_encoding(encoding).decode(text).map_err(|why| why.to_string())?;
        if encoding == MessageEncoding::Auto && !self.encoding_told.swap(true, Ordering::Relaxed) {
            let found = if decoded.was_base64 { "base64, which is decoded" } else { "text, which is taken as it is" };
            let queue = &self.trigger.queue_name;
            tracing::info!(function = self.name, %queue, "the first message is {found}; messageEncoding = \"auto\" looks at each");
        }
        Ok(decoded.text)
    }

    /// Runs the function, again and again as long as the host has no room. The message is kept meanwhile, for every receipt
    /// counts as a try of it. None: listening ends before there was room.
    async fn run_when_there_is_room(&self, message: &QueueMessage, stopping: Stopping) -> Option<Attempt> {
        let reason = format!("New queue message detected on '{}'.", self.trigger.queue_name);
        let mut waits = 0;
        loop {
            let mut attempt = self.attempt(&reason, message).await;
            let Err(Unsuccessful::HostCannot(why)) = &attempt.result else { return Some(attempt) };
            attempt.invocation.fail(why.clone());
            drop(attempt);
            if !self.wait(waits, &stopping).await {
                return None;
            }
            waits += 1;
        }
    }

    /// Waits longer each time. False: listening ends.
    async fn wait(&self, waits: u32, stopping: &Stopping) -> bool {
        let clock = &self.parts.clock;
        let delay = backoff(MIN_WAIT, MAX_WAIT, waits, &*self.parts.randomness);
        let due = clock.sleep_until(clock.now().saturating_add(delay));
        matches!(select(stopping.clone(), due).await, Either::Right(_))
    }

    async fn attempt(&self, reason: &str, message: &QueueMessage) -> Attempt {
        let place = self.gate.enter().await;
        let id = new_invocation_id(&*self.parts.randomness);
        let places = place.into_iter().collect();
        let invocation = Invocation::begin(&self.name, &id, reason, Arc::clone(&self.parts.clock), places);
        let called = self.call(id, invocation.started(), message);
        let result = called.instrument(invocation.span().clone()).await;
        Attempt { invocation, result }
    }

    async fn call(
        &self,
        invocation_id: String,
        started: Timestamp,
        message: &QueueMessage,
    ) -> Result<(Ran, Produced), Unsuccessful> {
        let failed = |why: String| Unsuccessful::Failed { why, may_help_to_retry: true };
        let data = self.data(started, message);
        let inputs = self.bindings.read_inputs(&data).await.map_err(|why| failed(why.to_string()))?;
        let retry = self.retry.as_ref().map(|policy| RetryContext {
            retry_count: message.dequeue_count.saturating_sub(1),
            max_retry_count: policy.max_retry_count,
        });
        let invocation = QueueInvocation {
            invocation_id,
            function: self.name.clone(),
            queue: self.trigger.queue_name.clone(),
            message: message.clone(),
            retry: retry.unwrap_or_default(),
            inputs,
        };
        let ran = match self.parts.functions.run_queue(invocation).await {
            Ok(Ok(ran)) => ran,
            Ok(Err(failure)) => {
                let why = format!("{}: {}", failure.error_type, failure.message);
                return Err(Unsuccessful::Failed { why, may_help_to_retry: !failure.non_retriable });
            }
            Err(fault @ GuestFault::Unavailable { .. }) => return Err(Unsuccessful::HostCannot(fault.to_string())),
            Err(fault) => {
                let may_help_to_retry = !fault.failure().non_retriable;
                return Err(Unsuccessful::Failed { why: fault.to_string(), may_help_to_retry });
            }
        };
        let produced = self.bindings.effects(&data, &ran).map_err(|why| failed(why.to_string()))?;
        Ok((ran, produced))
    }

    /// What expressions can name; gathered only if there are some.
    fn data(&self, started: Timestamp, message: &QueueMessage) -> BindingData {
        let data = BindingData::new(&self.name, started, Arc::clone(&self.parts.randomness));
        if self.bindings.names_asked().next().is_none() {
            return data;
        }
        data.with_metadata("queueTrigger", message.text.as_str())
            .with_metadata("id", message.id.as_str())
            .with_metadata("dequeueCount", message.dequeue_count)
            .with_metadata("insertionTime", Value::from(message.inserted.to_string()))
            .with_metadata("expirationTime", Value::from(storage_model::date_text(message.expires.ticks())))
            .with_metadata("nextVisibleTime", Value::from(message.visible.to_string()))
            .with_metadata("popReceipt", message.pop_receipt.as_str())
            .with_payload(message.text.as_str())
    }

    /// Makes the effects durable, together with the end of the message.
    async fn commit(&self, produced: Produced, receipt: &Receipt, stopping: Stopping) -> Result<(), Unsuccessful> {
        let failed = |why: EffectError| Unsuccessful::Failed { why: why.to_string(), may_help_to_retry: true };
        let accounts = &self.parts.bindings.accounts;
        let mut produced = produced.effects;
        produced.push((self.account, Effects { consumed: vec![receipt.clone()], ..Effects::default() }));
        accounts.commit_outside(self.account, &produced).await.map_err(failed)?;
        let is_one_commit = accounts.account(self.account).pushes;
        let mut waits = 0;
        loop {
            match accounts.commit_home(self.account, &produced).await {
                Ok(()) => return Ok(()),
                // Committing again is safe, as the message can go only once; running again is not needed. A service outside
                // of this host makes no single commit of it: parts may be there already, and each try would add to them.
                Err(EffectError::Store(why @ StoreError::Unavailable { .. })) if is_one_commit => {
                    tracing::warn!(%why, "the effects of an invocation could not be committed; trying again");
                    if !self.wait(waits, &stopping).await {
                        return Err(Unsuccessful::HostCannot(why.to_string()));
                    }
                    waits += 1;
                }
                Err(why @ EffectError::MessageLost { .. }) => return Err(Unsuccessful::Lost(why.to_string())),
                Err(why) => return Err(failed(why)),
            }
        }
    }

    async fn show(&self, receipt: &Receipt, delay: Duration) {
        let queues = &self.parts.bindings.accounts.account(self.account).queues;
        match queues.give_back(receipt, delay).await {
            Ok(_) => {}
            Err(why @ QueueError::Store(_)) => {
                tracing::warn!(queue = %receipt.queue, message_id = receipt.id, %why, "a message comes back only when its visibility lapses");
            }
            Err(
                why @ (QueueError::QueueNotFound(_)
                | QueueError::QueueExists(_)
                | QueueError::MessageNotFound
                | QueueError::PopReceiptMismatch),
            ) => {
                tracing::info!(queue = %receipt.queue, message_id = receipt.id, %why, "a message was not given back");
            }
        }
    }

    /// Gives a message up: into the poison queue as it was, and out of its own, in one commit.
    async fn poison(&self, receipt: Receipt, text: String, why: &str) {
        let (queue, message_id) = (receipt.queue.clone(), receipt.id.clone());
        let Some(poison) = queue.poison() else {
            tracing::warn!(%queue, message_id, why, "a message was given up; its queue has no poison queue, so it stays until it expires");
            return;
        };
        let effects = Effects {
            consumed: vec![receipt],
            messages: vec![(poison.clone(), NewMessage::new(text))],
            ..Effects::default()
        };
        match self.parts.bindings.accounts.commit(self.account, vec![(self.account, effects)]).await {
            Ok(()) => tracing::warn!(%queue, message_id, why, "a message was moved to the queue '{poison}'"),
            Err(error) => {
                tracing::warn!(%queue, message_id, why, %error, "a message was given up and could not be moved to the queue '{poison}'");
            }
        }
    }

    /// Runs by hand: the text is the content of a message that is in no queue.
    pub(super) async fn run_once(&self, text: String) -> ManualRun {
        let now = self.parts.clock.now();
        let message = QueueMessage {
            id: new_invocation_id(&*self.parts.randomness),
            text,
            inserted: now,
            expires: now.saturating_add(NewMessage::DEFAULT_TIME_TO_LIVE),
            visible: now,
            dequeue_count: 1,
            pop_receipt: String::new(),
        };
        let reason = "This function was programmatically called via the host APIs.";
        let Attempt { mut invocation, result } = self.attempt(reason, &message).await;
        let outcome = match result {
            Ok((ran, produced)) => {
                let committed = self.parts.bindings.accounts.commit(self.account, produced.effects).await;
                committed.map(|()| ran).map_err(|why| why.to_string())
            }
            Err(Unsuccessful::Failed { why, .. } | Unsuccessful::HostCannot(why) | Unsuccessful::Lost(why)) => Err(why),
        };
        match &outcome {
            Ok(_) => invocation.succeed(),
            Err(why) => invocation.fail(why.clone()),
        }
        ManualRun { invocation_id: invocation.id().to_owned(), outcome }
    }
}
