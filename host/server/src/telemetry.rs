//! Logs: which lines are shown, and how they look. What is worth a line is decided where it happens.
//!
//! Log lines go to standard error, one line per invocation by default; `--verbose` adds what the host itself does, and RUST_LOG,
//! when it is set, says exactly what is shown.

use tracing_subscriber::EnvFilter;

use crate::console::Console;
use crate::settings::Environment;

/// What a developer wants to see: their functions, and what somebody has to react to.
const PLAIN: &str = "warn,invocation=info,function=info";
/// What the host does besides; its libraries stay quiet.
const VERBOSE: &str =
    "warn,invocation=debug,function=trace,dacapo=debug,guest=debug,storage=debug,task_hub=debug,triggers=debug";

/// Sends the log lines of the whole process to standard error.
///
/// # Errors
/// RUST_LOG holds something that is no filter.
pub(crate) fn start(environment: &Environment, verbose: bool, console: &Console) -> anyhow::Result<()> {
    let filter = match environment.rust_log() {
        Some(text) => EnvFilter::try_new(text).map_err(|error| {
            anyhow::anyhow!(
                "RUST_LOG is {text:?}, which is no filter: {error}; write it like `info` or `warn,guest=debug`"
            )
        })?,
        None => EnvFilter::new(if verbose { VERBOSE } else { PLAIN }),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(console.colours_on_error())
        .with_target(verbose)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|error| anyhow::anyhow!("could not start logging: {error}"))
}
