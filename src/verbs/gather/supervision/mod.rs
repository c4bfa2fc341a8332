//! What a supervised run needs besides its plan: a log, whoever is asked, and whose signatures count.

mod newest;
mod scan;
mod session;
mod trust;
mod webhook;

pub(in crate::verbs) use self::scan::{Scanned, overridden, sentence};
pub(in crate::verbs) use self::session::{session, user};
pub(in crate::verbs) use self::trust::{Trusting, project_root, trusting, trusting_file};
pub(super) use self::webhook::places;
pub(in crate::verbs) use self::webhook::{secret_fault, webhook};
