//! A history as a timeline of text: one row for each thing that was asked for, all on one axis of time.
//!
//! Pure: events, the present moment and a width go in, lines come out.
//!
//! ```text
//! BookTrip trip-1: Completed after 14 ms
//!
//!                 0          5 ms       10 ms
//! BookConference  ███████                         3.45 ms  ok
//! BookFlight             █✗···████                6.2 ms   ok, try 2
//! ```

mod rows;
mod scale;

#[cfg(test)]
pub(super) mod tests;

use orchestration::{EventId, RuntimeStatus, Timestamp};
use unicode_width::UnicodeWidthStr;

use self::rows::{Outcome, Piece, Row, Rows, Shape};
use self::scale::{Axis, in_words};
use super::paint::{Line, Paint, shortened, visible};
use crate::history_file::HistoryFile;

/// The narrowest room for bars; narrower terminals cut the ends of lines off.
const MIN_BAR_WIDTH: usize = 10;
/// How many failures are told below the rows.
const MAX_FAILURES: usize = 5;

/// What the host knows of the present that is in no history.
#[derive(Debug, Default, Clone)]
pub(super) struct Present {
    /// Events that are waited for, and since when.
    pub(super) awaited_events: Vec<(String, Timestamp)>,
    /// Activities that nobody has begun with.
    pub(super) queued: Vec<EventId>,
}

/// Room to draw in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// In columns.
    pub(super) width: usize,
    /// The most rows of things that happened; none: all of them.
    pub(super) max_rows: Option<usize>,
}

/// Draws a history as it is at a moment.
pub(super) fn draw(history: &HistoryFile, present: &Present, now: Timestamp, frame: Frame) -> Vec<Line> {
    let mut rows = Rows::of(&history.events);
    if rows.ended.is_none() {
        present.queued.iter().for_each(|action| rows.queued(*action));
        present.awaited_events.iter().for_each(|(event, since)| rows.awaits(event, *since));
    }
    let moments = || history.events.iter().map(|event| event.at);
    let start = moments().min().unwrap_or(now);
    let last = moments().max().unwrap_or(now);
    // Another machine's clock may be behind.
    let end = rows.ended.map_or(now.max(last), |(end, _)| end);
    let mut lines = vec![title(&rows, history.instance.as_str(), start, end)];
    let shown = selected(&rows, frame.max_rows);
    if !shown.is_empty() {
        lines.push(Line::default());
        lines.extend(bars(&rows, &shown, (start, end), frame.width));
    }
    lines.extend(failures(&rows));
    lines.into_iter().map(|line| line.cut(frame.width)).collect()
}

fn title(rows: &Rows, instance: &str, start: Timestamp, end: Timestamp) -> Line {
    let status = match rows.ended {
        Some((_, status)) => status,
        None if rows.is_suspended() => RuntimeStatus::Suspended,
        None => RuntimeStatus::Running,
    };
    let preposition = if rows.ended.is_some() { "after" } else { "for" };
    let mut line = Line::default();
    line.push(&format!("{} {instance}: ", rows.name), Paint::Plain);
    line.push(status.name(), Paint::of(status));
    line.push(&format!(" {preposition} {}", in_words(end.ticks().saturating_sub(start.ticks()))), Paint::Plain);
    line
}

/// Which rows there is room for: what goes on, and then the latest.
fn selected(rows: &Rows, max_rows: Option<usize>) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..rows.rows.len()).collect();
    if let Some(max) = max_rows.filter(|max| *max < indices.len()) {
        let is_open = |index: &usize| rows.rows[*index].pieces.iter().any(|piece| piece.to.is_none());
        indices.sort_by_key(|index| (!is_open(index), usize::MAX - index));
        indices.truncate(max);
        indices.sort_unstable();
    }
    indices
}

fn bars(rows: &Rows, shown: &[usize], (start, end): (Timestamp, Timestamp), width: usize) -> Vec<Line> {
    let shown_rows: Vec<&Row> = shown.iter().filter_map(|index| rows.rows.get(*index)).collect();
    let tails: Vec<(String, String, Paint)> = shown_rows.iter().map(|row| tail(row, end)).collect();
    let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or_default();
    let labels: Vec<String> = shown_rows.iter().map(|row| visible(&row.label)).collect();
    let label_width = widest(&mut labels.iter().map(|label| label.width())).min((width * 3 / 10).max(MIN_BAR_WIDTH));
    let time_width = widest(&mut tails.iter().map(|(time, ..)| time.width()));
    let outcome_width = widest(&mut tails.iter().map(|(_, outcome, _)| outcome.width()));
    let bar_width = width.saturating_sub(label_width + time_width + outcome_width + 6).max(MIN_BAR_WIDTH);
    let axis = Axis::new(start, end, bar_width);
    let (marks, paint) = axis.marks();
    let mut header = Line::default();
    header.push(&" ".repeat(label_width + 2), Paint::Plain);
    header.push(&marks, paint);
    let mut lines = vec![header];
    for ((row, label), (time, outcome, paint)) in shown_rows.into_iter().zip(labels).zip(tails) {
        let label = shortened(&label, label_width);
        let mut line = Line::default();
        line.push(&label, Paint::Plain);
        line.push(&" ".repeat(label_width - label.width() + 2), Paint::Plain);
        bar(row, axis, end, bar_width, &mut line);
        line.push(&format!("  {}{time}  ", " ".repeat(time_width - time.width())), Paint::Plain);
        line.push(&outcome, paint);
        lines.push(line);
    }
    let left_out = rows.rows.len() - shown.len();
    if left_out > 0 {
        let mut line = Line::default();
        line.push(&format!("… and {left_out} more: `dacapo durable history --graph` shows them"), Paint::Aside);
        lines.push(line);
    }
    lines
}

