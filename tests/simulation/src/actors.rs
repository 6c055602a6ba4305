//! Clients: they live outside of the process, and see its death as a broken connection.

use crate::clock::VirtualClock;
use crate::oracles::{Oracle, Watch};
use crate::workload::Act;
use futures::FutureExt;
use futures::future::{BoxFuture, Either, Shared, select};
use orchestration::{InstanceId, RuntimeStatus};
use ports::{ClientError, Clock, InstanceQuery, Purge, StartRequest};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use task_hub::Client;

/// The pause before a client tries again.
const RETRY_PAUSE: Duration = Duration::from_millis(700);
/// How long a client waits for anything before it says that it will never come.
const PATIENCE: Duration = Duration::from_secs(400 * 86_400);
/// How long it waits for an instance that somebody else is to start.
const PATIENCE_FOR_A_START: Duration = Duration::from_secs(86_400);

/// Completes when the process is dead.
pub(crate) type Gone = Shared<BoxFuture<'static, ()>>;

/// The address of the host: whichever process answers there now.
#[derive(Clone, Default)]
pub(crate) struct Gateway {
    current: Arc<Mutex<Option<(Client, Gone)>>>,
}

impl Gateway {
    /// From now on this process answers.
    pub(crate) fn serve(&self, client: Client, gone: Gone) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((client, gone));
    }

    fn connect(&self) -> Option<(Client, Gone)> {
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
        if let Act::Pause(duration) = act {
            return self.clock.sleep_until(begun.saturating_add(*duration)).await;
        }
        loop {
            let attempt = match self.gateway.connect() {
                Some((client, gone)) => match select(gone, self.attempt(&client, act).boxed()).await {
                    // What the dead process still had under way goes before anything else happens.
                    Either::Left(((), call)) => {
                        drop(call);
                        Attempt::Unknown
                    }
                    Either::Right((attempt, _)) => attempt,
                },
                None => Attempt::Unknown,
            };
            let waited = self.clock.now().saturating_since(begun);
            match attempt {
                Attempt::Done => return,
                Attempt::NotYet if waited > patience(act) => return,
                Attempt::NotYet | Attempt::Unknown if waited > PATIENCE => {
                    return self.watch.report(Oracle::Liveness, format!("a client waited {waited:?} for {act:?}"));
                }
                Attempt::NotYet | Attempt::Unknown => {
                    self.clock.sleep_until(self.clock.now().saturating_add(RETRY_PAUSE)).await;
                }
            }
        }
    }

    async fn attempt(&self, client: &Client, act: &Act) -> Attempt {
        let result = match act {
            Act::Start { id, name, input } => {
                let request =
                    StartRequest { name: (*name).to_owned(), input: input.clone(), instance_id: Some(id.clone()) };
                client.start(request).await.map(drop)
            }
            Act::Raise { id, event, payload } => client.raise_event(id, event, payload.clone()).await,
            Act::Terminate { id } => client.terminate(id, crate::author::text("enough")).await,
            Act::AwaitEnd { id } => {
                return match client.wait(id, Duration::from_secs(30 * 86_400)).await {
                    Ok(view) if view.row.status.is_terminal() => Attempt::Done,
                    Err(ClientError::NotFound(_)) => Attempt::Done,
                    Ok(_) | Err(_) => Attempt::NotYet,
                };
            }
            Act::AwaitRunning { id } => {
                return match client.status(id, true).await {
                    Ok(view) if view.row.status != RuntimeStatus::Pending => Attempt::Done,
                    Ok(_) | Err(_) => Attempt::NotYet,
                };
            }
            Act::Purge { id } => purge(client, id, Purge::Ended).await,
            Act::PurgeAny { id } => purge(client, id, Purge::Any).await,
            Act::List => self.list(client).await,
            Act::Pause(_) => Ok(()),
        };
        match result {
            Ok(()) | Err(ClientError::AlreadyExists { .. } | ClientError::Gone { .. } | ClientError::Invalid(_)) => {
                Attempt::Done
            }
            Err(ClientError::NotFound(_)) => Attempt::NotYet,
            Err(ClientError::Store(_)) => Attempt::Unknown,
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
        Act::Raise { .. } | Act::Terminate { .. } | Act::AwaitRunning { .. } => PATIENCE_FOR_A_START,
        Act::Start { .. } | Act::Purge { .. } | Act::PurgeAny { .. } | Act::List | Act::Pause(_) => PATIENCE,
    }
}

async fn purge(client: &Client, id: &str, purge: Purge) -> Result<(), ClientError> {
    client.store().purge(&InstanceId::from_stored(id), purge).await?;
    Ok(())
}
