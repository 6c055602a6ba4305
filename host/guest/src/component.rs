//! A component: a `.wasm` file, checked, compiled, linked for the sandboxes that it needs, and asked what functions it has.

use crate::bindings::exports;
use crate::cache::{Provenance, sha256_hex};
use crate::engine::EnginePair;
use crate::fault;
use crate::invocation::{self, Call, Invocation, Occasion, Surroundings};
use crate::orchestrator::{self, Orchestration};
use crate::runtime::Parts;
use crate::sandbox::{Compiled, Guest, Sandbox};
use manifest::OutboundHost;
use ports::GuestFault;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a component may take to say what it has; it only copies some names.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a component comes from, and what it may do.
#[derive(Clone, Debug)]
pub struct ComponentSource {
    /// Its name in the manifest.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The command that makes the file, if the manifest names one.
    pub build_command: Option<String>,
    /// Where its invocations may send requests; empty means nowhere.
    pub allowed_hosts: Vec<OutboundHost>,
}

/// What kind of function a component offers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FunctionKind {
    /// Called by orchestrators.
    Activity,
    /// Runs an orchestration.
    Orchestrator,
    /// Has state, and operations on it.
    Entity,
    /// Answers HTTP requests.
    Http,
    /// Works on messages of a queue.
    Queue,
    /// Runs on a schedule.
    Timer,
}

impl FunctionKind {
    /// Every kind.
    pub const ALL: [FunctionKind; 6] = [
        FunctionKind::Activity,
        FunctionKind::Orchestrator,
        FunctionKind::Entity,
        FunctionKind::Http,
        FunctionKind::Queue,
        FunctionKind::Timer,
    ];

    /// The name of the kind in the contract: what is written down, and never changes.
    pub fn name(self) -> &'static str {
        match self {
            FunctionKind::Activity => "activity",
            FunctionKind::Orchestrator => "orchestrator",
            FunctionKind::Entity => "entity",
            FunctionKind::Http => "http",
            FunctionKind::Queue => "queue",
            FunctionKind::Timer => "timer",
        }
    }

    /// By its name in the contract.
    pub fn parse(name: &str) -> Option<FunctionKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl FunctionKind {
    /// As in "is a timer function".
    pub(crate) fn with_article(self) -> String {
        let article = match self {
            FunctionKind::Activity | FunctionKind::Orchestrator | FunctionKind::Entity | FunctionKind::Http => "an",
            FunctionKind::Queue | FunctionKind::Timer => "a",
        };
        format!("{article} {self}")
    }
}

impl fmt::Display for FunctionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FunctionKind::Activity => "activity",
            FunctionKind::Orchestrator => "orchestrator",
            FunctionKind::Entity => "entity",
            FunctionKind::Http => "HTTP function",
            FunctionKind::Queue => "queue function",
            FunctionKind::Timer => "timer function",
        })
    }
}

