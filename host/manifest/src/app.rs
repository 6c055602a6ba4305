//! The application that a valid manifest describes: what the rest of the host trusts.
//!
//! Plain data without TOML and without positions, except for the line that a message about a function may name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::time::Duration;
use storage_model::QueueName;

use crate::app_settings::SettingReference;
use crate::bindings::{InputBinding, OutputBinding};
use crate::outbound::OutboundHost;
use crate::retry::RetryPolicy;
use crate::route::{Methods, NamedRoute, OrderNotice, RouteTable, Template, differences};
use crate::schedule::Schedule;
use crate::settings::{HostSettings, QueueSettings};

/// A function app: its components, the functions in them, and the host's settings for it.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// A letter, then letters, digits, `-` and `_`; at most [`crate::MAX_APP_NAME_CHARS`].
    pub name: String,
    /// Free-form but short, such as `1.0.0`; tells versions of a bundle apart.
    pub version: String,
    /// What becomes of instances that are unfinished when the app changes.
    pub versioning: Versioning,
    /// By name. Every component that a function names is here.
    pub components: BTreeMap<String, Component>,
    /// In the order of the file. Names are unique, ignoring case.
    pub functions: Vec<Function>,
    /// What host.json holds in Azure, with every default filled in.
    pub host: HostSettings,
    /// The app settings that the manifest refers to, in the order of its lines. Their values are filled in already, apart from
    /// those of connections.
    pub referenced_settings: Vec<SettingReference>,
}

impl App {
    /// The function of that name, ignoring case as Azure does.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name.eq_ignore_ascii_case(name))
    }

    /// Pairs of functions that take messages from the same queue: each message goes to one of them, by chance. Allowed, as in
    /// Azure, and seldom meant.
    pub fn competing_queue_triggers(&self) -> Vec<(&Function, &Function)> {
        let mut first: BTreeMap<(&Connection, &QueueName), &Function> = BTreeMap::new();
        let mut pairs = Vec::new();
        for function in self.functions.iter().filter(|function| !function.disabled) {
            let Trigger::Queue(queue) = &function.trigger else { continue };
            match first.entry((&queue.connection, &queue.queue_name)) {
                Entry::Vacant(free) => drop(free.insert(function)),
                Entry::Occupied(taken) => pairs.push((*taken.get(), function)),
            }
        }
        pairs
    }

    /// The routes of all HTTP functions, below the configured prefix; indices are those of [`App::functions`].
    pub fn route_table(&self) -> RouteTable {
        let http = self.functions.iter().enumerate().filter_map(|(index, function)| match &function.trigger {
            Trigger::Http(trigger) => Some((index, &trigger.route, trigger.methods)),
            Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {
                None
            }
        });
        RouteTable::new(&self.host.http.route_prefix, http)
    }

    /// Functions that get requests here which Azure, going by the alphabet, would give to another one. Found by trying an
    /// example of each route, so that there may be more.
    pub fn order_notices(&self) -> Vec<OrderNotice> {
        let http = self.functions.iter().filter_map(|function| match &function.trigger {
            Trigger::Http(HttpTrigger { methods, route, .. }) => {
                Some(NamedRoute { function: &function.name, template: route, methods: *methods })
            }
            Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {
                None
            }
        });
        differences(&self.host.http.route_prefix, http.collect())
    }
}

/// One WebAssembly component and how it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Path of the `.wasm` file as written, relative to the manifest's folder.
    pub source: String,
    /// Where this component's invocations may send requests; empty means nowhere.
    pub allowed_outbound_hosts: Vec<OutboundHost>,
    /// How to build it from source; absent for a component that is delivered ready.
    pub build: Option<Build>,
}

/// How a component is built in the development loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// A command line.
    pub command: String,
    /// Glob patterns, relative to the manifest's folder: a change to a matching file means building again.
    pub watch: Vec<String>,
    /// Where the command runs, relative to the manifest's folder; absent means in that folder.
    pub workdir: Option<String>,
}

/// A named entry point and what starts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// A letter, then letters, digits, `_` and `-`; at most [`crate::MAX_FUNCTION_NAME_CHARS`]; never `host`.
    pub name: String,
    /// A key of [`App::components`].
    pub component: String,
    /// The function's name inside the component; the same as `name` unless the manifest says otherwise.
    pub entry_point: String,
    /// What starts it.
    pub trigger: Trigger,
    /// What is read for it before it begins. Names are unique among inputs.
    pub inputs: Vec<InputBinding>,
    /// Where what it produces goes when it has ended well. Names are unique among outputs.
    pub outputs: Vec<OutputBinding>,
    /// What happens after a failure; absent: what its trigger does of itself.
    pub retry: Option<RetryPolicy>,
    /// It is listed and nothing starts it, apart from whoever has the master key.
    pub disabled: bool,
    /// Invocations of it that may run at a time; absent: no limit of its own.
    pub max_concurrency: Option<u32>,
    /// The line of the manifest on which the function begins, from 1.
    pub line: usize,
}

