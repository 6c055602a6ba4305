//! Bundles that are wrong, by accident or on purpose: each is refused with what is wrong, and changes nothing.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::client::Client;
use crate::host::Host;
use crate::production::{Production, Steps};

/// The entries of an archive.
#[derive(Clone)]
struct Archive(BTreeMap<String, Vec<u8>>);

const LIST: &str = "bundle.json";
const MANIFEST: &str = "manifest.toml";
const COMPONENT: &str = "components/steps.wasm";

impl Archive {
    fn of(bundle: &[u8]) -> Archive {
        let mut archive = zip::ZipArchive::new(Cursor::new(bundle)).expect("an archive");
        let entries = (0..archive.len()).map(|index| {
            let mut entry = archive.by_index(index).expect("an entry");
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("it can be unpacked");
            (entry.name().expect("a name").into_owned(), content)
        });
        Archive(entries.collect())
    }

    fn with(mut self, name: &str, content: impl Into<Vec<u8>>) -> Archive {
        self.0.insert(name.to_owned(), content.into());
        self
    }

    fn without(mut self, name: &str) -> Archive {
        self.0.remove(name);
        self
    }

    /// With another manifest, which its author has made from the present one.
    fn with_manifest(self, change: impl Fn(&str) -> String) -> Archive {
        let manifest = change(str::from_utf8(&self.0[MANIFEST]).expect("a text"));
        self.with(MANIFEST, manifest)
    }

    /// With a list that is true of what is there.
    fn listed(self) -> Archive {
        let mut list: Value = serde_json::from_slice(&self.0[LIST]).expect("JSON");
        list["manifest"]["digest"] = json!(bundle::digest(&self.0[MANIFEST]));
        let component = &self.0[COMPONENT];
        list["components"]["steps"]["digest"] = json!(bundle::digest(component));
        list["components"]["steps"]["size"] = json!(component.len());
        self.with(LIST, list.to_string())
    }

    fn pack(&self) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.0 {
            writer.start_file(name.as_str(), SimpleFileOptions::default()).expect("any name will do");
            writer.write_all(content).expect("memory takes it");
        }
        writer.finish().expect("memory takes it").into_inner()
    }
}

/// A host with an app, and what is known of it.
struct Known<'a> {
    production: &'a Production,
    host: &'a mut Host,
    app: Value,
    files: BTreeMap<String, Vec<u8>>,
}

impl Known<'_> {
    /// A bundle is refused with this status, and everything is as it was.
    fn check(&mut self, bundle: &[u8], status: u16, expected: &Expect) {
        let answer = self.host.client().try_deploy(bundle).expect(status).json();
        let error = &answer["error"];
        let problems = error["problems"].as_array().expect("a list").iter();
        let lines = problems.map(|problem| format!("- {}", problem.as_str().expect("a text")));
        let head =
            format!("{}: {}", error["code"].as_str().expect("a text"), error["message"].as_str().expect("a text"));
        expected.assert_eq(&[head].into_iter().chain(lines).collect::<Vec<_>>().join("\n"));
        self.check_unchanged();
    }

    fn check_unchanged(&mut self) {
        let client = self.host.client();
        assert_eq!(client.which(), "before");
        assert_eq!(client.apps().as_array().map(Vec::len), Some(1));
        assert_eq!(client.app("renovation"), self.app);
        let (production, files) = (self.production, &self.files);
        // What was compiled may be kept for instances until it is seen that there are none.
        self.host.look_until("the data folder is as it was", |_| (production.files() == *files).then_some(()));
    }
}

