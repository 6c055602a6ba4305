//! An app: the functions of a manifest bound to components, offered through the ports.

use crate::cache::sha256_hex;
use crate::component::{Component, FunctionKind};
use crate::invocation::{
    self, BindingNames, Bound, Call, Invocation, Occasion, StreamingTasks, Surroundings, handle_buffered,
    handle_streaming, run_activity, run_entity, run_queue, run_timer,
};
use crate::orchestrator::LiveOrchestrator;
use crate::runtime::Runtime;
use crate::settings::GuestSettings;
use async_trait::async_trait;
use manifest::{OutboundHost, RETURN_BINDING};
use orchestration::{ActivityTask, EntityOutcome, Failure, Json, Timeouts};
use ports::{
    Activities, ActivityInvocation, BoundValues, DurableClient, Entities, EntityBatch, GuestFault, HttpAnswer,
    HttpFunctions, HttpInvocation, Meter, Orchestrator, Orchestrators, QueueFunctions, QueueInvocation, Ran,
    TimerFunctions, TimerInvocation,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One function of the manifest and where it is.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its name in the manifest.
    pub function: String,
    /// Its name in the component.
    pub entry_point: String,
    /// The component.
    pub component: Arc<Component>,
    /// What its trigger makes of it.
    pub kind: FunctionKind,
    /// The longest that one call may take; none: [`GuestSettings::function_timeout`]. Orchestrators have none: their turns
    /// are limited by [`GuestSettings::turn_timeout`].
    pub timeout: Option<Duration>,
    /// The longest that an activity may go without a sign of life; none: no limit. Only whoever runs activities looks at it.
    pub heartbeat_timeout: Option<Duration>,
    /// The names of what is read for it, in the order in which a message lists them. Only activities and functions with
    /// HTTP, queue and timer triggers have inputs and outputs.
    pub inputs: Vec<String>,
    /// The names of what it may give values to. [`RETURN_BINDING`] may be among them; it takes what the function returns.
    pub outputs: Vec<String>,
}

/// Why a function of the manifest cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// The component has no function of that name.
    #[error(
        "function '{function}': the component '{component}' has no {kind} named '{entry_point}'; it has: {}",
        list(known)
    )]
    NotFound {
        /// Its name in the manifest.
        function: String,
        /// The name that was looked for.
        entry_point: String,
        /// The kind that was looked for.
        kind: FunctionKind,
        /// The component.
        component: String,
        /// What it has.
        known: Vec<(String, FunctionKind)>,
    },
    /// The component has a function of that name, of another kind.
    #[error(
        "function '{function}': '{entry_point}' in the component '{component}' is {}, but its trigger needs \
         {}; change the trigger's type, or the function's attribute in the code",
        found.with_article(),
        wanted.with_article()
    )]
    Kind {
        /// Its name in the manifest.
        function: String,
        /// Its name in the component.
        entry_point: String,
        /// The component.
        component: String,
        /// What it is.
        found: FunctionKind,
        /// What the trigger needs.
        wanted: FunctionKind,
    },
    /// A function that cannot use bindings has some.
    #[error(
        "function '{function}' has the bindings {}, but {what} cannot use any; {remedy}", names.join(", ")
    )]
    Bindings {
        /// Its name in the manifest.
        function: String,
        /// The bindings.
        names: Vec<String>,
        /// What kind of function it is.
        what: &'static str,
        /// What can be done.
        remedy: &'static str,
    },
    /// Two functions of one kind whose names differ in case only.
    #[error("function '{function}' is there twice; names are compared without case, so rename one")]
    Duplicate {
        /// Its name in the manifest.
        function: String,
    },
}

fn list(known: &[(String, FunctionKind)]) -> String {
    if known.is_empty() {
        return "no functions".to_owned();
    }
    known.iter().map(|(name, kind)| format!("{name} ({kind})")).collect::<Vec<_>>().join(", ")
}

/// The functions of one app, ready to be called. It is one version of the app: what is pinned to another one is refused.
pub struct App {
    digest: String,
    settings: Arc<GuestSettings>,
    surroundings: Surroundings,
    activities: Functions,
    orchestrators: Functions,
    entities: Functions,
    http: Functions,
    queues: Functions,
    timers: Functions,
    streaming: StreamingTasks,
}

/// The functions of one kind, by name in lower case.
#[derive(Default)]
struct Functions(BTreeMap<String, Function>);

