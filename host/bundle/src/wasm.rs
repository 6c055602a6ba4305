//! What kind of WebAssembly a file holds, by its first eight bytes. What is in it is found out by whoever loads it.

/// The magic number of WebAssembly.
const MAGIC: &[u8] = b"\0asm";

/// What a file claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// A component, which is what apps consist of.
    Component,
    /// A core module, from before components.
    CoreModule,
    /// WebAssembly of a version that is not known.
    Unknown,
    /// No WebAssembly.
    Foreign,
}

/// Looks at the magic number, and at the two bytes of version and two of layer behind it.
pub fn binary(bytes: &[u8]) -> Binary {
    let Some((magic, rest)) = bytes.split_at_checked(MAGIC.len()) else { return Binary::Foreign };
    if magic != MAGIC {
        return Binary::Foreign;
    }
    match rest.first_chunk() {
        Some([0x0d, 0, 1, 0]) => Binary::Component,
        Some([1, 0, 0, 0]) => Binary::CoreModule,
        Some(_) | None => Binary::Unknown,
    }
}

impl Binary {
    /// What is wrong with it as a part of an app; none for a component.
    pub(crate) fn fault(self) -> Option<&'static str> {
        match self {
            Binary::Component => None,
            Binary::CoreModule => Some("is a core WebAssembly module, not a component"),
            Binary::Unknown => Some("is WebAssembly of an unknown version, not a component"),
            Binary::Foreign => Some("is not WebAssembly"),
        }
    }
}
