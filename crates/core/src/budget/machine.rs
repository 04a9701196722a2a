//! How much memory a process may use.

use std::fs;
use std::path::{Path, PathBuf};

/// Most bytes that this process may use: those of the machine, or of its control group or address space where those are
/// limited. None where the system does not say: outside of Linux.
pub fn limit() -> Option<u64> {
    let read = |path: &Path| fs::read_to_string(path).ok();
    of(&read)
}

/// Bytes of address space that this process has not taken yet, where that is limited (`ulimit -v`).
pub fn address_space_left() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let taken = fs::read_to_string("/proc/self/status").ok()?;
    let taken = taken.lines().find_map(|line| kibibytes(line.strip_prefix("VmSize:")?))?;
    Some(address_space(&limits)?.saturating_sub(taken))
}

/// The least of all limits. `read` gives the text of a file.
fn of(read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let text = |path: &str| read(Path::new(path)).unwrap_or_default();
    let machine = memory_total(&text("/proc/meminfo"));
    let address_space = address_space(&text("/proc/self/limits"));
    let groups = group_files(&text("/proc/self/cgroup"));
    let groups = groups.iter().filter_map(|path| read(path)?.trim().parse().ok());
    // Without a limit, version 1 gives a number near the largest there is.
    machine.into_iter().chain(address_space).chain(groups).min()
}

/// `MemTotal:       16303428 kB`
fn memory_total(meminfo: &str) -> Option<u64> {
    meminfo.lines().find_map(|line| kibibytes(line.strip_prefix("MemTotal:")?))
}

/// Bytes of a figure such as `16303428 kB`.
fn kibibytes(figure: &str) -> Option<u64> {
    figure.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// `Max address space         1073741824           unlimited            bytes`, as `ulimit -v` sets it.
fn address_space(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The files that may limit a process of these groups: its own and those above it, by either version.
fn group_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let (root, file) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            continue;
        };
        // In a container the group may be named as it is outside: then only the root is there.
        let inside = Path::new(group.trim_start_matches('/'));
        files.extend(inside.ancestors().map(|group| Path::new(root).join(group).join(file)));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:       16777216 kB\nMemFree:         1024 kB\n";
    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
                          Max cpu time              unlimited            unlimited            seconds   \n\
                          Max address space         2147483648           unlimited            bytes     \n";

    fn limit_of(files: &[(&str, &str)]) -> Option<u64> {
        of(&|path| files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned()))
    }

    #[test]
    fn the_least_limit_counts() {
        let machine = ("/proc/meminfo", MEMINFO);
        assert_eq!(limit_of(&[]), None);
        assert_eq!(limit_of(&[machine]), Some(16 << 30));
        assert_eq!(limit_of(&[machine, ("/proc/self/limits", LIMITS)]), Some(2 << 30));
        let unlimited = LIMITS.replace("2147483648", "unlimited ");
        assert_eq!(limit_of(&[machine, ("/proc/self/limits", &unlimited)]), Some(16 << 30));
        let second = ("/proc/self/cgroup", "0::/a.slice/b.scope\n");
        for (file, limit, expected) in [
            ("/sys/fs/cgroup/a.slice/b.scope/memory.max", "1073741824\n", 1 << 30),
            ("/sys/fs/cgroup/a.slice/memory.max", "1073741824\n", 1 << 30),
            ("/sys/fs/cgroup/memory.max", "1073741824\n", 1 << 30),
            ("/sys/fs/cgroup/memory.max", "max\n", 16 << 30),
        ] {
            assert_eq!(limit_of(&[machine, second, (file, limit)]), Some(expected), "{file} {limit}");
        }
        let first = ("/proc/self/cgroup", "5:cpu:/x\n4:hugetlb,memory:/docker/1f\n");
        for (file, limit, expected) in [
            ("/sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", "536870912\n", 512 << 20),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n", 512 << 20),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n", 16 << 30),
        ] {
            assert_eq!(limit_of(&[machine, first, (file, limit)]), Some(expected), "{file} {limit}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_a_limit() {
        assert!(limit().unwrap() > 1 << 20);
    }
}
