//! How many instances keep each app, and which instances are alive, told for thousands of them.

use super::conformance;
use super::inspection::{end, pinned};
use crate::tests::world::{World, ending, id, new, waiting};
use orchestration::{Reuse, RuntimeStatus};
use ports::{AppPins, Created, InstanceKind, InstanceQuery, InstanceStore, Purge};

conformance![pins_tell_running_from_failed, pins_of_thousands, live_instances_are_listed_by_status];

/// The pins as the port tells them: digest, running, failed, example.
async fn check_pins(world: &mut World, expected: &[(&str, u64, u64, &str)]) {
    let pins = |(digest, running, failed, example): &(&str, u64, u64, &str)| AppPins {
        digest: (*digest).to_owned(),
        running: *running,
        failed: *failed,
        example: id(example),
    };
    let expected: Vec<_> = expected.iter().map(pins).collect();
    for _ in 0..2 {
        assert_eq!(world.pins().await.unwrap(), expected);
        world.reopen();
    }
}

async fn pins_tell_running_from_failed(mut world: World) {
    world.start("unpinned").await;
    check_pins(&mut world, &[]).await;
    for (name, app) in [("b", "one"), ("a", "one"), ("c", "one"), ("ab", "two"), ("aa", "two"), ("d", "o")] {
        pinned(&world, name, app).await;
    }
    check_pins(&mut world, &[("o", 1, 0, "d"), ("one", 3, 0, "a"), ("two", 2, 0, "aa")]).await;
    for name in ["a", "aa", "ab", "unpinned"] {
        end(&world, name, RuntimeStatus::Failed).await;
    }
    end(&world, "d", RuntimeStatus::Completed).await;
    check_pins(&mut world, &[("one", 2, 1, "b"), ("two", 0, 2, "aa")]).await;
    assert_eq!(world.purge(&id("aa"), Purge::Ended).await, Ok(true));
    end(&world, "b", RuntimeStatus::Terminated).await;
    check_pins(&mut world, &[("one", 1, 1, "c"), ("two", 0, 1, "ab")]).await;
    assert_eq!(world.purge(&id("ab"), Purge::Ended).await, Ok(true));
    check_pins(&mut world, &[("one", 1, 1, "c")]).await;
}

/// Creates so many instances, pinned to what `app` says of the number, and ends them with what `end` says, or lets them wait.
async fn many(
    world: &World,
    number: usize,
    app: fn(usize) -> Option<&'static str>,
    end: fn(usize) -> Option<RuntimeStatus>,
) {
    let create = |n: usize| {
        let mut new = new(&format!("i{n:05}"));
        new.started.pinned_to = app(n).map(str::to_owned);
        world.create(new, Reuse::NEVER)
    };
    assert!(futures::future::join_all((0..number).map(create)).await.iter().all(|made| *made == Ok(Created::Yes)));
    let mut works = Vec::new();
    for _ in 0..number {
        works.push(world.turn().await);
    }
    let commits = works.iter().map(|work| {
        let n = work.row.id.as_str()[1..].parse().unwrap();
        world.commit(&work.lease, end(n).map_or_else(|| waiting(work), |status| ending(work, status)))
    });
    assert!(futures::future::join_all(commits).await.iter().all(Result::is_ok));
}

fn every_third(n: usize) -> Option<&'static str> {
    ["one", "two"].get(n % 3).copied()
}

/// Of twelve, one has failed and one has completed; those that come first have all failed.
fn some_end(n: usize) -> Option<RuntimeStatus> {
    match n {
        0..1_500 => Some(RuntimeStatus::Failed),
        _ if n % 12 < 2 => Some(RuntimeStatus::Failed),
        _ if n % 12 == 3 => Some(RuntimeStatus::Completed),
        _ => None,
    }
}

async fn pins_of_thousands(mut world: World) {
    many(&world, 7_000, every_third, some_end).await;
    check_pins(&mut world, &[("one", 916, 959, "i01506"), ("two", 1_374, 959, "i01504")]).await;
}

/// Page by page, without inputs: those that have not ended, of whatever kind and pinned or not.
async fn live_instances_are_listed_by_status(mut world: World) {
    const NUMBER: usize = 3_000;
    many(&world, NUMBER, every_third, some_end).await;
    world.create(new("pending"), Reuse::NEVER).await.unwrap();
    world.reopen();
    let live = RuntimeStatus::ALL.into_iter().filter(|status| !status.is_terminal()).collect();
    let mut query =
        InstanceQuery { statuses: live, kind: InstanceKind::Any, page_size: 500, ..InstanceQuery::default() };
    let (mut listed, mut pages) = (Vec::new(), 0);
    loop {
        let page = world.query(&query).await.unwrap();
        pages += 1;
        assert!(page.instances.iter().all(|view| view.input.is_none()));
        listed.extend(page.instances.into_iter().map(|view| (view.row.id, view.row.pinned_to)));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let waiting = (0..NUMBER).filter(|n| some_end(*n).is_none());
    let mut expected: Vec<_> = waiting.map(|n| (id(&format!("i{n:05}")), every_third(n).map(str::to_owned))).collect();
    expected.push((id("pending"), None));
    assert_eq!((listed, pages), (expected, 3));
}
