//! Command line, environment and file against each other.

use super::*;
use clap::{CommandFactory, Parser};
use expect_test::{Expect, expect};
use std::fs;

use crate::cli::{Cli, Command};

/// What comes of a command line and of the file that it names as `F/dacapo.toml`.
fn read(line: &str, file: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("dacapo.toml"), file).expect("it can be written");
    let shown = folder.path().display().to_string();
    let words = ["dacapo", "serve"].into_iter().chain(line.split_whitespace());
    let words = words.map(|word| word.replacen("F/", &format!("{shown}/"), 1));
    let short = |text: String| text.replace(&shown, "F");
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Serve(arguments)) => {
            let inside = |path: PathBuf| PathBuf::from(short(path.display().to_string()));
            let config = Config::read(&arguments).map_err(|error| short(format!("{error:#}")))?;
            Ok(Config { data_dir: config.data_dir.map(inside), log_file: config.log_file.map(inside), ..config })
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

fn check(line: &str, file: &str, expected: &Expect) {
    expected.assert_eq(&match read(line, file) {
        Ok(config) => {
            let Config { data_dir, port, address, timers, verbose, output, log_file, logging, .. } = config;
            format!(
                "{data_dir:?} {port:?} {address:?} timers {timers} verbose {verbose} {output:?} {log_file:?} {:?} {:?}",
                logging.default, logging.function
            )
        }
        Err(error) => error,
    });
}

#[test]
fn without_a_file_there_is_what_was_typed() {
    check("", "", &expect!["None None None timers true verbose false None None None None"]);
    check(
        "--data-dir F/data --port 0 --address localhost --no-timers -v --output json --log-file log",
        "",
        &expect![[
            r#"Some("F/data") Some(0) Some(127.0.0.1) timers false verbose true Some(Json) Some("log") None None"#
        ]],
    );
}

#[test]
fn what_was_typed_wins_over_the_file() {
    let file = r#"
        dataDir = "data"
        port = 1
        address = "0.0.0.0"
        noTimers = true
        verbose = true
        output = "plain"
        logFile = "/var/log/dacapo.log"
        [logging.logLevel]
        default = "Error"
        Function = "Debug"
    "#;
    check(
        "--config F/dacapo.toml",
        file,
        &expect![[
            r#"Some("F/data") Some(1) Some(0.0.0.0) timers false verbose true Some(Plain) Some("/var/log/dacapo.log") Some(Error) Some(Debug)"#
        ]],
    );
    check(
        "--config F/dacapo.toml --data-dir here --port 2 --address ::1 --output compact --log-file there",
        file,
        &expect![[
            r#"Some("here") Some(2) Some(::1) timers false verbose true Some(Compact) Some("there") Some(Error) Some(Debug)"#
        ]],
    );
    check(
        "--config F/dacapo.toml --port 2",
        "address = \"::\"",
        &expect!["None Some(2) Some(::) timers true verbose false None None None None"],
    );
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_line() {
    check(
        "--config F/dacapo.toml",
        "port = 1\nadress = \"::\"",
        &expect![[r#"
        the config file has a problem
        F/dacapo.toml:2: adress: unknown field; did you mean `address`?"#]],
    );
    check(
        "--config F/dacapo.toml",
        "[values]\nA = [1]\n[app]",
        &expect![[r#"
        the config file has 2 problems
        F/dacapo.toml:2: values.A: has the wrong type, an array; write a text, a number, or true or false: functions see it as text
        F/dacapo.toml:3: app: unknown field; did you mean `apps`?"#]],
    );
    check(
        "--config F/dacapo.toml",
        "port =",
        &expect![[r#"
        the config file has a problem
        F/dacapo.toml:1: not valid TOML: string values must be quoted, expected literal string; correct the line"#]],
    );
    check("--config F/other.toml", "", &expect!["there is no file F/other.toml; check --config"]);
}

/// The clap attribute cannot say it of all at once.
#[test]
fn every_option_can_be_given_by_the_environment() {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").expect("there is such a command");
    let arguments = serve.get_arguments().filter(|argument| argument.get_id() != "help");
    let told: Vec<String> = arguments
        .map(|argument| format!("{} {:?}", argument.get_id(), argument.get_env().unwrap_or_default()))
        .collect();
    expect![[r#"
        data_dir "DACAPO_DATA_DIR"
        port "DACAPO_PORT"
        address "DACAPO_ADDRESS"
        config "DACAPO_CONFIG"
        no_timers "DACAPO_NO_TIMERS"
        verbose "DACAPO_VERBOSE"
        output "DACAPO_OUTPUT"
        log_file "DACAPO_LOG_FILE""#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn settings_come_from_the_environment_then_from_the_app_then_from_all() {
    let file = "
        [values]
        A = 1
        B = 2
        C = 3
        [apps.trips.values]
        A = 'of trips'
        B = 'of trips'
    ";
    let config = read("--config F/dacapo.toml", file).expect("it is right");
    let settings_of = config.settings_of(&Environment::of(&[("A", "environment")]));
    let told = |app: &str| {
        let settings = settings_of(app).expect("nothing can fail");
        let told = settings.values.iter().map(|(name, value)| format!("{name}={value} {}", settings.sources[name]));
        told.collect::<Vec<_>>().join(", ")
    };
    expect!["A=environment the environment, B=of trips the file of --config, C=3 the file of --config"]
        .assert_eq(&told("trips"));
    expect!["A=environment the environment, B=2 the file of --config, C=3 the file of --config"]
        .assert_eq(&told("hotels"));
}
