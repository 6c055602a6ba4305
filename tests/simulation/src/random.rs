//! The seeded generator (splitmix64) that every choice of a run is drawn from. Nothing else in here decides anything by chance.

use ports::Randomness;
use std::sync::{Mutex, PoisonError};

/// Numbers that follow from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: u64,
}

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng { state: seed }
    }

    /// A generator of its own for one purpose, so that what is drawn for another does not shift its numbers.
    pub(crate) fn for_purpose(seed: u64, purpose: &str) -> Rng {
        let mut rng = Rng::new(seed ^ crate::trace::fnv(purpose.as_bytes()));
        rng.next();
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap_or(0)
    }

    /// Whether something happens that happens `per_mille` times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.next() % 1000 < u64::from(per_mille)
    }

    /// One of them.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        choices.get(self.below(choices.len())).copied()
    }
}

/// The port that ids are made of, as predictable as everything else here.
pub(crate) struct SeededRandomness(Mutex<Rng>);

impl SeededRandomness {
    pub(crate) fn new(seed: u64) -> SeededRandomness {
        SeededRandomness(Mutex::new(Rng::for_purpose(seed, "ids")))
    }
}

impl Randomness for SeededRandomness {
    fn next_u128(&self) -> u128 {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        u128::from(rng.next()) << 64 | u128::from(rng.next())
    }
}
