//! What takes new work by itself (the engine's workers, queue listeners, timers), and how an operator holds it back while the
//! host goes on answering.
//!
//! Owns the tasks of the listeners. Held back, each finishes and commits what it has begun and ends; let go again, all are
//! begun anew, at once, also while something of before is still finished. What is listened to is told by whoever starts it.

#[cfg(test)]
mod tests;

use futures::FutureExt;
use futures::future::{BoxFuture, select};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::shutdown::{Stop, Stopping};

/// Makes all listeners; each completes soon after the word that it is given, and never before.
pub(crate) type Listen = Box<dyn Fn(&Stopping) -> Vec<BoxFuture<'static, ()>> + Send + Sync>;

/// Whether the host takes work by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intake {
    /// It does.
    Open,
    /// No more, but something is still finished that was taken before.
    Closing,
    /// No more, and everything has ended.
    Closed,
    /// No more, because the host ends.
    Ending,
}

impl Intake {
    /// Of the states of several parts, the one that stands out the most is that of the whole.
    pub(crate) fn standing_out(self) -> u8 {
        match self {
            Intake::Open => 0,
            Intake::Closed => 1,
            Intake::Closing => 2,
            Intake::Ending => 3,
        }
    }
}

/// The word of an operator that no new work is to be taken; whoever listens later hears it as well. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct HoldBack(watch::Sender<bool>);

impl HoldBack {
    /// Nothing is held back yet.
    pub(crate) fn new() -> HoldBack {
        HoldBack(watch::Sender::new(false))
    }

    /// No new work is taken from now on, until [`HoldBack::let_go`].
    pub(crate) fn hold_back(&self) {
        self.0.send_replace(true);
    }

    /// Whether it is the last word.
    pub(crate) fn is_held_back(&self) -> bool {
        *self.0.borrow()
    }

    /// Work is taken again.
    pub(crate) fn let_go(&self) {
        self.0.send_replace(false);
    }
}

/// See the module.
pub(crate) struct Listeners {
    held_back: HoldBack,
    /// As the task knows it, which is a little later than it was asked for.
    intake: watch::Sender<Intake>,
}

impl Listeners {
    /// Nothing listens before [`Listeners::run`] is polled.
    pub(crate) fn new(held_back: HoldBack) -> Listeners {
        Listeners { held_back, intake: watch::Sender::new(Intake::Closed) }
    }

    /// How it stands.
    pub(crate) fn intake(&self) -> Intake {
        match (self.held_back.is_held_back(), *self.intake.borrow()) {
            (_, Intake::Ending) => Intake::Ending,
            (false, Intake::Open | Intake::Closing | Intake::Closed) => Intake::Open,
            (true, Intake::Open | Intake::Closing) => Intake::Closing,
            (true, Intake::Closed) => Intake::Closed,
        }
    }

    /// Tells of changes.
    #[cfg(test)]
    pub(crate) fn watch(&self) -> watch::Receiver<Intake> {
        self.intake.subscribe()
    }

    /// Listens until `stopping` completes and everything that was begun has ended. Ends before only if a listener does, which
    /// none should. Dropping it drops all of them.
    pub(crate) async fn run(self: Arc<Self>, listen: Listen, stopping: Stopping) {
        let mut held_back = self.held_back.0.subscribe();
        let mut tasks: JoinSet<u64> = JoinSet::new();
        let mut round = 0;
        let mut open: Option<Stop> = None;
        loop {
            let is_held_back = *held_back.borrow_and_update();
            match (is_held_back, open.is_some()) {
                (true, _) => open = None,
                (false, true) => {}
                (false, false) => {
                    round += 1;
                    open = Some(begin(&listen, round, &stopping, &mut tasks));
                }
            }
            let ended = if tasks.is_empty() { Intake::Closed } else { Intake::Closing };
            self.intake.send_replace(if open.is_some() { Intake::Open } else { ended });
            tokio::select! {
                // First, because a listener may have heard it before: its end is no surprise then.
                biased;
                () = stopping.clone() => break,
                // The sender lives as long as this does.
                Ok(()) = held_back.changed() => {}
                Some(ended) = tasks.join_next() => {
                    if round_of(ended) == Some(round) && open.is_some() {
                        return;
                    }
                }
            }
        }
        self.intake.send_replace(Intake::Ending);
        drop(open);
        while let Some(ended) = tasks.join_next().await {
            round_of(ended);
        }
    }
}

/// Begins all listeners. Each task answers the round that it belongs to.
fn begin(listen: &Listen, round: u64, stopping: &Stopping, tasks: &mut JoinSet<u64>) -> Stop {
    let (stop, held_back) = Stop::new();
    // They hear the last word from whoever says it, not when the task of all listeners is next: until then they would go on to
    // take work for a version that is not served any more.
    let either = select(held_back, stopping.clone()).map(|_| ()).boxed().shared();
    for listener in listen(&either) {
        tasks.spawn(async move {
            listener.await;
            round
        });
    }
    stop
}

/// A listener that panicked takes the host with it, as any other part does; none: its task was aborted.
fn round_of(ended: Result<u64, JoinError>) -> Option<u64> {
    match ended {
        Ok(round) => Some(round),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}
