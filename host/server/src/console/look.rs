//! How text looks: colours and links where they are wanted, and nothing that could steer a terminal.

use clap::builder::styling::{AnsiColor, Effects, Style};
use orchestration::Timestamp;
use std::time::Duration;

pub(super) const HEADING: Style = AnsiColor::Yellow.on_default();
pub(super) const NAME: Style = AnsiColor::Yellow.on_default();
pub(super) const URL: Style = AnsiColor::Green.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const TROUBLE: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(super) const ASIDE: Style = AnsiColor::BrightBlack.on_default();

/// So much of an invocation's id is enough to tell those apart that are on one screen.
const SHORT_ID_LEN: usize = 8;

/// `2024-01-01T00:00:00.000`: programs get milliseconds.
const MILLISECONDS_LEN: usize = 23;
/// `2024-01-01T`: what stands before the time of the day.
const DATE_LEN: usize = 11;
/// `2024-01-01T00:00:00`
const SECONDS_LEN: usize = 19;

/// What may be used besides text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look {
    /// Colours.
    pub(super) colours: bool,
    /// Links that a terminal makes of OSC 8.
    pub(super) links: bool,
}

impl Look {
    /// The text in a style.
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        if self.colours { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A URL that can be clicked on.
    pub(super) fn link(self, url: &str) -> String {
        if self.links { format!("\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\") } else { url.to_owned() }
    }
}

/// Functions and callers decide about much of the text: what is no visible character could forge lines or steer the terminal.
pub(crate) fn push_visible(line: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
}

/// The beginning of an id.
pub(super) fn short(id: &str) -> &str {
    &id[..id.floor_char_boundary(SHORT_ID_LEN)]
}

/// `2024-01-01T00:00:00.000Z`
pub(super) fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{}Z", text.get(..MILLISECONDS_LEN).unwrap_or(&text))
}

/// `00:00:00`, in UTC as all times of the host are.
pub(super) fn time_of_day(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(DATE_LEN..SECONDS_LEN).unwrap_or(&text).to_owned()
}

/// `12 ms`, `1.25 s`, `2 min 5 s`, `3 h 2 min`
pub(super) fn readable(time: Duration) -> String {
    let (ms, seconds) = (time.as_millis(), time.as_secs());
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{:.2} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// `2.31 s`, also where that is less than a second: steps that belong together are compared.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// `1 function`, `2 functions`
pub(super) fn counted(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
