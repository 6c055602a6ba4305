//! The bindings of a function: what is read for it before it begins, and what its results bring about when it has ended well.
//!
//! Owns the meaning of binding types. What a run produces is a value, [`Effects`] for each account; committing them is the
//! business of whoever ran the function, together with what started it. Expressions are evaluated by `manifest`, and what may
//! stand in a queue or table is decided by `storage-model`.

mod data;
mod error;
mod response;
mod start;
mod table_input;
mod values;

#[cfg(test)]
mod tests;

pub use data::BindingData;
pub use error::{BindingError, BindingSetupError};

use crate::accounts::{AccountId, Accounts};
use bytes::Bytes;
use error::shown;
use manifest::expression::Expression;
use manifest::settings::MessageEncoding;
use manifest::{
    Connection, Function, InputBinding, InputSource, OutputBinding, OutputTarget, QueueOutput, RETURN_BINDING,
    TableInput, TableMode, TableOutput,
};
use orchestration::Json;
use ports::{BoundValues, Effects, EntityWrite, NewMessage, PrepareStart, Ran, Rest};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use storage_model::{QueueName, TableName, TextEncoding};

/// The parts of the world that bindings need.
#[derive(Clone)]
pub struct BindingParts {
    /// Where queues and tables are.
    pub accounts: Arc<Accounts>,
    /// Makes starts of orchestrations.
    pub starts: Arc<dyn PrepareStart>,
}

/// The bindings of one function, every connection of which leads somewhere.
pub struct FunctionBindings {
    inputs: Vec<(InputBinding, AccountId)>,
    outputs: Vec<(OutputBinding, AccountId)>,
    parts: BindingParts,
}

/// What the results of a run bring about.
#[derive(Debug, Default)]
pub struct Produced {
    /// For each account that gets something, in the order of the accounts.
    pub effects: Vec<(AccountId, Effects)>,
    /// What an `http` output says: it replaces the response of the function.
    pub response: Option<http::Response<Bytes>>,
}

/// What stands for the content of a message.
pub(crate) fn text_encoding(encoding: MessageEncoding) -> TextEncoding {
    match encoding {
        MessageEncoding::Auto => TextEncoding::Auto,
        MessageEncoding::Base64 => TextEncoding::Base64,
        MessageEncoding::None => TextEncoding::None,
    }
}

