//! An app while it is developed: its folder, editions of its code that take no compiler, and what the host says meanwhile.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

use crate::host::{ANY_STORAGE_PORTS, Host, PATIENCE, Process};
use crate::production::link_all;

/// Where the host keeps what was compiled, from the folder of the manifest.
const COMPILED: &str = ".dacapo/cache/compiled";

/// What stands in the built component; see the guest `editions`.
const EDITION: &[u8] = b"edition 0000";

/// How long a host that has nothing to do is listened to: ten times as long as it waits before it looks at changed files.
const A_WHILE: Duration = Duration::from_millis(500);

/// From saving to the first answer of the new code, besides the build command: what the host promises for itself.
pub(crate) const OWN_TIME: Duration = Duration::from_millis(300);

/// The functions of the guest `editions`.
pub(crate) const FUNCTIONS: &str = r#"
[functions.Which]
trigger = { type = "httpTrigger", methods = ["get"], route = "which", authLevel = "anonymous" }

[functions.Tarry]
trigger = { type = "httpTrigger", methods = ["get"], route = "tarry", authLevel = "anonymous" }

[functions.Talk]
trigger = { type = "httpTrigger", methods = ["get"], route = "talk", authLevel = "anonymous" }

[functions.HandIn]
trigger = { type = "httpTrigger", methods = ["post"], route = "hand-in", authLevel = "anonymous" }
outputs.work = { type = "queue", queueName = "work" }

[functions.Work]
trigger = { type = "queueTrigger", queueName = "work" }
outputs."$return" = { type = "queue", queueName = "done" }

[functions.Stay]
trigger = { type = "orchestrationTrigger" }

[functions.Tell]
trigger = { type = "activityTrigger" }
"#;

/// A folder with an app and what it is built from.
pub(crate) struct Project {
    folder: TempDir,
    /// Where this and later runs find what was compiled here.
    shared: PathBuf,
}

impl Project {
    /// The guest `editions` with all its functions.
    pub(crate) fn new() -> Project {
        let project = Project::empty();
        project.add("editions", FUNCTIONS);
        project.save("editions", 0);
        project
    }

    /// With nothing in it but guests that were compiled before.
    pub(crate) fn empty() -> Project {
        let guest = artifacts::guest("editions");
        // <target>/wasm32-wasip2/guest/<file>
        let shared = guest.ancestors().nth(3).expect("cargo nests its folders").join("end-to-end/developed");
        let folder = tempfile::tempdir().expect("a temporary folder");
        link_all(&shared, &folder.path().join(COMPILED));
        Project { folder, shared }
    }

    /// Adds an app whose component is built by copying `<app>-source.wasm`; with a file `<app>-mistake`, building it fails with
    /// what that says, and it does not end while there is a file `hold`.
    pub(crate) fn add(&self, app: &str, functions: &str) {
        self.write(&format!("{app}.toml"), manifest(app, functions));
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn manifest(&self, app: &str) -> PathBuf {
        self.folder().join(app).with_extension("toml")
    }

    /// Writes a file, as editors do it: whole or not at all.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let (new, file) = (self.folder().join(".new"), self.folder().join(name));
        fs::write(&new, content).expect("it can be written");
        fs::rename(new, file).expect("it can be renamed");
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.folder().join(name)).expect("it is there");
    }

    /// From here on every edition has to be compiled again.
    pub(crate) fn forget_compiled(&self) {
        let compiled = self.folder().join(COMPILED);
        if compiled.exists() {
            fs::remove_dir_all(compiled).expect("it can be removed");
        }
    }

    /// Saves an edition of an app's code.
    pub(crate) fn save(&self, app: &str, edition: u16) {
        self.write(&format!("{app}-source.wasm"), edition_of_component(edition));
    }

    /// Replaces a text in a manifest, which has it once.
    pub(crate) fn edit(&self, app: &str, old: &str, new: &str) {
        let name = format!("{app}.toml");
        let text = fs::read_to_string(self.folder().join(&name)).expect("it is there");
        assert_eq!(text.matches(old).count(), 1, "{old:?} in\n{text}");
        self.write(&name, text.replace(old, new));
    }

    /// The command that serves these apps in memory and builds and watches them.
    pub(crate) fn command(&self, apps: &[&str], options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
        self.add_to(&mut command, apps, options);
        command
    }

    /// What follows the name of the binary.
    pub(crate) fn add_to(&self, command: &mut Command, apps: &[&str], options: &[&str]) {
        let manifests = apps.iter().map(|app| format!("{app}.toml"));
        command.arg("start").args(manifests).args(["--port", "0"]).args(ANY_STORAGE_PORTS).args(options);
        command.current_dir(self.folder());
    }

    /// Serves the only app.
    pub(crate) fn start(&self, options: &[&str]) -> Host {
        self.start_all(&["editions"], options)
    }

    pub(crate) fn start_all(&self, apps: &[&str], options: &[&str]) -> Host {
        Host::ready(Process::run(&mut self.command(apps, options)))
    }

    /// Saves an edition, and waits until it answers; what was printed meanwhile.
    pub(crate) fn reload(&self, host: &mut Host, edition: u16) -> Vec<String> {
        self.save("editions", edition);
        host.process.lines_until("[reload] ")
    }

    /// Lines with words for what differs from run to run, without those about invocations, which come when they come.
    pub(crate) fn masked<L: AsRef<str>>(&self, host: &Host, lines: impl IntoIterator<Item = L>) -> String {
        let folder = self.folder().display().to_string();
        let lines = lines.into_iter().filter(|line| !line.as_ref().contains("[invocation ")).map(|line| {
            let line = line.as_ref().replace(&folder, "<folder>").replace(host.origin(), "<origin>");
            masked(&line)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        link_all(&self.folder().join(COMPILED), &self.shared);
    }
}

impl Process {
    /// The lines up to the first that contains `text`, with it.
    pub(crate) fn lines_until(&mut self, text: &str) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        loop {
            match self.next_line(PATIENCE) {
                Some(line) => lines.push(line),
                None => panic!("it does not print {text:?}; it printed:\n{}", lines.join("\n")),
            }
            if lines.last().is_some_and(|line| line.contains(text)) {
                return lines;
            }
        }
    }

    /// What it prints until it has been quiet for a while.
    pub(crate) fn lines_until_quiet(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next_line(A_WHILE)).collect()
    }
}

