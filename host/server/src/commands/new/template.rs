//! What the templates are: the sources in `templates/` with another name in them, and the functions that the manifest gets.
//!
//! A template is Rust as it is. Everything of it that another name, route or queue changes is one of [`PLACEHOLDERS`].

use toml_edit::{Array, InlineTable, Value};

use super::function_name::FunctionName;
use crate::cli::{KeyNeeded, Template};

/// The texts in templates that become others.
const PLACEHOLDERS: [&str; 5] = ["function-name", "MyFunction", "my_function", "my-route", "my-queue"];

/// What an attribute says if the function's name cannot be made of its identifier.
const SAYS_ITS_NAME: &str = "(name = \"function-name\")";

/// Where `dacapo start` listens if nobody says otherwise.
const LOCAL_HOST: &str = "http://localhost:7071";

const EVERY_FIVE_MINUTES: &str = "0 */5 * * * *";

/// All of them, in the order in which a person chooses.
pub(crate) const TEMPLATES: [Template; 7] = [
    Template::Durable,
    Template::Http,
    Template::Activity,
    Template::Orchestration,
    Template::Queue,
    Template::Timer,
    Template::Entity,
];

/// What it is for, in a few words.
pub(crate) fn description(template: Template) -> &'static str {
    match template {
        Template::Durable => "a durable workflow: an orchestration with its activities, started and followed over HTTP",
        Template::Http => "answers HTTP requests",
        Template::Activity => "a step of orchestrations, with effects",
        Template::Orchestration => "an orchestration that waits for somebody's decision",
        Template::Queue => "works on the messages of a queue",
        Template::Timer => "runs on a schedule",
        Template::Entity => "a small piece of state with operations on it",
    }
}

/// The name of a first function.
pub(super) fn first_name(template: Template) -> &'static str {
    match template {
        Template::Durable => "Welcome",
        Template::Http => "Hello",
        Template::Activity => "PlaceOrder",
        Template::Orchestration => "Approval",
        Template::Queue => "TakeOrder",
        Template::Timer => "Report",
        Template::Entity => "Counter",
    }
}

/// What is made, with what starts it as far as a person chooses that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Durable(Door),
    Http(Door),
    Activity,
    Orchestration,
    /// For the queue of this name.
    Queue(String),
    /// With this schedule.
    Timer(String),
    Entity,
}

/// Where HTTP functions are reached, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Door {
    pub(super) route: String,
    pub(super) key_needed: KeyNeeded,
}

impl Kind {
    /// What it is if nobody chooses more than the template and a name.
    pub(super) fn usual(template: Template, name: &FunctionName) -> Kind {
        let door = || Door { route: name.kebab(), key_needed: KeyNeeded::Function };
        match template {
            Template::Durable => Kind::Durable(door()),
            Template::Http => Kind::Http(door()),
            Template::Activity => Kind::Activity,
            Template::Orchestration => Kind::Orchestration,
            Template::Queue => Kind::Queue(name.kebab()),
            Template::Timer => Kind::Timer(EVERY_FIVE_MINUTES.to_owned()),
            Template::Entity => Kind::Entity,
        }
    }

    /// The function's name so that nothing else in its source has it: no other function, no parameter, no type.
    pub(super) fn rename_apart(&self, name: FunctionName) -> FunctionName {
        // Where the name itself is going to stand, it is not in its own way.
        name.apart_from(&fill(self.source(), [""; PLACEHOLDERS.len()]))
    }

    fn source(&self) -> &'static str {
        match self {
            Kind::Durable(_) => include_str!("../../../templates/durable.rs"),
            Kind::Http(_) => include_str!("../../../templates/http.rs"),
            Kind::Activity => include_str!("../../../templates/activity.rs"),
            Kind::Orchestration => include_str!("../../../templates/orchestration.rs"),
            Kind::Queue(_) => include_str!("../../../templates/queue.rs"),
            Kind::Timer(_) => include_str!("../../../templates/timer.rs"),
            Kind::Entity => include_str!("../../../templates/entity.rs"),
        }
    }
}

/// A function to make, with everything decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(super) name: FunctionName,
    pub(super) kind: Kind,
}

/// A function as the manifest has it.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) trigger: InlineTable,
}

