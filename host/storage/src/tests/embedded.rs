//! What only the embedded store can get wrong: its folder, its journal, its one committer.

use super::torn::{journal, used};
use super::world::{ManualClock, World, copy_folder, execution, folder, id, kinds, new, waiting};
use crate::{OpenError, Settings, embedded};
use expect_test::{Expect, expect};
use futures::future::join_all;
use orchestration::{Reuse, RuntimeStatus};
use ports::{Created, InstanceQuery, InstanceStore, StoreError, WorkStore};
use std::fs::OpenOptions;
use std::path::Path;

fn open(path: &Path) -> Result<crate::TaskHub, OpenError> {
    embedded(path, ManualClock::new(), Settings::default())
}

/// Opening the folder fails like this.
fn check_refused(path: &Path, expected: &Expect) {
    let error = open(path).unwrap_err().to_string();
    expected.assert_eq(&error.replace(&path.display().to_string(), "FOLDER"));
}

#[tokio::test]
async fn one_process_at_a_time() {
    let world = World::embedded();
    let error = open(world.path()).unwrap_err();
    let expected = OpenError::InUse { folder: world.path().to_owned(), pid: Some(std::process::id()) };
    assert_eq!(error, expected);
    let text = error.to_string().replace(&world.path().display().to_string(), "FOLDER");
    let text = text.replace(&std::process::id().to_string(), "PID");
    expect!["the store in FOLDER is in use by process PID; stop that host, or choose another data folder for this one"]
        .assert_eq(&text);
    world.create(new("a"), Reuse::NEVER).await.unwrap();
    let path = world.path().to_owned();
    let copy = folder();
    copy_folder(&path, copy.path());
    drop(world);
    open(copy.path()).expect("a copy is another folder, whatever process id is in it");
}

#[tokio::test]
async fn a_copy_taken_in_the_middle_opens() {
    let world = World::embedded();
    for round in 0..5_u32 {
        let before = format!("before-{round}");
        world.create(new(&before), Reuse::NEVER).await.unwrap();
        // Not awaited one by one: the copy meets the committer at work.
        let during = join_all((0..50).map(|n| world.create(new(&format!("during-{round}-{n}")), Reuse::NEVER)));
        let mut during = std::pin::pin!(during);
        // A quick committer may be done already; then this round copies a store at rest.
        let done = super::world::poll_once(during.as_mut()).await.is_some();
        let copy = world.copy();
        if !done {
            during.await;
        }
        assert!(copy.read(&id(&before), false).await.unwrap().is_some(), "what was answered is there");
        let page = copy.query(&InstanceQuery { page_size: 1000, with_input: true, ..InstanceQuery::default() }).await;
        let instances = page.unwrap().instances;
        for view in &instances {
            assert!(view.input.is_some(), "{}: all of a creation or nothing", view.row.id);
        }
        for _ in &instances {
            assert_eq!(kinds(&copy.turn().await), ["ExecutionStarted"]);
        }
        copy.no_turn().await;
    }
}

#[tokio::test]
async fn a_torn_tail_is_cut_off() {
    let world = World::embedded();
    for n in 0..20 {
        world.create(new(&format!("{n:02}")), Reuse::NEVER).await.unwrap();
    }
    let journal = journal(world.path());
    let full = used(&journal);
    let mut last = None;
    for cut in (0..400).step_by(23) {
        let copy = folder();
        copy_folder(world.path(), copy.path());
        let torn = copy.path().join("rows").join(journal.file_name().unwrap());
        OpenOptions::new().write(true).open(torn).unwrap().set_len((full - cut) as u64).unwrap();
        let hub = open(copy.path()).unwrap_or_else(|error| panic!("{cut} bytes cut off: {error}"));
        let page = hub.query(&InstanceQuery { with_input: true, ..InstanceQuery::default() }).await.unwrap();
        let names: Vec<_> = page.instances.iter().map(|view| view.row.id.as_str().to_owned()).collect();
        let expected: Vec<_> = (0..names.len()).map(|n| format!("{n:02}")).collect();
        assert_eq!(names, expected, "a prefix of what was committed");
        assert!(page.instances.iter().all(|view| view.input.is_some()));
        assert!(last.is_none_or(|last| names.len() <= last));
        last = Some(names.len());
        assert_eq!(hub.create(new("99")).await, Ok(Created::Yes));
    }
    assert!(last.unwrap() < 20, "the cuts reached into the commits");
}

#[tokio::test]
async fn a_flipped_bit_refuses_to_open_and_says_what_to_do() {
    let world = World::embedded();
    for n in 0..20 {
        world.create(new(&n.to_string()), Reuse::NEVER).await.unwrap();
    }
    let copy = folder();
    copy_folder(world.path(), copy.path());
    let journal = journal(copy.path());
    let mut bytes = std::fs::read(&journal).unwrap();
    // In the middle of a value.
    let place = bytes.windows(5).position(|window| window == b"Hello").unwrap();
    bytes[place] ^= 0x10;
    std::fs::write(&journal, bytes).unwrap();
    check_refused(
        copy.path(),
        &expect![
            "the store in FOLDER is damaged and was left as it is: a record in the middle of its journal does not match its checksum (FjallError: JournalRecovery(ChecksumMismatch)); restore the folder from a backup, or move it away and start with an empty one"
        ],
    );
}

