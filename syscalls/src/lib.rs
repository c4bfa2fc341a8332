//! The kernel interfaces nono uses: typed, one system call a function, and the only unsafe code of the project.
