//! What an app tells about itself: the settings it refers to, and functions that get in each other's way.

use expect_test::{Expect, expect};

use crate::{App, SettingPurpose};

fn parse(functions: &str) -> App {
    let text = format!("app = {{ name = 'a', version = '1' }}\ncomponents.c.source = 'c'\n{functions}");
    let settings = |name: &str| match name {
        "QUEUE" | "AzureWebJobs.F.Disabled" => Some("trips".to_owned()),
        _ => None,
    };
    crate::parse(&text, "app.toml", &settings).unwrap()
}

fn check_settings(functions: &str, expected: &Expect) {
    let lines = parse(functions).referenced_settings.into_iter().map(|setting| {
        let purpose = match setting.purpose {
            SettingPurpose::Text => "text",
            SettingPurpose::Connection => "connection",
            SettingPurpose::Disabled => "disabled",
        };
        format!("{}: {} {purpose} {}\n", setting.line, setting.field, setting.name)
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn referenced_settings_have_their_places() {
    check_settings(
        "functions.F.trigger = { type = 'queueTrigger', queueName = '%QUEUE%' }
         functions.F.outputs.a = { type = 'queue', queueName = '%QUEUE%-%QUEUE%', connection = 'Other' }
         functions.F.inputs.b = { type = 'table', tableName = 'Trips' }
         functions.F.disabled = 'OFF'
         functions.G.trigger.type = 'httpTrigger'",
        &expect![[r#"
            3: functions.F disabled AzureWebJobs.F.Disabled
            3: functions.F.trigger connection AzureWebJobsStorage
            3: functions.F.trigger.queueName text QUEUE
            4: functions.F.outputs.a.connection connection Other
            4: functions.F.outputs.a.queueName text QUEUE
            5: functions.F.inputs.b connection AzureWebJobsStorage
            6: functions.F.disabled disabled OFF
        "#]],
    );
    check_settings("functions.G.trigger.type = 'httpTrigger'", &expect![[r#""#]]);
}

#[test]
fn functions_that_share_a_queue_are_found() {
    let app = parse(
        "functions.A.trigger = { type = 'queueTrigger', queueName = 'trips' }
         functions.B.trigger = { type = 'queueTrigger', queueName = 'trips', connection = 'Other' }
         functions.C.trigger = { type = 'queueTrigger', queueName = '%QUEUE%', connection = 'AzureWebJobsStorage' }
         functions.D = { trigger = { type = 'queueTrigger', queueName = 'trips' }, disabled = true }
         functions.E.trigger = { type = 'queueTrigger', queueName = 'other' }",
    );
    let pairs = app.competing_queue_triggers();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (a.name.as_str(), b.name.as_str())).collect();
    assert_eq!(pairs, [("A", "C")]);
}
