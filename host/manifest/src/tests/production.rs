//! What a production host is told by its file.

use crate::production::parse;
use expect_test::{Expect, expect};

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&match parse(text, "dacapo.toml") {
        Ok(settings) => format!("{settings:#?}"),
        Err(problems) => problems.to_string(),
    });
}

#[test]
fn an_empty_file_says_nothing() {
    assert_eq!(parse("", "dacapo.toml"), Ok(crate::production::ProductionSettings::default()));
}

#[test]
fn everything_can_be_said() {
    check(
        r#"
        port = 8080
        address = "::"
        dataDir = "/var/lib/dacapo"
        noTimers = true
        verbose = true
        output = "JSON"
        logFile = "dacapo.log"
        [logging.logLevel]
        default = "warning"
        Function = "Information"
        [values]
        TEXT = "a"
        NUMBER = 0x50
        RATIO = 0.5
        SWITCH = true
        "with.dots" = "%not a setting%"
        [apps.trips.values]
        TEXT = "b"
        [apps.hotels]
        "#,
        &expect![[r#"
            ProductionSettings {
                data_dir: Some(
                    "/var/lib/dacapo",
                ),
                port: Some(
                    8080,
                ),
                address: Some(
                    ::,
                ),
                no_timers: true,
                verbose: true,
                output: Some(
                    Json,
                ),
                log_file: Some(
                    "dacapo.log",
                ),
                logging: LoggingSettings {
                    default: Some(
                        Warning,
                    ),
                    function: Some(
                        Information,
                    ),
                    host: None,
                    durable_task: None,
                },
                values: {
                    "NUMBER": "80",
                    "RATIO": "0.5",
                    "SWITCH": "true",
                    "TEXT": "a",
                    "with.dots": "%not a setting%",
                },
                values_of_apps: {
                    "hotels": {},
                    "trips": {
                        "TEXT": "b",
                    },
                },
            }"#]],
    );
}

#[test]
fn what_is_unknown_is_refused_with_what_may_have_been_meant() {
    check(
        r#"
        datadir = "/var/lib/dacapo"
        listen = "0.0.0.0"
        [value]
        [apps.trips]
        vaules = {}
        [logging.logLevels]
        [logging.logLevel]
        Functions = "Information"
        Host = "warn"
        "#,
        &expect![[r#"
            dacapo.toml:2: datadir: unknown field; did you mean `dataDir`?
            dacapo.toml:3: listen: unknown field; known here: dataDir, port, address, noTimers, verbose, output, logFile, logging, values, apps
            dacapo.toml:4: value: unknown field; did you mean `values`?
            dacapo.toml:6: apps.trips.vaules: unknown field; did you mean `values`?
            dacapo.toml:7: logging.logLevels: unknown field; did you mean `logLevel`?
            dacapo.toml:9: logging.logLevel.Functions: is a category that has no counterpart here; did you mean `Function`?
            dacapo.toml:10: logging.logLevel.Host: "warn" is not a log level; use Trace, Debug, Information, Warning, Error, Critical or None"#]],
    );
}

#[test]
fn every_wrong_value_is_told_with_its_line() {
    check(
        r#"
        port = "8080"
        address = "example.com"
        noTimers = 1
        output = "fancy"
        dataDir = 7
        apps = []
        [values]
        LIST = ["a"]
        TABLE = { a = 1 }
        DAY = 2026-01-01
        HUGE = 99999999999999999999
        "#,
        &expect![[r#"
            dacapo.toml:2: port: has the wrong type, a string; write a whole number
            dacapo.toml:3: address: "example.com" is no IP address; write an IP address of this machine, such as 127.0.0.1, 0.0.0.0 or ::1
            dacapo.toml:4: noTimers: has the wrong type, an integer; write true or false
            dacapo.toml:5: output: "fancy" is not an output mode; use compact, plain or json
            dacapo.toml:6: dataDir: has the wrong type, an integer; write a string in quotes
            dacapo.toml:7: apps: has the wrong type, an array; write a table: a section of its own, or `{ field = value }`
            dacapo.toml:9: values.LIST: has the wrong type, an array; write a text, a number, or true or false: functions see it as text
            dacapo.toml:10: values.TABLE: has the wrong type, a table; write a text, a number, or true or false: functions see it as text
            dacapo.toml:11: values.DAY: has the wrong type, a datetime; write a text, a number, or true or false: functions see it as text
            dacapo.toml:12: values.HUGE: has the wrong type, an integer; write a number of this size in quotes"#]],
    );
    check("port = 65536", &expect!["dacapo.toml:1: port: 65536 is no port; write a number from 0 to 65535"]);
    check("port = -1", &expect!["dacapo.toml:1: port: -1 is no port; write a number from 0 to 65535"]);
    check(
        "port = ",
        &expect![
            "dacapo.toml:1: not valid TOML: string values must be quoted, expected literal string; correct the line"
        ],
    );
    check("port = 1\nport = 2", &expect!["dacapo.toml:2: port: is there twice; remove or rename one of them"]);
}
