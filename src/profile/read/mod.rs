//! One policy file: bytes in, what the file says or every problem it has out.

pub mod expectations;
mod files;
pub mod json;
mod nearest;
pub mod problem;
mod reader;
mod schema;
mod sections;

pub(crate) use self::nearest::nearest;
pub(super) use self::reader::{MOST_PROBLEMS, is_name};
pub(super) use self::schema::{read_group, read_profile};
