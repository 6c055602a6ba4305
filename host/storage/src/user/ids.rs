//! Names of messages and of receipts that nobody can guess, made of numbers that are never given out twice.
//!
//! A message's id carries its sequence, so that it is found without an index by id. The rest of it, and a pop receipt as a
//! whole, is a hash with the store's own seed: the store keeps neither, and makes them anew when it compares.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How many bits of a GUID are left beside its version, its variant and a sequence.
const CHECK_BITS: u32 = 122 - 64;
const CHECK_MASK: u64 = (1 << CHECK_BITS) - 1;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    seed: u128,
    /// Hides how many messages there were.
    mask: u64,
}

impl Ids {
    pub(crate) fn new(seed: u128) -> Ids {
        let mut ids = Ids { seed, mask: 0 };
        ids.mask = ids.hash(b"mask", [0, 0]) as u64;
        ids
    }

    /// The GUID of a message.
    pub(crate) fn message(&self, sequence: u64) -> Uuid {
        let hidden = sequence ^ self.mask;
        let check = self.hash(b"message", [sequence, 0]) as u64 & CHECK_MASK;
        // 48 bits, the version, 12 bits; the variant, 4 bits, the check.
        let high = hidden & !0xffff | 0x4000 | hidden >> 4 & 0x0fff;
        let low = 0b10 << 62 | (hidden & 0xf) << CHECK_BITS | check;
        Uuid::from_u64_pair(high, low)
    }

    /// The sequence of the message of that id; none if no message of this store ever had it.
    pub(crate) fn sequence(&self, id: &str) -> Option<u64> {
        let id = Uuid::parse_str(id).ok()?;
        let (high, low) = id.as_u64_pair();
        let hidden = high & !0xffff | (high & 0x0fff) << 4 | low >> CHECK_BITS & 0xf;
        let sequence = hidden ^ self.mask;
        (self.message(sequence) == id).then_some(sequence)
    }

    /// The pop receipt of one receipt of a message. Hexadecimal: it goes into URLs as it is.
    pub(crate) fn pop_receipt(&self, sequence: u64, receipt: u64) -> String {
        format!("{:032x}", self.hash(b"receipt", [sequence, receipt]))
    }

    fn hash(&self, what: &[u8], numbers: [u64; 2]) -> u128 {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.to_be_bytes());
        for number in numbers {
            hasher.update(number.to_be_bytes());
        }
        hasher.update(what);
        let digest: [u8; 32] = hasher.finalize().into();
        digest.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_lead_back(seed: u128, sequence: u64, other: u64) {
            let ids = Ids::new(seed);
            let id = ids.message(sequence);
            prop_assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
            prop_assert_eq!(ids.sequence(&id.to_string()), Some(sequence));
            prop_assert_eq!(ids.sequence(&id.to_string().to_uppercase()), Some(sequence));
            prop_assert_eq!(ids.message(other) == id, other == sequence);
            prop_assert_eq!(ids.pop_receipt(sequence, 1) == ids.pop_receipt(sequence, other), other == 1);
        }

        #[test]
        fn what_is_no_id_leads_nowhere(seed: u128, number: u128, text: String) {
            let ids = Ids::new(seed);
            prop_assert_eq!(ids.sequence(&text), None);
            prop_assert_eq!(ids.sequence(&uuid::Uuid::from_u128(number).to_string()), None);
        }
    }
}
