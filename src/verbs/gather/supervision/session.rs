//! The session's log: where it lies, what of it the policy wants, and what its first record says.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use syscalls::process::Pid;
use syscalls::{credentials, process};

use crate::audit::log::host::{digest, hex};
use crate::audit::log::{Opened, now};
use crate::audit::record::{Fields, Level};
use crate::cli::{Recorded, VERSION};
use crate::enforce::gaps::kernel_keeps_files;
use crate::plan::Plan;
use crate::profile::{AuditLevel, Profile};
use crate::supervisor::{Beginning, Session};
use crate::verbs::gather::{self, Gathered, facts};
use crate::verbs::profiles;

/// Bytes of a command line that are kept whole.
const LONGEST_COMMAND: usize = 4096;

/// nono's directory for what it keeps between runs.
///
/// # Errors
/// A sentence, where the environment names none.
fn state_directory() -> Result<PathBuf, String> {
    let workdir = gather::workdir(None).unwrap_or_else(|_| crate::profile::abs_path::AbsPath::root());
    let found = facts::state_directory(&facts::variables(&workdir));
    let found = found.map(|path| PathBuf::from(std::ffi::OsStr::from_bytes(path.as_bytes())));
    found.ok_or_else(|| "there is no place for the audit log: set HOME or XDG_STATE_HOME".to_owned())
}

/// The user whose log it is.
pub(in crate::verbs) fn user() -> u32 {
    credentials::effective_user()
}

/// A session for what was gathered, to be made under its plan.
pub(in crate::verbs) fn session(gathered: &Gathered, command: &[OsString], asked: Option<Recorded>) -> Beginning {
    let run = Started {
        command: command.to_owned(),
        asked,
        kernel: gathered.kernel.release.clone(),
        process: process::own_id(),
    };
    Beginning(Box::new(move |plan| begun(&run, plan)))
}

/// What the first record of a session says of its run besides the plan.
struct Started {
    command: Vec<OsString>,
    asked: Option<Recorded>,
    /// The kernel's release.
    kernel: String,
    process: Pid,
}

/// Makes the session.
///
/// # Errors
/// A sentence: there is no place for the log, or it cannot be trusted.
fn begun(run: &Started, plan: &Plan) -> Result<Session, String> {
    let log = Opened::create(&state_directory()?, user(), now()).map_err(|error| {
        format!("the audit log cannot be kept: {error}; XDG_STATE_HOME may name another directory of yours")
    })?;
    let level = level(plan, run.asked);
    let mut beginning = Vec::new();
    begin(&mut Fields::new(&mut beginning), run, plan, level);
    Ok(Session { log, level, beginning, digest: policy_digest })
}

/// The digest of what `nono profiles show --json` says of a policy.
fn policy_digest(profile: &Profile) -> String {
    let mut hashing = BufWriter::new(Hashing(Sha256::new()));
    // Hashing cannot fail.
    let _ = profiles::write(profile, &mut hashing);
    hashing.into_inner().map(|Hashing(hasher)| hex(&hasher.finalize())).unwrap_or_default()
}

/// Hashes what is written to it.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is recorded: all of it, unless the policy or the flag says otherwise. The flag never takes away what the policy
/// asks for.
fn level(plan: &Plan, asked: Option<Recorded>) -> Level {
    let policy = plan.profile.audit_level.as_ref().map(|given| match given.value {
        AuditLevel::All => Level::All,
        AuditLevel::Changes => Level::Changes,
        AuditLevel::Decisions => Level::Decisions,
    });
    let flag = asked.map(|asked| match asked {
        Recorded::All => Level::All,
        Recorded::Changes => Level::Changes,
        Recorded::Decisions => Level::Decisions,
    });
    policy.into_iter().chain(flag).min().unwrap_or(Level::All)
}

fn begin(fields: &mut Fields<'_>, run: &Started, plan: &Plan, level: Level) {
    let (profile, command) = (&plan.profile, &run.command);
    fields.text("nono", VERSION);
    fields.text("level", level.name());
    fields.text("profile", &profile.name);
    if let Some(version) = &profile.version {
        fields.text("profile_version", version);
    }
    let joined = command.iter().map(|word| word.as_bytes()).collect::<Vec<_>>().join(&0);
    fields.remark("command", &shown(command));
    fields.text("command_sha256", &digest(&joined));
    fields.remark("directory", plan.workdir.as_bytes());
    fields.number("user", u64::from(user()));
    fields.number("pid", u64::try_from(run.process.number()).unwrap_or(0));
    fields.text("host", hostname().trim_end());
    fields.text("kernel", &run.kernel);
    fields.text("architecture", std::env::consts::ARCH);
    coverage(fields, plan);
}

/// Which operations are all in the log, and which the kernel decides about alone.
fn coverage(fields: &mut Fields<'_>, plan: &Plan) {
    let complete = "fs.create fs.write fs.delete fs.rename fs.link fs.chmod fs.chown fs.utime fs.setxattr fs.read \
                    process.execute net.connect net.bind net.listen approval";
    fields.text("complete", complete);
    let kernel = "stat, readlink and access; reading and writing what is open already; memory maps; signals; the exit of \
                  processes; and every call that the filter refuses outright";
    fields.text("kernel_alone", kernel);
    let files = if kernel_keeps_files(plan) { "kernel" } else { "supervisor" };
    fields.text("files_decided_by", files);
}

/// The words of a command, as a shell would have them.
fn shown(command: &[OsString]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in command {
        if out.len() > LONGEST_COMMAND {
            break;
        }
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(byte);
        if !out.is_empty() {
            out.push(b' ');
        }
        if !word.is_empty() && word.as_bytes().iter().all(plain) {
            out.extend_from_slice(word.as_bytes());
        } else {
            out.push(b'\'');
            let parts: Vec<&[u8]> = word.as_bytes().split(|&byte| byte == b'\'').collect();
            out.extend_from_slice(&parts.join(br"'\''".as_slice()));
            out.push(b'\'');
        }
    }
    out
}

fn hostname() -> String {
    std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default()
}
