//! `dacapo completions`: what a shell has to know to complete our commands.

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::cli::{Cli, CompletionsArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::Host`]: never, unless the generator breaks its word to write text.
pub(crate) fn run(arguments: &CompletionsArguments, console: &Console) -> Result<(), Problem> {
    let script = script(arguments.shell)?;
    console.notice(&shown(script.trim_end(), arguments));
    Ok(())
}

fn shown(script: &str, arguments: &CompletionsArguments) -> String {
    match arguments.output {
        OutputFormat::Text => script.to_owned(),
        OutputFormat::Json => json!({ "shell": arguments.shell.to_string(), "script": script }).to_string(),
    }
}

fn script(shell: Shell) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dacapo", &mut bytes);
    String::from_utf8(bytes).context("the completions are no text").map_err(Problem::Host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn every_shell_learns_every_command() {
        let command = Cli::command();
        for shell in Shell::value_variants() {
            let script = script(*shell).expect("it is text");
            for subcommand in command.get_subcommands() {
                assert!(script.contains(subcommand.get_name()), "{shell}: {}", subcommand.get_name());
            }
            assert!(script.contains("find-free-port"), "{shell} knows no options");
        }
    }

    #[test]
    fn programs_get_the_script_as_one_text() {
        let arguments = CompletionsArguments { shell: Shell::Fish, output: OutputFormat::Json };
        assert_eq!(shown("a \"b\"", &arguments), r#"{"script":"a \"b\"","shell":"fish"}"#);
        assert_eq!(shown("a", &CompletionsArguments { output: OutputFormat::Text, ..arguments }), "a");
    }
}
