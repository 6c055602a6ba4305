//! Lists: every filter, and pages that miss nothing.

use super::conformance;
use crate::tests::world::{START, World, ending, execution, id, new, raised, waiting};
use orchestration::{Json, Reuse, RuntimeStatus, Timestamp};
use ports::{InstanceKind, InstanceQuery, InstanceStore, Page, Purge};
use std::time::Duration;

conformance![
    without_conditions_all_are_listed_in_the_order_of_ids,
    each_condition_narrows,
    pages_end_where_they_should,
    pages_are_stable_while_others_come_and_go,
    pages_are_stable_while_instances_change,
    rare_matches_are_found_in_bounded_steps,
    entities_are_listed_when_they_are_asked_for,
    entities_do_not_lengthen_the_list_of_orchestrations,
    tags_and_moments_narrow,
];

fn ids(page: &Page) -> Vec<&str> {
    page.instances.iter().map(|view| view.row.id.as_str()).collect()
}

fn hour(hours: u64) -> Timestamp {
    START.saturating_add(Duration::from_secs(3600 * hours))
}

/// Five instances of two orchestrators and three statuses, one hour apart.
async fn five(world: &World) {
    for (hours, (name, of)) in
        [("a1", "Even"), ("a2", "Odd"), ("a10", "Even"), ("b1", "Odd"), ("b", "Even")].into_iter().enumerate()
    {
        let mut new = new(name);
        new.started.name = of.to_owned();
        new.at = hour(hours as u64);
        world.create(new, Reuse::NEVER).await.unwrap();
    }
    for _ in 0..4 {
        let work = world.turn().await;
        let checkpoint = match work.row.id.as_str() {
            "a1" | "a10" => waiting(&work),
            _ => ending(&work, RuntimeStatus::Failed),
        };
        world.commit(&work.lease, checkpoint).await.unwrap();
    }
}

async fn without_conditions_all_are_listed_in_the_order_of_ids(mut world: World) {
    assert_eq!(world.query(&InstanceQuery::default()).await, Ok(Page::default()));
    five(&world).await;
    world.reopen();
    let page = world.query(&InstanceQuery::default()).await.unwrap();
    assert_eq!((ids(&page), page.next.is_none()), (vec!["a1", "a10", "a2", "b", "b1"], true));
    assert!(page.instances.iter().all(|view| view.input.is_none()));
    let page = world.query(&InstanceQuery { with_input: true, ..InstanceQuery::default() }).await.unwrap();
    assert!(page.instances.iter().all(|view| view.input == Some(Json::from("1"))));
}

async fn each_condition_narrows(world: World) {
    five(&world).await;
    let all = InstanceQuery::default;
    let name = |name: &str| Some(name.to_owned());
    let cases = [
        (InstanceQuery { statuses: vec![RuntimeStatus::Running], ..all() }, vec!["a1", "a10"]),
        (
            InstanceQuery {
                statuses: vec![RuntimeStatus::Pending, RuntimeStatus::Failed, RuntimeStatus::Pending],
                ..all()
            },
            vec!["a2", "b", "b1"],
        ),
        (InstanceQuery { statuses: vec![RuntimeStatus::Completed], ..all() }, vec![]),
        (InstanceQuery { created_from: Some(hour(1)), created_to: Some(hour(3)), ..all() }, vec!["a10", "a2", "b1"]),
        (InstanceQuery { name: name("Even"), ..all() }, vec!["a1", "a10", "b"]),
        (InstanceQuery { name: name("even"), ..all() }, vec![]),
        (InstanceQuery { name: name("Eve"), ..all() }, vec![]),
        (InstanceQuery { id_prefix: name("a1"), ..all() }, vec!["a1", "a10"]),
        (InstanceQuery { id_prefix: name("A"), ..all() }, vec![]),
        (InstanceQuery { id_prefix: name("b"), statuses: vec![RuntimeStatus::Failed], ..all() }, vec!["b1"]),
        (InstanceQuery { id_prefix: name("a"), name: name("Odd"), ..all() }, vec!["a2"]),
        (
            InstanceQuery {
                statuses: vec![RuntimeStatus::Running],
                name: name("Even"),
                created_from: Some(hour(1)),
                ..all()
            },
            vec!["a10"],
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&world.query(&query).await.unwrap()), expected, "{query:?}");
    }
}