#[test]
fn other_formats_are_refused() {
    let newer = folder();
    std::fs::write(newer.path().join("format"), "dacapo store, format 4\n").unwrap();
    check_refused(
        newer.path(),
        &expect![
            "the store in FOLDER has format 4, and this host knows formats up to 3: a newer host has written it; use that version, or choose another data folder"
        ],
    );
    let strange = folder();
    std::fs::write(strange.path().join("format"), [0xff, 0x00]).unwrap();
    check_refused(
        strange.path(),
        &expect![[
            r#"the store in FOLDER is damaged and was left as it is: the file FOLDER/format holds "�\0" instead of a format's number; restore the folder from a backup, or move it away and start with an empty one"#
        ]],
    );
    let missing = folder();
    drop(open(missing.path()).unwrap());
    std::fs::remove_file(missing.path().join("format")).unwrap();
    check_refused(
        missing.path(),
        &expect![
            "the store in FOLDER is damaged and was left as it is: the file 'format' is missing, while there are rows; restore the folder from a backup, or move it away and start with an empty one"
        ],
    );
    let file = folder();
    std::fs::write(file.path().join("file"), "").unwrap();
    check_refused(
        &file.path().join("file"),
        &expect![
            "the store in FOLDER cannot be opened: File exists (os error 17); check that the folder can be written and the disk is not full"
        ],
    );
}

#[tokio::test]
async fn a_store_of_an_older_format_goes_on_and_shuts_older_hosts_out() {
    let mut world = World::embedded();
    world.start("a").await;
    let format = world.path().join("format");
    let write = |text: &str| std::fs::write(&format, text).unwrap();
    for older in [1, 2] {
        world.reopen_after(|_| write(&format!("dacapo store, format {older}\n")));
        assert_eq!(std::fs::read_to_string(&format).unwrap(), "dacapo store, format 3\n");
        assert!(world.read(&id("a"), false).await.unwrap().is_some());
    }
    write("dacapo store, format 0\n");
    let copy = folder();
    copy_folder(world.path(), copy.path());
    assert!(matches!(open(copy.path()), Err(OpenError::Damaged { .. })));
}

#[tokio::test]
async fn a_closed_store_refuses_writes_and_reads_on() {
    let world = World::embedded();
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    world.close();
    let closed = StoreError::Unavailable { detail: "the store is closed".to_owned() };
    assert_eq!(world.create(new("b"), Reuse::NEVER).await, Err(closed.clone()));
    assert_eq!(world.commit(&work.lease, waiting(&work)).await, Err(closed.clone()));
    // A commit that failed leaves the lease as it was.
    assert!(world.renew(&work.lease).await.is_ok());
    assert!(world.read(&a, false).await.unwrap().is_some());
    assert_eq!(world.purge(&a, ports::Purge::Any).await, Err(closed));
    world.close();
}

#[tokio::test]
async fn a_lease_does_not_expire_under_its_commit() {
    let world = World::embedded();
    let a = world.start("a").await;
    for round in 1..50 {
        world.raise(&a, "x").await;
        let work = world.turn().await;
        let commit = world.commit(&work.lease, waiting(&work));
        let mut commit = std::pin::pin!(commit);
        let first = super::world::poll_once(commit.as_mut()).await;
        world.clock.advance(super::world::LEASE);
        world.no_turn().await;
        let result = match first {
            Some(result) => result,
            None => commit.await,
        };
        assert_eq!(result, Ok(()));
        assert_eq!(world.turns_of("a").await, round + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once() {
    let mut world = World::embedded();
    let names: Vec<String> = (0..64).map(|n| format!("i{n}")).collect();
    join_all(names.iter().map(|name| world.create(new(name), Reuse::NEVER))).await;
    let workers = (0..64).map(|_| async {
        for _ in 0..20 {
            let work = world.turn().await;
            let mut checkpoint = waiting(&work);
            checkpoint.messages = vec![super::world::raised(&work.row.id, "again")];
            world.commit(&work.lease, checkpoint).await.unwrap();
        }
    });
    join_all(workers).await;
    world.reopen();
    for name in &names {
        let row = world.read(&id(name), false).await.unwrap().unwrap().row;
        assert_eq!(world.history(&id(name), execution(name)).await.unwrap().len(), row.turns as usize);
        assert_eq!(row.status, RuntimeStatus::Running);
    }
    let turns: u32 = join_all(names.iter().map(|name| world.turns_of(name))).await.into_iter().sum();
    assert_eq!(turns, 64 * 20);
    for _ in 0..64 {
        assert_eq!(kinds(&world.turn().await), ["again"]);
    }
    world.no_turn().await;
}

impl World {
    async fn turns_of(&self, name: &str) -> u32 {
        self.read(&id(name), false).await.unwrap().unwrap().row.turns
    }
}
