//! A host as it runs in production, `dacapo serve`: its data folder, what is deployed to it, and how it is asked about that.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;
use ureq::Body;
use ureq::http::{Method, Request, Response};

use crate::client::{Answer, Client};
use crate::host::{Host, Process};
use crate::renovation;

/// Where a host keeps what was compiled, in its data folder.
const COMPILED: &str = "cache/compiled";

/// The data folder of a host that takes deploys.
pub(crate) struct Production {
    folder: TempDir,
    /// Where this and later runs find what was compiled here; none: everything is compiled.
    shared: Option<PathBuf>,
    master: OnceLock<String>,
}

impl Production {
    /// With nothing in it but guests that were compiled before.
    pub(crate) fn new() -> Production {
        let guest = renovation::before();
        // <target>/wasm32-wasip2/guest/<file>
        let target = guest.ancestors().nth(3).expect("cargo nests its folders");
        let shared = target.join("end-to-end/deployed");
        let mut production = Production::cold();
        link_all(&shared, &production.data().join(COMPILED));
        production.shared = Some(shared);
        production
    }

    /// With nothing in it at all.
    pub(crate) fn cold() -> Production {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Production { folder, shared: None, master: OnceLock::new() }
    }

    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// What is kept of an app.
    pub(crate) fn app_folder(&self, app: &str) -> PathBuf {
        self.data().join("apps").join(app)
    }

    /// How many components are kept for instances of an app.
    pub(crate) fn kept_components(&self, app: &str) -> usize {
        fs::read_dir(self.app_folder(app).join("components")).expect("the host keeps components").count()
    }

    /// Every file of the data folder with its content, but for what may change while nobody does anything: what was compiled, and
    /// the rows of the store.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.data(), self.data(), &mut files);
        files
    }

    /// Starts a host; its clients show the master key.
    pub(crate) fn start(&self) -> Host {
        self.start_with(&["--port", "0"], &[])
    }

    /// The same with other options and with environment variables.
    pub(crate) fn start_with(&self, options: &[&str], environment: &[(&str, &str)]) -> Host {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
        command.args(["serve".as_ref(), "--data-dir".as_ref(), self.data().as_os_str()]).args(options);
        let host = Host::ready(Process::run(command.envs(environment.iter().copied())));
        host.opened_by(self.master().to_owned())
    }

    /// The master key, once a host was started.
    pub(crate) fn master(&self) -> &str {
        self.master.get_or_init(|| self.key("host", "_master"))
    }

    /// A key by what it opens and its name, as `dacapo keys` shows it.
    pub(crate) fn key(&self, scope: &str, name: &str) -> String {
        let arguments = ["keys", "list", "--show-values", "--output", "json", "--data-dir"].map(OsStr::new);
        let printed = dacapo(arguments.into_iter().chain([self.data().as_os_str()]));
        let all: Value = serde_json::from_str(&printed).expect("JSON");
        let all = all.as_array().expect("a list");
        let key = all.iter().find(|key| key["scope"] == scope && key["name"] == name);
        key.and_then(|key| key["value"].as_str()).unwrap_or_else(|| panic!("no key '{name}' in {all:?}")).to_owned()
    }
}

impl Drop for Production {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            link_all(&self.data().join(COMPILED), shared);
        }
    }
}

/// What is not there any more or cannot be linked is compiled again.
pub(crate) fn link_all(from: &Path, to: &Path) {
    drop(fs::create_dir_all(to));
    for file in fs::read_dir(from).into_iter().flatten().map_while(Result::ok) {
        drop(fs::hard_link(file.path(), to.join(file.file_name())));
    }
}

fn collect(top: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("it can be read").map_while(Result::ok) {
        let path = entry.path();
        let name = path.strip_prefix(top).expect("it is below").to_str().expect("names here are texts").to_owned();
        let is_app = name.strip_prefix("apps/").is_some_and(|rest| !rest.contains('/'));
        let of_app = name.strip_prefix("apps/").and_then(|rest| Some(rest.split_once('/')?.1));
        let changes = of_app
            .is_some_and(|of_app| !["deployments", "apps", "components"].iter().any(|kept| of_app.starts_with(kept)));
        if name == "cache" || changes {
            continue;
        }
        if path.is_dir() {
            if is_app {
                files.insert(name, Vec::new());
            }
            collect(top, &path, files);
        } else {
            files.insert(name, fs::read(&path).expect("it can be read"));
        }
    }
}

/// Runs `dacapo` to its end, which is good; what it printed.
pub(crate) fn dacapo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> String {
    let (status, printed) = Process::spawn(arguments).wait_for_end();
    assert!(status.success(), "{printed}");
    printed
}

/// A bundle as `dacapo pack` makes it.
pub(crate) fn pack(manifest: &str, components: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, bundle) = (folder.path().join("app.toml"), folder.path().join("app.dacapo"));
    fs::write(&file, manifest).expect("it can be written");
    for (name, bytes) in components {
        fs::write(folder.path().join(name).with_extension("wasm"), bytes).expect("it can be written");
    }
    dacapo(["pack".as_ref(), file.as_os_str(), "-o".as_ref(), bundle.as_os_str(), "--no-build".as_ref()]);
    fs::read(bundle).expect("it was just written")
}

/// The component of a guest, such as `steps-before`. Another stamp makes another component that does the same.
pub(crate) fn component(guest: &str, stamp: u8) -> Vec<u8> {
    let mut bytes = fs::read(artifacts::guest(guest)).expect("it was just built");
    // A custom section (0) of eight bytes: a name of six letters, and the stamp.
    bytes.extend_from_slice(b"\0\x08\x06stamps");
    bytes.push(stamp);
    bytes
}

