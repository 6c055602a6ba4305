//! `dacapo durable` as somebody types it against a host that runs: from a start to a purge, and what is refused.

use expect_test::expect_file;

use crate::host::with_app;
use crate::samples;
use crate::shell::Shell;

#[test]
fn instances_are_started_steered_looked_at_and_purged() {
    let manifest = samples::manifest("conference-booking");
    with_app(&manifest, |host| {
        let read = |manifest| std::fs::read(manifest).expect("it was just written");
        let shell = Shell::new()
            .with("DACAPO_URL", host.origin())
            .with_compiled("")
            .with_file("trip.json", r#"{"traveller":"Bob","conference":"RustConf"}"#)
            .with_file("trips-by-queue.toml", read(&samples::manifest("trips-by-queue")))
            .with_file("conference-booking.toml", read(&manifest));
        shell.follow(&expect_file!["../transcripts/durable.txt"]);
        shell.follow(&expect_file!["../transcripts/durable_refusals.txt"]);
    });
}
