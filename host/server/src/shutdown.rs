//! How a run ends: the signals that ask for it, and the word that reaches every task.
//!
//! The first Ctrl+C or SIGTERM asks for a drain: take no new work, finish what runs, commit. The second one aborts.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use std::io;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a drain may take. Container platforms kill after 30 seconds by default; what is unfinished then is taken up
/// again at the next start, so a little less time is better than a kill in the middle.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);

/// Completes when the host is asked to stop; anybody may hold a clone.
pub(crate) type Stopping = Shared<BoxFuture<'static, ()>>;

/// The one who may ask for it. Dropping it asks too, so that no task outlives its owner.
pub(crate) struct Stop(oneshot::Sender<()>);

impl Stop {
    /// The word, and what hears it.
    pub(crate) fn new() -> (Stop, Stopping) {
        let (sender, receiver) = oneshot::channel();
        let stopping = receiver.map(|_| ()).boxed().shared();
        (Stop(sender), stopping)
    }

    /// Asks everybody to stop.
    pub(crate) fn ask(self) {
        drop(self.0);
    }
}

/// The signals that ask this process to end.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// From here on the signals no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that ask this process to end.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// From here on Ctrl+C no longer ends the process by itself.
    pub(crate) fn listen() -> io::Result<Signals> {
        Ok(Signals)
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
