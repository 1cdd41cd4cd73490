//! Judges a record again and re-executes the reference, from the record alone and without a network
