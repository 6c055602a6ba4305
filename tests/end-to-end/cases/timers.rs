//! The timer trigger: runs by the second and by hand, what is remembered over a kill, and what was missed.

use expect_test::expect;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::storage_clients::connection_to;
use crate::account::Account;
use crate::host::{Host, refused};
use crate::samples;

/// A function that leaves a row of each of its runs.
fn ticking(name: &str, trigger: &str) -> PathBuf {
    let functions = format!(
        "[functions.Tick]\ntrigger = {{ type = \"timerTrigger\", {trigger} }}\n\
         outputs.\"$return\" = {{ type = \"table\", tableName = \"Ticks\" }}\n"
    );
    samples::queue_jobs(name, &functions)
}

fn start(data: &Path, manifest: &Path, schedule: &str) -> (Host, Account) {
    let host = Host::start_in_with(data, manifest, &[("SCHEDULE", schedule)]);
    let account = Account::new(&connection_to(&host));
    (host, account)
}

/// Waits until so many runs have left rows; answers them.
fn wait_for_ticks(host: &mut Host, account: &Account, count: usize) -> Vec<Value> {
    host.look_until(&format!("{count} rows"), |_| Some(account.rows("Ticks")).filter(|rows| rows.len() >= count))
}

fn moment(row: &Value, name: &str) -> jiff::Timestamp {
    let text = row[name].as_str().unwrap_or_else(|| panic!("no {name} in {row}"));
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_second_is_an_occurrence_that_runs_once() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let manifest = ticking("every-second", r#"schedule = "* * * * * *""#);
    let (mut host, account) = start(data.path(), &manifest, "");
    let before = wait_for_ticks(&mut host, &account, 2);
    for row in &before {
        assert_eq!(moment(row, "RowKey").as_second() + 1, moment(row, "Next").as_second(), "{row}");
        assert_eq!(row["IsPastDue"], false);
    }
    host.process.kill();

    // What was written is there, and no occurrence is run again: its row could not be inserted.
    let (mut host, account) = start(data.path(), &manifest, "");
    let after = wait_for_ticks(&mut host, &account, before.len() + 1);
    let kept: BTreeSet<String> = after.iter().map(|row| row["RowKey"].to_string()).collect();
    assert!(before.iter().all(|row| kept.contains(&row["RowKey"].to_string())), "{before:?} {after:?}");
    let output = host.stop();
    assert!(!output.contains(" failed in "), "{output}");
}

#[test]
fn what_was_missed_runs_once_when_the_host_is_back() {
    // An occurrence a year, seconds from now. On a slow machine the first host may see it: then later.
    let missed = [3, 6, 12, 24].into_iter().any(is_missed_and_caught_up);
    assert!(missed, "the host needs too long to start");
}

/// False: the host was there when the moment came.
fn is_missed_and_caught_up(seconds: i64) -> bool {
    let data = tempfile::tempdir().expect("a temporary folder");
    // The run of the start is committed together with what is due next.
    let manifest = ticking("once-a-year", r#"schedule = "%SCHEDULE%", runOnStartup = true"#);
    let due = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    let schedule = due.strftime("%-S %-M %-H %-d %-m *").to_string();
    let (mut host, account) = start(data.path(), &manifest, &schedule);
    let rows = wait_for_ticks(&mut host, &account, 1);
    host.process.kill();
    if jiff::Timestamp::now() >= due || moment(&rows[0], "Next").as_second() != due.as_second() {
        return false;
    }

    wait_until(due);
    // What was missed is this start's run.
    let (mut host, account) = start(data.path(), &manifest, &schedule);
    let rows = wait_for_ticks(&mut host, &account, 2);
    assert_eq!(moment(&rows[1], "RowKey").as_second(), due.as_second(), "{rows:?}");
    assert_eq!((&rows[0]["IsPastDue"], &rows[1]["IsPastDue"]), (&json!(false), &json!(true)), "{rows:?}");
    assert_eq!(moment(&rows[1], "Last"), moment(&rows[0], "RowKey"), "{rows:?}");
    let output = host.stop();
    let reason = "Trigger Details: UnscheduledInvocationReason: IsPastDue, OriginalSchedule: ";
    assert!(output.contains(reason), "{output}");

    // And not again.
    let (mut host, account) = start(data.path(), &manifest, &schedule);
    let rows = wait_for_ticks(&mut host, &account, 3);
    assert_eq!(rows[2]["IsPastDue"], false, "{rows:?}");
    let output = host.stop();
    assert!(!output.contains("IsPastDue"), "{output}");
    true
}

/// Waits for a moment, by the timers of another host.
fn wait_until(due: jiff::Timestamp) {
    let mut host = Host::start(&ticking("clockwork", r#"schedule = "* * * * * *""#), ["--ephemeral"]);
    let account = Account::new(&connection_to(&host));
    host.look_until("the moment has come", |_| {
        let rows = account.rows("Ticks");
        rows.iter().any(|row| moment(row, "RowKey") > due).then_some(())
    });
    host.stop();
}

fn run_by_hand(host: &Host) {
    let run = host.client().post("/admin/functions/Tick", r#"{"input":""}"#);
    assert!([200, 202].contains(&run.status), "{run:?}");
}

#[test]
fn the_next_five_occurrences_are_printed() {
    let manifest = ticking("new-year", r#"schedule = "0 0 3 1 1 *""#);
    let host = Host::start(&manifest, ["--ephemeral"]);
    let (_, shown) = host.greeting.split_once("The next 5 occurrences of Tick are: ").expect("they are printed");
    let years: Vec<i32> = shown
        .lines()
        .next()
        .expect("they are behind it")
        .split(", ")
        .map(|line| {
            let moment: jiff::Timestamp = line.trim().parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(line.trim().contains("-01-01T03:00:00"), "{line}");
            moment.to_zoned(jiff::tz::TimeZone::UTC).year().into()
        })
        .collect();
    assert!(years.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{years:?}");
    host.stop();
}

#[test]
fn without_timers_nothing_runs_by_its_schedule() {
    let manifest = ticking("no-timers", r#"schedule = "* * * * * *", runOnStartup = true"#);
    let mut host = Host::start(&manifest, ["--ephemeral", "--no-timers"]);
    assert!(!host.greeting.contains("occurrences"), "{}", host.greeting);
    let account = Account::new(&connection_to(&host));
    run_by_hand(&host);
    wait_for_ticks(&mut host, &account, 1);
    let output = host.stop();
    assert_eq!(output.matches("[invocation start] Tick ").count(), 1, "{output}");
}

#[test]
fn twenty_four_hours_are_not_a_time_of_the_day() {
    let manifest = ticking("a-day", r#"schedule = "24:00:00""#);
    let (code, output) = refused([manifest.as_os_str(), "--ephemeral".as_ref(), "--port".as_ref(), "0".as_ref()]);
    let folder = manifest.parent().expect("a file is in a folder").display().to_string();
    expect![[r#"
        exit code 3
        error: the manifest has a problem
        <folder>/a-day.toml:7: functions.Tick.trigger.schedule: "24:00:00": `24:00:00` is read as 24 days in Azure Functions, not as 24 hours; for 24 hours write `1.00:00:00`, for 24 days `24.00:00:00`
    "#]].assert_eq(&format!("exit code {code}\n{}", output.replace(&folder, "<folder>")));
}
