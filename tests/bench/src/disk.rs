//! The latency of the disk's own sync: what every commit must pay at least once.

use anyhow::Result;
use std::io::Write;
use std::time::{Duration, Instant};

const APPENDS: usize = 400;

/// The median time of appending 4 KiB to a growing file and syncing its data.
pub(crate) fn sync_latency() -> Result<Duration> {
    let mut file = tempfile::tempfile_in(crate::host::scratch_folder()?)?;
    let page = [0x5a_u8; 4096];
    let mut times = Vec::with_capacity(APPENDS);
    for _ in 0..APPENDS {
        let begun = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times[APPENDS / 2])
}
