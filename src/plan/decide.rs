//! The one decision function.
