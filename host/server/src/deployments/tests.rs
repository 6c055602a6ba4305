//! Deployments over their life, and over crashes between any two steps of it.

use super::*;
use expect_test::expect;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::settings::{AppSettings, Environment};

fn component(content: &str) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0", content.as_bytes()].concat()
}

/// A bundle of the app `trips`, and its digest.
fn bundle(version: &str) -> (Bundle, String) {
    let manifest = format!(
        "[app]\nname = \"trips\"\nversion = \"{version}\"\n\
         [components.booking]\nsource = \"../target/booking.wasm\"\nbuild = {{ command = \"make\" }}\n\
         [functions.BookFlight]\ntrigger = {{ type = \"activityTrigger\" }}\n"
    );
    let components = BTreeMap::from([("booking".to_owned(), component(version)), ("idle".to_owned(), component(""))]);
    let bundle = Bundle {
        app: "trips".to_owned(),
        version: version.to_owned(),
        manifest,
        components,
        built_with: "t".to_owned(),
    };
    let digest = bundle::digest(&bundle::write(&bundle).expect("a good bundle"));
    (bundle, digest)
}

fn moment(number: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_700_000_000_000 + number)
}

fn deploy(deployments: &mut Deployments, version: &str) -> Result<(), DeploymentError> {
    let (bundle, digest) = bundle(version);
    let staged = deployments.stage(&bundle, &digest)?;
    deployments.switch(staged, &format!("app digest {version}"), moment(0))
}

/// All versions, newest first, with a star at the present one.
fn state(deployments: &Deployments) -> String {
    let present = deployments.present().map(|present| present.bundle.clone());
    let marked = |one: &Deployment| if Some(&one.bundle) == present.as_ref() { "*" } else { "" };
    let versions = deployments.list().iter().map(|one| format!("{}{}", marked(one), one.version));
    versions.collect::<Vec<_>>().join(" ")
}

fn folders(app: &Path) -> usize {
    names_in(&app.join(FOLDER)).expect("it can be read").len()
}

#[test]
fn deployments_come_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = folder.path().join("apps/trips");
    let mut deployments = Deployments::open(app.clone()).expect("nothing is there");
    assert_eq!((state(&deployments).as_str(), deployments.before_present()), ("", None));
    assert_eq!(deployed_apps(&folder.path().join("apps")).expect("nothing is there"), []);
    for version in ["1", "2", "3"] {
        deploy(&mut deployments, version).expect("the disk works");
    }
    assert_eq!(deployed_apps(&folder.path().join("apps")).expect("one"), [("trips".to_owned(), app.clone())]);
    assert_eq!(state(&deployments), "*3 2 1");
    let present = deployments.present().expect("there is one").clone();
    let digest = bundle("3").1;
    assert_eq!((present.bundle, present.digest, present.deployed_at), (digest, "app digest 3".to_owned(), moment(0)));
    let mut back = || {
        let before = deployments.before_present().map(|before| before.bundle.clone());
        before.map(|before| deployments.switch_back(&before).expect("it is kept")).map(|()| state(&deployments))
    };
    assert_eq!([back(), back(), back()], [Some("3 *2 1".to_owned()), Some("3 2 *1".to_owned()), None]);
    deploy(&mut deployments, "2").expect("the disk works");
    assert_eq!(state(&deployments), "*2 3 1", "deployed again, it is the newest");
    deploy(&mut deployments, "4").expect("the disk works");
    let mut deployments = Deployments::open(app.clone()).expect("it can be read");
    assert_eq!((state(&deployments).as_str(), folders(&app)), ("*4 2 3 1", 4));
    fs::write(app.join("other"), "").expect("the folder can be written");
    deployments.remove_app().expect("the disk works");
    assert_eq!(state(&deployments), "");
    let apps = folder.path().join("apps");
    assert_eq!(names_in(&apps).expect("it can be read"), [""; 0]);
}

