//! The lines in which a host tells how far a deploy has come: phases, and in the end a report or an error.

use serde::Deserialize;
use serde_json::Value;

use crate::commands::apps::Answered;

/// One line; the other fields of the last one are its answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    duration_ms: f64,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    report: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

/// What has come of the answer so far.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line.
    unfinished: Vec<u8>,
    end: Option<Answered>,
}

impl Lines {
    /// Takes the next bytes of the answer, which may end in the middle of a line, and says what its lines say.
    pub(super) fn take(&mut self, data: &[u8], say: &dyn Fn(&str)) {
        for piece in data.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.unfinished);
                self.line(&line, say);
            }
        }
    }

    /// What the last line said; none: it never came.
    pub(super) fn into_end(mut self) -> Option<Answered> {
        let line = std::mem::take(&mut self.unfinished);
        self.line(&line, &|_| {});
        self.end
    }

    /// Lines that are not understood are those of a later host, and no reason to give up.
    fn line(&mut self, line: &[u8], say: &dyn Fn(&str)) {
        let Ok(line) = serde_json::from_slice::<Line>(line) else { return };
        if let Some(phase) = line.phase {
            let detail = if line.detail.is_empty() { String::new() } else { format!(": {}", line.detail) };
            say(&format!("  {phase} in {:.2} s{detail}", line.duration_ms / 1_000.0));
        }
        if let Some(report) = line.report {
            self.end = Some(Answered { status: 200, body: report.to_string() });
        } else if let Some(error) = line.error {
            let status = error.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
            let body = serde_json::json!({ "error": error }).to_string();
            self.end = Some(Answered { status: status.unwrap_or(500), body });
        }
    }
}
