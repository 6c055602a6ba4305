//! How each event moves the orchestrator: which task it answers, and what the host does about it by itself.

use super::requests::{Request, Task, Tries};
use super::{Completion, Cursor, Stopped};
use crate::{Event, EventId, EventKind, Failure, Json, RetryDecision, RetryPolicy, TaskNumber};

impl Cursor {
    /// Takes one event. What comes of it for the orchestrator waits in `ready`; a departure from the history in `stopped`.
    pub(super) fn walk(&mut self, event: Event) {
        self.replaying = self.past > 0;
        self.past = self.past.saturating_sub(1);
        if self.suspended && waits_for_resume(&event.kind) {
            self.held_back.push_back(event);
            return;
        }
        match event.kind {
            EventKind::OrchestratorStarted => {
                self.now = event.at;
                self.recorded = self.record_of_this_turn();
            }
            EventKind::OrchestratorCompleted => self.finish_turn(),
            EventKind::ExecutionStarted(started) => self.started = Some(*started),
            EventKind::TaskCompleted { scheduled, result }
            | EventKind::SubOrchestrationInstanceCompleted { scheduled, result }
            | EventKind::EntityOperationCompleted { scheduled, result } => self.succeed(scheduled, result),
            EventKind::TaskFailed { scheduled, failure }
            | EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
            | EventKind::EntityOperationFailed { scheduled, failure } => self.fail(scheduled, failure),
            EventKind::EntityLockGranted { scheduled } => {
                self.lock_granted(scheduled);
                self.succeed(scheduled, Json::null());
            }
            EventKind::ExecutionSuspended { .. } => self.suspended = true,
            EventKind::ExecutionResumed { .. } => self.resume(),
            EventKind::ExecutionRewound { .. } => self.try_anew(),
            EventKind::TimerFired { timer, .. } => self.fire(timer),
            EventKind::EventRaised(raised) => {
                if let Some((task, input)) = self.external_events.raise(raised) {
                    self.answer(task, Ok(input));
                }
            }
            // Actions were compared when the orchestrator asked for them; the rest does not concern it.
            EventKind::TaskScheduled { .. }
            | EventKind::SubOrchestrationInstanceCreated { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationCalled { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityLockRequested { .. }
            | EventKind::EntityUnlockSent { .. }
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. } => {}
        }
    }

    /// What came while it was held comes now, in the order in which it came.
    fn resume(&mut self) {
        self.suspended = false;
        let held_back = std::mem::take(&mut self.held_back);
        self.held_before = held_back.len();
        if self.replaying {
            self.past += held_back.len();
        }
        for event in held_back.into_iter().rev() {
            self.events.push_front(event);
        }
    }

    /// After a rewind every open call has all its tries again.
    #[expect(clippy::iter_over_hash_type, reason = "each task is changed by itself, so their order does not matter")]
    fn try_anew(&mut self) {
        let now = self.now;
        for task in self.tasks.values_mut() {
            if let Request::Activity(_, tries) | Request::SubOrchestration(_, tries) | Request::Http(_, tries) =
                &mut task.request
            {
                *tries = Tries { first_at: now, failed: 0, ..*tries };
            }
        }
    }

    /// Answers a task with what is known now.
    pub(super) fn answer(&mut self, task: TaskNumber, outcome: Result<Json, Failure>) {
        self.tasks.remove(&task);
        self.ready.push_back(Completion { task, outcome });
    }

    /// A task that was given up has no entry any more, and its answer is dropped.
    fn succeed(&mut self, event: EventId, result: Json) {
        let Some(task) = self.by_event.remove(&event) else {
            return;
        };
        match self.tasks.remove(&task) {
            Some(Task { request: Request::Entity(entity), .. }) => {
                self.call_ended(&entity);
                self.answer(task, Ok(result));
            }
            Some(Task { request: Request::Http(http, _), .. }) => self.http_answered(task, *http, result),
            Some(_) => self.answer(task, Ok(result)),
            None => {}
        }
    }

    fn fire(&mut self, timer: EventId) {
        let Some(task) = self.by_event.remove(&timer) else {
            return;
        };
        match self.tasks.remove(&task) {
            Some(Task { request: Request::Timer, .. }) => self.answer(task, Ok(Json::null())),
            // The pause between two tries is over. A failure to ask again is kept in `stopped`.
            Some(Task { request, .. }) => {
                let _stopped = self.try_again(task, request);
            }
            None => {}
        }
    }

    fn fail(&mut self, event: EventId, failure: Failure) {
        let Some(task) = self.by_event.remove(&event) else {
            return;
        };
        let Some(Task { request, .. }) = self.tasks.remove(&task) else {
            return;
        };
        let (policy, tries) = match &request {
            Request::Activity(call, tries) => (call.retry.as_ref(), *tries),
            Request::SubOrchestration(call, tries) => (call.retry.as_ref(), *tries),
            Request::Http(http, tries) => (http.retry.as_ref(), *tries),
            Request::Entity(entity) => {
                self.call_ended(entity);
                return self.answer(task, Err(failure));
            }
            Request::Timer | Request::ExternalEvent { .. } | Request::Lock => return self.answer(task, Err(failure)),
        };
        match policy.map(|policy| self.decide(policy, &failure, tries)) {
            Some(RetryDecision::After(pause)) => {
                let fire_at = self.now.saturating_add(pause);
                // A failure to set the timer is kept in `stopped`.
                if let Ok(timer) = self.set_timer(fire_at, Some(tries.first)) {
                    let tries = Tries { failed: tries.failed + 1, paused: true, ..tries };
                    self.open(task, request.with_tries(tries), Some(timer));
                }
            }
            Some(RetryDecision::GiveUp(_)) | None => self.answer(task, Err(failure)),
        }
    }

    fn decide(&self, policy: &RetryPolicy, failure: &Failure, tries: Tries) -> RetryDecision {
        policy.decide(failure, tries.failed, tries.first_at, self.now)
    }

    fn try_again(&mut self, task: TaskNumber, request: Request) -> Result<(), Stopped> {
        match request {
            Request::Activity(call, tries) => {
                let event = self.schedule_task(&call, tries.failed + 1, Some(tries.first))?;
                self.open(task, Request::Activity(call, Tries { paused: false, ..tries }), Some(event));
            }
            Request::SubOrchestration(call, tries) => {
                let event = self.create_sub_orchestration(&call, Some(tries.first))?;
                self.open(task, Request::SubOrchestration(call, Tries { paused: false, ..tries }), Some(event));
            }
            Request::Http(http, tries) => self.http_goes_on(task, *http, tries)?,
            Request::Timer | Request::ExternalEvent { .. } | Request::Entity(_) | Request::Lock => {}
        }
        Ok(())
    }
}

/// What a held orchestration does not see before it is resumed.
fn waits_for_resume(kind: &EventKind) -> bool {
    kind.answers().is_some() || matches!(kind, EventKind::EventRaised(_))
}

impl Request {
    fn with_tries(self, tries: Tries) -> Request {
        match self {
            Request::Activity(call, _) => Request::Activity(call, tries),
            Request::SubOrchestration(call, _) => Request::SubOrchestration(call, tries),
            Request::Http(http, _) => Request::Http(http, tries),
            Request::Timer | Request::ExternalEvent { .. } | Request::Entity(_) | Request::Lock => self,
        }
    }
}
