//! The statuses of an instance and how it goes from one to the other, against a small model.

use super::fixtures::{raised, schedule_task, terminate};
use super::world::{BEGIN, at};
use crate::{
    Action, Checkpoint, Event, ExecutionId, ExecutionStarted, Failure, History, InstanceId, InstanceRow, Json, Ledger,
    Limits, Message, MessageKind, NewInstance, Origin, PresentApp, Reuse, RuntimeStatus, Settling, TurnEnd, admit,
    rewind, settle,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// What the code does if it runs.
#[derive(Clone, Copy, Debug)]
enum Code {
    Waits,
    Asks,
    Completes,
    Fails,
    ContinuesAsNew,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// With a moment that is still to come, or at once.
    Create(bool),
    /// The moment of the start has come.
    Due,
    Raise,
    Answer(bool),
    Suspend,
    Resume,
    Terminate,
    Rewind,
    Purge,
    /// The instance takes all that has come.
    Turn(Code),
}

fn step() -> impl Strategy<Value = Step> {
    let code = prop_oneof![
        3 => Just(Code::Waits),
        3 => Just(Code::Asks),
        1 => Just(Code::Completes),
        2 => Just(Code::Fails),
        2 => Just(Code::ContinuesAsNew),
    ];
    prop_oneof![
        2 => any::<bool>().prop_map(Step::Create),
        1 => Just(Step::Due),
        2 => Just(Step::Raise),
        2 => any::<bool>().prop_map(Step::Answer),
        2 => Just(Step::Suspend),
        2 => Just(Step::Resume),
        1 => Just(Step::Terminate),
        2 => Just(Step::Rewind),
        1 => Just(Step::Purge),
        9 => code.prop_map(Step::Turn),
    ]
}

/// An instance as the functions of this crate make it.
struct Real {
    row: InstanceRow,
    history: Vec<Event>,
    inbox: Vec<Message>,
    posted: u64,
}

impl Real {
    fn new(number: u128) -> (Real, MessageKind) {
        let started = ExecutionStarted::new("Main", Json::null(), ExecutionId::from_random(number));
        let id = InstanceId::parse("main").unwrap();
        let new = NewInstance { id, started, at: BEGIN, reuse: Reuse::ENDED, otherwise: None, idempotency_key: None };
        let row = new.row();
        let kind = MessageKind::ExecutionStarted { started: Box::new(new.started), carried_over: Vec::new() };
        (Real { row, history: Vec::new(), inbox: Vec::new(), posted: 0 }, kind)
    }

    fn post(&mut self, execution: Option<ExecutionId>, kind: MessageKind) {
        self.posted += 1;
        self.inbox.push(Message { origin: Origin::Inbox(self.posted), execution, kind });
    }

    fn ledger(&self) -> Ledger {
        History::from_events(self.history.clone()).expect("the history is legal").into_parts().1
    }

    fn turn(&mut self, code: Code) {
        let messages = self.inbox.clone();
        let is_demand = |message: &Message| matches!(message.kind, MessageKind::RewindRequested { .. });
        let checkpoint = if self.row.status.is_terminal() && messages.iter().any(is_demand) {
            rewind(&self.row, self.history.clone(), messages, at(1), &PresentApp::default()).unwrap()
        } else {
            self.run(messages, code)
        };
        self.apply(checkpoint);
    }

    fn run(&self, messages: Vec<Message>, code: Code) -> Checkpoint {
        let (row, ledger) = (&self.row, self.ledger());
        let admission = admit(&ledger, row, messages, at(1));
        let runs = admission.runs && admission.termination.is_none();
        let asks = schedule_task(ledger.next_event_id, 1);
        let (actions, end): (Vec<Action>, TurnEnd) = match code {
            Code::Asks if runs => (vec![asks], TurnEnd::Waiting),
            Code::Completes if runs => (Vec::new(), TurnEnd::Completed(Json::null())),
            Code::Fails if runs => (vec![asks], TurnEnd::Failed(Failure::new("Flaky", "no luck"))),
            Code::ContinuesAsNew if runs => {
                let (input, carried_over) = (Json::null(), Vec::new());
                (Vec::new(), TurnEnd::ContinuedAsNew { input, carried_over, new_version: None })
            }
            Code::Waits | Code::Asks | Code::Completes | Code::Fails | Code::ContinuesAsNew => {
                (Vec::new(), TurnEnd::Waiting)
            }
        };
        let (limits, present) = (&Limits::default(), &PresentApp::default());
        let custom_status = None;
        settle(Settling { row, ledger, admission, actions, custom_status, end, now: at(1), limits, present })
            .expect("the turn settles")
            .checkpoint
    }

    fn apply(&mut self, checkpoint: Checkpoint) {
        self.inbox.retain(|message| !checkpoint.consumed.contains(&message.origin));
        if let Some(turns) = checkpoint.rewritten {
            self.history = turns.into_iter().flat_map(|turn| turn.events).collect();
        } else if checkpoint.row.execution != checkpoint.execution {
            self.history.clear();
        }
        self.history.extend(checkpoint.record.into_iter().flat_map(|record| record.events));
        self.row = checkpoint.row;
        for envelope in checkpoint.messages {
            assert_eq!(envelope.to, self.row.id);
            self.post(envelope.execution, envelope.kind);
        }
        let ledger = self.ledger();
        assert_eq!((self.row.turns, self.row.events), (ledger.turns, ledger.events));
        assert_eq!(self.row.status.is_terminal(), ledger.ended.is_some());
        assert_eq!(self.row.status.is_terminal(), self.row.completed_at.is_some());
        assert_eq!(self.row.status == RuntimeStatus::Failed, self.row.failure.is_some());
    }
}

/// The same as a person would say it.
struct Model {
    status: RuntimeStatus,
    started: bool,
    held: bool,
    /// Whether it was held before the turn that failed, and at its end.
    failed_held: (bool, bool),
    /// Whether the code has asked for anything before the turn that failed: else a rewind begins before the start.
    asked: bool,
    inbox: Vec<Said>,
}

/// What has come, as far as it matters for the status.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Said {
    Start,
    /// Held from its beginning.
    StartHeld,
    Rewound,
    Event,
    /// An answer that is awaited.
    Answer,
    Suspend,
    Resume,
    Terminate,
    Rewind,
}

