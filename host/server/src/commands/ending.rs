//! How a host that serves comes to its end: a signal, or a part of it that fails; then the drain, which everybody can watch.

use anyhow::anyhow;
use futures::future::BoxFuture;
use std::time::Duration;

use crate::clock::{self, Stopwatch};
use crate::console::{Console, ExitReason, HostState, Summary};
use crate::exit::Problem;
use crate::running::Running;
use crate::shutdown::{DRAIN_TIMEOUT, Signals};

/// How often it is told how far the drain is.
const TICK: Duration = Duration::from_secs(1);

/// Until a signal comes or a part of the host fails; then drains. `beside` goes on until then.
///
/// # Errors
/// A part of the host failed, work was not finished in time, or a person asked twice.
pub(super) async fn until_stopped(
    mut running: Running,
    signals: &mut Signals,
    beside: Option<BoxFuture<'static, ()>>,
    console: &Console,
) -> Result<(), Problem> {
    let beside = async move {
        match beside {
            Some(beside) => beside.await,
            None => std::future::pending().await,
        }
    };
    let failure = tokio::select! {
        () = signals.next() => None,
        error = running.failed() => Some(error),
        () = beside => Some(anyhow!("the development loop ended by itself")),
    };
    let reason = if failure.is_some() { ExitReason::HostFailed } else { ExitReason::Sigint };
    // Those that were served last: a deploy may have brought others than were there at the start.
    let functions = running.host.apps.all().iter().map(|served| served.app.functions.len()).sum();
    console.draining(DRAIN_TIMEOUT.as_secs(), running.host.surroundings.outstanding.count());
    let drained = drain(&mut running, signals, console).await?;
    console.host_state(HostState::Ready, HostState::Stopped, Some(drained), None);
    console.stopped(&Summary { functions, ..console.summary(reason) });
    match failure {
        Some(error) => Err(Problem::Host(error)),
        None => Ok(()),
    }
}

/// How long it took.
async fn drain(running: &mut Running, signals: &mut Signals, console: &Console) -> Result<Duration, Problem> {
    let stopwatch = Stopwatch::start();
    let outstanding = running.host.surroundings.outstanding.clone();
    let mut drained = std::pin::pin!(running.drain());
    loop {
        let left = DRAIN_TIMEOUT.saturating_sub(stopwatch.elapsed());
        tokio::select! {
            drained = &mut drained => {
                drained?;
                return Ok(stopwatch.elapsed());
            }
            () = signals.next() => return Err(Problem::Aborted),
            () = clock::after(TICK.min(left)) => {}
        }
        let left = DRAIN_TIMEOUT.saturating_sub(stopwatch.elapsed());
        if left.is_zero() {
            return Err(Problem::Host(anyhow!(
                "some work was not finished within {} s; it is taken up again at the next start",
                DRAIN_TIMEOUT.as_secs()
            )));
        }
        console.draining(left.as_secs(), outstanding.count());
    }
}
