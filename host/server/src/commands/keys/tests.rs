//! The commands as they are typed, on folders with and without a manifest.

use super::*;
use clap::Parser;
use expect_test::{Expect, expect};
use std::fs;

use crate::cli::{Cli, Command};

const MANIFEST: &str = r#"
[app]
name = "trips"
version = "1.0.0"
[components.main]
source = "trips.wasm"
[functions.StartTrip]
trigger = { type = "httpTrigger", route = "trips" }
"#;

/// What the commands say, one after the other, in a folder `F` with a manifest and with the data folders of a production host,
/// `F/host`, and of one that has not started yet, `F/new`.
fn check(lines: &str, expected: &Expect) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    fs::write(at.join("trips.toml"), MANIFEST).expect("it can be written");
    fs::create_dir(at.join("new")).expect("it can be made");
    let of_host = KeyStore::in_folder(at.join("host").join(keys::FOLDER), Arc::new(SystemRandomness));
    of_host.complete(["BookFlight", "BookHotel"]).expect("keys are made");
    let shown = at.display().to_string();
    let mut said = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words = ["dacapo", "keys"].into_iter().chain(line.split(' '));
        let words = words.map(|word| word.replacen("F/", &format!("{shown}/"), 1));
        let outcome = match Cli::try_parse_from(words).map(|cli| cli.command) {
            Ok(Command::Keys(command)) => match perform(&command, &Environment::default()) {
                Ok(said) => said,
                Err(Problem::NoAnswer(error)) => format!("2: {error:#}"),
                Err(problem) => format!("1: {:#}", problem.into_error()),
            },
            Ok(other) => panic!("{other:?}"),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        said.push_str(&format!("$ {line}\n{outcome}\n"));
    }
    expected.assert_eq(&masked(&said.replace(&shown, "F")));
}

/// Random values as their kinds.
fn masked(text: &str) -> String {
    let mut pieces = text.split("dcpo_");
    let mut masked = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(char::is_whitespace).unwrap_or(piece.len());
        let (value, rest) = piece.split_at(end);
        masked.push_str(&format!("dcpo_{}{}{rest}", &value[..1], if value.contains("...") { "..." } else { "" }));
    }
    masked
}

#[test]
fn keys_of_a_production_host_need_no_manifest() {
    check(
        "list --data-dir F/host
         set --data-dir F/host partner --value sesame-open --show-values
         set --data-dir F/host --function bookflight partner --value sesame-too
         rotate --data-dir F/host _master
         delete partner --data-dir F/host
         list --data-dir F/host
         delete --data-dir F/host partner",
        &expect![[r#"
            $ list --data-dir F/host
            OPENS                NAME                   VALUE
            everything           _master                dcpo_m...
            all functions        default                dcpo_f...
            extension            durabletask_extension  dcpo_s...
            function bookflight  default                dcpo_f...
            function bookhotel   default                dcpo_f...
            $ set --data-dir F/host partner --value sesame-open --show-values
            Key made: the host's function key 'partner': sesame-open
            $ set --data-dir F/host --function bookflight partner --value sesame-too
            Key made: the key 'partner' of the function 'bookflight'
            $ rotate --data-dir F/host _master
            Key rotated: the master key
            $ delete partner --data-dir F/host
            Key deleted: the host's function key 'partner'
            $ list --data-dir F/host
            OPENS                NAME                   VALUE
            everything           _master                dcpo_m...
            all functions        default                dcpo_f...
            extension            durabletask_extension  dcpo_s...
            function bookflight  default                dcpo_f...
            function bookflight  partner                ********
            function bookhotel   default                dcpo_f...
            $ delete --data-dir F/host partner
            1: there is no such key: the host's function key 'partner'; there is: 'default'
        "#]],
    );
}

#[test]
fn a_manifest_may_come_first_and_options_anywhere() {
    check(
        "set F/trips.toml partner --value sesame-open
         set F/trips.toml --data-dir F/host --function StartTrip partner --value sesame-too
         list F/trips.toml --show-values
         set --function Unknown F/trips.toml partner",
        &expect![[r#"
            $ set F/trips.toml partner --value sesame-open
            Key made: the host's function key 'partner'
            $ set F/trips.toml --data-dir F/host --function StartTrip partner --value sesame-too
            Key made: the key 'partner' of the function 'StartTrip'
            $ list F/trips.toml --show-values
            OPENS          NAME                   VALUE
            everything     _master                dcpo_m
            all functions  default                dcpo_f
            all functions  partner                sesame-open
            extension      durabletask_extension  dcpo_s
            $ set --function Unknown F/trips.toml partner
            1: the app has no function 'Unknown'; it has: StartTrip
        "#]],
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    check(
        "list --data-dir F/nowhere
         list --data-dir F/new
         set --data-dir F/new partner --function BookFlight
         set --data-dir F/host partner --function Unknown
         set F/trips.toml
         set
         set F/trips.toml partner another",
        &expect![[r#"
            $ list --data-dir F/nowhere
            1: there is no folder F/nowhere; name the --data-dir of `dacapo serve`
            $ list --data-dir F/new
            There are no keys in F/new/secrets yet; they are made when the host starts for the first time.
            $ set --data-dir F/new partner --function BookFlight
            1: the host has no function 'BookFlight'; it has: none
            $ set --data-dir F/host partner --function Unknown
            1: the host has no function 'Unknown'; it has: bookflight, bookhotel
            $ set F/trips.toml
            2: F/trips.toml is a file; give the name of a key after it
            $ set
            error: the following required arguments were not provided:
            $ set F/trips.toml partner another
            error: unexpected argument 'another' found
        "#]],
    );
}
