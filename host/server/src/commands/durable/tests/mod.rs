//! Commands as they are typed, against the management API over a task hub in memory, on a real socket.

mod commands;
mod host;
mod looks;
mod watching;

use super::paint::Look;
use super::{Said, answer};
use crate::cli::{Cli, Command};
use crate::exit::Problem;
use clap::Parser;
use expect_test::Expect;
use host::Host;

/// A file of 80 columns.
const FILE: Look = Look { colours: false, terminal: false, width: 80, height: 24 };

/// Runs a command and says its exit code and what it printed.
async fn run(url: &str, words: &[&str]) -> String {
    let typed = [&["dacapo", "durable"], words, &["--url", url]].concat();
    let command = match Cli::try_parse_from(typed) {
        Ok(Cli { command: Command::Durable(command) }) => command,
        Ok(_) => unreachable!("the word 'durable' is there"),
        Err(error) => {
            return format!("[{}] {}", error.exit_code(), error.to_string().lines().next().unwrap_or_default());
        }
    };
    let mut drawn = String::new();
    let answered = answer(&command, FILE, &mut |text| drawn.push_str(text)).await;
    let said = match answered {
        Ok(Said { text, is_well: true }) => format!("[0] {drawn}{text}"),
        Ok(Said { text, is_well: false }) => format!("[1] {drawn}{text}"),
        Err(problem) => failed(problem),
    };
    said.replace(url, "URL")
}

fn failed(problem: Problem) -> String {
    let code = match &problem {
        Problem::Host(_) | Problem::Wanting | Problem::Departs => 1,
        Problem::NoAnswer(_) => 2,
        Problem::App(_) => 3,
        Problem::Aborted | Problem::Interrupted => 130,
    };
    format!("[{code}] error: {}", problem.into_error())
}

/// What one command says of a host.
async fn check(host: &Host, words: &[&str], expected: &Expect) {
    let said = host.serve(async |url| run(&url, words).await).await;
    let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
    expected.assert_eq(&lines.join("\n"));
}
