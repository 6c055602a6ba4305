//! The management API as others see it: the client of Durable Functions for Python, and random requests compared with the
//! OpenAPI document. The scripts stand in `tests/end-to-end/clients`; this module installs what they need and runs them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::client::MANAGEMENT;
use crate::host::Host;
use crate::samples::{self, repository_file};

/// Where the management API stood in version 1 of Azure Functions.
const FOR_OLD_CLIENTS: &str = "/admin/extensions/DurableTaskExtension";

const SCRIPTS: &str = "tests/end-to-end/clients";

/// What to do where Python is missing or incomplete.
const REMEDY: &str = "These tests need Python 3.11 or later with venv and pip, and access to PyPI: on Debian or Ubuntu, `apt-get \
                      install python3-venv`";

/// The interpreter of a virtual environment with everything that the scripts need. It stays below the target folder, and is
/// made anew when the requirements change.
pub(crate) fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(folder).expect("the target folder can be written");
    let environment = folder.join("clients");
    let requirements = repository_file(SCRIPTS).join("requirements.txt");
    let wanted = std::fs::read(&requirements).expect("the requirements are in the repository");
    // Other tests, of this process or another one, wait here until the environment is complete.
    let lock = File::create(folder.join("clients.lock")).expect("the target folder can be written");
    lock.lock().expect("a file on this machine can be locked");
    let installed = environment.join("requirements.txt");
    let python = environment.join("bin/python");
    if std::fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    install(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
    install(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements));
    // Last, because it says that the rest is there.
    std::fs::write(&installed, wanted).expect("the target folder can be written");
    python
}

fn install(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}. {REMEDY}"));
    assert!(output.status.success(), "{command:?}: {}. {REMEDY}\n{}", output.status, printed(&output));
}

/// Runs a script against the management API at this address. All of its checks must hold.
fn run(script: &str, base: &str) {
    let mut command = Command::new(python());
    // Without bytecode in the source folder.
    command.arg("-B").arg(repository_file(SCRIPTS).join(script)).arg(base);
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, printed(&output));
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn host() -> Host {
    Host::start(&samples::manifest("durable-model"), ["--ephemeral"])
}

#[test]
fn the_python_client_of_durable_functions_finds_what_it_expects() {
    let host = host();
    for base in [MANAGEMENT, FOR_OLD_CLIENTS] {
        run("durable_client.py", &format!("{}{base}", host.origin()));
    }
    host.stop();
}

#[test]
fn random_requests_are_answered_as_documented() {
    let host = host();
    run("conformance.py", &format!("{}{MANAGEMENT}", host.origin()));
    host.stop();
}
