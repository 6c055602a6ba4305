//! Tries of calls in a scripted run: of activities, children and HTTP requests, with the host's rules for retries, timeouts
//! and polling.

use std::time::Duration;

use super::simulation::Simulation;
use super::world::{Attempt, Item, Target, World};
use super::{Answer, take_heartbeats};
use crate::execution::Outcome;
use crate::functions;
use crate::options::ActivityOptions;
use crate::{ActivityContext, Failure, HttpRequest, HttpResponse, StartOptions, Timestamp, payload};

/// How long the host waits before it asks again about a 202 without `Retry-After`.
const DEFAULT_POLL_PAUSE: Duration = Duration::from_secs(30);

/// Parts of the names of headers that stay with the origin that they were meant for.
const SECRETIVE: [&str; 9] =
    ["auth", "cookie", "key", "token", "secret", "password", "credential", "session", "signature"];

impl Simulation {
    pub(super) fn attempt(&mut self, attempt: Attempt) {
        self.world.borrow_mut().record_try(&attempt);
        match attempt.target.clone() {
            Target::Activity { name, input, options } => self.try_activity(attempt, (&name, &input), &options),
            Target::SubOrchestration { name, input, start } => {
                self.try_sub_orchestrator(attempt, (&name, &input), &start);
            }
            Target::Http(request) => self.try_http(attempt, *request),
        }
    }

    fn try_activity(&mut self, attempt: Attempt, (name, input): (&str, &str), options: &ActivityOptions) {
        let context = {
            let world = self.world.borrow();
            let instance = &world.instances[attempt.of.run.instance];
            ActivityContext {
                invocation_id: format!("{}-{}", attempt.of.task, attempt.number),
                instance_id: instance.id.clone(),
                execution_id: World::execution_id(attempt.of.run),
                task_id: attempt.of.task,
                attempt: attempt.number + 1,
                version: instance.version.clone(),
            }
        };
        drop(take_heartbeats());
        let outcome = match self.script.activities.get_mut(name) {
            Some(answer) => answer(&context, input),
            None if self.script.real_activities => functions::invoke_activity(name, &context, input),
            None => panic!(
                "the script does not answer the activity '{name}': add .activity(\"{name}\", |input| ...), or run this \
                 crate's own with .real(...) or .real_activities()"
            ),
        };
        let heartbeats = take_heartbeats();
        let gave_heartbeats = !heartbeats.is_empty();
        self.heartbeats.extend(heartbeats.into_iter().map(|details| (name.to_owned(), details)));
        let duration = self.script.durations.get(name).copied().unwrap_or_default();
        let (outcome, duration) = limited(options, gave_heartbeats, outcome, duration);
        self.end_try(attempt, outcome, duration);
    }

    fn try_sub_orchestrator(&mut self, attempt: Attempt, (name, input): (&str, &str), start: &StartOptions) {
        let scripted: Option<&mut Answer> = self.script.sub_orchestrators.get_mut(name);
        if let Some(answer) = scripted {
            let outcome = answer(&ActivityContext::default(), input);
            return self.end_try(attempt, outcome, Duration::ZERO);
        }
        let default_id = || format!("{}:{}", World::execution_id(attempt.of.run), attempt.of.task);
        let id = start.instance_id.clone().unwrap_or_else(default_id);
        if self.is_at_work(&id) {
            let failure = Failure::new("InstanceAlreadyExists", format!("an instance '{id}' is at work already"));
            return self.end_try(attempt, Err(failure), Duration::ZERO);
        }
        self.start_instance(name, input, &id, (Some(attempt), start));
    }

    fn try_http(&mut self, attempt: Attempt, request: HttpRequest) {
        let Some(answer) = &mut self.script.http else {
            panic!("the script does not answer '{} {}': add .http(|request| ...)", request.method, request.url)
        };
        let response = answer(&request);
        let location = response.as_ref().ok().and_then(|response| followed(&request, response));
        if let (Some((url, pause)), Ok(_)) = (location, &response) {
            let next = HttpRequest {
                method: "GET".into(),
                content: None,
                headers: headers_for(&request, &url),
                url,
                ..request
            };
            let mut world = self.world.borrow_mut();
            let (at, first_at) = (world.now + pause, world.now + pause);
            let target = Target::Http(Box::new(next));
            let poll = Attempt { target, number: 0, polls: attempt.polls + 1, first_at, ..attempt };
            world.plan(at, Item::Try(Box::new(poll)));
            return;
        }
        let outcome = response.and_then(|response| taken_for_failure(&request, response));
        let outcome = outcome.and_then(|response| payload::encode(&response, "a scripted response"));
        self.end_try(attempt, outcome, Duration::ZERO);
    }

