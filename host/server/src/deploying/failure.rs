//! Why nothing was deployed, for people and for programs.

use bundle::BundleError;
use serde::Serialize;

use crate::exit::Problem;
use crate::hosting::Host;
use crate::manifest_file::LocatedApp;

/// What it means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// What was sent is wrong.
    Invalid,
    /// What was sent is too large.
    TooLarge,
    /// What was meant is not there.
    NotFound,
    /// It does not fit what is there.
    Conflict,
    /// The disk is full.
    NoRoom,
    /// The host could not do it.
    Host,
    /// The host ends.
    Ending,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Failed {
    /// What it means.
    #[serde(skip)]
    pub(crate) why: Why,
    /// The same at all times, for programs.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) message: String,
    /// One by one, if there are several.
    pub(crate) problems: Vec<String>,
}

impl Failed {
    /// A failure with one problem, which the message tells.
    pub(crate) fn new(why: Why, code: &'static str, message: &str) -> Failed {
        Failed { why, code, message: message.to_owned(), problems: Vec::new() }
    }

    /// What was sent is wrong.
    pub(crate) fn invalid(code: &'static str, message: &str, problems: Vec<String>) -> Failed {
        Failed { problems, ..Failed::new(Why::Invalid, code, message) }
    }

    /// It does not fit what is there.
    pub(crate) fn conflict(code: &'static str, message: &str, problems: Vec<String>) -> Failed {
        Failed { problems, ..Failed::new(Why::Conflict, code, message) }
    }

    /// The host could not do it.
    #[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
    pub(crate) fn host(error: anyhow::Error) -> Failed {
        Failed::new(Why::Host, "HostFailed", &format!("{error:#}"))
    }

    /// There is no such app.
    pub(crate) fn unknown_app(app: &str, host: &Host) -> Failed {
        let names: Vec<String> = host.apps.all().iter().map(|served| served.app.name.clone()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failed::new(Why::NotFound, "AppNotFound", &format!("there is no app '{app}' here; there are: {names}"))
    }

    /// Instances do not fit new code; or whether they do cannot be told.
    pub(crate) fn departs(problem: Problem) -> Failed {
        match problem {
            Problem::App(error) => Failed { why: Why::Conflict, code: "InstancesDepart", ..split(&error) },
            other @ (Problem::Host(_)
            | Problem::Aborted
            | Problem::Interrupted
            | Problem::Departs
            | Problem::NoAnswer(_)
            | Problem::Wanting) => other.into(),
        }
    }

    /// Files are told as their author knows them, by their places in the bundle: where it is unpacked is the host's business.
    pub(crate) fn named_as_in_bundle(self, located: &LocatedApp) -> Failed {
        let folder = located.folder.display().to_string();
        let name = located.file.strip_suffix(&format!("/{}", bundle::MANIFEST_FILE)).unwrap_or(&located.file);
        let told = |text: String| text.replace(&folder, name);
        Failed { message: told(self.message), problems: self.problems.into_iter().map(told).collect(), ..self }
    }

    /// All of it, a line for each problem.
    pub(crate) fn in_words(&self) -> String {
        [&self.message].into_iter().chain(&self.problems).map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The same, of an app that was to be served.
    pub(crate) fn of_app(self, app: &str) -> Failed {
        Failed { message: format!("the app '{app}' is not served: {}", self.message), ..self }
    }
}

/// The first line says what it is about, and the others are the problems.
fn split(error: &anyhow::Error) -> Failed {
    let text = format!("{error:#}");
    let mut lines = text.lines().map(str::to_owned);
    let message = lines.next().unwrap_or_default();
    Failed { why: Why::Invalid, code: "BadApp", message, problems: lines.collect() }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Failed {
        match problem {
            Problem::App(error) => split(&error),
            other @ (Problem::Host(_)
            | Problem::Aborted
            | Problem::Interrupted
            | Problem::Departs
            | Problem::NoAnswer(_)
            | Problem::Wanting) => Failed::host(other.into_error()),
        }
    }
}

impl From<BundleError> for Failed {
    fn from(error: BundleError) -> Failed {
        let is_too_large = matches!(
            error,
            BundleError::TooLarge { .. } | BundleError::EntryTooLarge { .. } | BundleError::UnpackedTooLarge { .. }
        );
        let why = if is_too_large { Why::TooLarge } else { Why::Invalid };
        Failed::new(why, "BadBundle", &error.to_string())
    }
}