fn bar(row: &Row, axis: Axis, end: Timestamp, width: usize, line: &mut Line) {
    let mut cells = vec![(' ', Paint::Plain); width];
    for piece in &row.pieces {
        let (from, to) = (axis.column(piece.from), axis.column(piece.to.unwrap_or(end)));
        let (inner, last, paint) = glyphs(piece, row.outcome);
        // What begins where it ends is still there.
        let to = to.max(from);
        // Its neighbour begins in the column in which it ends.
        let before = if to > from && piece.to.is_some() && axis.column(end) != to { to - 1 } else { to };
        cells[from..=before].fill((inner, paint));
        if let Some(last) = last {
            cells[before] = (last, paint);
        }
    }
    let mut rest = cells.as_slice();
    while let Some((_, paint)) = rest.first() {
        let same = rest.iter().take_while(|(_, other)| other == paint).count();
        let (run, further) = rest.split_at(same);
        line.push(&run.iter().map(|(cell, _)| cell).collect::<String>(), *paint);
        rest = further;
    }
}

/// What a piece consists of, and what it ends with, if that is something else.
fn glyphs(piece: &Piece, outcome: Outcome) -> (char, Option<char>, Paint) {
    let goes_on = piece.to.is_none().then_some('▸');
    match piece.shape {
        Shape::Run if outcome == Outcome::Left => ('█', None, Paint::Aside),
        Shape::Run => ('█', goes_on, if goes_on.is_some() { Paint::Busy } else { Paint::Good }),
        Shape::FailedRun => ('█', Some('✗'), Paint::Bad),
        Shape::Pause => ('·', goes_on, Paint::Aside),
        Shape::Wait => ('─', goes_on, Paint::Aside),
        Shape::Moment => ('◆', None, Paint::Plain),
    }
}

/// How long it took, what came of it, and how that looks.
fn tail(row: &Row, end: Timestamp) -> (String, String, Paint) {
    let from = row.pieces.first().map_or(end, |piece| piece.from);
    let to = row.pieces.last().map_or(end, |piece| piece.to.unwrap_or(end));
    let is_moment = matches!(row.outcome, Outcome::Happened { .. });
    let time = if is_moment { String::new() } else { in_words(to.ticks().saturating_sub(from.ticks())) };
    let due = |at: Timestamp| match at.ticks().saturating_sub(end.ticks()) {
        ..=0 => "now".to_owned(),
        left => format!("in {}", in_words(left)),
    };
    let (outcome, paint) = match row.outcome {
        Outcome::Ok => ("ok".to_owned(), Paint::Good),
        Outcome::Failed => ("failed".to_owned(), Paint::Bad),
        Outcome::Running => ("running".to_owned(), Paint::Busy),
        Outcome::Queued => ("queued".to_owned(), Paint::Aside),
        Outcome::TriedAgain { at } => (format!("again {}", due(at)), Paint::Busy),
        Outcome::Due { at } if at == Timestamp::MAX => ("never due".to_owned(), Paint::Aside),
        Outcome::Due { at } => (format!("due {}", due(at)), Paint::Aside),
        Outcome::Fired => ("fired".to_owned(), Paint::Plain),
        Outcome::Waits => ("awaited".to_owned(), Paint::Aside),
        Outcome::Locked => ("locked".to_owned(), Paint::Busy),
        Outcome::Released => ("released".to_owned(), Paint::Plain),
        Outcome::Held => ("suspended".to_owned(), Paint::Busy),
        Outcome::Resumed => ("resumed".to_owned(), Paint::Plain),
        Outcome::Happened { times: 1, verb } => (verb.to_owned(), Paint::Plain),
        Outcome::Happened { times, verb } => (format!("{verb} {times} times"), Paint::Plain),
        Outcome::Left => ("left open".to_owned(), Paint::Aside),
    };
    let outcome = if row.tries > 1 { format!("{outcome}, try {}", row.tries) } else { outcome };
    (time, outcome, paint)
}

/// Why what failed has failed, and the whole at last.
fn failures(rows: &Rows) -> Vec<Line> {
    let told = |what: &str, why: &str| {
        let mut line = Line::default();
        line.push("✗ ", Paint::Bad);
        line.push(&format!("{what}: {why}"), Paint::Plain);
        line
    };
    let failed: Vec<&Row> =
        rows.rows.iter().filter(|row| row.failure.is_some() && row.outcome != Outcome::Ok).collect();
    let mut lines: Vec<Line> = Vec::new();
    for row in failed.iter().rev().take(MAX_FAILURES).rev() {
        lines.push(told(&row.label, row.failure.as_deref().unwrap_or_default()));
    }
    lines.extend(rows.failure.iter().map(|why| told(&rows.name, why)));
    if !lines.is_empty() {
        lines.insert(0, Line::default());
    }
    lines
}
