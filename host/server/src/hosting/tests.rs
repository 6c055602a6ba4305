//! Which app a request is for, what a version changes, and tasks that end too early.

use super::lifetimes::{Version, Versions};
use super::{Apps, Differences, Life, Managed, Served, Tasks};
use crate::admin::tests::world::served_alone;
use crate::management::tests::world::{World, instance};
use crate::shutdown::Stop;
use expect_test::{Expect, expect};
use futures::FutureExt;
use http::request::Parts;
use orchestration::RuntimeStatus;
use std::sync::Arc;
use tokio::task::JoinSet;

const TRIPS: &str = r#"
[app]
name = "trips"
version = "1"
[components.a]
source = "a.wasm"
[functions.ShowTrip]
trigger = { type = "httpTrigger", route = "trips/{id}", methods = ["get"] }
[functions.BookTrip]
trigger = { type = "orchestrationTrigger" }
"#;

const SITE: &str = r#"
[app]
name = "site"
version = "1"
[components.a]
source = "a.wasm"
[functions.Page]
trigger = { type = "httpTrigger", route = "{*path}", methods = ["get"] }
[functions.Order]
trigger = { type = "httpTrigger", route = "api/orders", methods = ["post"] }
[functions.Counter]
trigger = { type = "entityTrigger" }
[host.http]
routePrefix = ""
"#;

fn alone(manifest: &str) -> Arc<Served> {
    Arc::new(served_alone(manifest, &Arc::new(World::default())))
}

fn both() -> Apps {
    let known = World::with([instance("known", RuntimeStatus::Running, 0)]);
    Apps::new(vec![alone(TRIPS), Arc::new(served_alone(SITE, &Arc::new(known)))])
}

fn head(method: &str, uri: &str) -> Parts {
    http::Request::builder().method(method).uri(uri).body(()).expect("a request").into_parts().0
}

fn check_functions(apps: &Apps, request: &str, expected: &str) {
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let found = apps.for_functions(&head(method, path));
    assert_eq!(found.map_or("nobody".to_owned(), |served| served.app.name.clone()), expected, "{request}");
}

#[test]
fn the_app_with_the_most_specific_route_answers() {
    let apps = both();
    check_functions(&apps, "GET /api/trips/1", "trips");
    check_functions(&apps, "GET /api/hotels/1", "site");
    check_functions(&apps, "GET /", "site");
    check_functions(&apps, "POST /api/orders", "site");
    // A function of another app before a wrong method of this one.
    check_functions(&apps, "GET /api/orders", "site");
    // Nobody has a function for it: whoever knows the path says which methods there are.
    check_functions(&apps, "DELETE /api/trips/1", "trips");
    check_functions(&Apps::new(vec![alone(TRIPS)]), "GET /elsewhere", "trips");
    check_functions(&Apps::new(Vec::new()), "GET /api/trips/1", "nobody");
}

fn check_management(apps: &Apps, request: &str, expected: &str) {
    let (method, rest) = request.split_once(' ').expect("a method and a path");
    let head = head(method, &format!("/runtime/webhooks/durabletask/{rest}"));
    let found = match apps.for_management(&head).now_or_never().expect("nothing waits") {
        Managed::App(served) => served.app.name.clone(),
        Managed::Unclear(hubs) => format!("one of {}", hubs.join(", ")),
        Managed::Nobody => "nobody".to_owned(),
    };
    assert_eq!(found, expected, "{request}");
}

#[test]
fn a_task_hub_is_named_or_found_by_what_is_in_it() {
    let apps = both();
    check_management(&apps, "GET instances?taskHub=SITE", "site");
    check_management(&apps, "GET instances?taskHub=other", "trips");
    check_management(&apps, "POST orchestrators/booktrip", "trips");
    check_management(&apps, "GET entities/counter/a", "site");
    check_management(&apps, "GET instances/known", "site");
    check_management(&apps, "GET instances/unknown", "trips");
    check_management(&apps, "GET instances", "one of trips, site");
    check_management(&Apps::new(vec![alone(SITE)]), "GET instances", "site");
    check_management(&Apps::new(Vec::new()), "GET instances", "nobody");
}

#[test]
fn a_version_takes_the_place_of_the_one_before() {
    let apps = both();
    let before = apps.named("TRIPS").expect("it is served");
    let replaced = apps.publish(alone(&TRIPS.replace("version = \"1\"", "version = \"2\"")));
    assert!(Arc::ptr_eq(&replaced.expect("there was one"), &before));
    let versions = |apps: &Apps| {
        let all = apps.all();
        all.iter().map(|served| format!("{} {}", served.app.name, served.app.version)).collect::<Vec<_>>()
    };
    assert_eq!(versions(&apps), ["trips 2", "site 1"]);
    assert!(apps.withdraw("site").is_some());
    assert!(apps.withdraw("site").is_none());
    assert_eq!(versions(&apps), ["trips 2"]);
    assert!(apps.with_function("Page").is_none());
}

