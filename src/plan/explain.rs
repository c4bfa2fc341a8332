//! Verdicts in words, and the smallest change that would turn one.
