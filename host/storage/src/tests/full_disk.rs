//! A full disk: nothing is written, nothing that was answered is lost, and when there is room again it goes on.

use super::user::{HOUR, put, queue, receipt, receive, text_of};
use super::world::{LEASE, ManualClock, folder, id, kinds, new, poll_once, waiting};
use crate::rows::{EmbeddedRows, Space};
use crate::{Settings, TaskHub};
use ports::{Created, InstanceStore, Metadata, NewMessage, Purge, QueueError, QueueStore, StoreError, WorkStore};
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MIB: u64 = 1 << 20;
const RESERVE: u64 = 128 * MIB;

/// A disk with as much room as the test says.
#[derive(Clone)]
struct Disk(Arc<AtomicU64>);

impl Disk {
    fn with(free: u64) -> Disk {
        Disk(Arc::new(AtomicU64::new(free)))
    }

    fn set(&self, free: u64) {
        self.0.store(free, Ordering::SeqCst);
    }
}

impl Space for Disk {
    fn free(&self) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

fn open(path: &Path, disk: &Disk) -> TaskHub {
    let rows = EmbeddedRows::open_on(path, Box::new(disk.clone()), RESERVE).unwrap();
    let settings = Settings { lease_time: LEASE, ..Settings::default() };
    TaskHub::open(Arc::new(rows), ManualClock::new(), settings).unwrap()
}

fn full(free: &str) -> StoreError {
    let detail = format!(
        "the disk is full: {free} MiB are free, and 128 MiB of them are kept for finishing what was begun; nothing was \
         written. Make room on the disk: writes are taken again as soon as there is"
    );
    StoreError::Unavailable { detail }
}

#[tokio::test]
async fn writes_are_refused_and_taken_again() {
    let (folder, disk) = (folder(), Disk::with(1_000 * MIB));
    let hub = open(folder.path(), &disk);
    assert_eq!(hub.create(new("a")).await, Ok(Created::Yes));
    let work = hub.take_turn().await.unwrap();
    disk.set(100 * MIB);
    assert_eq!(hub.create(new("b")).await, Err(full("100")));
    assert_eq!(hub.commit(&work.lease, waiting(&work)).await, Err(full("100")));
    assert!(hub.read(&id("b"), false).await.unwrap().is_none());
    disk.set(200 * MIB);
    hub.commit(&work.lease, waiting(&work)).await.expect("the lease is as it was");
    assert_eq!(hub.create(new("b")).await, Ok(Created::Yes));
    drop(hub);
    let hub = open(folder.path(), &disk);
    assert!(hub.read(&id("a"), false).await.unwrap().is_some());
    assert_eq!(kinds(&hub.take_turn().await.unwrap()), ["ExecutionStarted"]);
}

#[tokio::test]
async fn messages_stay_what_they_are() {
    let (folder, disk) = (folder(), Disk::with(1_000 * MIB));
    let hub = open(folder.path(), &disk);
    let name = queue("orders");
    hub.create_queue(&name, Metadata::new()).await.unwrap();
    for text in ["a", "b"] {
        hub.put_message(&name, NewMessage::new(text)).await.unwrap();
    }
    let held = hub.receive(&name, 1, HOUR, ports::Receiver::Client).await.unwrap().remove(0);
    disk.set(0);
    let refused = Err(QueueError::Store(full("0")));
    assert_eq!(hub.put_message(&name, NewMessage::new("c")).await, refused);
    assert!(hub.receive(&name, 1, HOUR, ports::Receiver::Client).await.is_err());
    assert_eq!(text_of(&hub.peek(&name, 9).await.unwrap()), "b");
    // Whoever waits hears of it again: nobody has it.
    assert!(poll_once(pin!(hub.arrival(&name)).as_mut()).await.is_some());
    hub.delete_message(&receipt(&name, &held)).await.expect("what only deletes is always taken");
    disk.set(500 * MIB);
    assert_eq!(text_of(&hub.receive(&name, 9, HOUR, ports::Receiver::Client).await.unwrap()), "b");
    assert_eq!(hub.queue(&name).await.unwrap().messages, 1);
}

#[tokio::test]
async fn a_store_on_a_full_disk_opens_and_can_be_emptied() {
    let (folder, disk) = (folder(), Disk::with(1_000 * MIB));
    let hub = open(folder.path(), &disk);
    assert_eq!(hub.create(new("a")).await, Ok(Created::Yes));
    drop(hub);
    disk.set(0);
    let hub = open(folder.path(), &disk);
    assert_eq!(hub.create(new("b")).await, Err(full("0")));
    assert_eq!(hub.purge(&id("a"), Purge::Any).await, Ok(true));
    assert_eq!(hub.create(new("b")).await, Err(full("0")));
}

#[tokio::test]
async fn a_big_write_needs_more_room() {
    let (folder, disk) = (folder(), Disk::with(RESERVE + MIB));
    let hub = open(folder.path(), &disk);
    let write = |bytes| ports::DocumentWrite {
        name: "a".to_owned(),
        expecting: ports::Expecting::Anything,
        content: Some(vec![7; bytes]),
    };
    let refused = ports::DocumentStore::write_documents(&hub, vec![write(1 << 20)]).await;
    assert_eq!(refused, Err(ports::DocumentError::Store(full("129"))));
    ports::DocumentStore::write_documents(&hub, vec![write(1_000)]).await.unwrap();
}

#[tokio::test]
async fn the_volume_of_a_folder_has_room() {
    let world = super::world::World::embedded();
    world.create_queue(&queue("orders"), Metadata::new()).await.unwrap();
    put(&world, &queue("orders"), "x").await;
    assert_eq!(receive(&world, &queue("orders"), 1, HOUR).await.len(), 1);
    let folder = folder();
    let hub =
        crate::embedded(folder.path(), ManualClock::new(), Settings { disk_reserve: u64::MAX, ..Settings::default() })
            .unwrap();
    // No disk has that much.
    assert!(matches!(hub.create(new("a")).await, Err(StoreError::Unavailable { .. })));
}
