//! One function with an HTTP trigger: its inputs before, the function, its outputs after, and all of it again where its retry
//! policy says so while the caller waits.

use super::answer::Unanswered;
use super::body::Overflow;
use super::{Call, HttpParts};
use crate::accounts::AccountId;
use crate::bindings::{BindingData, BindingParts, BindingSetupError, FunctionBindings, Produced};
use crate::concurrency::Gate;
use crate::retry::delay_after;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt, Full};
use manifest::expression::Data;
use manifest::{AuthLevel, Function, HttpTrigger as Trigger, RetryPolicy};
use orchestration::{Json, Timestamp};
use ports::{Body, HttpInvocation, Ran};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Carries a key, which is none of a function's business.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-functions-key");
/// The query parameter that carries a key.
const KEY_PARAMETER: &str = "code";

/// A function, ready to be called.
pub(super) struct HttpFunction {
    pub(super) name: String,
    pub(super) auth_level: AuthLevel,
    pub(super) is_disabled: bool,
    pub(super) gate: Gate,
    retry: Option<RetryPolicy>,
    bindings: Option<(FunctionBindings, BindingParts)>,
}

impl HttpFunction {
    pub(super) fn new(
        function: &Function,
        trigger: &Trigger,
        bindings: Option<&BindingParts>,
    ) -> Result<HttpFunction, BindingSetupError> {
        let bindings = match bindings {
            Some(parts) => Some((FunctionBindings::new(function, parts.clone())?, parts.clone())),
            None => None,
        };
        Ok(HttpFunction {
            name: function.name.clone(),
            auth_level: trigger.auth_level,
            is_disabled: function.disabled,
            gate: Gate::of_function(function),
            retry: function.retry.clone(),
            bindings: bindings.filter(|(bindings, _)| !bindings.is_empty()),
        })
    }

    /// Answers a request. The body flows through as it comes, unless something needs all of it: a retry, or an expression.
    pub(super) async fn answer(
        &self,
        tried: &Tried<'_>,
        request: Request<Body>,
        overflow: &Overflow,
    ) -> Result<Response<Body>, Unanswered> {
        let (head, body) = request.into_parts();
        let mut data = self.data(tried, &head);
        let asks_body = self.bindings.as_ref().is_some_and(|(bindings, _)| {
            // Whatever the head does not know may be a property of the body.
            bindings.names_asked().any(|name| data.value(name).is_none())
        });
        if self.retry.is_none() && !asks_body {
            return self.run(tried, &data, Request::from_parts(head, body)).await;
        }
        let whole = match body.collect().await {
            Ok(whole) => whole.to_bytes(),
            Err(error) => {
                return Err(match overflow.error() {
                    Some(too_large) => too_large.into(),
                    None => Unanswered::BrokenBody(error.to_string()),
                });
            }
        };
        if asks_body {
            data = data.with_payload(String::from_utf8_lossy(&whole));
        }
        self.run_again_and_again(tried, &data, &head, &whole).await
    }

    async fn run_again_and_again(
        &self,
        tried: &Tried<'_>,
        data: &BindingData,
        head: &Parts,
        whole: &Bytes,
    ) -> Result<Response<Body>, Unanswered> {
        let mut failures = 0;
        loop {
            let body = full(whole.clone());
            let why = match self.run(tried, data, Request::from_parts(head.clone(), body)).await {
                Err(Unanswered::Fault(fault)) if !fault.failure().non_retriable => fault,
                other => return other,
            };
            failures += 1;
            let policy = self.retry.as_ref();
            let delay = policy.and_then(|policy| delay_after(policy, failures, &*tried.parts.randomness));
            let Some(delay) = delay else { return Err(why.into()) };
            tracing::warn!(retry = failures, delay_ms = delay.as_millis(), %why, "the function went wrong; trying again");
            let clock = &tried.parts.clock;
            clock.sleep_until(clock.now().saturating_add(delay)).await;
        }
    }

    async fn run(
        &self,
        tried: &Tried<'_>,
        data: &BindingData,
        request: Request<Body>,
    ) -> Result<Response<Body>, Unanswered> {
        let inputs = match &self.bindings {
            Some((bindings, _)) => bindings.read_inputs(data).await?,
            None => Vec::new(),
        };
        let invocation = HttpInvocation {
            invocation_id: tried.invocation_id.to_owned(),
            function: self.name.clone(),
            route_parameters: tried.call.route_parameters.clone(),
            request,
            inputs,
        };
        let answer = tried.parts.functions.handle(invocation).await?;
        let Some((bindings, parts)) = &self.bindings else { return Ok(answer.response) };
        let ran = Ran { returned: Json::null(), outputs: answer.outputs };
        let Produced { effects, response } = bindings.effects(data, &ran)?;
        parts.accounts.commit(AccountId::EMBEDDED, effects).await?;
        Ok(response.map_or(answer.response, |response| response.map(full)))
    }

    /// What expressions can name; gathered only if there are some.
    fn data(&self, tried: &Tried<'_>, head: &Parts) -> BindingData {
        let mut data = BindingData::new(&self.name, tried.started, Arc::clone(&tried.parts.randomness));
        if self.bindings.as_ref().is_none_or(|(bindings, _)| bindings.names_asked().next().is_none()) {
            return data;
        }
        let mut query = Map::new();
        for (name, value) in form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
            if !name.eq_ignore_ascii_case(KEY_PARAMETER) {
                data = data.with_above(name.as_ref(), value.as_ref());
                query.insert(name.into_owned(), Value::from(value.into_owned()));
            }
        }
        let mut headers = Map::new();
        for name in head.headers.keys().filter(|name| **name != KEY_HEADER) {
            let values = head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            headers.insert(name.as_str().to_owned(), Value::from(values.collect::<Vec<_>>().join(", ")));
        }
        for (name, value) in &tried.call.route_parameters {
            data = data.with_above(name.as_str(), value.as_str());
        }
        data.with_above("Query", query).with_above("Headers", headers)
    }
}

/// What all tries of one request have in common.
pub(super) struct Tried<'a> {
    pub(super) invocation_id: &'a str,
    pub(super) started: Timestamp,
    pub(super) call: &'a Call,
    pub(super) parts: &'a HttpParts,
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
