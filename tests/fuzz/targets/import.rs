//! Hands what the search comes up with to the readers of projects of Azure Functions; what must hold of them is said and checked
//! in `fuzz::import`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::import(data));
