//! Triggers: what starts a function.

use super::choice::Choice;
use super::connections;
use super::functions::Shared;
use super::http::segments_are_reserved;
use super::names::quoted;
use super::queues;
use super::settings::{duration_within, flag};
use crate::app::{ActivityTrigger, AuthLevel, CatchUp, HttpTrigger, QueueTrigger, TimerTrigger, Trigger};
use crate::duration;
use crate::fields::{Placed, join};
use crate::file::FileTrigger;
use crate::problem::Report;
use crate::route::{Method, Methods, Template};
use crate::schedule::{Schedule, ScheduleError};
use crate::settings::{FUNCTION_TIMEOUT, HttpSettings};

const METHODS: &str = "use get, post, delete, head, patch, put, options, trace; an empty list means all";

const LEVELS: Choice<AuthLevel> = Choice {
    noun: "a level",
    all: &[AuthLevel::Anonymous, AuthLevel::Function, AuthLevel::Admin],
    word: AuthLevel::as_str,
};

const CATCH_UPS: Choice<CatchUp> = Choice {
    noun: "a way to treat missed occurrences",
    all: &[CatchUp::One, CatchUp::All, CatchUp::None],
    word: CatchUp::as_str,
};

pub(super) fn check(trigger: &FileTrigger, function: &str, path: &str, shared: &Shared<'_, '_>) -> Option<Trigger> {
    let report = shared.report;
    Some(match trigger {
        FileTrigger::Http { methods, route, auth_level, at } => {
            let default_route = Placed::new(at.clone(), function.to_owned());
            let route_field = join(path, "route");
            Trigger::Http(HttpTrigger {
                methods: check_methods(methods, &join(path, "methods"), report),
                auth_level: LEVELS.read(auth_level.as_ref(), &join(path, "authLevel"), report),
                route: check_route(route.as_ref().unwrap_or(&default_route), &route_field, &shared.host.http, report)?,
            })
        }
        FileTrigger::Orchestration => Trigger::Orchestration,
        FileTrigger::Activity { timeout, heartbeat_timeout } => {
            Trigger::Activity(check_activity(timeout.as_ref(), heartbeat_timeout.as_ref(), path, report))
        }
        FileTrigger::Entity => Trigger::Entity,
        FileTrigger::Queue { queue_name, connection, settings } => {
            let connection = connections::check(connection, path, shared);
            let settings = queues::check(settings, path, &shared.host.queues, report);
            let queue_name = queues::name(queue_name.as_ref()?, &join(path, "queueName"), report)?;
            Trigger::Queue(QueueTrigger { queue_name, connection, settings })
        }
        FileTrigger::Timer { schedule, time_zone, run_on_startup, use_monitor, catch_up } => {
            let catch_up = CATCH_UPS.read(catch_up.as_ref(), &join(path, "catchUp"), report);
            let schedule = check_schedule(schedule.as_ref()?, time_zone.as_ref(), path, report)?;
            Trigger::Timer(TimerTrigger {
                run_on_startup: flag(run_on_startup.as_ref(), false),
                use_monitor: flag(use_monitor.as_ref(), true) && !schedule.fires_more_than_once_a_minute(),
                schedule,
                catch_up,
            })
        }
    })
}

fn check_schedule(
    written: &Placed<String>,
    time_zone: Option<&Placed<String>>,
    path: &str,
    report: &Report<'_>,
) -> Option<Schedule> {
    let parse = |zone| Schedule::parse(written.get_ref(), zone);
    let add = |place: &Placed<String>, key, ScheduleError { what, next_step }: ScheduleError| {
        report.add(&place.span(), join(path, key), format!("{}: {what}", quoted(place.get_ref())), next_step);
    };
    // What is wrong without a time zone is not the time zone's fault.
    let plain = parse(None).map_err(|error| add(written, "schedule", error)).ok()?;
    let Some(zone) = time_zone else { return Some(plain) };
    parse(Some(zone.get_ref())).map_err(|error| add(zone, "timeZone", error)).ok()
}

fn check_activity(
    timeout: Option<&Placed<String>>,
    heartbeat_timeout: Option<&Placed<String>>,
    path: &str,
    report: &Report<'_>,
) -> ActivityTrigger {
    let (timeout_field, heartbeat_field) = (join(path, "timeout"), join(path, "heartbeatTimeout"));
    let limit = timeout.and_then(|text| duration_within(text, &timeout_field, FUNCTION_TIMEOUT, report));
    let heartbeat = heartbeat_timeout.and_then(|text| {
        let heartbeat = duration_within(text, &heartbeat_field, FUNCTION_TIMEOUT, report)?;
        if let Some(limit) = limit.filter(|limit| heartbeat > *limit) {
            let what = format!("{} is longer than the timeout, {}", quoted(text.get_ref()), duration::print(limit));
            let next = "write a shorter time than the timeout's, or leave one of the two out";
            report.add(&text.span(), &heartbeat_field, what, next);
        }
        Some(heartbeat)
    });
    ActivityTrigger { timeout: limit, heartbeat_timeout: heartbeat }
}

fn check_methods(methods: &[Placed<String>], field: &str, report: &Report<'_>) -> Methods {
    let mut listed: Vec<Method> = Vec::new();
    for written in methods {
        match Method::from_manifest(written.get_ref()) {
            None => {
                let what = format!("{} is not an HTTP method that a trigger can list", quoted(written.get_ref()));
                report.add(&written.span(), field, what, METHODS);
            }
            Some(method) if listed.contains(&method) => {
                report.add(&written.span(), field, format!("lists {method} twice"), "remove one of them");
            }
            Some(method) => listed.push(method),
        }
    }
    Methods::listed(listed)
}

fn check_route(written: &Placed<String>, field: &str, http: &HttpSettings, report: &Report<'_>) -> Option<Template> {
    let template: Template = match written.get_ref().parse() {
        Ok(template) => template,
        Err(crate::route::TemplateError { what, next_step }) => {
            report.add(&written.span(), field, format!("{}: {what}", quoted(written.get_ref())), next_step);
            return None;
        }
    };
    if let Some(first) = template.first_literal()
        && segments_are_reserved(first, http.route_prefix.is_empty())
    {
        let what = format!("begins with `{first}`, which the host keeps for itself");
        report.add(&written.span(), field, what, "begin the route with another segment");
        return None;
    }
    Some(template)
}