/// Why a component cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There is no such file.
    #[error("component '{component}': there is no file {}; {}", path.display(), build_hint(build_command.as_deref()))]
    Missing {
        /// Its name in the manifest.
        component: String,
        /// The file.
        path: PathBuf,
        /// What would make it.
        build_command: Option<String>,
    },
    /// The file cannot be read.
    #[error("component '{component}': cannot read {}: {detail}", path.display())]
    Unreadable {
        /// Its name in the manifest.
        component: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The file is something else.
    #[error(
        "component '{component}': {} is no WebAssembly file (it does not begin with \\0asm); `source` names the .wasm file \
         that the build makes", path.display()
    )]
    NotWasm {
        /// Its name in the manifest.
        component: String,
        /// The file.
        path: PathBuf,
    },
    /// The file is a module of the kind before components.
    #[error(
        "component '{component}': {} is a core WebAssembly module, not a component; build it for the target wasm32-wasip2 \
         (`rustup target add wasm32-wasip2`, then `cargo build --release --target wasm32-wasip2`), or turn it into a \
         component with `wasm-tools component new`", path.display()
    )]
    CoreModule {
        /// Its name in the manifest.
        component: String,
        /// The file.
        path: PathBuf,
    },
    /// It does not compile.
    #[error("component '{component}': {} is no valid component: {detail}; build it again", path.display())]
    Invalid {
        /// Its name in the manifest.
        component: String,
        /// The file.
        path: PathBuf,
        /// What the compiler says.
        detail: String,
    },
    /// It needs something that the host does not have.
    #[error(
        "component '{component}': it imports '{import}', which this host does not offer in that form ({detail}); build it \
         with an SDK of this host's version, against WASI 0.2"
    )]
    Import {
        /// Its name in the manifest.
        component: String,
        /// The import, or all of them if it is not clear which one.
        import: String,
        /// What the linker says.
        detail: String,
    },
    /// It offers nothing that the host could call.
    #[error(
        "component '{component}': it exports neither dacapo:functions/describe nor wasi:http/incoming-handler@0.2; write it \
         with an SDK, or export one of them"
    )]
    NoFunctions {
        /// Its name in the manifest.
        component: String,
    },
    /// It could not say what it has.
    #[error("component '{component}': it could not be asked for its functions: {fault}")]
    Describe {
        /// Its name in the manifest.
        component: String,
        /// What went wrong.
        fault: GuestFault,
    },
}

fn build_hint(command: Option<&str>) -> String {
    match command {
        Some(command) => format!("build it with `{command}`"),
        None => "build it, or correct the component's `source`".to_owned(),
    }
}

/// A component that is ready to run.
pub struct Component {
    name: String,
    digest: String,
    functions: Vec<(String, FunctionKind)>,
    is_wasi_http: bool,
    from_cache: bool,
    allowed_hosts: Arc<[OutboundHost]>,
    invocations: Sandbox<Invocation>,
    orchestrators: Option<Sandbox<Orchestration>>,
    /// The engines must outlive it, with the ticker that its deadlines depend on.
    _runtime: Arc<Parts>,
}

impl Component {
    /// Its name in the manifest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The lower-case hexadecimal SHA-256 of the file.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The functions that it says it has, sorted. A standard HTTP component has none with a name.
    pub fn functions(&self) -> &[(String, FunctionKind)] {
        &self.functions
    }

    /// Whether it is a standard HTTP component: any HTTP function of the manifest can be bound to it.
    pub fn is_wasi_http(&self) -> bool {
        self.is_wasi_http
    }

    /// Whether all of its code was compiled before.
    pub fn from_cache(&self) -> bool {
        self.from_cache
    }

    /// Where its invocations may send requests, and the host on behalf of its orchestrators.
    pub fn allowed_hosts(&self) -> &Arc<[OutboundHost]> {
        &self.allowed_hosts
    }

    pub(crate) fn invocations(&self) -> &Sandbox<Invocation> {
        &self.invocations
    }