#[test]
fn what_is_left_of_a_removed_app_is_no_app() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in ["trips", "trips.removed", "boats"] {
        let mut deployments = Deployments::open(folder.path().join(app)).expect("nothing is there");
        deploy(&mut deployments, "1").expect("the disk works");
    }
    let names = |apps: Vec<(String, PathBuf)>| apps.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(deployed_apps(folder.path()).expect("they can be read")), ["boats", "trips"]);
    assert_eq!(names_in(folder.path()).expect("it can be read"), ["boats", "trips"]);
}

#[test]
fn the_oldest_go_and_the_present_one_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = folder.path().to_owned();
    let mut deployments = Deployments::open(app.clone()).expect("nothing is there");
    for version in 1..=MAX_KEPT_DEPLOYMENTS {
        deploy(&mut deployments, &version.to_string()).expect("the disk works");
    }
    deployments.switch_back(&bundle("1").1).expect("it is kept");
    assert_eq!(state(&deployments), "10 9 8 7 6 5 4 3 2 *1");
    deploy(&mut deployments, "11").expect("the disk works");
    assert_eq!((state(&deployments).as_str(), folders(&app)), ("*11 10 9 8 7 6 5 4 3 2", MAX_KEPT_DEPLOYMENTS));
}

#[test]
fn deployments_are_found_by_the_beginning_of_their_digest() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut deployments = Deployments::open(folder.path().to_owned()).expect("nothing is there");
    let none = deployments.find("a").expect_err("there is none").to_string();
    for version in ["1", "2"] {
        deploy(&mut deployments, version).expect("the disk works");
    }
    let digest = bundle("2").1;
    assert_eq!(deployments.find(&digest[..12]).expect("it is there").version, "2");
    let unknown = deployments.find("x").expect_err("it is no digest").to_string();
    let ambiguous = deployments.find("").expect_err("both are meant").to_string();
    let back = deployments.switch_back("x").expect_err("it is no digest").to_string();
    assert_eq!(back, unknown);
    expect![[r#"
        there is no deployment a; there are: none
        there is no deployment x; there are: 64b4db83c0ad (2), b1fcb179d97e (1)
         could be any of 64b4db83c0ad (2), b1fcb179d97e (1); give more of the digest"#]]
    .assert_eq(&[none, unknown, ambiguous].join("\n"));
}

#[test]
fn what_is_staged_and_not_deployed_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = folder.path().to_owned();
    let mut deployments = Deployments::open(app.clone()).expect("nothing is there");
    deploy(&mut deployments, "1").expect("the disk works");
    let stage = |deployments: &Deployments, version| {
        let (bundle, digest) = bundle(version);
        deployments.stage(&bundle, &digest).expect("the disk works")
    };
    let staged = stage(&deployments, "2");
    assert_eq!(deployments.read(&bundle("2").1).expect("it is whole"), bundle("2").0);
    assert_eq!((state(&deployments).as_str(), folders(&app)), ("*1", 2));
    deployments.discard(staged);
    deployments.discard(stage(&deployments, "1"));
    assert_eq!((state(&deployments).as_str(), folders(&app)), ("*1", 1));
    deployments.read(&bundle("1").1).expect("it is deployed and stays");
}

#[test]
fn a_damaged_deployment_is_noticed_and_can_be_deployed_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut deployments = Deployments::open(folder.path().to_owned()).expect("nothing is there");
    deploy(&mut deployments, "1").expect("the disk works");
    let (whole, digest) = bundle("1");
    let component = deployments.folder_of(&digest).join("components/booking.wasm");
    fs::write(&component, "not it").expect("it can be written");
    let error = deployments.read(&digest).expect_err("it is damaged").to_string();
    expect!["the deployment DIGEST is damaged: components/booking.wasm: has the SHA-256 06121725c433ccd0469b52730a723e66a9c1e31c67c42b1dba6b501f0bf94c9d, and bundle.json says 5b514f9aaf58f26594a6fa945411dc503d7ea32d9ac83a20f85cb17a2a8d6158; pack it again, and check that the whole file arrived; deploy the bundle again"].assert_eq(&error.replace(&digest[..12], "DIGEST"));
    deploy(&mut deployments, "1").expect("the disk works");
    assert_eq!(deployments.read(&digest).expect("it is whole"), whole);
}

