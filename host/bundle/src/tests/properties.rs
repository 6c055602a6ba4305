//! What holds for every bundle, and for whatever becomes of its bytes on the way.

use proptest::prelude::*;
use std::collections::BTreeMap;

use super::{component, trips};
use crate::{Bundle, Limits, is_component_name, read, write};

fn bundle() -> impl Strategy<Value = Bundle> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2_000),
        (any::<u8>(), 0..20_000_usize).prop_map(|(byte, times)| vec![byte; times]),
    ];
    let components = prop::collection::btree_map("[a-z][a-z0-9_-]{0,8}", bytes, 0..5);
    ("[A-Za-z][A-Za-z0-9_-]{0,20}", "[A-Za-z0-9.+_-]{1,20}", "(?s).{0,300}", "\\PC{0,20}", components).prop_map(
        |(app, version, manifest, built_with, components)| {
            let components = components.into_iter().map(|(name, bytes)| (name, component(&bytes))).collect();
            Bundle { app, version, manifest, components, built_with }
        },
    )
}

/// What can happen to a file between two hosts.
#[derive(Debug, Clone)]
enum Accident {
    Set(usize, u8),
    Flip(usize, u8),
    Cut(usize, usize),
    Repeat(usize, usize),
    Insert(usize, Vec<u8>),
    Swap(usize, usize),
    End(usize),
}

fn accident() -> impl Strategy<Value = Accident> {
    let at = any::<usize>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Accident::Set(at, byte)),
        (at(), 0..8_u8).prop_map(|(at, bit)| Accident::Flip(at, bit)),
        (at(), 1..64_usize).prop_map(|(at, count)| Accident::Cut(at, count)),
        (at(), 1..64_usize).prop_map(|(at, count)| Accident::Repeat(at, count)),
        (at(), prop::collection::vec(any::<u8>(), 1..32)).prop_map(|(at, bytes)| Accident::Insert(at, bytes)),
        (at(), at()).prop_map(|(a, b)| Accident::Swap(a, b)),
        at().prop_map(Accident::End),
    ]
}

fn befall(bytes: &mut Vec<u8>, accident: &Accident) {
    let Some(last) = bytes.len().checked_sub(1) else { return };
    let place = |at: usize| at % (last + 1);
    match accident {
        Accident::Set(at, byte) => bytes[place(*at)] = *byte,
        Accident::Flip(at, bit) => bytes[place(*at)] ^= 1 << bit,
        Accident::Cut(at, count) => {
            let start = place(*at);
            bytes.drain(start..(start + count).min(last + 1));
        }
        Accident::Repeat(at, count) => {
            let start = place(*at);
            let again = bytes[start..(start + count).min(last + 1)].to_vec();
            bytes.splice(start..start, again);
        }
        Accident::Insert(at, new) => drop(bytes.splice(place(*at)..place(*at), new.iter().copied())),
        Accident::Swap(a, b) => bytes.swap(place(*a), place(*b)),
        Accident::End(at) => bytes.truncate(place(*at)),
    }
}

/// Reading does not panic, and what comes out is what was packed.
fn check(original: &Bundle, bytes: &[u8]) -> Result<(), TestCaseError> {
    match read(bytes, &Limits::default()) {
        Ok(opened) => prop_assert_eq!(&opened.bundle, original),
        Err(error) => prop_assert!(error.to_string().contains("; "), "{} says no next step", error),
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_same_content_is_the_same_bytes_and_comes_back(bundle in bundle()) {
        let bytes = write(&bundle).expect("its names are good");
        // Made anew, so that no order in memory matters.
        let again = Bundle { components: bundle.components.iter().rev().map(|(n, b)| (n.clone(), b.clone())).collect::<BTreeMap<_, _>>(), ..bundle.clone() };
        prop_assert_eq!(&bytes, &write(&again).expect("its names are good"));
        prop_assert!(bundle.components.keys().all(|name| is_component_name(name)));
        let opened = read(&bytes, &Limits::default()).expect("it was just written");
        prop_assert_eq!(opened.bundle, bundle);
    }

    #[test]
    fn no_accident_makes_another_app_of_it(bundle in bundle(), accidents in prop::collection::vec(accident(), 1..4)) {
        let mut bytes = write(&bundle).expect("its names are good");
        accidents.iter().for_each(|accident| befall(&mut bytes, accident));
        check(&bundle, &bytes)?;
    }

    #[test]
    fn any_bytes_can_be_refused(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(read(&bytes, &Limits::default()).is_err());
    }
}

/// Each bit of a small bundle, one after the other: headers are few of its bytes, so that chance would seldom meet them.
#[test]
fn no_single_bit_makes_another_app_of_it() {
    let mut bundle = trips();
    bundle.components.remove("search");
    let whole = write(&bundle).expect("a good bundle");
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            if let Ok(opened) = read(&bytes, &Limits::default()) {
                assert_eq!(opened.bundle, bundle, "bit {bit} of byte {at}");
                assert_ne!(opened.digest, crate::digest(&whole));
            }
        }
    }
}
