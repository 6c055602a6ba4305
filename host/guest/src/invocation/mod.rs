//! The sandbox of an invocation: the real clock and randomness, the app's settings as environment, the hosts that the
//! component is allowed to talk to, the durable client, and the function's bindings. No files, no sockets.

mod activity;
mod bound;
mod client;
mod entity;
mod http;
mod outbound;
mod queue;
mod streaming;
mod timer;

pub(crate) use activity::run_activity;
pub(crate) use bound::{BindingNames, Bound};
pub(crate) use entity::run_entity;
pub(crate) use http::{Incoming, handle_buffered};
pub(crate) use outbound::Outbound;
pub(crate) use queue::run_queue;
pub(crate) use streaming::{StreamingTasks, handle_streaming};
pub(crate) use timer::run_timer;

use crate::GuestSettings;
use crate::bindings::{
    self, activity_context, client as wit_client, failure_from_wit, failure_len, values, wit_bindings,
};
use crate::fault;
use crate::memory::MemoryLimit;
use crate::metering::Measurement;
use crate::output::{GuestOutput, Speaker};
use crate::sandbox::{Forbidden, Guest, GuestState, Sandbox};
use manifest::OutboundHost;
use orchestration::{Failure, Json};
use ports::{BoundValues, DurableClient, GuestFault, Heartbeat, Meter, Ran, Work};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::Store;
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What only an orchestrator may do.
pub(crate) const FORBIDDEN: &[Forbidden] = &[Forbidden {
    interface: bindings::ORCHESTRATION,
    text: "only a running orchestrator may call the functions of its context; any other function starts and steers \
           orchestrations with the durable client",
}];

/// Everything about a call that is not its arguments.
pub(crate) struct Call<'a> {
    /// The function's name in the manifest.
    pub(crate) function: &'a Arc<str>,
    /// Its name in the component.
    pub(crate) entry_point: &'a str,
    pub(crate) invocation_id: &'a str,
    /// The longest that it may take; none: no limit.
    pub(crate) timeout: Option<Duration>,
    /// How much longer it is left alone, for its caller to stop it first.
    pub(crate) grace: Duration,
    pub(crate) settings: &'a GuestSettings,
}

impl Call<'_> {
    /// Stops the call when its time is over: dropping its future does it, since running guests give way at every tick.
    pub(crate) async fn within<R>(&self, work: impl Future<Output = Result<R, GuestFault>>) -> Result<R, GuestFault> {
        let Some(limit) = self.timeout else {
            return work.await;
        };
        match tokio::time::timeout(limit.saturating_add(self.grace), work).await {
            Ok(result) => result,
            Err(_) => Err(fault::timed_out(self.function, limit, fault::FUNCTION_TIMEOUT_KEY)),
        }
    }
}

/// What the invocations of an app have in common.
pub(crate) struct Surroundings {
    /// The environment variables.
    pub(crate) environment: Vec<(String, String)>,
    /// None while a component is only asked what it has.
    pub(crate) client: Option<Arc<dyn DurableClient>>,
    /// Counts what each run uses; none: nobody does.
    pub(crate) meter: Option<Arc<dyn Meter>>,
}

/// Why a guest runs, with what only this kind of call has.
pub(crate) enum Occasion {
    /// An activity, with where its signs of life go.
    Activity { heartbeat: Arc<dyn Heartbeat>, bound: Bound },
    /// A batch of operations for an entity.
    Entity,
    /// A request, with its scheme and authority if they are known.
    Http { origin: Option<String>, bound: Bound },
    /// A request for a standard HTTP component.
    Stream { origin: Option<String> },
    /// A message of a queue, or an occurrence of a schedule.
    Triggered(Bound),
    /// The component is asked what it has.
    Describe,
}

/// What one invocation carries with it.
pub(crate) struct Invocation {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    outbound: Outbound,
    memory: MemoryLimit,
    output: GuestOutput,
    client: Option<Arc<dyn DurableClient>>,
    meter: Option<Arc<dyn Meter>>,
    occasion: Occasion,
    max_output_bytes: usize,
}

/// What came of a guest that returned.
struct Returned<R> {
    value: R,
    outputs: BoundValues,
    /// Not ended: whether the run went well is seen by what is in it.
    measurement: Measurement,
}

