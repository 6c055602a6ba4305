//! Settings in words and as JSON, and changes to the file: data in, text out.

use expect_test::{Expect, expect};

use super::edit::{Removal, with_value, without_value};
use super::list::{Values, as_json, in_words};
use super::survey;
use crate::settings::{AppSettings, Assignment, Environment};

const APP: &str = r#"
[app]
name = "trips"
version = "1"
[components.a]
source = "a.wasm"
[functions.Accept]
trigger = { type = "queueTrigger", queueName = "%QUEUE%", connection = "Trips" }
disabled = "ACCEPT_OFF"
outputs.rows = { type = "table", tableName = "%TABLE%" }
[functions.Nightly]
trigger = { type = "timerTrigger", schedule = "%Times:Nightly%" }
"#;

const ACCOUNT: &str =
    "DefaultEndpointsProtocol=https;AccountName=trips;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net";

/// Settings from an environment, `--env` and a file.
struct Given<'a> {
    environment: &'a [(&'a str, &'a str)],
    given: &'a [&'a str],
    file: &'a str,
}

impl Given<'_> {
    fn read(&self) -> AppSettings {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("local.settings.toml"), self.file).expect("it can be written");
        let given: Vec<Assignment> =
            self.given.iter().map(|text| Assignment::parse(text).expect("an assignment")).collect();
        AppSettings::read_with(&Environment::of(self.environment), &given, folder.path()).expect("the file is right")
    }
}

fn check(manifest: &str, given: &Given<'_>, values: Values, expected: &Expect) {
    expected.assert_eq(&in_words(&survey(manifest, &given.read()), "app.toml", values));
}