    pub(crate) fn orchestrators(&self) -> Option<&Sandbox<Orchestration>> {
        self.orchestrators.as_ref()
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("name", &self.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// The lower-case hexadecimal SHA-256 by which a component's bytes are known.
pub fn digest(wasm: &[u8]) -> String {
    sha256_hex(wasm)
}

/// `wasm` is what the file holds, where that has been read before.
pub(crate) async fn load(
    runtime: Arc<Parts>,
    source: ComponentSource,
    wasm: Option<Vec<u8>>,
) -> Result<Arc<Component>, LoadError> {
    let name = source.name.clone();
    let for_invocations = move || {
        let wasm = match wasm {
            Some(wasm) => wasm,
            None => read(&source)?,
        };
        let component = prepare(runtime, &source, &wasm)?;
        Ok((component, source, wasm))
    };
    let (mut component, source, wasm) = compiling(&name, for_invocations).await?;
    component.functions =
        describe(&component).await.map_err(|fault| LoadError::Describe { component: name.clone(), fault })?;
    let has_orchestrators = component.functions.iter().any(|(_, kind)| *kind == FunctionKind::Orchestrator);
    if has_orchestrators && component.invocations.exports().orchestrator.is_some() {
        component = compiling(&name, move || with_orchestrators(component, &source, &wasm)).await?;
    }
    Ok(Arc::new(component))
}

/// On another thread, since compiling takes up to seconds.
async fn compiling<T: Send + 'static>(
    component: &str,
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panicked| {
        let fault = GuestFault::Unavailable { function: "describe".to_owned(), message: panicked.to_string() };
        Err(LoadError::Describe { component: component.to_owned(), fault })
    })
}

/// Ready to be asked what it has.
fn prepare(runtime: Arc<Parts>, source: &ComponentSource, wasm: &[u8]) -> Result<Component, LoadError> {
    check_magic(source, wasm)?;
    let ComponentSource { name, allowed_hosts, .. } = source;
    let digest = sha256_hex(wasm);
    let (compiled, from_cache) = compile(&runtime, &runtime.engines.invocation, source, &digest, wasm)?;
    let invocations =
        runtime.invocations.link(&compiled, invocation::FORBIDDEN).map_err(|e| import_error(name, &compiled, &e))?;
    let exports = invocations.exports();
    let is_wasi_http = exports.wasi_http.is_some();
    if exports.describe.is_none() && !is_wasi_http {
        return Err(LoadError::NoFunctions { component: name.clone() });
    }
    Ok(Component {
        name: name.clone(),
        digest,
        functions: Vec::new(),
        is_wasi_http,
        from_cache,
        allowed_hosts: Arc::from(allowed_hosts.as_slice()),
        invocations,
        orchestrators: None,
        _runtime: runtime,
    })
}

fn with_orchestrators(component: Component, source: &ComponentSource, wasm: &[u8]) -> Result<Component, LoadError> {
    let runtime = &component._runtime;
    let (compiled, from_cache) = compile(runtime, &runtime.engines.orchestrator, source, &component.digest, wasm)?;
    let linked = runtime.orchestrators.link(&compiled, orchestrator::FORBIDDEN);
    let orchestrators = Some(linked.map_err(|e| import_error(&component.name, &compiled, &e))?);
    let from_cache = component.from_cache && from_cache;
    Ok(Component { orchestrators, from_cache, ..component })
}

fn read(source: &ComponentSource) -> Result<Vec<u8>, LoadError> {
    std::fs::read(&source.path).map_err(|error| {
        let (component, path) = (source.name.clone(), source.path.clone());
        if error.kind() == std::io::ErrorKind::NotFound {
            return LoadError::Missing { component, path, build_command: source.build_command.clone() };
        }
        LoadError::Unreadable { component, path, detail: error.to_string() }
    })
}

/// The magic number, then two bytes of version and two of layer: 0 for modules, 1 for components.
fn check_magic(source: &ComponentSource, wasm: &[u8]) -> Result<(), LoadError> {
    let (component, path) = (source.name.clone(), source.path.clone());
    match wasm.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', _, _, 0, 0]) => Err(LoadError::CoreModule { component, path }),
        Some(_) | None => Err(LoadError::NotWasm { component, path }),
    }
}

/// Both engines of a pair take the same code where their settings allow it; then only one of them has to compile.
fn compile(
    runtime: &Parts,
    engines: &EnginePair,
    source: &ComponentSource,
    digest: &str,
    wasm: &[u8],
) -> Result<(Compiled, bool), LoadError> {
    let invalid = |error: wasmtime::Error| LoadError::Invalid {
        component: source.name.clone(),
        path: source.path.clone(),
        detail: format!("{error:#}"),
    };
    let (on_demand, provenance) = runtime.cache.component(&engines.on_demand, digest, wasm).map_err(invalid)?;
    if let (Provenance::Compiler, Some(kept_code)) = (provenance, &runtime.engines.kept_code) {
        kept_code.see(digest);
    }
    let pooled = match &engines.pooled {
        Some(engine) => Some(runtime.cache.component(engine, digest, wasm).map_err(invalid)?.0),
        None => None,
    };
    Ok((Compiled { pooled, on_demand }, provenance == Provenance::Cache))
}

