//! Mistakes that need several steps.
