//! A log of any length, written by the thread that writes every log, and verified by the built program.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nono::audit::log::{Opened, Repeats, now};
use nono::audit::record::{Disposition, Fields, When};
use sha2::{Digest as _, Sha256};

/// Writes a session of `records` records, verifies it, and prints what each took.
pub(crate) fn measure(nono: &str, folder: &Path, records: u64) -> io::Result<()> {
    let state = folder.join(format!("long-{records}/nono"));
    fs::create_dir_all(&state)?;
    let start = Instant::now();
    let id = written(&state, records)?;
    let took = start.elapsed().as_secs_f64();
    let events = state.join("sessions").join(&id).join("events.jsonl");
    let bytes = fs::metadata(&events)?.len();
    let mut out = io::stdout();
    let count = records as f64;
    writeln!(out, "{records} records of {:.0} bytes: {:.0}/s to the disk", bytes as f64 / count, count / took)?;
    let (mut verified, mut hashed, mut used, mut peak) = (f64::INFINITY, f64::INFINITY, f64::INFINITY, 0);
    // In turn, so that whatever else the machine does falls on both alike; the first also fills the system's cache.
    for _ in 0..3 {
        hashed = hashed.min(bare(&events)?);
        let (seconds, processor, memory) = verify(nono, &state, &id)?;
        (verified, used, peak) = (verified.min(seconds), used.min(processor), peak.max(memory));
    }
    let (rate, ratio) = (count / verified, verified / hashed);
    writeln!(out, "  verified {rate:.0}/s, {ratio:.2} x the time of SHA-256 alone; {peak} KiB at most")?;
    let nanoseconds = 1e9 / count;
    let (own, bare) = (used * nanoseconds, hashed * nanoseconds);
    writeln!(out, "  {own:.0} ns a record on all processors together, and {bare:.0} ns for SHA-256 alone")?;
    fs::remove_dir_all(folder.join(format!("long-{records}")))
}

/// A session as a run leaves it, and its id.
fn written(state: &Path, records: u64) -> io::Result<String> {
    let user = fs::metadata(state)?.uid();
    let failed = |error: nono::audit::log::LogError| io::Error::other(error.to_string());
    fs::set_permissions(state, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let session = Opened::create(state, user, now()).map_err(failed)?;
    let id = session.id().to_owned();
    let log = session.start(|_| {}, || {}).map_err(failed)?;
    let lost = |_| io::Error::other("the log is lost");
    let mut buffer = Vec::new();
    let began = Instant::now();
    for number in 0..records {
        buffer.clear();
        record(&mut Fields::new(&mut buffer), number);
        // Nothing is the same as another, so all of them are written.
        log.append(When { moment: now(), elapsed: began.elapsed() }, &[&buffer], Repeats::Written).map_err(lost)?;
    }
    log.end().map_err(lost)?;
    Ok(id)
}

/// What an open leaves.
fn record(fields: &mut Fields<'_>, number: u64) {
    fields.text("operation", "fs.read");
    fields.text("disposition", Disposition::Allowed.name());
    fields.bytes("target", format!("/home/somebody/project/src/module/file{number}.rs").as_bytes());
    fields.text("rule", "allow /home/somebody/project");
    fields.text("rule_from", "--allow-cwd");
    fields.text("call", "openat");
    fields.number("flags", 0o2_000_000);
    fields.text("outcome", "kernel");
    fields.json("process", br#"{"pid":12345,"parent":12344,"executable":"/usr/bin/cat","user":1000}"#);
}

/// Seconds that a processor is busy with hashing the file.
fn bare(events: &Path) -> io::Result<f64> {
    let (mut file, mut part, mut hasher) = (File::open(events)?, vec![0; 1 << 18], Sha256::new());
    let start = busy("thread-self");
    loop {
        match file.read(&mut part)? {
            0 => break,
            length => hasher.update(part.get(..length).unwrap_or_default()),
        }
    }
    std::hint::black_box(hasher.finalize());
    Ok(busy("thread-self") - start)
}

/// Seconds that verifying the session takes, those that processors were busy with it, and the most memory in KiB that was
/// seen.
fn verify(nono: &str, state: &Path, id: &str) -> io::Result<(f64, f64, u64)> {
    let above = state.parent().unwrap_or(state);
    let mut command = Command::new(nono);
    command.args(["audit", "verify", id]).env("XDG_STATE_HOME", above).stdout(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn()?;
    let (mut peak, mut used) = (0, 0.0);
    loop {
        if let Some(status) = child.try_wait()? {
            let seconds = start.elapsed().as_secs_f64();
            let failed = || io::Error::other("it is not verified");
            return status.success().then_some((seconds, used, peak)).ok_or_else(failed);
        }
        let threads = fs::read_dir(format!("/proc/{}/task", child.id())).into_iter().flatten().flatten();
        let now: f64 =
            threads.map(|thread| busy(&format!("{}/task/{}", child.id(), thread.file_name().display()))).sum();
        used = f64::max(used, now);
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok());
        peak = peak.max(most.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Seconds that a processor was busy with a thread so far (`Documentation/scheduler/sched-stats.rst`).
fn busy(thread: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{thread}/schedstat")).unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
