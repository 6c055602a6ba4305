//! `[host.http]`: the prefix of routes, limits, and the headers that the host adds.

use std::collections::BTreeMap;

use super::names::quoted;
use super::settings::{Fields, duration_within, flag};
use crate::fields::{Placed, join};
use crate::file::{FileCors, FileHsts, FileHttp};
use crate::problem::Report;
use crate::settings::{
    CorsSettings, DEFAULT_ROUTE_PREFIX, HSTS_MAX_AGE, HstsSettings, HttpSettings, REQUEST_BODY_BYTES, REQUESTS,
};

/// First segments of the host's own paths; a function's route never begins with one, whatever the prefix, as in Azure.
const RESERVED_SEGMENTS: [&str; 2] = ["admin", "runtime"];

/// Reserved as well when there is no prefix to keep functions apart.
const RESERVED_WITHOUT_PREFIX: [&str; 3] = ["dashboard", ".well-known", "metrics"];

pub(super) fn segments_are_reserved(first: &str, prefix_is_empty: bool) -> bool {
    let is = |reserved: &&str| first.eq_ignore_ascii_case(reserved);
    RESERVED_SEGMENTS.iter().any(is) || (prefix_is_empty && RESERVED_WITHOUT_PREFIX.iter().any(is))
}

/// Headers that belong to the connection or are worked out by the host: another value would break responses.
const HOST_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "strict-transport-security",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Longest value of a header that a manifest may add; what clients and proxies take without complaint.
const MAX_HEADER_BYTES: usize = 4_096;

pub(super) fn check(http: &FileHttp, report: &Report<'_>) -> HttpSettings {
    let limits = Fields { path: "host.http", report };
    HttpSettings {
        route_prefix: check_prefix(http.route_prefix.as_ref(), report),
        max_request_body_bytes: limits.number(
            "maxRequestBodyBytes",
            http.max_request_body_bytes.as_ref(),
            REQUEST_BODY_BYTES,
        ),
        max_outstanding_requests: or_unbounded(
            &limits,
            "maxOutstandingRequests",
            http.max_outstanding_requests.as_ref(),
        ),
        max_concurrent_requests: or_unbounded(&limits, "maxConcurrentRequests", http.max_concurrent_requests.as_ref()),
        strict_azure_status: flag(http.strict_azure_status.as_ref(), false),
        custom_headers: custom_headers(&http.custom_headers, report),
        hsts: hsts(&http.hsts, report),
        cors: cors(&http.cors, report),
    }
}

/// A number of requests, or -1 for none of one's own.
fn or_unbounded(limits: &Fields<'_, '_>, key: &str, written: Option<&Placed<i64>>) -> Option<u32> {
    let written = written.filter(|written| *written.get_ref() != -1)?;
    Some(limits.number(key, Some(written), REQUESTS))
}

fn check_prefix(written: Option<&Placed<String>>, report: &Report<'_>) -> String {
    let Some(written) = written else { return DEFAULT_ROUTE_PREFIX.to_owned() };
    let prefix = written.get_ref().trim_matches('/');
    let segment_is_good = |segment: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(allowed)
    };
    if !prefix.is_empty() && !prefix.split('/').all(segment_is_good) {
        let what = format!("{} is not a path of plain segments", quoted(written.get_ref()));
        let next = "write it like \"api\" or \"api/v1\", or \"\" for no prefix";
        report.add(&written.span(), "host.http.routePrefix", what, next);
    } else if segments_are_reserved(prefix.split('/').next().unwrap_or_default(), true) {
        let what = format!("{} begins with a segment that the host keeps for itself", quoted(written.get_ref()));
        report.add(&written.span(), "host.http.routePrefix", what, "choose another prefix");
    }
    prefix.to_owned()
}

fn custom_headers(written: &[(Placed<String>, Placed<String>)], report: &Report<'_>) -> BTreeMap<String, String> {
    const PATH: &str = "host.http.customHeaders";
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in written {
        let (name_text, value_text) = (name.get_ref(), value.get_ref());
        let field = join(PATH, name_text);
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let is_text = |b: u8| b == b'\t' || (b' '..=b'~').contains(&b);
        if name_text.is_empty() || !name_text.bytes().all(is_token) {
            let what = format!("{} is not the name of a header", quoted(name_text));
            report.add(&name.span(), &field, what, "write a name such as \"X-Content-Type-Options\"");
        } else if HOST_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name_text)) {
            let next = "remove it; HTTPS is asked for with `[host.http.hsts]`";
            report.add(&name.span(), &field, "is a header that the host writes itself", next);
        } else if headers.keys().any(|other| other.eq_ignore_ascii_case(name_text)) {
            report.add(&name.span(), &field, "is there twice, ignoring case", "remove one of them");
        }
        if value_text.len() > MAX_HEADER_BYTES || !value_text.bytes().all(is_text) {
            let next = format!("write one line of ASCII text, at most {MAX_HEADER_BYTES} bytes");
            report.add(&value.span(), &field, "has a value that a header cannot have", next);
        }
        headers.insert(name_text.clone(), value_text.clone());
    }
    headers
}

fn hsts(written: &FileHsts, report: &Report<'_>) -> Option<HstsSettings> {
    let field = |key| format!("host.http.hsts.{key}");
    let max_age = written.max_age.as_ref();
    let max_age = max_age.and_then(|text| duration_within(text, &field("maxAge"), HSTS_MAX_AGE, report));
    for host in &written.excluded_hosts {
        if host.get_ref().is_empty() || host.get_ref().contains(|c: char| c == '/' || c.is_whitespace()) {
            let what = format!("{} is not a host", quoted(host.get_ref()));
            report.add(&host.span(), field("excludedHosts"), what, "write a name such as \"example.com\"");
        }
    }
    flag(written.is_enabled.as_ref(), false).then(|| HstsSettings {
        max_age: max_age.unwrap_or(HSTS_MAX_AGE.default),
        include_sub_domains: flag(written.include_sub_domains.as_ref(), false),
        preload: flag(written.preload.as_ref(), false),
        excluded_hosts: written.excluded_hosts.iter().map(|host| host.get_ref().clone()).collect(),
    })
}

fn cors(written: &FileCors, report: &Report<'_>) -> CorsSettings {
    const FIELD: &str = "host.http.cors.allowedOrigins";
    let origins = &written.allowed_origins;
    for origin in origins {
        if !is_origin(origin.get_ref()) {
            let what = format!("{} is not an origin", quoted(origin.get_ref()));
            let next = "write it like \"https://example.com\" or \"http://localhost:3000\", without a path or a slash at its end, or \"*\" for all";
            report.add(&origin.span(), FIELD, what, next);
        }
    }
    let all = origins.iter().find(|origin| origin.get_ref() == "*");
    if let Some(all) = all.filter(|_| origins.len() > 1) {
        report.add(&all.span(), FIELD, "has other origins beside `*`", "write only \"*\", or only the others");
    }
    let support_credentials = flag(written.support_credentials.as_ref(), false);
    if let Some(credentials) = written.support_credentials.as_ref().filter(|_| support_credentials && all.is_some()) {
        let next = "list the origins, or leave credentials out: browsers refuse both together";
        report.add(
            &credentials.span(),
            "host.http.cors.supportCredentials",
            "is true where every origin may call",
            next,
        );
    }
    CorsSettings {
        allowed_origins: origins.iter().map(|origin| origin.get_ref().clone()).collect(),
        support_credentials,
    }
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return text == "*" };
    let scheme_is_good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let host_is_good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !scheme.is_empty() && scheme.bytes().all(scheme_is_good) && !host.is_empty() && host.bytes().all(host_is_good)
}
