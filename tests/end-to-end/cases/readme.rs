//! The `curl` lines of the README and of those of the samples, run as they stand there: what is documented must be what happens. That
//! other commands can be typed as they are documented is tested beside the command line.
//!
//! Most READMEs are lists of examples, which are run at the same time. The one at the top and those of `durable-model` and
//! `trips-by-queue` are walks: their lines are run in order, with the variables that they set, and `...` in an answer stands for
//! anything.
//!
//! A block of shell lines is a command; a block of JSON right after it is the answer, of which fields may be left out. One that is no
//! JSON because `...` stands for a part of it is for people, and so are lines with a placeholder such as `<id>`, which are not run.

use serde_json::{Map, Value};
use std::process::Command;

use super::storage_clients::connection_to;
use crate::account::Account;
use crate::host::Host;
use crate::samples::{self, repository_file};

/// Where the READMEs say that the host is.
const DOCUMENTED_ORIGIN: &str = "localhost:7071";

/// A command of a README and what should come of it.
#[derive(Debug)]
struct Example {
    command: String,
    /// Text of the answer, or a JSON value that it must hold.
    answer: Option<Answer>,
}

#[derive(Debug)]
enum Answer {
    Json(Value),
    /// The lines that stand as comments under the command.
    Lines(Vec<String>),
}

/// The examples of a README, in order.
fn examples(readme: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let blocks: Vec<&str> = readme.split("```").collect();
    // Text and blocks alternate; a block begins with its language.
    for (index, block) in blocks.iter().enumerate().filter(|(index, _)| index % 2 == 1) {
        let (language, body) = block.split_once('\n').unwrap_or((block, ""));
        let follows_directly = index >= 2 && blocks[index - 1].trim().is_empty();
        match language.trim() {
            "sh" => found.extend(commands(body)),
            "json" if follows_directly => {
                let answer = match serde_json::from_str(body) {
                    Ok(value) => Some(Answer::Json(value)),
                    Err(_) if body.contains("...") => None,
                    Err(error) => panic!("{error} in\n{body}"),
                };
                found.last_mut().expect("an answer follows a command").answer = answer;
            }
            _ => {}
        }
    }
    found.retain(|example| !example.command.contains('<'));
    found
}

/// The commands of a shell block. A command goes on behind a backslash, while a quote is open, and up to the end of a loop.
fn commands(block: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut command = String::new();
    for line in block.lines() {
        if command.is_empty() {
            if let (Some(comment), Some(example)) = (line.strip_prefix("# "), found.last_mut()) {
                match &mut example.answer {
                    Some(Answer::Lines(lines)) => lines.push(comment.to_owned()),
                    Some(Answer::Json(_)) | None => example.answer = Some(Answer::Lines(vec![comment.to_owned()])),
                }
                continue;
            }
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
        }
        command.push_str(line);
        command.push('\n');
        let quote_is_open = command.matches('\'').count() % 2 == 1;
        let loop_is_open = command.starts_with("for ") && !command.ends_with("done\n");
        if !line.ends_with('\\') && !quote_is_open && !loop_is_open {
            found.push(Example { command: std::mem::take(&mut command), answer: None });
        }
    }
    found
}

/// Runs the examples of a sample's README against the sample.
fn check(app: &str, readme: &str) {
    let text = std::fs::read_to_string(repository_file(readme)).expect("the sample has a README");
    let mut examples = examples(&text);
    examples.retain(|example| example.command.starts_with("curl "));
    assert!(!examples.is_empty(), "no curl line in {readme}");
    let host = Host::start(&samples::manifest(app), ["--ephemeral"]);
    let origin = host.origin();
    std::thread::scope(|scope| {
        let runs: Vec<_> = examples.iter().map(|example| scope.spawn(move || run(example, origin))).collect();
        for run in runs {
            run.join().expect("see above");
        }
    });
    host.stop();
}

fn run(example: &Example, origin: &str) {
    let documented = &example.command;
    assert!(documented.contains(DOCUMENTED_ORIGIN), "curl talks to somebody else: {documented}");
    let authority = origin.trim_start_matches("http://");
    let command = documented.replace(DOCUMENTED_ORIGIN, authority).replacen("curl ", "curl --silent --show-error ", 1);
    // Where examples find a file to send, and leave what they get.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let large_file = "all work and no play\n".repeat(200_000);
    std::fs::write(folder.path().join("some-large-file"), &large_file).expect("it can be written");
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", &command]).current_dir(folder.path()).output().expect("there is a shell");
    let answer = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {}\n{errors}{answer}", output.status);
    if let Ok(copy) = std::fs::read_to_string(folder.path().join("copy")) {
        assert!(copy.ends_with(&large_file), "{command} left {} bytes of {}", copy.len(), large_file.len());
    }
    match &example.answer {
        Some(Answer::Json(expected)) => {
            let value: Value =
                serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{command}: {error}: {answer}"));
            assert!(holds(&value, expected), "{command}\nanswered\n{value:#}\nwhich is not\n{expected:#}");
        }
        Some(Answer::Lines(lines)) => {
            for line in lines.iter().filter(|line| is_output(line)) {
                assert!(answer.contains(line.as_str()), "{command}\nanswered\n{answer}\nwithout\n{line}");
            }
        }
        None => {
            let value: Result<Value, _> = serde_json::from_str(&answer);
            let is_error = value.as_ref().is_ok_and(|value| value.get("error").is_some());
            assert!(!is_error, "{command} answered {answer}");
        }
    }
}

