//! Rewind: from a failed history to one that goes on.

mod calls;
mod children;
mod retries;
mod sections;

use super::author::{Ctx, Outcome};
use super::fixtures::{activity, child, event, first_turn, row, terminate, timer};
use super::world::{Scenario, at};
use super::{fail, ok};
use crate::{
    ActivityTask, Envelope, Event, EventId, EventKind, ExecutionId, Failure, InstanceId, InstanceRow, Json, Message,
    MessageKind, Origin, Parent, PresentApp, Reuse, RuntimeStatus, rewind, set_aside,
};
use expect_test::{Expect, expect};
use std::cell::RefCell;

/// An activity that fails in so many executions, and succeeds in all later ones.
fn fails_in(executions: usize) -> impl Fn(&ActivityTask) -> Outcome {
    let seen: RefCell<Vec<ExecutionId>> = RefCell::default();
    move |task| {
        let mut seen = seen.borrow_mut();
        let place = seen.iter().position(|execution| *execution == task.execution).unwrap_or_else(|| {
            seen.push(task.execution);
            seen.len() - 1
        });
        if place < executions { fail("Flaky") } else { Ok(Json::from(format!("{}({})", task.name, task.input))) }
    }
}

/// Compares the story without the histories that failed before.
fn check_rewound(scenario: &Scenario, expected: &Expect) {
    let story = scenario.story();
    let (mut lines, mut instance) = (Vec::new(), 0);
    for line in story.lines() {
        if line == "is rewound" {
            lines.truncate(instance);
            continue;
        }
        if !line.starts_with(' ') {
            instance = lines.len();
        }
        lines.push(line);
    }
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

/// Calls `First`, then `Flaky`, then `Last`.
async fn three_steps(ctx: Ctx, _: Json) -> Outcome {
    let mut seen = Vec::new();
    for name in ["First", "Flaky", "Last"] {
        seen.push(ctx.call(name, "1").await?.to_string());
    }
    ok(seen.join(" "))
}

fn parent(execution: u128, scheduled: u32) -> Parent {
    let instance = InstanceId::parse("boss").unwrap();
    let execution = ExecutionId::from_random(execution);
    Parent { instance, execution, name: "Boss".to_owned(), scheduled: EventId(scheduled) }
}

fn demand(parent: Option<Parent>, latest: bool) -> MessageKind {
    MessageKind::RewindRequested { reason: "once more".to_owned(), parent, latest }
}

fn messages(kinds: Vec<MessageKind>) -> Vec<Message> {
    (1..).zip(kinds).map(|(n, kind)| Message { origin: Origin::Inbox(n), execution: None, kind }).collect()
}

/// A history that failed in its second turn, with an activity, a child and a timer open.
fn failed() -> (InstanceRow, Vec<Event>) {
    let (events, _) = first_turn([activity(0), child(1), timer(2), activity(3)]).into_parts();
    let failure = Failure::new("Flaky", "no luck");
    let second = [
        EventKind::OrchestratorStarted,
        EventKind::TaskFailed { scheduled: EventId(3), failure: failure.clone() },
        EventKind::ExecutionCompleted { status: RuntimeStatus::Failed, output: None, failure: Some(failure.clone()) },
        EventKind::OrchestratorCompleted,
    ];
    let row = InstanceRow {
        failure: Some(failure),
        completed_at: Some(at(1)),
        parent: Some(parent(5, 7)),
        pinned_to: Some("old".to_owned()),
        turns: 2,
        ..row(RuntimeStatus::Failed)
    };
    (row, events.into_iter().chain(second.map(event)).collect())
}

fn present() -> PresentApp {
    PresentApp { digest: Some("new".to_owned()), default_version: Some("2.0".to_owned()) }
}

fn row_id() -> InstanceId {
    InstanceId::parse("main").unwrap()
}

#[test]
fn the_first_step_names_the_new_execution_everywhere() {
    for (latest, app) in [(false, "old"), (true, "new")] {
        let (row, history) = failed();
        let demands = messages(vec![demand(None, latest), demand(Some(parent(6, 7)), false)]);
        let checkpoint = rewind(&row, history, demands, at(9), &present()).unwrap();
        let new = checkpoint.row.execution;
        assert_ne!(new, row.execution);
        assert_eq!(checkpoint.execution, row.execution);
        assert_eq!(checkpoint.consumed, [Origin::Inbox(1), Origin::Inbox(2)]);
        let expected = InstanceRow {
            execution: new,
            status: RuntimeStatus::Running,
            updated_at: at(9),
            completed_at: None,
            failure: None,
            parent: Some(parent(6, 7)),
            pinned_to: Some(app.to_owned()),
            turns: 1,
            events: 7,
            ..row
        };
        assert_eq!(checkpoint.row, expected);
        let started =
            checkpoint.rewritten.unwrap().into_iter().flat_map(|turn| turn.events).find_map(|event| {
                if let EventKind::ExecutionStarted(started) = event.kind { Some(started) } else { None }
            });
        let started = started.unwrap();
        assert_eq!((started.execution, started.pinned_to.as_deref()), (new, Some(app)));
        assert_eq!(checkpoint.cancelled_activities, [EventId(0)], "the first one must not run twice");
        let activities: Vec<_> =
            checkpoint.activities.iter().map(|task| (task.id, task.execution, task.attempt)).collect();
        assert_eq!(activities, [(EventId(0), new, 1), (EventId(3), new, 1)]);
        assert!(checkpoint.activities.iter().all(|task| task.pinned_to.as_deref() == Some(app)));
        assert_eq!(checkpoint.timers.iter().map(|timer| timer.id).collect::<Vec<_>>(), [EventId(2)]);
        let [kid] = &checkpoint.children[..] else { panic!("one child") };
        assert_eq!((kid.reuse, kid.started.pinned_to.as_deref()), (Reuse::NEVER, Some(app)));
        let waits = kid.started.parent.clone().unwrap();
        assert_eq!((&waits.instance, waits.execution, waits.scheduled), (&row_id(), new, EventId(1)));
        let otherwise = kid.otherwise.clone().unwrap();
        assert_eq!(otherwise.kind, demand(Some(waits), latest));
        let again = MessageKind::ExecutionRewound { reason: "once more".to_owned(), again: Vec::new() };
        assert_eq!(checkpoint.messages, [Envelope::new(row_id(), Some(new), again)]);
    }
}

/// Whoever takes an instance at work for one that has ended loses nothing.
#[test]
fn an_instance_at_work_is_not_taken_back() {
    let row = InstanceRow { parent: Some(parent(5, 7)), ..row(RuntimeStatus::Running) };
    let all = messages(vec![demand(Some(parent(6, 7)), false), terminate("null")]);
    let checkpoint = rewind(&row, Vec::new(), all, at(9), &present()).unwrap();
    assert_eq!((checkpoint.consumed, checkpoint.more), (vec![Origin::Inbox(1)], true));
    assert_eq!(checkpoint.row.parent, Some(parent(6, 7)));
    assert_eq!((checkpoint.row.execution, checkpoint.row.status), (row.execution, RuntimeStatus::Running));
}

/// Nothing ended its history: all of it stays, and what is open begins anew.
#[test]
fn an_instance_that_was_set_aside_goes_on_as_it_was() {
    let (events, _) = first_turn([activity(0), timer(1)]).into_parts();
    let aside = set_aside(&row(RuntimeStatus::Running), Vec::new(), Failure::new("Trapped", "again and again"), at(3));
    let checkpoint =
        rewind(&aside.row, events.clone(), messages(vec![demand(None, false)]), at(9), &present()).unwrap();
    assert_eq!((checkpoint.row.status, checkpoint.row.failure), (RuntimeStatus::Running, None));
    let kept: Vec<_> = checkpoint.rewritten.unwrap().into_iter().flat_map(|turn| turn.events).collect();
    assert_eq!(kept.len(), events.len());
    assert_eq!((checkpoint.activities.len(), checkpoint.timers.len()), (1, 1));
}

#[test]
fn what_is_no_history_cannot_be_taken_back() {
    let (row, mut history) = failed();
    history.remove(2);
    let why = rewind(&row, history, messages(vec![demand(None, false)]), at(9), &present()).unwrap_err();
    expect!["event 2 of the history, SubOrchestrationInstanceCreated, cannot stand there: its number does not follow the last one"]
        .assert_eq(&why.to_string());
}
