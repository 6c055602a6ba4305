//! Hands what the search comes up with to the readers of filters of tables; what must hold of them is said and checked
//! in `fuzz::filter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::filter(data));
