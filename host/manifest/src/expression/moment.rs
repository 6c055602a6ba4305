//! Moments as .NET's format strings write them, in UTC and in the invariant culture.
//!
//! One letter is a standard format, anything else is a custom one. .NET copies letters that it does not know; here they are
//! refused, because `YYYY` is never what somebody wants in the name of a queue. `T` and `Z` are copied.

use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use storage_model::Ticks;

use super::ExpressionError;
use super::parse::wrong;

/// What `{datetime}` alone stands for: ISO 8601 without characters that names of blobs cannot have.
const DEFAULT: &str = "yyyy-MM-ddTHH-mm-ssK";

const NANOSECONDS_PER_TICK: i128 = 100;

const QUOTE: &str = "write it like {datetime:yyyy-MM-dd}; texts of your own stand in single quotes";

/// A format that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MomentFormat(Vec<Element>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    Literal(char),
    /// A letter, so many times.
    Field(char, usize),
}

impl MomentFormat {
    pub(super) fn parse(text: &str) -> Result<MomentFormat, ExpressionError> {
        let mut letters = text.chars();
        let custom = match (letters.next(), letters.next()) {
            (None, _) => DEFAULT,
            (Some(letter), None) => match standard(letter) {
                Some(custom) => custom,
                None => return wrong(format!("`{letter}` is not a standard format of a date and time"), QUOTE),
            },
            (Some(_), Some(_)) => text,
        };
        elements(custom).map(MomentFormat)
    }

    pub(super) fn print(&self, moment: Ticks) -> String {
        let time = civil(moment);
        let mut text = String::new();
        for element in &self.0 {
            match element {
                Element::Literal(c) => text.push(*c),
                // Writing to a string cannot fail.
                Element::Field(letter, count) => print_field(&mut text, *letter, *count, time).unwrap_or_default(),
            }
        }
        text
    }
}

/// The custom format behind a standard one, in the invariant culture.
fn standard(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "MM/dd/yyyy",
        'D' => "dddd, dd MMMM yyyy",
        'f' => "dddd, dd MMMM yyyy HH:mm",
        'F' | 'U' => "dddd, dd MMMM yyyy HH:mm:ss",
        'g' => "MM/dd/yyyy HH:mm",
        'G' => "MM/dd/yyyy HH:mm:ss",
        'M' | 'm' => "MMMM dd",
        'O' | 'o' => "yyyy-MM-ddTHH:mm:ss.fffffffK",
        'R' | 'r' => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        's' => "yyyy-MM-ddTHH:mm:ss",
        't' => "HH:mm",
        'T' => "HH:mm:ss",
        'u' => "yyyy-MM-dd HH:mm:ssZ",
        'Y' | 'y' => "yyyy MMMM",
        _ => return None,
    })
}

fn elements(format: &str) -> Result<Vec<Element>, ExpressionError> {
    let mut elements = Vec::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\'' | '"' => {
                let Some((quoted, after)) = after.split_once(c) else {
                    return wrong(format!("the format `{format}` has a {c} that is not closed"), QUOTE);
                };
                elements.extend(quoted.chars().map(Element::Literal));
                after
            }
            '\\' => {
                let Some(escaped) = after.chars().next() else {
                    return wrong(format!("the format `{format}` ends in a backslash"), QUOTE);
                };
                elements.push(Element::Literal(escaped));
                &after[escaped.len_utf8()..]
            }
            // Makes a custom format of a single letter, and stands for nothing itself.
            '%' if !after.is_empty() && !after.starts_with('%') => after,
            '%' => return wrong(format!("the format `{format}` has a % with nothing behind it"), QUOTE),
            'T' | 'Z' => {
                elements.push(Element::Literal(c));
                after
            }
            letter if letter.is_alphabetic() => {
                let others = rest.trim_start_matches(letter);
                let count = (rest.len() - others.len()) / letter.len_utf8();
                elements.push(field(letter, count, format)?);
                others
            }
            other => {
                elements.push(Element::Literal(other));
                after
            }
        };
    }
    Ok(elements)
}

fn field(letter: char, count: usize, format: &str) -> Result<Element, ExpressionError> {
    /// Seven digits are a tick; years have four.
    const MOST_FRACTION_DIGITS: usize = 7;
    let most = match letter {
        'y' => 5,
        'M' | 'd' => 4,
        'f' | 'F' => MOST_FRACTION_DIGITS,
        'z' => 3,
        'g' | 'h' | 'H' | 'm' | 's' | 't' => 2,
        'K' => 1,
        unknown => {
            let hint = match unknown {
                'Y' => "years are `yyyy`",
                'D' => "days are `dd`",
                'S' => "seconds are `ss` and milliseconds `fff`",
                _ => QUOTE,
            };
            return wrong(format!("the format `{format}` has an `{unknown}`, which stands for nothing"), hint);
        }
    };
    if count > most {
        let what = format!("the format `{format}` has {count} times `{letter}`");
        return wrong(what, format!("write it {most} times at most"));
    }
    Ok(Element::Field(letter, count))
}

fn print_field(text: &mut String, letter: char, count: usize, time: DateTime) -> std::fmt::Result {
    let hour12 = (time.hour() + 11) % 12 + 1;
    match (letter, count) {
        ('y', 1 | 2) => write!(text, "{:0count$}", time.year().rem_euclid(100)),
        ('y', _) => write!(text, "{:0count$}", time.year()),
        ('M', 3) => write!(text, "{}", time.strftime("%b")),
        ('M', 4) => write!(text, "{}", time.strftime("%B")),
        ('M', _) => write!(text, "{:0count$}", time.month()),
        ('d', 3) => write!(text, "{}", time.strftime("%a")),
        ('d', 4) => write!(text, "{}", time.strftime("%A")),
        ('d', _) => write!(text, "{:0count$}", time.day()),
        ('H', _) => write!(text, "{:0count$}", time.hour()),
        ('h', _) => write!(text, "{hour12:0count$}"),
        ('m', _) => write!(text, "{:0count$}", time.minute()),
        ('s', _) => write!(text, "{:0count$}", time.second()),
        ('f', _) => text.write_str(&fraction(time, count)),
        ('F', _) => {
            let digits = fraction(time, count);
            let digits = digits.trim_end_matches('0');
            if digits.is_empty() && text.ends_with('.') {
                text.pop();
            }
            text.write_str(digits)
        }
        ('t', 1) => text.write_str(if time.hour() < 12 { "A" } else { "P" }),
        ('t', _) => text.write_str(if time.hour() < 12 { "AM" } else { "PM" }),
        ('K', _) => text.write_char('Z'),
        ('z', 1) => text.write_str("+0"),
        ('z', 2) => text.write_str("+00"),
        ('z', _) => text.write_str("+00:00"),
        // `field` lets nothing else through than the era.
        _ => text.write_str("A.D."),
    }
}

fn fraction(time: DateTime, digits: usize) -> String {
    let mut fraction = format!("{:09}", time.subsec_nanosecond());
    fraction.truncate(digits);
    fraction
}

/// In UTC. The calendar ends with the year 9999, far behind what a clock says.
fn civil(moment: Ticks) -> DateTime {
    let nanoseconds = i128::from(moment) * NANOSECONDS_PER_TICK;
    let end = if moment < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let moment = jiff::Timestamp::from_nanosecond(nanoseconds).unwrap_or(end);
    TimeZone::UTC.to_datetime(moment)
}
