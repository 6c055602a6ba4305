//! How long a person waits who saves a file of an app that `dacapo start` serves and watches.

use crate::connection::Connection;
use crate::host::{Host, binary, scratch_folder};
use crate::report::{Report, percentile};
use anyhow::{Context, Result, ensure};
use http::Method;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The whole durable starter: activities, an orchestrator, HTTP functions.
const TEMPLATE: &str = "durable";
const ROUNDS: usize = 6;

/// A function that answers with the number of its edition.
const FUNCTION: &str = r#"

/// Which edition of the code this is.
#[dacapo::http]
fn which(_: dacapo::Request) -> Result<dacapo::Response, dacapo::Failure> {
    Ok(dacapo::Response::text("edition 0"))
}
"#;
const BINDING: &str = r#"
[functions.Which]
trigger = { type = "httpTrigger", methods = ["get"], route = "which", authLevel = "anonymous" }
"#;

/// From saving a Rust file to the first answer of the new code, and what of it the host takes besides cargo. The host is started
/// on a component that an earlier one has compiled.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let scratch = tempfile::tempdir_in(scratch_folder()?)?;
    let folder = make_project(scratch.path())?;
    Host::start_project(&folder).await?.stop().await?;
    let mut host = Host::start_project(&folder).await?;
    let mut connection = Connection::open(host.address).await?;
    let (mut totals, mut own) = (Vec::new(), Vec::new());
    for edition in 1..=ROUNDS {
        let begun = Instant::now();
        write_edition(&folder, edition)?;
        let total = loop {
            let (_, body) = connection.send(Method::GET, "/api/which", "").await?;
            if body == format!("edition {edition}") {
                break begun.elapsed();
            }
            ensure!(begun.elapsed() < Duration::from_secs(60), "edition {edition} was not served");
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        own.push(total.saturating_sub(host.built_in().await?));
        totals.push(total);
    }
    host.stop().await?;
    let first = own.first().copied().unwrap_or_default();
    totals.sort();
    own.sort();
    let shown = |time: Duration| format!("{} ms", time.as_millis());
    let slowest = own.last().copied().unwrap_or_default();
    report.add("saved to answered, starter project, p50", shown(percentile(&totals, 0.5)));
    report.add(
        "of which besides cargo",
        format!("p50 {}, first {}, slowest {}", shown(percentile(&own, 0.5)), shown(first), shown(slowest)),
    );
    Ok(())
}

fn make_project(scratch: &Path) -> Result<std::path::PathBuf> {
    let made =
        Command::new(binary()).args(["init", "starter", "--template", TEMPLATE]).current_dir(scratch).output()?;
    ensure!(made.status.success(), "dacapo init: {}", String::from_utf8_lossy(&made.stderr));
    let folder = scratch.join("starter");
    append(&folder.join("src/lib.rs"), FUNCTION)?;
    append(&folder.join("starter.toml"), BINDING)?;
    Ok(folder)
}

fn append(file: &Path, text: &str) -> Result<()> {
    let before = fs::read_to_string(file).with_context(|| format!("{} is not there", file.display()))?;
    Ok(fs::write(file, before + text)?)
}

fn write_edition(folder: &Path, edition: usize) -> Result<()> {
    let file = folder.join("src/lib.rs");
    let text = fs::read_to_string(&file)?;
    let before = format!("\"edition {}\"", edition - 1);
    ensure!(text.contains(&before), "{} has no {before}", file.display());
    Ok(fs::write(&file, text.replace(&before, &format!("\"edition {edition}\"")))?)
}