/// Runs a test on a host with an app, and checks that a restart finds the same.
fn with_app(test: impl FnOnce(&mut Known<'_>, Archive)) {
    let production = Production::new();
    let mut host = production.start();
    let good = Steps::before("1.0.0").pack();
    host.client().deploy(&good);
    let app = host.client().app("renovation");
    let files = production.files();
    let next = Archive::of(&Steps { stamp: 1, ..Steps::after("2.0.0") }.pack());
    let mut known = Known { production: &production, host: &mut host, app: app.clone(), files };
    test(&mut known, next.clone());
    host.stop();

    let host = production.start();
    let client = host.client();
    assert_eq!((client.which().as_str(), client.app("renovation")), ("before", app));
    // Nothing was wrong but what was made wrong.
    client.deploy(&next.pack());
    assert_eq!(client.which(), "after");
    host.stop();
}

#[test]
fn what_is_no_whole_bundle_is_refused() {
    with_app(|known, next| {
        let packed = next.pack();
        known.check(
            b"",
            400,
            &expect!["BadBundle: this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote"],
        );
        known.check(
            b"a letter to the host",
            400,
            &expect!["BadBundle: this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote"],
        );
        known.check(&packed[..packed.len() / 2], 400, &expect!["BadBundle: the bundle is cut off, or something was appended to it; pack it again, and check that the whole file arrived"]);
        known.check(&packed[..packed.len() - 1], 400, &expect!["BadBundle: the bundle is cut off, or something was appended to it; pack it again, and check that the whole file arrived"]);
        known.check(&[packed.as_slice(), b"more"].concat(), 400, &expect!["BadBundle: the bundle is cut off, or something was appended to it; pack it again, and check that the whole file arrived"]);
        let mut flipped = packed.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0xff;
        let answer = known.host.client().try_deploy(&flipped).expect(400).json();
        assert_eq!(answer["error"]["code"], "BadBundle");
        known.check_unchanged();
        let other = next.clone().with_manifest(|text| text.replace("2.0.0", "2.0.1"));
        known.check(&other.pack(), 400, &expect!["BadBundle: manifest.toml: has the SHA-256 c4e4d452221d109d9a4dcf73992282f467688758ec7fd06bb8dd953e156b27c2, and bundle.json says 603970c89602e4c9911a411d6ac83ae302b2931cc214928b89cbc493fde29450; pack it again, and check that the whole file arrived"]);
        known.check(&next.clone().without(COMPONENT).pack(), 400, &expect!["BadBundle: components/steps.wasm: is listed in bundle.json and missing; pack it again, and check that the whole file arrived"]);
        known.check(
            &next.clone().without(LIST).pack(),
            400,
            &expect![
                "BadBundle: the archive has no bundle.json, so it is no bundle; give a file that `dacapo pack` wrote"
            ],
        );
        known.check(&next.clone().with(LIST, "{").pack(), 400, &expect!["BadBundle: bundle.json: is not understood: EOF while parsing an object at line 1 column 1; give a file as `dacapo pack` wrote it"]);
        known.check(
            &next.with("components/more.wasm", "more").pack(),
            400,
            &expect![
                "BadBundle: components/more.wasm: is not listed in bundle.json; give a file as `dacapo pack` wrote it"
            ],
        );
    });
}

#[test]
fn what_would_harm_the_host_is_refused() {
    with_app(|known, next| {
        for name in
            ["../escaped", "components/../../escaped", "/escaped", "components\\escaped.wasm", "deployments.json"]
        {
            let bundle = next.clone().with(name, "escaped").pack();
            let answer = known.host.client().try_deploy(&bundle).expect(400).json();
            let message = answer["error"]["message"].as_str().expect("a text");
            assert!(message.contains("escaped") || message.contains("deployments.json"), "{message}");
            known.check_unchanged();
        }
        assert!(!known.production.data().parent().expect("a folder").join("escaped").exists());

        // Zeros, which shrink to a thousandth.
        let bomb = next.clone().with(COMPONENT, vec![0; 160 << 20]).listed().pack();
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        known.check(&bomb, 413, &expect!["BadBundle: components/steps.wasm: unpacks to more than 134217728 bytes; make it smaller (components: optimise, strip debug information), or split the app"]);
        // The same, and the headers do not say it.
        let mut sly = bomb;
        let size = u32::to_le_bytes(160 << 20);
        while let Some(place) = sly.windows(size.len()).position(|bytes| bytes == size) {
            sly[place..place + size.len()].copy_from_slice(&u32::to_le_bytes(1_000));
        }
        let answer = known.host.client().try_deploy(&sly).json();
        assert_eq!(answer["error"]["code"], "BadBundle", "{answer:#}");
        known.check_unchanged();
        let crowd = (0..300).fold(next, |archive, number| archive.with(&format!("components/n{number}.wasm"), "wasm"));
        known.check(
            &crowd.pack(),
            400,
            &expect!["BadBundle: the bundle has 303 entries, more than the 256 that are allowed; use fewer components"],
        );
        check_too_large(known);
    });
}

/// A bundle that is announced as too large need not be sent.
fn check_too_large(known: &mut Known<'_>) {
    let origin = known.host.origin().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&origin).expect("the host listens");
    let head = format!(
        "POST /admin/apps HTTP/1.1\r\nHost: {origin}\r\nx-functions-key: {}\r\nContent-Length: 400000000\r\n\
         Connection: close\r\n\r\n",
        known.production.master()
    );
    stream.write_all(head.as_bytes()).expect("the host reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the host answers");
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    known.check_unchanged();
}

/// A component of nothing but an import that nobody knows: the function `mystery`, without parameters and results.
const FOREIGN: &[u8] = b"\0asm\x0d\0\x01\0\x07\x05\x01\x40\0\x01\0\x0a\x0c\x01\0\x07mystery\x01\0";

/// A module, which no component is.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

