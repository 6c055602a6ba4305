//! Measuring what each run of a guest uses. Adding it up, and what it would cost, is the business of the [`Meter`].

use crate::memory::MemoryUse;
use ports::{Execution, Meter, Work};
use std::sync::Arc;
use std::time::Instant;

/// One run that is being measured. It counts however it ends: one that is dropped before its [`Measurement::end`], because
/// its time was over or nobody waits for it any more, counts as failed.
pub(crate) struct Measurement(Option<Running>);

struct Running {
    meter: Arc<dyn Meter>,
    function: Arc<str>,
    work: Work,
    memory: Arc<MemoryUse>,
    began: Instant,
    succeeded: bool,
}

impl Measurement {
    /// Begins now. Without a meter nothing is measured.
    #[expect(clippy::disallowed_methods, reason = "how long a run takes decides nothing here; it is only reported")]
    pub(crate) fn begin(
        meter: Option<&Arc<dyn Meter>>,
        function: &Arc<str>,
        work: Work,
        memory: Arc<MemoryUse>,
    ) -> Measurement {
        Measurement(meter.map(|meter| Running {
            meter: Arc::clone(meter),
            function: Arc::clone(function),
            work,
            memory,
            began: Instant::now(),
            succeeded: false,
        }))
    }

    /// The guest has ended.
    pub(crate) fn end(mut self, succeeded: bool) {
        if let Some(running) = &mut self.0 {
            running.succeeded = succeeded;
        }
    }

    /// There was no room for the guest: no code of it ran.
    pub(crate) fn nothing_ran(mut self) {
        self.0 = None;
    }
}

impl Drop for Measurement {
    fn drop(&mut self) {
        if let Some(Running { meter, function, work, memory, began, succeeded }) = self.0.take() {
            meter.record(&Execution {
                function: &function,
                work,
                succeeded,
                duration: began.elapsed(),
                memory_bytes: memory.linear() as u64,
            });
        }
    }
}
