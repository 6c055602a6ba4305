//! The command line of `dacapo storage`: queues and tables of an app, an emulator or an account of Azure Storage.

use clap::{Args, Subcommand, ValueEnum};
use std::time::Duration;
use storage_model::{EntityKey, Filter, QueueName, TableName, TextEncoding};

use super::OutputFormat;

pub(super) const STORAGE_AFTER_HELP: &str = "\
Speaks the protocol of Azure Storage, so that it works with a running host, with emulators such as Azurite, and with accounts. \
Without --connection-string and AzureWebJobsStorage in the environment, that is the storage endpoint of a host on this machine. \
Of several apps in one host, the one named first is meant, or the one of --account.

Examples:
  dacapo storage queues list
  dacapo storage queues put trip-requests '{\"conference\": \"RustConf\"}'
  dacapo storage tables show Trips --filter \"Price gt 100\" --top 10
  dacapo storage tables list --account bookings --table-port 11002

Exit codes:
  0  done
  1  refused, or not there
  2  the command line is wrong, or nobody answers";

pub(super) const QUEUES_AFTER_HELP: &str = "\
Examples:
  dacapo storage queues list
      Every queue, and how many messages are in it.

  dacapo storage queues peek trip-requests-poison --count 5
      Looks at messages without receiving them. Text in base64 is shown as what it stands for, which is said.

  dacapo storage queues put trips @trip.json --encoding base64 --ttl 1h --visibility-timeout 30s
      Puts a file's text as Azure's .NET clients would; it can be received in 30 seconds, and is gone in an hour.

  generate-orders | dacapo storage queues put orders -
      One message from standard input.

  dacapo storage queues clear trip-requests --yes

Exit codes:
  0  done
  1  refused, or there is no such queue
  2  the command line is wrong, or nobody answers";

pub(super) const TABLES_AFTER_HELP: &str = "\
Examples:
  dacapo storage tables show Trips --partition-key rustconf
      The entities of a partition.

  dacapo storage tables show Trips --filter \"Price gt 100\" --output json | jq '.entities[].RowKey'

  dacapo storage tables put Trips '{\"PartitionKey\": \"rustconf\", \"RowKey\": \"1\", \"Price\": 120}'
      Writes an entity, in the place of the one that may be there. A list of objects is written one after the other.

  dacapo storage tables delete Trips rustconf 1

  dacapo storage tables clear Trips --yes
      Deletes all entities; `drop` deletes the table, too.

Exit codes:
  0  done
  1  refused, or there is no such table or entity
  2  the command line is wrong, or nobody answers";

/// What to do with which service.
#[derive(Debug, Subcommand)]
pub(crate) enum StorageCommand {
    /// Look into queues, put messages, clear them
    #[command(subcommand, after_help = QUEUES_AFTER_HELP)]
    Queues(QueuesCommand),
    /// Look into tables, write and delete entities
    #[command(subcommand, after_help = TABLES_AFTER_HELP)]
    Tables(TablesCommand),
}

/// What to do with queues.
#[derive(Debug, Subcommand)]
pub(crate) enum QueuesCommand {
    /// Show all queues and how many messages are in each
    List(ListQueuesArguments),
    /// Look at the first messages of a queue, which stay as they are
    Peek(PeekArguments),
    /// Put a message into a queue
    Put(PutMessageArguments),
    /// Delete all messages of a queue
    Clear(RemoveQueueArguments),
    /// Make a queue
    Create(QueueArguments),
    /// Delete a queue with its messages
    Delete(RemoveQueueArguments),
}

/// What to do with tables.
#[derive(Debug, Subcommand)]
pub(crate) enum TablesCommand {
    /// Show all tables
    List(ListTablesArguments),
    /// Show entities of a table
    Show(ShowEntitiesArguments),
    /// Write an entity, whether there is one of its key or not
    Put(PutEntityArguments),
    /// Delete an entity
    Delete(DeleteEntityArguments),
    /// Delete all entities of a table
    Clear(RemoveTableArguments),
    /// Make a table
    Create(TableArguments),
    /// Delete a table with its entities
    Drop(RemoveTableArguments),
}

/// Which account, and how to say what it answers.
#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    /// Connection string of the account
    #[arg(
        long,
        value_name = "TEXT",
        env = "AzureWebJobsStorage",
        hide_env_values = true,
        default_value = "UseDevelopmentStorage=true"
    )]
    pub(crate) connection_string: String,

    /// Port of the queues on this machine [default: 10001]
    #[arg(long, value_name = "PORT")]
    pub(crate) queue_port: Option<u16>,

    /// Port of the tables on this machine [default: 10002]
    #[arg(long, value_name = "PORT")]
    pub(crate) table_port: Option<u16>,

    /// The app of a host on this machine, if it has several
    #[arg(long, value_name = "APP")]
    pub(crate) account: Option<String>,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// Which queues.
#[derive(Debug, Args)]
pub(crate) struct ListQueuesArguments {
    /// Only those whose names begin so
    #[arg(long, default_value = "")]
    pub(crate) prefix: String,

    #[command(flatten)]
    pub(crate) account: AccountArguments,
}

/// Which queue.
#[derive(Debug, Args)]
pub(crate) struct QueueArguments {
    /// The queue's name
    #[arg(value_name = "QUEUE")]
    pub(crate) name: QueueName,

