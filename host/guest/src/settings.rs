//! The limits of a sandbox: numbers with a default and its reason.

use std::time::Duration;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What bounds every guest. The numbers that a manifest can set are named by their key there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSettings {
    /// Linear memory and tables of one guest, in bytes; `host.guest.maxMemoryBytes`.
    pub max_memory_bytes: usize,
    /// What one call may return when its result is held in memory, in bytes; `host.guest.maxOutputBytes`.
    pub max_output_bytes: usize,
    /// What one call, or one turn, may write to its log, in bytes; the rest is dropped. `host.guest.maxLogBytes`.
    pub max_log_bytes: usize,
    /// The longest that one call may take where its binding does not say; none: no limit. `host.functionTimeout`.
    pub function_timeout: Option<Duration>,
    /// The longest that guest code may run in one turn of an orchestrator; waiting does not count. Counted in ticks of
    /// [`GuestSettings::TICK`]. `host.durableTask.orchestratorTurnTimeout`.
    pub turn_timeout: Duration,
    /// How much longer than its time limit an activity may run until it is stopped here. Whoever runs it stops it at its limit,
    /// and tells its caller so; this is for the time when that does not happen.
    pub activity_grace: Duration,
    /// Calls that find a prepared place; what comes on top is allocated when it comes.
    pub invocation_slots: u32,
    /// Orchestrators that find a prepared place.
    pub orchestrator_slots: u32,
}

impl GuestSettings {
    /// Enough for a JavaScript or Python guest, and the size of a place in the pool.
    pub const DEFAULT_MAX_MEMORY_BYTES: usize = 256 * MIB;
    /// Four times the largest payload that a task hub takes by default.
    pub const DEFAULT_MAX_OUTPUT_BYTES: usize = 16 * MIB;
    /// A few thousand lines.
    pub const DEFAULT_MAX_LOG_BYTES: usize = MIB;
    /// Azure's default outside of the Consumption plan.
    pub const DEFAULT_FUNCTION_TIMEOUT: Duration = Duration::from_secs(30 * 60);
    /// A turn takes microseconds; one that takes this long is an endless loop.
    pub const DEFAULT_TURN_TIMEOUT: Duration = Duration::from_secs(10);
    /// Long enough for a busy machine to stop it the other way.
    pub const DEFAULT_ACTIVITY_GRACE: Duration = Duration::from_secs(30);
    /// A place costs address space only. More calls at a time than this wait for the network, not for the processor.
    pub const DEFAULT_INVOCATION_SLOTS: u32 = 1_000;
    /// Each guest in use takes several memory maps, of which Linux allows a process 65,530 by default: 4,000 fit, 10,000
    /// do not.
    pub const DEFAULT_ORCHESTRATOR_SLOTS: u32 = 4_000;
    /// How often running guest code gives way to others: a guest that computes holds its thread no longer than this.
    pub const TICK: Duration = Duration::from_millis(10);

    /// What a guest may use of its thread's stack.
    pub(crate) const WASM_STACK_BYTES: usize = 512 * KIB;
    /// The stack that a guest runs on; what is left of it is for the host functions that it calls. Only touched pages
    /// take memory.
    pub(crate) const ASYNC_STACK_BYTES: usize = MIB;
    /// Unreachable pages behind each memory, so that most accesses need no check.
    pub(crate) const GUARD_BYTES: u64 = 32 * MIB as u64;
    /// What a place keeps of its last guest's memory, cleared, where the kernel tells which pages were written.
    pub(crate) const KEEP_RESIDENT_BYTES: usize = 256 * KIB;
    /// The same where the kernel does not tell and all of it has to be cleared.
    pub(crate) const KEEP_RESIDENT_BYTES_WITHOUT_SCAN: usize = 64 * KIB;
    /// A table's entries; a JavaScript engine has some ten thousand functions.
    pub(crate) const TABLE_ELEMENTS: usize = 100_000;
    /// Places for tables per place for a guest: the main module's and those of its adapters.
    pub(crate) const TABLES_PER_GUEST: u32 = 4;
    /// Modules per guest: Python loads its extension modules as such.
    pub(crate) const MODULES_PER_GUEST: u32 = 16;
}

/// What guests are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compilation {
    /// To run for long: each kind of sandbox has the code that suits it best.
    Lasting,
    /// To be replaced soon, as in the development loop: one code serves both kinds of sandbox, though it computes floating point
    /// a little more slowly, and functions that the version before had, too, are not compiled again. For this, compiled
    /// functions stay in memory, up to [`Compilation::MAX_KEPT_CODE_BYTES`].
    Passing,
}

impl Compilation {
    /// Some fifty components of usual size. What was not looked for the longest goes first.
    pub const MAX_KEPT_CODE_BYTES: usize = 64 * MIB;
}

impl Default for GuestSettings {
    fn default() -> GuestSettings {
        GuestSettings {
            max_memory_bytes: GuestSettings::DEFAULT_MAX_MEMORY_BYTES,
            max_output_bytes: GuestSettings::DEFAULT_MAX_OUTPUT_BYTES,
            max_log_bytes: GuestSettings::DEFAULT_MAX_LOG_BYTES,
            function_timeout: Some(GuestSettings::DEFAULT_FUNCTION_TIMEOUT),
            turn_timeout: GuestSettings::DEFAULT_TURN_TIMEOUT,
            activity_grace: GuestSettings::DEFAULT_ACTIVITY_GRACE,
            invocation_slots: GuestSettings::DEFAULT_INVOCATION_SLOTS,
            orchestrator_slots: GuestSettings::DEFAULT_ORCHESTRATOR_SLOTS,
        }
    }
}
