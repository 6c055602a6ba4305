//! Bundles that somebody has broken, by accident or on purpose: each is refused, and says where and why.

use expect_test::{Expect, expect};

use super::archive::{Entry, STORED, archive, entries};
use super::{component, trips};
use crate::{Bundle, Limits, read};

/// Small, so that a bomb needs not be large.
const LIMITS: Limits =
    Limits { bundle_bytes: 100_000, unpacked_bytes: 3_000_000, component_bytes: 2_000_000, entries: 8 };

const BOOKING: &str = "components/booking.wasm";

/// Each is refused; a line for each says why.
fn check(broken: &[(&str, Vec<u8>)], expected: &Expect) {
    let refusals = broken.iter().map(|(what, bytes)| match read(bytes, &LIMITS) {
        Ok(opened) => panic!("{what} was read as {}", opened.digest),
        Err(error) => format!("{what}\n    {error}\n"),
    });
    expected.assert_eq(&refusals.collect::<String>());
}

/// The sample with other entries: list, manifest, two components.
fn with(change: impl FnOnce(&mut Vec<Entry>)) -> Vec<u8> {
    let mut entries = entries(&trips());
    change(&mut entries);
    archive(&entries)
}

/// The sample with another list, changed as text.
fn with_list(from: &str, to: &str) -> Vec<u8> {
    with(|entries| {
        let list = String::from_utf8(entries[0].content.clone()).expect("text");
        assert!(list.contains(from), "the list has no {from}");
        entries[0].content = list.replacen(from, to, 1).into_bytes();
    })
}

/// The sample with one more entry.
fn with_entry(name: &[u8]) -> Vec<u8> {
    with(|entries| entries.push(Entry::new(name, "x")))
}

/// The sample with another component, and a list that knows it.
fn with_component(bytes: &[u8]) -> Vec<u8> {
    let mut bundle = trips();
    bundle.components.insert("booking".to_owned(), bytes.to_vec());
    archive(&entries(&bundle))
}

/// The sample, changed as bytes.
fn damaged(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = archive(&entries(&trips()));
    read(&bytes, &LIMITS).expect("it is good as long as it is whole");
    change(&mut bytes);
    bytes
}

