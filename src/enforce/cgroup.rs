//! A cgroup of the program's own, for limits that hold for the whole tree (the kernel's `cgroup-v2` documentation).
//!
//! Used where whoever runs nono may make a cgroup beside its own and the controllers are already enabled there, as
//! systemd delegates them to a user's session. Nothing of the host's configuration is changed.

use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use super::limits::GroupLimits;

/// A cgroup made for one run; removed, with everything in it killed, when dropped.
#[derive(Debug)]
pub struct Group {
    path: PathBuf,
    members: fs::File,
}

/// The controllers that a new cgroup would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controllers {
    pub memory: bool,
    pub processes: bool,
}

/// Where a cgroup could be made, and with which controllers; `None` without cgroup v2 or without the permission.
pub fn delegated() -> Option<(PathBuf, Controllers)> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let base = parent_cgroup(&own, &mounts)?;
    let enabled = fs::read_to_string(base.join("cgroup.subtree_control")).ok()?;
    let has = |name: &str| enabled.split_ascii_whitespace().any(|word| word == name);
    let controllers = Controllers { memory: has("memory"), processes: has("pids") };
    // Moving a process needs write access to this file of the common ancestor.
    fs::OpenOptions::new().write(true).open(base.join("cgroup.procs")).ok()?;
    (controllers != Controllers::default()).then_some((base, controllers))
}

/// The directory above this process's cgroup, from `/proc/self/cgroup` and `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`).
fn parent_cgroup(own: &str, mounts: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mount = mounts.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        kind.starts_with("cgroup2 ").then(|| fields.split(' ').nth(4))?
    })?;
    let own = Path::new(mount).join(path);
    if path.is_empty() { Some(own) } else { own.parent().map(Path::to_path_buf) }
}

impl Group {
    /// Makes a cgroup beneath `base` and sets `limits` in it.
    ///
    /// # Errors
    /// Those of the file system: no permission, or a controller that is not enabled.
    pub fn new(base: &Path, limits: GroupLimits) -> io::Result<Self> {
        let path = base.join(format!("nono-{}", std::process::id()));
        fs::create_dir(&path)?;
        let filled = (|| {
            if let Some(bytes) = limits.memory {
                fs::write(path.join("memory.max"), bytes.to_string())?;
                // Without this the tree would go on in swap, past what it was given.
                match fs::write(path.join("memory.swap.max"), "0") {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                }
            }
            if let Some(count) = limits.processes {
                fs::write(path.join("pids.max"), count.to_string())?;
            }
            fs::OpenOptions::new().write(true).open(path.join("cgroup.procs"))
        })();
        match filled {
            Ok(members) => Ok(Self { path, members }),
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(error)
            }
        }
    }

    /// The open `cgroup.procs`: a process that writes `0` to it becomes a member.
    pub fn members(&self) -> BorrowedFd<'_> {
        self.members.as_fd()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Both fail harmlessly when the tree is already gone; a cgroup that is still busy stays behind empty of rights.
        let _ = fs::OpenOptions::new()
            .write(true)
            .open(self.path.join("cgroup.kill"))
            .and_then(|mut file| file.write_all(b"1"));
        for _ in 0..100 {
            if fs::remove_dir(&self.path).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn the_parent_of_ones_own_cgroup_is_found() {
        let own = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n";
        let parent = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice";
        assert_eq!(parent_cgroup(own, MOUNTS), Some(PathBuf::from(parent)));
    }

    #[test]
    fn a_host_without_the_second_version_has_none() {
        assert_eq!(parent_cgroup("4:memory:/a\n", MOUNTS), None);
        assert_eq!(parent_cgroup("0::/a\n", "30 24 0:26 / /sys rw - sysfs sysfs rw\n"), None);
    }
}
