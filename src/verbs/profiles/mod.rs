//! `nono profiles`: policies as code.

mod test;

pub(super) use self::test::test;
