//! The command line of `dacapo durable`: names and options as in Azure's local tools, and short ones beside them.

use clap::{ArgGroup, Args, Subcommand};
use orchestration::{RuntimeStatus, Timestamp};
use serde::de::IgnoredAny;
use std::path::PathBuf;
use std::time::Duration;

use super::durable_help as help;
use super::{DEFAULT_PORT, HostArguments, OutputFormat};
use crate::moment;
use crate::settings::Assignment;

/// One variant per thing that can be done with instances; most of them are one request to a host.
#[derive(Debug, Subcommand)]
pub(crate) enum DurableCommand {
    /// Start an orchestration
    #[command(visible_alias = "start", after_help = help::START)]
    StartNew(StartNewArguments),
    /// List instances
    #[command(visible_alias = "list", after_help = help::LIST)]
    GetInstances(GetInstancesArguments),
    /// Show the status of an instance, and what it waits for
    #[command(visible_aliases = ["show", "status"], after_help = help::SHOW)]
    GetRuntimeStatus(GetRuntimeStatusArguments),
    /// Show what an instance has done so far
    #[command(visible_alias = "history", after_help = help::HISTORY)]
    GetHistory(GetHistoryArguments),
    /// Send an event to an instance
    #[command(visible_alias = "raise", after_help = help::RAISE)]
    RaiseEvent(RaiseEventArguments),
    /// End an instance now
    #[command(after_help = help::TERMINATE)]
    Terminate(TerminateArguments),
    /// Hold an instance until it is resumed
    #[command(after_help = help::SUSPEND)]
    Suspend(ReasonArguments),
    /// Let an instance go on that was suspended
    #[command(after_help = help::RESUME)]
    Resume(ReasonArguments),
    /// Let an instance that has failed go on from before its failures
    #[command(after_help = help::REWIND)]
    Rewind(RewindArguments),
    /// Start an instance once more, with the input that it had
    #[command(after_help = help::RESTART)]
    Restart(RestartArguments),
    /// Remove instances that have ended, with their histories
    #[command(visible_alias = "purge", after_help = help::PURGE)]
    PurgeHistory(PurgeHistoryArguments),
    /// Say whether code still fits the recorded history of an instance, and where it departs
    #[command(after_help = help::REPLAY)]
    Replay(ReplayArguments),
    /// Follow an instance until it ends, and draw what it does as a timeline
    #[command(after_help = help::WATCH)]
    Watch(WatchArguments),
}

/// Which host is asked, and for which of its task hubs.
#[derive(Debug, Args)]
pub(crate) struct HubArguments {
    #[command(flatten)]
    pub(crate) host: HostArguments,

    /// The task hub; only needed if the host serves several apps
    #[arg(long, value_name = "NAME")]
    pub(crate) task_hub_name: Option<String>,
}

/// Which instance.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct InstanceArguments {
    /// The instance's id; of an entity: @name@key
    #[arg(value_name = "INSTANCE-ID")]
    instance: Option<String>,

    /// The same, as an option
    #[arg(long, value_name = "INSTANCE-ID")]
    id: Option<String>,
}

impl InstanceArguments {
    /// The id, however it was given; clap sees to it that there is one.
    pub(crate) fn id(&self) -> &str {
        self.instance.as_deref().or(self.id.as_deref()).unwrap_or_default()
    }
}

/// Whether to wait for the end of what is started.
#[derive(Debug, Args)]
pub(crate) struct WaitArguments {
    /// Wait until the instance has ended, and say how
    #[arg(long)]
    pub(crate) wait: bool,

    /// Wait no longer than this: seconds, or a time like 5m or 1h30m
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,
}

/// What to start.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("orchestrator").required(true).args(["function", "function_name"])))]
pub(crate) struct StartNewArguments {
    /// The orchestrator's name in the manifest
    #[arg(value_name = "FUNCTION")]
    function: Option<String>,

    /// The same, as an option
    #[arg(long, value_name = "FUNCTION")]
    function_name: Option<String>,

    /// The id of the new instance [default: a random one]
    #[arg(long, value_name = "INSTANCE-ID")]
    pub(crate) id: Option<String>,

    /// The input in JSON: as it is, or @ and a file, or - for standard input
    #[arg(short, long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) input: Option<String>,

