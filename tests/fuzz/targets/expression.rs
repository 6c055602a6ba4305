//! Hands what the search comes up with to the readers of binding expressions; what must hold of them is said and checked
//! in `fuzz::expression`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::expression(data));