fn check_differences(before: Option<&Served>, now: &Served, expected: &Expect) {
    let found = Differences::between(before, now);
    expected.assert_eq(&serde_json::to_string(&found).expect("JSON"));
}

#[test]
fn a_function_is_another_if_its_code_or_its_rules_are() {
    let before = served_alone(TRIPS, &Arc::new(World::default()));
    let all = expect![[r#"{"added":["ShowTrip","BookTrip"],"removed":[],"changed":[],"unchanged":[]}"#]];
    check_differences(None, &before, &all);
    let moved = TRIPS.replace("[functions.ShowTrip]", "# Shows one.\n[functions.ShowTrip]");
    let moved = served_alone(&moved, &Arc::new(World::default()));
    let none = expect![[r#"{"added":[],"removed":[],"changed":[],"unchanged":["ShowTrip","BookTrip"]}"#]];
    check_differences(Some(&before), &moved, &none);
    let other = TRIPS.replace("trips/{id}", "trips/{id:int}").replace("BookTrip", "Book");
    let mut other = served_alone(&other, &Arc::new(World::default()));
    let some = expect![[r#"{"added":["Book"],"removed":["BookTrip"],"changed":["ShowTrip"],"unchanged":[]}"#]];
    check_differences(Some(&before), &other, &some);
    other.components.insert("a".to_owned(), "another digest".to_owned());
    let rebuilt = Served { app: before.app.clone(), ..other };
    let code = expect![[r#"{"added":[],"removed":[],"changed":["ShowTrip","BookTrip"],"unchanged":[]}"#]];
    check_differences(Some(&before), &rebuilt, &code);
}

#[test]
fn equally_specific_routes_are_decided_by_name() {
    let loose = SITE.replace("api/orders", "api/trips/{id:minlength(1)}").replace("[\"post\"]", "[\"get\"]");
    let (trips, site) = (alone(&TRIPS.replace("{id}", "{id:int}")), alone(&loose));
    for apps in [vec![trips.clone(), site.clone()], vec![site, trips]] {
        check_functions(&Apps::new(apps), "GET /api/trips/1", "site");
    }
}

#[test]
fn who_cannot_tell_what_it_has_says_so_itself() {
    let broken = Arc::new(served_alone(SITE, &Arc::new(World::broken())));
    check_management(&Apps::new(vec![alone(TRIPS), broken]), "GET instances/unknown", "site");
}

#[tokio::test]
async fn a_version_is_over_when_nothing_listens_and_every_request_is_answered() {
    let mut tasks = JoinSet::new();
    let mut begin = |life: &Life| {
        let (end, listened) = Stop::new();
        (Version::new(life, listened, tasks.spawn(std::future::pending::<()>())), end)
    };
    let mut versions = Versions::default();
    let (first, second) = (Life::new(), Life::new());
    let (version, first_end) = begin(&first);
    versions.followed_by(version);
    assert!(!versions.older_are_at_work(), "the present one is not older");
    let (version, second_end) = begin(&second);
    versions.followed_by(version);
    assert!(versions.older_are_at_work());
    first_end.ask();
    assert!(!versions.older_are_at_work());
    second_end.ask();
    drop(first);
    assert!(versions.over().now_or_never().is_none(), "a request is under way");
    drop(second);
    assert!(versions.over().now_or_never().is_some());
    versions.give_up();
    let given_up = tasks.join_next().await.expect("two tasks");
    assert!(given_up.is_err_and(|error| error.is_cancelled()));
}

#[tokio::test]
async fn a_task_that_ends_before_it_should_is_a_failure() {
    let (tasks, mut failures) = Tasks::new();
    let (stop, stopping) = Stop::new();
    tasks.spawn("what stays", stopping.clone(), stopping.clone());
    tasks.spawn("what goes", stopping.clone(), async {});
    assert_eq!(failures.next().await, "a part of the host ended by itself: what goes");
    tasks.spawn("what breaks", stopping.clone(), async { break_off() });
    assert_eq!(failures.next().await, "a part of the host failed: what breaks; the log says why");
    stop.ask();
    tasks.ended().await;
    assert!(failures.next().now_or_never().is_none(), "what ends when it is told to is no failure");
}

fn break_off() {
    panic!("on purpose");
}
