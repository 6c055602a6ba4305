//! The sandbox of an orchestrator: nothing in it differs between the first run and a replay.
//!
//! The clock is the history's, randomness follows from who runs, there is no environment, no file and no socket, and what
//! only an invocation may do traps with a text that says what to do instead. What the orchestrator asks for is answered by
//! the cursor of the current turn.

mod imports;
mod live;
mod turn;
mod virtual_io;
mod virtual_time;

pub(crate) use live::LiveOrchestrator;

use crate::GuestSettings;
use crate::bindings::{self, wit_orchestration};
use crate::memory::MemoryLimit;
use crate::output::{GuestOutput, Speaker};
use crate::sandbox::{Forbidden, GuestState};
use orchestration::Identity;
use rand::SeedableRng as _;
use rand::rngs::ChaCha12Rng;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use turn::Turn;
use virtual_time::{VirtualMonotonicClock, VirtualWallClock};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What only an invocation may do.
pub(crate) const FORBIDDEN: &[Forbidden] = &[
    Forbidden {
        interface: bindings::CLIENT,
        text: "an orchestrator must not use the durable client; call a sub-orchestrator, or call an activity that uses the \
               client",
    },
    Forbidden {
        interface: bindings::ACTIVITY_CONTEXT,
        text: "only a running activity gives heartbeats; an orchestrator needs none",
    },
    Forbidden {
        interface: bindings::BINDINGS,
        text: "an orchestrator must not use bindings; let it call an activity that reads the input or writes the output",
    },
    Forbidden {
        interface: "wasi:http/outgoing-handler",
        text: "an orchestrator must not send HTTP requests; let its context send it durably (ctx.call_http), or call an \
               activity that sends it",
    },
];

/// What one orchestrator carries with it.
pub(crate) struct Orchestration {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    no_outbound: virtual_io::NoOutbound,
    memory: MemoryLimit,
    output: GuestOutput,
    turn: Arc<Turn>,
}

impl Orchestration {
    /// A sandbox in which nothing has happened: it is not known yet who will run. What a component does while it is
    /// instantiated is the same for every execution.
    pub(crate) fn new(function: &Arc<str>, settings: &GuestSettings) -> Orchestration {
        let turn = Arc::new(Turn::new(settings));
        let speaker = Speaker::Orchestrator { function: Arc::clone(function), instance: Arc::from("") };
        let silence = {
            let turn = Arc::clone(&turn);
            Box::new(move || turn.is_replaying())
        };
        let output = GuestOutput::new(speaker, settings.max_log_bytes, silence);
        Orchestration {
            wasi: wasi(&output, &turn, [0; 32]),
            table: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            no_outbound: virtual_io::NoOutbound,
            memory: MemoryLimit::new(settings.max_memory_bytes),
            output,
            turn,
        }
    }

    /// From here on the sandbox is that of one execution.
    fn settle_in(&mut self, identity: &Identity) {
        self.wasi = wasi(&self.output, &self.turn, seed(identity));
    }
}

/// The same for every run of an execution, and for no other.
fn seed(identity: &Identity) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"dacapo orchestrator randomness 1\0");
    hash.update(identity.execution.as_u128().to_be_bytes());
    hash.update(identity.instance.as_str().as_bytes());
    hash.finalize().into()
}

fn wasi(output: &GuestOutput, turn: &Arc<Turn>, seed: [u8; 32]) -> WasiCtx {
    let part =
        |purpose: &[u8]| -> [u8; 32] { Sha256::new().chain_update(seed).chain_update(purpose).finalize().into() };
    let mut hash_seed = [0; 16];
    hash_seed.copy_from_slice(&part(b"insecure seed")[..16]);
    WasiCtx::builder()
        .stdout(output.stdout())
        .stderr(output.stderr())
        .wall_clock(VirtualWallClock(Arc::clone(turn)))
        .monotonic_clock(VirtualMonotonicClock::new(Arc::clone(turn)))
        .secure_random(ChaCha12Rng::from_seed(part(b"secure")))
        .insecure_random(ChaCha12Rng::from_seed(part(b"insecure")))
        .insecure_random_seed(u128::from_be_bytes(hash_seed))
        .allow_tcp(false)
        .allow_udp(false)
        .build()
}

/// Defines everything that an orchestrator may import. What would wait, or reach the world, is shadowed.
pub(crate) fn define(linker: &mut Linker<Orchestration>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    wit_orchestration::add_to_linker::<_, HasSelf<Orchestration>>(linker, |orchestration| orchestration)?;
    linker.allow_shadowing(true);
    virtual_io::shadow(linker)?;
    virtual_time::shadow(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl GuestState for Orchestration {
    fn memory_limit(&mut self) -> &mut MemoryLimit {
        &mut self.memory
    }

    fn on_tick(store: &mut Store<Orchestration>) {
        store.epoch_deadline_callback(|context| {
            context.data().turn.tick()?;
            Ok(UpdateDeadline::Yield(1))
        });
    }
}

impl WasiView for Orchestration {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Orchestration {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.no_outbound }
    }
}
