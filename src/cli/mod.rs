//! Words to commands, and every text that describes them, from one table of flags.