    /// Plans what follows a try: its task ends, or the next try.
    pub(super) fn end_try(&mut self, attempt: Attempt, outcome: Outcome, duration: Duration) {
        let mut world = self.world.borrow_mut();
        let ended_at = world.now + duration;
        let pause = outcome.as_ref().err().and_then(|failure| pause_before_next(&attempt, failure, ended_at));
        match pause {
            Some(pause) => {
                let next = Attempt { number: attempt.number + 1, ..attempt };
                world.plan(ended_at + pause, Item::Try(Box::new(next)));
            }
            None => world.plan(ended_at, Item::Complete(attempt.of, outcome)),
        }
    }
}

/// The host's rule: when to try again, if at all.
fn pause_before_next(attempt: &Attempt, failure: &Failure, now: Timestamp) -> Option<Duration> {
    let policy = attempt.retry.as_ref()?;
    let in_time = policy.timeout.is_none_or(|timeout| now < attempt.first_at + timeout);
    let again = !failure.is_non_retriable()
        && attempt.number + 1 < policy.max_attempts
        && policy.retries(failure.error_type())
        && in_time;
    again.then(|| policy.delay_after(attempt.number))
}

/// What becomes of a run that takes too long. One that gave a heartbeat is taken to give them for as long as it runs.
fn limited(
    options: &ActivityOptions,
    gave_heartbeats: bool,
    outcome: Outcome,
    duration: Duration,
) -> (Outcome, Duration) {
    let silence = options.heartbeat_timeout.filter(|_| !gave_heartbeats);
    let limits = [(options.timeout, "ActivityTimeout"), (silence, "ActivityHeartbeatTimeout")];
    let broken = limits.into_iter().filter_map(|(limit, error_type)| limit.map(|limit| (limit, error_type)));
    match broken.filter(|(limit, _)| *limit < duration).min() {
        Some((limit, error_type)) => {
            (Err(Failure::new(error_type, format!("the activity was stopped after {limit:?}"))), limit)
        }
        None => (outcome, duration),
    }
}

/// Where to ask about a 202, and after what pause.
fn followed(request: &HttpRequest, response: &HttpResponse) -> Option<(String, Duration)> {
    if !request.follow_accepted || response.status_code != 202 {
        return None;
    }
    let location = response.header("location")?;
    let url = match location.contains("://") {
        true => location.to_owned(),
        false => format!("{}/{}", origin(&request.url), location.trim_start_matches('/')),
    };
    let seconds = response.header("retry-after").and_then(|seconds| seconds.parse().ok());
    Some((url, seconds.map_or(DEFAULT_POLL_PAUSE, Duration::from_secs)))
}

fn headers_for(request: &HttpRequest, url: &str) -> Vec<(String, String)> {
    let same_origin = origin(&request.url) == origin(url);
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "host" || SECRETIVE.iter().any(|part| name.contains(part))
    };
    request.headers.iter().filter(|(name, _)| same_origin || !is_secret(name)).cloned().collect()
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find(['/', '?', '#']).map_or(url, |end| &url[..host + end])
}

/// With a retry policy, a status can be a failure.
fn taken_for_failure(request: &HttpRequest, response: HttpResponse) -> Result<HttpResponse, Failure> {
    let status = response.status_code;
    let is_failure = match request.retry_on_status.as_slice() {
        [] => status >= 400,
        statuses => statuses.contains(&status),
    };
    match request.retry.is_some() && is_failure {
        true => Err(Failure::new("HttpStatus", format!("the service answered with status {status}"))
            .with_property("statusCode", status.to_string())
            .with_details(response.content)),
        false => Ok(response),
    }
}
