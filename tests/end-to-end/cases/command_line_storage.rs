//! `dacapo storage` as somebody types it against the storage endpoint of a host that runs: queues, tables, and what is refused.

use expect_test::expect_file;

use super::storage_clients::connection_to;
use crate::host::with_app;
use crate::samples;
use crate::shell::Shell;

#[test]
fn queues_and_tables_are_filled_looked_at_and_cleared() {
    with_app(&samples::manifest("trips-by-queue"), |host| {
        let shell =
            Shell::new().with("AzureWebJobsStorage", &connection_to(host)).with_file("order.json", r#"{"id": 2}"#);
        shell.follow(&expect_file!["../transcripts/storage.txt"]);
    });
}