impl FunctionBindings {
    /// The bindings of a function.
    ///
    /// # Errors
    /// A connection that leads to no account.
    pub fn new(function: &Function, parts: BindingParts) -> Result<FunctionBindings, BindingSetupError> {
        let find = |binding: &str, connection: Option<&Connection>| {
            let account = connection.map_or(Ok(AccountId::EMBEDDED), |connection| parts.accounts.find(connection));
            account.map_err(|why| BindingSetupError {
                function: function.name.clone(),
                binding: binding.to_owned(),
                why,
            })
        };
        let inputs = function.inputs.iter().map(|input| {
            let InputSource::Table(TableInput { connection, .. }) = &input.source;
            Ok((input.clone(), find(&input.name, Some(connection))?))
        });
        let outputs = function.outputs.iter().map(|output| {
            let connection = match &output.target {
                OutputTarget::Queue(QueueOutput { connection, .. })
                | OutputTarget::Table(TableOutput { connection, .. }) => Some(connection),
                OutputTarget::Http | OutputTarget::DurableClient => None,
            };
            Ok((output.clone(), find(&output.name, connection)?))
        });
        Ok(FunctionBindings {
            inputs: inputs.collect::<Result<_, _>>()?,
            outputs: outputs.collect::<Result<_, _>>()?,
            parts,
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.outputs.is_empty()
    }

    /// The first names of everything that expressions ask of an invocation's data. None: its data need not be gathered.
    pub fn names_asked(&self) -> impl Iterator<Item = &str> {
        let inputs = self.inputs.iter().flat_map(|(input, _)| {
            let InputSource::Table(table) = &input.source;
            [Some(&table.table_name), table.partition_key.as_ref(), table.row_key.as_ref(), table.filter.as_ref()]
        });
        let outputs = self.outputs.iter().flat_map(|(output, _)| match &output.target {
            OutputTarget::Queue(queue) => [Some(&queue.queue_name), None, None, None],
            OutputTarget::Table(table) => {
                [Some(&table.table_name), table.partition_key.as_ref(), table.row_key.as_ref(), None]
            }
            OutputTarget::Http | OutputTarget::DurableClient => [None; 4],
        });
        let expressions = inputs.chain(outputs).flatten();
        expressions.flat_map(Expression::paths).filter_map(|path| path.first().map(String::as_str))
    }

    /// Reads the inputs, one after the other, in the order of the manifest.
    ///
    /// # Errors
    /// The first that cannot be read. Tables and entities that are not there are `null` or empty, as in Azure.
    pub async fn read_inputs(&self, data: &BindingData) -> Result<BoundValues, BindingError> {
        let mut values = Vec::with_capacity(self.inputs.len());
        for (input, account) in &self.inputs {
            let InputSource::Table(table) = &input.source;
            let tables = &self.parts.accounts.account(*account).tables;
            values.push((input.name.clone(), table_input::read(&input.name, table, &**tables, data).await?));
        }
        Ok(values)
    }

    /// What the results of a run bring about: the values given to outputs in the order in which they were given, then what
    /// was returned. An array stands for each of its items, and `null` for nothing.
    ///
    /// # Errors
    /// The first value that its output does not take.
    pub fn effects(&self, data: &BindingData, ran: &Ran) -> Result<Produced, BindingError> {
        let mut effects = BTreeMap::<AccountId, Effects>::new();
        let mut response = None;
        for (name, value) in &ran.outputs {
            let Some((output, account)) = self.outputs.iter().find(|(output, _)| output.name == *name) else {
                let known = self.outputs.iter().map(|(output, _)| output.name.clone()).collect();
                return Err(BindingError::Undeclared { binding: name.clone(), known });
            };
            self.produce(output, value, data, effects.entry(*account).or_default(), &mut response)?;
        }
        if let Some((output, account)) = self.outputs.iter().find(|(output, _)| output.name == RETURN_BINDING) {
            self.produce(output, &ran.returned, data, effects.entry(*account).or_default(), &mut response)?;
        }
        let effects = effects.into_iter().filter(|(_, effects)| !effects.is_empty()).collect();
        Ok(Produced { effects, response })
    }

    fn produce(
        &self,
        output: &OutputBinding,
        value: &Json,
        data: &BindingData,
        into: &mut Effects,
        response: &mut Option<http::Response<Bytes>>,
    ) -> Result<(), BindingError> {
        let binding = output.name.as_str();
        let refused =
            |value: &str, why: String| BindingError::Value { binding: binding.to_owned(), value: shown(value), why };
        let items = values::items(value.as_str()).map_err(|why| refused(value.as_str(), why))?;
        match &output.target {
            OutputTarget::Http => {
                if let Some(item) = items.last() {
                    *response = Some(response::from_json(item).map_err(|why| refused(item, why))?);
                }
            }
            OutputTarget::DurableClient => {
                for item in items {
                    let request = start::from_json(item).map_err(|why| refused(item, why))?;
                    let start = self.parts.starts.prepare_start(request);
                    into.starts.push(start.map_err(|why| refused(item, why.to_string()))?);
                }
            }
            OutputTarget::Queue(queue) if !items.is_empty() => {
                let name: QueueName = name_of(binding, "queueName", &queue.queue_name, data)?;
                for item in items {
                    let content = values::message_text(item).map_err(|why| refused(item, why))?;
                    let text = text_encoding(queue.message_encoding).encode(&content);
                    let text = text.map_err(|why| refused(item, why.to_string()))?;
                    into.messages.push((name.clone(), NewMessage::new(text)));
                }
            }
            OutputTarget::Table(table) if !items.is_empty() => {
                let name: TableName = name_of(binding, "tableName", &table.table_name, data)?;
                for item in items {
                    let (partition, row) = (table.partition_key.as_ref(), table.row_key.as_ref());
                    // Evaluated for each entity: `{rand-guid}` is another one each time.
                    let partition = partition.map(|key| evaluate(binding, key, data)).transpose()?;
                    let row = row.map(|key| evaluate(binding, key, data)).transpose()?;
                    let entity = values::entity(item, partition, row).map_err(|why| refused(item, why))?;
                    let write = match table.mode {
                        TableMode::Insert => EntityWrite::Insert(entity),
                        TableMode::Replace => EntityWrite::Upsert(entity, Rest::Replaced),
                        TableMode::Merge => EntityWrite::Upsert(entity, Rest::Merged),
                    };
                    into.entities.push((name.clone(), write));
                }
            }
            OutputTarget::Queue(_) | OutputTarget::Table(_) => {}
        }
        Ok(())
    }
}

fn evaluate(binding: &str, expression: &Expression, data: &BindingData) -> Result<String, BindingError> {
    let text = expression.evaluate(data);
    text.map_err(|why| BindingError::Expression { binding: binding.to_owned(), why })
}

/// Evaluates an expression and reads the name that it comes to.
fn name_of<N>(binding: &str, what: &'static str, expression: &Expression, data: &BindingData) -> Result<N, BindingError>
where
    N: FromStr,
    N::Err: Display,
{
    let value = evaluate(binding, expression, data)?;
    value.parse().map_err(|why: N::Err| evaluated(binding, what, expression, &value, &why))
}

fn evaluated(
    binding: &str,
    what: &'static str,
    expression: &Expression,
    value: &str,
    why: &dyn Display,
) -> BindingError {
    BindingError::Evaluated {
        binding: binding.to_owned(),
        what,
        expression: expression.as_str().to_owned(),
        value: shown(value),
        why: why.to_string(),
    }
}
