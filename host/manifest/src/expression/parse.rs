//! From the text of an expression to its parts.

use super::guid::GuidFormat;
use super::moment::MomentFormat;
use super::{ExpressionError, Part, Place, Source};

/// The words that follow `sys.`.
const SYSTEM_WORDS: &str = "there are {sys.methodname}, {sys.utcnow} and {sys.randguid}";

/// Literal parts are never empty and never next to each other.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, ExpressionError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let from_brace = &rest[at..];
        rest = if let Some(after) = from_brace.strip_prefix("{{") {
            literal.push('{');
            after
        } else if let Some(after) = from_brace.strip_prefix("}}") {
            literal.push('}');
            after
        } else if from_brace.starts_with('}') {
            return wrong("has a `}` without a `{`", "write `}}` for a brace that is meant as such");
        } else {
            let Some((inside, after)) = from_brace[1..].split_once('}').filter(|(inside, _)| !inside.contains('{'))
            else {
                return wrong("has a `{` without a `}`", "close it, or write `{{` for a brace that is meant as such");
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Place(Place { text: inside.to_owned(), source: source(inside)? }));
            after
        };
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn source(inside: &str) -> Result<Source, ExpressionError> {
    let (name, format) = match inside.split_once(':') {
        Some((name, format)) => (name, Some(format)),
        None => (inside, None),
    };
    if name.eq_ignore_ascii_case("rand-guid") {
        return Ok(Source::RandomGuid(GuidFormat::parse(format.unwrap_or_default())?));
    }
    if name.eq_ignore_ascii_case("datetime") {
        return Ok(Source::Moment(MomentFormat::parse(format.unwrap_or_default())?));
    }
    let path: Vec<String> = name.split('.').map(str::to_owned).collect();
    let name_is_good = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@'))
    };
    if !path.iter().all(name_is_good) {
        let next = "write names of letters, digits, `_`, `-`, `$` and `@`, with dots between them; double braces that are meant as such";
        return wrong(format!("{{{inside}}} is not the name of a value"), next);
    }
    if format.is_some() {
        let next = "only {datetime:...} and {rand-guid:...} take a format";
        return wrong(format!("{{{inside}}} has a format"), next);
    }
    if !path[0].eq_ignore_ascii_case("sys") {
        return Ok(Source::Data(path));
    }
    match path[1..].join(".").to_ascii_lowercase().as_str() {
        "methodname" => Ok(Source::FunctionName),
        "utcnow" => Ok(Source::Moment(MomentFormat::parse("")?)),
        "randguid" => Ok(Source::RandomGuid(GuidFormat::default())),
        _ => wrong(format!("{{{inside}}} is not known"), SYSTEM_WORDS),
    }
}

pub(super) fn wrong<T>(what: impl Into<String>, next_step: impl Into<String>) -> Result<T, ExpressionError> {
    Err(ExpressionError { what: what.into(), next_step: next_step.into() })
}