/// What starts a function.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// A request; `httpTrigger`.
    Http(HttpTrigger),
    /// The start of an orchestration instance; `orchestrationTrigger`.
    Orchestration,
    /// A call from an orchestrator; `activityTrigger`.
    Activity(ActivityTrigger),
    /// An operation on an entity whose id names the function; `entityTrigger`. Ids hold the name in lower case, and
    /// names are unique without their case, so that each id means one function.
    Entity,
    /// A message in a queue; `queueTrigger`.
    Queue(QueueTrigger),
    /// A schedule; `timerTrigger`.
    Timer(TimerTrigger),
}

impl Trigger {
    /// Whether it is a request.
    pub fn is_http(&self) -> bool {
        match self {
            Trigger::Http(_) => true,
            Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {
                false
            }
        }
    }

    /// The name of this trigger in manifests.
    pub fn type_name(&self) -> &'static str {
        match self {
            Trigger::Http(_) => "httpTrigger",
            Trigger::Orchestration => "orchestrationTrigger",
            Trigger::Activity(_) => "activityTrigger",
            Trigger::Entity => "entityTrigger",
            Trigger::Queue(_) => "queueTrigger",
            Trigger::Timer(_) => "timerTrigger",
        }
    }
}

/// Which requests start a function, and who may send them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTrigger {
    /// The methods that it answers.
    pub methods: Methods,
    /// Its path below the prefix; the function's name unless the manifest says otherwise.
    pub route: Template,
    /// What a caller must prove.
    pub auth_level: AuthLevel,
}

/// How an activity is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityTrigger {
    /// Longest time for one attempt; absent means [`HostSettings::function_timeout`].
    pub timeout: Option<Duration>,
    /// Longest time between two signs of life of a running attempt; absent means that none are expected. Never longer
    /// than `timeout`.
    pub heartbeat_timeout: Option<Duration>,
}

/// Which messages start a function, and how many at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueTrigger {
    /// The queue.
    pub queue_name: QueueName,
    /// Where the queue is.
    pub connection: Connection,
    /// `[host.queues]`, with what the trigger itself says instead.
    pub settings: QueueSettings,
}

/// Where queues and tables are: the name of the app setting with a connection string. What the setting holds is looked up, and
/// understood, by whoever connects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection(pub String);

impl Connection {
    /// What a binding gets that names none, as in Azure.
    pub const DEFAULT: &'static str = "AzureWebJobsStorage";
}

impl Default for Connection {
    fn default() -> Connection {
        Connection(Connection::DEFAULT.to_owned())
    }
}

/// When a function runs.
#[derive(Debug, Clone, PartialEq)]
pub struct TimerTrigger {
    /// The schedule, in its time zone.
    pub schedule: Schedule,
    /// Run at every start of the host, too.
    pub run_on_startup: bool,
    /// `useMonitor`: remember over restarts what has run. Off for schedules of more than once a minute, whatever is written.
    pub use_monitor: bool,
    /// What becomes of occurrences that were missed while the host was not running.
    pub catch_up: CatchUp,
}

/// What becomes of missed occurrences; `catchUp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// One run at once, past due, for all of them, as in Azure.
    #[default]
    One,
    /// One run for each, in order.
    All,
    /// They are forgotten.
    None,
}

impl CatchUp {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            CatchUp::One => "one",
            CatchUp::All => "all",
            CatchUp::None => "none",
        }
    }
}

/// Which code an instance runs when the app is deployed anew before the instance has ended; `app.versioning`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    /// The code that started it, to its end, its activities and sub-orchestrations included.
    #[default]
    Pinned,
    /// Whatever the app is at each turn; keeping it compatible with recorded histories is up to the author, as in Azure.
    Latest,
}

impl Versioning {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Versioning::Pinned => "pinned",
            Versioning::Latest => "latest",
        }
    }
}

/// What a caller of an HTTP function must prove, from nothing to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum AuthLevel {
    /// Anybody may call.
    Anonymous,
    /// A key of the function or of the host; what a trigger that says nothing gets, as in Azure.
    #[default]
    Function,
    /// The master key.
    Admin,
}

impl AuthLevel {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthLevel::Anonymous => "anonymous",
            AuthLevel::Function => "function",
            AuthLevel::Admin => "admin",
        }
    }
}

impl fmt::Display for AuthLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