#[test]
fn what_the_host_cannot_run_is_refused() {
    with_app(|known, next| {
        known.check(&next.clone().with(COMPONENT, MODULE).listed().pack(), 400, &expect!["BadBundle: components/steps.wasm: is a core WebAssembly module, not a component; build it as a component (in Rust: for the target wasm32-wasip2) and pack again"]);
        known.check(&next.clone().with(COMPONENT, "no WebAssembly").listed().pack(), 400, &expect!["BadBundle: components/steps.wasm: is not WebAssembly; build it as a component (in Rust: for the target wasm32-wasip2) and pack again"]);
        known.check(&next.clone().with(COMPONENT, FOREIGN).listed().pack(), 400, &expect![[r#"
            BadApp: the app has a problem
            - component 'steps': it imports 'mystery', which this host does not offer in that form (component imports function `mystery`, but a matching implementation was not found in the linker: function implementation is missing); build it with an SDK of this host's version, against WASI 0.2"#]]);
        let cut = &FOREIGN[..FOREIGN.len() - 3];
        known.check(&next.clone().with(COMPONENT, cut).listed().pack(), 400, &expect![[r#"
            BadApp: the app has a problem
            - component 'steps': renovation-2.0.0.dacapo/components/steps.wasm is no valid component: failed to parse WebAssembly module: unexpected end-of-file (at offset 0x11); build it again"#]]);
        let manifest = |change: &dyn Fn(&str) -> String| next.clone().with_manifest(change).listed().pack();
        let demolish = "[functions.Demolish]\ncomponent = \"steps\"\ntrigger = { type = \"activityTrigger\" }\n";
        known.check(&manifest(&|text| format!("{text}{demolish}")), 400, &expect![[r#"
            BadApp: the app has a problem
            - renovation-2.0.0.dacapo/manifest.toml:19: function 'Demolish': the component 'steps' has no activity named 'Demolish'; it has: Paint (activity), Plaster (activity), Renovate (orchestrator), Which (HTTP function)"#]]);
        known.check(&manifest(&|text| text.replace("activityTrigger", "httpTrigger")), 400, &expect![[r#"
            BadApp: the app has 2 problems
            - renovation-2.0.0.dacapo/manifest.toml:10: function 'Paint': 'Paint' in the component 'steps' is an activity, but its trigger needs an HTTP function; change the trigger's type, or the function's attribute in the code
            - renovation-2.0.0.dacapo/manifest.toml:13: function 'Plaster': 'Plaster' in the component 'steps' is an activity, but its trigger needs an HTTP function; change the trigger's type, or the function's attribute in the code"#]]);
        known.check(&manifest(&|text| text.replace("orchestrationTrigger", "sunrise")), 400, &expect![[r#"
            BadManifest: the manifest has problems
            - renovation-2.0.0.dacapo/manifest.toml:9: functions.Renovate.trigger.type: `sunrise` is not a trigger type; known here: httpTrigger, orchestrationTrigger, activityTrigger, entityTrigger, queueTrigger, timerTrigger"#]]);
        known.check(&manifest(&|text| text.replace("steps.wasm\"", "steps.wasm")), 400, &expect![[r#"
            BadManifest: the manifest has problems
            - renovation-2.0.0.dacapo/manifest.toml:6: not valid TOML: invalid basic string, expected `"`; correct the line"#]]);
        known.check(&manifest(&|text| text.replace("2.0.0", "3.0.0")), 400, &expect!["BadApp: renovation-2.0.0.dacapo/manifest.toml: the manifest is of renovation 3.0.0, and the bundle says that it is of renovation 2.0.0; pack the app again"]);
        known.check(&manifest(&|text| format!("{text}\n[components.more]\nsource = \"more.wasm\"\n")), 400, &expect!["BadApp: renovation-2.0.0.dacapo/manifest.toml: the bundle has no component 'more', which the manifest names; pack the app again"]);
        let twice = "[functions.Twice]\ncomponent = \"steps\"\nentryPoint = \"Which\"\n\
                     trigger = { type = \"httpTrigger\", methods = [\"get\"], route = \"which\" }\n";
        known.check(&manifest(&|text| format!("{text}{twice}")), 400, &expect![[r#"
            BadManifest: the manifest has problems
            - renovation-2.0.0.dacapo/manifest.toml:22: functions.Twice.trigger.route: `Which` on line 16 and `Twice` on line 19 answer the same requests, `which` and `which`; change one of the routes, or list methods that differ"#]]);
    });
}

#[test]
fn an_app_that_was_refused_leaves_no_trace() {
    let production = Production::new();
    let host = production.start();
    let client = host.client();
    let before = production.files();
    let good = Archive::of(&Steps::before("1.0.0").pack());
    for bundle in [
        good.clone().with(COMPONENT, FOREIGN).listed(),
        good.clone().with("../escaped", "escaped"),
        good.clone().with_manifest(|text| text.replace("Paint", "Pain")).listed(),
    ] {
        client.try_deploy(&bundle.pack()).expect(400);
        assert_eq!(client.apps(), json!([]));
        assert_eq!(production.files(), before);
    }
    refused_line_by_line(&client, &good.clone().with(COMPONENT, FOREIGN).listed().pack());
    // Its name is as good as before.
    client.deploy(&good.pack());
    assert_eq!(client.which(), "before");
    host.stop();
}

/// A caller that follows the deploy gets 200 before anything is known; the last line says what it came to.
fn refused_line_by_line(client: &Client, bundle: &[u8]) {
    let lines: Vec<Value> = client.follow_deploy(bundle).expect("the host answers").collect();
    let phases: Vec<&str> = lines.iter().filter_map(|line| line["phase"].as_str()).collect();
    assert_eq!(phases, ["received", "checked"]);
    let last = lines.last().expect("a line");
    assert_eq!(last["error"]["status"], 400, "{last:#}");
}
