//! One template against one path: splitting, decoding, testing and capturing.

use std::borrow::Cow;

use super::template::{Parameter, Part, Presence, Segment, Template};

/// A request's path, cut at its slashes. One slash at the end makes no difference, two do.
pub(super) struct Path<'p> {
    /// As it came, percent-encoded and with its leading slash.
    raw: &'p str,
    /// Decoded text of each segment.
    segments: Vec<Cow<'p, str>>,
    /// Where each segment begins in `raw`.
    starts: Vec<usize>,
}

impl<'p> Path<'p> {
    /// `None` when the text does not begin with a slash, such as the `*` of `OPTIONS *`.
    pub(super) fn split(raw: &'p str) -> Option<Self> {
        let inner = raw.strip_prefix('/')?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let (mut segments, mut starts) = (Vec::new(), Vec::new());
        if !inner.is_empty() || raw.len() > 1 {
            let mut start = 1;
            for segment in inner.split('/') {
                segments.push(decode(segment));
                starts.push(start);
                start += segment.len() + 1;
            }
        }
        Some(Path { raw, segments, starts })
    }

    pub(super) fn segment(&self, index: usize) -> Option<&str> {
        self.segments.get(index).map(|segment| &**segment)
    }

    /// Everything from a segment on, decoded, with its slashes; empty when the path ends before.
    pub(super) fn rest(&self, index: usize) -> Cow<'p, str> {
        self.starts.get(index).map_or(Cow::Borrowed(""), |start| decode(&self.raw[*start..]))
    }
}

/// Percent-decoding. Text whose escapes do not form UTF-8 stays as it is: it is nobody's name, but still somebody's bytes.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            Some(_) | None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

impl Parameter {
    /// A present value; an empty one is no value.
    pub(super) fn takes(&self, value: &str) -> bool {
        !value.is_empty() && self.constraints.iter().all(|constraint| constraint.holds(value))
    }

    /// The rest of a path, which may be empty.
    pub(super) fn takes_rest(&self, rest: &str) -> bool {
        // An absent value is replaced by the default, which was checked when the template was parsed.
        let default = rest.is_empty() && matches!(self.presence, Presence::Default(_));
        default || self.constraints.iter().all(|constraint| constraint.holds(rest))
    }
}

impl Segment {
    /// Whether a present segment of a path fits; never called for a catch-all, which is not about one segment.
    pub(super) fn takes(&self, text: &str) -> bool {
        match self {
            Segment::Literal(literal) => prefix_length(text, literal) == Some(text.len()),
            Segment::Parameter(parameter) => parameter.takes(text),
            Segment::Mixed(parts) => capture_mixed(parts, text).is_some(),
            Segment::CatchAll { parameter, .. } => parameter.takes_rest(text),
        }
    }
}

impl Template {
    /// Whether this template alone matches; the table answers the same for many at once.
    pub(super) fn matches(&self, path: &Path<'_>) -> bool {
        for (index, segment) in self.segments.iter().enumerate() {
            let fits = match (segment, path.segment(index)) {
                (Segment::CatchAll { parameter, .. }, _) => return parameter.takes_rest(&path.rest(index)),
                (_, None) => return self.segments[index..].iter().all(Segment::may_be_absent),
                (_, Some(text)) => segment.takes(text),
            };
            if !fits {
                return false;
            }
        }
        path.segment(self.segments.len()).is_none()
    }

    /// The values of the parameters for a path that matches, from segment `offset` on.
    pub(super) fn capture<'t>(&'t self, path: &Path<'_>, offset: usize) -> Vec<(&'t str, String)> {
        let mut values = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            let present = path.segment(offset + index);
            match segment {
                Segment::Literal(_) => {}
                Segment::Parameter(parameter) => values.extend(value_of(parameter, present)),
                Segment::CatchAll { parameter, .. } => {
                    let rest = path.rest(offset + index);
                    values.extend(value_of(parameter, Some(&*rest).filter(|rest| !rest.is_empty())));
                }
                Segment::Mixed(parts) => {
                    let captured = present.and_then(|text| capture_mixed(parts, text)).unwrap_or_default();
                    values.extend(captured.into_iter().map(|(parameter, text)| (&*parameter.name, text.to_owned())));
                }
            }
        }
        values
    }
}

fn value_of<'t>(parameter: &'t Parameter, present: Option<&str>) -> Option<(&'t str, String)> {
    let value = match (present, &parameter.presence) {
        (Some(text), _) => text,
        (None, Presence::Default(value)) => value,
        (None, Presence::Required | Presence::Optional) => return None,
    };
    Some((&parameter.name, value.to_owned()))
}

/// Fits text to literals and parameters from the right, each parameter as short as it can be, so that the leftmost takes
/// what is ambiguous: `{a}.{b}` reads `x.y.z` as `x.y` and `z`, as in ASP.NET. Leaving the most to the left also means that
/// a fit is found whenever there is one that the constraints do not forbid.
fn capture_mixed<'t, 'p>(parts: &'t [Part], text: &'p str) -> Option<Vec<(&'t Parameter, &'p str)>> {
    let mut captured = Vec::new();
    let mut end = text.len();
    let mut open: Option<&'t Parameter> = None;
    for (index, part) in parts.iter().enumerate().rev() {
        let literal = match part {
            Part::Parameter(parameter) => {
                open = Some(parameter);
                continue;
            }
            Part::Literal(literal) => literal,
        };
        let (start, after) = match open {
            Some(_) if index == 0 => (0, prefix_length(text, literal)?),
            Some(_) => last_occurrence(&text[..end], literal)?,
            // The last part of the segment, since two literals never touch.
            None => ends_with(&text[..end], literal)?,
        };
        if let Some(parameter) = open.take() {
            captured.push((parameter, text.get(after..end)?));
        }
        end = start;
    }
    if let Some(parameter) = open {
        captured.push((parameter, &text[..end]));
    } else if end != 0 {
        return None;
    }
    captured.reverse();
    captured.iter().all(|(parameter, value)| parameter.takes(value)).then_some(captured)
}

/// The last place where the literal stands with at least one character after it: start and end.
fn last_occurrence(text: &str, literal: &str) -> Option<(usize, usize)> {
    text.char_indices().rev().find_map(|(at, _)| {
        let length = prefix_length(&text[at..], literal)?;
        (at + length < text.len()).then_some((at, at + length))
    })
}

fn ends_with(text: &str, literal: &str) -> Option<(usize, usize)> {
    text.char_indices().rev().find_map(|(at, _)| {
        let length = prefix_length(&text[at..], literal)?;
        (at + length == text.len()).then_some((at, text.len()))
    })
}

/// How many bytes of `text` the literal takes at its start, ignoring case.
fn prefix_length(text: &str, literal: &str) -> Option<usize> {
    let mut wanted = literal.chars().flat_map(char::to_lowercase).peekable();
    for (at, c) in text.char_indices() {
        if wanted.peek().is_none() {
            return Some(at);
        }
        for lower in c.to_lowercase() {
            if wanted.next() != Some(lower) {
                return None;
            }
        }
    }
    wanted.peek().is_none().then_some(text.len())
}
