//! The thread that watches: keeps the system's watching in step with the folders that matter, and looks at the files when
//! something has happened.

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

use super::changes::Memory;
use super::mailbox::{Mail, Mailbox, Order};
use super::reading::{Reader, Suspects};
use super::survey::Survey;
use super::watched::Watched;
use super::{Changes, Pace, Seen, notices};
use crate::clock::Stopwatch;

/// A folder may come to be while its parent begins to be watched; so one looks again. Somebody who makes folders faster than
/// that causes further events.
const MAX_ROUNDS: usize = 8;

/// Makes what tells the mailbox of events.
pub(super) type MakeWatcher = fn(Arc<Mailbox>) -> notify::Result<Box<dyn Watcher + Send>>;

/// The system's own way of watching.
pub(super) fn system_watcher(mailbox: Arc<Mailbox>) -> notify::Result<Box<dyn Watcher + Send>> {
    let watcher = RecommendedWatcher::new(move |event| mailbox.event(event), notify::Config::default())?;
    Ok(Box::new(watcher))
}

/// Everything that the thread owns.
pub(super) struct Observer {
    mailbox: Arc<Mailbox>,
    tell: UnboundedSender<Seen>,
    pace: Pace,
    watched: Vec<Watched>,
    /// Absent when the system cannot watch: then files are looked at every now and then.
    watcher: Option<Box<dyn Watcher + Send>>,
    /// What the watcher watches.
    folders: BTreeSet<PathBuf>,
    reader: Reader,
    memory: Memory,
    said: BTreeSet<String>,
}

impl Observer {
    /// Begins to watch and remembers the files as they are.
    pub(super) fn start(
        watched: Vec<Watched>,
        pace: Pace,
        mailbox: Arc<Mailbox>,
        tell: UnboundedSender<Seen>,
        make: MakeWatcher,
    ) -> Observer {
        let made = make(Arc::clone(&mailbox));
        let mut observer = Observer {
            mailbox,
            tell,
            pace,
            watched,
            watcher: None,
            folders: BTreeSet::new(),
            reader: Reader::default(),
            memory: Memory::default(),
            said: BTreeSet::new(),
        };
        match made {
            Ok(watcher) => observer.watcher = Some(watcher),
            Err(error) => observer.say(notices::cannot_watch(&error, pace.poll)),
        }
        let survey = observer.survey();
        let contents = observer.reader.read(survey.files.keys(), &Suspects::All);
        observer.memory.refresh(survey.files, &contents);
        observer
    }

    /// Until the mailbox is closed.
    pub(super) fn run(mut self) {
        while let Some(mail) = self.mailbox.take(self.watcher.is_none()) {
            self.handle(mail);
        }
    }

    fn handle(&mut self, mut mail: Mail) {
        mail.notices.drain(..).for_each(|notice| self.say(notice));
        self.folders.retain(|folder| !folder.ancestors().any(|above| mail.gone.contains(above)));
        let (since, suspects) = (mail.since(), mail.suspects());
        self.look(since, &suspects);
        for order in mail.orders {
            let done = match order {
                Order::Look { done } => done,
                Order::Refresh { watched, done } => {
                    self.watched = watched;
                    let survey = self.survey();
                    let contents = self.reader.read(survey.files.keys(), &Suspects::Named(BTreeSet::new()));
                    self.memory.refresh(survey.files, &contents);
                    done
                }
            };
            // Whoever ordered it may have gone.
            done.send(()).unwrap_or_default();
        }
    }

    fn look(&mut self, since: Stopwatch, suspects: &Suspects) {
        let survey = self.survey();
        let contents = self.reader.read(survey.files.keys(), suspects);
        let changes: Changes = self.memory.compare(survey.files, &contents, since);
        if !changes.is_empty() {
            self.send(Seen::Changed(changes));
        }
    }

    /// Where the files are; and all folders that matter are watched when it returns.
    fn survey(&mut self) -> Survey {
        let mut survey = Survey::of(&self.watched);
        for _ in 0..MAX_ROUNDS {
            if !self.watch(&survey.folders) {
                break;
            }
            survey = Survey::of(&self.watched);
        }
        if survey.is_cut_short {
            self.say(notices::cut_short());
        }
        survey
    }

    /// Watches exactly these; tells whether there was a new one.
    fn watch(&mut self, folders: &BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        for folder in self.folders.difference(folders) {
            // It may be gone, and with it the watching.
            drop(watcher.unwatch(folder));
        }
        self.folders.retain(|folder| folders.contains(folder));
        let mut is_new = false;
        let mut trouble = None;
        for folder in folders {
            if self.folders.contains(folder) {
                continue;
            }
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.folders.insert(folder.clone());
                    is_new = true;
                }
                // It went away; whoever watches its parent is told.
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
        if let Some(error) = trouble {
            self.watcher = None;
            self.folders.clear();
            self.say(notices::cannot_watch(&error, self.pace.poll));
            return false;
        }
        is_new
    }

    /// The same trouble is told once.
    fn say(&mut self, notice: String) {
        if self.said.insert(notice.clone()) {
            self.send(Seen::Notice(notice));
        }
    }

    fn send(&self, seen: Seen) {
        // Nobody may be there to hear it, just before the end.
        drop(self.tell.send(seen));
    }
}

/// Folders that nobody may read are as good as none.
fn is_gone(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => {
            matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied)
        }
        ErrorKind::Generic(_) | ErrorKind::WatchNotFound | ErrorKind::InvalidConfig(_) | ErrorKind::MaxFilesWatch => {
            false
        }
    }
}
