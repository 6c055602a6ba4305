//! What is said when watching itself is in trouble: what, why, and what to do.

use notify::{Error, ErrorKind};
use std::time::Duration;

use super::survey;

/// The system cannot tell of changes.
pub(super) fn cannot_watch(error: &Error, poll: Duration) -> String {
    let remedy = match &error.kind {
        ErrorKind::MaxFilesWatch => {
            "this user watches as many folders as the system allows: raise fs.inotify.max_user_watches (for example \
             `sudo sysctl fs.inotify.max_user_watches=524288`), or narrow the patterns in build.watch"
        }
        ErrorKind::Io(error) if error.raw_os_error() == Some(TOO_MANY_OPEN_FILES) => {
            "this user has as many watching programs as the system allows: raise fs.inotify.max_user_instances (for example \
             `sudo sysctl fs.inotify.max_user_instances=1024`), or `ulimit -n`"
        }
        ErrorKind::Generic(_)
        | ErrorKind::Io(_)
        | ErrorKind::PathNotFound
        | ErrorKind::WatchNotFound
        | ErrorKind::InvalidConfig(_) => "start again when that is put right, or with --no-watch",
    };
    format!("The system does not tell of changes to files ({error}), so they are read every {poll:?} instead; {remedy}")
}

/// What the C library calls EMFILE.
const TOO_MANY_OPEN_FILES: i32 = 24;

/// The system's queue was full.
pub(super) fn events_lost() -> String {
    "More files changed at once than the system can tell, so all of them are read again; if this happens often, raise \
     fs.inotify.max_queued_events, or narrow the patterns in build.watch"
        .to_owned()
}

/// The patterns mean too much.
pub(super) fn cut_short() -> String {
    format!(
        "The patterns in build.watch mean more than {} files, or too many folders: changes to the rest are not noticed; narrow \
         the patterns",
        survey::MAX_FILES
    )
}
