//! The binary `dacapo`: the table of contents of what it does from its first line to its exit code.
//!
//! Each command has a file under `commands`. The environment is read here, once: by `settings` for apps and
//! for the host, and by `clap` for the options that say which variable gives them.

mod accounts;
mod admin;
mod app_versions;
mod auth;
mod background;
mod cli;
mod clock;
mod commands;
mod console;
mod cors;
mod data_folder;
mod deploying;
mod deployments;
#[cfg_attr(not(test), expect(dead_code, reason = "the start command takes it up"))]
mod dev_loop;
mod durable_client;
mod durable_http;
mod exit;
mod file_writer;
mod guests;
mod history_file;
mod hosting;
mod http_server;
mod invocations;
mod keys;
mod listeners;
mod listing;
mod log_stream;
mod machine;
mod management;
mod manifest_file;
mod metering;
mod moment;
mod outbound;
mod port;
mod replay_check;
mod running;
mod settings;
mod shutdown;
mod storage_endpoint;
mod telemetry;
mod watching;
mod wiring;

use clap::Parser;
use std::process::ExitCode;
use std::sync::Arc;

use crate::console::Console;
use crate::settings::Environment;

fn main() -> ExitCode {
    let stopwatch = clock::Stopwatch::start();
    let environment = Environment::read();
    let cli = cli::Cli::parse();
    let console = Arc::new(Console::new(&environment));
    let outcome = match cli.command {
        cli::Command::Start(arguments) => commands::start::run(&arguments, &environment, &console, stopwatch),
        cli::Command::Serve(arguments) => commands::serve::run(&arguments, &environment, &console, stopwatch),
        cli::Command::Init(arguments) => commands::init::run(&arguments, &console),
        cli::Command::New(arguments) => commands::new::run(&arguments, &environment, &console),
        cli::Command::Templates(arguments) => {
            commands::templates::run(&arguments, &console);
            Ok(())
        }
        cli::Command::Keys(command) => commands::keys::run(&command, &environment, &console),
        cli::Command::Settings(arguments) => commands::settings::run(&arguments, &environment, &console),
        cli::Command::Doctor(arguments) => commands::doctor::run(&arguments, &environment, &console),
        cli::Command::Import(arguments) => commands::import::run(&arguments, &console),
        cli::Command::Invoke(arguments) => commands::invoke::run(&arguments, &console),
        cli::Command::Usage(arguments) => commands::usage::run(&arguments, &console),
        cli::Command::Logs(arguments) => commands::logs::run(&arguments, &console),
        cli::Command::Build(arguments) => commands::build::run(&arguments, &environment, &console),
        cli::Command::List(arguments) => commands::list::run(&arguments, &environment, &console),
        cli::Command::Routes(arguments) => commands::routes::run(&arguments, &environment, &console),
        cli::Command::Storage(command) => commands::storage::run(&command, &console),
        cli::Command::Schema(arguments) => commands::schema::run(&arguments, &console),
        cli::Command::Completions(arguments) => commands::completions::run(&arguments, &console),
        cli::Command::Pack(arguments) => commands::pack::run(&arguments, &environment, &console),
        cli::Command::Deploy(arguments) => commands::deploy::run(&arguments, &environment, &console),
        cli::Command::Apps(command) => commands::apps::run(&command, &console),
        cli::Command::Durable(command) => commands::durable::run(&command, &environment, &console),
    };
    exit::finish(outcome, &console)
}
