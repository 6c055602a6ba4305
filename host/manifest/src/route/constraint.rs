//! Constraints on route parameters, `{id:int:min(1)}`: parsed and compiled at load, tested on each request.
//!
//! A constraint that fails means that the route does not match, never that the request is bad.

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::parse::{TemplateError, error};
use crate::suggestion::did_you_mean;

/// Memory for one compiled pattern, in bytes; patterns in routes are short.
const MAX_REGEX_BYTES: usize = 1 << 18;

/// The names that manifests may use.
const NAMES: &[&str] = &[
    "int",
    "long",
    "decimal",
    "double",
    "float",
    "bool",
    "datetime",
    "guid",
    "alpha",
    "required",
    "length",
    "minlength",
    "maxlength",
    "min",
    "max",
    "range",
    "regex",
];

/// A condition on a parameter's text. Displays as it was written.
#[derive(Clone)]
pub struct Constraint {
    text: String,
    test: Test,
}

#[derive(Clone)]
enum Test {
    Int,
    Long,
    Decimal,
    Floating,
    Bool,
    Datetime,
    Guid,
    Alpha,
    Required,
    /// In UTF-16 code units, which is what .NET counts; both ends included.
    Length(usize, usize),
    /// Both ends included.
    Range(i64, i64),
    Matches(Regex),
}

impl Constraint {
    /// Reads one constraint without its colon, such as `range(1,12)`.
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => match rest.strip_suffix(')') {
                Some(arguments) => (name, Some(arguments)),
                None => return Err(error(format!("constraint `{text}` has no `)`"), "close the parenthesis")),
            },
            None => (text, None),
        };
        let lower = name.to_ascii_lowercase();
        let test = match arguments {
            None => simple(&lower),
            Some(pattern) if lower == "regex" => Some(Test::Matches(compile(text, pattern)?)),
            Some(arguments) => numeric(&lower, arguments),
        };
        match test {
            Some(test) => Ok(Constraint { text: text.to_owned(), test }),
            None if NAMES.contains(&lower.as_str()) => {
                Err(error(format!("constraint `{text}` has wrong arguments"), format!("write {}", usage(&lower))))
            }
            None => Err(error(format!("unknown constraint `{name}`"), did_you_mean(&lower, NAMES))),
        }
    }

    /// Whether a value satisfies the constraint.
    pub fn holds(&self, value: &str) -> bool {
        match &self.test {
            Test::Int => value.parse::<i32>().is_ok(),
            Test::Long => value.parse::<i64>().is_ok(),
            Test::Decimal => is_decimal(value),
            // Rust also reads words such as "inf"; a number on a URL has digits.
            Test::Floating => value.bytes().any(|b| b.is_ascii_digit()) && value.parse::<f64>().is_ok(),
            Test::Bool => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
            Test::Datetime => is_datetime(value).is_some(),
            Test::Guid => is_guid(value),
            Test::Alpha => value.bytes().all(|b| b.is_ascii_alphabetic()),
            Test::Required => !value.is_empty(),
            Test::Length(min, max) => (*min..=*max).contains(&value.encode_utf16().count()),
            Test::Range(min, max) => value.parse::<i64>().is_ok_and(|number| (*min..=*max).contains(&number)),
            Test::Matches(regex) => regex.is_match(value),
        }
    }
}

/// Where a constraint ends within `text`: at the first `:`, `=` or `?` outside of its parentheses.
pub(super) fn end(text: &str) -> usize {
    let is_regex = text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("regex("));
    let (mut depth, mut in_class, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            // Parentheses that a pattern escapes or lists in a class do not count.
            _ if escaped => escaped = false,
            '\\' if is_regex => escaped = true,
            '[' if is_regex && depth > 0 => in_class = true,
            ']' if in_class => in_class = false,
            _ if in_class => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ':' | '=' | '?' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn simple(name: &str) -> Option<Test> {
    Some(match name {
        "int" => Test::Int,
        "long" => Test::Long,
        "decimal" => Test::Decimal,
        "double" | "float" => Test::Floating,
        "bool" => Test::Bool,
        "datetime" => Test::Datetime,
        "guid" => Test::Guid,
        "alpha" => Test::Alpha,
        "required" => Test::Required,
        _ => return None,
    })
}

fn numeric(name: &str, arguments: &str) -> Option<Test> {
    let mut numbers = arguments.split(',').map(|argument| argument.trim().parse::<i64>().ok());
    let (first, second) = (numbers.next()??, numbers.next());
    // A second argument that is no number is wrong, and so is a third.
    let second = match second {
        Some(second) => Some(second?),
        None => None,
    };
    if numbers.next().is_some() {
        return None;
    }
    let length = |number: i64| usize::try_from(number).ok();
    Some(match (name, second) {
        ("length", None) => Test::Length(length(first)?, length(first)?),
        ("length", Some(second)) if first <= second => Test::Length(length(first)?, length(second)?),
        ("minlength", None) => Test::Length(length(first)?, usize::MAX),
        ("maxlength", None) => Test::Length(0, length(first)?),
        ("min", None) => Test::Range(first, i64::MAX),
        ("max", None) => Test::Range(i64::MIN, first),
        ("range", Some(second)) if first <= second => Test::Range(first, second),
        _ => return None,
    })
}

fn usage(name: &str) -> &'static str {
    match name {
        "length" => "`length(4)` or `length(2,8)`, the smaller number first",
        "minlength" => "`minlength(4)`",
        "maxlength" => "`maxlength(8)`",
        "min" => "`min(1)`",
        "max" => "`max(12)`",
        "range" => "`range(1,12)`, the smaller number first",
        "regex" => "`regex(^pattern$)`, with braces doubled",
        _ => "it without parentheses",
    }
}

