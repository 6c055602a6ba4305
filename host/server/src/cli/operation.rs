//! The command line of what is asked of a host that runs: running a function by hand, and what functions have used.

use clap::Args;

use super::{DEFAULT_PORT, OutputFormat};

pub(super) const INVOKE_AFTER_HELP: &str = "\
Runs a function now, also one that is disabled. What its input is depends on its trigger: the text of a message for a queue \
function, the body of a POST for an HTTP function, the argument of an activity, the argument of a new instance for an \
orchestrator; a timer has none. Outputs are written as ever. Entities are signalled instead.

Examples:
  dacapo invoke NightlyReport
      Runs a timer's function and prints what it returned.

  dacapo invoke AcceptTrip --data '{\"traveller\": \"Ada\", \"conference\": \"RustConf\"}'
      As if this message had been in the function's queue.

  dacapo invoke BookTrip --data @trip.json --url http://127.0.0.1:8080 --key \"$MASTER_KEY\"
      Input from a file, for a host elsewhere that asks for its master key.

  generate-orders | dacapo invoke Import --data - --no-wait
      Input from standard input; the host goes on with it alone.

Exit codes:
  0  the function succeeded; the instance was started; with --no-wait: the run was taken
  1  the function failed
  2  the command line is wrong, the host cannot be asked, or it has no such function";

pub(super) const USAGE_AFTER_HELP: &str = "\
Counts what each function has used since its app's data folder was made, and estimates what the consumption plan of Azure \
Functions would make of it: executions, and memory by time in gigabyte-seconds.

Examples:
  dacapo usage
      The host on http://localhost:7071.

  dacapo usage --output json | jq .estimate.freeExecutionsPercent

Exit codes:
  0  done
  2  the command line is wrong, or the host cannot be asked";

pub(super) const LOGS_AFTER_HELP: &str = "\
Shows the last lines of a host's log: what functions say, their invocations, what the host warns of. What the host does not \
log, because of its manifest or RUST_LOG, is not there. Lines that came faster than they could be sent are counted.

Examples:
  dacapo logs --follow
      The host on http://localhost:7071, until it stops or Ctrl+C.

  dacapo logs --function BookFlight --level warning
      What went wrong in one function.

  dacapo logs -f --output json --url https://host.example | jq 'select(.kind == \"invocation_completed\")'

Exit codes:
  0  done
  2  the command line is wrong, or the host cannot be asked";

/// Which host is asked, and how to say what it answers.
#[derive(Debug, Args)]
pub(crate) struct HostArguments {
    /// The host
    #[arg(long, env = "DACAPO_URL", default_value_t = format!("http://localhost:{DEFAULT_PORT}"))]
    pub(crate) url: String,

    /// A key, if the host asks for one: its master key; for `dacapo durable` also its system key durabletask_extension
    #[arg(long, env = "DACAPO_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

impl HostArguments {
    /// The key that was given; a variable that is set to nothing is none.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref().filter(|key| !key.is_empty())
    }
}

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct InvokeArguments {
    /// The function's name in the manifest
    pub(crate) function: String,

    /// The input: text, or @ and a file, or - for standard input
    #[arg(short, long, value_name = "TEXT|@FILE|-", allow_hyphen_values = true)]
    pub(crate) data: Option<String>,

    /// Do not wait for the end of the run
    #[arg(long)]
    pub(crate) no_wait: bool,

    #[command(flatten)]
    pub(crate) host: HostArguments,
}

/// Which lines to show.
#[derive(Debug, Args)]
pub(crate) struct LogsArguments {
    /// Go on with whatever comes, until the host stops
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Only lines of this function
    #[arg(long)]
    pub(crate) function: Option<String>,

    /// Only lines that are at least so grave: trace, debug, information, warning, error
    #[arg(long)]
    pub(crate) level: Option<String>,

    /// Only lines of invocations or instances whose id begins with this
    #[arg(long, value_name = "ID")]
    pub(crate) invocation: Option<String>,

    #[command(flatten)]
    pub(crate) host: HostArguments,
}

/// Whose usage to show.
#[derive(Debug, Args)]
pub(crate) struct UsageArguments {
    #[command(flatten)]
    pub(crate) host: HostArguments,
}
