//! Programs as they are, with real servers: none of them knows of the sandbox.

mod git;
mod packages;
mod postgresql;
mod resolvers;
mod ssh;
