//! The policy's webhook, with the files it names read: none of them is reachable from inside.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use crate::approval::webhook::{Config, Format, Origin, Webhook};
use crate::approval::{Approver, Scope};
use crate::plan::Plan;
use crate::profile::abs_path::AbsPath;
use crate::profile::{Given, Profile, WebhookFormat};

use crate::verbs::gather::{read, shown};

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
        secret: policy.webhook_secret.as_ref().map(contents).transpose()?,
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
    let socket = profile.supervisor.webhook.as_ref().and_then(|given| {
        let path = given.value.strip_prefix("unix:")?;
        AbsPath::new(path.split(':').next()?.as_bytes())
    });
    secret.into_iter().chain(socket).collect()
}

fn contents(file: &Given<AbsPath>) -> Result<Vec<u8>, String> {
    let path = Path::new(OsStr::from_bytes(file.value.as_bytes()));
    read(path).map_err(|error| format!("{} ({}) cannot be read: {error}", shown(path), file.from))
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim_end().to_owned())
}
