//! What this machine has: the numbers that limits are derived from when nobody sets them.

use std::thread::available_parallelism;

/// Where the system does not tell: little enough for any machine.
const MEMORY_WHEN_UNKNOWN: u64 = 1 << 30;

/// Processors that this process may use; at least 1.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Memory that this process may use, in bytes: the machine's, or what its control group allows if that is less.
pub(crate) fn memory_bytes() -> u64 {
    let read = |path| std::fs::read_to_string(path).ok();
    let installed = read("/proc/meminfo").and_then(|text| installed_bytes(&text));
    let allowed = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    installed.into_iter().chain(allowed).min().unwrap_or(MEMORY_WHEN_UNKNOWN)
}

/// What the machine calls itself, where the system tells in a file.
pub(crate) fn name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = text.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// From a line such as `MemTotal:       24589312 kB`.
fn installed_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_memory_is_read() {
        assert_eq!(installed_bytes("MemTotal:        1024 kB\nMemFree: 1 kB\n"), Some(1 << 20));
        assert_eq!(installed_bytes("MemFree: 1 kB\n"), None);
        assert_eq!(installed_bytes("MemTotal: much\n"), None);
        assert!(cores() >= 1 && memory_bytes() > 0);
    }
}
