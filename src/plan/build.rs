//! A profile and the facts of the host become a plan.
