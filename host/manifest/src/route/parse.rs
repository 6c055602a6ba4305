//! Template text to [`Template`]: the grammar, and every way to get it wrong.

use super::constraint::{self, Constraint};
use super::template::{Parameter, Part, Presence, Segment, Template};

/// Longest template. Azure allows URLs of 4,096 characters; a route is a small part of one.
pub const MAX_TEMPLATE_BYTES: usize = 2_048;

/// Most segments in one template; also bounds how deep the matcher goes.
pub const MAX_SEGMENTS: usize = 64;

/// Why a text is no route template, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {next_step}")]
pub struct TemplateError {
    /// What is wrong, naming the piece of the template.
    pub what: String,
    /// What to write instead.
    pub next_step: String,
}

pub(super) fn error(what: impl Into<String>, next_step: impl Into<String>) -> TemplateError {
    TemplateError { what: what.into(), next_step: next_step.into() }
}

/// Parses and checks a template. Slashes around it do not matter.
pub(super) fn parse(text: &str) -> Result<Template, TemplateError> {
    if text.len() > MAX_TEMPLATE_BYTES {
        return Err(error(format!("is longer than {MAX_TEMPLATE_BYTES} bytes"), "write a shorter route"));
    }
    let mut segments = Vec::new();
    let mut cursor = Cursor { rest: text.trim_matches('/') };
    while !cursor.rest.is_empty() {
        let parts = cursor.segment()?;
        segments.push(assemble(parts)?);
        if cursor.rest.strip_prefix('/').is_some_and(|rest| rest.starts_with('/')) {
            return Err(error("has two slashes in a row", "write one"));
        }
        cursor.rest = cursor.rest.strip_prefix('/').unwrap_or(cursor.rest);
    }
    if segments.len() > MAX_SEGMENTS {
        return Err(error(format!("has more than {MAX_SEGMENTS} segments"), "write a shorter route"));
    }
    let template = Template { segments };
    check_order(&template)?;
    check_names(&template)?;
    Ok(template)
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// Everything up to the next slash outside of braces. Never empty of parts while there is text.
    fn segment(&mut self) -> Result<Vec<RawPart>, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        while let Some(next) = self.rest.chars().next().filter(|c| *c != '/') {
            match next {
                '{' if !self.rest.starts_with("{{") => {
                    if !literal.is_empty() {
                        parts.push(RawPart::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(RawPart::Parameter(self.braces()?));
                }
                '{' | '}' => {
                    if !self.rest.starts_with("{{") && !self.rest.starts_with("}}") {
                        return Err(error("has a `}` without a `{`", "write `}}` for a brace in the path"));
                    }
                    literal.push(next);
                    self.rest = &self.rest[2..];
                }
                _ => {
                    literal.push(next);
                    self.rest = &self.rest[next.len_utf8()..];
                }
            }
        }
        if !literal.is_empty() {
            parts.push(RawPart::Literal(literal));
        }
        Ok(parts)
    }

    /// The content of a pair of braces, with doubled braces inside made single.
    fn braces(&mut self) -> Result<String, TemplateError> {
        let opened: &'a str = self.rest;
        let mut content = String::new();
        self.rest = &self.rest[1..];
        loop {
            let Some(next) = self.rest.chars().next() else {
                let next_step = "close it with `}`; braces inside a constraint are doubled";
                return Err(error(format!("`{opened}` has no end"), next_step));
            };
            let doubled = self.rest.starts_with("{{") || self.rest.starts_with("}}");
            self.rest = &self.rest[next.len_utf8() * if doubled { 2 } else { 1 }..];
            match next {
                '}' if !doubled => return Ok(content),
                '{' if !doubled => {
                    return Err(error(format!("`{opened}` has a `{{` inside a parameter"), "double it: `{{`"));
                }
                _ => content.push(next),
            }
        }
    }
}

enum RawPart {
    Literal(String),
    Parameter(String),
}

fn assemble(raw: Vec<RawPart>) -> Result<Segment, TemplateError> {
    let mut parts = Vec::with_capacity(raw.len());
    let alone = raw.len() == 1;
    for part in raw {
        match part {
            RawPart::Literal(text) => parts.push(Part::Literal(literal(text)?)),
            RawPart::Parameter(content) if content.starts_with('*') => {
                if !alone {
                    let what = format!("`{{{content}}}` shares its segment with something else");
                    return Err(error(what, "put a slash before it: a catch-all is a segment of its own"));
                }
                return catch_all(&content);
            }
            RawPart::Parameter(content) => {
                if let Some(Part::Parameter(before)) = parts.last() {
                    let what = format!("`{{{before}}}` and `{{{content}}}` have nothing between them");
                    return Err(error(what, "put text or a slash between two parameters"));
                }
                parts.push(Part::Parameter(parameter(&content)?));
            }
        }
    }
    if let [part] = parts.as_slice() {
        return Ok(match part.clone() {
            Part::Literal(text) if text == "." || text == ".." => {
                return Err(error(format!("has the segment `{text}`"), "write the path in full"));
            }
            Part::Literal(text) => Segment::Literal(text),
            Part::Parameter(parameter) => Segment::Parameter(parameter),
        });
    }
    match parts.iter().find_map(absentable) {
        Some(parameter) => {
            let what = format!("`{{{parameter}}}` may be absent but shares its segment with something else");
            Err(error(what, "put it into a segment of its own"))
        }
        None => Ok(Segment::Mixed(parts)),
    }
}

fn absentable(part: &Part) -> Option<&Parameter> {
    match part {
        Part::Parameter(parameter) if parameter.presence != Presence::Required => Some(parameter),
        Part::Parameter(_) | Part::Literal(_) => None,
    }
}

fn literal(text: String) -> Result<String, TemplateError> {
    let bad = text.chars().find(|c| matches!(c, '?' | '#' | '%' | '\\') || c.is_whitespace() || c.is_control());
    match bad {
        Some('%') => Err(error("has a `%`", "write the character itself: paths are compared after decoding")),
        Some('?') => Err(error("has a `?` outside of braces", "leave the query out: a route is a path")),
        Some(c) => Err(error(format!("has the character {c:?}, which does not belong in a route"), "remove it")),
        None if text.starts_with('~') => Err(error("begins with `~`", "write the path from the prefix on")),
        None => Ok(text),
    }
}

fn catch_all(content: &str) -> Result<Segment, TemplateError> {
    let keeps_slashes = content.starts_with("**");
    let parameter = parameter(content.strip_prefix("**").or(content.strip_prefix('*')).unwrap_or(content))?;
    if parameter.presence == Presence::Optional {
        let what = format!("`{{{content}}}` is a catch-all and optional");
        return Err(error(what, "remove the `?`: a catch-all may be empty anyway"));
    }
    Ok(Segment::CatchAll { parameter, keeps_slashes })
}

/// `name(:constraint)*(?|=default)`
fn parameter(content: &str) -> Result<Parameter, TemplateError> {
    let name_end = content.find([':', '=', '?']).unwrap_or(content.len());
    let (name, mut rest) = content.split_at(name_end);
    let bad = |c: char| matches!(c, '/' | '{' | '}' | '*' | '(' | ')') || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.contains(bad) {
        return Err(error(format!("`{{{content}}}` has no valid name"), "write a name such as `{id}`"));
    }
    let mut constraints = Vec::new();
    while let Some(after) = rest.strip_prefix(':') {
        let end = constraint::end(after);
        constraints.push(Constraint::parse(&after[..end]).map_err(|e| {
            let what = format!("parameter `{name}`: {}", e.what);
            error(what, e.next_step)
        })?);
        rest = &after[end..];
    }
    let presence = presence(content, rest)?;
    if let Presence::Default(value) = &presence
        && let Some(failing) = constraints.iter().find(|constraint| !constraint.holds(value))
    {
        let what = format!("`{{{content}}}`: the default does not satisfy `{failing}`");
        return Err(error(what, "change the default or the constraint"));
    }
    Ok(Parameter { name: name.to_owned(), constraints, presence })
}

fn presence(content: &str, rest: &str) -> Result<Presence, TemplateError> {
    match rest {
        "" => Ok(Presence::Required),
        "?" => Ok(Presence::Optional),
        _ => match rest.strip_prefix('=') {
            Some("") => {
                Err(error(format!("`{{{content}}}` has an empty default"), "write `?` for an optional parameter"))
            }
            Some(value) if value.ends_with('?') => {
                Err(error(format!("`{{{content}}}` is optional and has a default"), "remove the `?`"))
            }
            Some(value) => Ok(Presence::Default(value.to_owned())),
            None => Err(error(format!("`{{{content}}}` goes on after its end"), format!("remove `{rest}`"))),
        },
    }
}

/// What may be absent stands at the end, and a catch-all at the very end.
fn check_order(template: &Template) -> Result<(), TemplateError> {
    for (index, segment) in template.segments.iter().enumerate() {
        let last = index + 1 == template.segments.len();
        if let Segment::CatchAll { parameter, .. } = segment
            && !last
        {
            let what = format!("the catch-all `{}` is not at the end", parameter.name);
            return Err(error(what, "move it to the end: it takes the rest of the path"));
        }
        if let Segment::Parameter(parameter) = segment
            && segment.may_be_absent()
            && !template.segments[index..].iter().all(Segment::may_be_absent)
        {
            let what = format!("`{{{parameter}}}` may be absent, but what follows it may not");
            return Err(error(what, "move it to the end of the route, or make it required"));
        }
    }
    Ok(())
}

fn check_names(template: &Template) -> Result<(), TemplateError> {
    let names: Vec<&str> = template.parameters().map(|parameter| parameter.name.as_str()).collect();
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|before| before.eq_ignore_ascii_case(name)) {
            return Err(error(format!("has two parameters named `{name}`"), "rename one of them"));
        }
    }
    Ok(())
}
