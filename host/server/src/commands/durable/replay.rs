//! `dacapo durable replay`: whether code still fits a recorded history, and on which line of the history it departs.
//!
//! Reads the history from a file or a host, runs the orchestrator over all of it, and says what the core makes of that. No
//! instance is touched.

use anyhow::{Context, anyhow, bail};
use guest::{App, Binding, ComponentSource, FunctionKind, GuestSettings, Runtime};
use orchestration::{Fit, History, HttpRequest, Limits, Recording};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ports::Orchestrators;
use serde::Serialize;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::admin_api;
use crate::cli::{OutputFormat, ReplayArguments};
use crate::clock::SystemClock;
use crate::console::Console;
use crate::data_folder::Layout;
use crate::exit::Problem;
use crate::history_file::{self, HistoryFile};
use crate::management::BASE_PATH;
use crate::manifest_file;
use crate::outbound::{Bounds, Outbound};
use crate::replay_check;
use crate::settings::{AppSettings, Environment};

/// For fetching one history.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest history that is fetched. The limit of a host is 256 MiB by default.
const MAX_HISTORY_BYTES: usize = 1 << 30;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::Departs`] when the code departs; [`Problem::NoAnswer`] when that cannot be found out.
pub(crate) fn run(arguments: &ReplayArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::NoAnswer(error.into()))?;
    let verdict = runtime.block_on(replay(arguments, environment)).map_err(Problem::NoAnswer)?;
    console.notice(&match arguments.output {
        OutputFormat::Text => verdict.in_words(),
        // A struct with text for keys always serialises.
        OutputFormat::Json => serde_json::to_string(&verdict).unwrap_or_default(),
    });
    if verdict.fits { Ok(()) } else { Err(Problem::Departs) }
}

/// What came of a replay, as `--output json` writes it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    fits: bool,
    outcome: Outcome,
    instance_id: String,
    orchestrator: String,
    /// How many the history has.
    events: usize,
    /// Where the code departs, from 1; one more than there are lines where it goes on although the history has ended.
    line: Option<usize>,
    /// What stands on that line.
    event: Option<Box<RawValue>>,
    /// Both sides of a departure; or how the host ended the instance.
    why: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Waits,
    Ends,
    EndedByHost,
    Departs,
    /// The sandbox stopped the code.
    Faulted,
}

impl Verdict {
    fn in_words(&self) -> String {
        let Verdict { orchestrator, instance_id, events, .. } = self;
        let why = self.why.as_deref().unwrap_or_default();
        let fits = format!("Fits: '{orchestrator}' does what the {events} events of the instance {instance_id} record");
        match self.outcome {
            Outcome::Waits => format!("{fits}, and waits where they end."),
            Outcome::Ends => format!("{fits}, and ends as recorded."),
            Outcome::EndedByHost => format!("{fits}, up to where the host ended the instance ({why})."),
            Outcome::Faulted => format!("Departs: '{orchestrator}' does not get through the history: {why}"),
            Outcome::Departs => {
                let place = match (self.line, &self.event) {
                    (Some(line), Some(event)) => format!(" at line {line} of the history\n  {event}"),
                    (Some(line), None) => {
                        format!(" behind line {} of the history, its last one", line.saturating_sub(1))
                    }
                    (None, _) => String::new(),
                };
                format!("Departs: '{orchestrator}' leaves the history of the instance {instance_id}{place}\n  {why}")
            }
        }
    }
}

async fn replay(arguments: &ReplayArguments, environment: &Environment) -> anyhow::Result<Verdict> {
    let text = history_text(arguments).await?;
    let what = &arguments.history;
    let file = history_file::read(&text).map_err(|why| anyhow!("the history of {what} cannot be read: {why}"))?;
    let history = History::from_events(file.events.clone()).map_err(|why| {
        let line = usize::try_from(why.index).ok().and_then(|index| file.lines.get(index)).copied().unwrap_or_default();
        anyhow!("the history of {what} is none: line {line}: {why}")
    })?;
    let identity = replay_check::identity(file.instance.clone(), &history);
    let identity = identity.context("the history has no ExecutionStarted")?;
    let recording = Recording::of(history)
        .ok_or_else(|| anyhow!("no line of the orchestrator has run yet in the instance {}", file.instance))?;
    let code = Code::of(arguments, environment, &identity.name)?;
    let app = code.load(&identity.name).await?;
    let mut orchestrator = app.begin(&identity.name, None).await?;
    let name = identity.name.clone();
    let fit = replay_check::compare(orchestrator.as_mut(), identity, &recording, Limits::default()).await;
    let (outcome, at, why) = match fit {
        Ok(Fit::Waits) => (Outcome::Waits, None, None),
        Ok(Fit::Ends) => (Outcome::Ends, None, None),
        Ok(Fit::EndedByHost { how }) => (Outcome::EndedByHost, None, Some(how)),
        Ok(Fit::Departs(departure)) => (Outcome::Departs, Some(departure.at), Some(departure.why)),
        Err(fault) => (Outcome::Faulted, None, Some(fault.to_string())),
    };
    let (line, event) = match at {
        Some(at) => place(&file, &text, at),
        None => (None, None),
    };
    Ok(Verdict {
        fits: matches!(outcome, Outcome::Waits | Outcome::Ends | Outcome::EndedByHost),
        outcome,
        instance_id: file.instance.to_string(),
        orchestrator: name,
        events: file.events.len(),
        line,
        event,
        why,
    })
}

/// The line of an event, and what stands there.
fn place(file: &HistoryFile, text: &str, at: u64) -> (Option<usize>, Option<Box<RawValue>>) {
    let line = usize::try_from(at).ok().and_then(|at| file.lines.get(at)).copied();
    match line {
        Some(line) => {
            let event = text.lines().nth(line - 1).and_then(|event| serde_json::from_str(event).ok());
            (Some(line), event)
        }
        None => (file.lines.last().map(|last| last + 1), None),
    }
}

/// From a file if there is one, else from a host.
async fn history_text(arguments: &ReplayArguments) -> anyhow::Result<String> {
    let file = Path::new(&arguments.history);
    if file.is_file() {
        return std::fs::read_to_string(file).with_context(|| file.display().to_string());
    }
    // No id has a slash.
    if arguments.history.contains(['/', '\\']) {
        bail!("there is no file {}", file.display());
    }
    let base = admin_api::origin(&arguments.url);
    let id = utf8_percent_encode(&arguments.history, NON_ALPHANUMERIC);
    let url = format!("{base}{BASE_PATH}/instances/{id}/history");
    let headers = arguments
        .key
        .iter()
        .filter(|key| !key.is_empty())
        .map(|key| ("x-functions-key".to_owned(), key.clone()))
        .collect();
    let request = HttpRequest { method: "GET".to_owned(), url, headers, content: None, fail_on_status: None };
    let shown = request.shown();
    let bounds =
        Bounds { allows: &|_https, _host, _port| true, timeout: FETCH_TIMEOUT, max_body_bytes: MAX_HISTORY_BYTES };
    let answer = Outbound::new(Arc::new(SystemClock)).send(request, bounds).await;
    let answer = answer.with_context(|| {
        format!(
            "there is no file {}, and no host that could know an instance of that id; start it, or name it with --url",
            file.display()
        )
    })?;
    match answer.status {
        200 => Ok(answer.content),
        401 => bail!("{shown} asks for a key: give the system key durabletask_extension or the master key with --key"),
        404 => bail!(
            "there is neither a file nor, on {base}, an instance named '{}'; `dacapo durable get-instances` lists those that \
             are there",
            arguments.history
        ),
        status => bail!("{shown} answered {status}: {}", answer.content),
    }
}

/// The code to replay on.
struct Code {
    component: PathBuf,
    entry_point: String,
    build_command: Option<String>,
    cache: PathBuf,
    settings: GuestSettings,
}

impl Code {
    fn of(arguments: &ReplayArguments, environment: &Environment, orchestrator: &str) -> anyhow::Result<Code> {
        let chosen = arguments.component.clone();
        let Some(manifest) = &arguments.manifest else {
            let component = chosen.context("name the code with --component or --manifest")?;
            let folder = component.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(Code {
                cache: Layout::of("replay", &folder, None).cache,
                component,
                entry_point: orchestrator.to_owned(),
                build_command: None,
                settings: GuestSettings::default(),
            });
        };
        let folder = manifest_file::folder(manifest).map_err(Problem::into_error)?;
        let settings = AppSettings::read(environment, &folder)?;
        let located = manifest_file::read(manifest, &settings).map_err(Problem::into_error)?;
        let function = located
            .app
            .function(orchestrator)
            .filter(|function| function.trigger == manifest::Trigger::Orchestration)
            .with_context(|| {
                format!("{} has no orchestrator '{orchestrator}', which the instance runs", located.file)
            })?;
        let component = located.app.components.get(&function.component).context("a function is in no component")?;
        Ok(Code {
            component: chosen.unwrap_or_else(|| located.folder.join(&component.source)),
            entry_point: function.entry_point.clone(),
            build_command: component.build.as_ref().map(|build| build.command.clone()),
            cache: Layout::of(&located.app.name, &located.folder, None).cache,
            settings: crate::wiring::guest_settings(&located.app),
        })
    }

    async fn load(self, orchestrator: &str) -> anyhow::Result<App> {
        let runtime = Runtime::new(self.settings, &self.cache)?;
        let source = ComponentSource {
            name: self.component.display().to_string(),
            path: self.component,
            build_command: self.build_command,
            allowed_hosts: Vec::new(),
        };
        let component = runtime.load(source).await?;
        // As names are compared everywhere; a component alone has no manifest that would say how it is written.
        let named = component
            .functions()
            .iter()
            .find(|(name, kind)| *kind == FunctionKind::Orchestrator && name.eq_ignore_ascii_case(&self.entry_point));
        let binding = Binding {
            function: orchestrator.to_owned(),
            entry_point: named.map_or(self.entry_point, |(name, _)| name.clone()),
            component,
            kind: FunctionKind::Orchestrator,
            timeout: None,
            heartbeat_timeout: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        App::for_replay(&runtime, vec![binding]).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!(errors.join("\n"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::sync::LazyLock;

    /// `BookTrip` of the sample as it was recorded once.
    const RECORDED: &str = include_str!("replay/book_trip.ndjson");

    /// The cache of compiled code stands beside the component: both are copied, and the code is compiled once for all tests.
    static COMPILED: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let component = folder.path().join("booking.wasm");
        std::fs::copy(artifacts::guest("conference-booking"), component).expect("it can be copied");
        folder
    });

    async fn verdict_on(history: &str) -> anyhow::Result<Verdict> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("history.ndjson");
        std::fs::write(&file, history)?;
        let component = COMPILED.path().join("booking.wasm");
        let arguments = ReplayArguments {
            history: file.display().to_string(),
            component: Some(component),
            manifest: None,
            url: "http://127.0.0.1:1".to_owned(),
            key: None,
            output: OutputFormat::Text,
        };
        let verdict = replay(&arguments, &Environment::default()).await;
        let masked = |text: String, folder: &Path| text.replace(&folder.display().to_string(), "FOLDER");
        let shown = |error: anyhow::Error| masked(masked(format!("{error:#}"), folder.path()), COMPILED.path());
        verdict.map_err(|error| anyhow!(shown(error)))
    }

    async fn check(history: &str, expected: &Expect) {
        let said = match verdict_on(history).await {
            Ok(verdict) => verdict.in_words(),
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&said);
    }

    /// The history with something else on one line, from 1; with nothing there, the line goes.
    fn with_line(line: usize, from: &str, to: &str) -> String {
        let mut lines: Vec<String> = RECORDED.lines().map(str::to_owned).collect();
        assert!(lines[line - 1].contains(from), "{}", lines[line - 1]);
        lines[line - 1] = lines[line - 1].replace(from, to);
        lines.join("\n")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn code_fits_what_it_did_itself() {
        check(
            RECORDED,
            &expect!["Fits: 'BookTrip' does what the 16 events of the instance trip-1 record, and ends as recorded."],
        )
        .await;
        let lines: Vec<&str> = RECORDED.lines().collect();
        for turns in 1..lines.len() {
            if lines[turns - 1].contains("OrchestratorCompleted") {
                assert!(verdict_on(&lines[..turns].join("\n")).await.expect("a verdict").fits, "up to line {turns}");
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_departure_is_told_with_its_line() {
        check(&with_line(3, "BookConference", "BookTrain"), &expect![[r#"
            Departs: 'BookTrip' leaves the history of the instance trip-1 at line 3 of the history
              {"eventType":"TaskScheduled","timestamp":"2026-11-22T11:19:39.6218368Z","eventId":0,"name":"BookTrain","input":{"traveller":"Ada","conference":"RustConf"}}
              a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'BookTrain', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'BookConference'"#]]).await;
        let json = verdict_on(&with_line(3, "BookConference", "BookTrain")).await.expect("a verdict");
        expect![[r#"{"fits":false,"outcome":"departs","instanceId":"trip-1","orchestrator":"BookTrip","events":16,"line":3,"event":{"eventType":"TaskScheduled","timestamp":"2026-11-22T11:19:39.6218368Z","eventId":0,"name":"BookTrain","input":{"traveller":"Ada","conference":"RustConf"}},"why":"a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'BookTrain', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'BookConference'"}"#]].assert_eq(&serde_json::to_string(&json).expect("JSON"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_compared_is_said() {
        check("", &expect!["error: the history of FOLDER/history.ndjson cannot be read: it has no event ExecutionStarted: the instance has not begun, so that there is nothing to replay"]).await;
        check("{}", &expect![[r#"error: the history of FOLDER/history.ndjson cannot be read: line 1: 'timestamp' is ""; it must be like 2024-01-31T08:00:00.0000000Z"#]]).await;
        check(&with_line(3, "\"eventId\":0", "\"eventId\":9"), &expect!["error: the history of FOLDER/history.ndjson is none: line 3: event 2 of the history, TaskScheduled, cannot stand there: its number does not follow the last one"]).await;
        check(&with_line(2, "BookTrip", "BookMoon"), &expect!["error: function 'BookMoon': the component 'FOLDER/booking.wasm' has no orchestrator named 'BookMoon'; it has: Approve (HTTP function), ApprovedTrip (orchestrator), BookConference (activity), BookFlight (activity), BookHotel (activity), BookTrain (activity), BookTrip (orchestrator), CancelBooking (activity), CombinedTrips (orchestrator), Compensating (orchestrator), EmailCampaign (orchestrator), FlightOrTrain (orchestrator), FlightWithRetry (orchestrator), ParallelTrips (orchestrator), PriceWatch (orchestrator), ReportExpenses (activity), SendEmail (activity), Sequential (orchestrator), StartApprovedTrip (HTTP function), StartBookTrip (HTTP function), StartCombinedTrips (HTTP function), StartCompensating (HTTP function), StartEmailCampaign (HTTP function), StartFlightOrTrain (HTTP function), StartFlightWithRetry (HTTP function), StartParallelTrips (HTTP function), StartPriceWatch (HTTP function), StartSequential (HTTP function)"]).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_no_file_is_looked_for_at_the_host() {
        let check = async |history: &str, expected: &Expect| {
            // Nobody can listen there.
            let url = "http://127.0.0.1:0/".to_owned();
            let component = Some(PathBuf::from("booking.wasm"));
            let history = history.to_owned();
            let arguments =
                ReplayArguments { history, component, manifest: None, url, key: None, output: OutputFormat::Json };
            expected.assert_eq(
                &replay(&arguments, &Environment::default()).await.expect_err("it is not there").to_string(),
            );
        };
        check("folder/history.json", &expect!["there is no file folder/history.json"]).await;
        check("trip-1", &expect!["there is no file trip-1, and no host that could know an instance of that id; start it, or name it with --url"]).await;
    }
}
