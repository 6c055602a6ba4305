//! Which operation of the management API a request asks for. Pure: method and path in, operation out.
//!
//! Fixed parts of a path are compared without case, one slash at the end is passed over, and what stands between slashes is
//! percent-decoded after splitting. Whatever is not an operation is none: it is answered with 404 and no body, also where
//! only the method is wrong.

use http::Method;
use percent_encoding::percent_decode_str;

/// Where the API stands.
pub(crate) const BASE_PATH: &str = "/runtime/webhooks/durabletask";

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// `POST orchestrators/{function}[/{id}]`
    Start { function: String, instance_id: Option<String> },
    /// `GET instances/{id}`
    Status { id: String },
    /// `GET instances/`
    List,
    /// `POST instances/{id}/raiseEvent/{event}`
    RaiseEvent { id: String, event: String },
    /// `POST instances/{id}/terminate`
    Terminate { id: String },
    /// `DELETE instances/{id}`
    Purge { id: String },
    /// `DELETE instances/`
    PurgeMany,
}

/// The part of the path below the base; none if the path is not the API's.
pub(super) fn below_base(path: &str) -> Option<&str> {
    let (base, rest) = path.split_at_checked(BASE_PATH.len())?;
    (base.eq_ignore_ascii_case(BASE_PATH) && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

/// The operation; none for everything that is not one.
pub(super) fn find(method: &Method, path: &str) -> Option<Operation> {
    let rest = below_base(path)?.strip_prefix('/')?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let segments: Vec<&str> = rest.split('/').collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
    match (method, segments.as_slice()) {
        (&Method::POST, [first, function, id @ ..]) if is(first, "orchestrators") && id.len() <= 1 => {
            let instance_id = match id.first() {
                Some(id) => Some(decode(id)?),
                None => None,
            };
            Some(Operation::Start { function: decode(function)?, instance_id })
        }
        (&Method::GET, [first]) if is(first, "instances") => Some(Operation::List),
        (&Method::DELETE, [first]) if is(first, "instances") => Some(Operation::PurgeMany),
        (&Method::GET, [first, id]) if is(first, "instances") => Some(Operation::Status { id: decode(id)? }),
        (&Method::DELETE, [first, id]) if is(first, "instances") => Some(Operation::Purge { id: decode(id)? }),
        (&Method::POST, [first, id, third, event]) if is(first, "instances") && is(third, "raiseEvent") => {
            Some(Operation::RaiseEvent { id: decode(id)?, event: decode(event)? })
        }
        (&Method::POST, [first, id, third]) if is(first, "instances") && is(third, "terminate") => {
            Some(Operation::Terminate { id: decode(id)? })
        }
        _ => None,
    }
}

fn decode(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
