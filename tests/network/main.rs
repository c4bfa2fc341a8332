//! Hosts by name, in networks that the tests make: what the policy names is reached by whatever program, and nothing else.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod hostile;
mod lab;
mod names;
mod places;
mod programs;
mod questions;
mod races;
mod sockets;
#[expect(dead_code, reason = "a world has more than a network needs")]
#[path = "../world/mod.rs"]
mod world;
