//! Input and output bindings as the manifest declares them.

use crate::app::Connection;
use crate::expression::Expression;
use crate::settings::MessageEncoding;

/// The name of the output that takes what a function returns.
pub const RETURN_BINDING: &str = "$return";

/// Something that is read for a function before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputBinding {
    /// What the function asks for.
    pub name: String,
    /// Where it comes from.
    pub source: InputSource,
}

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputSource {
    /// `table`
    Table(TableInput),
}

/// Entities of a table: one by its key, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInput {
    /// `tableName`
    pub table_name: Expression,
    /// `partitionKey`; with `row_key` it names one entity.
    pub partition_key: Option<Expression>,
    /// `rowKey`
    pub row_key: Option<Expression>,
    /// `filter`, in OData.
    pub filter: Option<Expression>,
    /// `take`: at most this many entities; absent: all.
    pub take: Option<u32>,
    /// Where the table is.
    pub connection: Connection,
}

/// Something that a function produces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputBinding {
    /// What the function calls it; [`RETURN_BINDING`] takes what it returns.
    pub name: String,
    /// Where it goes.
    pub target: OutputTarget,
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputTarget {
    /// `queue`: each value is a message.
    Queue(QueueOutput),
    /// `table`: each value is an entity.
    Table(TableOutput),
    /// `http`: the response of a function with an HTTP trigger, as an object.
    Http,
    /// `durableClient`: each value starts an orchestration.
    DurableClient,
}

/// Messages to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueOutput {
    /// `queueName`
    pub queue_name: Expression,
    /// `messageEncoding`: how the text is written into the queue; `auto` writes it as it is.
    pub message_encoding: MessageEncoding,
    /// Where the queue is.
    pub connection: Connection,
}

/// Entities for a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOutput {
    /// `tableName`
    pub table_name: Expression,
    /// `partitionKey`: for entities that name none.
    pub partition_key: Option<Expression>,
    /// `rowKey`: for entities that name none.
    pub row_key: Option<Expression>,
    /// What happens when an entity of that key is there.
    pub mode: TableMode,
    /// Where the table is.
    pub connection: Connection,
}

/// What happens when an entity of the same key is there; `mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableMode {
    /// The function fails, as in Azure.
    #[default]
    Insert,
    /// It is replaced.
    Replace,
    /// Properties that are not named stay.
    Merge,
}

impl TableMode {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            TableMode::Insert => "insert",
            TableMode::Replace => "replace",
            TableMode::Merge => "merge",
        }
    }
}
