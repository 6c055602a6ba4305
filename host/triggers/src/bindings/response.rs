//! The value of an `http` output: the response of a function, as an object like that of Azure's Node workers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::fmt::Write;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Described<'a> {
    #[serde(default, alias = "status")]
    status_code: Option<Value>,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(default)]
    cookies: Vec<Cookie>,
    /// Part of Azure's object. There is nothing to negotiate here: a body has one form.
    #[serde(default)]
    #[expect(dead_code, reason = "accepted and without effect")]
    enable_content_negotiation: Option<bool>,
}

/// A cookie to set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Cookie {
    name: String,
    value: String,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    path: Option<String>,
    /// RFC 1123, as it goes into the header.
    #[serde(default)]
    expires: Option<String>,
    #[serde(default)]
    max_age: Option<i64>,
    #[serde(default)]
    secure: bool,
    #[serde(default)]
    http_only: bool,
    #[serde(default)]
    same_site: Option<String>,
}

/// Makes the response that a value describes, or says what is wrong with it. A text is a body of its own.
pub(super) fn from_json(value: &str) -> Result<Response<Bytes>, String> {
    if !value.starts_with('{') {
        return with_body(Response::new(Bytes::new()), value);
    }
    let described: Described<'_> = serde_json::from_str(value).map_err(|error| error.to_string())?;
    let mut response = Response::new(Bytes::new());
    if let Some(status) = &described.status_code {
        *response.status_mut() = final_status(status)?;
    }
    for (name, value) in &described.headers {
        let header = HeaderName::try_from(name.as_str()).map_err(|_| format!("'{name}' is no header's name"))?;
        // One that is set twice keeps the first, as in Azure; lists are for those that may occur more than once.
        if !response.headers().contains_key(&header) {
            for text in header_texts(name, value)? {
                response.headers_mut().append(header.clone(), text);
            }
        }
    }
    for cookie in &described.cookies {
        response.headers_mut().append(SET_COOKIE, cookie_text(cookie)?);
    }
    match described.body {
        None => Ok(response),
        Some(body) => with_body(response, body.get()),
    }
}

fn final_status(value: &Value) -> Result<StatusCode, String> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let status = number.and_then(|number| StatusCode::from_u16(u16::try_from(number).ok()?).ok());
    let status = status.filter(|status| (200..600).contains(&status.as_u16()));
    status.ok_or_else(|| {
        format!("the status {value} is none that a response can end with; give a number from 200 to 599")
    })
}

fn header_texts(name: &str, value: &Value) -> Result<Vec<HeaderValue>, String> {
    let single = |value: &Value| {
        let text = match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        let text = text.and_then(|text| HeaderValue::try_from(text).ok());
        text.ok_or_else(|| format!("the header '{name}' cannot have the value {value}"))
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => values.iter().map(single).collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Ok(vec![single(value)?]),
    }
}

fn cookie_text(cookie: &Cookie) -> Result<HeaderValue, String> {
    let mut text = format!("{}={}", cookie.name, cookie.value);
    let attributes = [
        ("Domain", &cookie.domain),
        ("Path", &cookie.path),
        ("Expires", &cookie.expires),
        ("SameSite", &cookie.same_site),
    ];
    for (name, value) in attributes {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            write!(text, "; {name}={value}").unwrap_or_default();
        }
    }
    if let Some(seconds) = cookie.max_age {
        write!(text, "; Max-Age={seconds}").unwrap_or_default();
    }
    for (name, is_set) in [("Secure", cookie.secure), ("HttpOnly", cookie.http_only)] {
        if is_set {
            write!(text, "; {name}").unwrap_or_default();
        }
    }
    let fields =
        [&cookie.name, &cookie.value].into_iter().chain(attributes.into_iter().filter_map(|(_, value)| value.as_ref()));
    // A semicolon would begin an attribute that nobody asked for.
    if cookie.name.is_empty() || cookie.name.contains('=') || fields.into_iter().any(|field| field.contains(';')) {
        return Err(format!("the cookie '{}' has a name or value that a cookie cannot have", cookie.name));
    }
    HeaderValue::try_from(text)
        .map_err(|_| format!("the cookie '{}' has characters that a header cannot have", cookie.name))
}

/// A JSON string is text; `null` is no body; anything else is sent as JSON. A content type that is set stays.
fn with_body(mut response: Response<Bytes>, body: &str) -> Result<Response<Bytes>, String> {
    let (bytes, content_type) = if body == "null" {
        return Ok(response);
    } else if body.starts_with('"') {
        let text: String = serde_json::from_str(body).map_err(|error| error.to_string())?;
        (Bytes::from(text), "text/plain; charset=utf-8")
    } else {
        (Bytes::from(body.to_owned()), "application/json; charset=utf-8")
    };
    response.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    *response.body_mut() = bytes;
    Ok(response)
}
