//! Runs of activities: timeouts, heartbeats, revoked and lost leases.

use super::store::Done;
use super::world::{EXECUTION, World, activity, after};
use crate::Settings;
use futures::FutureExt;
use orchestration::{EventId, Json, Timeouts, Timestamp};
use ports::{Clock, GuestFault, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// An activity that gives a sign of life at each of these seconds, the last of which is its end.
fn world(beats: &'static [u64]) -> World {
    World::with(
        |app| {
            let clock = app.clock.clone();
            app.work = Arc::new(move |heartbeat| {
                let clock = clock.clone();
                async move {
                    for beat in beats {
                        clock.sleep_until(after(*beat)).await;
                        heartbeat.beat(Some(Json::from(beat.to_string())));
                    }
                    Ok(Ok(Json::from("\"done\"")))
                }
                .boxed()
            });
        },
        |_| {},
    )
}

fn seconds(run: Option<u64>, heartbeat: Option<u64>) -> Timeouts {
    Timeouts { run: run.map(Duration::from_secs), heartbeat: heartbeat.map(Duration::from_secs) }
}

/// What was handed in, and when.
fn handed_in(world: &World, timeouts: Timeouts) -> (String, Timestamp) {
    let mut done = world.activity(activity(timeouts));
    let Some(Done::HandedIn(result)) = done.pop() else { panic!("{done:?}") };
    let text = match result {
        Ok(output) => output.to_string(),
        Err(failure) => format!("{failure} (retriable: {})", !failure.non_retriable),
    };
    (text, world.clock.now())
}

#[test]
fn an_activity_ends_when_it_returns() {
    assert_eq!(handed_in(&world(&[5]), seconds(None, None)), ("\"done\"".to_owned(), after(5)));
    assert_eq!(handed_in(&world(&[5]), seconds(Some(6), Some(6))), ("\"done\"".to_owned(), after(5)));
}

#[test]
fn a_result_that_is_too_large_is_a_failure() {
    let result = |limit| {
        let work = |_| async { Ok(Ok(Json::from("\"done\""))) }.boxed();
        let limits = |settings: &mut Settings| settings.limits.max_payload_bytes = limit;
        handed_in(&World::with(|app| app.work = Arc::new(work), limits), seconds(None, None)).0
    };
    assert_eq!(result(6), "\"done\"");
    assert_eq!(
        result(5),
        "LimitExceeded: the activity 'Book' returned 6 bytes where at most 5 are allowed; store large values elsewhere and \
         return a reference, or raise host.durableTask.maxPayloadBytes (retriable: false)"
    );
}

#[test]
fn an_activity_is_stopped_at_its_timeout() {
    let (result, at) = handed_in(&world(&[5, 100]), seconds(Some(10), None));
    assert_eq!(at, after(10));
    assert_eq!(
        result,
        "ActivityTimeout: the activity 'Book' ran longer than its timeout of 10 s and was stopped; give it more time with \
         the timeout of the call or of its activityTrigger (retriable: true)"
    );
}

#[test]
fn an_activity_without_signs_of_life_is_stopped() {
    let (result, at) = handed_in(&world(&[20, 40, 100]), seconds(None, Some(30)));
    assert_eq!(at, after(70));
    assert_eq!(
        result,
        "ActivityHeartbeatTimeout: the activity 'Book' gave no heartbeat for 30 s and was stopped; let it beat more often, \
         or raise the heartbeat timeout of the call or of its activityTrigger (retriable: true)"
    );
    let (_, at) = handed_in(&world(&[31]), seconds(None, Some(30)));
    assert_eq!(at, after(30), "the beginning counts as a sign of life");
}

#[test]
fn a_beating_activity_runs_as_long_as_it_likes() {
    let (result, at) = handed_in(&world(&[20, 40, 60, 80, 100]), seconds(None, Some(30)));
    assert_eq!((result.as_str(), at), ("\"done\"", after(100)));
}

#[test]
fn the_timeouts_of_the_function_hold_where_the_call_names_none() {
    let with = |timeouts: Timeouts| {
        World::with(
            |app| {
                app.timeouts = timeouts;
                app.work = Arc::new(|_| futures::future::pending().boxed());
            },
            |_| {},
        )
    };
    assert_eq!(handed_in(&with(seconds(Some(10), None)), seconds(None, None)).1, after(10));
    assert_eq!(handed_in(&with(seconds(Some(10), None)), seconds(Some(20), None)).1, after(20));
    assert_eq!(handed_in(&with(seconds(None, Some(7))), seconds(Some(20), None)).1, after(7));
}

#[test]
fn a_fault_of_the_guest_is_the_failure_of_the_activity() {
    let fault = GuestFault::Trapped { function: "Book".to_owned(), message: "unreachable".to_owned() };
    let world =
        World::with(|app| app.work = Arc::new(move |_| futures::future::ready(Err(fault.clone())).boxed()), |_| {});
    let (result, _) = handed_in(&world, seconds(None, None));
    assert_eq!(result, "FunctionTrapped: function 'Book' trapped: unreachable (retriable: true)");
}

#[test]
fn an_activity_for_which_there_is_no_guest_is_given_back() {
    let fault = GuestFault::Unavailable { function: "Book".to_owned(), message: "no place".to_owned() };
    let world =
        World::with(|app| app.work = Arc::new(move |_| futures::future::ready(Err(fault.clone())).boxed()), |_| {});
    assert_eq!(world.activity(activity(seconds(None, None))), [Done::Abandoned { not_before: after(1) }]);
}

#[test]
fn a_revoked_lease_stops_an_activity_at_once() {
    let world = world(&[5, 100]);
    *world.store.revoked_at.lock().unwrap() = Some(after(10));
    assert_eq!(world.activity(activity(seconds(None, None))), []);
    assert_eq!(world.clock.now(), after(10));
}

#[test]
fn the_lease_of_an_activity_is_kept_while_it_runs() {
    let done = world(&[100]).activity(activity(seconds(None, None)));
    let renewed = [30, 60, 90].map(|second| Done::Renewed { at: after(second) });
    assert_eq!(done[..3], renewed);
    assert_eq!(done[3..], [Done::HandedIn(Ok(Json::from("\"done\"")))]);
}

#[test]
fn an_activity_whose_lease_is_lost_is_not_handed_in() {
    let world = world(&[100]);
    *world.store.renewal.lock().unwrap() = Err(StoreError::LeaseLost { what: "it".to_owned() });
    assert_eq!(world.activity(activity(seconds(None, None))), [Done::Renewed { at: after(30) }]);
}

#[test]
fn a_renewal_that_fails_is_tried_again() {
    let world = world(&[50]);
    *world.store.renewal.lock().unwrap() = Err(StoreError::Unavailable { detail: "busy".to_owned() });
    let done = world.activity(activity(seconds(None, None)));
    assert_eq!(done[..2], [Done::Renewed { at: after(30) }, Done::Renewed { at: after(45) }]);
    assert_eq!(done.last(), Some(&Done::HandedIn(Ok(Json::from("\"done\"")))));
}

#[test]
fn the_progress_of_an_activity_is_known_while_it_runs() {
    let world = world(&[20, 40]);
    let key = (EXECUTION, EventId(0));
    let running = world.hub.inner.run_activity(activity(seconds(None, None)));
    let mut running = Box::pin(running);
    assert_eq!(world.clock.run_until(after(10), &mut running), None);
    let began = world.hub.inner.running.progress(key).expect("it runs");
    assert_eq!((began.since, began.last_heartbeat, began.details), (after(0), None, None));
    assert_eq!(world.clock.run_until(after(30), &mut running), None);
    let going = world.hub.inner.running.progress(key).expect("it runs");
    assert_eq!((going.last_heartbeat, going.details), (Some(after(20)), Some(Json::from("20"))));
    world.clock.run(running);
    assert_eq!(world.hub.inner.running.progress(key), None);
}
