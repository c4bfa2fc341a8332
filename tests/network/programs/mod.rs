//! Programs as they are, with real servers: none of them knows of the sandbox.

mod git;
mod packages;
mod postgresql;
pub(crate) mod resolvers;
mod ssh;