/// ASP.NET looks for the pattern anywhere in the value and ignores case; so do we.
fn compile(text: &str, pattern: &str) -> Result<Regex, TemplateError> {
    let compiled = RegexBuilder::new(pattern).case_insensitive(true).size_limit(MAX_REGEX_BYTES).build();
    compiled.map_err(|cause| {
        // The library draws the pattern on several lines; the last one says what is wrong.
        let cause = cause.to_string();
        let cause = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let next_step = "correct the pattern; look-around and back-references are not available";
        error(format!("constraint `{text}` is no regular expression we can run ({cause})"), next_step)
    })
}

/// Sign, digits, fraction; within .NET's 96-bit decimal.
fn is_decimal(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    all_digits
        && !(whole.is_empty() && fraction.is_empty())
        && (whole.is_empty() || whole.parse::<u128>().is_ok_and(|number| number < 1 << 96))
}

/// 32 hexadecimal digits, alone or in groups of 8-4-4-4-12, then also within braces or parentheses.
fn is_guid(value: &str) -> bool {
    let wrapped = |open, close| value.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    let inner = wrapped('{', '}').or_else(|| wrapped('(', ')'));
    let groups: Vec<&str> = inner.unwrap_or(value).split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hexadecimal = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal && (lengths == [8, 4, 4, 4, 12] || (inner.is_none() && lengths == [32]))
}

/// `yyyy-MM-dd`, then optionally a time after a space or `T`: `HH:mm[:ss[.fff]]` with `Z` or an offset, or `7:32pm`.
fn is_datetime(value: &str) -> Option<()> {
    let (date, time) = value.split_once(['T', ' ']).map_or((value, None), |(date, time)| (date, Some(time)));
    let mut parts = date.split('-');
    let (year, month, day) = (digits(parts.next()?, 4, 4)?, digits(parts.next()?, 1, 2)?, digits(parts.next()?, 1, 2)?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last_day = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || year == 0 || !(1..=last_day).contains(&day) {
        return None;
    }
    time.map_or(Some(()), is_time)
}

fn is_time(text: &str) -> Option<()> {
    let lower = text.to_ascii_lowercase();
    let halves = lower.strip_suffix("am").or_else(|| lower.strip_suffix("pm")).map(str::trim_end);
    let clock = match halves {
        Some(clock) => clock,
        None => without_offset(&lower)?,
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 1, 2)?, digits(parts.next()?, 2, 2)?);
    let (second, fraction) = parts.next().map_or(("0", "0"), |text| text.split_once('.').unwrap_or((text, "0")));
    let second = digits(second, 1, 2)?;
    digits(fraction, 1, 7)?;
    let hours = if halves.is_some() { 1..=12 } else { 0..=23 };
    (parts.next().is_none() && hours.contains(&hour) && minute < 60 && second < 60).then_some(())
}

fn without_offset(text: &str) -> Option<&str> {
    if let Some(clock) = text.strip_suffix('z') {
        return Some(clock);
    }
    let Some((clock, offset)) = text.split_once(['+', '-']) else { return Some(text) };
    let (hours, minutes) = offset.split_once(':')?;
    (digits(hours, 1, 2)? <= 14 && digits(minutes, 2, 2)? < 60).then_some(clock)
}

fn digits(text: &str, least: usize, most: usize) -> Option<u32> {
    let good = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if good { text.parse().ok() } else { None }
}

/// Compiled patterns cannot be compared; the text says everything.
impl PartialEq for Constraint {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Constraint {}

impl fmt::Debug for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Constraint({:?})", self.text)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