    /// The version that the instance is to have
    #[arg(long = "version", value_name = "VERSION")]
    pub(crate) instance_version: Option<String>,

    /// A tag of the instance; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = Assignment::parse)]
    pub(crate) tag: Vec<Assignment>,

    /// When to start it, in ISO 8601 [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) start_at: Option<Timestamp>,

    #[command(flatten)]
    pub(crate) waiting: WaitArguments,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

impl StartNewArguments {
    /// The orchestrator, however it was given; clap sees to it that there is one.
    pub(crate) fn function(&self) -> &str {
        self.function.as_deref().or(self.function_name.as_deref()).unwrap_or_default()
    }
}

/// Instances by what is known of them; whatever is not given does not count.
#[derive(Debug, Args)]
pub(crate) struct FilterArguments {
    /// Only instances created at this moment or later, in ISO 8601; without an offset it is UTC
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) created_after: Option<Timestamp>,

    /// Only instances created at this moment or before
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) created_before: Option<Timestamp>,

    /// Only instances of these statuses, with commas between them
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = parse_status)]
    pub(crate) runtime_status: Vec<RuntimeStatus>,
}

/// Which payloads to show.
#[derive(Debug, Args)]
pub(crate) struct ShownArguments {
    /// Show inputs
    #[arg(long)]
    pub(crate) show_input: bool,

    /// Show outputs
    #[arg(long)]
    pub(crate) show_output: bool,
}

/// Which instances to list.
#[derive(Debug, Args)]
pub(crate) struct GetInstancesArguments {
    #[command(flatten)]
    pub(crate) filter: FilterArguments,

    /// Only instances whose ids begin so; @ for entities, @counter@ for those of one name
    #[arg(long, value_name = "PREFIX")]
    pub(crate) id_prefix: Option<String>,

    /// Only instances with this tag; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = Assignment::parse)]
    pub(crate) tag: Vec<Assignment>,

    /// How many to list at most, up to 1000
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) top: u16,

    /// Where an earlier list ended
    #[arg(long, value_name = "TOKEN")]
    pub(crate) continuation_token: Option<String>,

    #[command(flatten)]
    pub(crate) shown: ShownArguments,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

/// What to show of an instance.
#[derive(Debug, Args)]
pub(crate) struct GetRuntimeStatusArguments {
    #[command(flatten)]
    pub(crate) instance: InstanceArguments,

    #[command(flatten)]
    pub(crate) shown: ShownArguments,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

/// Whose history, and in which form.
#[derive(Debug, Args)]
pub(crate) struct GetHistoryArguments {
    #[command(flatten)]
    pub(crate) instance: InstanceArguments,

    /// Draw it as a timeline
    #[arg(long)]
    pub(crate) graph: bool,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

/// Which event, and for whom.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("event_to_raise").required(true).args(["event", "event_name"])))]
pub(crate) struct RaiseEventArguments {
    #[command(flatten)]
    pub(crate) instance: InstanceArguments,

    /// The event's name; with --id, give it as --event-name
    #[arg(value_name = "EVENT")]
    event: Option<String>,

    /// The same, as an option
    #[arg(long, value_name = "EVENT")]
    event_name: Option<String>,

    /// What comes with it, in JSON: as it is, or @ and a file, or - for standard input
    #[arg(short = 'd', long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) event_data: Option<String>,

    /// A name of your own for this one event: sent twice, it is raised once
    #[arg(long, value_name = "EVENT-ID")]
    pub(crate) event_id: Option<String>,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

impl RaiseEventArguments {
    /// The event's name, however it was given; clap sees to it that there is one.
    pub(crate) fn event(&self) -> &str {
        self.event.as_deref().or(self.event_name.as_deref()).unwrap_or_default()
    }
}

/// An instance, and why something is done with it.
#[derive(Debug, Args)]
pub(crate) struct ReasonArguments {
    #[command(flatten)]
    pub(crate) instance: InstanceArguments,

    /// Why; it stands in the history
    #[arg(long)]
    pub(crate) reason: Option<String>,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

/// What to terminate.
#[derive(Debug, Args)]
pub(crate) struct TerminateArguments {
    #[command(flatten)]
    pub(crate) target: ReasonArguments,