struct Function {
    name: Arc<str>,
    entry_point: Arc<str>,
    component: Arc<Component>,
    timeout: Option<Duration>,
    heartbeat_timeout: Option<Duration>,
    bindings: Arc<BindingNames>,
    /// Whether it is the handler of a standard HTTP component, rather than a function that the component names.
    is_standard: bool,
}

impl App {
    /// Binds every function. `environment` is what invocations see as environment variables; `client` is what they start
    /// and steer orchestrations with; `meter` is told what each run uses, if anybody wants to know.
    ///
    /// # Errors
    /// Names every function that cannot be bound.
    pub fn new(
        runtime: &Runtime,
        bindings: Vec<Binding>,
        environment: Vec<(String, String)>,
        client: Arc<dyn DurableClient>,
        meter: Option<Arc<dyn Meter>>,
    ) -> Result<App, Vec<BindingError>> {
        App::bound(runtime, bindings, Surroundings { environment, client: Some(client), meter })
    }

    /// As [`App::new`], without a client, an environment and a meter: for running orchestrators on histories that are known, by
    /// [`Orchestrators::begin`] and [`Orchestrator::advance`] with a cursor over the whole history.
    ///
    /// # Errors
    /// As [`App::new`].
    pub fn for_replay(runtime: &Runtime, bindings: Vec<Binding>) -> Result<App, Vec<BindingError>> {
        App::bound(runtime, bindings, Surroundings { environment: Vec::new(), client: None, meter: None })
    }

    fn bound(runtime: &Runtime, bindings: Vec<Binding>, surroundings: Surroundings) -> Result<App, Vec<BindingError>> {
        let mut app = App {
            digest: digest(&bindings),
            settings: Arc::clone(runtime.settings()),
            surroundings,
            activities: Functions::default(),
            orchestrators: Functions::default(),
            entities: Functions::default(),
            http: Functions::default(),
            queues: Functions::default(),
            timers: Functions::default(),
            streaming: StreamingTasks::default(),
        };
        let problems: Vec<BindingError> = bindings.into_iter().filter_map(|binding| app.bind(binding).err()).collect();
        if problems.is_empty() { Ok(app) } else { Err(problems) }
    }

    /// Names this version of the app: the lower-case hexadecimal SHA-256 over its functions, with their kinds and the digests
    /// of the components that they are in.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Where the host may send HTTP requests for the named orchestrator: nowhere for one that is not there.
    pub fn outbound_hosts(&self, orchestrator: &str) -> &[OutboundHost] {
        let function = self.orchestrators.0.get(&orchestrator.to_lowercase());
        function.map_or(&[], |function| function.component.allowed_hosts())
    }

    /// How many guests are still producing the body of a response.
    pub fn streaming_guests(&self) -> usize {
        self.streaming.len()
    }

    fn bind(&mut self, binding: Binding) -> Result<(), BindingError> {
        let is_standard = check(&binding)?;
        check_bindings(&binding, is_standard)?;
        let timeout = binding.timeout.or(self.settings.function_timeout);
        let functions = match binding.kind {
            FunctionKind::Activity => &mut self.activities,
            FunctionKind::Orchestrator => &mut self.orchestrators,
            FunctionKind::Entity => &mut self.entities,
            FunctionKind::Http => &mut self.http,
            FunctionKind::Queue => &mut self.queues,
            FunctionKind::Timer => &mut self.timers,
        };
        let function = Function {
            name: Arc::from(binding.function.as_str()),
            entry_point: Arc::from(binding.entry_point),
            component: binding.component,
            timeout,
            heartbeat_timeout: binding.heartbeat_timeout,
            bindings: Arc::new(BindingNames { inputs: binding.inputs, outputs: binding.outputs }),
            is_standard,
        };
        match functions.0.insert(binding.function.to_lowercase(), function) {
            None => Ok(()),
            Some(_) => Err(BindingError::Duplicate { function: binding.function }),
        }
    }

    /// Runs one activity with the values of its inputs, and answers what it gave its outputs besides what it returned; as
    /// [`Activities::run`] otherwise.
    ///
    /// # Errors
    /// When the function itself goes wrong.
    pub async fn run_activity(
        &self,
        invocation: ActivityInvocation,
        inputs: BoundValues,
    ) -> Result<Result<Ran, Failure>, GuestFault> {
        let ActivityInvocation { invocation_id, task, heartbeat } = invocation;
        self.check_version(&task.name, task.pinned_to.as_deref())?;
        let function = self.activities.find("activity", &task.name)?;
        let call = function.call(&invocation_id, &self.settings);
        let call = Call { timeout: function.timeouts(&task).run, grace: self.settings.activity_grace, ..call };
        let occasion = Occasion::Activity { heartbeat, bound: function.bound(inputs) };
        let state = self.invocation(&call, function, occasion);
        run_activity(function.component.invocations(), state, &call, &task).await
    }

