//! Which versions stay: those that somebody holds, and those that instances are pinned to.

use super::{digest_of, pinned_start, version};
use crate::app_versions::alive::alive;
use crate::app_versions::keeper::{IDLE_INTERVAL, Looked, OLDER_INTERVAL};
use crate::app_versions::{AppArchive, ArchiveKeeper, ComponentBytes, KeptVersion};
use crate::clock::SystemClock;
use crate::shutdown::Stop;
use expect_test::{Expect, expect};
use futures::future::BoxFuture;
use orchestration::{InstanceId, Timestamp};
use ports::{AppPins, Clock, InstanceStore, Purge};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

fn store() -> Arc<storage::TaskHub> {
    Arc::new(storage::memory(Arc::new(SystemClock), storage::Settings::default()))
}

fn keeper() -> Arc<ArchiveKeeper> {
    ArchiveKeeper::new(AppArchive::in_memory())
}

async fn keep(keeper: &Arc<ArchiveKeeper>, digest: &str, content: &'static str) -> KeptVersion {
    let sources = BTreeMap::from([("a".to_owned(), ComponentBytes::Here(content.into()))]);
    let kept = keeper.keep(digest.to_owned(), version(&[("a", content)]), sources).await;
    kept.expect("it can be kept")
}

fn kept(keeper: &ArchiveKeeper) -> String {
    keeper.archive().records().into_keys().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn memory_keeps_as_a_folder_does() {
    let archive = AppArchive::in_memory();
    let here = |content: &'static str| BTreeMap::from([("a".to_owned(), ComponentBytes::Here(content.into()))]);
    archive.keep("v1", &version(&[("a", "one")]), &here("one")).expect("it can be kept");
    // Its component is there already.
    archive.keep("v2", &version(&[("a", "one")]), &BTreeMap::new()).expect("it can be kept");
    let error = archive.keep("v3", &version(&[("a", "two")]), &here("one")).expect_err("these are other bytes");
    expect!["component 'a': what is in memory of it was changed while it was loaded; start again"]
        .assert_eq(&error.to_string());
    assert_eq!(archive.clean(&BTreeSet::from(["v2".to_owned()])).expect("it can be cleaned"), ["v1"]);
    assert_eq!(archive.component(&digest_of("one")), Ok(b"one".to_vec()));
    assert_eq!(archive.clean(&BTreeSet::new()).expect("it can be cleaned"), ["v2"]);
    assert!(archive.component(&digest_of("one")).is_err());
}

#[tokio::test]
async fn what_is_held_stays() {
    let (keeper, store) = (keeper(), store());
    let deployed = keep(&keeper, "v1", "one").await;
    let again = keep(&keeper, "v1", "one").await;
    let next = keep(&keeper, "v2", "two").await;
    let look = async || keeper.clean(store.as_ref()).await.expect("the store can be read");
    assert_eq!((look().await, kept(&keeper)), (Looked::NoneIsOlder, "v1 v2".to_owned()));
    drop(deployed);
    assert_eq!((look().await, kept(&keeper)), (Looked::NoneIsOlder, "v1 v2".to_owned()));
    store.create(pinned_start("i", "v1")).await.expect("the store works");
    drop(again);
    assert_eq!((look().await, kept(&keeper)), (Looked::OlderAreNeeded, "v1 v2".to_owned()));
    store.purge(&InstanceId::from_stored("i"), Purge::Any).await.expect("the store works");
    assert_eq!((look().await, kept(&keeper)), (Looked::NoneIsOlder, "v2".to_owned()));
    drop(next);
    assert_eq!((look().await, kept(&keeper)), (Looked::NoneIsOlder, String::new()));
}

/// Time that passes when the test says so: it is told of each wait, and may end it.
struct Hours {
    waits: mpsc::UnboundedSender<(Timestamp, oneshot::Sender<()>)>,
}

impl Clock for Hours {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        let (end, ended) = oneshot::channel();
        drop(self.waits.send((moment, end)));
        Box::pin(async move { drop(ended.await) })
    }
}

