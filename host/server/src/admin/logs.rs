//! The log of the host, for whoever is not at its terminal.
//!
//! | request | answer |
//! |---|---|
//! | `GET host/logs` | 200 with the last lines as NDJSON, as `dacapo start --output json` prints them |
//! | `?follow=1` | the same, and then whatever comes, until the host stops |
//! | `?function=F`, `?level=L`, `?invocation=ID` | only lines of a function, at least so grave, of an invocation or instance |
//! | `?form=text` | plain lines instead of NDJSON |
//!
//! What is not logged, because of the manifest's levels, is not here either.

use futures::StreamExt;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use ports::{Body, BoxError};
use std::sync::Arc;

use super::refusal::Refusal;
use super::{Admin, asks_for, parameter};
use crate::log_stream::{self, Form, Selection};
use crate::management::reply::Reply;

impl Admin {
    pub(super) fn logs(&self, head: &Parts) -> Result<Reply, Refusal> {
        let level = parameter(head, "level").map(|word| {
            let known = "trace, debug, information, warning or error";
            log_stream::level(&word).ok_or_else(|| Refusal::Invalid(format!("level={word} is no level; write {known}")))
        });
        let selection = Selection {
            function: parameter(head, "function"),
            level: level.transpose()?,
            invocation: parameter(head, "invocation"),
        };
        let (form, content_type) = match parameter(head, "form").as_deref() {
            None | Some("json") => (Form::Json, "application/x-ndjson"),
            Some("text") => (Form::Text, "text/plain; charset=utf-8"),
            Some(other) => return Err(Refusal::Invalid(format!("form={other} is no form; write json or text"))),
        };
        let follow = asks_for(head, "follow").then(|| self.host.surroundings.stopping.clone());
        let lines = Arc::clone(&self.logs).read(selection, form, follow);
        let body: Body = StreamBody::new(lines.map(|lines| Ok::<_, BoxError>(Frame::data(lines)))).boxed_unsync();
        let mut reply = Response::new(body);
        *reply.status_mut() = StatusCode::OK;
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(reply)
    }
}
