//! Hands what the search comes up with to the readers of entities of tables; what must hold of them is said and checked
//! in `fuzz::entity`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::entity(data));
