//! The mirror structs of what users keep. The numbers in here are the format: add, never change.

use prost::{Message, Oneof};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Queue {
    #[prost(uint64, optional, tag = "1")]
    pub(super) number: Option<u64>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(string, tag = "3")]
    pub(super) access_policies: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct QueueMessage {
    #[prost(sfixed64, tag = "1")]
    pub(super) inserted: i64,
    #[prost(sfixed64, tag = "2")]
    pub(super) visible: i64,
    /// None: never.
    #[prost(sfixed64, optional, tag = "3")]
    pub(super) expires: Option<i64>,
    #[prost(uint32, tag = "4")]
    pub(super) dequeue_count: u32,
    #[prost(fixed64, optional, tag = "5")]
    pub(super) receipt: Option<u64>,
    #[prost(bool, tag = "6")]
    pub(super) host: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Body {
    #[prost(string, optional, tag = "1")]
    pub(super) text: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Table {
    #[prost(uint64, optional, tag = "1")]
    pub(super) number: Option<u64>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) access_policies: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TableEntity {
    #[prost(sfixed64, optional, tag = "1")]
    pub(super) timestamp: Option<i64>,
    #[prost(message, repeated, tag = "2")]
    pub(super) properties: Vec<Property>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Property {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(oneof = "Edm", tags = "2, 3, 4, 5, 6, 7, 8, 9")]
    pub(super) value: Option<Edm>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Edm {
    #[prost(string, tag = "2")]
    String(String),
    #[prost(bool, tag = "3")]
    Boolean(bool),
    #[prost(sint32, tag = "4")]
    Int32(i32),
    #[prost(sint64, tag = "5")]
    Int64(i64),
    #[prost(double, tag = "6")]
    Double(f64),
    #[prost(sfixed64, tag = "7")]
    DateTime(i64),
    #[prost(bytes = "vec", tag = "8")]
    Guid(Vec<u8>),
    #[prost(bytes = "vec", tag = "9")]
    Binary(Vec<u8>),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Document {
    #[prost(uint64, optional, tag = "1")]
    pub(super) version: Option<u64>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) content: Vec<u8>,
}

/// 128 bits.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Seed {
    #[prost(fixed64, optional, tag = "1")]
    pub(super) high: Option<u64>,
    #[prost(fixed64, optional, tag = "2")]
    pub(super) low: Option<u64>,
}