/// Comments that are no output are sentences in brackets or begin with a status code.
fn is_output(line: &str) -> bool {
    !line.starts_with("202") && !line.starts_with("or,")
}

/// Whether `value` is what `expected` says, as far as it says something: fields may be left out, `...` stands for anything, and
/// references differ from run to run.
fn holds(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(fields), Value::Object(expected)) => object_holds(fields, expected),
        (Value::Array(items), Value::Array(expected)) => {
            items.len() == expected.len() && items.iter().zip(expected).all(|(item, expected)| holds(item, expected))
        }
        (Value::String(day), Value::String(expected)) if is_day(day) && is_day(expected) => true,
        _ => value == expected,
    }
}

/// Whether a text is a day, such as 2026-11-22: that of the README is another one than today.
fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn object_holds(fields: &Map<String, Value>, expected: &Map<String, Value>) -> bool {
    expected.iter().all(|(name, expected)| match (name.as_str(), fields.get(name)) {
        ("...", _) => true,
        ("reference" | "Seat", Some(value)) => {
            kind_of_reference(value).is_some() && kind_of_reference(value) == kind_of_reference(expected)
        }
        (_, Some(value)) => holds(value, expected),
        (_, None) => false,
    })
}

/// `FL` of `FL-KCA9MX`.
fn kind_of_reference(reference: &Value) -> Option<&str> {
    Some(reference.as_str()?.split_once('-')?.0)
}

/// Runs the commands of a README in order, of which there must be so many.
fn walk(app: &str, readme: &str, commands: usize) -> Host {
    let text = std::fs::read_to_string(repository_file(readme)).expect("the sample has a README");
    let mut host = Host::start(&samples::manifest(app), ["--ephemeral"]);
    let authority = host.origin().trim_start_matches("http://").to_owned();
    let mut variables = String::new();
    let mut steps = 0;
    for example in examples(&text) {
        let command = example.command.replace(DOCUMENTED_ORIGIN, &authority);
        if is_assignment(&command) {
            variables.push_str(&command);
        } else if command.contains("curl ") {
            let script = format!("{variables}{}", command.replace("curl ", "curl --silent --show-error "));
            step(&mut host, &example, &script);
            steps += 1;
        }
    }
    assert!(steps >= commands, "{steps} lines of {readme} were run");
    host
}

fn is_assignment(command: &str) -> bool {
    command.split_once('=').is_some_and(|(name, _)| name.chars().all(|letter| letter.is_ascii_uppercase()))
}

/// Runs one command. Whoever only looks may look again, until there is to be seen what the README says.
fn step(host: &mut Host, example: &Example, script: &str) {
    let Some(expected) = &example.answer else {
        shell(script);
        return;
    };
    if [" -d ", " -X "].iter().any(|changes| example.command.contains(changes)) {
        let printed = shell(script);
        assert!(expected.is(&printed), "{}printed\n{printed}\nwhich is not\n{expected:#?}", example.command);
    } else {
        host.look_until(&format!("{}prints {expected:#?}", example.command), |_| {
            expected.is(&shell(script)).then_some(())
        });
    }
}

impl Answer {
    /// Whether a command has printed this. Of a response with its headers, which `-i` shows, the first line counts.
    fn is(&self, printed: &str) -> bool {
        match self {
            Answer::Json(expected) => serde_json::from_str(printed).is_ok_and(|value| holds(&value, expected)),
            Answer::Lines(lines) => {
                let head = printed.starts_with("HTTP/").then(|| printed.lines().next()).flatten();
                matches(head.unwrap_or(printed), &lines.join("\n"))
            }
        }
    }
}

/// What a script prints, if all goes well.
fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output().expect("there is a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{errors}", output.status);
    String::from_utf8_lossy(&output.stdout).replace('\r', "").trim_end().to_owned()
}

/// Whether a text is like the pattern, in which `...` stands for anything.
fn matches(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[test]
fn the_readme_at_the_top() {
    walk("conference-booking", "README.md", 5).stop();
}

#[test]
fn durable_model() {
    walk("durable-model", "sample-functions/durable-model/README.md", 20).stop();
}

#[test]
fn trips_by_queue() {
    let mut host = walk("trips-by-queue", "sample-functions/trips-by-queue/README.md", 5);
    // What the walk leaves to the reader: the request that is none was refused, and so is one that is sent twice.
    let account = Account::new(&connection_to(&host));
    let refused = |host: &mut Host, count: usize| -> Vec<String> {
        let rows = host.look_until(&format!("{count} requests are refused"), |_| {
            Some(account.rows("RefusedRequests")).filter(|rows| rows.len() == count)
        });
        rows.iter().map(|row| row["Text"].to_string()).collect()
    };
    let oslo = "\"one for Oslo, please\"";
    assert_eq!(refused(&mut host, 1), [oslo]);
    host.client().post("/api/trips", r#"{"id":"7","traveller":"Ada","conference":"RustConf"}"#).expect(202);
    assert!(refused(&mut host, 2).iter().any(|text| text.contains("Ada")));
    assert_eq!(account.rows("Trips").len(), 1);
    assert_eq!(account.texts("trip-receipts"), ["Ada is on the list for RustConf"]);
    host.stop();
}

#[test]
fn conference_booking() {
    check("conference-booking", "sample-functions/conference-booking/README.md");
}

#[test]
fn hello_http() {
    check("hello", "sample-functions/hello-http/README.md");
}

#[test]
fn hello_wasi_http() {
    check("hello", "sample-functions/hello-wasi-http/README.md");
}
