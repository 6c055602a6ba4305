//! One build command as a process: what it says goes on to standard error while its end is kept for whoever reports a
//! failure, and a command of the development loop can be stopped together with all that it has started.
//!
//! Standard output of the host is never touched: in JSON mode it belongs to records alone.

use std::io::{self, Write};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::clock;

/// Would send what Cargo builds elsewhere than the manifest's `source` says: whoever starts the host may have it set for
/// reasons of their own.
const REDIRECTION: &str = "CARGO_TARGET_DIR";

/// What tools look at before they put colours into a pipe: Cargo, and most others.
const WISHES_FOR_COLOURS: [(&str, &str); 2] = [("CARGO_TERM_COLOR", "always"), ("CLICOLOR_FORCE", "1")];

/// How much of the end of a build's output is kept: what a compiler says about a handful of errors.
const MAX_TAIL_BYTES: usize = 16 << 10;

/// A command that has ended may leave a process behind that keeps its output open, such as a compiler's server.
const OUTPUT_GRACE: Duration = Duration::from_millis(200);

/// For tools that tidy up when they are asked to end.
const END_GRACE: Duration = Duration::from_secs(2);

/// Who ends the command when a person presses Ctrl+C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The terminal, together with the host.
    WithHost,
    /// The host, which may do so earlier.
    ByHost,
}

/// A command that runs. Dropping it kills what is [`Ending::ByHost`].
pub(super) struct Running {
    child: Child,
    /// Whom to end with it, as long as nobody knows that it has ended by itself.
    group: Option<u32>,
    readers: JoinSet<()>,
    tail: Arc<Mutex<Vec<u8>>>,
}

impl Running {
    /// Starts a command line in a folder.
    ///
    /// # Errors
    /// There is no shell, or no process to be had.
    pub(super) fn start(command: &str, folder: &Path, ending: Ending, colours: bool) -> io::Result<Running> {
        let mut shell = shell(command);
        shell.current_dir(folder).env_remove(REDIRECTION);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if colours {
            shell.envs(WISHES_FOR_COLOURS);
        }
        if ending == Ending::ByHost {
            shell.kill_on_drop(true);
            #[cfg(unix)]
            shell.process_group(0);
        }
        let mut child = shell.spawn()?;
        let tail = Arc::new(Mutex::new(Vec::new()));
        let mut readers = JoinSet::new();
        if let Some(output) = child.stdout.take() {
            readers.spawn(pass_on(output, Arc::clone(&tail)));
        }
        if let Some(output) = child.stderr.take() {
            readers.spawn(pass_on(output, Arc::clone(&tail)));
        }
        let group = child.id().filter(|_| ending == Ending::ByHost);
        Ok(Running { child, group, readers, tail })
    }

    /// Waits for its end; gives the end of its output, too, without colours. May be dropped and asked again.
    ///
    /// # Errors
    /// The system does not tell.
    pub(super) async fn end(&mut self) -> io::Result<(ExitStatus, String)> {
        let status = self.child.wait().await?;
        // From now on the number may belong to somebody else.
        self.group = None;
        let all_read = async { while self.readers.join_next().await.is_some() {} };
        tokio::select! {
            () = all_read => {}
            () = clock::after(OUTPUT_GRACE) => {}
        }
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((status, readable(&tail)))
    }

    /// Ends it before its time, with all that it has started.
    pub(super) async fn stop(mut self) {
        self.signal(Signal::Term);
        tokio::select! {
            _ = self.child.wait() => {}
            () = clock::after(END_GRACE) => {}
        }
        // Dropping it kills what does not heed the request.
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal) {
        let group = self.group.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let signal = match signal {
                Signal::Term => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            if let Err(error) = rustix::process::kill_process_group(group, signal) {
                // It may have ended by itself in the meantime.
                tracing::debug!(%error, "a build command cannot be ended");
            }
        }
    }

    /// There are no process groups; `kill_on_drop` ends the shell.
    #[cfg(not(unix))]
    fn signal(&self, _signal: Signal) {}
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::Kill);
    }
}

#[derive(Debug, Clone, Copy)]
enum Signal {
    Term,
    Kill,
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

async fn pass_on(mut output: impl AsyncRead + Unpin, tail: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; 8 << 10];
    while let Ok(length @ 1..) = output.read(&mut buffer).await {
        let piece = &buffer[..length];
        // Nobody may be there to read it: no reason to stop building.
        drop(io::stderr().lock().write_all(piece));
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(piece);
        let surplus = tail.len().saturating_sub(MAX_TAIL_BYTES);
        tail.drain(..surplus);
    }
}

/// Whole lines without what is meant for a terminal.
fn readable(tail: &[u8]) -> String {
    let begins = if tail.len() < MAX_TAIL_BYTES {
        0
    } else {
        tail.iter().position(|byte| *byte == b'\n').map_or(0, |end_of_line| end_of_line + 1)
    };
    let text = String::from_utf8_lossy(&tail[begins..]);
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            // A control sequence: `ESC [`, parameters, one letter.
            '\u{1b}' => drop(rest.by_ref().find(char::is_ascii_alphabetic)),
            '\r' => {}
            c => plain.push(c),
        }
    }
    plain.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tail: &[u8], expected: &str) {
        assert_eq!(readable(tail), expected);
    }

    #[test]
    fn the_end_of_the_output_is_text_without_colours() {
        check(b"\x1b[1m\x1b[31merror\x1b[0m: no\r\n --> src/lib.rs:1:1\n", "error: no\n --> src/lib.rs:1:1");
        check(b"\xff\n\n", "\u{fffd}");
        check(b"cut short \x1b[", "cut short");
        check(b"", "");
        let long = ["x".repeat(MAX_TAIL_BYTES - 5).as_bytes(), b"\nlast"].concat();
        check(&long, "last");
    }

    async fn run(command: &str) -> (bool, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut running = Running::start(command, folder.path(), Ending::ByHost, false).expect("there is a shell");
        let (status, tail) = running.end().await.expect("it ends");
        (status.success(), tail)
    }

    #[tokio::test]
    async fn a_command_tells_how_it_ended_and_what_it_said() {
        assert_eq!(run("echo out; exit 0").await, (true, "out".to_owned()));
        assert_eq!(run("echo err >&2; exit 3").await, (false, "err".to_owned()));
        assert_eq!(run("printf '%s' \"$CARGO_TARGET_DIR\"").await, (true, String::new()));
    }

    /// The write end of a pipe is held by the whole group: its end proves that none of them is left.
    #[cfg(unix)]
    #[tokio::test]
    async fn stopping_ends_what_the_command_has_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let command = "sh -c 'echo begun; cat /dev/zero > /dev/null' & wait";
        for gently in [true, false] {
            let (reader, writer) = io::pipe().expect("a pipe");
            let mut shell = shell(&format!("exec 2>&1; {command}"));
            shell.current_dir(folder.path()).stdin(Stdio::null()).stdout(writer).process_group(0);
            let child = shell.spawn().expect("there is a shell");
            // The command holds the write end for as long as it lives.
            drop(shell);
            let running =
                Running { group: child.id(), child, readers: JoinSet::new(), tail: Arc::new(Mutex::new(Vec::new())) };
            let mut reader = io::BufReader::new(reader);
            let mut line = String::new();
            io::BufRead::read_line(&mut reader, &mut line).expect("it begins");
            assert_eq!(line, "begun\n");
            if gently {
                running.stop().await
            } else {
                drop(running)
            }
            let mut rest = String::new();
            io::Read::read_to_string(&mut reader, &mut rest).expect("it ends");
            assert_eq!(rest, "");
        }
    }
}
