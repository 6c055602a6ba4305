//! A terminal with a person in front of it, who types and looks at what is shown.

use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use crate::host::PATIENCE;

/// Ctrl+C, as a keyboard sends it; the terminal makes a signal of it.
pub(crate) const CONTROL_C: &str = "\u{3}";

const SIZE: Winsize = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };

/// A command in a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    news: Receiver<Vec<u8>>,
    shown: Vec<u8>,
    /// What was waited for so far ends here.
    seen: usize,
}

impl Terminal {
    /// Runs `dacapo` with what the command adds to it, such as arguments and variables.
    pub(crate) fn run(add: impl FnOnce(&mut Command)) -> Terminal {
        let pair = openpty(Some(&SIZE), None).expect("the system has terminals");
        // It gives the command this terminal as its own, so that what is typed becomes signals.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(env!("CARGO_BIN_EXE_dacapo")).env("TERM", "xterm").env_remove("RUST_LOG");
        let end = || Stdio::from(pair.slave.try_clone().expect("there are file descriptors left"));
        command.stdin(end()).stdout(end()).stderr(end());
        add(&mut command);
        let child = command.spawn().expect("setsid is part of util-linux");
        // With the last of these closed, the terminal tells that nobody is there any more.
        drop(command);
        drop(pair.slave);
        let keyboard = File::from(pair.master);
        let mut screen = keyboard.try_clone().expect("there are file descriptors left");
        let (sender, news) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // Linux says by an error that the other side is closed.
            while let Ok(length @ 1..) = screen.read(&mut piece) {
                if sender.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { child, keyboard, news, shown: Vec::new(), seen: 0 }
    }

    /// Waits until this is shown, behind what was waited for before, and answers what is shown before it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            let new = &self.shown[self.seen..];
            if let Some(place) = new.windows(text.len()).position(|part| part == text.as_bytes()) {
                let before = String::from_utf8_lossy(&new[..place]).into_owned();
                self.seen += place + text.len();
                return before;
            }
            match self.news.recv_timeout(PATIENCE) {
                Ok(piece) => self.shown.extend(piece),
                Err(error) => panic!("{text:?} is not shown ({error}); this is:\n{}", self.shown()),
            }
        }
    }

    /// Types.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is there");
    }

    /// Waits for the end, and answers how it ended and everything that was shown.
    pub(crate) fn wait_for_end(mut self) -> (ExitStatus, String) {
        loop {
            match self.news.recv_timeout(PATIENCE) {
                Ok(piece) => self.shown.extend(piece),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; this is shown:\n{}", self.shown()),
            }
        }
        let status = self.child.wait().expect("it can be waited for");
        (status, self.shown())
    }

    /// Everything that was shown, with what steers the terminal.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A failing test must not leave a host behind; one that has ended already is fine.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