#[tokio::test]
async fn the_last_instance_of_a_version_is_soon_noticed() {
    let (keeper, store) = (keeper(), store());
    let older = keep(&keeper, "v1", "one").await;
    let _present = keep(&keeper, "v2", "two").await;
    store.create(pinned_start("i", "v1")).await.expect("the store works");
    let (sender, waits) = mpsc::unbounded_channel();
    let (stop, stopping) = Stop::new();
    let cleaning = keeper.clone().keep_clean(store.clone(), Arc::new(Hours { waits: sender }), stopping);
    let waits = Mutex::new(waits);
    // Whatever has happened before the wait may begin one more round: the wait that stays is the one that counts.
    let pause = async |expected| loop {
        let (until, end) = waits.lock().await.recv().await.expect("the keeper waits");
        if until.saturating_since(Timestamp::default()) == expected {
            return end;
        }
    };
    let test = async {
        drop(pause(IDLE_INTERVAL).await);
        let idle = pause(IDLE_INTERVAL).await;
        drop(older);
        let look = pause(OLDER_INTERVAL).await;
        assert!(idle.is_closed(), "whatever changes ends the wait");
        store.purge(&InstanceId::from_stored("i"), Purge::Any).await.expect("the store works");
        assert_eq!(kept(&keeper), "v1 v2");
        drop(look);
        let _idle = pause(IDLE_INTERVAL).await;
        assert_eq!(kept(&keeper), "v2");
        stop.ask();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = cleaning => {}
        () = test => {}
    }
    assert_eq!(kept(&keeper), "v2");
}

#[tokio::test]
async fn what_is_alive_is_told_with_what_keeps_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = AppArchive::in_folder(folder.path().to_owned());
    for (digest, content) in [("v1", "one"), ("v2", "two"), ("v3", "three"), ("v4", "four")] {
        let sources = BTreeMap::from([("a".to_owned(), ComponentBytes::Here(content.into()))]);
        archive.keep(digest, &version(&[("a", content)]), &sources).expect("it can be kept");
    }
    let pins = |digest: &str, running, failed| AppPins {
        digest: digest.to_owned(),
        running,
        failed,
        example: InstanceId::from_stored("i"),
    };
    let check = |pins: Vec<AppPins>, held: &[&str], expected: &Expect| {
        let held = held.iter().map(|digest| (*digest).to_owned()).collect();
        let alive = alive(&archive, pins, held, "v4");
        let lines: Vec<String> = alive
            .into_iter()
            .map(|version| {
                let app = version.version.unwrap_or_else(|| "?".to_owned());
                let example = version.example.unwrap_or_default();
                format!("{} {app} {}+{} {example}: {}", version.digest, version.running, version.failed, version.why)
            })
            .collect();
        let text = lines.join("\n").replace(&folder.path().display().to_string(), "DATA");
        expected.assert_eq(&text.replace(&digest_of("two"), "TWO"));
    };
    check(vec![], &["v4"], &expect!["v4 1 0+0 : present"]);
    check(
        vec![pins("v1", 1, 0), pins("v2", 12, 3), pins("v3", 0, 1), pins("v4", 2, 0)],
        &["v4"],
        &expect![[r#"
        v4 1 2+0 i: present
        v2 1 12+3 i: 12 instances run on it, 3 failed instances could be rewound
        v1 1 1+0 i: 1 instance runs on it
        v3 1 0+1 i: 1 failed instance could be rewound"#]],
    );
    check(
        vec![],
        &["v3", "v4"],
        &expect![[r#"
        v4 1 0+0 : present
        v3 1 0+0 : what began on it is being finished"#]],
    );
    std::fs::remove_file(archive.component_path(&digest_of("two"))).expect("it is there");
    check(
        vec![pins("v2", 1, 0), pins("v9", 0, 2)],
        &["v4"],
        &expect![[r#"
        v4 1 0+0 : present
        v2 1 1+0 i: 1 instance runs on it; DATA/components/TWO.wasm is missing: its instances wait for it
        v9 ? 0+2 i: 2 failed instances could be rewound; its files are missing from DATA: its instances wait for them"#]],
    );
}
