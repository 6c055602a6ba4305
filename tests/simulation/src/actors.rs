//! Clients: they live outside of the process, and see its death as a broken connection.

use crate::author::activities::OutsideSystems;
use crate::author::apps::Deployed;
use crate::clock::VirtualClock;
use crate::faults::{Faults, Swap};
use crate::oracles::{Oracle, Watch};
use crate::users::UserStores;
use crate::workload::{Act, Put, With};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, Shared, select};
use orchestration::{InstanceId, Json, RaisedEvent, Reuse, RuntimeStatus, StartOptions};
use ports::{
    ClientError, Clock, InstanceQuery, Metadata, NewMessage, Purge, QueueError, Receipt, Receiver, StartRequest,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage_model::QueueName;
use task_hub::Client;

/// The pause before a client tries again; it grows with the time that the client has waited.
const RETRY_PAUSE: Duration = Duration::from_millis(700);
/// How long a client waits for anything before it says that it will never come.
const PATIENCE: Duration = Duration::from_secs(400 * 86_400);
/// How long a client hides the messages that it receives.
const TAKEN_FOR: Duration = Duration::from_secs(30);
/// How long it waits for an instance that somebody else is to start.
const PATIENCE_FOR_A_START: Duration = Duration::from_secs(86_400);

/// Completes when the process is dead.
pub(crate) type Gone = Shared<BoxFuture<'static, ()>>;

/// The address of the host: whichever process answers there now.
#[derive(Clone, Default)]
pub(crate) struct Gateway {
    current: Arc<Mutex<Option<Answering>>>,
}

/// A process as clients reach it.
#[derive(Clone)]
pub(crate) struct Answering {
    pub(crate) client: Client,
    pub(crate) users: UserStores,
    pub(crate) gone: Gone,
}

impl Gateway {
    /// From now on this process answers.
    pub(crate) fn serve(&self, answering: Answering) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(answering);
    }

    fn connect(&self) -> Option<Answering> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What came of one attempt.
enum Attempt {
    Done,
    /// It may have happened or not.
    Unknown,
    /// It is to be done later.
    NotYet,
}

/// One client.
pub(crate) struct Actor {
    pub(crate) gateway: Gateway,
    pub(crate) clock: VirtualClock,
    pub(crate) watch: Watch,
    pub(crate) systems: Arc<Mutex<OutsideSystems>>,
    pub(crate) deployed: Deployed,
    pub(crate) faults: Arc<Faults>,
}

impl Actor {
    /// Does everything, one after the other.
    pub(crate) async fn run(self, acts: Vec<Act>) {
        for act in acts {
            self.act(&act).await;
        }
    }

    async fn act(&self, act: &Act) {
        let begun = self.clock.now();
        match act {
            Act::Pause(duration) => return self.clock.sleep_until(begun.saturating_add(*duration)).await,
            Act::Repair { key } => {
                return self.systems.lock().unwrap_or_else(PoisonError::into_inner).repair(key);
            }
            Act::Deploy { app } => return self.deploy(*app).await,
            Act::Swap { app } => return self.swap(*app).await,
            Act::Outage(duration) => {
                self.faults.shut_down();
                self.clock.sleep_until(begun.saturating_add(*duration)).await;
                return self.faults.power_up();
            }
            Act::Start { .. }
            | Act::Put(_)
            | Act::Take { .. }
            | Act::Clear { .. }
            | Act::DeleteQueue { .. }
            | Act::StartByKey { .. }
            | Act::Raise { .. }
            | Act::Signal { .. }
            | Act::Terminate { .. }
            | Act::Suspend { .. }
            | Act::Resume { .. }
            | Act::Rewind { .. }
            | Act::Restart { .. }
            | Act::AwaitEnd { .. }
            | Act::AwaitStatus { .. }
            | Act::AwaitRunning { .. }
            | Act::AwaitRevival { .. }
            | Act::Purge { .. }
            | Act::PurgeAny { .. }
            | Act::List => {}
        }
        let mut attempts = 0;
        loop {
            let attempt = match self.gateway.connect() {
                Some(host) => match select(host.gone.clone(), self.attempt(&host, act, attempts).boxed()).await {
                    // What the dead process still had under way goes before anything else happens.
                    Either::Left(((), call)) => {
                        drop(call);
                        Attempt::Unknown
                    }
                    Either::Right((attempt, _)) => attempt,
                },
                None => Attempt::Unknown,
            };
            attempts += u32::from(matches!(attempt, Attempt::Unknown));
            let waited = self.clock.now().saturating_since(begun);
            match attempt {
                Attempt::Done => return,
                Attempt::NotYet if waited > patience(act) => return,
                Attempt::NotYet | Attempt::Unknown if waited > PATIENCE => {
                    return self.watch.report(Oracle::Liveness, format!("a client waited {waited:?} for {act:?}"));
                }
                Attempt::NotYet | Attempt::Unknown => {
                    self.clock.sleep_until(self.clock.now().saturating_add(RETRY_PAUSE.max(waited / 8))).await;
                }
            }
        }
    }

    async fn deploy(&self, app: usize) {
        let gone = self.gateway.connect().map(|answering| answering.gone);
        if let (true, Some(gone)) = (self.deployed.deploy(app), gone) {
            self.faults.restart();
            gone.await;
        }
    }

    async fn swap(&self, app: Option<usize>) {
        match app {
            Some(app) if !self.deployed.deploy(app) => {}
            Some(_) => self.faults.swap(Swap::Deployed).await,
            None => self.faults.swap(Swap::Rebuilt).await,
        }
    }

    async fn attempt(&self, host: &Answering, act: &Act, attempts: u32) -> Attempt {
        let client = &host.client;
        let result = match act {
            Act::Start { id, name, input, with } => {
                let request = self.start_request(id, name, input, with);
                // Whoever does not know whether it was started means the one that was.
                let reuse = if attempts > 0 { request.reuse.or(Some(Reuse::NEVER)) } else { request.reuse };
                client.start(StartRequest { reuse, ..request }).await.map(drop)
            }
            Act::StartByKey { key, name, input } => self.start_by_key(client, key, name, input).await,
            Act::Raise { id, event, payload, event_id } => {
                let (name, input, event_id) = ((*event).to_owned(), payload.clone(), event_id.clone());
                client.raise_event(id, RaisedEvent { name, input, id: event_id }).await
            }
            Act::Signal { entity, operation, input, after } => {
                let deliver_at = after.map(|after| self.clock.now().saturating_add(after));
                client.signal_entity(entity.clone(), (*operation).to_owned(), input.clone(), deliver_at).await
            }
            Act::Terminate { id, recursive } => client.terminate(id, crate::author::text("enough"), *recursive).await,
            Act::Suspend { id } => client.suspend(id, "to think about it".to_owned()).await,
            Act::Resume { id } => client.resume(id, "thought about it".to_owned()).await,
            Act::Rewind { id, to } => client.rewind(id, "it is repaired".to_owned(), *to).await,
            Act::Restart { id, with_new_id } => client.restart(id, *with_new_id).await.map(drop),
            Act::AwaitEnd { id } => {
                return match client.wait(id, Duration::from_secs(30 * 86_400)).await {
                    Ok(view) if view.row.status.is_terminal() => Attempt::Done,
                    Err(ClientError::NotFound(_)) => Attempt::Done,
                    Ok(_) | Err(_) => Attempt::NotYet,
                };
            }
            Act::AwaitRunning { id } => {
                return self.await_status(client, id, |status| status != RuntimeStatus::Pending).await;
            }
            Act::AwaitStatus { id, status: wanted } => {
                return self.await_status(client, id, |status| status == *wanted || status.is_terminal()).await;
            }
            Act::AwaitRevival { id } => {
                return self.await_status(client, id, |status| status != RuntimeStatus::Failed).await;
            }
            Act::Purge { id } => purge(client, id, Purge::Ended).await,
            Act::PurgeAny { id } => purge(client, id, Purge::Any).await,
            Act::List => self.list(client).await,
            Act::Put(put) => return changed(&put_message(&host.users, put, attempts).await),
            Act::Take { queue } => return changed(&take_message(&host.users, queue).await),
            Act::Clear { queue } => return changed(&host.users.queues.clear(&queue_name(queue)).await),
            Act::DeleteQueue { queue } => return changed(&host.users.queues.delete_queue(&queue_name(queue)).await),
            Act::Outage(_) | Act::Pause(_) | Act::Repair { .. } | Act::Deploy { .. } | Act::Swap { .. } => Ok(()),
        };
        match result {
            Ok(())
            | Err(
                ClientError::AlreadyExists { .. }
                | ClientError::Gone { .. }
                | ClientError::Conflict { .. }
                | ClientError::Invalid(_),
            ) => Attempt::Done,
            Err(ClientError::NotFound(_)) => Attempt::NotYet,
            Err(ClientError::Store(_)) => Attempt::Unknown,
        }
    }

    fn start_request(&self, id: &str, name: &str, input: &Json, with: &With) -> StartRequest {
        let options = StartOptions {
            version: with.version.map(str::to_owned),
            start_at: with.after.map(|after| self.clock.now().saturating_add(after)),
            ..StartOptions::default()
        };
        let request = StartRequest::new(name, input.clone());
        StartRequest { instance_id: Some(id.to_owned()), options, reuse: with.reuse, ..request }
    }

    /// Whoever starts under a key gets the same id.
    async fn start_by_key(&self, client: &Client, key: &str, name: &str, input: &Json) -> Result<(), ClientError> {
        let request = StartRequest { idempotency_key: Some(key.to_owned()), ..StartRequest::new(name, input.clone()) };
        let id = client.start(request).await?;
        self.watch.started_by_key(key, &id);
        Ok(())
    }

    /// Waits for a status.
    async fn await_status(&self, client: &Client, id: &str, is_it: impl Fn(RuntimeStatus) -> bool) -> Attempt {
        let deadline = self.clock.now().saturating_add(PATIENCE_FOR_A_START);
        loop {
            let changed = client.store().changed(&InstanceId::from_stored(id));
            match client.status(id, false).await {
                Ok(view) if is_it(view.row.status) => return Attempt::Done,
                Ok(_) | Err(ClientError::NotFound(_)) if self.clock.now() < deadline => {
                    select(changed, self.clock.sleep_until(deadline)).await;
                }
                Ok(_) | Err(_) => return Attempt::NotYet,
            }
        }
    }

    /// No instance is listed twice, and pages are in order.
    async fn list(&self, client: &Client) -> Result<(), ClientError> {
        let mut query = InstanceQuery { page_size: 2, ..InstanceQuery::default() };
        let mut listed = BTreeSet::new();
        loop {
            let page = client.store().query(&query).await?;
            for view in page.instances {
                if listed.last().is_some_and(|last| *last >= view.row.id) {
                    self.watch.report(Oracle::Listing, format!("{} is listed twice or out of order", view.row.id));
                }
                listed.insert(view.row.id);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

/// What nobody starts in time is not waited for.
fn patience(act: &Act) -> Duration {
    match act {
        Act::AwaitEnd { .. } => PATIENCE * 2,
        Act::Raise { .. }
        | Act::Terminate { .. }
        | Act::Suspend { .. }
        | Act::Resume { .. }
        | Act::Rewind { .. }
        | Act::Restart { .. }
        | Act::AwaitRunning { .. }
        | Act::AwaitRevival { .. }
        | Act::AwaitStatus { .. } => PATIENCE_FOR_A_START,
        Act::Start { .. }
        | Act::Put(_)
        | Act::Take { .. }
        | Act::Clear { .. }
        | Act::DeleteQueue { .. }
        | Act::Outage(_)
        | Act::StartByKey { .. }
        | Act::Signal { .. }
        | Act::Repair { .. }
        | Act::Deploy { .. }
        | Act::Swap { .. }
        | Act::Purge { .. }
        | Act::PurgeAny { .. }
        | Act::List
        | Act::Pause(_) => PATIENCE,
    }
}

async fn purge(client: &Client, id: &str, purge: Purge) -> Result<(), ClientError> {
    client.store().purge(&InstanceId::from_stored(id), purge).await?;
    Ok(())
}

fn queue_name(queue: &str) -> QueueName {
    queue.parse().expect("scenarios name their queues well")
}

fn changed(answer: &Result<(), QueueError>) -> Attempt {
    match answer {
        Ok(())
        | Err(
            QueueError::QueueNotFound(_)
            | QueueError::QueueExists(_)
            | QueueError::MessageNotFound
            | QueueError::PopReceiptMismatch,
        ) => Attempt::Done,
        Err(QueueError::Store(_)) => Attempt::Unknown,
    }
}

/// A message whose answer was lost may be there; the next attempt's is another one.
async fn put_message(users: &UserStores, put: &Put, attempts: u32) -> Result<(), QueueError> {
    let mut errand = put.errand.clone();
    if attempts > 0 {
        errand.tag = format!("{}~{attempts}", errand.tag);
    }
    let message = NewMessage::new(errand.text());
    let time_to_live = put.time_to_live.or(message.time_to_live);
    let message = NewMessage { delay: put.delay, time_to_live, ..message };
    let queue = queue_name(put.queue);
    match users.queues.put_message(&queue, message.clone()).await {
        Err(QueueError::QueueNotFound(_)) => {
            users.queues.create_queue(&queue, Metadata::new()).await?;
            users.queues.put_message(&queue, message).await.map(drop)
        }
        answer => answer.map(drop),
    }
}

/// A message whose deletion is not answered may be gone or come back.
async fn take_message(users: &UserStores, queue: &str) -> Result<(), QueueError> {
    let queue = queue_name(queue);
    for message in users.queues.receive(&queue, 1, TAKEN_FOR, Receiver::Client).await? {
        let receipt = Receipt { queue: queue.clone(), id: message.id, pop_receipt: message.pop_receipt };
        users.queues.delete_message(&receipt).await?;
    }
    Ok(())
}