/// Makes a fresh guest, lets `invoke` call its export, and measures it.
async fn run<R>(
    sandbox: &Sandbox<Invocation>,
    state: Invocation,
    call: &Call<'_>,
    invoke: impl AsyncFnOnce(&mut Guest<'_, Invocation>) -> wasmtime::Result<R>,
) -> Result<Returned<R>, GuestFault> {
    let output = state.output();
    let measurement = state.measure(call);
    let mut guest = match sandbox.instantiate(state).await {
        Ok(guest) => guest,
        Err(error) => return Err(not_started(&error, call, measurement)),
    };
    match invoke(&mut guest).await {
        Ok(value) => Ok(Returned { value, outputs: guest.store.data_mut().occasion.take_outputs(), measurement }),
        Err(error) => Err(fault::of_call(&error, call.function, &output.last_words(), call.settings)),
    }
}

fn not_started(error: &wasmtime::Error, call: &Call<'_>, measurement: Measurement) -> GuestFault {
    let fault = fault::of_start(error, call.function, call.settings);
    if matches!(fault, GuestFault::Unavailable { .. }) {
        measurement.nothing_ran();
    }
    fault
}

/// Ends a call whose result is a value or a failure.
fn finish(
    call: &Call<'_>,
    returned: Returned<Result<String, values::Failure>>,
) -> Result<Result<Ran, Failure>, GuestFault> {
    let Returned { value, outputs, measurement } = returned;
    let len = value.as_ref().map_or_else(failure_len, String::len);
    if len > call.settings.max_output_bytes {
        return Err(fault::output_too_large(call.function, len, call.settings));
    }
    measurement.end(value.is_ok());
    Ok(value.map(|returned| Ran { returned: Json::from(returned), outputs }).map_err(failure_from_wit))
}

impl Occasion {
    fn work(&self) -> Work {
        match self {
            Occasion::Entity => Work::Turn,
            Occasion::Activity { .. }
            | Occasion::Http { .. }
            | Occasion::Stream { .. }
            | Occasion::Triggered(_)
            | Occasion::Describe => Work::Invocation,
        }
    }
}

impl Invocation {
    pub(crate) fn new(
        call: &Call<'_>,
        surroundings: &Surroundings,
        allowed_hosts: &Arc<[OutboundHost]>,
        occasion: Occasion,
    ) -> Invocation {
        let speaker = Speaker::Invocation { function: Arc::clone(call.function), id: Arc::from(call.invocation_id) };
        let output = GuestOutput::new(speaker, call.settings.max_log_bytes, Box::new(|| false));
        let wasi = WasiCtx::builder()
            .envs(&surroundings.environment)
            .stdout(output.stdout())
            .stderr(output.stderr())
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        Invocation {
            wasi,
            table: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(Arc::clone(allowed_hosts), output.clone()),
            memory: MemoryLimit::new(call.settings.max_memory_bytes),
            output,
            client: surroundings.client.clone(),
            meter: surroundings.meter.clone(),
            occasion,
            max_output_bytes: call.settings.max_output_bytes,
        }
    }

    /// Stays readable after the guest is gone.
    pub(crate) fn output(&self) -> GuestOutput {
        self.output.clone()
    }

    /// Begins to measure this run.
    fn measure(&self, call: &Call<'_>) -> Measurement {
        Measurement::begin(self.meter.as_ref(), call.function, self.occasion.work(), self.memory.used())
    }
}

/// Defines everything that an invocation may import.
pub(crate) fn define(linker: &mut Linker<Invocation>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    activity_context::add_to_linker::<_, HasSelf<Invocation>>(linker, |invocation| invocation)?;
    wit_bindings::add_to_linker::<_, HasSelf<Invocation>>(linker, |invocation| invocation)?;
    wit_client::add_to_linker::<_, HasSelf<Invocation>>(linker, |invocation| invocation)
}

impl GuestState for Invocation {
    fn memory_limit(&mut self) -> &mut MemoryLimit {
        &mut self.memory
    }

    /// Others get their turn on the thread; the deadline of the call is the caller's business.
    fn on_tick(store: &mut Store<Invocation>) {
        store.epoch_deadline_async_yield_and_update(1);
    }
}

impl WasiView for Invocation {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Invocation {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}
