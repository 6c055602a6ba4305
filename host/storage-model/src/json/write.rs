//! From an entity to JSON.

use super::TYPE_ANNOTATION;
use crate::date::{date_text, etag};
use crate::entity::Entity;
use crate::value::{EdmType, EdmValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What stays as it is in the address of an entity.
const UNESCAPED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'\'');

/// Largest whole number that every JSON reader keeps exactly: beyond, a double skips some.
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// How much an answer says besides the values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetadataLevel {
    /// `odata=nometadata`: nothing.
    None,
    /// `odata=minimalmetadata`: ETags, and the types that cannot be told from the values.
    Minimal,
    /// `odata=fullmetadata`: addresses too, and the type of the timestamp.
    Full,
}

/// Where an entity lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntityPlace<'a> {
    /// The account's name.
    pub account: &'a str,
    /// The address of the account's tables, without a slash at the end: `http://127.0.0.1:10002/devstoreaccount1`.
    pub root: &'a str,
    /// The table's name.
    pub table: &'a str,
}

/// How an entity is written for a client of tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntityForm<'a> {
    /// How much is said besides the values.
    pub level: MetadataLevel,
    /// Where it lives.
    pub place: EntityPlace<'a>,
    /// Only these properties, if any are named; also of the keys and the timestamp. One that it lacks is left out.
    pub select: Option<&'a [String]>,
    /// Whether it stands alone, and so has to say of which type it is itself. In a list, the list says that.
    pub stands_alone: bool,
}

impl Entity {
    /// The entity as a JSON object for a client of tables. `Edm.Int64` is a text there; dates have seven digits after the second.
    pub fn to_json(&self, form: &EntityForm<'_>) -> String {
        let mut object = Object::new();
        self.write_metadata(form, &mut object);
        let is_selected = |name: &str| form.select.is_none_or(|select| select.iter().any(|selected| selected == name));
        for (name, key) in [("PartitionKey", &self.key.partition), ("RowKey", &self.key.row)] {
            if is_selected(name) {
                object.text(name, key);
            }
        }
        if is_selected("Timestamp") {
            if form.level == MetadataLevel::Full {
                object.text(&format!("Timestamp{TYPE_ANNOTATION}"), EdmType::DateTime.as_str());
            }
            object.text("Timestamp", &date_text(self.timestamp));
        }
        for (name, value) in self.properties.iter().filter(|(name, _)| is_selected(name)) {
            if form.level != MetadataLevel::None && needs_annotation(value) {
                object.text(&format!("{name}{TYPE_ANNOTATION}"), value.edm_type().as_str());
            }
            object.member(name, &json_value(value));
        }
        object.end()
    }

    fn write_metadata(&self, form: &EntityForm<'_>, object: &mut Object) {
        let EntityPlace { account, root, table } = form.place;
        if form.level == MetadataLevel::None {
            return;
        }
        if form.stands_alone {
            object.text("odata.metadata", &format!("{root}/$metadata#{table}/@Element"));
        }
        if form.level == MetadataLevel::Full {
            let address = self.address(table);
            object.text("odata.type", &format!("{account}.{table}"));
            object.text("odata.id", &format!("{root}/{address}"));
            object.text("odata.etag", &etag(self.timestamp));
            object.text("odata.editLink", &address);
        } else {
            object.text("odata.etag", &etag(self.timestamp));
        }
    }

    /// The entity's address below its account: `Table(PartitionKey='a',RowKey='b')`.
    pub fn address(&self, table: &str) -> String {
        let quoted = |key: &str| utf8_percent_encode(&key.replace('\'', "''"), &UNESCAPED).to_string();
        format!("{table}(PartitionKey='{}',RowKey='{}')", quoted(&self.key.partition), quoted(&self.key.row))
    }

    /// The entity as a JSON object for a service of tables: keys, values and the types that they do not tell, without what the
    /// service itself sets.
    pub fn to_request_json(&self) -> String {
        let mut object = Object::new();
        object.text("PartitionKey", &self.key.partition);
        object.text("RowKey", &self.key.row);
        for (name, value) in &self.properties {
            if needs_annotation(value) {
                object.text(&format!("{name}{TYPE_ANNOTATION}"), value.edm_type().as_str());
            }
            object.member(name, &json_value(value));
        }
        object.end()
    }

    /// The entity as a JSON object for functions: values only. `Edm.Int64` is a number, or a text where a reader that knows only
    /// doubles would change it; so is a double that JSON has no number for.
    pub fn to_plain_json(&self) -> String {
        let mut object = Object::new();
        object.text("PartitionKey", &self.key.partition);
        object.text("RowKey", &self.key.row);
        object.text("Timestamp", &date_text(self.timestamp));
        for (name, value) in &self.properties {
            match value {
                EdmValue::Int64(number) if number.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs() => {
                    object.member(name, &Value::from(*number));
                }
                EdmValue::Int64(_)
                | EdmValue::String(_)
                | EdmValue::Boolean(_)
                | EdmValue::Int32(_)
                | EdmValue::Double(_)
                | EdmValue::DateTime(_)
                | EdmValue::Guid(_)
                | EdmValue::Binary(_) => object.member(name, &json_value(value)),
            }
        }
        object.end()
    }
}

fn needs_annotation(value: &EdmValue) -> bool {
    match value {
        EdmValue::String(_) | EdmValue::Boolean(_) | EdmValue::Int32(_) => false,
        // A double too: 5.0 comes out of JavaScript's JSON reader as the whole number 5.
        EdmValue::Double(_) | EdmValue::Int64(_) | EdmValue::DateTime(_) | EdmValue::Guid(_) | EdmValue::Binary(_) => {
            true
        }
    }
}

fn json_value(value: &EdmValue) -> Value {
    match value {
        EdmValue::String(text) => Value::from(text.as_str()),
        EdmValue::Boolean(value) => Value::from(*value),
        EdmValue::Int32(number) => Value::from(*number),
        EdmValue::Int64(number) => Value::from(number.to_string()),
        EdmValue::Double(number) if number.is_nan() => Value::from("NaN"),
        EdmValue::Double(number) if number.is_infinite() => {
            Value::from(if *number > 0.0 { "Infinity" } else { "-Infinity" })
        }
        EdmValue::Double(number) => Value::from(*number),
        EdmValue::DateTime(moment) => Value::from(date_text(*moment)),
        EdmValue::Guid(guid) => Value::from(guid.to_string()),
        EdmValue::Binary(bytes) => Value::from(STANDARD.encode(bytes)),
    }
}

/// A JSON object that is being written, member after member: the order of properties is kept.
struct Object(String);

impl Object {
    fn new() -> Object {
        Object("{".to_owned())
    }

    fn text(&mut self, name: &str, text: &str) {
        self.member(name, &Value::from(text));
    }

    fn member(&mut self, name: &str, value: &Value) {
        let comma = if self.0.len() > 1 { "," } else { "" };
        let name = Value::from(name);
        self.0.push_str(&format!("{comma}{name}:{value}"));
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