impl Model {
    fn turn(&mut self, code: Code) {
        let mut said = std::mem::take(&mut self.inbox);
        said.sort_by_key(|what| !matches!(what, Said::Start | Said::StartHeld | Said::Rewound));
        if self.status.is_terminal() {
            if self.status == RuntimeStatus::Failed && said.contains(&Said::Rewind) {
                self.inbox.push(Said::Rewound);
                (self.started, self.held) = (self.asked, self.failed_held.0);
                self.status = self.at_work();
            }
            return;
        }
        let held_before = self.held;
        let mut moves = false;
        let mut anything = false;
        for what in said {
            anything |= match what {
                Said::Start => {
                    self.started = true;
                    moves |= !self.held;
                    true
                }
                // The code ran in the turn that failed, so it runs in the same turn again.
                Said::Rewound => {
                    (self.started, self.held, moves) = (true, self.failed_held.1, true);
                    true
                }
                Said::StartHeld => {
                    (self.started, self.held) = (true, true);
                    true
                }
                Said::Event | Said::Answer => {
                    moves |= !self.held;
                    true
                }
                Said::Suspend => !std::mem::replace(&mut self.held, true),
                Said::Resume => {
                    moves |= self.held;
                    std::mem::replace(&mut self.held, false)
                }
                Said::Terminate => {
                    self.status = RuntimeStatus::Terminated;
                    return;
                }
                Said::Rewind => false,
            };
        }
        if !anything {
            return;
        }
        self.status = self.at_work();
        if !(moves && self.started) {
            return;
        }
        match code {
            Code::Waits => {}
            Code::Asks => self.asked = true,
            Code::Completes => self.status = RuntimeStatus::Completed,
            Code::Fails => (self.status, self.failed_held) = (RuntimeStatus::Failed, (held_before, self.held)),
            Code::ContinuesAsNew => {
                self.inbox.push(if self.held { Said::StartHeld } else { Said::Start });
                (self.started, self.held, self.asked) = (false, false, false);
            }
        }
    }