/// The app of `steps-before` and `steps-after`, whose function `Which` says which of both answers. Its parts can be changed
/// before it is packed.
#[derive(Clone)]
pub(crate) struct Steps {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) versioning: &'static str,
    pub(crate) guest: &'static str,
    pub(crate) stamp: u8,
    /// Where `Which` answers, below `/api`.
    pub(crate) route: &'static str,
    /// More of the manifest, behind the functions.
    pub(crate) more: &'static str,
}

impl Steps {
    /// Pinned, and otherwise as it says.
    pub(crate) fn new(version: &str, guest: &'static str) -> Steps {
        Steps {
            name: "renovation",
            version: version.to_owned(),
            versioning: "pinned",
            guest,
            stamp: 0,
            route: "which",
            more: "",
        }
    }

    /// `steps-before`.
    pub(crate) fn before(version: &str) -> Steps {
        Steps::new(version, "steps-before")
    }

    /// `steps-after`.
    pub(crate) fn after(version: &str) -> Steps {
        Steps::new(version, "steps-after")
    }

    pub(crate) fn manifest(&self) -> String {
        let Steps { name, version, versioning, route, more, .. } = self;
        format!(
            r#"[app]
name = "{name}"
version = "{version}"
versioning = "{versioning}"
[components.steps]
source = "steps.wasm"
[functions.Renovate]
component = "steps"
trigger = {{ type = "orchestrationTrigger" }}
[functions.Paint]
component = "steps"
trigger = {{ type = "activityTrigger" }}
[functions.Plaster]
component = "steps"
trigger = {{ type = "activityTrigger" }}
[functions.Which]
component = "steps"
trigger = {{ type = "httpTrigger", methods = ["get"], route = "{route}", authLevel = "anonymous" }}
{more}"#
        )
    }

    pub(crate) fn pack(&self) -> Vec<u8> {
        pack(&self.manifest(), &[("steps", component(self.guest, self.stamp))])
    }

    /// With the guest `queue-jobs` as the component `jobs`.
    pub(crate) fn pack_with_jobs(&self) -> Vec<u8> {
        let manifest = format!("{}\n[components.jobs]\nsource = \"jobs.wasm\"\n", self.manifest());
        let components = [("steps", component(self.guest, self.stamp)), ("jobs", component("queue-jobs", 0))];
        pack(&manifest, &components)
    }
}

/// What a host says of a deploy while it goes on, line by line.
pub(crate) struct Progress(BufReader<ureq::BodyReader<'static>>);

impl Iterator for Progress {
    type Item = Value;

    /// None at the end; also if the host is gone.
    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).ok()?;
        if length == 0 { None } else { serde_json::from_str(&line).ok() }
    }
}

impl Client {
    /// Deploys a bundle that is good.
    #[track_caller]
    pub(crate) fn deploy(&self, bundle: &[u8]) -> Value {
        self.try_deploy(bundle).expect(200).json()
    }

    /// Deploys a bundle.
    #[track_caller]
    pub(crate) fn try_deploy(&self, bundle: &[u8]) -> Answer {
        self.run(self.deploying("/admin/apps", bundle)).expect("the host answers")
    }

    /// Deploys a bundle whatever becomes of instances.
    #[track_caller]
    pub(crate) fn force(&self, bundle: &[u8]) -> Value {
        self.run(self.deploying("/admin/apps?force=1", bundle)).expect("the host answers").expect(200).json()
    }

    /// Deploys a bundle, and is told how that goes on. The host may be gone at any moment.
    pub(crate) fn follow_deploy(&self, bundle: &[u8]) -> Result<Progress, ureq::Error> {
        let mut request = self.deploying("/admin/apps", bundle);
        request.headers_mut().insert("accept", "application/x-ndjson".parse().expect("it is ASCII"));
        let response: Response<Body> = self.begin(request)?;
        Ok(Progress(BufReader::new(response.into_body().into_reader())))
    }

    fn deploying(&self, path: &str, bundle: &[u8]) -> Request<Vec<u8>> {
        let request = Request::builder().method(Method::POST).uri(self.url(path));
        request.header("content-type", "application/zip").body(bundle.to_vec()).expect("a good request")
    }

    /// What `Which` says.
    #[track_caller]
    pub(crate) fn which(&self) -> String {
        self.get("/api/which").expect(200).body
    }

    /// All apps.
    #[track_caller]
    pub(crate) fn apps(&self) -> Value {
        self.get("/admin/apps").expect(200).json()
    }

    /// One app.
    #[track_caller]
    pub(crate) fn app(&self, name: &str) -> Value {
        self.get(&format!("/admin/apps/{name}")).expect(200).json()
    }

    /// The version of the only app.
    #[track_caller]
    pub(crate) fn version(&self) -> String {
        self.apps()[0]["version"].as_str().expect("an app").to_owned()
    }
}

/// Starts an instance of the steps and waits until its first step is done.
pub(crate) fn start_steps(host: &mut Host, id: &str) {
    host.client().start_as("Renovate", id, &Value::Null);
    host.look_until(&format!("{id} waits until it is dry"), |client| {
        let explanation = client.explain(id);
        (explanation["waitingFor"][0]["kind"] == "Event" && explanation["turns"] == 2).then_some(())
    });
}