/// Fills what is kept of compiled functions.
pub(crate) fn compile_ahead(runtime: &Parts, wasm: &[u8]) {
    let Some(kept_code) = &runtime.engines.kept_code else { return };
    if !kept_code.see(&sha256_hex(wasm)) {
        return;
    }
    // With kept code, the engines all take the same.
    if let Err(error) = runtime.engines.invocation.on_demand.precompile_component(wasm) {
        tracing::debug!("nothing was compiled ahead: {error:#}");
    }
}

/// Names the import that the linker complains about.
fn import_error(component: &str, compiled: &Compiled, error: &wasmtime::Error) -> LoadError {
    let detail = format!("{error:#}");
    let engine = compiled.on_demand.engine();
    let imports: Vec<String> =
        compiled.on_demand.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect();
    let import = imports.iter().find(|name| detail.contains(name.as_str())).cloned();
    LoadError::Import { component: component.to_owned(), import: import.unwrap_or_else(|| imports.join(", ")), detail }
}

/// Runs `describe` in a guest of its own, and loads every other export to see that its types are those of the contract.
async fn describe(component: &Component) -> Result<Vec<(String, FunctionKind)>, GuestFault> {
    let settings = &component._runtime.settings;
    let function = Arc::from("describe");
    let call = Call {
        function: &function,
        entry_point: "describe",
        invocation_id: &component.digest,
        timeout: Some(DESCRIBE_TIMEOUT),
        grace: Duration::ZERO,
        settings,
    };
    let surroundings = Surroundings { environment: Vec::new(), client: None, meter: None };
    let state = Invocation::new(&call, &surroundings, &component.allowed_hosts, Occasion::Describe);
    let output = state.output();
    let work = async {
        let mut guest =
            component.invocations.instantiate(state).await.map_err(|e| fault::of_start(&e, "describe", settings))?;
        let described = ask(&mut guest).await;
        described.map_err(|e| fault::of_call(&e, "describe", &output.last_words(), settings))
    };
    let mut functions = call.within(work).await?;
    functions.sort();
    Ok(functions)
}

async fn ask(guest: &mut Guest<'_, Invocation>) -> wasmtime::Result<Vec<(String, FunctionKind)>> {
    let (store, instance) = (&mut guest.store, &guest.instance);
    if let Some(indices) = &guest.exports.activity {
        indices.load(&mut *store, instance)?;
    }
    if let Some(indices) = &guest.exports.orchestrator {
        indices.load(&mut *store, instance)?;
    }
    if let Some(indices) = &guest.exports.entity {
        indices.load(&mut *store, instance)?;
    }
    if let Some(indices) = &guest.exports.http {
        indices.load(&mut *store, instance)?;
    }
    if let Some(indices) = &guest.exports.queue {
        indices.load(&mut *store, instance)?;
    }
    if let Some(indices) = &guest.exports.timer {
        indices.load(&mut *store, instance)?;
    }
    if let Some(indices) = &guest.exports.wasi_http {
        indices.load(&mut *store, instance)?;
    }
    let Some(indices) = &guest.exports.describe else {
        return Ok(Vec::new());
    };
    let described = indices.load(&mut *store, instance)?.call_describe(store).await?;
    let kind = |kind| match kind {
        exports::describe::Kind::Activity => FunctionKind::Activity,
        exports::describe::Kind::Orchestrator => FunctionKind::Orchestrator,
        exports::describe::Kind::Entity => FunctionKind::Entity,
        exports::describe::Kind::Http => FunctionKind::Http,
        exports::describe::Kind::Queue => FunctionKind::Queue,
        exports::describe::Kind::Timer => FunctionKind::Timer,
    };
    Ok(described.into_iter().map(|function| (function.name, kind(function.kind))).collect())
}
