//! nono runs a program under a policy the kernel enforces.
//!
//! The modules follow the data: words become a command, JSON becomes a profile, a profile and the facts of the host
//! become a plan, and the plan becomes kernel rules around a child.
#![forbid(unsafe_code)]

pub mod cli;
pub mod merkle;
pub mod audit;
pub mod profile;
pub mod http;
pub mod plan;
pub mod enforce;
pub mod network;
pub mod trust;
pub mod approval;
pub mod supervisor;
pub mod verbs;
