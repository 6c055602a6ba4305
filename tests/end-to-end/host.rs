//! Running `dacapo`: start, read what it prints, stop, kill.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::client::Client;

/// How long anything may take that takes milliseconds on an idle machine. Generous, because it only bounds how long a
/// failing test hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Storage endpoints of hosts that run at the same time, each at any free ports.
pub(crate) const ANY_STORAGE_PORTS: [&str; 6] = ["--blob-port", "0", "--queue-port", "0", "--table-port", "0"];

/// How long a host is quiet before it is looked at again.
const MOMENT: Duration = Duration::from_millis(50);

/// As many quiet moments as make up the patience.
const MOST_QUIET: u128 = PATIENCE.as_millis() / MOMENT.as_millis();

/// How often it is looked at. More lines than this is no test of ours.
const MOST_LOOKS: u32 = 20_000;

/// A process and everything that it prints, line by line.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<(Stream, String)>,
    /// What was read so far. How the lines of the two streams follow each other is not told by the system.
    output: String,
    errors: String,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Clone, Copy)]
enum Stream {
    Output,
    Errors,
}

impl Process {
    /// Runs `dacapo` with these arguments.
    pub(crate) fn spawn<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Process {
        Process::run(Command::new(env!("CARGO_BIN_EXE_dacapo")).args(arguments))
    }

    /// Runs a command that ends up in `dacapo`, with standard output and error in one stream.
    pub(crate) fn run(command: &mut Command) -> Process {
        command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let (sender, lines) = channel();
        let streams: [(Stream, Box<dyn Read + Send>); 2] = [
            (Stream::Output, Box::new(child.stdout.take().expect("it is piped"))),
            (Stream::Errors, Box::new(child.stderr.take().expect("it is piped"))),
        ];
        let readers = streams.map(|(stream, pipe)| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                // Nobody may be interested any more; the pipe is read to its end all the same, so that the process never
                // waits for a reader.
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    drop(sender.send((stream, line)));
                }
            })
        });
        Process { child, lines, output: String::new(), errors: String::new(), readers: readers.into() }
    }

    /// Waits for a line that contains `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_for_line(text);
    }

    /// Waits for a line that contains `text`, and answers it.
    pub(crate) fn wait_for_line(&mut self, text: &str) -> String {
        loop {
            match self.next_line(PATIENCE) {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("it does not print {text:?}; it printed:\n{}", self.printed()),
            }
        }
    }

    /// Waits for the end, and answers how it ended and everything that it printed, errors last.
    pub(crate) fn wait_for_end(mut self) -> (ExitStatus, String) {
        while let Some(line) = self.try_next_line(PATIENCE) {
            assert!(line.is_some(), "it does not end; it printed:\n{}", self.printed());
        }
        let status = self.child.wait().expect("it can be waited for");
        (status, self.printed())
    }

    /// The next line that it prints; none if it prints nothing for that long.
    pub(crate) fn next_line(&mut self, within: Duration) -> Option<String> {
        self.try_next_line(within).unwrap_or_else(|| panic!("it ended unexpectedly; it printed:\n{}", self.printed()))
    }

    /// The same, or nothing at all if it has ended.
    fn try_next_line(&mut self, within: Duration) -> Option<Option<String>> {
        match self.lines.recv_timeout(within) {
            Ok((stream, line)) => {
                let text = match stream {
                    Stream::Output => &mut self.output,
                    Stream::Errors => &mut self.errors,
                };
                text.push_str(&line);
                text.push('\n');
                Some(Some(line))
            }
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// What was read so far of standard error.
    pub(crate) fn errors(&self) -> &str {
        &self.errors
    }

    fn printed(&self) -> String {
        format!("{}{}", self.output, self.errors)
    }

    /// Ctrl+C.
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status().expect("kill is part of every Unix");
        assert!(status.success(), "process {id} was gone before Ctrl+C");
    }

    /// SIGKILL: no destructor, no handler, no flush.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is a child of this process");
        self.child.wait().expect("it can be waited for");
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A failing test must not leave a host behind; one that has ended already is fine.
        drop(self.child.kill());
        drop(self.child.wait());
        for reader in self.readers.drain(..) {
            drop(reader.join());
        }
    }
}

/// A host with an app and nothing on disk, for one test.
pub(crate) fn with_app(manifest: &Path, test: impl FnOnce(&mut Host)) {
    let mut host = Host::start(manifest, ["--ephemeral"]);
    test(&mut host);
    host.stop();
}

/// A host that is ready.
pub(crate) struct Host {
    pub(crate) process: Process,
    /// What it printed up to the line that says so, without errors and logs.
    pub(crate) greeting: String,
    origin: String,
    /// What its clients show.
    key: Option<String>,
}

impl Host {
    /// Starts an app whose components are built already, at any free port.
    pub(crate) fn start<A: AsRef<OsStr>>(manifest: &Path, more: impl IntoIterator<Item = A>) -> Host {
        Host::start_with(manifest, more, &[])
    }

    /// The same with app settings, from the environment as any settings of an app.
    pub(crate) fn start_with<A: AsRef<OsStr>>(
        manifest: &Path,
        more: impl IntoIterator<Item = A>,
        settings: &[(&str, &str)],
    ) -> Host {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
        command.arg("start").arg(manifest).args(["--port", "0", "--no-build"]).args(ANY_STORAGE_PORTS).args(more);
        Host::ready(Process::run(command.envs(settings.iter().copied())))
    }

