//! What the log says of runs.

use super::world::{End, Ends, Fault, World, timer, with};
use super::{later, retrying};
use expect_test::expect;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `action` and answers what it logs, each line from its level on.
fn logged(action: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).without_time().with_target(false);
    tracing::subscriber::with_default(subscriber.with_ansi(false).finish(), action);
    let lines = lines.0.lock().expect("nobody panicked").clone();
    let lines = String::from_utf8(lines).expect("log lines are text");
    lines.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}

#[test]
fn runs_are_logged_with_what_started_them() {
    let lines = logged(|| {
        let world = World::at("2026-01-05T08:59:30");
        let function = timer("0 0 9 * * *");
        world.live(&function, &Ends::at("2026-01-05T09:00:01"));
        later(&world, "2026-01-06T12:00:00");
        world.live(&function, &Ends::at("2026-01-06T12:00:01"));
        let function = with(function, |trigger| trigger.run_on_startup = true);
        world.live(&function, &Ends::at("2026-01-06T12:00:02"));
    });
    expect![[r#"
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002"}: Executing 'Functions.Nightly' reason="Timer fired at 2026-01-05T09:00:00.0000000Z"
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002"}: Executed 'Functions.Nightly' function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002" outcome="Succeeded" duration_ms=0
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000004"}: Executing 'Functions.Nightly' reason="Timer fired at 2026-01-06T12:00:00.0000000Z"
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000004"}: Trigger Details: UnscheduledInvocationReason: IsPastDue, OriginalSchedule: 2026-01-06T09:00:00.0000000Z
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000004"}: Executed 'Functions.Nightly' function="Nightly" invocation_id="00000000-0000-4000-8000-000000000004" outcome="Succeeded" duration_ms=0
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000006"}: Executing 'Functions.Nightly' reason="Timer fired at 2026-01-06T12:00:01.0000000Z"
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000006"}: Trigger Details: UnscheduledInvocationReason: RunOnStartup
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000006"}: Executed 'Functions.Nightly' function="Nightly" invocation_id="00000000-0000-4000-8000-000000000006" outcome="Succeeded" duration_ms=0"#]].assert_eq(&lines);
}

#[test]
fn failures_are_logged_with_what_follows() {
    let lines = logged(|| {
        let world = World::at("2026-01-05T08:59:59");
        world.act(5, End::Fails);
        world.live(&retrying(timer("0 0 9 * * *"), Some(1), 60), &Ends::at("2026-01-05T09:00:30"));
    });
    expect![[r#"
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002"}: Executing 'Functions.Nightly' reason="Timer fired at 2026-01-05T09:00:00.0000000Z"
        ERROR invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002"}: Executed 'Functions.Nightly' function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002" outcome="Failed" duration_ms=5000 error=Broken: as the test wished
        INFO the run is tried again function="Nightly" retry=1 at=2026-01-05T09:01:05.0000000Z"#]].assert_eq(&lines);
}

/// A commit of which nobody knows at first whether it happened is a success all the same.
#[test]
fn a_lost_answer_is_no_failure() {
    let lines = logged(|| {
        let world = World::at("2026-01-05T08:59:59");
        world.fail(&[Fault::None, Fault::None, Fault::Lost]);
        world.live(&timer("0 0 9 * * *"), &Ends::at("2026-01-05T09:00:30"));
    });
    expect![[r#"
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002"}: Executing 'Functions.Nightly' reason="Timer fired at 2026-01-05T09:00:00.0000000Z"
        WARN the outputs of a timer could not be written yet; trying again function="Nightly" error=the store is unavailable: as the test wished
        INFO invocation{function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002"}: Executed 'Functions.Nightly' function="Nightly" invocation_id="00000000-0000-4000-8000-000000000002" outcome="Succeeded" duration_ms=1000"#]].assert_eq(&lines);
}