async fn pages_end_where_they_should(world: World) {
    five(&world).await;
    for page_size in 1..=6 {
        let mut query = InstanceQuery { page_size, ..InstanceQuery::default() };
        let mut pages = Vec::new();
        loop {
            let page = world.query(&query).await.unwrap();
            pages.push(page.instances.len());
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        let mut expected = vec![page_size; 5 / page_size];
        expected.extend((!5_usize.is_multiple_of(page_size)).then_some(5 % page_size));
        assert_eq!(pages, expected, "no page is empty, and the last one says so");
    }
}

/// Lists all instances in pages of two, and calls `between` after each page.
async fn list(world: &World, statuses: Vec<RuntimeStatus>, mut between: impl AsyncFnMut(usize)) -> Vec<String> {
    let mut query = InstanceQuery { page_size: 2, statuses, ..InstanceQuery::default() };
    let mut listed = Vec::new();
    for round in 0.. {
        let page = world.query(&query).await.unwrap();
        listed.extend(ids(&page).into_iter().map(str::to_owned));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
        between(round).await;
    }
    listed
}

async fn pages_are_stable_while_others_come_and_go(world: World) {
    for n in 0..10 {
        world.create(new(&format!("keep-{n}")), Reuse::NEVER).await.unwrap();
        world.create(new(&format!("go-{n}")), Reuse::NEVER).await.unwrap();
    }
    let listed = list(&world, Vec::new(), async |round| {
        world.create(new(&format!("{round}-before")), Reuse::NEVER).await.unwrap();
        if round < 10 {
            assert_eq!(world.purge(&id(&format!("go-{}", 9 - round)), Purge::Any).await, Ok(true));
            world.create(new(&format!("keep-{round}-behind")), Reuse::NEVER).await.unwrap();
        }
    });
    let listed = listed.await;
    for n in 0..10 {
        let keep = format!("keep-{n}");
        assert_eq!(listed.iter().filter(|id| **id == keep).count(), 1, "{keep}");
    }
    assert!(listed.is_sorted());
}

async fn pages_are_stable_while_instances_change(world: World) {
    let names: Vec<String> = (0..9).map(|n| format!("i{n}")).collect();
    for name in &names {
        world.create(new(name), Reuse::NEVER).await.unwrap();
    }
    let statuses = vec![RuntimeStatus::Pending, RuntimeStatus::Running, RuntimeStatus::Completed];
    let listed = list(&world, statuses, async |_| {
        for _ in 0..2 {
            let work = world.turn().await;
            world.commit(&work.lease, ending(&work, RuntimeStatus::Completed)).await.unwrap();
        }
    });
    assert_eq!(listed.await, names);
}

async fn rare_matches_are_found_in_bounded_steps(world: World) {
    // More instances than one page looks at, of which only the last matches.
    let creations = (0..10_050).map(|n| {
        let mut new = new(&format!("i{n:05}"));
        new.at = if n == 10_049 { hour(1) } else { START };
        world.create(new, Reuse::NEVER)
    });
    futures::future::join_all(creations).await;
    let mut query = InstanceQuery { created_from: Some(hour(1)), ..InstanceQuery::default() };
    let first = world.query(&query).await.unwrap();
    assert_eq!((first.instances.len(), first.next.is_some()), (0, true));
    query.after = first.next;
    let second = world.query(&query).await.unwrap();
    assert_eq!((ids(&second), &second.next), (vec!["i10049"], &None));
    assert_eq!(second.instances[0].row.execution, execution("i10049"));
}

/// Orchestrations and entities whose ids stand around each other.
async fn entities_are_listed_when_they_are_asked_for(mut world: World) {
    for name in ["!before", "@", "A", "a"] {
        world.create(new(name), Reuse::NEVER).await.unwrap();
    }
    for name in ["@x@1", "@x@2", "@y@"] {
        world.raise(&id(name), "one").await;
    }
    for _ in 0..7 {
        let work = world.turn().await;
        world.commit(&work.lease, waiting(&work)).await.unwrap();
    }
    let of = |kind, prefix: &str| InstanceQuery {
        kind,
        id_prefix: Some(prefix.to_owned()),
        page_size: 2,
        ..InstanceQuery::default()
    };
    let (entities, both, neither) = (InstanceKind::Entities, InstanceKind::Any, InstanceKind::Orchestrations);
    let cases = [
        (of(neither, ""), vec!["!before", "A", "a"]),
        (of(entities, ""), vec!["@", "@x@1", "@x@2", "@y@"]),
        (of(both, ""), vec!["!before", "@", "@x@1", "@x@2", "@y@", "A", "a"]),
        (of(entities, "@x"), vec!["@x@1", "@x@2"]),
        (of(both, "@x@2"), vec!["@x@2"]),
        (of(neither, "@x"), vec![]),
        (of(entities, "a"), vec![]),
        (of(neither, "a"), vec!["a"]),
    ];
    for _ in 0..2 {
        for (query, expected) in &cases {
            for statuses in [Vec::new(), vec![RuntimeStatus::Running, RuntimeStatus::Failed]] {
                let listed = all_pages(&world, InstanceQuery { statuses, ..query.clone() }).await;
                assert_eq!(listed, *expected, "{query:?}");
            }
        }
        world.reopen();
    }
}

async fn all_pages(world: &World, mut query: InstanceQuery) -> Vec<String> {
    let mut listed = Vec::new();
    loop {
        let page = world.query(&query).await.unwrap();
        listed.extend(ids(&page).into_iter().map(str::to_owned));
        query.after = page.next;
        if query.after.is_none() {
            return listed;
        }
    }
}

/// However many entities there are, a list of orchestrations does not look at them.
async fn entities_do_not_lengthen_the_list_of_orchestrations(world: World) {
    let signals = (0..10_050).map(|n| world.send(raised(&id(&format!("@e@{n}")), "x")));
    futures::future::join_all(signals).await;
    let mut works = Vec::new();
    for _ in 0..10_050 {
        works.push(world.turn().await);
    }
    let commits = works.iter().map(|work| world.commit(&work.lease, waiting(work)));
    assert!(futures::future::join_all(commits).await.iter().all(Result::is_ok));
    world.create(new("a"), Reuse::NEVER).await.unwrap();
    let page = world.query(&InstanceQuery::default()).await.unwrap();
    assert_eq!((ids(&page), &page.next), (vec!["a"], &None));
}

async fn tags_and_moments_narrow(world: World) {
    for (hours, (name, tags)) in
        [("a", vec![("team", "blue")]), ("b", vec![("team", "blue"), ("tier", "1")]), ("c", vec![("tier", "1")])]
            .into_iter()
            .enumerate()
    {
        let mut new = new(name);
        let tag = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        new.started.options.tags = tags.into_iter().map(tag).collect();
        world.create(new, Reuse::NEVER).await.unwrap();
        let work = world.turn().await;
        let mut checkpoint = ending(&work, RuntimeStatus::Completed);
        checkpoint.row.updated_at = hour(hours as u64);
        checkpoint.row.completed_at = (name != "c").then_some(hour(hours as u64));
        world.commit(&work.lease, checkpoint).await.unwrap();
    }
    let all = InstanceQuery::default;
    let tags =
        |tags: &[(&str, &str)]| tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let cases = [
        (InstanceQuery { tags: tags(&[("team", "blue")]), ..all() }, vec!["a", "b"]),
        (InstanceQuery { tags: tags(&[("team", "blue"), ("tier", "1")]), ..all() }, vec!["b"]),
        (InstanceQuery { tags: tags(&[("team", "Blue")]), ..all() }, vec![]),
        (InstanceQuery { tags: tags(&[("tier", "")]), ..all() }, vec![]),
        (InstanceQuery { updated_from: Some(hour(1)), ..all() }, vec!["b", "c"]),
        (InstanceQuery { updated_to: Some(hour(1)), ..all() }, vec!["a", "b"]),
        (InstanceQuery { updated_from: Some(hour(1)), updated_to: Some(hour(1)), ..all() }, vec!["b"]),
        (InstanceQuery { completed_to: Some(hour(9)), ..all() }, vec!["a", "b"]),
        (InstanceQuery { completed_to: Some(hour(0)), ..all() }, vec!["a"]),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&world.query(&query).await.unwrap()), expected, "{query:?}");
    }
}
