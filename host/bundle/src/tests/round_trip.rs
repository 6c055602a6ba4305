//! What is written is read, and is the same bytes on every machine.

use expect_test::expect;

use super::archive::{archive, entries};
use super::{component, trips};
use crate::{
    Binary, Bundle, BundleError, Limits, MAX_ENTRIES, binary, digest, is_component_name, list, read, read_unpacked,
    write,
};

#[test]
fn what_is_written_is_read() {
    let bytes = write(&trips()).expect("a good bundle");
    let opened = read(&bytes, &Limits::default()).expect("a good bundle");
    assert_eq!(opened.bundle, trips());
    assert_eq!(opened.digest, digest(&bytes));
    let by_hand = archive(&entries(&trips()));
    let opened = read(&by_hand, &Limits::default()).expect("another writer may make bundles, too");
    assert_eq!(opened.bundle, trips());
}

/// The list and the order of the entries are the format; the digest is that of the whole file, on every machine. If it changes,
/// bundles that were packed before are other bundles than those packed now.
#[test]
fn the_bytes_are_the_same_everywhere() {
    let bytes = write(&trips()).expect("a good bundle");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).expect("an archive");
    let mut text = String::new();
    for index in 0..zip.len() {
        let entry = zip.by_index(index).expect("an entry");
        let name = entry.name().expect("UTF-8").into_owned();
        let (mode, date) = (entry.unix_mode().unwrap_or_default(), entry.last_modified().expect("a date"));
        text.push_str(&format!("{name} {mode:o} {date} {:?}\n", entry.extra_data()));
        if name == "bundle.json" {
            text.push_str(&std::io::read_to_string(entry).expect("text"));
        }
    }
    text.push_str(&digest(&bytes));
    expect![[r#"
        bundle.json 100644 1980-01-01 00:00:00 None
        {
          "formatVersion": 1,
          "app": {
            "name": "trips",
            "version": "1.0.0"
          },
          "components": {
            "booking": {
              "file": "components/booking.wasm",
              "digest": "9044e655cc1603abe4020240bb49b6830a55023ff940d1a929143b8ac447b474",
              "size": 15
            },
            "search": {
              "file": "components/search.wasm",
              "digest": "913d966391503e3a2f94645368994e9503a12ded943159fb57fda791cb96b786",
              "size": 5008
            }
          },
          "manifest": {
            "file": "manifest.toml",
            "digest": "eb1852594a92a42439caaefdbc0cbc9be09a0b3a0b5ba6adc7c9cdddfffea3b5"
          },
          "builtWith": "dacapo 0.1.0"
        }
        components/booking.wasm 100644 1980-01-01 00:00:00 None
        components/search.wasm 100644 1980-01-01 00:00:00 None
        manifest.toml 100644 1980-01-01 00:00:00 None
        4ec573fdda464225a29fdfaa6e843a8e46557d229942db2d93035e28f4e7e1d1"#]]
    .assert_eq(&text);
}

#[test]
fn what_was_unpacked_is_held_against_its_list() {
    let list = list(&trips()).expect("a good bundle");
    let entry = |name: &str| match name {
        "manifest.toml" => Some(trips().manifest.into_bytes()),
        "components/booking.wasm" => trips().components.remove("booking"),
        "components/search.wasm" => trips().components.remove("search"),
        _ => None,
    };
    let limits = Limits::default();
    assert_eq!(read_unpacked(&list, &limits, entry), Ok(trips()));
    let missing = |name: &str| entry(name).filter(|_| name != "manifest.toml");
    let changed =
        |name: &str| if name == "components/search.wasm" { entry("components/booking.wasm") } else { entry(name) };
    let refusals = [
        read_unpacked(&list, &limits, missing),
        read_unpacked(&list, &limits, changed),
        read_unpacked(&list, &Limits { component_bytes: 20, ..limits }, entry),
        read_unpacked(b"{", &limits, entry),
    ];
    let refusals = refusals.map(|refusal| format!("{}\n", refusal.expect_err("it is broken")));
    expect![[r#"
        manifest.toml: is listed in bundle.json and missing; pack it again, and check that the whole file arrived
        components/search.wasm: has the SHA-256 9044e655cc1603abe4020240bb49b6830a55023ff940d1a929143b8ac447b474, and bundle.json says 913d966391503e3a2f94645368994e9503a12ded943159fb57fda791cb96b786; pack it again, and check that the whole file arrived
        components/search.wasm: unpacks to more than 20 bytes; make it smaller (components: optimise, strip debug information), or split the app
        bundle.json: is not understood: EOF while parsing an object at line 1 column 1; give a file as `dacapo pack` wrote it
    "#]].assert_eq(&refusals.concat());
}

#[test]
fn a_bundle_without_components_is_a_bundle() {
    let bundle = Bundle { components: std::collections::BTreeMap::new(), ..trips() };
    let bytes = write(&bundle).expect("the manifest decides whether an app needs components");
    assert_eq!(read(&bytes, &Limits::default()).expect("a good bundle").bundle, bundle);
}

fn unwritable(change: impl FnOnce(&mut Bundle)) -> String {
    let mut bundle = trips();
    change(&mut bundle);
    format!("{}\n", write(&bundle).expect_err("it cannot be written"))
}

#[test]
fn what_no_reader_would_take_is_not_written() {
    let add = |bundle: &mut Bundle, name: &str, bytes: Vec<u8>| drop(bundle.components.insert(name.to_owned(), bytes));
    let many = |count: usize| (0..count).map(|n| (format!("c{n}"), component(b""))).collect();
    let refusals = [
        unwritable(|bundle| bundle.app = "../trips".to_owned()),
        unwritable(|bundle| bundle.version = "1 0".to_owned()),
        unwritable(|bundle| add(bundle, "a/b", component(b""))),
        unwritable(|bundle| add(bundle, "BOOKING", component(b""))),
        unwritable(|bundle| add(bundle, "a", b"\0asm\x01\0\0\0".to_vec())),
        unwritable(|bundle| bundle.manifest = "#".repeat((1 << 20) + 1)),
        unwritable(|bundle| bundle.components = many(MAX_ENTRIES - 1)),
    ];
    expect![[r#"
        "../trips" is no name for an app; begin with a letter, go on with letters, digits, `-` and `_`, 64 characters at most
        "1 0" is no name for a version; use letters, digits, `.`, `-`, `_` and `+`, 64 characters at most
        "a/b" is no name for a component; begin with a letter, go on with letters, digits, `-` and `_`, 64 characters at most
        components/booking.wasm: another entry has the same name but for its case; rename one of the components and pack again
        components/a.wasm: is a core WebAssembly module, not a component; build it as a component (in Rust: for the target wasm32-wasip2) and pack again
        manifest.toml: unpacks to more than 1048576 bytes; make it smaller (components: optimise, strip debug information), or split the app
        the bundle has 257 entries, more than the 256 that are allowed; use fewer components
    "#]].assert_eq(&refusals.concat());
    let just_enough = Bundle { components: many(MAX_ENTRIES - 2), ..trips() };
    let bytes = write(&just_enough).expect("not too many");
    read(&bytes, &Limits::default()).expect("not too many");
}

#[test]
fn names_of_components_are_those_of_manifests() {
    for good in ["a", "A-b_9", &"a".repeat(64)] {
        assert!(is_component_name(good), "{good}");
    }
    for bad in ["", "9a", "_a", "a.b", "a/b", "ä", "a b", &"a".repeat(65)] {
        assert!(!is_component_name(bad), "{bad}");
    }
}

#[test]
fn the_first_bytes_say_what_it_is() {
    let check = |bytes: &[u8], expected| assert_eq!(binary(bytes), expected, "{bytes:?}");
    check(&component(b""), Binary::Component);
    check(b"\0asm\x01\0\0\0", Binary::CoreModule);
    check(b"\0asm\x0e\0\x01\0", Binary::Unknown);
    check(b"\0asm", Binary::Unknown);
    check(b"\x7fELF\x02\x01\x01\0", Binary::Foreign);
    check(b"", Binary::Foreign);
}

#[test]
fn limits_count_what_is_allowed() {
    let bundle = trips();
    let bytes = write(&bundle).expect("a good bundle");
    let length = bytes.len() as u64;
    let exact = Limits { bundle_bytes: length, component_bytes: 5_008, entries: 4, ..Limits::default() };
    read(&bytes, &exact).expect("as much as allowed");
    let refused = |limits: Limits| read(&bytes, &limits).expect_err("it is too much");
    let too_large = BundleError::TooLarge { bytes: length, limit_bytes: length - 1 };
    assert_eq!(refused(Limits { bundle_bytes: length - 1, ..exact }), too_large);
    assert_eq!(refused(Limits { entries: 3, ..exact }), BundleError::TooManyEntries { count: 4, limit: 3 });
    let entry = "components/search.wasm".to_owned();
    let component_bytes = 5_007;
    let expected = BundleError::EntryTooLarge { entry: entry.clone(), limit_bytes: component_bytes };
    assert_eq!(refused(Limits { component_bytes, ..exact }), expected);
    let unpacked_bytes = 5_100;
    let expected = BundleError::UnpackedTooLarge { entry, limit_bytes: unpacked_bytes };
    assert_eq!(refused(Limits { unpacked_bytes, ..exact }), expected);
}
