//! Rows for other systems: what each schema asks for is there, and nothing in a record can forge or split one.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod ecs;
mod ocsf;
mod records;
mod replay;
mod rows;
mod texts;
mod verb;
