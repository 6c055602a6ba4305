//! Watching real folders: what is told of what was done to files. Waits for what is told, never for time.

mod patterns;
mod world;

use expect_test::{Expect, expect};
use std::fs;
use std::time::Duration;

use self::world::World;
use super::mailbox::patience;
use super::*;

/// What is told after `action`, on a fresh project.
async fn check(action: impl FnOnce(&World), expected: &Expect) {
    let mut world = World::new();
    action(&world);
    // Always one more change, so that an action without consequences is told from one that is still to be seen.
    world.write("src/zz_last.rs", "last");
    expected.assert_eq(&world.seen_up_to("src/zz_last.rs").await);
}

#[tokio::test]
async fn a_touch_without_a_change_is_nothing() {
    let touch = |world: &World| {
        for file in ["src/lib.rs", "app.toml", "out/a.wasm", "local.settings.toml"] {
            world.write(file, &world.read(file));
            world.touch(file);
        }
    };
    check(
        touch,
        &expect![[r#"
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
}

#[tokio::test]
async fn each_file_is_told_for_what_it_is() {
    check(
        |world| world.write("src/lib.rs", "two"),
        &expect![[r#"
        sources of a: src/lib.rs src/zz_last.rs
    "#]],
    )
    .await;
    check(
        |world| world.write("src/deep/mod.rs", "new"),
        &expect![[r#"
        sources of a: src/deep/mod.rs src/zz_last.rs
    "#]],
    )
    .await;
    check(
        |world| world.remove("src/lib.rs"),
        &expect![[r#"
        sources of a: src/lib.rs src/zz_last.rs
    "#]],
    )
    .await;
    check(
        |world| world.write("out/a.wasm", "two"),
        &expect![[r#"
        sources of a: src/zz_last.rs
        component a
    "#]],
    )
    .await;
    check(
        |world| world.write("app.toml", "two"),
        &expect![[r#"
        manifest
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
}

#[tokio::test]
async fn settings_may_go_and_not_every_file_is_a_source() {
    check(
        |world| world.write("local.settings.toml", "two"),
        &expect![[r#"
        settings
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
    check(
        |world| world.remove("local.settings.toml"),
        &expect![[r#"
        settings
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
    check(
        |world| world.write("shared/both.txt", "two"),
        &expect![[r#"
        sources of a: shared/both.txt src/zz_last.rs
        sources of b: shared/both.txt
    "#]],
    )
    .await;
    check(
        |world| world.write("src/notes.txt", "not a source"),
        &expect![[r#"
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
    check(
        |world| world.write("src/.hidden.rs", "an editor's"),
        &expect![[r#"
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
    check(
        |world| world.write("src/target/out.rs", "a result"),
        &expect![[r#"
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
}

#[tokio::test]
async fn editors_replace_files_in_many_ways() {
    let renamed_over = |world: &World| {
        world.write("src/lib.rs.tmp", "two");
        world.rename("src/lib.rs.tmp", "src/lib.rs");
    };
    check(
        renamed_over,
        &expect![[r#"
        sources of a: src/lib.rs src/zz_last.rs
    "#]],
    )
    .await;
    let kept_a_backup = |world: &World| {
        world.rename("src/lib.rs", "src/lib.rs~");
        world.write("src/lib.rs", "two");
    };
    check(
        kept_a_backup,
        &expect![[r#"
        sources of a: src/lib.rs src/zz_last.rs
    "#]],
    )
    .await;
    let deleted_and_created = |world: &World| {
        world.remove("app.toml");
        world.write("app.toml", "two");
    };
    check(
        deleted_and_created,
        &expect![[r#"
        manifest
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
    let same_again = |world: &World| {
        let content = world.read("out/a.wasm");
        world.remove("out/a.wasm");
        world.write("out/a.wasm", &content);
    };
    check(
        same_again,
        &expect![[r#"
        sources of a: src/zz_last.rs
    "#]],
    )
    .await;
    let folder_swapped = |world: &World| {
        world.write("src2/lib.rs", "two");
        world.rename("src", "src1");
        world.rename("src2", "src");
    };
    check(
        folder_swapped,
        &expect![[r#"
        sources of a: src/deep/other.rs src/lib.rs src/zz_last.rs
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_file_in_the_making_is_told_when_it_is_whole() {
    let mut world = World::new();
    world.write("out/a.wasm", "");
    world.remove("app.toml");
    world.write("src/lib.rs", "two");
    expect![[r#"
        sources of a: src/lib.rs
    "#]]
    .assert_eq(&world.seen_up_to("src/lib.rs").await);
    world.write("out/a.wasm", "two");
    expect![[r#"
        component a
    "#]]
    .assert_eq(&world.seen().await);
    world.write("app.toml", "two");
    expect![[r#"
        manifest
    "#]]
    .assert_eq(&world.seen().await);
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_when_they_are_swapped_and_when_their_target_changes() {
    let mut world = World::new();
    world.write("v1/b.wasm", "one");
    world.write("v2/b.wasm", "two");
    world.link("v1", "current");
    expect![[r#"
        component b
    "#]]
    .assert_eq(&world.seen().await);
    world.link("v2", "next");
    world.rename("next", "current");
    expect![[r#"
        component b
    "#]]
    .assert_eq(&world.seen().await);
    world.write("v2/b.wasm", "three");
    expect![[r#"
        component b
    "#]]
    .assert_eq(&world.seen().await);
}

#[tokio::test]
async fn folders_may_come_and_go() {
    let mut world = World::new();
    world.write("later/on/c.rs", "new");
    expect![[r#"
        sources of a: later/on/c.rs
    "#]]
    .assert_eq(&world.seen().await);
    fs::remove_dir_all(world.path("out")).expect("it is there");
    fs::remove_dir_all(world.path("later")).expect("it is there");
    expect![[r#"
        sources of a: later/on/c.rs
    "#]]
    .assert_eq(&world.seen().await);
    world.write("out/a.wasm", "two");
    expect![[r#"
        component a
    "#]]
    .assert_eq(&world.seen().await);
    world.write("out/a.wasm", "three");
    expect![[r#"
        component a
    "#]]
    .assert_eq(&world.seen().await);
    world.write("later/on/c.rs", "again");
    expect![[r#"
        sources of a: later/on/c.rs
    "#]]
    .assert_eq(&world.seen().await);
}

#[tokio::test]
async fn several_saves_are_one_change_and_a_look_waits_for_nothing() {
    let mut world = World::new();
    world.write("src/lib.rs", "two");
    world.write("src/lib.rs", "three");
    world.write("out/a.wasm", "two");
    let (changes, notices) = world.watch.look().await;
    expect![[r#"
        sources of a: src/lib.rs
        component a
    "#]]
    .assert_eq(&world.shown(&changes));
    assert!(notices.is_empty());
    // The events of before are still to come; they tell nothing new.
    world.write("src/other.rs", "new");
    expect![[r#"
        sources of a: src/other.rs
    "#]]
    .assert_eq(&world.seen().await);
    assert!(world.watch.look().await.0.is_empty());
}

#[tokio::test]
async fn other_files_may_be_watched_instead() {
    let mut world = World::new();
    world.write("b.rs", "one");
    world.write("src/lib.rs", "two");
    world.watch.refresh(vec![world.watched(&["*.rs"])]).await;
    // The old source was told before; the new one is remembered as it was.
    expect![[r#"
        sources of a: src/lib.rs
    "#]]
    .assert_eq(&world.seen().await);
    world.write("src/lib.rs", "three");
    world.write("b.rs", "two");
    expect![[r#"
        sources of a: b.rs
    "#]]
    .assert_eq(&world.seen().await);
}

#[tokio::test]
async fn a_system_that_cannot_watch_is_polled() {
    let pace = Pace { poll: Duration::from_millis(1), ..Pace::USUAL };
    let mut world = World::with(pace, |_| Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch)));
    expect!["The system does not tell of changes to files (OS file watch limit reached.), so they are read every 1ms instead; this user watches as many folders as the system allows: raise fs.inotify.max_user_watches (for example `sudo sysctl fs.inotify.max_user_watches=524288`), or narrow the patterns in build.watch"].assert_eq(&world.notice().await);
    world.write("src/lib.rs", "two");
    expect![[r#"
        sources of a: src/lib.rs
    "#]]
    .assert_eq(&world.seen().await);
}

#[tokio::test]
async fn lost_events_are_made_up_for() {
    let mut world = World::new();
    world.lose_events();
    expect!["More files changed at once than the system can tell, so all of them are read again; if this happens often, raise fs.inotify.max_queued_events, or narrow the patterns in build.watch"].assert_eq(&world.notice().await);
    world.write("src/lib.rs", "two");
    expect![[r#"
        sources of a: src/lib.rs
    "#]]
    .assert_eq(&world.seen().await);
}

#[test]
fn patience_ends_with_quiet_or_with_time() {
    let pace = Pace { quiet: Duration::from_millis(50), at_most: Duration::from_millis(500), poll: Duration::ZERO };
    let check = |first, last, expected| {
        let left = patience(pace, Duration::from_millis(first), Duration::from_millis(last));
        assert_eq!(left, Duration::from_millis(expected), "{first} {last}");
    };
    check(0, 0, 50);
    check(20, 20, 30);
    check(20, 0, 50);
    check(50, 50, 0);
    check(400, 1, 49);
    check(470, 0, 30);
    check(500, 0, 0);
    check(9_000, 9_000, 0);
}
