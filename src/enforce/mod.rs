//! From a plan to kernel rules: `prepare` in the parent, `enter` in the child.

pub mod bpf;
pub mod seccomp;
