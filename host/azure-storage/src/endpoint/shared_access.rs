//! Account shared access signatures: a text signed with a key of the account, which says who may do what until when.
//!
//! Owns which permission an operation needs, from Azure's table "Account SAS permissions by operation". Signatures of single
//! queues, tables and blobs, and those for some addresses only, are not accepted, and say so.

use super::call::Query;
use super::error::{ErrorCode, ServiceError, code};
use crate::{Account, Service};
use http::Method;
use orchestration::Timestamp;
use storage_model::parse_date;

/// The first version whose signatures cover an encryption scope.
const WITH_ENCRYPTION_SCOPE: &str = "2020-12-06";

const SERVICE_MISMATCH: ErrorCode = ErrorCode::new(
    403,
    "AuthorizationServiceMismatch",
    "This request is not authorized to perform this operation using this service.",
);
const RESOURCE_TYPE_MISMATCH: ErrorCode = ErrorCode::new(
    403,
    "AuthorizationResourceTypeMismatch",
    "This request is not authorized to perform this operation using this resource type.",
);
const PROTOCOL_MISMATCH: ErrorCode = ErrorCode::new(
    403,
    "AuthorizationProtocolMismatch",
    "This request is not authorized to perform this operation using this protocol.",
);

/// What is done, as far as permissions go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation<'a> {
    pub(super) service: Service,
    pub(super) method: &'a Method,
    /// What follows the account in the path.
    pub(super) path: &'a str,
    /// Whether it has `If-Match`: without, writing an entity may insert one.
    pub(super) has_if_match: bool,
}

/// Lets a request in that carries a signature, or says why not.
pub(super) fn check(
    account: &Account,
    operation: Operation<'_>,
    query: &Query,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let field = |name: &str| query.get(name).unwrap_or("");
    if field("ss").is_empty() || field("srt").is_empty() {
        return Err(failed(
            "of shared access signatures only those of a whole account are accepted here; they have 'ss' and 'srt'",
        ));
    }
    if !field("sip").is_empty() {
        return Err(failed("a signature for some addresses only ('sip') is not accepted here"));
    }
    let text = string_to_sign(account, &field);
    // What was a plus sign without its escape came as a space.
    let signature = field("sig").replace(' ', "+");
    if !account.keys().iter().any(|key| key.verify(&text, &signature)) {
        return Err(failed(&format!(
            "Signature did not match. String to sign used was '{}'.",
            text.trim_end_matches('\n')
        )));
    }
    check_time(&field, now)?;
    if !field("ss").contains(service_letter(operation.service)) {
        return Err(SERVICE_MISMATCH.because(""));
    }
    if field("spr") == "https" {
        return Err(PROTOCOL_MISMATCH.because("The signature is for https, and this endpoint speaks http."));
    }
    let (resource_type, permissions) = needed(operation, query);
    if !field("srt").contains(resource_type) {
        return Err(RESOURCE_TYPE_MISMATCH.because(&format!("It needs the resource type '{resource_type}'.")));
    }
    // Each group stands for one permission, which has alternatives.
    let lacking = permissions.iter().find(|group| !group.chars().any(|letter| field("sp").contains(letter)));
    lacking.map_or(Ok(()), |group| {
        Err(code::AUTHORIZATION_PERMISSION_MISMATCH.because(&format!("It needs one of the permissions '{group}'.")))
    })
}

fn string_to_sign<'a>(account: &Account, field: &impl Fn(&'static str) -> &'a str) -> String {
    let mut text = account.name().to_owned();
    for name in ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"] {
        text.push('\n');
        text.push_str(field(name));
    }
    text.push('\n');
    if field("sv") >= WITH_ENCRYPTION_SCOPE {
        text.push_str(field("ses"));
        text.push('\n');
    }
    text
}

fn check_time<'a>(field: &impl Fn(&'static str) -> &'a str, now: Timestamp) -> Result<(), ServiceError> {
    let Some(end) = moment(field("se")) else {
        return Err(failed("the signature has no 'se', which says until when it is valid"));
    };
    if now.ticks() >= end {
        return Err(failed(&format!("Signature not valid in the specified time frame: it ended at {}.", field("se"))));
    }
    match field("st") {
        "" => Ok(()),
        start if moment(start).is_some_and(|start| start <= now.ticks()) => Ok(()),
        start => Err(failed(&format!("Signature not valid in the specified time frame: it starts at {start}."))),
    }
}

/// Signatures may leave the seconds or the whole time of the day out.
fn moment(text: &str) -> Option<i64> {
    match text.len() {
        10 => parse_date(&format!("{text}T00:00:00Z")),
        17 => parse_date(&format!("{}:00Z", text.strip_suffix('Z')?)),
        _ => parse_date(text),
    }
}

fn service_letter(service: Service) -> char {
    match service {
        Service::Blob => 'b',
        Service::Queue => 'q',
        Service::Table => 't',
    }
}

/// The resource type of an operation, and its permissions: one letter of each group.
fn needed(operation: Operation<'_>, query: &Query) -> (char, &'static [&'static str]) {
    let is_read = matches!(*operation.method, Method::GET | Method::HEAD);
    let is_delete = operation.method == Method::DELETE;
    let path = operation.path.trim_end_matches('/');
    let by_method = |write: &'static [&'static str]| match (is_read, is_delete) {
        (true, _) => ["r"].as_slice(),
        (_, true) => ["d"].as_slice(),
        (false, false) => write,
    };
    if path.is_empty() {
        let is_list = query.is("comp", "list");
        return ('s', if is_list { &["l"] } else { by_method(&["w"]) });
    }
    match operation.service {
        Service::Queue => match path.split_once('/') {
            None => ('c', by_method(if query.get("comp").is_some() { &["w"] } else { &["cw"] })),
            Some((_, rest)) => ('o', needed_for_messages(operation.method, rest.contains('/'), query)),
        },
        Service::Blob => match path.contains('/') {
            false if query.is("comp", "list") => ('c', &["l"]),
            false => ('c', by_method(if query.get("comp").is_some() { &["w"] } else { &["cw"] })),
            true => ('o', by_method(&["w"])),
        },
        Service::Table => needed_for_tables(operation, path, query, by_method(&["cw"])),
    }
}

fn needed_for_messages(method: &Method, is_one: bool, query: &Query) -> &'static [&'static str] {
    match (method, is_one) {
        (&Method::POST, _) => &["a"],
        (&Method::PUT, _) => &["u"],
        (&Method::DELETE, true) => &["p"],
        (&Method::DELETE, false) => &["d"],
        _ if query.is("peekonly", "true") => &["r"],
        _ => &["p"],
    }
}

fn needed_for_tables(
    operation: Operation<'_>,
    path: &str,
    query: &Query,
    by_method: &'static [&'static str],
) -> (char, &'static [&'static str]) {
    if path.starts_with("Tables") || query.get("comp").is_some() {
        let is_list = path == "Tables" && operation.method == Method::GET;
        return ('c', if is_list { &["l"] } else { by_method });
    }
    match operation.method.as_str() {
        // A batch may hold anything.
        "POST" if path.starts_with("$batch") => ('o', &["r", "a", "u", "d"]),
        "GET" | "HEAD" => ('o', &["r"]),
        "POST" => ('o', &["a"]),
        "DELETE" => ('o', &["d"]),
        _ if operation.has_if_match => ('o', &["u"]),
        _ => ('o', &["a", "u"]),
    }
}

fn failed(detail: &str) -> ServiceError {
    code::AUTHENTICATION_FAILED.because("").with("AuthenticationErrorDetail", detail)
}
