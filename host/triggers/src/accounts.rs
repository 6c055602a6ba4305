//! The storage accounts that an app's bindings lead to, and how the effects of a function become durable in them.
//!
//! Which setting leads to which account is decided by whoever builds the map. Queues of accounts that do not push are looked
//! into from time to time; what this process itself puts into them is told to their listeners at once.

use manifest::Connection;
use ports::{EffectError, EffectStore, Effects, QueueStore, TableStore};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use storage_model::QueueName;
use tokio::sync::watch;

/// One account: queues, tables, and commits into both.
#[derive(Clone)]
pub struct StorageAccount {
    /// Its queues.
    pub queues: Arc<dyn QueueStore>,
    /// Its tables.
    pub tables: Arc<dyn TableStore>,
    /// Where effects become durable. Only the embedded account starts orchestrations and keeps documents.
    pub effects: Arc<dyn EffectStore>,
    /// Whether `QueueStore::arrival` tells of every message, so that queues need not be polled; true for the embedded account.
    pub pushes: bool,
}

/// One account among those of an app.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AccountId(usize);

impl AccountId {
    /// The account that this host keeps itself.
    pub const EMBEDDED: AccountId = AccountId(0);
}

/// The accounts of an app, by connection.
pub struct Accounts {
    /// The embedded one first.
    accounts: Vec<StorageAccount>,
    by_connection: BTreeMap<Connection, AccountId>,
    /// For listeners of queues that are polled.
    wakers: Mutex<BTreeMap<(AccountId, QueueName), watch::Sender<()>>>,
}

impl Accounts {
    /// The embedded account alone. No connection leads to it yet.
    pub fn new(embedded: StorageAccount) -> Accounts {
        Accounts { accounts: vec![embedded], by_connection: BTreeMap::new(), wakers: Mutex::default() }
    }

    /// Adds an account outside of this host.
    pub fn add(&mut self, account: StorageAccount) -> AccountId {
        self.accounts.push(account);
        AccountId(self.accounts.len() - 1)
    }

    /// Makes a connection lead to an account. Several may lead to the same one.
    pub fn connect(&mut self, connection: Connection, account: AccountId) {
        self.by_connection.insert(connection, account);
    }

    /// The account that a connection leads to.
    ///
    /// # Errors
    /// When it leads nowhere: whoever built the map left it out.
    pub fn find(&self, connection: &Connection) -> Result<AccountId, UnknownConnection> {
        self.by_connection.get(connection).copied().ok_or_else(|| UnknownConnection(connection.clone()))
    }

    /// An account.
    ///
    /// # Panics
    /// On an id of another map.
    pub fn account(&self, id: AccountId) -> &StorageAccount {
        &self.accounts[id.0]
    }

    /// Commits what a function brought about. Other accounts than `home` come first, one after the other; then `home`, where
    /// the message or the schedule's state is, as one atomic commit. So a failure leaves the message where it was, and effects
    /// in other accounts may happen again: only those in `home` happen exactly once.
    ///
    /// # Errors
    /// Of the first account that refuses. Later ones are not tried.
    pub async fn commit(&self, home: AccountId, produced: Vec<(AccountId, Effects)>) -> Result<(), EffectError> {
        self.commit_outside(home, &produced).await?;
        self.commit_home(home, &produced).await
    }

    /// The first half of [`commit`](Accounts::commit): all but `home`.
    pub(crate) async fn commit_outside(
        &self,
        home: AccountId,
        produced: &[(AccountId, Effects)],
    ) -> Result<(), EffectError> {
        for (account, effects) in produced.iter().filter(|(account, effects)| *account != home && !effects.is_empty()) {
            self.commit_one(*account, effects.clone()).await?;
        }
        Ok(())
    }

    /// The second half of [`commit`](Accounts::commit): `home`, atomically.
    pub(crate) async fn commit_home(
        &self,
        home: AccountId,
        produced: &[(AccountId, Effects)],
    ) -> Result<(), EffectError> {
        let mut all = Effects::default();
        for (_, effects) in produced.iter().filter(|(account, _)| *account == home) {
            merge(&mut all, effects.clone());
        }
        if all.is_empty() { Ok(()) } else { self.commit_one(home, all).await }
    }

    async fn commit_one(&self, id: AccountId, effects: Effects) -> Result<(), EffectError> {
        let account = self.account(id);
        let queues: Vec<QueueName> =
            if account.pushes { Vec::new() } else { effects.messages.iter().map(|(queue, _)| queue.clone()).collect() };
        account.effects.commit_effects(effects).await?;
        let wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        for waker in queues.into_iter().filter_map(|queue| wakers.get(&(id, queue))) {
            waker.send_replace(());
        }
        Ok(())
    }

    /// Sees a change whenever this process has put a message into that queue.
    pub(crate) fn watch(&self, id: AccountId, queue: &QueueName) -> watch::Receiver<()> {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.entry((id, queue.clone())).or_insert_with(|| watch::channel(()).0).subscribe()
    }
}

/// Adds effects to effects, in order.
fn merge(into: &mut Effects, from: Effects) {
    into.consumed.extend(from.consumed);
    into.messages.extend(from.messages);
    into.entities.extend(from.entities);
    into.starts.extend(from.starts);
    into.documents.extend(from.documents);
}

/// A connection that leads nowhere.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the connection '{}' leads to no storage account; set the app setting of that name to a connection string", .0.0)]
pub struct UnknownConnection(pub Connection);
