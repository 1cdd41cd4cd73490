//! The built-in sample with one defect each, and the data that says which scenario must find it
