//! What a supervised run needs besides its plan: a log, whoever is asked, and whose signatures count.

mod session;
mod trust;
mod webhook;

pub(in crate::verbs) use self::session::session;
pub(in crate::verbs) use self::trust::{Trusting, trusting};
pub(super) use self::webhook::places;
pub(in crate::verbs) use self::webhook::webhook;