    fn invocation(&self, call: &Call<'_>, function: &Function, occasion: Occasion) -> Invocation {
        Invocation::new(call, &self.surroundings, function.component.allowed_hosts(), occasion)
    }

    /// Code of another version would depart from what the instance has done so far.
    fn check_version(&self, function: &str, pinned_to: Option<&str>) -> Result<(), GuestFault> {
        match pinned_to {
            Some(digest) if digest != self.digest => Err(GuestFault::Unavailable {
                function: function.to_owned(),
                message: format!("its instance is pinned to the app {digest}, and this is {}", self.digest),
            }),
            Some(_) | None => Ok(()),
        }
    }
}

/// One line per function, sorted: this text must not change, since instances on disk are pinned to its digest.
fn digest(bindings: &[Binding]) -> String {
    let line = |binding: &Binding| {
        let Binding { function, entry_point, component, kind, .. } = binding;
        let (name, entry) = (function.len(), entry_point.len());
        format!("{} {name}:{function} {entry}:{entry_point} {}\n", kind.name(), component.digest())
    };
    let mut lines: Vec<String> = bindings.iter().map(line).collect();
    lines.sort();
    sha256_hex(lines.concat().as_bytes())
}

/// A function must be what the component says it has; an HTTP function that it does not name can be bound to the handler of
/// a standard HTTP component. Answers whether it is that.
fn check(binding: &Binding) -> Result<bool, BindingError> {
    let component = &binding.component;
    let mut named = component.functions().iter().filter(|(name, _)| *name == binding.entry_point).peekable();
    let first = named.peek().map(|(_, kind)| *kind);
    if named.any(|(_, kind)| *kind == binding.kind) {
        return Ok(false);
    }
    if component.is_wasi_http() && binding.kind == FunctionKind::Http {
        return Ok(true);
    }
    let function = binding.function.clone();
    let entry_point = binding.entry_point.clone();
    let component_name = component.name().to_owned();
    Err(match first {
        Some(found) => {
            BindingError::Kind { function, entry_point, component: component_name, found, wanted: binding.kind }
        }
        None => BindingError::NotFound {
            function,
            entry_point,
            kind: binding.kind,
            component: component_name,
            known: component.functions().to_vec(),
        },
    })
}

/// Orchestrators and entities decide, and standard HTTP components do not know our contract.
fn check_bindings(binding: &Binding, is_standard: bool) -> Result<(), BindingError> {
    let (what, remedy) = match binding.kind {
        FunctionKind::Http if is_standard => (
            "a standard HTTP component",
            "leave them out, or write the function with an SDK, as one that takes and gives whole bodies",
        ),
        FunctionKind::Orchestrator => ("an orchestrator", "give them to an activity that it calls"),
        FunctionKind::Entity => ("an entity", "give them to an activity"),
        FunctionKind::Http | FunctionKind::Activity | FunctionKind::Queue | FunctionKind::Timer => return Ok(()),
    };
    // Manifests in Azure's style declare the response of an HTTP function as an output of this name.
    let outputs = binding.outputs.iter().filter(|name| !(is_standard && *name == RETURN_BINDING));
    let names: Vec<String> = binding.inputs.iter().chain(outputs).cloned().collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(BindingError::Bindings { function: binding.function.clone(), names, what, remedy })
}

impl Functions {
    fn names(&self) -> Vec<String> {
        self.0.values().map(|function| function.name.to_string()).collect()
    }

    fn find(&self, kind: &'static str, name: &str) -> Result<&Function, GuestFault> {
        // Most callers write the name as the manifest does, and most names are short: the copy costs little.
        self.0.get(&name.to_lowercase()).ok_or_else(|| GuestFault::NotFound {
            kind,
            name: name.to_owned(),
            known: self.names(),
        })
    }
}

impl Function {
    fn call<'a>(&'a self, invocation_id: &'a str, settings: &'a GuestSettings) -> Call<'a> {
        let (function, entry_point) = (&self.name, &*self.entry_point);
        Call { function, entry_point, invocation_id, timeout: self.timeout, grace: Duration::ZERO, settings }
    }

    fn bound(&self, inputs: BoundValues) -> Bound {
        Bound::new(&self.bindings, inputs)
    }

    fn timeouts(&self, task: &ActivityTask) -> Timeouts {
        Timeouts {
            run: task.timeouts.run.or(self.timeout),
            heartbeat: task.timeouts.heartbeat.or(self.heartbeat_timeout),
        }
    }
}

