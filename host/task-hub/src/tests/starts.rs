//! The client: starts, first and again.

use super::store::Done;
use super::world::{Caller, after, id, row};
use orchestration::{ExecutionStarted, InstanceRow, Json, NewInstance, Reuse, RuntimeStatus, StartOptions, Tags};
use ports::{ClientError, StartRequest};

fn request(id: Option<&str>) -> StartRequest {
    StartRequest { instance_id: id.map(str::to_owned), ..StartRequest::new("tRaVeL", Json::from("1")) }
}

fn keyed(id: Option<&str>, name: &str, key: &str) -> StartRequest {
    StartRequest { name: name.to_owned(), idempotency_key: Some(key.to_owned()), ..request(id) }
}

/// What was created by the last call.
fn created(caller: &Caller) -> NewInstance {
    let mut done = caller.store.done();
    let Some(Done::Created(new)) = done.pop() else { panic!("{done:?}") };
    assert_eq!(done, []);
    *new
}

fn invalid(answer: Result<impl std::fmt::Debug, ClientError>) -> String {
    let Err(ClientError::Invalid(why)) = answer else { panic!("{answer:?}") };
    why
}

#[test]
fn a_start_carries_version_and_app() {
    let caller = Caller::new();
    let id = caller.run(|client| async move { client.start(request(None)).await }).unwrap();
    let NewInstance { id: new, started, at, reuse, otherwise, idempotency_key } = created(&caller);
    assert_eq!(
        (id.as_str().len(), &id, at, reuse, otherwise, idempotency_key),
        (32, &new, after(0), Reuse::ENDED, None, None)
    );
    let ExecutionStarted { name, input, options, pinned_to, parent, depth, .. } = started;
    assert_eq!((name.as_str(), input, parent, depth), ("Travel", Json::from("1"), None, 0));
    assert_eq!((options.version.as_deref(), pinned_to.as_deref()), (Some("1.5"), Some("present")));
}

#[test]
fn a_start_names_its_own_version_tags_and_moment() {
    let caller = Caller::new();
    let tags = Tags::from([("team".to_owned(), "blue".to_owned())]);
    let options = StartOptions { version: Some("2".to_owned()), tags, start_at: Some(after(60)) };
    let asked = StartRequest { options: options.clone(), ..request(Some("a")) };
    caller.run(|client| async move { client.start(asked).await }).unwrap();
    assert_eq!(created(&caller).started.options, options);
}

#[test]
fn a_start_that_is_wrong_creates_nothing() {
    let caller = Caller::new();
    let long = |len: usize| "x".repeat(len);
    let tagged = |name: &str, value: &str| {
        let tags = Tags::from([(name.to_owned(), value.to_owned())]);
        StartRequest { options: StartOptions { tags, ..StartOptions::default() }, ..request(None) }
    };
    let wrong = [
        (
            StartRequest::new("Other", Json::null()),
            "the function 'Other' doesn't exist, is disabled, or is not an orchestrator",
        ),
        (
            StartRequest { input: Json::from(long(101)), ..request(None) },
            "the input has 101 bytes; at most 100 are allowed",
        ),
        (request(Some("@counter@a")), "the instance id starts with '@'"),
        (request(Some("a/b")), "the instance id contains '/'"),
        (request(Some("")), "the instance id is empty"),
        (keyed(None, "Travel", ""), "the idempotency key has 0 bytes; give 1 to 256"),
        (keyed(None, "Travel", &long(257)), "the idempotency key has 257 bytes"),
        (tagged("", "x"), "the name of a tag has 0 bytes"),
        (tagged("x", &long(100)), "the text of all tags has 101 bytes"),
    ];
    for (asked, expected) in wrong {
        let why = invalid(caller.run(|client| async move { client.start(asked).await }));
        assert!(why.starts_with(expected), "{why}");
    }
    assert_eq!(caller.store.done(), []);
}

#[test]
fn an_id_can_be_used_again_as_the_policy_says() {
    let at_work = [RuntimeStatus::Pending, RuntimeStatus::Running, RuntimeStatus::Suspended];
    for status in RuntimeStatus::ALL.into_iter().filter(|status| *status != RuntimeStatus::ContinuedAsNew) {
        for (reuse, may) in [
            (None, !at_work.contains(&status)),
            (Some(Reuse::NEVER), false),
            (Some(Reuse::ANY), true),
            (Some(Reuse::of([RuntimeStatus::Failed])), status == RuntimeStatus::Failed),
        ] {
            let caller = Caller::new();
            caller.store.put(InstanceRow { status, ..row(1) });
            let asked = StartRequest { reuse, ..request(Some("trip")) };
            let answer = caller.run(|client| async move { client.start(asked).await });
            let expected =
                if may { Ok(id("trip")) } else { Err(ClientError::AlreadyExists { id: "trip".to_owned(), status }) };
            assert_eq!(answer, expected);
        }
    }
}

