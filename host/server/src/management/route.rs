//! Which operation of the management API a request asks for. Pure: method and path in, operation out.
//!
//! Fixed parts of a path are compared without case, one slash at the end is passed over, and what stands between slashes is
//! percent-decoded after splitting. Whatever is not an operation is none: it is answered with 404 and no body, also where
//! only the method is wrong.

use http::Method;
use percent_encoding::percent_decode_str;

/// Where the API stands; every URI that the host makes begins here.
pub(crate) const BASE_PATH: &str = "/runtime/webhooks/durabletask";

/// Where it stood in version 1 of Azure Functions. Old clients still ask here.
const OLD_BASE_PATH: &str = "/admin/extensions/DurableTaskExtension";

/// Stands for the empty key of an entity, which no path segment can be.
const EMPTY_KEY: &str = "$";

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// `POST orchestrators/{function}[/{id}]`
    Start { function: String, instance_id: Option<String> },
    /// `GET entities[/{name}]`
    ListEntities { name: Option<String> },
    /// `GET entities/{name}/{key}`
    ReadEntity { name: String, key: String },
    /// `POST entities/{name}[/{key}]`
    SignalEntity { name: String, key: String },
    /// `DELETE entities/{name}[/{key}]`
    DeleteEntity { name: String, key: String },
    /// `GET instances/`
    List,
    /// `DELETE instances/`
    PurgeMany,
    /// Everything below `instances/{id}`
    Instance { id: String, action: Action },
    /// `POST makeprimary/`
    MakePrimary,
    /// `GET openapi.json`
    OpenApi,
}

/// What is to be done with one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// `GET`
    Status,
    /// `DELETE`
    Purge,
    /// `POST raiseEvent/{event}`
    RaiseEvent { event: String },
    /// `POST terminate`
    Terminate,
    /// `POST suspend`
    Suspend,
    /// `POST resume`
    Resume,
    /// `POST rewind`
    Rewind,
    /// `POST restart`
    Restart,
    /// `GET explain`
    Explain,
    /// `GET history`
    History,
}

/// The part of the path below the base; none if the path is not the API's.
pub(super) fn below_base(path: &str) -> Option<&str> {
    [BASE_PATH, OLD_BASE_PATH].into_iter().find_map(|base| {
        let (start, rest) = path.split_at_checked(base.len())?;
        (start.eq_ignore_ascii_case(base) && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
    })
}

/// The operation; none for everything that is not one.
pub(super) fn find(method: &Method, path: &str) -> Option<Operation> {
    let rest = below_base(path)?.strip_prefix('/')?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let segments: Vec<&str> = rest.split('/').collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let (first, below) = segments.split_first()?;
    match first.to_ascii_lowercase().as_str() {
        "orchestrators" if method == Method::POST => start(below),
        "entities" => entities(method, below),
        "instances" => instances(method, below),
        "makeprimary" if method == Method::POST && below.is_empty() => Some(Operation::MakePrimary),
        "openapi.json" if method == Method::GET && below.is_empty() => Some(Operation::OpenApi),
        _ => None,
    }
}

fn start(segments: &[&str]) -> Option<Operation> {
    let (function, instance_id) = match segments {
        [function] => (function, None),
        [function, id] => (function, Some(decode(id)?)),
        _ => return None,
    };
    Some(Operation::Start { function: decode(function)?, instance_id })
}

fn entities(method: &Method, segments: &[&str]) -> Option<Operation> {
    let operation = match (method, segments) {
        (&Method::GET, []) => Operation::ListEntities { name: None },
        (&Method::GET, [name]) => Operation::ListEntities { name: Some(decode(name)?) },
        (&Method::GET, [name, key]) => {
            let key = decode(key)?;
            Operation::ReadEntity { name: decode(name)?, key: if key == EMPTY_KEY { String::new() } else { key } }
        }
        (&Method::POST, [name]) => Operation::SignalEntity { name: decode(name)?, key: String::new() },
        (&Method::POST, [name, key]) => Operation::SignalEntity { name: decode(name)?, key: decode(key)? },
        (&Method::DELETE, [name]) => Operation::DeleteEntity { name: decode(name)?, key: String::new() },
        (&Method::DELETE, [name, key]) => Operation::DeleteEntity { name: decode(name)?, key: decode(key)? },
        _ => return None,
    };
    Some(operation)
}

fn instances(method: &Method, segments: &[&str]) -> Option<Operation> {
    let (id, below) = match (method, segments.split_first()) {
        (&Method::GET, None) => return Some(Operation::List),
        (&Method::DELETE, None) => return Some(Operation::PurgeMany),
        (_, None) => return None,
        (_, Some((id, below))) => (id, below),
    };
    let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
    let action = match (method, below) {
        (&Method::GET, []) => Action::Status,
        (&Method::DELETE, []) => Action::Purge,
        (&Method::GET, [word]) if is(word, "explain") => Action::Explain,
        (&Method::GET, [word]) if is(word, "history") => Action::History,
        (&Method::POST, [word, event]) if is(word, "raiseEvent") => Action::RaiseEvent { event: decode(event)? },
        (&Method::POST, [word]) if is(word, "terminate") => Action::Terminate,
        (&Method::POST, [word]) if is(word, "suspend") => Action::Suspend,
        (&Method::POST, [word]) if is(word, "resume") => Action::Resume,
        (&Method::POST, [word]) if is(word, "rewind") => Action::Rewind,
        (&Method::POST, [word]) if is(word, "restart") => Action::Restart,
        _ => return None,
    };
    Some(Operation::Instance { id: decode(id)?, action })
}

fn decode(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
