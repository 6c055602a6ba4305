//! Hands what the search comes up with to the readers of schedules of timers; what must hold of them is said and checked
//! in `fuzz::schedule`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::schedule(data));
