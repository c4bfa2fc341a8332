//! Real programs at real work: what they print, how they end and the files they leave are the same bare, where the kernel
//! does most by itself, and where a denial inside the grant makes the supervisor do everything.

#[cfg(test)]
mod alike;
#[cfg(test)]
mod builds;
#[cfg(test)]
mod go;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod trees;
#[cfg(test)]
#[path = "../world/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;