    #[command(flatten)]
    pub(crate) account: AccountArguments,
}

/// Which queue loses what it has.
#[derive(Debug, Args)]
pub(crate) struct RemoveQueueArguments {
    #[command(flatten)]
    pub(crate) queue: QueueArguments,

    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// How many messages to look at.
#[derive(Debug, Args)]
pub(crate) struct PeekArguments {
    #[command(flatten)]
    pub(crate) queue: QueueArguments,

    /// At most so many; the protocol shows no more than 32
    #[arg(short, long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) count: u8,
}

/// Which message to put.
#[derive(Debug, Args)]
pub(crate) struct PutMessageArguments {
    #[command(flatten)]
    pub(crate) queue: QueueArguments,

    /// The message: text, or @ and a file, or - for standard input
    #[arg(value_name = "TEXT|@FILE|-", allow_hyphen_values = true)]
    pub(crate) message: String,

    /// How long it stays, such as 1h, or `never` for until it is deleted [default: 7 days]
    #[arg(long, value_name = "TIME", value_parser = parse_time_to_live)]
    pub(crate) ttl: Option<TimeToLive>,

    /// How long until it can be received
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) visibility_timeout: Option<Duration>,

    /// How its text is written into the queue
    #[arg(long, value_enum, default_value_t = Encoding::Auto)]
    pub(crate) encoding: Encoding,
}

/// How long a message stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeToLive {
    /// So long.
    For(Duration),
    /// Until somebody deletes it.
    Ever,
}

/// How a text is written into a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// As it is, which functions with messageEncoding = "auto" read
    Auto,
    /// In base64, as Azure's .NET clients do
    Base64,
    /// As it is
    None,
}

impl Encoding {
    pub(crate) fn of_text(self) -> TextEncoding {
        match self {
            Encoding::Auto => TextEncoding::Auto,
            Encoding::Base64 => TextEncoding::Base64,
            Encoding::None => TextEncoding::None,
        }
    }
}

/// Whose tables.
#[derive(Debug, Args)]
pub(crate) struct ListTablesArguments {
    #[command(flatten)]
    pub(crate) account: AccountArguments,
}

/// Which table.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// The table's name
    #[arg(value_name = "TABLE")]
    pub(crate) name: TableName,

    #[command(flatten)]
    pub(crate) account: AccountArguments,
}

/// Which table loses what it has.
#[derive(Debug, Args)]
pub(crate) struct RemoveTableArguments {
    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// Which entities to show.
#[derive(Debug, Args)]
pub(crate) struct ShowEntitiesArguments {
    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// Only those for which this is true, in OData
    #[arg(long, value_name = "ODATA", value_parser = parse_filter)]
    pub(crate) filter: Option<Filter>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) top: u32,

    /// Only those of this partition
    #[arg(long, value_name = "KEY")]
    pub(crate) partition_key: Option<String>,

    /// Only those with this row key
    #[arg(long, value_name = "KEY")]
    pub(crate) row_key: Option<String>,
}

/// Which entity to write.
#[derive(Debug, Args)]
pub(crate) struct PutEntityArguments {
    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// The entity, or a list of entities: JSON, or @ and a file, or - for standard input
    #[arg(value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) entity: String,

    /// Leave properties as they are that it does not name
    #[arg(long)]
    pub(crate) merge: bool,
}

/// Which entity to delete.
#[derive(Debug, Args)]
pub(crate) struct DeleteEntityArguments {
    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// Its partition key
    #[arg(value_name = "PARTITION-KEY", allow_hyphen_values = true)]
    pub(crate) partition: String,

    /// Its row key
    #[arg(value_name = "ROW-KEY", allow_hyphen_values = true)]
    pub(crate) row: String,
}

impl DeleteEntityArguments {
    pub(crate) fn key(&self) -> EntityKey {
        EntityKey { partition: self.partition.clone(), row: self.row.clone() }
    }
}

fn parse_filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text).map_err(|error| error.to_string())
}

fn parse_time_to_live(text: &str) -> Result<TimeToLive, String> {
    if text == "never" || text == "-1" {
        return Ok(TimeToLive::Ever);
    }
    let time = parse_duration(text)?;
    if time.is_zero() { Err("it is at least a second".to_owned()) } else { Ok(TimeToLive::For(time)) }
}

/// The protocol knows whole seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "give whole seconds, or a time like 30s, 5m or 1h30m".to_owned();
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let span: Duration = span.try_into().map_err(|_| wrong())?;
    if span.subsec_nanos() == 0 { Ok(span) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        let said = match parse_time_to_live(text) {
            Ok(time) => format!("{time:?}"),
            Err(why) => why,
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn times_are_whole_seconds() {
        check("90", &expect!["For(90s)"]);
        check("1h30m", &expect!["For(5400s)"]);
        check("never", &expect!["Ever"]);
        check("0", &expect!["it is at least a second"]);
        check("1.5s", &expect!["give whole seconds, or a time like 30s, 5m or 1h30m"]);
        check("-1h", &expect!["give whole seconds, or a time like 30s, 5m or 1h30m"]);
        check("soon", &expect!["give whole seconds, or a time like 30s, 5m or 1h30m"]);
    }
}