fn manifest(app: &str, functions: &str) -> String {
    format!(
        r#"[app]
name = "{app}"
version = "1.0.0"

[components.{app}]
source = "{app}.wasm"
[components.{app}.build]
command = "test ! -e {app}-mistake || {{ cat {app}-mistake >&2; exit 1; }}; while test -e hold; do :; done; cp {app}-source.wasm {app}.wasm"
watch = ["{app}-source.wasm", "{app}-mistake"]
{functions}"#
    )
}

/// The component of the guest `editions` that says it is this edition.
pub(crate) fn edition_of_component(edition: u16) -> Vec<u8> {
    let mut bytes = fs::read(artifacts::guest("editions")).expect("it was just built");
    let places: Vec<usize> = (0..=bytes.len() - EDITION.len()).filter(|at| bytes[*at..].starts_with(EDITION)).collect();
    let [at] = places[..] else { panic!("the edition stands in the component at {places:?}") };
    bytes[at..at + EDITION.len()].copy_from_slice(says(edition).as_bytes());
    bytes
}

/// What an edition answers.
pub(crate) fn says(edition: u16) -> String {
    format!("edition {edition:04}")
}

/// How long a step of a reload took by what the host says, such as `built in 12ms, loaded in 1.2s`.
pub(crate) fn told_time(line: &str, what: &str) -> Duration {
    let said = line.split_once(&format!("{what} in ")).map_or("", |(_, rest)| rest);
    let end = said.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(said.len());
    let (number, unit) = said.split_at(end);
    let number: f64 = number.parse().unwrap_or_else(|error| panic!("'{what}' in {line}: {error}"));
    Duration::from_secs_f64(if unit.starts_with("ms") { number / 1000.0 } else { number })
}

/// A line without times, ids and digests.
pub(crate) fn masked(line: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "-._:".contains(letter);
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| is_word(letter) != is_word(first)).unwrap_or(rest.len());
        // A colon belongs to a time, but not behind a word.
        let end = if is_word(first) { rest[..end].trim_end_matches(':').len().max(1) } else { end };
        let (part, more) = rest.split_at(end);
        let unit = more.strip_prefix(' ').unwrap_or_default();
        let unit = &unit[..unit.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(unit.len())];
        let word = if is_word(first) { masked_word(part, unit) } else { None };
        out.write_str(word.unwrap_or(part)).expect("a text takes texts");
        rest = more;
    }
    out
}

/// What stands for a word; none: the word itself. `unit` is the next word if it consists of letters.
fn masked_word(word: &str, unit: &str) -> Option<&'static str> {
    let is_number =
        |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let is_hexadecimal = word.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let is_time = |text: &str| text.len() == 8 && text.split(':').count() == 3 && text.split(':').all(is_number);
    let has_unit = ["ms", "s"].iter().any(|unit| word.strip_suffix(unit).is_some_and(is_number));
    if is_time(word) {
        Some("<now>")
    } else if has_unit || (is_number(word) && ["ms", "s"].contains(&unit)) {
        Some("<time>")
    } else if is_hexadecimal && word.len() >= 8 {
        Some("<id>")
    } else {
        None
    }
}