#[test]
fn a_record_that_cannot_be_read_is_not_guessed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut deployments = Deployments::open(folder.path().to_owned()).expect("nothing is there");
    deploy(&mut deployments, "1").expect("the disk works");
    fs::write(folder.path().join(RECORD_FILE), "{").expect("it can be written");
    let error = Deployments::open(folder.path().to_owned()).expect_err("it is broken").to_string();
    expect!["FOLDER/deployments.json: EOF while parsing an object at line 1 column 1; put the file back as it was, or remove it and deploy the app again"].assert_eq(&error.replace(&folder.path().display().to_string(), "FOLDER"));
    assert_eq!(folders(folder.path()), 1, "nothing was taken for left over");
}

#[test]
fn a_deployment_is_an_app_that_can_be_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployments = Deployments::open(folder.path().to_owned()).expect("nothing is there");
    let (whole, digest) = bundle("1");
    let staged = deployments.stage(&whole, &digest).expect("the disk works");
    let settings = AppSettings::without_file(&Environment::default(), &[]);
    let app = located(&staged.folder, "trips", "1", &settings).expect("it is right");
    assert_eq!((app.file.as_str(), app.text.as_str()), ("trips-1.dacapo/manifest.toml", whole.manifest.as_str()));
    let component = &app.app.components["booking"];
    assert_eq!((component.source.as_str(), &component.build), ("components/booking.wasm", &None));
    assert!(app.folder.join(&component.source).is_file());
    let refused = |app: &str, version: &str| {
        let problem = located(&staged.folder, app, version, &settings).expect_err("it is wrong");
        format!("{}\n", problem.into_error())
    };
    let mut problems = [refused("other", "1"), refused("trips", "2")].concat();
    fs::remove_file(staged.folder.join("components/booking.wasm")).expect("it is there");
    problems.push_str(&refused("trips", "1"));
    fs::write(staged.folder.join(MANIFEST_FILE), "[app]").expect("it can be written");
    problems.push_str(&refused("trips", "1"));
    expect![[r#"
        other-1.dacapo/manifest.toml: the manifest is of trips 1, and the bundle says that it is of other 1; pack the app again
        trips-2.dacapo/manifest.toml: the manifest is of trips 1, and the bundle says that it is of trips 2; pack the app again
        trips-1.dacapo/manifest.toml: the bundle has no component 'booking', which the manifest names; pack the app again
        the manifest has 4 problems
        trips-1.dacapo/manifest.toml:1: components: is missing; add a section such as `[components.main]` with `source = "main.wasm"`
        trips-1.dacapo/manifest.toml:1: functions: is missing; add a section such as `[functions.Hello]` with `trigger = { type = "httpTrigger" }`
        trips-1.dacapo/manifest.toml:1: app.name: is missing; add `name = "my-app"`
        trips-1.dacapo/manifest.toml:1: app.version: is missing; add `version = "1.0.0"`
    "#]].assert_eq(&problems);
}

/// A disk that fails at one step, and from then on if that is a crash. It does not wait for what is durable: no power fails here.
#[derive(Debug, Clone)]
struct FailingDisk {
    /// How many steps go well before; the greatest number once one has failed.
    left: Arc<Mutex<usize>>,
    failure: Failure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The process ends before the step.
    CrashBefore,
    /// The process ends when the step is half done.
    CrashWithin,
    /// The step fails, and those after it are fine.
    Once,
}

impl FailingDisk {
    fn new(left: usize, failure: Failure) -> FailingDisk {
        FailingDisk { left: Arc::new(Mutex::new(left)), failure }
    }

    fn has_failed(&self) -> bool {
        *self.left.lock().expect("nobody panicked") == usize::MAX
    }

    /// Does the step; if it is the one to fail, at most `half` of it.
    fn step(&self, whole: impl FnOnce() -> io::Result<()>, half: impl FnOnce()) -> io::Result<()> {
        let mut left = self.left.lock().expect("nobody panicked");
        match *left {
            usize::MAX if self.failure == Failure::Once => return whole(),
            usize::MAX => {}
            0 => {
                *left = usize::MAX;
                if self.failure == Failure::CrashWithin {
                    half();
                }
            }
            _ => {
                *left -= 1;
                return whole();
            }
        }
        Err(io::Error::new(ErrorKind::StorageFull, "the disk is full"))
    }
}

impl Disk for FailingDisk {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let half = || drop(folder.parent().map(fs::create_dir_all));
        self.step(|| RealDisk.create_folder(folder), half)
    }

    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step(|| fs::write(file, bytes), || drop(fs::write(file, &bytes[..bytes.len() / 2])))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|| RealDisk.rename(from, to), || {})
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step(|| fs::read_dir(folder).map(drop), || {})
    }

    fn remove_file(&self, file: &Path) -> io::Result<()> {
        self.step(|| RealDisk.remove_file(file), || {})
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        let half = || drop(fs::remove_file(folder.join(MANIFEST_FILE)));
        self.step(|| RealDisk.remove_folder(folder), half)
    }
}

