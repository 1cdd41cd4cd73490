//! Plans and executes: doctor, carriers, many instances at once. Emits traces, never prints, never judges.
//!
//! * [`target`]: the candidate as a user names it.
//! * [`carrier`]: how calls reach it, and what can go wrong on the way.
//! * [`remote`]: partners who are elsewhere: credentials, TLS, addresses.
//! * [`gateways`]: how its clients reach us.
//! * [`doctor`]: whether it makes sense to begin.
//! * [`plan`]: what is executed, and what is not, and why.
//! * [`driver`]: one instance from begin to end.
//! * [`run`]: all of them, as one stream of events.

pub mod carrier;
pub mod derive;
pub mod doctor;
pub mod driver;
pub mod gateways;
pub mod plan;
mod pulse;
pub mod remote;
pub mod run;
pub mod target;

pub use carrier::{Broken, Endpoint, Patience};
pub use driver::{Interrupt, drive, drive_watched};
pub use gateways::Gateways;
pub use plan::{Filter, Plan};
pub use remote::Remote;
pub use run::{Ended, Executed, Extras, Judge, RunEvent, RunOptions, Series, Watch, examine, run, run_with};
pub use target::{Target, TargetError};
