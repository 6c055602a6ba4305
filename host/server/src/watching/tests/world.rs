//! A project in a folder of its own, and what is seen of it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::super::observer::{MakeWatcher, system_watcher};
use super::super::*;
use crate::manifest_file::LocatedApp;

/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// With two components; the folders of `b` and `later` do not exist.
const MANIFEST: &str = r#"
app = { name = "app", version = "1.0.0" }
functions.F = { component = "a", trigger = { type = "httpTrigger" } }
components.b = { source = "current/b.wasm", build = { command = "true", watch = ["shared/*"] } }
"#;

pub(super) struct World {
    folder: tempfile::TempDir,
    drafts: tempfile::TempDir,
    pub(super) watch: Watch,
}

impl World {
    pub(super) fn new() -> World {
        World::with(Pace::USUAL, system_watcher)
    }

    pub(super) fn with(pace: Pace, make: MakeWatcher) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = Watch::start(Vec::new(), pace).expect("it starts");
        let mut world = World { folder, drafts: tempfile::tempdir().expect("a folder"), watch: empty };
        for (file, content) in [
            ("app.toml", "one"),
            ("local.settings.toml", "one"),
            ("src/lib.rs", "one"),
            ("src/deep/other.rs", "one"),
            ("shared/both.txt", "one"),
            ("out/a.wasm", "one"),
        ] {
            world.write(file, content);
        }
        let watched = vec![world.watched(&["src/**/*.rs", "shared/**", "later/on/*.rs"])];
        world.watch = Watch::start_with(watched, pace, make).expect("it starts");
        world
    }

    /// The project, with these patterns for component `a`.
    pub(super) fn watched(&self, patterns: &[&str]) -> Watched {
        let text = format!(
            "{MANIFEST}components.a = {{ source = 'out/a.wasm', build = {{ command = 'true', watch = {patterns:?} }} }}"
        );
        let app = manifest::parse(&text, "app.toml", &|_: &str| None).expect("the manifest is right");
        let located = LocatedApp { app, folder: self.folder.path().to_owned(), file: "app.toml".to_owned(), text };
        let (watched, remarks) = Watched::of(&located, Sources::Watched);
        assert_eq!(remarks, Vec::<String>::new());
        watched
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(super) fn write(&self, file: &str, content: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
        // Whole at once, so that nobody can see it half written.
        let draft = self.drafts.path().join("draft");
        fs::write(&draft, content).expect("it can be written");
        fs::rename(draft, path).expect("it is on the same disk");
    }

    /// Dates it anew without writing anything.
    pub(super) fn touch(&self, file: &str) {
        let file = fs::File::options().append(true).open(self.path(file)).expect("it is there");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("it can be dated");
    }

    pub(super) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).expect("it can be read")
    }

    pub(super) fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).expect("it is there");
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("it is there");
    }

    #[cfg(unix)]
    pub(super) fn link(&self, target: &str, name: &str) {
        std::os::unix::fs::symlink(target, self.path(name)).expect("the name is free");
    }

    pub(super) fn lose_events(&self) {
        let event = notify::Event::new(notify::EventKind::Other).set_flag(notify::event::Flag::Rescan);
        self.watch.mailbox.event(Ok(event));
    }

    async fn next(&mut self) -> Seen {
        tokio::time::timeout(PATIENCE, self.watch.next()).await.expect("something is seen")
    }

    pub(super) async fn notice(&mut self) -> String {
        match self.next().await {
            Seen::Notice(notice) => notice,
            Seen::Changed(changes) => panic!("no notice but {changes:?}"),
        }
    }

    /// The next changes.
    pub(super) async fn seen(&mut self) -> String {
        let changes = self.changes().await;
        self.shown(&changes)
    }

    /// All changes until this source has changed, as one.
    pub(super) async fn seen_up_to(&mut self, file: &str) -> String {
        let path = fs::canonicalize(self.folder.path()).expect("it is there").join(file);
        let mut all = self.changes().await;
        while !all.apps.values().flat_map(|app| app.sources.values()).any(|files| files.contains(&path)) {
            all.add(self.changes().await);
        }
        self.shown(&all)
    }

    async fn changes(&mut self) -> Changes {
        match self.next().await {
            Seen::Changed(changes) => changes,
            Seen::Notice(notice) => panic!("no change but {notice}"),
        }
    }

    pub(super) fn shown(&self, changes: &Changes) -> String {
        let folder = fs::canonicalize(self.folder.path()).expect("it is there");
        let mut text = String::new();
        for (index, app) in &changes.apps {
            let AppChanges { manifest, settings, sources, components } = app;
            assert_eq!(*index, 0);
            for (what, is_so) in [("manifest", *manifest), ("settings", *settings)] {
                if is_so {
                    writeln!(text, "{what}").expect("it has room");
                }
            }
            for (component, files) in sources {
                let below = |path: &PathBuf| path.strip_prefix(&folder).unwrap_or(Path::new("?")).display().to_string();
                let files: Vec<String> = files.iter().map(below).collect();
                writeln!(text, "sources of {component}: {}", files.join(" ")).expect("it has room");
            }
            for component in components {
                writeln!(text, "component {component}").expect("it has room");
            }
        }
        text
    }
}