#[async_trait]
impl Orchestrators for App {
    fn names(&self) -> Vec<String> {
        let mut names = self.orchestrators.names();
        names.sort();
        names
    }

    async fn begin(&self, name: &str, pinned_to: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        self.check_version(name, pinned_to)?;
        let function = self.orchestrators.find("orchestrator", name)?;
        let (name, entry_point, meter) = (&function.name, &function.entry_point, self.surroundings.meter.clone());
        let live = LiveOrchestrator::begin(&function.component, name, entry_point, &self.settings, meter);
        Ok(Box::new(live.await?))
    }
}

#[async_trait]
impl Activities for App {
    fn timeouts(&self, task: &ActivityTask) -> Timeouts {
        match self.activities.0.get(&task.name.to_lowercase()) {
            Some(function) => function.timeouts(task),
            None => task.timeouts,
        }
    }

    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        let function = invocation.task.name.clone();
        match self.run_activity(invocation, Vec::new()).await? {
            Ok(Ran { returned, outputs }) if outputs.is_empty() => Ok(Ok(returned)),
            Ok(Ran { outputs, .. }) => Err(outputs_lost(function, &outputs)),
            Err(failure) => Ok(Err(failure)),
        }
    }
}

#[async_trait]
impl Entities for App {
    fn names(&self) -> Vec<String> {
        let mut names = self.entities.names();
        names.sort();
        names
    }

    async fn run(&self, batch: EntityBatch) -> Result<EntityOutcome, GuestFault> {
        let function = self.entities.find("entity", batch.entity.name())?;
        let invocation_id = batch.invocation_id.clone();
        let call = function.call(&invocation_id, &self.settings);
        let state = self.invocation(&call, function, Occasion::Entity);
        run_entity(function.component.invocations(), state, &call, batch).await
    }
}

#[async_trait]
impl HttpFunctions for App {
    async fn handle(&self, invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault> {
        let HttpInvocation { invocation_id, function, route_parameters, request, inputs } = invocation;
        let function = self.http.find("HTTP function", &function)?;
        let call = function.call(&invocation_id, &self.settings);
        let origin = origin(request.uri());
        let incoming = invocation::Incoming { route_parameters, request };
        if function.is_standard {
            let state = self.invocation(&call, function, Occasion::Stream { origin });
            let response = handle_streaming(&function.component, &self.streaming, state, &call, incoming).await?;
            return Ok(HttpAnswer { response, outputs: Vec::new() });
        }
        let state = self.invocation(&call, function, Occasion::Http { origin, bound: function.bound(inputs) });
        handle_buffered(function.component.invocations(), state, &call, incoming).await
    }
}

#[async_trait]
impl QueueFunctions for App {
    async fn run_queue(&self, mut invocation: QueueInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let function = self.queues.find("queue function", &invocation.function)?;
        let invocation_id = std::mem::take(&mut invocation.invocation_id);
        let call = function.call(&invocation_id, &self.settings);
        let bound = function.bound(std::mem::take(&mut invocation.inputs));
        let state = self.invocation(&call, function, Occasion::Triggered(bound));
        run_queue(function.component.invocations(), state, &call, invocation).await
    }
}

#[async_trait]
impl TimerFunctions for App {
    async fn run_timer(&self, mut invocation: TimerInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let function = self.timers.find("timer function", &invocation.function)?;
        let invocation_id = std::mem::take(&mut invocation.invocation_id);
        let call = function.call(&invocation_id, &self.settings);
        let bound = function.bound(std::mem::take(&mut invocation.inputs));
        let state = self.invocation(&call, function, Occasion::Triggered(bound));
        run_timer(function.component.invocations(), state, &call, invocation).await
    }
}

/// Whoever runs an activity by the port has no place for them, and they must not be lost without a word.
fn outputs_lost(function: String, outputs: &BoundValues) -> GuestFault {
    let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!("it gave values to its outputs ({}), which nobody takes in this run", names.join(", "));
    GuestFault::Trapped { function, message }
}

/// Scheme and authority of the request that is being answered.
fn origin(uri: &http::Uri) -> Option<String> {
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("digest", &self.digest)
            .field("activities", &self.activities.names())
            .field("orchestrators", &self.orchestrators.names())
            .field("entities", &self.entities.names())
            .field("http", &self.http.names())
            .field("queues", &self.queues.names())
            .field("timers", &self.timers.names())
            .finish_non_exhaustive()
    }
}
