//! The kernel interfaces nono uses: typed, one system call a function, and the only unsafe code of the project.
//!
//! Every function takes and returns safe types. None allocates unless its documentation says so, so those that a child
//! needs between `fork(2)` and `execve(2)` may be called there.
#![cfg(target_os = "linux")]

pub mod abi;
pub mod at;
pub mod credentials;
pub mod errno;
pub mod file;
pub mod landlock;
pub mod limits;
pub mod notify;
pub mod place;
pub mod process;
pub mod seccomp;
pub mod signal;
pub mod socket;
pub mod terminal;

pub use errno::Errno;
