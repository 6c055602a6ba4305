//! The `table` input: one entity by its key, or several by a filter, as plain JSON.

use super::error::BindingError;
use super::{BindingData, evaluate, evaluated, name_of};
use manifest::TableInput;
use manifest::expression::Expression;
use orchestration::Json;
use ports::{EntitiesPage, EntitiesQuery, TableError, TableStore};
use storage_model::{Comparison, EdmValue, EntityKey, Filter, Operand, TableName};

/// The most that one input may hold, in bytes of JSON: a function gets it as one text.
const MAX_INPUT_BYTES: usize = 16 << 20;

/// Entities read at a time.
const PAGE: usize = 1_000;

/// Reads the input. A table that is not there is an empty one.
pub(super) async fn read(
    binding: &str,
    input: &TableInput,
    tables: &dyn TableStore,
    data: &BindingData,
) -> Result<Json, BindingError> {
    let table: TableName = name_of(binding, "tableName", &input.table_name, data)?;
    let partition = input.partition_key.as_ref().map(|key| evaluate(binding, key, data)).transpose()?;
    let row = input.row_key.as_ref().map(|key| evaluate(binding, key, data)).transpose()?;
    let unreadable =
        |why| BindingError::Unreadable { binding: binding.to_owned(), table: table.as_str().to_owned(), why };
    if let (Some(partition), Some(row)) = (partition.clone(), row.clone()) {
        let entity = found(tables.entity(&table, &EntityKey { partition, row }).await).map_err(unreadable)?;
        return Ok(entity.map_or_else(Json::null, |entity| Json::new(entity.to_plain_json())));
    }
    let filter = input.filter.as_ref().map(|filter| parse_filter(binding, filter, data)).transpose()?;
    let conditions = [filter, partition.map(|key| key_is("PartitionKey", key)), row.map(|key| key_is("RowKey", key))];
    let filter = conditions.into_iter().flatten().reduce(|left, right| Filter::And(left.into(), right.into()));
    let mut left = input.take.map_or(usize::MAX, |take| usize::try_from(take).unwrap_or(usize::MAX));
    let mut query = EntitiesQuery { table: table.clone(), filter, limit: 0, from: None };
    let mut list = String::from("[");
    while left > 0 {
        query.limit = left.min(PAGE);
        let page: EntitiesPage =
            found(tables.entities(&query).await.map(Some)).map_err(unreadable)?.unwrap_or_default();
        for entity in page.entities.iter().take(left) {
            if list.len() > 1 {
                list.push(',');
            }
            list.push_str(&entity.to_plain_json());
            if list.len() > MAX_INPUT_BYTES {
                return Err(BindingError::TooLarge { binding: binding.to_owned(), limit_bytes: MAX_INPUT_BYTES });
            }
        }
        left = left.saturating_sub(page.entities.len());
        query.from = page.next;
        if query.from.is_none() {
            break;
        }
    }
    list.push(']');
    Ok(Json::new(list))
}

fn parse_filter(binding: &str, filter: &Expression, data: &BindingData) -> Result<Filter, BindingError> {
    let text =
        filter.evaluate_filter(data).map_err(|why| BindingError::Expression { binding: binding.to_owned(), why })?;
    Filter::parse(&text).map_err(|why| evaluated(binding, "filter", filter, &text, &why))
}

fn key_is(name: &str, value: String) -> Filter {
    let property = Operand::Property(name.to_owned());
    Filter::Compare(property, Comparison::Equal, Operand::Literal(EdmValue::String(value)))
}

/// What was read, or nothing if the table is not there.
fn found<T>(read: Result<Option<T>, TableError>) -> Result<Option<T>, TableError> {
    match read {
        Err(TableError::TableNotFound(_)) => Ok(None),
        other => other,
    }
}
