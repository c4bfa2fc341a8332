//! From a plan to kernel rules: [`prepare`] in the parent makes and allocates everything, [`Prepared::enter`] in the
//! child applies it with system calls alone and becomes the program.

pub mod bpf;
pub mod cgroup;
pub mod features;
pub mod gaps;
pub mod landlock;
pub mod limits;
pub mod linux;
pub mod seccomp;

pub use self::linux::{Failure, Meeting, Prepared, Program, Stage, prepare};
