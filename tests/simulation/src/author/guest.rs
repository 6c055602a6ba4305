//! Orchestrators behind the port: a small executor between a future and the cursor, as a guest's SDK has one.

use super::apps::App;
use super::{Context, Outcome, Surroundings, programs};
use crate::oracles::Watch;
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{Cursor, Next};
use ports::{Advanced, GuestFault, Orchestrator, Orchestrators};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake, Waker};

/// All programs of all apps.
pub(crate) struct Programs {
    /// The present app.
    pub(crate) app: App,
    /// Hears whose code runs.
    pub(crate) watch: Watch,
    /// Which generation of the host runs it.
    pub(crate) generation: u32,
}

#[async_trait]
impl Orchestrators for Programs {
    fn names(&self) -> Vec<String> {
        programs::names()
    }

    async fn begin(&self, name: &str, pinned_to: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        let guest = guest(name, pinned_to.unwrap_or(self.app.digest))?;
        let watch = Some((self.watch.clone(), self.app, self.generation));
        Ok(Box::new(Guest { watch, ..guest }))
    }
}

/// A fresh guest of the named program of an app, that nobody watches.
pub(crate) fn guest(name: &str, app: &str) -> Result<Guest, GuestFault> {
    match programs::find(name, app) {
        Some(program) => Ok(Guest::new(program, app)),
        None => Err(GuestFault::NotFound { kind: "orchestrator", name: name.to_owned(), known: programs::names() }),
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One running orchestrator.
pub(crate) struct Guest {
    program: programs::Program,
    app: String,
    /// Who hears of it, the app of the generation that runs it, and that generation.
    watch: Option<(Watch, App, u32)>,
    context: Context,
    /// None before the first turn and after the end.
    future: Option<BoxFuture<'static, Outcome>>,
    woken: Arc<Woken>,
}

impl Guest {
    fn new(program: programs::Program, app: &str) -> Guest {
        Guest {
            program,
            app: app.to_owned(),
            watch: None,
            context: Context::new(),
            future: None,
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }
    }

    /// Whether it went wrong; then it is spent.
    pub(crate) fn has_trapped(&self) -> bool {
        self.context.has_trapped()
    }

    /// Runs on against the cursor until it waits or ends. Never waits itself.
    pub(crate) fn run(&mut self, mut cursor: Box<Cursor>) -> (Box<Cursor>, Advanced) {
        if self.future.is_none() {
            match cursor.start() {
                Ok(input) => self.future = Some((self.program)(self.context.clone(), input)),
                Err(_stopped) => return (cursor, Advanced::Waiting),
            }
        }
        loop {
            let polled;
            (cursor, polled) = self.poll(cursor);
            if let Poll::Ready(outcome) = polled {
                return (cursor, Advanced::Returned(outcome));
            }
            match cursor.next() {
                Ok(Next::Completed(completion)) => self.context.finish(completion.task, completion.outcome),
                Ok(Next::Waiting) | Err(_) => return (cursor, Advanced::Waiting),
            }
        }
    }

    /// Polls as long as somebody has woken the future.
    fn poll(&mut self, cursor: Box<Cursor>) -> (Box<Cursor>, Poll<Outcome>) {
        let waker = Waker::from(self.woken.clone());
        self.context.enter(Surroundings::Cursor(cursor));
        let mut polled = Poll::Pending;
        while polled.is_pending()
            && self.woken.0.swap(false, Ordering::Relaxed)
            && let Some(future) = &mut self.future
        {
            polled = future.as_mut().poll(&mut std::task::Context::from_waker(&waker));
        }
        match self.context.leave() {
            Some(Surroundings::Cursor(cursor)) => (cursor, polled),
            Some(Surroundings::Model(_)) | None => unreachable!("the cursor was only lent"),
        }
    }
}

#[async_trait]
impl Orchestrator for Guest {
    async fn advance(&mut self, cursor: Box<Cursor>) -> (Box<Cursor>, Result<Advanced, GuestFault>) {
        if let Some((watch, present, generation)) = &self.watch {
            watch.code_runs(cursor.identity(), &self.app, *present, *generation);
        }
        let (cursor, advanced) = self.run(cursor);
        if self.has_trapped() {
            let function = cursor.identity().name.clone();
            return (cursor, Err(GuestFault::Trapped { function, message: "unreachable".to_owned() }));
        }
        (cursor, Ok(advanced))
    }

    fn memory_bytes(&self) -> usize {
        1
    }
}
