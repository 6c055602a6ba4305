//! From JSON to an entity.

use super::TYPE_ANNOTATION;
use crate::date::parse_date;
use crate::entity::{Entity, EntityKey, InvalidEntity};
use crate::value::{EdmType, EdmValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// What a JSON object says of an entity. The keys can be missing, as the address of a request or a binding may name them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EntityBody {
    /// `PartitionKey`.
    pub partition: Option<String>,
    /// `RowKey`.
    pub row: Option<String>,
    /// The other properties in their order, without those that are null.
    pub properties: Vec<(String, EdmValue)>,
}

impl EntityBody {
    /// Reads a JSON object, with or without annotations of types.
    ///
    /// Without an annotation a text is `Edm.String`, a whole number of 32 bits `Edm.Int32`, any other number `Edm.Double`. Names
    /// with an `@`, names that begin with `odata.` and `Timestamp` are ignored. Nothing is compared with the limits of tables.
    ///
    /// # Errors
    /// [`InvalidEntity::Malformed`], if it is no JSON object, or a value is not of its annotated type.
    pub fn from_json(json: &str) -> Result<EntityBody, InvalidEntity> {
        let Members(members) = serde_json::from_str(json).map_err(|error| {
            InvalidEntity::Malformed(format!("an entity is a JSON object, and this is none: {error}"))
        })?;
        let annotations: BTreeMap<String, Value> = members
            .iter()
            .filter_map(|(name, value)| Some((name.strip_suffix(TYPE_ANNOTATION)?.to_owned(), value.clone())))
            .collect();
        let mut body = EntityBody::default();
        for (name, value) in members {
            let is_ignored = name.contains('@') || name.starts_with("odata.") || name == "Timestamp";
            if is_ignored || value.is_null() {
                continue;
            }
            let value = read_property(&name, value, annotations.get(&name))?;
            match name.as_str() {
                "PartitionKey" => body.partition = Some(key_text("PartitionKey", value)?),
                "RowKey" => body.row = Some(key_text("RowKey", value)?),
                _ => body.properties.push((name, value)),
            }
        }
        Ok(body)
    }

    /// The entity, whose keys the body must name.
    ///
    /// # Errors
    /// [`InvalidEntity::KeyMissing`].
    pub fn into_entity(self) -> Result<Entity, InvalidEntity> {
        let partition = self.partition.ok_or(InvalidEntity::KeyMissing { which: "PartitionKey" })?;
        let row = self.row.ok_or(InvalidEntity::KeyMissing { which: "RowKey" })?;
        Ok(Entity { key: EntityKey { partition, row }, timestamp: 0, properties: self.properties })
    }

    /// The entity of that key, whatever the body says of keys.
    pub fn with_key(self, key: EntityKey) -> Entity {
        Entity { key, timestamp: 0, properties: self.properties }
    }
}

/// The members of an object in their order, doubles included; `serde_json`'s own map has neither.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

fn key_text(which: &'static str, value: EdmValue) -> Result<String, InvalidEntity> {
    match value {
        EdmValue::String(text) => Ok(text),
        EdmValue::Boolean(_)
        | EdmValue::Int32(_)
        | EdmValue::Int64(_)
        | EdmValue::Double(_)
        | EdmValue::DateTime(_)
        | EdmValue::Guid(_)
        | EdmValue::Binary(_) => {
            Err(InvalidEntity::Malformed(format!("the {which} is no text; keys are of the type Edm.String")))
        }
    }
}

fn read_property(name: &str, value: Value, annotation: Option<&Value>) -> Result<EdmValue, InvalidEntity> {
    let Some(annotation) = annotation else {
        return infer(name, value);
    };
    let Some(edm_type) = annotation.as_str().and_then(EdmType::from_name) else {
        let known = "Edm.String, Edm.Boolean, Edm.Int32, Edm.Int64, Edm.Double, Edm.DateTime, Edm.Guid, Edm.Binary";
        let what = format!("the property '{name}' has the unknown type {annotation}; known are {known}");
        return Err(InvalidEntity::Malformed(what));
    };
    read_typed(edm_type, &value).ok_or_else(|| {
        InvalidEntity::Malformed(format!("the property '{name}' is no {}: {}", edm_type.as_str(), excerpt(&value)))
    })
}

fn infer(name: &str, value: Value) -> Result<EdmValue, InvalidEntity> {
    let small = value.as_i64().and_then(|number| i32::try_from(number).ok());
    match value {
        Value::String(text) => Ok(EdmValue::String(text)),
        Value::Bool(value) => Ok(EdmValue::Boolean(value)),
        Value::Number(number) => match small {
            Some(small) => Ok(EdmValue::Int32(small)),
            None => Ok(EdmValue::Double(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::Array(_) | Value::Object(_) | Value::Null => Err(InvalidEntity::Malformed(format!(
            "the property '{name}' is an array or an object; tables keep single values, so write it as a JSON text"
        ))),
    }
}

/// Numbers and booleans can be written as texts, too, as some clients do.
fn read_typed(edm_type: EdmType, value: &Value) -> Option<EdmValue> {
    let text = value.as_str();
    match edm_type {
        EdmType::String => text.map(|text| EdmValue::String(text.to_owned())),
        EdmType::Boolean => value.as_bool().or_else(|| text?.parse().ok()).map(EdmValue::Boolean),
        EdmType::Int32 => whole(value).and_then(|number| i32::try_from(number).ok()).map(EdmValue::Int32),
        EdmType::Int64 => whole(value).map(EdmValue::Int64),
        EdmType::Double => match text {
            Some("NaN") => Some(EdmValue::Double(f64::NAN)),
            Some("Infinity" | "INF") => Some(EdmValue::Double(f64::INFINITY)),
            Some("-Infinity" | "-INF") => Some(EdmValue::Double(f64::NEG_INFINITY)),
            Some(text) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(EdmValue::Double),
            None => value.as_f64().map(EdmValue::Double),
        },
        EdmType::DateTime => parse_date(text?).map(EdmValue::DateTime),
        EdmType::Guid => Uuid::try_parse(text?).ok().map(EdmValue::Guid),
        EdmType::Binary => STANDARD.decode(text?).ok().map(EdmValue::Binary),
    }
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Enough of a value to recognize it in a message.
fn excerpt(value: &Value) -> String {
    const MAX_CHARS: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
