//! A route template as a value: segments, parameters and how specific it is.

use std::fmt;

use super::constraint::Constraint;
use super::parse::{TemplateError, parse};

/// A checked route template such as `trips/{conference}/{day:int?}`. Displays as a text that parses to the same template.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    /// Between the slashes, from the left. None at all for the prefix itself.
    pub(super) segments: Vec<Segment>,
}

/// What stands between two slashes of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text that a path must contain, in any case.
    Literal(String),
    /// One parameter, `{x}`.
    Parameter(Parameter),
    /// Parameters with text around them, `{name}.{extension}`: at least two parts, never two parameters in a row.
    Mixed(Vec<Part>),
    /// The rest of the path, `{*x}` or `{**x}`; always the last segment.
    CatchAll {
        /// Its name and constraints; never optional, since it may be empty anyway.
        parameter: Parameter,
        /// `{**x}`: slashes would stay slashes if a URL were made from this template. No difference when matching.
        keeps_slashes: bool,
    },
}

/// A piece of a mixed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text, in any case.
    Literal(String),
    /// A parameter.
    Parameter(Parameter),
}

/// A named hole in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Unique within its template, ignoring case.
    pub name: String,
    /// All of them must hold for a path to match.
    pub constraints: Vec<Constraint>,
    /// What happens when the path has nothing there.
    pub presence: Presence,
}

/// Whether a parameter may be missing from a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// `{x}`: without it the path does not match.
    Required,
    /// `{x?}`: without it the parameter has no value.
    Optional,
    /// `{x=text}`: without it the parameter has this value.
    Default(String),
}

impl Template {
    /// The segments, from the left.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The parameters, from the left.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.segments.iter().flat_map(Segment::parameters)
    }

    /// The first segment when it is literal.
    pub(crate) fn first_literal(&self) -> Option<&str> {
        match self.segments.first() {
            Some(Segment::Literal(text)) => Some(text),
            Some(Segment::Parameter(_) | Segment::Mixed(_) | Segment::CatchAll { .. }) | None => None,
        }
    }

    /// How specific the template is: of two that match a path, the smaller one wins.
    pub(crate) fn precedence(&self) -> Vec<u8> {
        self.segments.iter().map(Segment::precedence).collect()
    }

    /// The template in lower case and without the names of its parameters. Templates of one shape match the same paths.
    pub(crate) fn shape(&self) -> String {
        let mut nameless = self.clone();
        for segment in &mut nameless.segments {
            match segment {
                Segment::Literal(text) => *text = fold(text),
                Segment::Parameter(parameter) => parameter.name.clear(),
                Segment::CatchAll { parameter, keeps_slashes } => {
                    parameter.name.clear();
                    *keeps_slashes = true;
                }
                Segment::Mixed(parts) => parts.iter_mut().for_each(|part| match part {
                    Part::Literal(text) => *text = fold(text),
                    Part::Parameter(parameter) => parameter.name.clear(),
                }),
            }
        }
        nameless.to_string()
    }
}

impl Segment {
    /// Nothing is more specific than text.
    pub(super) const LITERAL_PRECEDENCE: u8 = 0;

    pub(super) fn parameters(&self) -> Vec<&Parameter> {
        match self {
            Segment::Literal(_) => Vec::new(),
            Segment::Parameter(parameter) | Segment::CatchAll { parameter, .. } => vec![parameter],
            Segment::Mixed(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Parameter(parameter) => Some(parameter),
                    Part::Literal(_) => None,
                })
                .collect(),
        }
    }

    /// Whether a path may end before this segment.
    pub(super) fn may_be_absent(&self) -> bool {
        match self {
            Segment::Literal(_) | Segment::Mixed(_) => false,
            Segment::Parameter(parameter) => parameter.presence != Presence::Required,
            Segment::CatchAll { .. } => true,
        }
    }

    /// ASP.NET's order, with parameters that may be absent set after those that may not.
    fn precedence(&self) -> u8 {
        match self {
            Segment::Literal(_) => Segment::LITERAL_PRECEDENCE,
            // Text around a parameter narrows it like a constraint does.
            Segment::Mixed(_) => 1,
            Segment::Parameter(parameter) => {
                let unconstrained = u8::from(parameter.constraints.is_empty());
                let absent = u8::from(self.may_be_absent());
                1 + unconstrained + 2 * absent
            }
            Segment::CatchAll { parameter, .. } => 5 + u8::from(parameter.constraints.is_empty()),
        }
    }
}

/// Lower case, character by character, so that equal characters stay equal wherever they stand.
pub(super) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

impl std::str::FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.to_string())
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            match segment {
                Segment::Literal(text) => f.write_str(&escape(text))?,
                Segment::Parameter(parameter) => write!(f, "{{{}}}", escape(&parameter.to_string()))?,
                Segment::CatchAll { parameter, keeps_slashes } => {
                    let stars = if *keeps_slashes { "**" } else { "*" };
                    write!(f, "{{{stars}{}}}", escape(&parameter.to_string()))?;
                }
                Segment::Mixed(parts) => parts.iter().try_for_each(|part| match part {
                    Part::Literal(text) => f.write_str(&escape(text)),
                    Part::Parameter(parameter) => write!(f, "{{{}}}", escape(&parameter.to_string())),
                })?,
            }
        }
        Ok(())
    }
}

/// What stands between the braces, before braces within it are doubled.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for constraint in &self.constraints {
            write!(f, ":{constraint}")?;
        }
        match &self.presence {
            Presence::Required => Ok(()),
            Presence::Optional => f.write_str("?"),
            Presence::Default(value) => write!(f, "={value}"),
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}
