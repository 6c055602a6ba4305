//! Faults: every call of a port has two numbered points, before it takes effect and after, and at each something may happen.
//!
//! The plan says what happens where. A plan that was drawn from a seed leaves the list of what it did, and that list is a plan
//! that does the same again: so a failure is repeated, and made smaller by leaving faults out.

mod functions;
mod plan;
mod store;
mod users;

pub(crate) use functions::{FaultyActivities, FaultyEntities, FaultyOrchestrators};
pub(crate) use plan::{Call, Fault, Kind, Plan, Point, Rates, Side};
pub(crate) use store::FaultyStore;
pub(crate) use users::{FaultyTriggered, FaultyUsers};

use crate::clock::VirtualClock;
use crate::random::Rng;
use crate::scheduler::Handle;
use crate::trace::{Line, Trace};
use ports::Clock;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a listener stands still: longer than messages are held, and than the waits of any timer between two tries.
const LISTENER_STALL: Duration = Duration::from_secs(30 * 60);

/// The next version of an app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Swap {
    /// The one that was deployed.
    Deployed,
    /// The same code, built again.
    Rebuilt,
}

/// The faults of one world.
pub(crate) struct Faults {
    clock: VirtualClock,
    handle: Handle,
    /// How long a stall takes: longer than any lease.
    stall: Duration,
    state: Mutex<State>,
}

struct State {
    plan: Plan,
    next_point: u64,
    points: Vec<Point>,
    injected: Vec<Fault>,
    trace: Trace,
    crash: bool,
    swap: Option<Swap>,
    /// How many want the process to be down.
    off: u32,
    power_up: bool,
}

impl Faults {
    pub(crate) fn new(clock: VirtualClock, handle: Handle, stall: Duration, plan: Plan) -> Faults {
        let state = State {
            plan,
            next_point: 0,
            points: Vec::new(),
            injected: Vec::new(),
            trace: Trace::default(),
            crash: false,
            swap: None,
            off: 0,
            power_up: false,
        };
        Faults { clock, handle, stall, state: Mutex::new(state) }
    }

    /// Comes to a point. Crashes and stalls happen in here; what else is to happen is the caller's to do.
    pub(crate) async fn reach(&self, call: Call, side: Side, subject: &str, effect: &str) -> Option<Hit> {
        let hit = self.number_point(call, side, subject, effect)?;
        match hit.kind {
            Kind::Crash => {
                self.lock().crash = true;
                std::future::pending::<()>().await;
            }
            Kind::Stall => {
                let stall = if call.is_of_listener() { LISTENER_STALL } else { self.stall };
                self.handle.stall_until(self.clock.now().saturating_add(stall)).await;
            }
            Kind::Delay => {
                let mut rng = hit.rng;
                let delay = Duration::from_millis(rng.pick(&[0, 1, 25, 3000]).unwrap_or_default());
                self.handle.yield_now().await;
                self.clock.sleep_until(self.clock.now().saturating_add(delay)).await;
            }
            Kind::Swap => {
                self.lock().swap = Some(Swap::Rebuilt);
                // Work that is on its way would be lost until its lease runs out: a store that is in the same process does not.
                if side == Side::Before || !call.hands_out() {
                    self.handle.yield_now().await;
                }
            }
            Kind::Refuse
            | Kind::Lose
            | Kind::Fewer
            | Kind::Duplicate
            | Kind::Shuffle
            | Kind::Trap
            | Kind::Twice
            | Kind::Fail => return Some(hit),
        }
        None
    }

    /// Ends the process from outside; another one starts.
    pub(crate) fn restart(&self) {
        self.lock().crash = true;
    }

    /// Ends the process from outside, and none starts until [`Faults::power_up`].
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.off += 1;
        state.crash = true;
    }

    /// The end of one [`Faults::shut_down`]. When all have ended, a process starts.
    pub(crate) fn power_up(&self) {
        let mut state = self.lock();
        state.off = state.off.saturating_sub(1);
        state.power_up = state.off == 0;
    }

    /// Whether a process may run.
    pub(crate) fn is_on(&self) -> bool {
        self.lock().off == 0
    }

    /// Whether a process is to start, since this was last asked.
    pub(crate) fn take_power_up(&self) -> bool {
        std::mem::take(&mut self.lock().power_up)
    }

    /// Whether the process has crashed since this was last asked.
    pub(crate) fn take_crash(&self) -> bool {
        std::mem::take(&mut self.lock().crash)
    }

    /// Has the next version of the app begin, from outside.
    pub(crate) async fn swap(&self, swap: Swap) {
        self.lock().swap = Some(swap);
        self.handle.yield_now().await;
    }

    /// Whether the next version is to begin, since this was last asked.
    pub(crate) fn take_swap(&self) -> Option<Swap> {
        self.lock().swap.take()
    }

    /// What there was to do and what was done.
    pub(crate) fn finish(&self) -> (Vec<Point>, Vec<Fault>, Trace) {
        let mut state = self.lock();
        (std::mem::take(&mut state.points), std::mem::take(&mut state.injected), std::mem::take(&mut state.trace))
    }

    fn number_point(&self, call: Call, side: Side, subject: &str, effect: &str) -> Option<Hit> {
        let mut state = self.lock();
        let number = state.next_point;
        state.next_point += 1;
        let point = Point::new(number, call, side, subject);
        state.points.push(point);
        let kind = state.plan.decide(point);
        let (at, task) = (self.clock.now(), self.handle.current());
        let (subject, effect) = (subject.to_owned(), effect.to_owned());
        state.trace.push(Line { at, task, point: number, call, side, subject, effect, fault: kind });
        let kind = kind?;
        state.injected.push(Fault { point: number, kind });
        Some(Hit { kind, rng: Rng::new(number) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault that is for the caller to do, with the generator of its details.
pub(crate) struct Hit {
    pub(crate) kind: Kind,
    pub(crate) rng: Rng,
}
