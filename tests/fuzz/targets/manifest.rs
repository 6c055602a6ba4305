//! Hands what the search comes up with to the readers of manifests and configurations of production hosts; what must hold of them is said and checked
//! in `fuzz::manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::manifest(data));
