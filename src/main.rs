//! The entry: words in, an exit status out.
fn main() {}
