//! A project in a folder of its own, served by somebody who only reads the components.

use async_trait::async_trait;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::super::*;
use crate::settings::Environment;

/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct World {
    folder: tempfile::TempDir,
    drafts: tempfile::TempDir,
    reports: mpsc::UnboundedReceiver<Report>,
    loads: Arc<Loads>,
    waiting: Option<DevLoop>,
    tasks: JoinSet<()>,
}

/// What was loaded so far.
#[derive(Default)]
struct Loads {
    all: Mutex<Vec<String>>,
    announced: Mutex<Vec<String>>,
    served: Mutex<BTreeMap<usize, String>>,
}

#[async_trait]
impl Reloads for Loads {
    fn building(&self, _app: usize, components: &BTreeSet<String>) {
        self.announced.lock().expect("nobody broke off").extend(components.iter().cloned());
    }

    async fn reload(&self, app: usize, located: LocatedApp, settings: AppSettings) -> Result<Swapped, Problem> {
        let contents = contents(&located);
        let digest = format!("{contents} {} {:?}", located.app.version, settings.values);
        let mut served = self.served.lock().expect("nobody broke off");
        let unchanged = served.get(&app) == Some(&digest);
        if !unchanged {
            self.all.lock().expect("nobody broke off").push(contents.clone());
        }
        if contents.contains("does not load") {
            return Err(Problem::App(anyhow!("that is no component")));
        }
        served.insert(app, digest);
        Ok(Swapped {
            digest: contents,
            unchanged,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            loaded_in: Duration::ZERO,
            switched_in: Duration::ZERO,
        })
    }
}

fn contents(located: &LocatedApp) -> String {
    let one = |file: &String| {
        let content = fs::read_to_string(located.folder.join(file)).expect("it is built");
        format!("{file}: {}", content.trim())
    };
    let all: Vec<String> = located.app.components.values().map(|component| one(&component.source)).collect();
    all.join(", ")
}

impl World {
    pub(super) async fn new(manifest: &str) -> World {
        let mut world = World::not_yet_served(manifest);
        world.serve().await;
        world
    }

    pub(super) fn not_yet_served(manifest: &str) -> World {
        World::not_yet_served_all(&[("app.toml", manifest)])
    }

    pub(super) fn not_yet_served_all(manifests: &[(&str, &str)]) -> World {
        let (tell, reports) = mpsc::unbounded_channel();
        let mut world = World {
            folder: tempfile::tempdir().expect("a folder"),
            drafts: tempfile::tempdir().expect("a folder"),
            reports,
            loads: Arc::default(),
            waiting: None,
            tasks: JoinSet::new(),
        };
        for (file, manifest) in manifests {
            world.write(file, manifest);
        }
        for file in ["a/src.txt", "b/src.txt", "c/src.txt", "a.wasm", "b.wasm", "c.wasm"] {
            world.write(file, "one");
        }
        let environment = Environment::of(&[]);
        let settings = AppSettings::read(&environment, world.folder.path()).expect("there are none");
        let located = manifests.iter().map(|(file, _)| {
            let located = manifest_file::read(&world.path(file), &settings).map_err(Problem::into_error);
            (located.expect("the manifest is right"), settings.clone())
        });
        let around = Surroundings {
            sources: Sources::Watched,
            environment,
            given: Vec::new(),
            colours: false,
            pace: Pace::USUAL,
            tell: Arc::new(move |report| drop(tell.send(report))),
        };
        world.waiting = Some(DevLoop::start(located.collect(), around).expect("it starts"));
        world
    }

    pub(super) async fn serve(&mut self) {
        let mut waiting = self.waiting.take().expect("it is not served yet");
        waiting.first_build_ended().await;
        for (index, AppState { located, settings, .. }) in waiting.apps.iter().enumerate() {
            let digest = format!("{} {} {:?}", contents(located), located.app.version, settings.values);
            self.loads.served.lock().expect("nobody broke off").insert(index, digest);
        }
        let loads: Arc<Loads> = Arc::clone(&self.loads);
        self.tasks.spawn(waiting.run(loads, vec!["the first".to_owned(); 2]));
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(super) fn write(&self, file: &str, content: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
        let draft = self.drafts.path().join("draft");
        fs::write(&draft, content).expect("it can be written");
        fs::rename(draft, path).expect("it is on the same disk");
    }

    pub(super) fn edit(&self, file: &str, from: &str, to: &str) {
        let before = self.read(file);
        assert!(before.contains(from), "{before}");
        self.write(file, &before.replace(from, to));
    }

    pub(super) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).expect("it can be read")
    }

    pub(super) fn program(&self, file: &str, lines: &str) {
        use std::os::unix::fs::PermissionsExt;
        self.write(file, &format!("#!/bin/sh\n{lines}\n"));
        fs::set_permissions(self.path(file), fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    /// One that whoever opens it waits for somebody at its other end.
    pub(super) fn pipe(&self, file: &str) {
        let made = std::process::Command::new("mkfifo").arg(self.path(file)).status();
        assert!(made.expect("there is mkfifo").success());
    }

    /// What was loaded, apart from what was served already.
    pub(super) fn loaded(&self) -> Vec<String> {
        self.loads.all.lock().expect("nobody broke off").clone()
    }

    /// The components whose builds were announced so far.
    pub(super) fn announced(&self) -> Vec<String> {
        self.loads.announced.lock().expect("nobody broke off").clone()
    }

    async fn next(&mut self) -> Report {
        tokio::time::timeout(PATIENCE, self.reports.recv()).await.expect("something is told").expect("the loop runs")
    }

    /// The next reports.
    pub(super) async fn told(&mut self, count: usize) -> String {
        let mut lines = String::new();
        for _ in 0..count {
            let report = self.next().await;
            lines.push_str(&self.line(&report));
        }
        lines
    }

    /// The next reports up to one that begins so.
    pub(super) async fn told_up_to(&mut self, beginning: &str) -> String {
        let mut lines = String::new();
        loop {
            let report = self.next().await;
            let line = self.line(&report);
            lines.push_str(&line);
            if line.starts_with(beginning) {
                return lines;
            }
        }
    }

    fn line(&self, report: &Report) -> String {
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let line = match report {
            Report::Building { components } => format!("building {}", names(components)),
            Report::Built { components, .. } => format!("built {}", names(components)),
            Report::Interrupted { components, because } => {
                let because: Vec<String> = because.iter().map(|path| path.display().to_string()).collect();
                format!("{} again because of {}", names(components), because.join(", "))
            }
            Report::Reloaded { app, built, total, swapped } => {
                assert!(built.is_none_or(|built| built <= *total), "{built:?} of {total:?}");
                let built = if built.is_some() { "after building" } else { "without building" };
                format!("reloaded {} {built}: {}", app.app.name, swapped.digest)
            }
            Report::Unchanged { app, built, .. } => {
                let built = if built.is_some() { "after building" } else { "without building" };
                format!("{app} is the same {built}")
            }
            Report::Failed { app, error, output, serving } => {
                format!("{app} failed: {error}\noutput: {output}\nserving: {serving}")
            }
            Report::Notice(notice) => notice.clone(),
        };
        let real = fs::canonicalize(self.folder.path()).unwrap_or_default();
        line.replace(&shown(&real), "FOLDER").replace(&shown(self.folder.path()), "FOLDER") + "\n"
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