    fn at_work(&self) -> RuntimeStatus {
        match (self.held, self.started) {
            (true, _) => RuntimeStatus::Suspended,
            (false, true) => RuntimeStatus::Running,
            (false, false) => RuntimeStatus::Pending,
        }
    }
}

/// The instance and its model, if there is one, and the start that is still to come.
#[derive(Default)]
struct Both {
    there: Option<(Real, Model)>,
    start: Option<MessageKind>,
    created: u128,
}

impl Both {
    fn step(&mut self, step: Step) {
        match step {
            Step::Create(later) => self.create(later),
            Step::Purge => {
                self.there.take_if(|(real, _)| real.row.status.is_terminal());
            }
            Step::Due => {
                if let (Some((real, model)), Some(start)) = (&mut self.there, self.start.take()) {
                    let execution = Some(real.row.execution);
                    if !real.row.status.is_terminal() {
                        real.post(execution, start);
                        model.inbox.push(Said::Start);
                    }
                }
            }
            Step::Raise => self.say(MessageKind::EventRaised(raised("E", "null")), Said::Event),
            Step::Suspend => self.say(MessageKind::ExecutionSuspended { reason: "wait".to_owned() }, Said::Suspend),
            Step::Resume => self.say(MessageKind::ExecutionResumed { reason: "go on".to_owned() }, Said::Resume),
            Step::Terminate => self.say(terminate("null"), Said::Terminate),
            Step::Rewind => self.say(
                MessageKind::RewindRequested { reason: "again".to_owned(), parent: None, latest: false },
                Said::Rewind,
            ),
            Step::Answer(succeeds) => self.answer(succeeds),
            Step::Turn(code) => {
                if let Some((real, model)) = self.there.as_mut().filter(|(real, _)| !real.inbox.is_empty()) {
                    real.turn(code);
                    model.turn(code);
                }
            }
        }
        if let Some((real, model)) = &self.there {
            assert_eq!(real.row.status, model.status, "after {step:?}");
        }
    }

    fn create(&mut self, later: bool) {
        if self.there.as_ref().is_some_and(|(real, _)| !Reuse::ENDED.allows(real.row.status)) {
            return;
        }
        self.created += 1;
        let (real, start) = Real::new(self.created);
        let status = RuntimeStatus::Pending;
        let model =
            Model { status, started: false, held: false, failed_held: (false, false), asked: false, inbox: Vec::new() };
        self.there = Some((real, model));
        self.start = Some(start);
        if !later {
            self.step(Step::Due);
        }
    }

    fn say(&mut self, kind: MessageKind, said: Said) {
        if let Some((real, model)) = &mut self.there
            && (!real.row.status.is_terminal() || said == Said::Rewind)
        {
            real.post(None, kind);
            model.inbox.push(said);
        }
    }

    /// The oldest activity that is open, and has not been answered yet, is done.
    fn answer(&mut self, succeeds: bool) {
        let Some((real, model)) = self.there.as_mut().filter(|(real, _)| !real.row.status.is_terminal()) else {
            return;
        };
        let answered = |id| real.inbox.iter().any(|message| answers(&message.kind) == Some(id));
        let Some(scheduled) = real.ledger().outstanding.into_keys().find(|id| !answered(*id)) else { return };
        let kind = if succeeds {
            MessageKind::TaskCompleted { scheduled, result: Json::null() }
        } else {
            MessageKind::TaskFailed { scheduled, failure: Failure::new("Flaky", "no luck") }
        };
        let execution = Some(real.row.execution);
        real.post(execution, kind);
        model.inbox.push(Said::Answer);
    }
}

fn answers(kind: &MessageKind) -> Option<crate::EventId> {
    if let MessageKind::TaskCompleted { scheduled, .. } | MessageKind::TaskFailed { scheduled, .. } = kind {
        return Some(*scheduled);
    }
    // A rewind brings the answers that the code had seen.
    if let MessageKind::ExecutionRewound { again, .. } = kind {
        return again.iter().find_map(|kind| kind.answers().map(|(id, _)| id));
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 50_000, ..ProptestConfig::default() })]

    #[test]
    fn statuses_follow_the_model(steps in vec(step(), 1..40)) {
        let mut both = Both::default();
        for step in steps {
            both.step(step);
        }
    }
}
