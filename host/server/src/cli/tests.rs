//! Whether the command line can be typed as help texts and documents say.

use super::Cli;
use clap::{Command, CommandFactory, Parser};
use std::fs;
use std::path::{Path, PathBuf};

/// Documents for users, from the top of the repository.
const DOCUMENTS: &[&str] = &["README.md", "host/docs", "sample-functions", "sdk/rust"];

/// The words of each command in a line of a shell, without what is redirected and without comments. Quotes are taken off.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let (mut word, mut quote): (Option<String>, Option<char>) = (None, None);
    let mut characters = line.chars().peekable();
    let end_word = |word: &mut Option<String>, commands: &mut Vec<Vec<String>>| {
        if let (Some(word), Some(command)) = (word.take(), commands.last_mut()) {
            command.push(word);
        }
    };
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(characters.next()),
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, Some(open)) if character == open => quote = None,
            ('#', None) if word.is_none() => break,
            ('|' | '&' | ';' | '>', None) => {
                end_word(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            (_, None) if character.is_whitespace() => end_word(&mut word, &mut commands),
            (_, None | Some(_)) => word.get_or_insert_default().push(character),
        }
    }
    end_word(&mut word, &mut commands);
    commands
}

/// The part of a command that this program reads, if it is one of its commands.
fn of_dacapo(words: &[String]) -> Option<Vec<String>> {
    let names = |name: &str| Cli::command().find_subcommand(name).is_some();
    let begins = |at: usize| words.get(at).is_some_and(|word| word == "dacapo");
    if words.starts_with(&["cargo".to_owned(), "run".to_owned()]) {
        let at = words.iter().position(|word| word == "--")?;
        return Some([&["dacapo".to_owned()], words.get(at + 1..)?].concat());
    }
    let at =
        (0..words.len()).find(|at| begins(*at) && (*at == 0 || words.get(at + 1).is_some_and(|next| names(next))))?;
    words.get(at..).map(<[String]>::to_vec)
}

/// How many commands a text has; what is wrong with those that clap refuses is collected.
fn check_line(place: &str, line: &str, wrong: &mut Vec<String>) -> usize {
    let found: Vec<Vec<String>> = commands(line).iter().filter_map(|words| of_dacapo(words)).collect();
    for words in &found {
        let refused = Cli::try_parse_from(words).err().filter(clap::Error::use_stderr);
        if let Some(error) = refused {
            wrong.push(format!("{place}: {line}\n{error}"));
        }
    }
    found.len()
}

fn check_help(command: &Command, wrong: &mut Vec<String>) -> usize {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = help.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let own: usize = examples.map(|line| check_line(command.get_name(), line, wrong)).sum();
    own + command.get_subcommands().map(|command| check_help(command, wrong)).sum::<usize>()
}

#[test]
fn every_example_of_a_help_text_can_be_typed() {
    let mut wrong = Vec::new();
    let examples = check_help(&Cli::command(), &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(examples > 50, "only {examples} examples were found");
}

#[test]
fn every_command_has_examples_and_exit_codes() {
    let command = Cli::command();
    let lacking = command.get_subcommands().filter(|command| {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        !help.contains("dacapo ") || !help.contains("Exit codes:")
    });
    let lacking: Vec<&str> = lacking.map(Command::get_name).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

fn documents(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let entries = fs::read_dir(path).expect("it can be read").map(|entry| entry.expect("it can be read").path());
        entries.filter(|entry| !hidden(entry) && !entry.ends_with("target")).for_each(|entry| documents(&entry, found));
    } else if path.extension().is_some_and(|extension| extension == "md") {
        found.push(path.to_owned());
    }
}

/// The lines of the shell blocks of a document; one that ends with a backslash goes on in the next.
fn shell_lines(document: &str) -> Vec<String> {
    let blocks = document.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_command_of_a_document_can_be_typed() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    DOCUMENTS.iter().for_each(|place| documents(&top.join(place), &mut found));
    let mut wrong = Vec::new();
    let mut typed = 0;
    for document in found {
        let text = fs::read_to_string(&document).expect("it can be read");
        let place = document.display().to_string();
        typed += shell_lines(&text).iter().map(|line| check_line(&place, line, &mut wrong)).sum::<usize>();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(typed > 30, "only {typed} commands were found");
}

#[test]
fn lines_are_taken_apart_as_a_shell_does() {
    let check = |line: &str, expected: &[&[&str]]| {
        let found: Vec<Vec<String>> = commands(line).iter().filter_map(|words| of_dacapo(words)).collect();
        assert_eq!(found, expected, "{line}");
    };
    check(
        "pass show a | dacapo keys set app.toml b --value - # c",
        &[&["dacapo", "keys", "set", "app.toml", "b", "--value", "-"]],
    );
    check("  bash   dacapo completions bash > ~/dacapo", &[&["dacapo", "completions", "bash"]]);
    check("cd a && dacapo start", &[&["dacapo", "start"]]);
    check(
        r#"dacapo invoke A --data '{"b": "c d"}' "$E" f\ g"#,
        &[&["dacapo", "invoke", "A", "--data", r#"{"b": "c d"}"#, "$E", "f g"]],
    );
    check("cargo run --release -- start app.toml", &[&["dacapo", "start", "app.toml"]]);
    check("docker exec dacapo dacapo keys list", &[&["dacapo", "keys", "list"]]);
    check("docker build --tag dacapo .", &[]);
    check("dacapo unknown", &[&["dacapo", "unknown"]]);
}