#[test]
fn every_setting_is_told_with_its_source_and_its_users() {
    let given = Given {
        environment: &[("QUEUE", "trip-requests"), ("PATH", "/bin"), ("AzureWebJobsTrips", ACCOUNT)],
        given: &["TABLE=Trips"],
        file: "[values]\nQUEUE = 'other'\nTimes__Nightly = '0 0 3 * * *'\nGREETING = ''\nACCEPT_OFF = true",
    };
    check(
        APP,
        &given,
        Values::Masked,
        &expect![[r#"
        ACCEPT_OFF: ********, from local.settings.toml
            disables Accept, functions.Accept.disabled (app.toml:9)
        AzureWebJobsStorage: not set
            leads to the store of this host
            connection of Accept, functions.Accept.outputs.rows (app.toml:10)
        GREETING: (empty), from local.settings.toml
            handed to the functions; the manifest does not name it
        QUEUE: ********, from the environment; local.settings.toml has it too, to no effect
            used by Accept, functions.Accept.trigger.queueName (app.toml:8)
        TABLE: ********, from --env
            used by Accept, functions.Accept.outputs.rows.tableName (app.toml:10)
        Times:Nightly: ********, from local.settings.toml under the name Times__Nightly
            used by Nightly, functions.Nightly.trigger.schedule (app.toml:12)
        Trips: ********, from the environment under the name AzureWebJobsTrips
            leads to the storage account trips
            connection of Accept, functions.Accept.trigger.connection (app.toml:8)

        All settings that the app needs are there. `dacapo settings add app.toml NAME` sets or changes one."#]],
    );
}

#[test]
fn values_are_shown_on_demand() {
    let given =
        Given { environment: &[], given: &["QUEUE=q", "TABLE=T"], file: "[values]\n'Times:Nightly' = '1.00:00:00'" };
    check(
        APP,
        &given,
        Values::Shown,
        &expect![[r#"
        ACCEPT_OFF: not set
            disables Accept, functions.Accept.disabled (app.toml:9)
        QUEUE: q, from --env
            used by Accept, functions.Accept.trigger.queueName (app.toml:8)
        TABLE: T, from --env
            used by Accept, functions.Accept.outputs.rows.tableName (app.toml:10)
        Times:Nightly: 1.00:00:00, from local.settings.toml
            used by Nightly, functions.Nightly.trigger.schedule (app.toml:12)
        Trips: not set
            leads to the store of this host
            connection of Accept, functions.Accept.trigger.connection (app.toml:8)

        All settings that the app needs are there. `dacapo settings add app.toml NAME` sets or changes one."#]],
    );
}

#[test]
fn missing_settings_are_marked() {
    let given = Given { environment: &[("Table", "Trips")], given: &[], file: "[values]\nTrips = 'AccountName=trips'" };
    check(
        APP,
        &given,
        Values::Masked,
        &expect![[r#"
        ACCEPT_OFF: not set
            disables Accept, functions.Accept.disabled (app.toml:9)
        QUEUE: missing
            used by Accept, functions.Accept.trigger.queueName (app.toml:8)
        TABLE: missing
            there is Table; upper and lower case make a difference
            used by Accept, functions.Accept.outputs.rows.tableName (app.toml:10)
        Times:Nightly: missing
            used by Nightly, functions.Nightly.trigger.schedule (app.toml:12)
        Trips: ********, from local.settings.toml
            leads nowhere: the app setting 'Trips': the connection string has no AccountKey (or SharedAccessSignature); it has AccountName
            connection of Accept, functions.Accept.trigger.connection (app.toml:8)

        Missing or wrong: QUEUE, TABLE, Times:Nightly, Trips. Set it with `dacapo settings add app.toml QUEUE`, or in the environment."#]],
    );
}

#[test]
fn an_app_without_settings_is_told_so() {
    let manifest = "[app]\nname = 'a'\nversion = '1'";
    check(
        manifest,
        &Given { environment: &[("A", "1")], given: &[], file: "" },
        Values::Masked,
        &expect!["app.toml refers to no settings, and there are none in local.settings.toml beside it."],
    );
}

#[test]
fn programs_get_the_same() {
    let manifest = "[app]\nname = 'a'\nversion = '1'\n[functions.A]\n\
                    trigger = { type = 'queueTrigger', queueName = '%QUEUE%', connection = 'Trips' }\n\
                    outputs.rows = { type = 'table', tableName = '%TABLE%' }";
    let given =
        Given { environment: &[("Trips", ACCOUNT), ("QUEUE", "q")], given: &[], file: "[values]\nQUEUE = 'other'" };
    let text = as_json(&survey(manifest, &given.read()), Values::Masked);
    assert!(!text.contains("c2VjcmV0"));
    // On one line each, because there are many.
    let settings: Vec<serde_json::Value> = serde_json::from_str(&text).expect("it is JSON");
    let lines: Vec<String> = settings.iter().map(serde_json::Value::to_string).collect();
    expect![[r#"
        {"missing":false,"name":"QUEUE","overridesFile":true,"source":"environment","usedBy":[{"field":"functions.A.trigger.queueName","function":"A","line":5,"purpose":"text"}],"value":"********"}
        {"missing":true,"name":"TABLE","overridesFile":false,"usedBy":[{"field":"functions.A.outputs.rows.tableName","function":"A","line":6,"purpose":"text"}]}
        {"account":"trips","missing":false,"name":"Trips","overridesFile":false,"source":"environment","usedBy":[{"field":"functions.A.trigger.connection","function":"A","line":5,"purpose":"connection"}],"value":"********"}"#]].assert_eq(&lines.join("\n"));
}

fn check_edit(text: &str, name: &str, value: Option<&str>, expected: &Expect) {
    let shown = match value {
        Some(value) => match with_value(text, name, value) {
            Ok((text, done)) => format!("{done:?}\n{text}"),
            Err(error) => error.to_string(),
        },
        None => match without_value(text, name) {
            Ok(Removal::Done(text)) => text,
            Ok(Removal::NotThere(others)) => format!("not among {others:?}"),
            Err(error) => error.to_string(),
        },
    };
    expected.assert_eq(&shown);
}

const FILE: &str = "# Mine.\n[values]\n# Which queue.\nQUEUE = 'a' # for now\nTABLE=\"T\"\n\n[host]\ncors = '*'\n";

#[test]
fn adding_keeps_everything_else() {
    check_edit(
        "",
        "QUEUE",
        Some("a"),
        &expect![[r#"
        Added
        [values]
        QUEUE = "a"
    "#]],
    );
    check_edit(
        FILE,
        "QUEUE",
        Some("tab\t\"quote\" 'single'\n"),
        &expect![[r#"
        Changed
        # Mine.
        [values]
        # Which queue.
        QUEUE = """
        tab\t"quote" 'single'
        """ # for now
        TABLE="T"

        [host]
        cors = '*'
    "#]],
    );
    check_edit(
        FILE,
        "Times:Nightly",
        Some("1"),
        &expect![[r#"
        Added
        # Mine.
        [values]
        # Which queue.
        QUEUE = 'a' # for now
        TABLE="T"
        "Times:Nightly" = "1"

        [host]
        cors = '*'
    "#]],
    );
    check_edit(
        "values = { A = '1' }\n",
        "B",
        Some("2"),
        &expect![[r#"
        Added
        values = { A = '1' , B = "2" }
    "#]],
    );
    check_edit(
        "[host]\ncors = '*'\n",
        "B",
        Some("2"),
        &expect![[r#"
        Added
        [host]
        cors = '*'

        [values]
        B = "2"
    "#]],
    );
}

#[test]
fn deleting_keeps_everything_else() {
    check_edit(
        FILE,
        "QUEUE",
        None,
        &expect![[r##"
        # Mine.
        [values]
        TABLE="T"

        [host]
        cors = '*'
    "##]],
    );
    check_edit(FILE, "queue", None, &expect![[r#"not among ["QUEUE", "TABLE"]"#]]);
    check_edit("", "QUEUE", None, &expect!["not among []"]);
}

#[test]
fn broken_files_are_not_touched() {
    check_edit("values = 1\n", "A", Some("1"), &expect!["`values` is no table; write `[values]` above the settings"]);
    check_edit(
        "[values\n",
        "A",
        Some("1"),
        &expect![[r#"
        TOML parse error at line 1, column 8
          |
        1 | [values
          |        ^
        unclosed table, expected `]`
    "#]],
    );
    check_edit(
        "[values\n",
        "A",
        None,
        &expect![[r#"
        TOML parse error at line 1, column 8
          |
        1 | [values
          |        ^
        unclosed table, expected `]`
    "#]],
    );
}
