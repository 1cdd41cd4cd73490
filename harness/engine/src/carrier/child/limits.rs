//! What a candidate in a child process may use: processor time, memory, sizes of files, open files. No core files.
//!
//! All but the memory are the operating system's own limits. They are set from outside right after the start, since to set them
//! between `fork` and `exec` would need `unsafe` code; what the candidate starts later inherits them. Memory is watched: a limit on
//! addresses would keep JavaScript engines from starting, which reserve far more than they use.

use crate::remote::ChildLimits;
use countersign_trace::event::Fault;
use rustix::process::Pid;
use std::process::ExitStatus;
use std::time::Duration;

/// What to do about too much memory.
pub(super) const MEMORY_FIX: &str =
    "if the candidate needs that much, raise --child-memory (MiB), or `limits.memory-mib` in countersign.toml";

/// How often the memory is looked at.
#[cfg(target_os = "linux")]
const LOOKED_AT: Duration = Duration::from_millis(250);

/// Seconds between the signal that says that the processor time is used up, which a process may take to end itself, and its end.
#[cfg(target_os = "linux")]
const LAST_SECONDS: u64 = 2;

/// Sets the limits of a process.
///
/// # Errors
/// The operating system's.
#[cfg(target_os = "linux")]
pub(super) fn impose(child: Pid, limits: &ChildLimits) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
    let wanted = [
        (Resource::Cpu, limits.cpu_s, limits.cpu_s.saturating_add(LAST_SECONDS)),
        (Resource::Fsize, limits.file, limits.file),
        (Resource::Nofile, limits.open_files, limits.open_files),
        (Resource::Core, 0, 0),
    ];
    for (resource, soft, hard) in wanted {
        // What we may not use ourselves cannot be given away either.
        let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let limit = Rlimit { current: Some(soft.min(most)), maximum: Some(hard.min(most)) };
        match prlimit(Some(child), resource, limit) {
            Ok(_) => {}
            // It has ended already; how, its status says.
            Err(rustix::io::Errno::SRCH) => return Ok(()),
            Err(cause) => return Err(cause.into()),
        }
    }
    Ok(())
}

/// Nothing, where there is no such call.
#[cfg(not(target_os = "linux"))]
pub(super) fn impose(_: Pid, _: &ChildLimits) -> std::io::Result<()> {
    Ok(())
}

/// Resolves with the bytes in use once a process group uses more than `most`.
#[cfg(target_os = "linux")]
pub(super) async fn too_much_memory(group: Option<Pid>, most: u64) -> u64 {
    let Some(group) = group else { return std::future::pending().await };
    loop {
        tokio::time::sleep(LOOKED_AT).await;
        // Reading `/proc` is memory, not disk, but of unknown size.
        let used = tokio::task::spawn_blocking(move || memory_of(group)).await.unwrap_or_default();
        if used > most {
            return used;
        }
    }
}

/// Never, where it cannot be known.
#[cfg(not(target_os = "linux"))]
pub(super) async fn too_much_memory(_: Option<Pid>, _: u64) -> u64 {
    std::future::pending().await
}

/// Bytes of memory in use by all processes of a group. What cannot be read is none: such a process has ended.
#[cfg(target_os = "linux")]
fn memory_of(group: Pid) -> u64 {
    let page = rustix::param::page_size() as u64;
    numbers_of(group, |number| number(PAGES)).into_iter().sum::<u64>().saturating_mul(page)
}

/// The processor time of that process of a group which used most of it.
#[cfg(target_os = "linux")]
pub(super) fn processor_time(group: Pid) -> Duration {
    let ticks = numbers_of(group, |number| Some(number(USER_TICKS)?.saturating_add(number(SYSTEM_TICKS)?)));
    let ticks = ticks.into_iter().max().unwrap_or_default();
    Duration::from_millis(ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second().max(1))
}

/// None, where it cannot be known.
#[cfg(not(target_os = "linux"))]
pub(super) fn processor_time(_: Pid) -> Duration {
    Duration::ZERO
}

/// Which number of `stat`, counted from the state of the process on, is what.
#[cfg(target_os = "linux")]
const USER_TICKS: usize = 11;
#[cfg(target_os = "linux")]
const SYSTEM_TICKS: usize = 12;
#[cfg(target_os = "linux")]
const PAGES: usize = 21;

/// What is asked of the numbers that the system keeps of each process of a group.
#[cfg(target_os = "linux")]
fn numbers_of(group: Pid, asked: impl Fn(&dyn Fn(usize) -> Option<u64>) -> Option<u64>) -> Vec<u64> {
    let group = group.as_raw_nonzero().get().to_string();
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let found = processes.flatten().filter_map(|process| {
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        // The name in parentheses may have anything in it; what follows it are numbers: state, parent, group and so on.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        (*fields.get(2)? == group).then(|| asked(&|at| fields.get(at)?.parse().ok()))?
    });
    found.collect()
}

/// Bytes of memory that the first process of a group uses. What cannot be read is none: it has ended, or there is no such place.
pub(super) fn memory_of_first(group: Pid) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", group.as_raw_nonzero())).unwrap_or_default();
    let pages: u64 = statm.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages.saturating_mul(rustix::param::page_size() as u64)
}

/// What is said of a candidate that used too much memory.
pub(super) fn memory_fault(used: u64, most: u64) -> String {
    format!("was ended: it used {} MiB of memory, and may use {} MiB", used >> 20, most >> 20)
}

/// What is said of a candidate that the operating system ended for using too much, with what to do about it.
#[cfg(unix)]
pub(super) fn exceeded(status: &ExitStatus, limits: &ChildLimits) -> Option<(Fault, String, &'static str)> {
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal()?;
    if signal == Signal::XCPU.as_raw() {
        let what = format!("was ended by the system: it used more than {} s of processor time", limits.cpu_s);
        return Some((
            Fault::Overran,
            what,
            "if the candidate needs that long, raise --child-cpu (seconds), or `limits.cpu-seconds` in countersign.toml",
        ));
    }
    if signal == Signal::XFSZ.as_raw() {
        let what = format!("was ended by the system: it wrote a file of more than {} MiB", limits.file >> 20);
        return Some((
            Fault::Exceeded,
            what,
            "if the candidate needs such files, raise --child-file (MiB), or `limits.file-mib` in countersign.toml",
        ));
    }
    None
}

/// Nothing, where there are no signals.
#[cfg(not(unix))]
pub(super) fn exceeded(_: &ExitStatus, _: &ChildLimits) -> Option<(Fault, String, &'static str)> {
    None
}
