//! Functions that tell which edition of their code they are. Tests make other editions by writing another number over that of the
//! built component, which takes no compiler; see `development` of the end-to-end tests.

use dacapo::{Context, Failure, Request};
use std::hint::black_box;
use std::time::Duration;

/// Stands in the component as it stands here, because nobody may know what it says when it is compiled.
static EDITION: &str = "edition 0000";

fn edition() -> String {
    black_box(EDITION).to_owned()
}

/// Says it at once.
#[dacapo::http]
fn which(_request: Request) -> String {
    edition()
}

/// Says it after so many milliseconds as the query `ms` says.
#[dacapo::http]
fn tarry(request: Request) -> Result<String, Failure> {
    let said = request.query("ms").unwrap_or_default();
    let milliseconds = said.parse().map_err(|_| Failure::new("BadRequest", format!("'{said}' is no number")))?;
    linger(Duration::from_millis(milliseconds));
    Ok(edition())
}

/// Says something on both streams, and breaks off if the query has `fail`.
#[dacapo::http]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is there to be heard")]
fn talk(request: Request) -> String {
    println!("a line on standard output");
    eprintln!("a line on standard error");
    if request.query("fail").is_some() {
        std::process::abort();
    }
    edition()
}

/// Gives the body to the output `work`.
#[dacapo::http]
fn hand_in(request: Request) -> Result<String, Failure> {
    dacapo::output("work", request.text()?)?;
    Ok(edition())
}

/// Works on a message for a moment and returns its text.
#[dacapo::queue]
fn work(text: String) -> String {
    linger(Duration::from_millis(30));
    text
}

/// Waits for the event `Go` between two activities, and returns what both of them and it itself are.
#[dacapo::orchestrator]
async fn stay(ctx: Context) -> Result<[String; 3], Failure> {
    let before = ctx.call(tell, &()).await?;
    ctx.wait_for_event::<()>("Go").await?;
    let after = ctx.call(tell, &()).await?;
    Ok([before, edition(), after])
}

#[dacapo::activity]
fn tell() -> String {
    edition()
}

#[expect(clippy::disallowed_methods, reason = "work that takes its time, and these functions may block")]
fn linger(duration: Duration) {
    std::thread::sleep(duration);
}
