//! Who signed what the program reads: keys, signatures, and the policy that says whose count.

pub mod keystore;