    /// Its sub-orchestrations too
    #[arg(long)]
    pub(crate) recursive: bool,
}

/// What to rewind.
#[derive(Debug, Args)]
pub(crate) struct RewindArguments {
    #[command(flatten)]
    pub(crate) target: ReasonArguments,

    /// On the app as it is now, instead of the version that the instance began with
    #[arg(long)]
    pub(crate) latest: bool,
}

/// What to start once more.
#[derive(Debug, Args)]
pub(crate) struct RestartArguments {
    #[command(flatten)]
    pub(crate) instance: InstanceArguments,

    /// Under the same id, in place of the instance that has ended
    #[arg(long)]
    pub(crate) same_id: bool,

    #[command(flatten)]
    pub(crate) waiting: WaitArguments,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

/// What to purge: one instance, or all that a filter names.
#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("purged").required(true).multiple(true)
        .args(["instance", "id", "created_after", "created_before", "runtime_status", "all"])
))]
pub(crate) struct PurgeHistoryArguments {
    /// The instance's id; of an entity: @name@key
    #[arg(value_name = "INSTANCE-ID", conflicts_with_all = ["id", "created_after", "created_before", "runtime_status", "all"])]
    instance: Option<String>,

    /// The same, as an option
    #[arg(long, value_name = "INSTANCE-ID", conflicts_with_all = ["created_after", "created_before", "runtime_status", "all"])]
    id: Option<String>,

    #[command(flatten)]
    pub(crate) filter: FilterArguments,

    /// All instances that have ended
    #[arg(long, conflicts_with_all = ["created_after", "created_before", "runtime_status"])]
    pub(crate) all: bool,

    /// Also instances that have not ended: they are lost
    #[arg(long)]
    pub(crate) force: bool,

    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

impl PurgeHistoryArguments {
    /// The one instance, if it is one.
    pub(crate) fn id(&self) -> Option<&str> {
        self.instance.as_deref().or(self.id.as_deref())
    }
}

/// Which history to replay, and on which code.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("code").required(true).multiple(true)))]
pub(crate) struct ReplayArguments {
    /// An instance's id, to be fetched from --url; or a file with a history, as GET instances/{id}/history answers it
    #[arg(value_name = "INSTANCE-ID|FILE")]
    pub(crate) history: String,

    /// The component to replay on, instead of the one that the manifest names
    #[arg(long, value_name = "FILE.wasm", group = "code")]
    pub(crate) component: Option<PathBuf>,

    /// The app to replay on: the orchestrator is looked up in its manifest
    #[arg(long, value_name = "FILE.toml", group = "code")]
    pub(crate) manifest: Option<PathBuf>,

    /// The host that has the instance
    #[arg(long, env = "DACAPO_URL", default_value_t = format!("http://localhost:{DEFAULT_PORT}"))]
    pub(crate) url: String,

    /// The key that this host asks for: its system key durabletask_extension or its master key
    #[arg(long, env = "DACAPO_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// What to follow.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    #[command(flatten)]
    pub(crate) instance: InstanceArguments,

    #[command(flatten)]
    pub(crate) hub: HubArguments,
}

fn parse_moment(text: &str) -> Result<Timestamp, String> {
    moment::parse(text).ok_or_else(|| "write it in ISO 8601, such as 2024-01-31 or 2024-01-31T08:00:00Z".to_owned())
}

fn parse_status(text: &str) -> Result<RuntimeStatus, String> {
    let status = RuntimeStatus::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(text.trim()));
    status.ok_or_else(|| format!("statuses are {}", RuntimeStatus::ALL.map(RuntimeStatus::name).join(", ")))
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "give seconds, or a time like 30s, 5m or 1h30m".to_owned();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| wrong());
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    span.try_into().map_err(|_| wrong())
}

/// Whether a payload is JSON, which is all that the host takes.
///
/// # Errors
/// Says where it is none, and how a text is written.
pub(crate) fn check_json(payload: &str) -> Result<(), String> {
    match serde_json::from_str::<IgnoredAny>(payload) {
        Ok(_) => Ok(()),
        Err(why) => Err(format!("it is no JSON: {why}; a text stands in double quotes, as in '\"Ada\"'")),
    }
}
