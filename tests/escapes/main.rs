//! Attacks from a real child process: each is made where it works, then inside the sandbox, where it must fail, and its
//! legitimate twin must not. As root and as an unprivileged user.

#[cfg(test)]
#[path = "../world/attack.rs"]
mod attack;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod files;
#[cfg(test)]
mod kernel;
#[cfg(test)]
mod lasting;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod places;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod sockets;
#[cfg(test)]
#[path = "../world/mod.rs"]
mod world;
