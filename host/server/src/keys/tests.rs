//! Values, files with their modes, changes by others, and what of all this is told.

use super::files::Files;
use super::secret::Fingerprint;
use super::{BadName, Identity, KeyError, KeyId, KeyKind, KeyName, KeyRing, KeyStore, Scope, Secret};
use expect_test::{Expect, expect};
use futures::future::BoxFuture;
use orchestration::Timestamp;
use ports::{Clock, Randomness};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// 1, 2, 3, and so on: values that can be predicted and differ.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Randomness for Counting {
    fn next_u128(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Stands still until it is moved.
#[derive(Default)]
struct Hand(AtomicU64);

impl Hand {
    fn forward(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).expect("a short time");
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::default().saturating_add(Duration::from_millis(self.0.load(Ordering::Relaxed)))
    }

    fn sleep_until(&self, _moment: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

fn in_folder(folder: &Path) -> KeyStore {
    KeyStore::in_folder(folder.to_owned(), Arc::new(Counting::default()))
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).expect("a name")
}

fn host_key(text: &str) -> KeyId {
    KeyId::Named { scope: Scope::Host, name: name(text) }
}

fn secret(text: &str) -> Secret {
    Secret::parse(text).expect("a value")
}

/// A folder with the keys of an app that has started once.
fn kept() -> (TempDir, PathBuf, KeyStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let secrets = folder.path().join("data/secrets");
    let store = in_folder(&secrets);
    assert!(store.complete(["StartTrip"]).expect("keys are made"), "there was nothing before");
    (folder, secrets, store)
}

/// The text without the folder, which is another one in each run.
fn without(folder: &TempDir, error: &KeyError) -> String {
    error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn a_value_shows_what_made_it_and_for_what() {
    let randomness = Counting::default();
    let value = Secret::generate(KeyKind::System, &randomness);
    expect!["dcpo_sAQAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAADAAAAAAAAAA"].assert_eq(&value.reveal()[..60]);
    assert_eq!(value.reveal().len(), "dcpo_s".len() + 54 + 6);
    assert!(Secret::generate(KeyKind::System, &randomness) != value);
    assert_eq!(Secret::parse(value.reveal()), Ok(value));
}

fn check_value(text: &str, expected: &Expect) {
    let said = match Secret::parse(text) {
        Ok(value) => format!("{value:?} masked {}", value.masked()),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&said);
}

#[test]
fn any_sane_value_is_taken() {
    check_value("sesame-8", &expect!["Secret(..) masked ********"]);
    check_value("sesame7", &expect!["the value of a key has 8 to 512 characters"]);
    check_value(&"x".repeat(513), &expect!["the value of a key has 8 to 512 characters"]);
    check_value("with a space", &expect!["the value of a key consists of visible ASCII characters without spaces"]);
    check_value("sésamé-and-more", &expect!["the value of a key consists of visible ASCII characters without spaces"]);
    let made = Secret::generate(KeyKind::Master, &Counting::default());
    let made = made.reveal();
    check_value(made, &expect!["Secret(..) masked dcpo_m...fZlA"]);
    check_value(
        &made.replace("dcpo_m", "dcpo_f"),
        &expect![
            "the value begins like a key that Dacapo made, but is none; copy it again, from its first to its last character"
        ],
    );
    check_value(
        &made[..made.len() - 1],
        &expect![
            "the value begins like a key that Dacapo made, but is none; copy it again, from its first to its last character"
        ],
    );
    check_value(
        "dcpo_something",
        &expect![
            "the value begins like a key that Dacapo made, but is none; copy it again, from its first to its last character"
        ],
    );
}

#[test]
fn names_of_keys_are_plain() {
    for good in ["default", "a", "1", "A.b-c_d", &"x".repeat(128)] {
        assert_eq!(KeyName::parse(good).map(|name| name.to_string()), Ok(good.to_owned()));
    }
    for bad in ["", "_master", "-a", "a/b", "a b", "ä", "..", &"x".repeat(129)] {
        assert_eq!(KeyName::parse(bad), Err(BadName), "{bad}");
    }
}

#[test]
fn comparing_is_a_choice_over_fingerprints_of_one_length() {
    // `Choice` comes from subtle's constant-time comparison alone; what is compared has the same length for every value.
    let of = |value: &str| Fingerprint::of(value.as_bytes());
    let equal: subtle::Choice = of("a").is(&of("a"));
    let other: subtle::Choice = of("a").is(&of(&"a".repeat(1_000)));
    assert_eq!((equal.unwrap_u8(), other.unwrap_u8()), (1, 0));
}

#[test]
fn the_first_start_makes_what_every_app_needs() {
    let (_folder, secrets, store) = kept();
    expect![[r#"
        {
          "masterKey": {
            "name": "master",
            "value": "dcpo_mAQAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAADAAAAAAAAAATdfZlA",
            "encrypted": false
          },
          "functionKeys": [
            {
              "name": "default",
              "value": "dcpo_fBAAAAAAAAAAAAAAAAAAAAAUAAAAAAAAAAAAAAAAAAAAGAAAAAAAAAALAV_pg",
              "encrypted": false
            }
          ],
          "systemKeys": [
            {
              "name": "durabletask_extension",
              "value": "dcpo_sBwAAAAAAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAAJAAAAAAAAAAk1M-zQ",
              "encrypted": false
            }
          ]
        }
    "#]]
    .assert_eq(&fs::read_to_string(secrets.join("host.json")).expect("it is there"));
    expect![[r#"
        {
          "keys": [
            {
              "name": "default",
              "value": "dcpo_fCgAAAAAAAAAAAAAAAAAAAAsAAAAAAAAAAAAAAAAAAAAMAAAAAAAAAAK_b5KQ",
              "encrypted": false
            }
          ]
        }
    "#]]
    .assert_eq(&fs::read_to_string(secrets.join("functions/starttrip.json")).expect("it is there"));
    assert!(!store.complete(["StartTrip", "Later"]).expect("keys are made"), "there was something");
    let keys = store.read().expect("keys").expect("some");
    assert_eq!(keys.functions.keys().collect::<Vec<_>>(), ["later", "starttrip"]);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_look() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, secrets, store) = kept();
    store.put(&host_key("a"), None).expect("it is made");
    let mode = |path: &str| fs::metadata(secrets.join(path)).expect(path).permissions().mode() & 0o777;
    let modes = ["", "functions", "host.json", "functions/starttrip.json", "lock"].map(|path| (path, mode(path)));
    let expected = [("", 0o700), ("functions", 0o700), ("host.json", 0o600), ("functions/starttrip.json", 0o600)];
    assert_eq!(modes[..4], expected);
    assert_eq!(modes[4].1, 0o600);
    let left: Vec<_> = fs::read_dir(&secrets).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    assert_eq!(left.len(), 3, "nothing unfinished is left: {left:?}");
}

#[test]
fn keys_are_made_set_rotated_and_deleted() {
    let (_folder, _secrets, store) = kept();
    let value = |id: &KeyId| store.read().expect("keys").expect("some").value(id).cloned();
    let partner = host_key("Partner");
    assert!(store.put(&partner, Some(secret("sesame-1"))).expect("made").is_new);
    assert!(!store.put(&host_key("PARTNER"), Some(secret("sesame-2"))).expect("set").is_new, "names have no case");
    assert_eq!(value(&host_key("partner")), Some(secret("sesame-2")));
    let rotated = store.rotate(&partner).expect("it is there");
    assert_eq!(value(&partner), Some(rotated));
    store.delete(&partner).expect("it is there");
    assert_eq!(value(&partner), None);
    let in_function = KeyId::Named { scope: Scope::Function("StartTrip".to_owned()), name: name("default") };
    let before = value(&in_function).expect("the first start made it");
    assert!(store.rotate(&in_function).expect("it is there") != before);
    let master = value(&KeyId::Master).expect("there is one");
    assert!(store.rotate(&KeyId::Master).expect("it is there") != master);
    for (id, expected) in [
        (partner, expect!["there is no such key: the host's function key 'Partner'"]),
        (
            KeyId::Named { scope: Scope::System, name: name("nobody") },
            expect!["there is no such key: the system key 'nobody'"],
        ),
        (
            KeyId::Named { scope: Scope::Function("Other".to_owned()), name: name("nobody") },
            expect!["there is no such key: the key 'nobody' of the function 'Other'"],
        ),
    ] {
        expected.assert_eq(&store.rotate(&id).expect_err("there is none").to_string());
        assert!(matches!(store.delete(&id), Err(KeyError::Unknown(_))));
    }
    expect!["the master key cannot be deleted; rotate it instead"]
        .assert_eq(&store.delete(&KeyId::Master).expect_err("it must not").to_string());
}

#[test]
fn fields_of_others_are_kept() {
    let (_folder, secrets, store) = kept();
    let path = secrets.join("host.json");
    let azure = r#"{"masterKey": {"name": "master", "value": "from-azure", "encrypted": false},
        "functionKeys": [], "hostName": "trips.azurewebsites.net", "instanceId": "1", "source": "runtime"}"#;
    fs::write(&path, azure).expect("it can be written");
    assert!(!store.complete([]).expect("the system key is made"), "there was something");
    let text = fs::read_to_string(&path).expect("it is there");
    for kept in ["from-azure", "trips.azurewebsites.net", "instanceId", "durabletask_extension"] {
        assert!(text.contains(kept), "{kept} is not in {text}");
    }
}

fn check_broken(document: &str, content: &str, expected: &Expect) {
    let (folder, secrets, _store) = kept();
    fs::write(secrets.join(document), content).expect("it can be written");
    let store = in_folder(&secrets);
    let error = store.complete(["StartTrip"]).expect_err("it cannot be used");
    expected.assert_eq(&without(&folder, &error));
    store.put(&KeyId::Master, None).err().map_or_else(
        || assert_ne!(document, "host.json", "a broken file was replaced"),
        |error| assert!(!error.to_string().contains("sesame"), "a value is told: {error}"),
    );
    assert_eq!(fs::read_to_string(secrets.join(document)).expect("it is there"), content, "it was changed");
}

#[test]
fn broken_files_are_told_and_left_alone() {
    check_broken(
        "host.json",
        "",
        &expect![
            "the keys in FOLDER/data/secrets/host.json cannot be used: line 1, column 0: the file ends too early; nothing was changed. Correct the file, put a copy of it back, or move it away: then new keys are made at the next start"
        ],
    );
    check_broken(
        "host.json",
        "{\n  \"masterKey\": sesame-open}",
        &expect![
            "the keys in FOLDER/data/secrets/host.json cannot be used: line 2, column 16: that is no JSON; nothing was changed. Correct the file, put a copy of it back, or move it away: then new keys are made at the next start"
        ],
    );
    check_broken(
        "host.json",
        r#"{"masterKey": "sesame-open"}"#,
        &expect![
            "the keys in FOLDER/data/secrets/host.json cannot be used: line 1, column 27: a value is not of the right type, empty or missing; nothing was changed. Correct the file, put a copy of it back, or move it away: then new keys are made at the next start"
        ],
    );
    check_broken(
        "host.json",
        r#"{"masterKey": {"name": "master", "value": ""}}"#,
        &expect![
            "the keys in FOLDER/data/secrets/host.json cannot be used: line 1, column 45: a value is not of the right type, empty or missing; nothing was changed. Correct the file, put a copy of it back, or move it away: then new keys are made at the next start"
        ],
    );
    let encrypted = r#"{"keys": [{"name": "default", "value": "sesame-open", "encrypted": true}]}"#;
    check_broken(
        "functions/starttrip.json",
        encrypted,
        &expect![[
            r#"the keys in FOLDER/data/secrets/functions/starttrip.json cannot be used: the key 'default' is encrypted; write its plain value, with "encrypted": false; nothing was changed. Correct the file, put a copy of it back, or move it away: then new keys are made at the next start"#
        ]],
    );
}

#[cfg(unix)]
#[test]
fn unreadable_files_are_told() {
    let (folder, secrets, _store) = kept();
    fs::remove_file(secrets.join("host.json")).expect("it is there");
    fs::create_dir(secrets.join("host.json")).expect("a folder in its place");
    let error = in_folder(&secrets).complete([]).expect_err("a folder is no file");
    expect!["the keys in FOLDER/data/secrets/host.json cannot be read: Is a directory (os error 21); let the user that runs the host read and write it"].assert_eq(&without(&folder, &error));
}

#[test]
fn changes_at_the_same_time_lose_nothing() {
    let (_folder, secrets, _store) = kept();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let secrets = &secrets;
            scope.spawn(move || {
                // Each its own store, as processes would have.
                let store = in_folder(secrets);
                for key in 0..8 {
                    store.put(&host_key(&format!("w{writer}k{key}")), None).expect("it is written");
                }
            });
        }
    });
    let keys = in_folder(&secrets).read().expect("keys").expect("some");
    assert_eq!(keys.host.len(), 4 * 8 + 1);
}

/// A ring over files, and another process's view of them.
fn ring() -> (TempDir, KeyStore, Arc<Hand>, KeyRing) {
    let (folder, secrets, store) = kept();
    let clock = Arc::new(Hand::default());
    let ring = KeyRing::open(store, Arc::clone(&clock) as Arc<dyn Clock>).expect("good files");
    // Its values must not be those that were made before.
    let randomness = Arc::new(Counting(AtomicU64::new(1_000)));
    (folder, KeyStore::in_folder(secrets, randomness), clock, ring)
}

#[test]
fn a_key_is_known_at_once_and_the_next_wrong_one_costs_nothing() {
    let (_folder, other_process, clock, ring) = ring();
    let put = |value: &str| other_process.put(&host_key(value), Some(secret(value))).expect("it is written");
    put("sesame-1");
    let who = |value: &str| ring.identify(value.as_bytes(), Some("StartTrip"));
    assert_eq!(who("sesame-1"), Identity::Function, "a key that nobody knows has the files read");
    put("sesame-2");
    assert_eq!(who("sesame-2"), Identity::Nobody, "they were read in this second already");
    clock.forward(Duration::from_secs(1));
    assert_eq!(who("sesame-2"), Identity::Function);
}

#[test]
fn a_key_that_was_taken_back_opens_nothing_after_a_second() {
    let (_folder, other_process, clock, ring) = ring();
    let who = |value: &Secret| ring.identify(value.reveal().as_bytes(), Some("StartTrip"));
    let master = other_process.read().expect("keys").expect("some").master;
    assert_eq!(who(&master), Identity::Admin);
    let rotated = other_process.rotate(&KeyId::Master).expect("it is there");
    clock.forward(Duration::from_secs(1));
    assert_eq!(who(&master), Identity::Nobody);
    assert_eq!(who(&rotated), Identity::Admin);
}

#[test]
fn a_file_that_somebody_breaks_changes_nothing() {
    let (folder, other_process, clock, ring) = ring();
    let master = other_process.read().expect("keys").expect("some").master;
    fs::write(folder.path().join("data/secrets/host.json"), "{").expect("it can be written");
    clock.forward(Duration::from_secs(1));
    assert_eq!(ring.identify(master.reveal().as_bytes(), None), Identity::Admin);
    assert_eq!(ring.identify(b"wrong-key", None), Identity::Nobody);
}

#[test]
fn a_change_through_the_ring_holds_at_once() {
    let (_folder, _other_process, _clock, ring) = ring();
    let id = KeyId::Named { scope: Scope::System, name: name("durabletask_extension") };
    let before = ring.durable_extension().expect("the first start made it");
    let written = ring.put(&id, Some(secret("sesame-1"))).expect("it is written");
    assert!(!written.is_new);
    assert_eq!(ring.durable_extension(), Some(secret("sesame-1")));
    assert_eq!(ring.identify(before.reveal().as_bytes(), None), Identity::Nobody);
    ring.delete(&id).expect("it is there");
    assert_eq!(ring.durable_extension(), None);
}

#[test]
fn memory_keeps_the_master_key_that_was_chosen() {
    let store = KeyStore::in_memory(Some(secret("sesame-open")), Arc::new(Counting::default())).expect("a store");
    store.complete(["StartTrip"]).expect("keys are made");
    let keys = store.read().expect("keys").expect("some");
    assert_eq!(keys.master, secret("sesame-open"));
    assert_eq!((keys.host.len(), keys.system.len(), keys.functions.len()), (1, 1, 1));
    assert_eq!(Files::memory().functions().expect("memory can be read"), Vec::<String>::new());
}
