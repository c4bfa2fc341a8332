//! Runs the program and stays beside it until everything it started is gone.
