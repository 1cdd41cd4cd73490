//! Events, verdicts and the record of a run, as versioned types
