//! Turns of failed instances that are rewound.

use super::clock::START;
use super::store::Done;
use super::world::{EXECUTION, World, events, first_turn, id, raise, row, started, turn};
use crate::Settings;
use orchestration::{
    Event, EventId, EventKind, ExecutionId, Failure, InstanceRow, Message, MessageKind, Parent, PresentApp,
    RuntimeStatus,
};
use ports::{StoreError, TurnWork};

fn failed() -> InstanceRow {
    let failure = Some(Failure::new("E", "no"));
    InstanceRow { status: RuntimeStatus::Failed, failure, pinned_to: Some("old".to_owned()), ..row(1) }
}

fn history() -> Vec<Event> {
    let (status, failure) = (RuntimeStatus::Failed, Some(Failure::new("E", "no")));
    events([
        EventKind::OrchestratorStarted,
        EventKind::ExecutionStarted(started()),
        EventKind::ExecutionCompleted { status, output: None, failure },
        EventKind::OrchestratorCompleted,
    ])
}

fn demand(latest: bool, parent: Option<Parent>) -> MessageKind {
    MessageKind::RewindRequested { reason: "again".to_owned(), parent, latest }
}

fn world(history: Result<Vec<Event>, StoreError>) -> World {
    let digest = Some("present".to_owned());
    let world = World::with(|_| {}, |settings| settings.present = PresentApp { digest, default_version: None });
    *world.store.history.lock().unwrap() = history;
    world
}

#[test]
fn a_failed_instance_goes_on_under_a_new_execution() {
    for (latest, app) in [(false, "old"), (true, "present")] {
        let world = world(Ok(history()));
        let done = world.turn(turn(failed(), vec![demand(latest, None)]));
        let checkpoint = World::committed(&done);
        assert_ne!(checkpoint.row.execution, EXECUTION);
        assert_eq!((&checkpoint.row.failure, checkpoint.row.pinned_to.as_deref()), (&None, Some(app)));
        assert_eq!(checkpoint.rewritten.as_deref(), Some(&[][..]), "nothing but the start came before the failure");
        assert_eq!(checkpoint.messages.len(), 1, "it tells itself to go on");
        assert!(world.app.begun.lock().unwrap().is_empty(), "no code runs");
    }
}

#[test]
fn a_demand_for_an_earlier_execution_rewinds_nothing() {
    let late = |work: TurnWork| {
        let stale = |message| Message { execution: Some(ExecutionId::from_random(99)), ..message };
        TurnWork { messages: work.messages.into_iter().map(stale).collect(), ..work }
    };
    let done = world(Ok(history())).turn(late(turn(failed(), vec![demand(false, None)])));
    let checkpoint = World::committed(&done);
    assert_eq!((checkpoint.row.status, checkpoint.row.execution), (RuntimeStatus::Failed, EXECUTION));
    assert_eq!((checkpoint.consumed.len(), checkpoint.messages.len()), (1, 0));
}

#[test]
fn an_instance_whose_history_is_corrupt_stays_failed() {
    let corrupt = StoreError::Corrupt { record: "history 'trip'/0".to_owned(), detail: "unexpected end".to_owned() };
    let parent = |execution| Parent {
        instance: id("parent"),
        execution: ExecutionId::from_random(execution),
        name: "Plan".to_owned(),
        scheduled: EventId(4),
    };
    for history in [Err(corrupt), Ok([first_turn(), first_turn()].concat())] {
        let row = InstanceRow { parent: Some(parent(2)), ..failed() };
        let done = world(history).turn(turn(row, vec![demand(false, Some(parent(3)))]));
        let checkpoint = World::committed(&done);
        let failure = checkpoint.row.failure.as_ref().expect("it has failed");
        assert_eq!((checkpoint.row.status, failure.error_type.as_str()), (RuntimeStatus::Failed, "CorruptHistory"));
        let heard = checkpoint.messages.first().expect("the parent is not left waiting");
        assert_eq!(heard.execution, Some(ExecutionId::from_random(3)));
    }
}

#[test]
fn a_store_that_is_unavailable_rewinds_nothing() {
    let world = world(Err(StoreError::Unavailable { detail: "busy".to_owned() }));
    let done = world.turn(turn(failed(), vec![demand(false, None)]));
    assert_eq!(done, [Done::Abandoned { not_before: START.saturating_add(Settings::TURN_RETRY_PAUSE) }]);
}

#[test]
fn an_instance_at_work_is_not_rewound() {
    let world = world(Ok(first_turn()));
    let done = world.turn(turn(row(1), vec![demand(false, None), raise("go")]));
    let checkpoint = World::committed(&done);
    assert_eq!((checkpoint.row.status, &checkpoint.rewritten), (RuntimeStatus::Running, &None));
    assert_eq!(checkpoint.consumed.len(), 2, "the demand is ignored, and the event heard in the same turn");
}
