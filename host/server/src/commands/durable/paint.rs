//! Text with colours, in columns, for a terminal or for a file. What others wrote never steers the terminal.

use clap::builder::styling::{AnsiColor, Style};
use orchestration::RuntimeStatus;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a piece of text is about; colours follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    /// Went well.
    Good,
    /// Went wrong.
    Bad,
    /// Goes on.
    Busy,
    /// Less important.
    Aside,
}

impl Paint {
    fn style(self) -> Style {
        match self {
            Paint::Plain => Style::new(),
            Paint::Good => AnsiColor::Green.on_default(),
            Paint::Bad => AnsiColor::Red.on_default(),
            Paint::Busy => AnsiColor::Yellow.on_default(),
            Paint::Aside => AnsiColor::BrightBlack.on_default(),
        }
    }

    /// How a status looks.
    pub(super) fn of(status: RuntimeStatus) -> Paint {
        match status {
            RuntimeStatus::Completed => Paint::Good,
            RuntimeStatus::Failed | RuntimeStatus::Terminated | RuntimeStatus::Canceled => Paint::Bad,
            RuntimeStatus::Running | RuntimeStatus::ContinuedAsNew => Paint::Busy,
            RuntimeStatus::Pending | RuntimeStatus::Suspended => Paint::Aside,
        }
    }
}

/// Where text is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Whether it may have colours.
    pub(super) colours: bool,
    /// Whether it is a terminal, on which lines can be drawn anew.
    pub(super) terminal: bool,
    /// In columns.
    pub(super) width: usize,
    /// In lines.
    pub(super) height: usize,
}

/// A piece of text in one colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    text: String,
    paint: Paint,
}

impl Span {
    /// Whatever cannot be seen is escaped here.
    pub(super) fn new(text: &str, paint: Paint) -> Span {
        Span { text: visible(text), paint }
    }

    pub(super) fn plain(text: &str) -> Span {
        Span::new(text, Paint::Plain)
    }

    fn width(&self) -> usize {
        self.text.width()
    }

    fn painted(&self, colours: bool) -> String {
        let style = if colours { self.paint.style() } else { Style::new() };
        format!("{style}{}{style:#}", self.text)
    }
}

/// One line of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<Span>);

impl Line {
    pub(super) fn push(&mut self, text: &str, paint: Paint) {
        self.0.push(Span::new(text, paint));
    }

    /// As it is written, without a line break and without spaces at its end.
    pub(super) fn to_text(&self, colours: bool) -> String {
        let text: String = self.0.iter().map(|span| span.painted(colours)).collect();
        text.trim_end().to_owned()
    }

    /// The first `width` columns of it.
    pub(super) fn cut(self, width: usize) -> Line {
        let mut left = width;
        let mut spans = Vec::new();
        for span in self.0 {
            let text = if span.width() <= left { span.text } else { shortened(&span.text, left) };
            left -= text.width().min(left);
            spans.push(Span { text, paint: span.paint });
        }
        Line(spans)
    }
}

/// All lines as text, each with a line break.
pub(super) fn to_text(lines: &[Line], colours: bool) -> String {
    lines.iter().map(|line| line.to_text(colours) + "\n").collect()
}

/// Cells in columns, two spaces between them.
pub(super) fn table(rows: Vec<Vec<Span>>) -> Vec<Line> {
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let lines = rows.into_iter().map(|row| {
        let mut line = Line::default();
        for (cell, width) in row.into_iter().zip(&widths) {
            let gap = width - cell.width() + 2;
            line.0.push(cell);
            line.push(&" ".repeat(gap), Paint::Plain);
        }
        line
    });
    lines.collect()
}

/// The text with whatever is no visible character escaped: it could forge lines or steer the terminal, and the width of a tab
/// is the terminal's secret.
pub(super) fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// The text, or its beginning and an ellipsis, so that it fits into some columns.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut short = String::new();
    for c in text.chars() {
        let wide = c.width().unwrap_or_default();
        if wide > left {
            break;
        }
        left -= wide;
        short.push(c);
    }
    if width > 0 {
        short.push('…');
    }
    short
}

/// JSON whose strings cannot steer a terminal: what JSON lets pass unescaped is escaped, which changes no value.
pub(super) fn harmless_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, '\u{7f}'..='\u{9f}') {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}
