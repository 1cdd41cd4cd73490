//! One execution of one scenario as a deterministic state machine, without any I/O