/// What is on the disk now, as the next process finds it: the state, and that nothing is left over or less than whole.
fn reopened(app: &Path) -> String {
    let deployments = Deployments::open(app.to_owned()).expect("it can be read");
    for deployment in deployments.list() {
        deployments.read(&deployment.bundle).expect("what is listed is whole");
    }
    assert_eq!(folders(app), deployments.list().len(), "nothing is left over");
    assert!(!app.join(UNFINISHED_RECORD_FILE).exists(), "nothing is left over");
    state(&deployments)
}

/// Does something to the deployments `before`, with a failure at each of its steps in turn, and expects the state before or the
/// one `after`.
fn check_failures(
    before: &[&str],
    action: impl Fn(&mut Deployments) -> Result<(), DeploymentError>,
    after: &str,
    failure: Failure,
) {
    for step in 0.. {
        let folder = tempfile::tempdir().expect("a folder");
        let app = folder.path().join("trips");
        let whole = FailingDisk::new(usize::MAX - 1, failure);
        let mut deployments = Deployments::open_on(app.clone(), Box::new(whole)).expect("nothing is there");
        before.iter().for_each(|version| deploy(&mut deployments, version).expect("the disk works"));
        let state_before = state(&deployments);
        let disk = FailingDisk::new(step, failure);
        let mut deployments = Deployments::open_on(app.clone(), Box::new(disk.clone())).expect("it can be read");
        let outcome = action(&mut deployments);
        let found = reopened(&app);
        let reached = outcome.is_ok();
        assert!(found == after || (found == state_before && !reached), "{failure:?} at step {step}: {found}");
        if let Err(error) = &outcome {
            assert!(error.is_disk_full(), "{error}");
        }
        if failure == Failure::Once {
            assert_eq!(state(&deployments), found, "step {step}: memory and disk say the same");
        }
        if !disk.has_failed() {
            assert!(reached && step > 0, "{after} is reached in the end");
            return;
        }
    }
}

fn check_all_failures(before: &[&str], action: impl Fn(&mut Deployments) -> Result<(), DeploymentError>, after: &str) {
    for failure in [Failure::CrashBefore, Failure::CrashWithin, Failure::Once] {
        check_failures(before, &action, after, failure);
    }
}

#[test]
fn a_deploy_happens_or_not() {
    check_all_failures(&[], |deployments| deploy(deployments, "1"), "*1");
    check_all_failures(&["1"], |deployments| deploy(deployments, "2"), "*2 1");
    check_all_failures(&["1", "2"], |deployments| deploy(deployments, "1"), "*1 2");
}

#[test]
fn a_deploy_that_drops_an_old_one_happens_or_not() {
    let before = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    check_failures(&before, |deployments| deploy(deployments, "11"), "*11 10 9 8 7 6 5 4 3 2", Failure::CrashWithin);
}

#[test]
fn going_back_happens_or_not() {
    check_all_failures(&["1", "2"], |deployments| deployments.switch_back(&bundle("1").1), "2 *1");
}

#[test]
fn removing_happens_or_not() {
    check_all_failures(&["1", "2"], Deployments::remove_app, "");
}
