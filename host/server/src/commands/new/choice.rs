//! What the command line leaves open about a new function, and who decides it: a person at a terminal, or the defaults.

use anyhow::anyhow;

use super::function_name::FunctionName;
use super::questions::Person;
use super::template::{self, Door, Kind, TEMPLATES, Wanted};
use crate::cli::{FunctionArguments, Template};
use crate::exit::Problem;

/// Who decides what nobody said.
pub(crate) enum Decider<'p> {
    /// Somebody at a terminal.
    Person(&'p Person),
    /// Nobody: template and name are the usual ones of a new project.
    Usual,
    /// Nobody, and there is no usual function: template and name have to be said.
    Nobody,
}

/// Settles everything about a new function. `taken` are the functions that there are.
///
/// # Errors
/// Something does not fit the template or cannot be a name, nobody says what has to be said, or the person gives up.
pub(crate) fn settle(
    arguments: &FunctionArguments,
    decider: &Decider<'_>,
    taken: &[String],
) -> Result<Wanted, Problem> {
    let template = match arguments.template {
        Some(template) => template,
        None => choose_template(decider)?,
    };
    refuse_foreign_options(arguments, template)?;
    let usual_name = || Some(template::first_name(template)).filter(|name| !is_taken(name, taken)).map(str::to_owned);
    let name = match (&arguments.name, decider) {
        (Some(name), _) => name.clone(),
        (None, Decider::Person(person)) => {
            person.line("Name of the function", usual_name(), |name| check_name(name, taken))?
        }
        (None, Decider::Usual) => usual_name().ok_or_else(|| wanting("--name NAME is missing: the function's name"))?,
        (None, Decider::Nobody) => return Err(wanting("--name NAME is missing: the function's name")),
    };
    let name = FunctionName::parse(&name).map_err(|problem| wanting(&format!("--name: {problem}")))?;
    let kind = settle_kind(arguments, Kind::usual(template, &name), decider)?;
    let wanted = Wanted { name: kind.rename_apart(name), kind };
    match wanted.sections().iter().find(|section| is_taken(&section.name, taken)) {
        None => Ok(wanted),
        Some(section) => {
            Err(Problem::Host(anyhow!("there is a function {} already; choose another --name", section.name)))
        }
    }
}

fn choose_template(decider: &Decider<'_>) -> Result<Template, Problem> {
    match decider {
        Decider::Usual => Ok(TEMPLATES[0]),
        Decider::Nobody => {
            let words: Vec<&str> = TEMPLATES.iter().map(|template| template.word()).collect();
            Err(wanting(&format!("--template TEMPLATE is missing: one of {}", words.join(", "))))
        }
        Decider::Person(person) => {
            let item = |template: &Template| format!("{:<14} {}", template.word(), template::description(*template));
            let items: Vec<String> = TEMPLATES.iter().map(item).collect();
            Ok(TEMPLATES[person.choose("Template", &items)?])
        }
    }
}

fn settle_kind(arguments: &FunctionArguments, usual: Kind, decider: &Decider<'_>) -> Result<Kind, Problem> {
    let text = |given: &Option<String>, what: &str, usual: String| match (given, decider) {
        (Some(given), _) => Ok(given.clone()),
        // Whether it is right is said by the manifest.
        (None, Decider::Person(person)) => person.line(what, Some(usual), |_| Ok(())),
        (None, Decider::Usual | Decider::Nobody) => Ok(usual),
    };
    let door = |usual: Door| {
        let route = text(&arguments.route, "Route", usual.route)?;
        let route = route.trim_matches('/').to_owned();
        Ok::<_, Problem>(Door { route, key_needed: arguments.authlevel.unwrap_or(usual.key_needed) })
    };
    Ok(match usual {
        Kind::Durable(usual) => Kind::Durable(door(usual)?),
        Kind::Http(usual) => Kind::Http(door(usual)?),
        Kind::Queue(usual) => Kind::Queue(text(&arguments.queue_name, "Queue", usual)?),
        Kind::Timer(usual) => Kind::Timer(text(&arguments.schedule, "Schedule", usual)?),
        Kind::Activity => Kind::Activity,
        Kind::Orchestration => Kind::Orchestration,
        Kind::Entity => Kind::Entity,
    })
}

/// An option that another template has is a misunderstanding, and not to be passed over.
fn refuse_foreign_options(arguments: &FunctionArguments, template: Template) -> Result<(), Problem> {
    let is_http = matches!(template, Template::Http | Template::Durable);
    let options = [
        ("--route", arguments.route.is_some(), is_http, "http and durable"),
        ("--authlevel", arguments.authlevel.is_some(), is_http, "http and durable"),
        ("--queue-name", arguments.queue_name.is_some(), template == Template::Queue, "queue"),
        ("--schedule", arguments.schedule.is_some(), template == Template::Timer, "timer"),
    ];
    match options.iter().find(|(_, is_given, fits, _)| *is_given && !fits) {
        None => Ok(()),
        Some((option, _, _, of)) => {
            let word = template.word();
            Err(wanting(&format!("{option} is for the templates {of}, and the template is {word}; leave it out")))
        }
    }
}

fn check_name(name: &str, taken: &[String]) -> Result<(), String> {
    FunctionName::parse(name)?;
    match is_taken(name, taken) {
        true => Err(format!("there is a function {name} already")),
        false => Ok(()),
    }
}

fn is_taken(name: &str, taken: &[String]) -> bool {
    taken.iter().any(|taken| taken.eq_ignore_ascii_case(name))
}

/// The command line does not say enough, or too much.
fn wanting(what: &str) -> Problem {
    Problem::NoAnswer(anyhow!("{what}"))
}
