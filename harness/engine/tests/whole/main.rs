//! Whole runs, from the doctor to the last instance.

mod common;
mod doctor;
mod run;