#[test]
fn other_files_are_no_bundles() {
    check(
        &[
            ("nothing", Vec::new()),
            ("a text", b"hello, this is a text that is long enough".to_vec()),
            ("a component", component(&[0; 100])),
            ("the empty archive", archive(&[])),
            ("another archive", archive(&[Entry::new("hello.txt", "hello")])),
        ],
        &expect![[r#"
            nothing
                this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote
            a text
                this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote
            a component
                this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote
            the empty archive
                the archive has no bundle.json, so it is no bundle; give a file that `dacapo pack` wrote
            another archive
                the archive has no bundle.json, so it is no bundle; give a file that `dacapo pack` wrote
        "#]],
    );
}

#[test]
fn parts_of_bundles_and_more_than_bundles_are_none() {
    let whole = damaged(|_| {});
    for length in 0..whole.len() {
        assert!(read(&whole[..length], &LIMITS).is_err(), "{length} bytes of {}", whole.len());
    }
    let end = whole.len();
    check(
        &[
            ("half of it", whole[..end / 2].to_vec()),
            ("a line behind it", damaged(|bytes| bytes.push(b'\n'))),
            ("a line before it", damaged(|bytes| drop(bytes.splice(0..0, *b"#!/bin/sh\n")))),
            ("a comment", damaged(|bytes| drop(bytes.splice(end - 2.., *b"\x02\0hi")))),
            ("a count for another record", damaged(|bytes| bytes[end - 14..end - 10].fill(0xff))),
            ("a count that hides an entry", damaged(|bytes| bytes[end - 14..end - 10].copy_from_slice(&[3, 0, 3, 0]))),
            ("a table of contents elsewhere", damaged(|bytes| bytes[end - 6] ^= 1)),
        ],
        &expect![[r#"
            half of it
                the bundle is cut off, or something was appended to it; pack it again, and check that the whole file arrived
            a line behind it
                the bundle is cut off, or something was appended to it; pack it again, and check that the whole file arrived
            a line before it
                this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote
            a comment
                the bundle is cut off, or something was appended to it; pack it again, and check that the whole file arrived
            a count for another record
                the bundle has 65535 entries, more than the 8 that are allowed; use fewer components
            a count that hides an entry
                the bundle is damaged: invalid Zip archive: header inconsistency detected: local file header missing from central directory; pack it again, and check that the whole file arrived
            a table of contents elsewhere
                the bundle is damaged: invalid Zip archive: No CDFH found; pack it again, and check that the whole file arrived
        "#]],
    );
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    check(
        &[
            ("above", with_entry(b"../evil")),
            ("above, later", with_entry(b"components/../../evil")),
            ("here", with_entry(b"components/./booking.wasm")),
            ("from the root", with_entry(b"/etc/passwd")),
            ("from a drive", with_entry(b"C:/evil")),
            ("with backslashes", with_entry(b"components\\..\\evil")),
            ("with a line break", with_entry(b"components/evil\n.wasm")),
            ("with a zero", with_entry(b"components/evil\0.wasm")),
            ("not UTF-8", with_entry(b"components/\xff.wasm")),
            ("an empty folder name", with_entry(b"components//evil.wasm")),
            ("a folder", with_entry(b"components/")),
            ("no name", with_entry(b"")),
            ("too long", with_entry(&[b'a'; 300])),
        ],
        &expect![[r#"
            above
                ../evil: its name leads out of its folder; give a file as `dacapo pack` wrote it
            above, later
                components/../../evil: its name leads out of its folder; give a file as `dacapo pack` wrote it
            here
                components/./booking.wasm: its name leads out of its folder; give a file as `dacapo pack` wrote it
            from the root
                /etc/passwd: its name is an absolute path; give a file as `dacapo pack` wrote it
            from a drive
                C:/evil: its name is an absolute path; give a file as `dacapo pack` wrote it
            with backslashes
                components\\..\\evil: its name has a backslash, which is a folder on some systems; give a file as `dacapo pack` wrote it
            with a line break
                components/evil\n.wasm: its name has control characters; give a file as `dacapo pack` wrote it
            with a zero
                components/evil\0.wasm: its name has control characters; give a file as `dacapo pack` wrote it
            not UTF-8
                components/�.wasm: its name is not UTF-8 text; give a file as `dacapo pack` wrote it
            an empty folder name
                components//evil.wasm: it is a folder, or has one without a name; give a file as `dacapo pack` wrote it
            a folder
                components/: it is a folder, or has one without a name; give a file as `dacapo pack` wrote it
            no name
                an entry: it has no name; give a file as `dacapo pack` wrote it
            too long
                aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...: its name is too long; give a file as `dacapo pack` wrote it
        "#]],
    );
}

#[test]
fn each_name_is_there_once() {
    check(
        &[
            ("twice", with_entry(b"manifest.toml")),
            ("twice, but for case", with_entry(b"Manifest.toml")),
            ("a component twice, but for case", with_entry(b"components/BOOKING.wasm")),
        ],
        &expect![[r#"
            twice
                the bundle has two entries of one name; give a file as `dacapo pack` wrote it
            twice, but for case
                Manifest.toml: another entry has the same name but for its case; rename one of the components and pack again
            a component twice, but for case
                components/BOOKING.wasm: another entry has the same name but for its case; rename one of the components and pack again
        "#]],
    );
}

#[test]
fn entries_are_files_that_anybody_can_read() {
    let with_mode = |mode| with(|entries| entries[1].mode = mode);
    check(
        &[
            ("a link", with_mode(0o120_777)),
            ("a folder", with_mode(0o040_755)),
            ("a device", with_mode(0o060_644)),
            ("encrypted", with(|entries| entries[1].flags = 1)),
            ("bzip2", with(|entries| entries[2].method = 12)),
        ],
        &expect![[r#"
            a link
                manifest.toml: is a symbolic link and not a file; give a file as `dacapo pack` wrote it
            a folder
                manifest.toml: is a folder and not a file; give a file as `dacapo pack` wrote it
            a device
                manifest.toml: is a device or a socket and not a file; give a file as `dacapo pack` wrote it
            encrypted
                manifest.toml: is encrypted; give a file as `dacapo pack` wrote it
            bzip2
                components/booking.wasm: is compressed in a way that bundles do not use (Bzip2); give a file as `dacapo pack` wrote it
        "#]],
    );
    read(&with_mode(0), &LIMITS).expect("not every writer of archives sets a mode");
}

#[test]
fn what_is_there_is_what_is_listed() {
    check(
        &[
            ("no list", with(|entries| drop(entries.remove(0)))),
            ("no manifest", with(|entries| drop(entries.remove(1)))),
            ("a component less", with(|entries| drop(entries.pop()))),
            ("a file more", with_entry(b"local.settings.toml")),
            ("another component", with(|entries| entries[2].content.push(0))),
            ("another manifest", with(|entries| entries[1].content.push(b'\n'))),
            ("another size", with_list(r#""size": 15"#, r#""size": 16"#)),
        ],
        &expect![[r#"
            no list
                the archive has no bundle.json, so it is no bundle; give a file that `dacapo pack` wrote
            no manifest
                manifest.toml: is listed in bundle.json and missing; pack it again, and check that the whole file arrived
            a component less
                components/search.wasm: is listed in bundle.json and missing; pack it again, and check that the whole file arrived
            a file more
                local.settings.toml: is not listed in bundle.json; give a file as `dacapo pack` wrote it
            another component
                components/booking.wasm: has the SHA-256 5c2da92fb2b8fe5e99a53687d5fe56ad1c8650392da231699305354d8df94de3, and bundle.json says 9044e655cc1603abe4020240bb49b6830a55023ff940d1a929143b8ac447b474; pack it again, and check that the whole file arrived
            another manifest
                manifest.toml: has the SHA-256 c44115689acb322141d8be55a095a3dfde8cbb5b69b9858f24f276cc9cc2896c, and bundle.json says eb1852594a92a42439caaefdbc0cbc9be09a0b3a0b5ba6adc7c9cdddfffea3b5; pack it again, and check that the whole file arrived
            another size
                bundle.json: components/booking.wasm has 15 bytes, and not the 16 that are listed; give a file as `dacapo pack` wrote it
        "#]],
    );
}

#[test]
fn headers_must_be_true() {
    let end = damaged(|_| {}).len();
    check(
        &[
            ("checksum of the archive", with(|entries| entries[2].claimed_crc = Some(1))),
            ("a size too small", with(|entries| entries[2].claimed_size = Some(3))),
            ("a size too large", with(|entries| entries[2].claimed_size = Some(3_000))),
            // Some readers take this name, others that of the table of contents.
            ("another name beside the content", damaged(|bytes| bytes[30] = b'B')),
            ("another disk", damaged(|bytes| bytes[end - 18] = 1)),
        ],
        &expect![[r#"
            checksum of the archive
                components/booking.wasm: is damaged: i/o error: Invalid checksum; pack it again, and check that the whole file arrived
            a size too small
                components/booking.wasm: is damaged: i/o error: File is larger than its declared uncompressed size; pack it again, and check that the whole file arrived
            a size too large
                components/booking.wasm: is damaged: it has 15 bytes, and its header says 3000; pack it again, and check that the whole file arrived
            another name beside the content
                the bundle is damaged: invalid Zip archive: header inconsistency detected: Local file header filename mismatch (does not match central directory); pack it again, and check that the whole file arrived
            another disk
                the bundle is damaged: invalid Zip archive: Multi-disk ZIP files are not supported; pack it again, and check that the whole file arrived
        "#]],
    );
}

#[test]
fn bombs_do_not_go_off() {
    let bomb = || Entry::new(BOOKING, component(&vec![0; 4_000_000]));
    let that_claims = |size| with(|entries| entries[2] = Entry { claimed_size: Some(size), ..bomb() });
    let shared = |entries: &mut Vec<Entry>| {
        let last = entries.last().expect("there are some").clone();
        entries.extend(["a", "b"].map(|name| Entry { name: name.into(), shares: true, ..last.clone() }));
    };
    // Each within its limit.
    let mut halves = trips();
    halves.components.values_mut().for_each(|bytes| *bytes = component(&vec![0; 1_900_000]));
    check(
        &[
            ("a component of zeros", with(|entries| entries[2] = bomb())),
            ("one that says that it is small", that_claims(15)),
            ("one that says that it is gigantic", that_claims(u32::MAX - 1)),
            ("two that are too much together", archive(&entries(&halves))),
            ("a manifest", with(|entries| entries[1].content = vec![b'#'; 1_100_000])),
            ("a list", with(|entries| entries[0].content = vec![b' '; 1_100_000])),
            ("entries that are one", with(shared)),
            ("many entries", with(|entries| entries.extend((0..20).map(|n| Entry::new(format!("e{n}"), ""))))),
            (
                "a large file",
                with(|entries| entries[2] = Entry { method: STORED, content: vec![0; 100_000], ..bomb() }),
            ),
        ],
        &expect![[r#"
            a component of zeros
                components/booking.wasm: unpacks to more than 2000000 bytes; make it smaller (components: optimise, strip debug information), or split the app
            one that says that it is small
                components/booking.wasm: is damaged: i/o error: File is larger than its declared uncompressed size; pack it again, and check that the whole file arrived
            one that says that it is gigantic
                components/booking.wasm: unpacks to more than 2000000 bytes; make it smaller (components: optimise, strip debug information), or split the app
            two that are too much together
                components/search.wasm: with it, the bundle unpacks to more than 3000000 bytes; make it smaller (components: optimise, strip debug information), or split the app
            a manifest
                manifest.toml: unpacks to more than 1048576 bytes; make it smaller (components: optimise, strip debug information), or split the app
            a list
                bundle.json: unpacks to more than 1048576 bytes; make it smaller (components: optimise, strip debug information), or split the app
            entries that are one
                the bundle has entries that lie over one another; give a file as `dacapo pack` wrote it
            many entries
                the bundle has 24 entries, more than the 8 that are allowed; use fewer components
            a large file
                the bundle has 100819 bytes, more than the 100000 that are allowed; make it smaller (components: optimise, strip debug information), or split the app
        "#]],
    );
}

#[test]
fn the_list_is_held_against_its_rules() {
    check(
        &[
            ("a later format", with_list(r#""formatVersion": 1"#, r#""formatVersion": 7"#)),
            ("no format", with_list(r#""formatVersion": 1, "#, "")),
            ("format 0", with_list(r#""formatVersion": 1"#, r#""formatVersion": 0"#)),
            ("a format as text", with_list(r#""formatVersion": 1"#, r#""formatVersion": "1""#)),
            ("broken JSON", with_list(r#"{"formatVersion""#, r#"{,"formatVersion""#)),
            ("something more", with_list(r#""builtWith""#, r#""signedBy": "me", "builtWith""#)),
            ("a path as name", with_list(r#""name": "trips""#, r#""name": "../trips""#)),
            ("a path as version", with_list(r#""version": "1.0.0""#, r#""version": "1/0""#)),
            ("a path elsewhere", with_list(r#""components/booking.wasm""#, r#""../booking.wasm""#)),
            ("a path as component", with_list(r#""booking": {"#, r#""boo/king": {"#)),
            ("a manifest elsewhere", with_list(r#""file": "manifest.toml""#, r#""file": "app.toml""#)),
            ("no checksum", with_list(r#""manifest.toml", "digest": ""#, r#""manifest.toml", "digest": "X"#)),
        ],
        &expect![[r#"
            a later format
                bundle.json: the bundle has the format 7, written by dacapo 0.1.0, and this is dacapo 0.1.0 which reads formats up to 1; update this host, or pack with its version
            no format
                bundle.json: is not understood: missing field `formatVersion` at line 2 column 157; give a file as `dacapo pack` wrote it
            format 0
                bundle.json: the format 0 has never been; give a file as `dacapo pack` wrote it
            a format as text
                bundle.json: is not understood: invalid type: string "1", expected u64 at line 1 column 21; give a file as `dacapo pack` wrote it
            broken JSON
                bundle.json: is not understood: key must be a string at line 1 column 2; give a file as `dacapo pack` wrote it
            something more
                bundle.json: is not understood: unknown field `signedBy`, expected one of `formatVersion`, `app`, `components`, `manifest`, `builtWith` at line 2 column 139; give a file as `dacapo pack` wrote it
            a path as name
                bundle.json: "../trips" is no name for an app; give a file as `dacapo pack` wrote it
            a path as version
                bundle.json: "1/0" is no version of an app; give a file as `dacapo pack` wrote it
            a path elsewhere
                bundle.json: the component 'booking' must be in components/booking.wasm, not in "../booking.wasm"; give a file as `dacapo pack` wrote it
            a path as component
                bundle.json: "boo/king" is no name for a component; give a file as `dacapo pack` wrote it
            a manifest elsewhere
                bundle.json: the manifest must be in manifest.toml, not in "app.toml"; give a file as `dacapo pack` wrote it
            no checksum
                bundle.json: "Xeb1852594a92a42439caaefdbc0cbc9be09a0b3a0b5ba6adc7c9cdddfffea3b5" is no SHA-256 in lower-case hexadecimal digits; give a file as `dacapo pack` wrote it
        "#]],
    );
}

#[test]
fn a_list_of_another_shape_is_not_understood() {
    let list = |content: &[u8]| with(|entries| entries[0].content = content.to_vec());
    check(
        &[
            ("an array", list(b"[1, 2]")),
            ("depths", list(&vec![b'['; 100_000])),
            ("no text", list(&[0xff; 10])),
            ("the shape of a later format", list(br#"{"formatVersion": 2, "builtWith": "dacapo 9.1\n", "apps": []}"#)),
            ("that of nobody", list(br#"{"formatVersion": 2}"#)),
        ],
        &expect![[r#"
            an array
                bundle.json: is not understood: invalid type: integer `2`, expected a string at line 1 column 5; give a file as `dacapo pack` wrote it
            depths
                bundle.json: is not understood: invalid type: sequence, expected u64 at line 1 column 1; give a file as `dacapo pack` wrote it
            no text
                bundle.json: is not understood: expected value at line 1 column 1; give a file as `dacapo pack` wrote it
            the shape of a later format
                bundle.json: the bundle has the format 2, written by dacapo 9.1\n, and this is dacapo 0.1.0 which reads formats up to 1; update this host, or pack with its version
            that of nobody
                bundle.json: the bundle has the format 2, written by a newer version, and this is dacapo 0.1.0 which reads formats up to 1; update this host, or pack with its version
        "#]],
    );
}

#[test]
fn the_content_is_a_text_and_components() {
    let broken = b"\xff\xfe";
    let no_text = with(|entries| {
        let list = String::from_utf8(entries[0].content.clone()).expect("text");
        let Bundle { manifest, .. } = trips();
        let list = list.replace(&crate::digest(manifest.as_bytes()), &crate::digest(broken));
        entries[0].content = list.into_bytes();
        entries[1].content = broken.to_vec();
    });
    check(
        &[
            ("a manifest that is no text", no_text),
            ("a program", with_component(b"\x7fELF\x02\x01\x01\0")),
            ("a module", with_component(b"\0asm\x01\0\0\0")),
            ("a component of tomorrow", with_component(b"\0asm\x20\0\x01\0")),
            ("an empty component", with_component(b"")),
        ],
        &expect![[r#"
            a manifest that is no text
                manifest.toml: is not UTF-8 text; save the manifest as UTF-8 and pack again
            a program
                components/booking.wasm: is not WebAssembly; build it as a component (in Rust: for the target wasm32-wasip2) and pack again
            a module
                components/booking.wasm: is a core WebAssembly module, not a component; build it as a component (in Rust: for the target wasm32-wasip2) and pack again
            a component of tomorrow
                components/booking.wasm: is WebAssembly of an unknown version, not a component; build it as a component (in Rust: for the target wasm32-wasip2) and pack again
            an empty component
                components/booking.wasm: is not WebAssembly; build it as a component (in Rust: for the target wasm32-wasip2) and pack again
        "#]],
    );
}
