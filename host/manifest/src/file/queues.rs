//! How messages are fetched, as it stands in the file: in `[host.queues]` and in queue triggers.

use crate::fields::{Placed, Section};

#[derive(Default)]
pub(crate) struct FileQueues {
    pub(crate) max_polling_interval: Option<Placed<String>>,
    pub(crate) visibility_timeout: Option<Placed<String>>,
    pub(crate) batch_size: Option<Placed<i64>>,
    pub(crate) new_batch_threshold: Option<Placed<i64>>,
    pub(crate) max_dequeue_count: Option<Placed<i64>>,
    pub(crate) message_encoding: Option<Placed<String>>,
}

impl FileQueues {
    /// Reads these fields and leaves the section open for others.
    pub(super) fn read(section: &mut Section<'_, '_>) -> FileQueues {
        FileQueues {
            max_polling_interval: section.setting_text("maxPollingInterval"),
            visibility_timeout: section.setting_text("visibilityTimeout"),
            batch_size: section.integer("batchSize"),
            new_batch_threshold: section.integer("newBatchThreshold"),
            max_dequeue_count: section.integer("maxDequeueCount"),
            message_encoding: section.setting_text("messageEncoding"),
        }
    }
}

pub(super) fn read_queues(mut section: Section<'_, '_>) -> FileQueues {
    let queues = FileQueues::read(&mut section);
    section.finish();
    queues
}
