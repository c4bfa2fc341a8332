//! What the supervisor keeps where the kernel's rules alone cannot: denials inside of grants, under attack, in races and
//! under load; and what it leaves exactly as it was.

#[cfg(test)]
mod account;
#[cfg(test)]
mod answers;
#[cfg(test)]
#[path = "../world/attack.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod attack;
#[cfg(test)]
mod files;
#[cfg(test)]
mod folding;
#[cfg(test)]
mod loads;
#[cfg(test)]
mod names;
#[cfg(test)]
mod place;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod races;
#[cfg(test)]
mod same;
#[cfg(test)]
#[path = "../webhook/service.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod service;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod users;
#[cfg(test)]
#[path = "../world/mod.rs"]
mod world;
