//! The orchestrator's clocks: both show the time of the current turn.

use super::Orchestration;
use super::turn::Turn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock, WasiClocksCtxView, WasiClocksView as _};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

/// The resolution of timestamps in a history.
const RESOLUTION: Duration = Duration::from_nanos(100);

fn since_epoch(turn: &Turn) -> Duration {
    turn.now().saturating_since(orchestration::Timestamp::default())
}

pub(crate) struct VirtualWallClock(pub(crate) Arc<Turn>);

impl HostWallClock for VirtualWallClock {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        since_epoch(&self.0)
    }
}

/// The wall clock, except that it never goes back where a history does.
pub(crate) struct VirtualMonotonicClock {
    turn: Arc<Turn>,
    latest: AtomicU64,
}

impl VirtualMonotonicClock {
    pub(crate) fn new(turn: Arc<Turn>) -> VirtualMonotonicClock {
        VirtualMonotonicClock { turn, latest: AtomicU64::new(0) }
    }
}

impl HostMonotonicClock for VirtualMonotonicClock {
    fn resolution(&self) -> u64 {
        RESOLUTION.subsec_nanos().into()
    }

    fn now(&self) -> u64 {
        let now = u64::try_from(since_epoch(&self.turn).as_nanos()).unwrap_or(u64::MAX);
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }
}

/// Replaces the pollables of the monotonic clock, which know of real time.
pub(super) fn shadow(linker: &mut Linker<Orchestration>) -> wasmtime::Result<()> {
    monotonic_clock::add_to_linker::<_, VirtualClocks>(linker, |orchestration| Clocks(orchestration.clocks()))
}

struct VirtualClocks;

impl HasData for VirtualClocks {
    type Data<'a> = Clocks<'a>;
}

struct Clocks<'a>(WasiClocksCtxView<'a>);

impl Clocks<'_> {
    fn subscribe(&mut self, over: bool) -> wasmtime::Result<Resource<DynPollable>> {
        let moment = self.0.table.push(Moment { over })?;
        subscribe(self.0.table, moment)
    }
}

impl monotonic_clock::Host for Clocks<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.0.now()
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.0.resolution()
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let over = when <= self.0.now()?;
        self.subscribe(over)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe(duration == 0)
    }
}

/// A moment of the virtual clock. It does not come while somebody waits for it, because the clock stands still then.
struct Moment {
    over: bool,
}

#[async_trait::async_trait]
impl Pollable for Moment {
    async fn ready(&mut self) {
        if !self.over {
            std::future::pending::<()>().await;
        }
    }
}
