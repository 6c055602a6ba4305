//! Who may ask: whoever signs with a key of the account, not long ago, or carries a signature made with one.

use super::call::{Addressed, Query};
use super::error::{ServiceError, code};
use super::shared_access;
use crate::signing::{HeaderOrder, Scheme, Signable, header_name};
use crate::{Account, Service, dates};
use http::header::{self, HeaderMap};
use http::request::Parts;
use orchestration::Timestamp;
use std::time::Duration;

/// How far a client's clock may be from ours, as in Azure.
const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// Lets a request in, or says why not.
pub(super) fn check(
    account: &Account,
    service: Service,
    head: &Parts,
    address: &Addressed,
    query: &Query,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let Some(authorization) = head.headers.get(header::AUTHORIZATION) else {
        if query.get("sig").is_some() {
            let operation = shared_access::Operation {
                service,
                method: &head.method,
                path: &address.rest,
                has_if_match: head.headers.contains_key(header::IF_MATCH),
            };
            return shared_access::check(account, operation, query, now);
        }
        return Err(code::NO_AUTHENTICATION_INFORMATION
            .because("")
            .header(header::WWW_AUTHENTICATE, &format!("SharedKey realm=\"{}\"", account.name())));
    };
    let authorization = authorization.to_str().unwrap_or("");
    let (scheme, signed) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let scheme = match scheme {
        "SharedKey" => Scheme::SharedKey,
        "SharedKeyLite" => Scheme::SharedKeyLite,
        other => {
            return Err(failed(&format!(
                "the scheme '{other}' is not accepted here; sign with SharedKey or SharedKeyLite"
            )));
        }
    };
    let Some((name, signature)) = signed.split_once(':') else {
        return Err(failed("the Authorization header has the form 'SharedKey account:signature'"));
    };
    if name != account.name() {
        return Err(failed(&format!("the request is signed for the account '{name}'; this is '{}'", account.name())));
    }
    check_date(&head.headers, now)?;
    check_signature(account, service, head, address, (scheme, signature.trim()))
}

fn check_date(headers: &HeaderMap, now: Timestamp) -> Result<(), ServiceError> {
    let date = headers.get(header_name::X_MS_DATE).or_else(|| headers.get(header::DATE));
    let text = date.and_then(|value| value.to_str().ok()).unwrap_or("");
    let Some(date) = dates::parse_rfc1123(text) else {
        return Err(failed(&format!("a signed request has a date in x-ms-date or Date; this one has '{text}'")));
    };
    if date.saturating_since(now).max(now.saturating_since(date)) <= MAX_SKEW {
        return Ok(());
    }
    let rounded = dates::rfc1123(now);
    Err(failed(&format!(
        "the request is dated {text}, more than 15 minutes from {rounded}: one of the two clocks is wrong"
    )))
}

fn check_signature(
    account: &Account,
    service: Service,
    head: &Parts,
    address: &Addressed,
    (scheme, signature): (Scheme, &str),
) -> Result<(), ServiceError> {
    let signable = Signable {
        service,
        account: account.name(),
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or(""),
        headers: &head.headers,
        order: HeaderOrder::Service,
    };
    let fits = |text: &str| account.keys().iter().any(|key| key.verify(text, signature));
    let expected = signable.string_to_sign(scheme);
    if fits(&expected) {
        return Ok(());
    }
    let by_bytes = Signable { order: HeaderOrder::Bytes, ..signable };
    if fits(&by_bytes.string_to_sign(scheme)) {
        return Ok(());
    }
    // Some sign a request to the secondary location as one to the primary.
    if address.secondary && !address.by_host {
        let primary = head.uri.path().replacen("-secondary", "", 1);
        if fits(&Signable { path: &primary, ..signable }.string_to_sign(scheme)) {
            return Ok(());
        }
    }
    Err(failed(&format!(
        "The MAC signature found in the HTTP request '{signature}' is not the same as any computed signature. \
         Server used following string to sign: '{expected}'."
    )))
}

fn failed(detail: &str) -> ServiceError {
    code::AUTHENTICATION_FAILED.because("").with("AuthenticationErrorDetail", detail)
}
