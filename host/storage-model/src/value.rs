//! Values of entity properties, in the types of the Entity Data Model that tables know.

use uuid::Uuid;

/// A moment in UTC, in units of 100 nanoseconds since 1970-01-01T00:00:00Z, as everywhere in this host.
pub type Ticks = i64;

/// The type of a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EdmType {
    /// `Edm.String`
    String,
    /// `Edm.Boolean`
    Boolean,
    /// `Edm.Int32`
    Int32,
    /// `Edm.Int64`
    Int64,
    /// `Edm.Double`
    Double,
    /// `Edm.DateTime`
    DateTime,
    /// `Edm.Guid`
    Guid,
    /// `Edm.Binary`
    Binary,
}

/// The value of a property.
#[derive(Clone, PartialEq, Debug)]
pub enum EdmValue {
    /// A text.
    String(String),
    /// True or false.
    Boolean(bool),
    /// A whole number of 32 bits.
    Int32(i32),
    /// A whole number of 64 bits.
    Int64(i64),
    /// A floating-point number.
    Double(f64),
    /// A moment.
    DateTime(Ticks),
    /// A GUID.
    Guid(Uuid),
    /// Bytes.
    Binary(Vec<u8>),
}

impl EdmValue {
    /// Its type.
    pub fn edm_type(&self) -> EdmType {
        match self {
            EdmValue::String(_) => EdmType::String,
            EdmValue::Boolean(_) => EdmType::Boolean,
            EdmValue::Int32(_) => EdmType::Int32,
            EdmValue::Int64(_) => EdmType::Int64,
            EdmValue::Double(_) => EdmType::Double,
            EdmValue::DateTime(_) => EdmType::DateTime,
            EdmValue::Guid(_) => EdmType::Guid,
            EdmValue::Binary(_) => EdmType::Binary,
        }
    }
}

impl EdmType {
    /// Its name in annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            EdmType::String => "Edm.String",
            EdmType::Boolean => "Edm.Boolean",
            EdmType::Int32 => "Edm.Int32",
            EdmType::Int64 => "Edm.Int64",
            EdmType::Double => "Edm.Double",
            EdmType::DateTime => "Edm.DateTime",
            EdmType::Guid => "Edm.Guid",
            EdmType::Binary => "Edm.Binary",
        }
    }

    /// The type with that name in annotations.
    pub fn from_name(name: &str) -> Option<EdmType> {
        const ALL: [EdmType; 8] = [
            EdmType::String,
            EdmType::Boolean,
            EdmType::Int32,
            EdmType::Int64,
            EdmType::Double,
            EdmType::DateTime,
            EdmType::Guid,
            EdmType::Binary,
        ];
        ALL.into_iter().find(|edm_type| edm_type.as_str() == name)
    }
}
