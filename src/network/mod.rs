//! Hosts by name. Programs look names up at a name server of this process, which knows the policy's names alone and answers
//! with addresses that stand for them; a connection to such an address says the name it was meant for. Who the name really
//! is, this process looks up itself, checks, and connects to what it has checked.
//!
//! `dns`, `hosts` and `pool` decide and touch nothing; `home` asks the kernel which addresses are
//! this machine's, `resolver` the system's name servers; `names` says what the policy says about each, and `stub` answers programs.

pub mod dns;
pub mod home;
pub mod hosts;
pub mod names;
pub mod pool;
pub mod resolver;
pub mod stub;
