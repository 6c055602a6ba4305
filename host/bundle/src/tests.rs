//! Bundles written and read, and every way in which a file can fail to be one.

mod archive;
mod bad_bundles;
mod properties;
mod round_trip;

use std::collections::BTreeMap;

use crate::Bundle;

/// A component as far as anybody looks here: the first eight bytes, and some more.
fn component(content: &[u8]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0", content].concat()
}

fn trips() -> Bundle {
    Bundle {
        app: "trips".to_owned(),
        version: "1.0.0".to_owned(),
        manifest: "[app]\nname = \"trips\"\n".to_owned(),
        components: BTreeMap::from([
            ("booking".to_owned(), component(b"booking")),
            ("search".to_owned(), component(&[7; 5_000])),
        ]),
        built_with: "dacapo 0.1.0".to_owned(),
    }
}
