//! One file per verb: gather, ask the pure core, act, print.