#[test]
fn a_key_starts_once() {
    let caller = Caller::new();
    let start = |asked: StartRequest| caller.run(|client| async move { client.start(asked).await });
    let first = start(keyed(None, "Travel", "order 17")).unwrap();
    assert_eq!((first.as_str().len(), created(&caller).idempotency_key.as_deref()), (32, Some("order 17")));
    assert_eq!(start(keyed(None, "travel", "order 17")).as_ref(), Ok(&first));
    assert_eq!(caller.store.done(), [], "the second start changes nothing");

    let (ended, _) = caller.store.rows.lock().unwrap()[&first].clone();
    caller.store.put(InstanceRow { status: RuntimeStatus::Completed, ..ended });
    assert_eq!(start(keyed(None, "Travel", "order 17")).as_ref(), Ok(&first));
    assert_eq!(caller.store.done(), [], "also when the first has ended");

    assert_ne!(start(keyed(None, "Travel", "order 18")).as_ref(), Ok(&first));
    let why = invalid(start(keyed(None, "Report", "order 17")));
    let expected = format!(
        "the idempotency key 'order 17' was used to start the orchestrator 'Travel' (instance '{first}'), and now for \
         'Report'; use another key"
    );
    assert_eq!(why, expected);
}

#[test]
fn a_key_belongs_to_its_hub() {
    let start = |hub: &str| {
        let caller = Caller::with(|settings| settings.hub_name = hub.to_owned());
        caller.run(|client| async move { client.start(keyed(None, "Travel", "order 17")).await }).unwrap()
    };
    assert_eq!(start("One"), start("one"));
    assert_ne!(start("One"), start("Two"));
}

#[test]
fn a_key_goes_with_a_chosen_id() {
    let caller = Caller::new();
    let start = |asked: StartRequest| caller.run(|client| async move { client.start(asked).await });
    assert_eq!(start(keyed(Some("trip"), "Travel", "order 17")), Ok(id("trip")));
    created(&caller);
    assert_eq!(start(keyed(Some("trip"), "Travel", "order 17")), Ok(id("trip")));
    assert_eq!(caller.store.done(), []);
    let status = RuntimeStatus::Pending;
    let taken = Err(ClientError::AlreadyExists { id: "trip".to_owned(), status });
    assert_eq!(start(keyed(Some("trip"), "Travel", "order 18")), taken, "another start's instance is at work");

    caller.store.put(InstanceRow { status: RuntimeStatus::Failed, ..row(1) });
    assert_eq!(start(keyed(Some("trip"), "Travel", "order 18")), Ok(id("trip")));
    assert_eq!(created(&caller).idempotency_key.as_deref(), Some("order 18"));
}

fn ended() -> InstanceRow {
    let tags = Tags::from([("team".to_owned(), "blue".to_owned())]);
    let options = StartOptions { version: Some("0.9".to_owned()), tags, start_at: Some(after(0)) };
    let (status, pinned_to) = (RuntimeStatus::Completed, Some("old".to_owned()));
    InstanceRow { status, options, pinned_to, idempotency_key: Some("k".to_owned()), ..row(1) }
}

#[test]
fn a_restart_repeats_the_start_on_the_present_app() {
    for (with_new_id, reuse, key) in [(true, Reuse::NEVER, None), (false, Reuse::ENDED, Some("k"))] {
        let caller = Caller::new();
        caller.store.put(ended());
        let id = caller.run(|client| async move { client.restart("trip", with_new_id).await }).unwrap();
        assert_eq!(id.as_str() != "trip", with_new_id);
        let new = created(&caller);
        assert_eq!((new.reuse, new.idempotency_key.as_deref()), (reuse, key));
        let options = StartOptions { start_at: None, ..ended().options };
        assert_eq!(
            (new.started.name.as_str(), new.started.input, new.started.options),
            ("Travel", Json::from("\"input\""), options)
        );
        assert_eq!(new.started.pinned_to.as_deref(), Some("present"));
    }
}

#[test]
fn a_restart_is_refused_when_it_cannot_be() {
    let caller = Caller::new();
    let restart = |with_new_id| caller.run(|client| async move { client.restart("trip", with_new_id).await });
    assert_eq!(restart(true), Err(ClientError::NotFound("trip".to_owned())));
    caller.store.put(row(1));
    let status = RuntimeStatus::Running;
    assert_eq!(restart(false), Err(ClientError::AlreadyExists { id: "trip".to_owned(), status }));
    assert!(restart(true).is_ok(), "under a new id, one at work can be repeated too");
    caller.store.put(InstanceRow { name: "Gone".to_owned(), ..ended() });
    assert!(invalid(restart(true)).starts_with("the function 'Gone' doesn't exist"));
}
