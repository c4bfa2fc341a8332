//! The policy's webhook, with the files it names read: none of them is reachable from inside.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use syscalls::credentials;

use crate::approval::webhook::{Config, Format, Origin, Webhook};
use crate::approval::{Approver, Scope};
use crate::plan::Plan;
use crate::profile::abs_path::AbsPath;
use crate::profile::url::{Place, Url};
use crate::profile::{Given, Profile, WebhookFormat};

use crate::verbs::gather::{open_regular, read, shown};

/// Bytes of a secret's file that are read: more than any secret has.
const LARGEST_SECRET: u64 = 4096;

/// The approver behind the policy's webhook; `None` where it has none.
///
/// # Errors
/// A sentence, when it could never answer.
pub(in crate::verbs) fn webhook(plan: &Plan) -> Result<Option<Arc<dyn Approver>>, String> {
    let policy = &plan.profile.supervisor;
    let Some(url) = policy.webhook.as_ref().filter(|_| plan.is_supervised()) else { return Ok(None) };
    let format = match policy.format.as_ref().map(|given| given.value).unwrap_or_default() {
        WebhookFormat::Nono => Format::Nono,
        WebhookFormat::Opa => Format::Opa,
    };
    let webhook = Webhook::new(Config {
        url: url.value.clone(),
        secret: policy.webhook_secret.as_ref().map(secret).transpose()?,
        ca: policy.ca_file.as_ref().map(contents).transpose()?,
        format,
        widest: Scope::Directory,
        origin: Origin { host: host_name(), user: std::env::var("USER").ok(), ..Origin::default() },
    });
    webhook
        .map(|webhook| Some(Arc::new(webhook) as Arc<dyn Approver>))
        .map_err(|why| format!("{} ({}): {why}", url.value, url.from))
}

/// What the program must not touch: with the secret, or in the place of the socket, it could answer its own questions.
pub(in crate::verbs) fn places(profile: &Profile) -> Vec<AbsPath> {
    let secret = profile.supervisor.webhook_secret.as_ref().map(|given| given.value.clone());
    let socket = profile.supervisor.webhook.as_ref().and_then(|given| match Url::parse(&given.value).ok()?.place {
        Place::Unix(path) => Some(path),
        Place::Loopback { .. } | Place::Tls { .. } => None,
    });
    secret.into_iter().chain(socket).collect()
}

/// Why `file` keeps no secret of a webhook, as far as its `owner` and its `mode` tell. Where it is root's, its group may read it:
/// that is how an administrator gives it to a user.
pub(in crate::verbs) fn secret_fault(file: &Path, owner: u32, mode: u32) -> Option<String> {
    let user = credentials::effective_user();
    if owner != user && owner != 0 {
        return Some(format!(
            "{} belongs to user {owner} and not to you ({user}), who so knows the secret and could answer in the approver's \
             place; take it over with `chown`, or name another file",
            shown(file)
        ));
    }
    let (others, close) = if owner == 0 { (0o027, "chmod g-w,o=") } else { (0o077, "chmod go=") };
    (mode & others != 0).then(|| {
        format!(
            "{} can be read or changed by others (mode {:04o}), who could then answer in the approver's place; close it with \
             `{close}`",
            shown(file),
            mode & 0o7777
        )
    })
}

/// The secret, from a file that only those can read who may answer.
fn secret(file: &Given<AbsPath>) -> Result<Vec<u8>, String> {
    let path = Path::new(OsStr::from_bytes(file.value.as_bytes()));
    let unreadable = |error: io::Error| format!("{} ({}) cannot be read: {error}", shown(path), file.from);
    let opened = open_regular(path).map_err(unreadable)?;
    let facts = opened.metadata().map_err(unreadable)?;
    if let Some(fault) = secret_fault(path, facts.uid(), facts.mode()) {
        return Err(format!("{}: {fault}", file.from));
    }
    let mut text = Vec::new();
    opened.take(LARGEST_SECRET).read_to_end(&mut text).map_err(unreadable)?;
    Ok(text)
}

fn contents(file: &Given<AbsPath>) -> Result<Vec<u8>, String> {
    let path = Path::new(OsStr::from_bytes(file.value.as_bytes()));
    read(path).map_err(|error| format!("{} ({}) cannot be read: {error}", shown(path), file.from))
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim_end().to_owned())
}
