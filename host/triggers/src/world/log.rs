//! What is logged on a test's own thread.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

thread_local! {
    /// What was logged on this thread, which is one test's.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes log lines go to `LINES`, for the whole process and before the first of them: a place that logs decides once
/// whether anybody listens, and tests run at the same time.
pub(crate) fn keep_log_lines() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::fmt().with_writer(|| Lines).without_time().with_target(false).with_ansi(false);
        lines.init();
    });
}

/// Runs `action` and answers what it logs, each line from its level on.
pub(crate) fn logged(action: impl FnOnce()) -> String {
    LINES.take();
    action();
    let lines = String::from_utf8(LINES.take()).expect("log lines are text");
    lines.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}
