//! The parsers of policies against models, and every corpus that the fuzzers have left.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod dns;
mod exhaustive;
mod glob;
mod host;
mod profile_json;
mod replay;
