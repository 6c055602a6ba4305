//! The errors of tables, and which of them stands for what a store or the rules of entities say.

use crate::endpoint::error::{ErrorCode, ServiceError, code};
use ports::TableError;
use storage_model::{InvalidEntity, InvalidName};

pub(super) const TABLE_NOT_FOUND: ErrorCode =
    ErrorCode::new(404, "TableNotFound", "The table specified does not exist.");
pub(super) const TABLE_ALREADY_EXISTS: ErrorCode =
    ErrorCode::new(409, "TableAlreadyExists", "The table specified already exists.");
pub(super) const ENTITY_ALREADY_EXISTS: ErrorCode =
    ErrorCode::new(409, "EntityAlreadyExists", "The specified entity already exists.");
pub(super) const UPDATE_CONDITION_NOT_SATISFIED: ErrorCode = ErrorCode::new(
    412,
    "UpdateConditionNotSatisfied",
    "The update condition specified in the request was not satisfied.",
);
pub(super) const KEY_VALUE_TOO_LARGE: ErrorCode =
    ErrorCode::new(400, "KeyValueTooLarge", "The specified key value is too large; a key may have up to 1 KiB.");
pub(super) const PROPERTIES_NEED_VALUE: ErrorCode =
    ErrorCode::new(400, "PropertiesNeedValue", "The values are not specified for all properties in the entity.");
pub(super) const PROPERTY_NAME_INVALID: ErrorCode =
    ErrorCode::new(400, "PropertyNameInvalid", "The property name is invalid.");
pub(super) const PROPERTY_VALUE_TOO_LARGE: ErrorCode = ErrorCode::new(
    400,
    "PropertyValueTooLarge",
    "The property value exceeds the maximum allowed size (64KB). If the property value is a string, it is UTF-16 encoded and the maximum number of characters should be 32K or less.",
);
pub(super) const TOO_MANY_PROPERTIES: ErrorCode = ErrorCode::new(
    400,
    "TooManyProperties",
    "The entity contains more properties than allowed. Each entity can include up to 252 properties to store data. Each entity also has 3 system properties.",
);
pub(super) const ENTITY_TOO_LARGE: ErrorCode =
    ErrorCode::new(400, "EntityTooLarge", "The entity is larger than the maximum allowed size (1MB).");
pub(super) const ATOM_FORMAT_NOT_SUPPORTED: ErrorCode =
    ErrorCode::new(415, "AtomFormatNotSupported", "Atom format is not supported.");
pub(super) const COMMANDS_IN_BATCH_ACT_ON_DIFFERENT_PARTITIONS: ErrorCode = ErrorCode::new(
    400,
    "CommandsInBatchActOnDifferentPartitions",
    "All commands in a batch must operate on same entity group.",
);
pub(super) const INVALID_DUPLICATE_ROW: ErrorCode = ErrorCode::new(
    400,
    "InvalidDuplicateRow",
    "The batch request contains multiple changes with same row key. An entity can appear only once in a batch request.",
);

/// What a store says, for a request that is no batch.
pub(super) fn refused(error: TableError) -> ServiceError {
    match error {
        TableError::TableNotFound(_) => TABLE_NOT_FOUND.because(""),
        TableError::TableExists(_) => TABLE_ALREADY_EXISTS.because(""),
        TableError::EntityExists { .. } => ENTITY_ALREADY_EXISTS.because(""),
        TableError::EntityNotFound { .. } => code::RESOURCE_NOT_FOUND.because(""),
        TableError::NotMatching { .. } => UPDATE_CONDITION_NOT_SATISFIED.because(""),
        TableError::Invalid { why, .. } => unkept(&why),
        TableError::Store(error) => error.into(),
    }
}

/// Which operation of a batch a store's error is about; none: about all of them.
pub(super) fn index_of(error: &TableError) -> Option<usize> {
    match error {
        TableError::EntityExists { index }
        | TableError::EntityNotFound { index }
        | TableError::NotMatching { index }
        | TableError::Invalid { index, .. } => Some(*index),
        // Azure finds out at the first operation.
        TableError::TableNotFound(_) => Some(0),
        TableError::TableExists(_) | TableError::Store(_) => None,
    }
}

/// An entity that cannot be kept.
pub(super) fn unkept(error: &InvalidEntity) -> ServiceError {
    let code = match error {
        InvalidEntity::KeyTooLarge { .. } => KEY_VALUE_TOO_LARGE,
        InvalidEntity::KeyForbidden { .. } => code::OUT_OF_RANGE_INPUT,
        InvalidEntity::KeyMissing { .. } => PROPERTIES_NEED_VALUE,
        InvalidEntity::PropertyName(_) => PROPERTY_NAME_INVALID,
        InvalidEntity::TooManyProperties { .. } => TOO_MANY_PROPERTIES,
        InvalidEntity::PropertyTooLarge { .. } => PROPERTY_VALUE_TOO_LARGE,
        InvalidEntity::TooLarge { .. } => ENTITY_TOO_LARGE,
        InvalidEntity::Malformed(_) => code::INVALID_INPUT,
    };
    code.because(&sentence(error))
}

/// A name that no table can have. Client libraries look for these sentences.
pub(super) fn unnamed(error: InvalidName) -> ServiceError {
    match error {
        InvalidName::Length { .. } => code::OUT_OF_RANGE_INPUT
            .because(&format!("The specified resource name length is not within the permissible limits: {error}.")),
        InvalidName::Table | InvalidName::Queue => code::INVALID_RESOURCE_NAME.because(&sentence(&error)),
        InvalidName::Reserved => code::INVALID_INPUT.because(&sentence(&error)),
    }
}

/// An error as a sentence that can stand after another one.
pub(super) fn sentence(error: &impl ToString) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
