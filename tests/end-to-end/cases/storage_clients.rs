//! The storage endpoint as others see it: the client libraries of Azure Storage for Python and JavaScript, unmodified. The same
//! scripts run against Azurite, the emulator of Azure's tools, so that a difference between the two is seen and explained.
//!
//! `tests/end-to-end/clients/storage` has the scripts, what they print on our endpoint (`expected/`), and where Azurite answers
//! something else and why (`azurite-differences.txt`). With `UPDATE_EXPECT=1` the first is written anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use super::clients::python;
use crate::host::{Host, Process};
use crate::samples::{self, repository_file};

const FOLDER: &str = "tests/end-to-end/clients/storage";

/// The account of emulators; Azure publishes its key.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const SCRIPTS: [&str; 4] = ["queues.py", "tables.py", "queues.mjs", "tables.mjs"];

const REMEDY: &str = "These tests need Node.js 20 or later with npm, and access to the npm registry: on Debian or Ubuntu, \
                      `apt-get install nodejs npm`";

/// A folder with the JavaScript packages and the scripts that use them, below the target folder; made anew when the list of
/// packages changes.
fn node_folder() -> &'static Path {
    // Once: a script must not be copied while another test runs it.
    static READY: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("storage-clients");
        let source = repository_file(FOLDER);
        artifacts::node_packages(&source, &folder).unwrap_or_else(|problem| panic!("{problem}"));
        copy_scripts(&source, &folder);
        folder
    });
    &READY
}

/// Node looks for packages beside the script that wants them.
fn copy_scripts(source: &Path, folder: &Path) {
    for name in ["transcript.mjs", "queues.mjs", "tables.mjs"] {
        fs::copy(source.join(name), folder.join(name)).expect("the target folder can be written");
    }
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a script to its end and answers what it printed. What the client libraries complain about goes elsewhere.
pub(crate) fn run_client(script: &str, arguments: &[&str]) -> String {
    let mut command = if Path::new(script).extension().is_some_and(|extension| extension == "py") {
        let mut python = Command::new(python());
        python.arg("-B").arg(repository_file(FOLDER).join(script));
        python
    } else {
        let mut node = Command::new("node");
        node.arg(node_folder().join(script));
        node
    };
    let output = command.args(arguments).output().unwrap_or_else(|error| panic!("{command:?}: {error}. {REMEDY}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, printed(&output));
    String::from_utf8(output.stdout).expect("the scripts print UTF-8")
}

/// A connection string to services at these addresses.
fn connection(addresses: &BTreeMap<&str, String>) -> String {
    let address = |service: &str| addresses.get(service).map_or("", String::as_str);
    format!(
        "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={};QueueEndpoint={};TableEndpoint={};",
        address("blob"),
        address("queue"),
        address("table")
    )
}

/// The addresses in a text, each behind its service's name.
fn addresses(text: &str) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        for service in ["blob", "queue", "table"] {
            let is_it = line.to_lowercase().contains(&format!("{service} "));
            let url = line.find("http://").map(|at| line[at..].split_whitespace().next().unwrap_or_default());
            if let (true, Some(url)) = (is_it, url) {
                let url = url.trim_end_matches('/').trim_end_matches(&format!("/{ACCOUNT}"));
                found.insert(service, format!("{url}/{ACCOUNT}"));
            }
        }
    }
    found
}

/// A host with nothing but its storage endpoint.
pub(crate) fn storage_host() -> (Host, String) {
    let host = Host::start(&samples::manifest("hello"), ["--ephemeral"]);
    let connection = connection_to(&host);
    (host, connection)
}

/// How clients find the storage endpoint of a host.
pub(crate) fn connection_to(host: &Host) -> String {
    connection(&addresses(&host.greeting))
}

/// The emulator, in memory, without a word to anybody outside of this machine.
pub(crate) fn azurite() -> (Process, String) {
    let mut command = Command::new("node");
    command.arg(node_folder().join("node_modules/azurite/dist/src/azurite.js"));
    command.args(["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]);
    for service in ["--blobPort", "--queuePort", "--tablePort"] {
        command.args([service, "0"]);
    }
    let mut process = Process::run(&mut command);
    let mut found = String::new();
    while addresses(&found).len() < 3 {
        let line = process.wait_for_line("successfully listening");
        writeln!(found, "{line}").expect("a String can be written");
    }
    let connection = connection(&addresses(&found));
    (process, connection)
}

/// What was asked in which part of a transcript, and what came.
fn answers(transcript: &str) -> Vec<(String, String)> {
    let mut part = "";
    let mut answers = Vec::new();
    for line in transcript.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ") {
            Some(name) => part = name,
            None => {
                // What is asked contains no colon with a space behind it; what came may.
                let (asked, came) = line.split_once(": ").unwrap_or((line, ""));
                answers.push((format!("{part}: {asked}"), came.to_owned()));
            }
        }
    }
    answers
}

/// Where two transcripts of one script differ, as the file of differences has it.
fn differences(script: &str, ours: &str, theirs: &str) -> String {
    let theirs: BTreeMap<String, String> = answers(theirs).into_iter().collect();
    let mut text = String::new();
    for (asked, ours) in answers(ours) {
        let theirs = theirs.get(&asked).map_or("(was not asked)", String::as_str);
        if theirs != ours {
            write!(text, "{script} {asked}\n  dacapo:  {ours}\n  azurite: {theirs}\n")
                .expect("a String can be written");
        }
    }
    text
}

#[test]
fn clients_of_azure_storage_find_what_they_expect() {
    let (host, connection) = storage_host();
    for script in SCRIPTS {
        let transcript = run_client(script, &[&connection]);
        let expected = repository_file(FOLDER).join("expected").join(format!("{script}.txt"));
        expect_test::expect_file![expected].assert_eq(&transcript);
    }
    host.stop();
}

#[test]
fn where_azurite_answers_something_else_is_explained() {
    let (_azurite, connection) = azurite();
    let mut found = String::new();
    for script in SCRIPTS {
        let expected = repository_file(FOLDER).join("expected").join(format!("{script}.txt"));
        let ours = fs::read_to_string(&expected).expect("the expected transcripts are in the repository");
        found.push_str(&differences(script, &ours, &run_client(script, &[&connection])));
    }
    let file = repository_file(FOLDER).join("azurite-differences.txt");
    let explained = fs::read_to_string(&file).expect("the file of differences is in the repository");
    let entries: Vec<&str> = explained.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let (reasons, known): (Vec<&str>, Vec<&str>) = entries.iter().partition(|line| line.starts_with("  why:"));
    assert_eq!(found, known.iter().map(|line| format!("{line}\n")).collect::<String>(), "{}", file.display());
    assert_eq!(reasons.len() * 3, known.len(), "each difference has a reason in {}", file.display());
}