    /// Waits until it serves.
    pub(crate) fn ready(mut process: Process) -> Host {
        while !is_ready(&process.wait_for_line("eady")) {}
        let greeting = process.output.clone();
        let origin = origin_in(&greeting).unwrap_or_else(|| panic!("no URL in what it printed:\n{greeting}"));
        Host { process, greeting, origin, key: None }
    }

    /// From now on its clients show this key.
    pub(crate) fn opened_by(self, key: String) -> Host {
        Host { key: Some(key), ..self }
    }

    /// Scheme, host and port, as the host prints them.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Somebody who talks to it.
    pub(crate) fn client(&self) -> Client {
        let client = Client::new(&self.origin);
        self.key.as_ref().map_or(client.clone(), |key| client.with_key(key))
    }

    /// Starts an app that keeps its state in `data`, with the guests that were compiled for the app elsewhere.
    pub(crate) fn start_in(data: &Path, manifest: &Path) -> Host {
        Host::start_in_with(data, manifest, &[])
    }

    /// The same with app settings.
    pub(crate) fn start_in_with(data: &Path, manifest: &Path, settings: &[(&str, &str)]) -> Host {
        let place = Path::new("cache/compiled");
        let (compiled, own) = (manifest.with_file_name(".dacapo").join(place), data.join(place));
        if let (false, Ok(files)) = (own.is_dir(), std::fs::read_dir(&compiled)) {
            std::fs::create_dir_all(&own).expect("the data folder can be written");
            for file in files.map_while(Result::ok) {
                // One that is not there any more is compiled again.
                drop(std::fs::hard_link(file.path(), own.join(file.file_name())));
            }
        }
        Host::start_with(manifest, ["--data-dir".as_ref(), data.as_os_str()], settings)
    }

    /// Waits until an instance has this status, and answers its status object.
    pub(crate) fn wait_for_status(&mut self, id: &str, wanted: &str) -> Value {
        self.look_until(&format!("instance {id} is {wanted}"), |client| {
            let status = client.status(id);
            (status["runtimeStatus"] == wanted).then_some(status)
        })
    }

    /// Waits until an instance shows this custom status.
    pub(crate) fn wait_for_custom_status(&mut self, id: &str, wanted: &str) {
        self.look_until(&format!("instance {id} shows {wanted:?}"), |client| {
            (client.status(id)["customStatus"] == wanted).then_some(())
        });
    }

    /// Waits until an entity, such as `Counter/stock`, has this state; none: it does not exist.
    pub(crate) fn wait_for_entity(&mut self, entity: &str, state: Option<&Value>) {
        self.look_until(&format!("the state of {entity} is {state:?}"), |client| {
            (client.entity(entity).as_ref() == state).then_some(())
        });
    }

    /// Waits until an instance has ended, and answers its status with its history.
    pub(crate) fn wait_for_end(&mut self, id: &str) -> Value {
        self.look_until(&format!("instance {id} has ended"), |client| {
            let status = client.status(id);
            let ended = ["Completed", "Failed", "Terminated"].iter().any(|name| status["runtimeStatus"] == *name);
            ended.then_some(status)
        })
    }

    /// Looks again and again until `look` finds something. Something to find comes with work, and work comes with lines in
    /// the log: so it looks whenever a line was printed or nothing was for a moment.
    pub(crate) fn look_until<T>(&mut self, what: &str, look: impl Fn(&Client) -> Option<T>) -> T {
        let client = self.client();
        let mut quiet = 0;
        for _ in 0..MOST_LOOKS {
            if let Some(found) = look(&client) {
                return found;
            }
            quiet += u128::from(self.process.next_line(MOMENT).is_none());
            // Under load there are more lines than looks; what is there already is behind this look.
            while self.process.next_line(Duration::ZERO).is_some() {}
            if quiet > MOST_QUIET {
                break;
            }
        }
        panic!("never came about: {what}; it printed:\n{}", self.process.printed())
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(self) -> String {
        self.process.interrupt();
        let (status, output) = self.process.wait_for_end();
        assert!(status.success(), "it ended with {status}:\n{output}");
        output
    }
}

/// Whether the line says that the host answers, to files, people or programs.
fn is_ready(line: &str) -> bool {
    line.contains("[host] Host ready (") || line.starts_with("Ready in ") || line.contains(r#""to":"ready""#)
}

fn origin_in(text: &str) -> Option<String> {
    let url = &text[text.find("http://")?..];
    let end = url["http://".len()..].find(|letter: char| letter == '/' || letter.is_whitespace())?;
    Some(url[.."http://".len() + end].to_owned())
}

/// Runs `dacapo start` where it must refuse, and answers its exit code and everything that it printed. Without a storage endpoint:
/// another test may have its ports, and what is said of that is not the matter here.
pub(crate) fn refused<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
    command.arg("start").args(arguments).arg("--no-storage-endpoint");
    let (status, output) = Process::run(&mut command).wait_for_end();
    (status.code().expect("it ended by itself"), output)
}
