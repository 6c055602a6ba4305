//! An app: the functions of a manifest bound to components, offered through the ports.

use crate::cache::sha256_hex;
use crate::component::{Component, FunctionKind};
use crate::invocation::{
    self, Call, Invocation, Occasion, StreamingTasks, Surroundings, handle_buffered, handle_streaming, run_activity,
    run_entity,
};
use crate::orchestrator::LiveOrchestrator;
use crate::runtime::Runtime;
use crate::settings::GuestSettings;
use async_trait::async_trait;
use manifest::OutboundHost;
use orchestration::{ActivityTask, EntityOutcome, Failure, Json, Timeouts};
use ports::{
    Activities, ActivityInvocation, DurableClient, Entities, EntityBatch, GuestFault, HttpAnswer, HttpFunctions,
    HttpInvocation, Orchestrator, Orchestrators,
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
        "function '{function}': '{entry_point}' in the component '{component}' is an {found}, but its trigger needs an \
         {wanted}; change the trigger's type, or the function's attribute in the code"
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
    /// Whether it is the handler of a standard HTTP component, rather than a function that the component names.
    is_standard: bool,
}

impl App {
    /// Binds every function. `environment` is what invocations see as environment variables; `client` is what they start
    /// and steer orchestrations with.
    ///
    /// # Errors
    /// Names every function that cannot be bound.
    pub fn new(
        runtime: &Runtime,
        bindings: Vec<Binding>,
        environment: Vec<(String, String)>,
        client: Arc<dyn DurableClient>,
    ) -> Result<App, Vec<BindingError>> {
        App::bound(runtime, bindings, Surroundings { environment, client: Some(client) })
    }

    /// As [`App::new`], without a client and an environment: for running orchestrators on histories that are known, by
    /// [`Orchestrators::begin`] and [`Orchestrator::advance`] with a cursor over the whole history.
    ///
    /// # Errors
    /// As [`App::new`].
    pub fn for_replay(runtime: &Runtime, bindings: Vec<Binding>) -> Result<App, Vec<BindingError>> {
        App::bound(runtime, bindings, Surroundings { environment: Vec::new(), client: None })
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
            is_standard,
        };
        match functions.0.insert(binding.function.to_lowercase(), function) {
            None => Ok(()),
            Some(_) => Err(BindingError::Duplicate { function: binding.function }),
        }
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
        let live = LiveOrchestrator::begin(&function.component, &function.name, &function.entry_point, &self.settings);
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
        let ActivityInvocation { invocation_id, task, heartbeat } = invocation;
        self.check_version(&task.name, task.pinned_to.as_deref())?;
        let function = self.activities.find("activity", &task.name)?;
        let call = function.call(&invocation_id, &self.settings);
        let call = Call { timeout: function.timeouts(&task).run, grace: self.settings.activity_grace, ..call };
        let state = self.invocation(&call, function, Occasion::Activity(heartbeat));
        run_activity(function.component.invocations(), state, &call, &task).await
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
        let HttpInvocation { invocation_id, function, route_parameters, request, inputs: _ } = invocation;
        let function = self.http.find("HTTP function", &function)?;
        let call = function.call(&invocation_id, &self.settings);
        let occasion = Occasion::Http { origin: origin(request.uri()) };
        let state = self.invocation(&call, function, occasion);
        let incoming = invocation::Incoming { route_parameters, request };
        let response = if function.is_standard {
            handle_streaming(&function.component, &self.streaming, state, &call, incoming).await?
        } else {
            handle_buffered(function.component.invocations(), state, &call, incoming).await?
        };
        Ok(HttpAnswer { response, outputs: Vec::new() })
    }
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
            .finish_non_exhaustive()
    }
}
