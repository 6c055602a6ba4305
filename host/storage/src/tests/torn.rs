//! What a crash of the whole machine leaves: of each step that touches several records all or nothing, whichever commit was
//! the last that reached the disk.

use super::user::{HOUR, entity, put, queue, receipt, receive, table};
use super::world::{START, World, continuing, copy_folder, ending, execution, folder, id, kinds, later, new, waiting};
use crate::{Settings, embedded};
use orchestration::{Checkpoint, EntityRecord, Event, EventKind, InstanceRow, Json, Reuse, RuntimeStatus, TurnRecord};
use ports::{
    DocumentStore, DocumentWrite, EffectStore, Effects, EntitiesQuery, EntityWrite, Expecting, InstanceKind,
    InstanceQuery, InstanceStore, Metadata, NewMessage, QueueStore, Sent, TableStore, TurnWork, WorkStore,
};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

const COUNTER: &str = "@counter@1";

/// The newest journal of a store.
pub(super) fn journal(path: &Path) -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path.join("rows"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jnl"))
        .collect();
    found.sort();
    found.pop().unwrap()
}

/// How many bytes of a journal are in use: it is made longer than it is.
pub(super) fn used(path: &Path) -> usize {
    let bytes = std::fs::read(path).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Cuts the journal at many places between `from` and its end, and calls `check` with each store that is left. Answers
/// with what `check` answered, by growing length.
async fn cut<T>(world: &World, from: usize, mut check: impl AsyncFnMut(&crate::TaskHub) -> T) -> Vec<T> {
    let journal = journal(world.path());
    let full = used(&journal);
    assert!(from < full, "there is something to cut");
    let step = ((full - from) / 12).max(1);
    let mut answers = Vec::new();
    for length in (from..full).step_by(step).chain([full]) {
        let copy = folder();
        copy_folder(world.path(), copy.path());
        let torn = copy.path().join("rows").join(journal.file_name().unwrap());
        OpenOptions::new().write(true).open(torn).unwrap().set_len(length as u64).unwrap();
        let clock = std::sync::Arc::clone(&world.clock) as std::sync::Arc<dyn ports::Clock>;
        let hub = embedded(copy.path(), clock, Settings::default()).unwrap();
        answers.push(check(&hub).await);
    }
    answers
}

/// The answers are first `before`, then `after`, and both are there.
fn check_one_step<T: PartialEq + std::fmt::Debug>(answers: &[T], before: &T, after: &T) {
    assert_eq!((answers.first(), answers.last()), (Some(before), Some(after)));
    let steps = answers.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(steps, 1, "{answers:?}");
}

fn recorded(turn: u32) -> TurnRecord {
    let kind = EventKind::ExecutionRewound { reason: "again".to_owned() };
    TurnRecord { turn, events: vec![Event { at: START, kind }] }
}

async fn turn(hub: &crate::TaskHub) -> Option<Vec<String>> {
    super::world::ready(hub.take_turn()).await.map(|work| kinds(&work.unwrap()))
}

#[tokio::test]
async fn waiting_messages_survive() {
    let world = World::embedded();
    for name in ["one", "two", "three"] {
        world.raise(&id(COUNTER), name).await;
    }
    let work = world.turn().await;
    let before = used(&journal(world.path()));
    let mut checkpoint = with_state(&work, "1");
    checkpoint.consumed.truncate(1);
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.no_turn().await;
    let answers = cut(&world, before, async |hub| {
        let state = hub.read(&id(COUNTER), false).await.unwrap().map(|view| view.row.entity);
        (state.is_some(), turn(hub).await.unwrap())
    });
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    check_one_step(&answers.await, &(false, names(&["one", "two", "three"])), &(true, names(&["two", "three"])));
}

#[tokio::test]
async fn delayed_messages_survive() {
    let world = World::embedded();
    let a = world.start("a").await;
    world.raise(&a, "go").await;
    let work = world.turn().await;
    let before = used(&journal(world.path()));
    let mut checkpoint = waiting(&work);
    checkpoint.messages = vec![later(&id(COUNTER), "later", 10)];
    let mut child = new("c");
    child.started.options.start_at = Some(START.saturating_add(Duration::from_secs(10)));
    checkpoint.children = vec![child];
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.no_turn().await;
    let answers = cut(&world, before, async |hub| {
        let mut scheduled = Vec::new();
        for name in [COUNTER, "c"] {
            scheduled.push(hub.pending(&id(name)).await.unwrap().map(|pending| pending.scheduled.len()));
        }
        (turn(hub).await, scheduled)
    });
    let before = (Some(vec!["go".to_owned()]), vec![None, None]);
    check_one_step(&answers.await, &before, &(None, vec![Some(1), Some(1)]));
    world.clock.advance(Duration::from_secs(10));
    let copy = world.copy();
    assert_eq!(kinds(&copy.turn().await), ["later"]);
    assert_eq!(kinds(&copy.turn().await), ["ExecutionStarted"]);
    copy.no_turn().await;
}

#[tokio::test]
async fn a_rewind_is_one_step() {
    let world = World::embedded();
    let a = world.start("a").await;
    for turn in 0..4 {
        world.raise(&a, "x").await;
        let work = world.turn().await;
        let checkpoint = if turn < 3 { waiting(&work) } else { ending(&work, RuntimeStatus::Failed) };
        world.commit(&work.lease, checkpoint).await.unwrap();
    }
    let mut request = later(&a, "", 0);
    request.kind = orchestration::MessageKind::RewindRequested { reason: String::new(), parent: None, latest: false };
    assert_eq!(world.send(request).await, Ok(Sent::Yes));
    let work = world.turn().await;
    let before = used(&journal(world.path()));
    let mut checkpoint = continuing(&work, "next");
    checkpoint.rewritten = Some(vec![recorded(0), recorded(1)]);
    (checkpoint.row.turns, checkpoint.row.completed_at) = (2, None);
    checkpoint.next_input = Some(Json::from("2"));
    world.commit(&work.lease, checkpoint).await.unwrap();
    let answers = cut(&world, before, async |hub| {
        let view = hub.read(&a, true).await.unwrap().unwrap();
        let mut lengths = Vec::new();
        for of in ["a", "next"] {
            lengths.push(hub.history(&a, execution(of)).await.unwrap().len());
        }
        let input = view.input.map(|input| input.to_string());
        (view.row.execution, view.row.status, input, lengths, turn(hub).await.unwrap())
    });
    let input = |input: &str| Some(input.to_owned());
    let before = (execution("a"), RuntimeStatus::Failed, input("1"), vec![5, 0], vec!["RewindRequested".to_owned()]);
    let after =
        (execution("next"), RuntimeStatus::Running, input("2"), vec![0, 2], vec!["ExecutionStarted".to_owned()]);
    check_one_step(&answers.await, &before, &after);
}

/// The checkpoint of a batch that leaves the entity with this state and consumes all.
fn with_state(work: &TurnWork, state: &str) -> Checkpoint {
    let entity = EntityRecord { state: Some(Json::from(state)), lock: None, last_operation_at: Some(START) };
    let row = InstanceRow { entity: Some(Box::new(entity)), ..work.row.clone() };
    Checkpoint::of_row(row, waiting(work).consumed)
}

#[tokio::test]
async fn the_removal_of_an_entity_is_one_step() {
    let world = World::embedded();
    world.raise(&id(COUNTER), "set").await;
    let work = world.turn().await;
    world.commit(&work.lease, with_state(&work, "1")).await.unwrap();
    world.raise(&id(COUNTER), "delete").await;
    let work = world.turn().await;
    let before = used(&journal(world.path()));
    let gone = InstanceRow::new_entity(id(COUNTER), START);
    let checkpoint = Checkpoint::of_row(gone, waiting(&work).consumed);
    world.commit(&work.lease, Checkpoint { remove: true, ..checkpoint }).await.unwrap();
    let answers = cut(&world, before, async |hub| {
        let query = InstanceQuery { kind: InstanceKind::Entities, ..InstanceQuery::default() };
        let listed = hub.query(&query).await.unwrap().instances.len();
        (hub.read(&id(COUNTER), false).await.unwrap().is_some(), listed, turn(hub).await)
    });
    check_one_step(&answers.await, &(true, 1, Some(vec!["delete".to_owned()])), &(false, 0, None));
}

#[tokio::test]
async fn a_replacement_with_its_farewell_is_one_step() {
    let world = World::embedded();
    world.start("mother").await;
    let mut child = new("c");
    child.started.parent = Some(orchestration::Parent {
        instance: id("mother"),
        execution: execution("mother"),
        name: "Hello".to_owned(),
        scheduled: orchestration::EventId(1),
    });
    world.create(child, Reuse::NEVER).await.unwrap();
    let work = world.turn().await;
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    let before = used(&journal(world.path()));
    world.create(super::world::new_execution("c", "new"), Reuse::ANY).await.unwrap();
    let answers = cut(&world, before, async |hub| {
        let row = hub.read(&id("c"), false).await.unwrap().unwrap().row;
        let mut turns: Vec<_> = [turn(hub).await, turn(hub).await].into_iter().flatten().flatten().collect();
        turns.sort();
        (row.execution, turns)
    });
    let turns = ["ExecutionStarted", "SubOrchestrationInstanceFailed"].map(str::to_owned).to_vec();
    check_one_step(&answers.await, &(execution("c"), Vec::new()), &(execution("new"), turns));
}

/// Everything that a function's effects leave.
#[derive(Clone, PartialEq, Debug)]
struct Left {
    messages: [u64; 2],
    entities: usize,
    document: bool,
    turns: Vec<String>,
}

async fn left(hub: &crate::TaskHub) -> Left {
    let messages = async |name| hub.queue(&queue(name)).await.map_or(0, |view| view.messages);
    let query = EntitiesQuery { table: table("Trips"), filter: None, limit: 9, from: None };
    let mut turns = Vec::new();
    while let Some(turn) = turn(hub).await {
        turns.extend(turn);
    }
    Left {
        messages: [messages("orders").await, messages("out").await],
        entities: hub.entities(&query).await.map_or(0, |page| page.entities.len()),
        document: hub.document("timers/a").await.unwrap().is_some(),
        turns,
    }
}

#[tokio::test]
async fn the_effects_of_a_function_are_one_step() {
    let world = World::embedded();
    world.create_queue(&queue("orders"), Metadata::new()).await.unwrap();
    put(&world, &queue("orders"), "in").await;
    let message = receive(&world, &queue("orders"), 1, HOUR).await.remove(0);
    let before = used(&journal(world.path()));
    let effects = Effects {
        consumed: vec![receipt(&queue("orders"), &message)],
        messages: vec![(queue("out"), NewMessage::new("one")), (queue("out"), NewMessage::new("two"))],
        entities: vec![(table("Trips"), EntityWrite::Insert(entity("a", "1", &[("x", 1)])))],
        starts: vec![new("a"), new("b")],
        documents: vec![DocumentWrite {
            name: "timers/a".to_owned(),
            expecting: Expecting::Nothing,
            content: Some(b"1".to_vec()),
        }],
    };
    world.commit_effects(effects).await.unwrap();
    let answers = cut(&world, before, async |hub| left(hub).await).await;
    let nothing = Left { messages: [1, 0], entities: 0, document: false, turns: Vec::new() };
    let turns = vec!["ExecutionStarted".to_owned(); 2];
    check_one_step(&answers, &nothing, &Left { messages: [0, 2], entities: 1, document: true, turns });
}

#[tokio::test]
async fn the_removal_of_a_queue_is_one_step() {
    let world = World::embedded();
    world.create_queue(&queue("orders"), Metadata::new()).await.unwrap();
    for text in ["a", "b", "c"] {
        put(&world, &queue("orders"), text).await;
    }
    let before = used(&journal(world.path()));
    world.delete_queue(&queue("orders")).await.unwrap();
    let answers = cut(&world, before, async |hub| {
        let there = hub.queue(&queue("orders")).await.map(|view| view.messages).ok();
        // Whatever is left of it, a new one has nothing of it.
        hub.create_queue(&queue("orders"), Metadata::new()).await.unwrap();
        (there, hub.queue(&queue("orders")).await.unwrap().messages)
    });
    check_one_step(&answers.await, &(Some(3), 3), &(None, 0));
}
