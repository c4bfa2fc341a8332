//! Which variables the program is started with.

use std::collections::BTreeMap;

use crate::profile::escape::escaped;
use crate::profile::{Environment, Given};

use super::Warning;

/// What passes when no policy has the key `environment`: who and where the user is, the terminal, the language, the clock.
pub const DEFAULT_PASS: &[&str] =
    &["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LC_*", "TZ", "TMPDIR", "COLORTERM", "NO_COLOR"];

/// Names that no wildcard of `environment.pass` covers, because a loader or an interpreter runs or loads what they name,
/// or because they lead to a service outside. An entry that spells the name out does cover it.
///
/// The list starts from the variables that the dynamic loader drops for set-user-ID programs (`ld.so(8)`).
pub const NEVER_BY_WILDCARD: &[&str] = &[
    // The dynamic loader, the C library and their allocators.
    "DYLD_*",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "HOSTALIASES",
    "LD_*",
    "LOCALDOMAIN",
    "LOCPATH",
    "MALLOC_*",
    "NIS_PATH",
    "NLSPATH",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "TZDIR",
    // Shells.
    "BASHOPTS",
    "BASH_ENV",
    "BASH_FUNC_*",
    "ENV",
    "IFS",
    "LESSCLOSE",
    "LESSOPEN",
    "PROMPT_COMMAND",
    "PS4",
    "SHELLOPTS",
    "ZDOTDIR",
    // Interpreters and compilers.
    "CARGO_BUILD_RUSTC*",
    "CLASSPATH",
    "CORECLR_*",
    "COR_*",
    "DOTNET_ADDITIONAL_DEPS",
    "DOTNET_STARTUP_HOOKS",
    "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LUA_*",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PERL5*",
    "PERLIO*",
    "PERLLIB",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PYTHONBREAKPOINT",
    "PYTHONCASEOK",
    "PYTHONEXECUTABLE",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONPATH",
    "PYTHONPLATLIBDIR",
    "PYTHONPYCACHEPREFIX",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONWARNINGS",
    "RUBYLIB",
    "RUBYOPT",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "_JAVA_OPTIONS",
    // Programs that run other programs, and libraries with plug-ins.
    "GIO_*",
    "GIT_*",
    "GST_PLUGIN_*",
    "GTK_MODULES",
    "GTK_PATH",
    "OPENSSL_*",
    "QT_PLUGIN_PATH",
    "SSLKEYLOGFILE",
    // Ways to services outside.
    "DBUS_*",
    "DOCKER_HOST",
    "GPG_AGENT_INFO",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
    // nono's own, which nothing passes on.
    "NONO_*",
];

/// The program's whole environment: what of `inherited` the policy passes, and what it sets.
///
/// The first of two variables with one name counts, as for `getenv(3)`. Of two `set` entries the last counts.
pub(super) fn declared(
    policy: &Environment,
    inherited: &[(Vec<u8>, Vec<u8>)],
    warnings: &mut Vec<Warning>,
) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut environment = BTreeMap::new();
    for (name, value) in inherited {
        if is_name(name) && !value.contains(&0) && passes(policy, name) && !environment.contains_key(name) {
            environment.insert(name.clone(), value.clone());
        }
    }
    for given in &policy.set {
        let (name, value) = &given.value;
        if let Some(why) = unusable(name, value) {
            let text = format!("the variable {} is not set: {why}", escaped(name.as_bytes(), 100));
            warnings.push(Warning { text, from: given.from.clone() });
            continue;
        }
        environment.insert(name.clone().into_bytes(), value.clone().into_bytes());
    }
    for given in
        policy.pass.iter().flatten().chain(&policy.group_pass).filter(|given| is_reserved(given.value.as_bytes()))
    {
        let text =
            format!("{} is not passed on: variables of nono stay with nono", escaped(given.value.as_bytes(), 100));
        warnings.push(Warning { text, from: given.from.clone() });
    }
    environment
}

/// Whether the policy lets `name` through.
fn passes(policy: &Environment, name: &[u8]) -> bool {
    if is_reserved(name) {
        return false;
    }
    let guarded = || {
        // Letters of a guard count in either case: `*_TOKEN` also means `npm_token`.
        let upper = name.to_ascii_uppercase();
        let guards = |pattern: &str| matches(pattern.to_ascii_uppercase().as_bytes(), &upper);
        NEVER_BY_WILDCARD.iter().any(|pattern| guards(pattern)) || policy.deny.iter().any(|given| guards(&given.value))
    };
    let covers = |entry: &str| match entry.as_bytes().first() {
        // The first byte tells most apart.
        Some(first) if *first != b'*' && Some(first) != name.first() => false,
        _ if entry.contains('*') => matches(entry.as_bytes(), name) && !guarded(),
        _ => entry.as_bytes() == name,
    };
    let listed = match &policy.pass {
        Some(entries) => entries.iter().any(|Given { value, .. }| covers(value)),
        None => DEFAULT_PASS.iter().any(|entry| covers(entry)),
    };
    listed || policy.group_pass.iter().any(|Given { value, .. }| covers(value))
}

fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(b"NONO_")
}

/// `environ(7)`: a name holds no `=`, and neither part a NUL.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && !name.contains(&b'=') && !name.contains(&0)
}

fn unusable(name: &str, value: &str) -> Option<&'static str> {
    match (is_name(name.as_bytes()), value.contains('\0'), is_reserved(name.as_bytes())) {
        (false, ..) => Some("a name is not empty and holds no `=` and no NUL; choose another name"),
        (_, true, _) => Some("its value holds a NUL, which no environment can; remove it"),
        (.., true) => Some("variables of nono stay with nono; remove the entry"),
        (true, false, false) => None,
    }
}

/// `*` stands for any bytes, also none.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut rest, mut left) = (pattern, name);
    // Where to go on after the latest `*`, should what follows it not fit: one byte further each time.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (rest.split_first(), left.split_first()) {
            (Some((b'*', after)), _) => {
                retry = Some((after, left));
                rest = after;
            }
            (Some((wanted, after)), Some((found, remaining))) if wanted == found => {
                (rest, left) = (after, remaining);
            }
            (None, None) => return true,
            (Some(_) | None, _) => match retry {
                Some((after, [_, further @ ..])) => {
                    retry = Some((after, further));
                    (rest, left) = (after, further);
                }
                Some((_, [])) | None => return false,
            },
        }
    }
}
