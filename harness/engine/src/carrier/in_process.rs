//! The built-in candidate, in this process: no socket and no serialisation of calls in between.