impl Wanted {
    /// The module's text. `prefix` stands before all routes of the app, and ends in a slash unless it is empty.
    pub(super) fn source(&self, prefix: &str) -> String {
        let text = self.kind.source();
        let text = if self.name.is_derived() { text.replace(SAYS_ITS_NAME, "") } else { text.to_owned() };
        let (route, queue) = match &self.kind {
            Kind::Durable(door) | Kind::Http(door) => (format!("{prefix}{}", door.route), ""),
            Kind::Queue(queue) => (String::new(), queue.as_str()),
            Kind::Activity | Kind::Orchestration | Kind::Timer(_) | Kind::Entity => (String::new(), ""),
        };
        let FunctionName { name, snake, pascal } = &self.name;
        fill(&text, [name, pascal, snake, &route, queue])
    }

    /// What the manifest gets, in this order.
    pub(super) fn sections(&self) -> Vec<Section> {
        let FunctionName { name, pascal, .. } = &self.name;
        let section = |name: &str, trigger| Section { name: name.to_owned(), trigger };
        match &self.kind {
            Kind::Durable(door) => {
                let status = Door { route: format!("{}/{{id}}", door.route), ..door.clone() };
                vec![
                    section(&format!("Start{pascal}"), http(&["post"], door)),
                    section(&format!("{pascal}Status"), http(&["get"], &status)),
                    section(name, trigger("orchestrationTrigger")),
                    section(&format!("{pascal}Greet"), trigger("activityTrigger")),
                    section(&format!("{pascal}Letter"), trigger("activityTrigger")),
                ]
            }
            Kind::Http(door) => vec![section(name, http(&["get", "post"], door))],
            Kind::Activity => vec![section(name, trigger("activityTrigger"))],
            Kind::Orchestration => vec![section(name, trigger("orchestrationTrigger"))],
            Kind::Queue(queue) => vec![section(name, with("queueTrigger", "queueName", queue))],
            Kind::Timer(schedule) => vec![section(name, with("timerTrigger", "schedule", schedule))],
            Kind::Entity => vec![section(name, trigger("entityTrigger"))],
        }
    }

    /// What to do with it first: lines for a shell, or for an orchestrator.
    pub(super) fn try_it(&self, prefix: &str) -> Vec<String> {
        let FunctionName { name, snake, pascal } = &self.name;
        let one = |line: String| vec![line];
        match &self.kind {
            Kind::Durable(Door { route, .. }) => {
                one(format!("curl -i {LOCAL_HOST}/{prefix}{route} -d '[\"Ada\", \"Grace\"]'"))
            }
            Kind::Http(Door { route, .. }) => one(format!("curl '{LOCAL_HOST}/{prefix}{route}?name=Ada'")),
            Kind::Activity => one(format!("in an orchestrator: ctx.call(crate::{snake}::{snake}, &order).await?")),
            Kind::Orchestration => vec![
                format!("dacapo durable start-new {name} --id first --input '\"a trip to RustConf\"'"),
                "dacapo durable raise-event first Approval --event-data true".to_owned(),
            ],
            Kind::Queue(_) => one(format!("dacapo invoke {name} --data '{{\"item\": \"coffee\", \"quantity\": 2}}'")),
            Kind::Timer(_) => one(format!("dacapo invoke {name}")),
            Kind::Entity => {
                one(format!("in an orchestrator: ctx.entity::<crate::{snake}::{pascal}>(\"key\").add(&1).await?"))
            }
        }
    }
}

fn trigger(kind: &str) -> InlineTable {
    InlineTable::from_iter([("type", Value::from(kind))])
}

fn with(kind: &str, key: &str, value: &str) -> InlineTable {
    InlineTable::from_iter([("type", kind), (key, value)])
}

fn http(methods: &[&str], door: &Door) -> InlineTable {
    let level = match door.key_needed {
        KeyNeeded::Anonymous => "anonymous",
        KeyNeeded::Function => "function",
        KeyNeeded::Admin => "admin",
    };
    let mut trigger = trigger("httpTrigger");
    trigger.insert("methods", Value::Array(Array::from_iter(methods.iter().copied())));
    trigger.insert("route", door.route.as_str().into());
    trigger.insert("authLevel", level.into());
    trigger
}

/// Puts texts in the places of [`PLACEHOLDERS`], in one pass: a name may be what a placeholder is.
fn fill(template: &str, texts: [&str; PLACEHOLDERS.len()]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    loop {
        let places = PLACEHOLDERS
            .iter()
            .zip(texts)
            .filter_map(|(placeholder, text)| rest.find(placeholder).map(|at| (at, *placeholder, text)));
        let Some((at, placeholder, text)) = places.min_by_key(|(at, ..)| *at) else { break };
        filled.push_str(&rest[..at]);
        filled.push_str(text);
        rest = &rest[at + placeholder.len()..];
    }
    filled + rest
}
