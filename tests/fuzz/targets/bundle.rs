//! Hands what the search comes up with to the readers of bundles; what must hold of them is said and checked
//! in `fuzz::bundle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bundle(data));
