//! Any bytes as a trust policy. Shared with the fuzzer.

use nono::profile::abs_path::AbsPath;
use nono::trust::digest::Digest;
use nono::trust::policy::{self, Enforcement, Include, Level, Origin, Policy, Rules};
use nono::trust::verify::{Bundles, Verdict};

/// Reads `bytes` as a policy: what is read is the same after it was written, and where nobody who is trusted signed it, it
/// takes back nothing that another level asks for.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let Ok(read) = policy::read(bytes) else { return Ok(()) };
    let text = read.to_json();
    if policy::read(text.as_bytes()).as_ref() != Ok(&read) {
        return Err(format!("written and read again it is another policy: {text}"));
    }
    weakens_nothing(read)
}

fn weakens_nothing(hostile: Policy) -> Result<(), String> {
    let root = AbsPath::root().join(b"project");
    let file = root.join(b"SKILL.md");
    let include = Include::parse("SKILL*").map_err(|error| error.to_string())?;
    let users = Policy { protect: Some(true), ..Policy::new(vec![include], Vec::new()) };
    let blocked: Vec<Digest> = hostile.blocklist.digests.iter().map(|blocked| blocked.sha256).collect();
    let levels = [
        Level { origin: Origin::User, policy: users, believed: true },
        Level { origin: Origin::Project(root.clone()), policy: hostile, believed: false },
    ];
    let rules = Rules::new(&levels, &[root], &[]);
    if rules.enforcement() != Enforcement::Deny || !rules.protects(&file) || !rules.keeps_from_change() {
        return Err("a policy that nobody believes takes something back".to_owned());
    }
    if let Some(digest) = blocked.into_iter().find(|digest| rules.blocked_content(*digest).is_none()) {
        return Err(format!("the blocked digest {digest} is not blocked"));
    }
    match rules.judge(&file, Digest::of(b"be kind\n"), Bundles::default()) {
        Verdict::Verified(publisher) => Err(format!("{publisher} vouches for a file without a signature")),
        Verdict::Blocked(_) | Verdict::Failed(_) => Ok(()),
    }
}
