//! A store that keeps rows in a map and remembers what was done to it. Work is handed to the engine by the tests themselves.

use super::clock::FakeClock;
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{
    Checkpoint, Envelope, Event, ExecutionId, Failure, InstanceId, InstanceRow, Json, NewInstance, Timestamp,
};
use ports::{
    ActivityWork, Clock, Created, InstanceKind, InstanceQuery, InstanceStore, InstanceView, Lease, Page, PageToken,
    Pending, Purge, Sent, StoreError, TurnWork, WorkStore,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was done to the store.
#[derive(Debug, PartialEq, Clone)]
pub(super) enum Done {
    Committed(Box<Checkpoint>),
    Released,
    Abandoned { not_before: Timestamp },
    Renewed { at: Timestamp },
    HandedIn(Result<Json, Failure>),
    Created(Box<NewInstance>),
    Sent(Box<Envelope>),
    Purged(InstanceId, Purge),
}

/// How long a lease is that was renewed.
pub(super) const LEASE: Duration = Duration::from_secs(60);
/// Instances on a page if nobody says how many: few, so that tests see several pages.
const PAGE: usize = 2;

pub(super) struct FakeStore {
    pub(super) clock: FakeClock,
    pub(super) rows: Mutex<BTreeMap<InstanceId, (InstanceRow, Json)>>,
    pub(super) history: Mutex<Result<Vec<Event>, StoreError>>,
    pub(super) pending: Mutex<Option<Pending>>,
    /// When the lease is taken away, if ever.
    pub(super) revoked_at: Mutex<Option<Timestamp>>,
    pub(super) renewal: Mutex<Result<(), StoreError>>,
    pub(super) done: Mutex<Vec<Done>>,
    /// What becomes of an instance as soon as somebody waits for it to change.
    pub(super) comes: Mutex<Option<InstanceRow>>,
}

impl FakeStore {
    pub(super) fn new(clock: FakeClock) -> Arc<FakeStore> {
        Arc::new(FakeStore {
            clock,
            rows: Mutex::default(),
            history: Mutex::new(Ok(Vec::new())),
            pending: Mutex::default(),
            revoked_at: Mutex::default(),
            renewal: Mutex::new(Ok(())),
            done: Mutex::default(),
            comes: Mutex::default(),
        })
    }

    pub(super) fn put(&self, row: InstanceRow) {
        self.rows.lock().unwrap().insert(row.id.clone(), (row, Json::from("\"input\"")));
    }

    /// What was done since the last time.
    pub(super) fn done(&self) -> Vec<Done> {
        std::mem::take(&mut *self.done.lock().unwrap())
    }

    fn note(&self, done: Done) {
        self.done.lock().unwrap().push(done);
    }
}

fn matches(query: &InstanceQuery, row: &InstanceRow) -> bool {
    let is_entity = row.entity.is_some();
    let kind = match query.kind {
        InstanceKind::Orchestrations => !is_entity,
        InstanceKind::Entities => is_entity,
        InstanceKind::Any => true,
    };
    kind && (query.statuses.is_empty() || query.statuses.contains(&row.status))
        && query.created_from.is_none_or(|from| row.created_at >= from)
        && query.created_to.is_none_or(|to| row.created_at <= to)
        && query.updated_from.is_none_or(|from| row.updated_at >= from)
        && query.completed_to.is_none_or(|to| row.completed_at.is_some_and(|at| at <= to))
        && query.id_prefix.as_ref().is_none_or(|prefix| row.id.as_str().starts_with(prefix))
        && query.after.as_ref().is_none_or(|after| row.id.as_str() > after.0.as_str())
}

#[async_trait]
impl InstanceStore for FakeStore {
    async fn create(&self, instance: NewInstance) -> Result<Created, StoreError> {
        let existing = self.rows.lock().unwrap().get(&instance.id).map(|(row, _)| row.clone());
        if let Some(row) = existing.filter(|row| !instance.reuse.allows(row.status)) {
            return Ok(Created::Exists { row: Box::new(row) });
        }
        let kept = (instance.row(), instance.started.input.clone());
        self.rows.lock().unwrap().insert(instance.id.clone(), kept);
        self.note(Done::Created(Box::new(instance)));
        Ok(Created::Yes)
    }

    async fn send(&self, envelope: Envelope) -> Result<Sent, StoreError> {
        let status = self.rows.lock().unwrap().get(&envelope.to).map(|(row, _)| row.status);
        let sent = match status {
            None if !envelope.to.is_entity() => return Ok(Sent::NoInstance),
            Some(status) if !envelope.is_for(status) => return Ok(Sent::Ended),
            Some(_) | None => Sent::Yes,
        };
        self.note(Done::Sent(Box::new(envelope)));
        Ok(sent)
    }

    async fn read(&self, id: &InstanceId, with_input: bool) -> Result<Option<InstanceView>, StoreError> {
        let kept = self.rows.lock().unwrap().get(id).cloned();
        Ok(kept.map(|(row, input)| InstanceView { row, input: with_input.then_some(input) }))
    }

    async fn history(&self, _: &InstanceId, _: ExecutionId) -> Result<Vec<Event>, StoreError> {
        self.history.lock().unwrap().clone()
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError> {
        let rows = self.rows.lock().unwrap();
        let size = if query.page_size == 0 { PAGE } else { query.page_size.min(PAGE) };
        let mut found = rows.values().map(|(row, _)| row).filter(|row| matches(query, row));
        let page: Vec<_> = found.by_ref().take(size).cloned().collect();
        let next = page.last().filter(|_| found.next().is_some()).map(|row| PageToken(row.id.to_string()));
        let instances = page.into_iter().map(|row| InstanceView { row, input: None }).collect();
        Ok(Page { instances, next })
    }

    async fn pending(&self, _: &InstanceId) -> Result<Option<Pending>, StoreError> {
        Ok(self.pending.lock().unwrap().clone())
    }

    async fn pinned_apps(&self) -> Result<Vec<String>, StoreError> {
        unreachable!("the engine drops no apps")
    }

    async fn pins(&self) -> Result<Vec<ports::AppPins>, StoreError> {
        unreachable!("the engine drops no apps")
    }

    async fn purge(&self, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        let nothing_waits = self.pending.lock().unwrap().clone().unwrap_or_default() == Pending::default();
        let mut rows = self.rows.lock().unwrap();
        let idle = |row: &InstanceRow| row.entity.as_ref().is_some_and(|record| record.lock.is_none()) && nothing_waits;
        let may_go = rows.get(id).is_some_and(|(row, _)| purge == Purge::Any || row.status.is_terminal() || idle(row));
        if may_go {
            rows.remove(id);
            drop(rows);
            self.note(Done::Purged(id.clone(), purge));
        }
        Ok(may_go)
    }

    fn changed(&self, _: &InstanceId) -> BoxFuture<'static, ()> {
        match self.comes.lock().unwrap().take() {
            Some(row) => {
                self.put(row);
                futures::future::ready(()).boxed()
            }
            None => futures::future::pending().boxed(),
        }
    }
}

#[async_trait]
impl WorkStore for FakeStore {
    async fn take_turn(&self) -> Result<TurnWork, StoreError> {
        unreachable!("turns are handed in")
    }

    async fn commit(&self, _: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.note(Done::Committed(Box::new(checkpoint)));
        Ok(())
    }

    async fn release(&self, _: &Lease) -> Result<(), StoreError> {
        self.note(Done::Released);
        Ok(())
    }

    async fn take_activity(&self) -> Result<ActivityWork, StoreError> {
        unreachable!("activities are handed in")
    }

    async fn complete_activity(&self, _: &Lease, result: Result<Json, Failure>) -> Result<(), StoreError> {
        self.note(Done::HandedIn(result));
        Ok(())
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, StoreError> {
        let at = self.clock.now();
        self.note(Done::Renewed { at });
        self.renewal.lock().unwrap().clone()?;
        Ok(Lease { expires_at: at.saturating_add(LEASE), ..lease.clone() })
    }

    fn revoked(&self, _: &Lease) -> BoxFuture<'static, ()> {
        let at = self.revoked_at.lock().unwrap().unwrap_or(Timestamp::MAX);
        self.clock.sleep_until(at)
    }

    async fn abandon(&self, _: &Lease, not_before: Timestamp) -> Result<(), StoreError> {
        self.note(Done::Abandoned { not_before });
        Ok(())
    }
}
