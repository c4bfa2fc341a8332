//! The trust policies of a run: the embedded one, the user's, and those of the project.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::newest::{self, Age};
use crate::plan::Plan;
use crate::profile::abs_path::AbsPath;
use crate::profile::variables::Variables;
use crate::trust::keystore::own;
use crate::trust::policy::{
    self, Blocklist, Enforcement, FILE_NAME, Level, Origin, PROJECT_BUNDLE, Policy, Publisher, Rules, baseline,
};
use crate::trust::verify::policy_signed_at;
use crate::verbs::gather::{library::read_up_to, path_of, shown, user_directory};

/// What a repository has at its root.
const REPOSITORY: &str = ".git";

/// What is said of a project's policy where the user has none.
const NO_ANCHOR: &str = "Warning: project-level trust-policy.json found but no user-level policy exists.\nProject policies are \
     not authoritative without a user-level policy to anchor trust.\nCreate a signed policy at \
     ~/.config/nono/trust-policy.json to enforce verification.";

/// What the levels come to, and what the user should hear about them.
#[derive(Debug)]
pub(in crate::verbs) struct Trusting {
    pub(in crate::verbs) rules: Rules,
    /// Files that say it, which the program must not change.
    pub(in crate::verbs) files: Vec<AbsPath>,
    pub(in crate::verbs) warnings: Vec<String>,
    /// Policies of the project that nobody signed whom the user trusts, where the user's policy denies what fails.
    pub(in crate::verbs) refusals: Vec<String>,
    /// The user's own policy stops something: what it says holds wherever the program reads.
    pub(in crate::verbs) user_stops: bool,
    /// Policies that are newer than any that was used before.
    pub(in crate::verbs) newest: Vec<newest::Signed>,
}

/// The most projects outside of the working directory whose bundles are looked at.
const MOST_PROJECTS: usize = 64;

impl Trusting {
    /// Lets what the user asks for, in the own policy or in the profile, hold wherever `plan` lets the program read. A project
    /// alone asks for nothing outside of itself.
    pub(in crate::verbs) fn hold(&mut self, plan: &Plan, home: Option<&AbsPath>) {
        let asked = &plan.profile.trust;
        let required = asked.require_signed_instructions.as_ref().is_some_and(|given| given.value);
        if !required && !self.user_stops {
            return;
        }
        let mut rules = self.rules.clone();
        if required {
            let signers: Vec<String> = asked.signers.iter().map(|given| given.value.clone()).collect();
            rules = rules.requiring(&signers);
        }
        let granted = plan.grants.iter().filter(|grant| grant.access.read && grant.group.is_none());
        let projects = granted.filter_map(|grant| {
            let place = path_of(&grant.real);
            let directory = if place.is_dir() { Some(place.as_path()) } else { place.parent() };
            AbsPath::new(project_root(directory?)?.as_os_str().as_bytes())
        });
        let homes: Vec<AbsPath> = home.map(real).into_iter().collect();
        self.rules = rules.everywhere(&homes).with_roots(projects.take(MOST_PROJECTS));
    }
}

/// Where `path` really is, if it is anywhere.
fn real(path: &AbsPath) -> AbsPath {
    let found = fs::canonicalize(path_of(path)).ok();
    found.and_then(|found| AbsPath::new(found.as_os_str().as_bytes())).unwrap_or_else(|| path.clone())
}

/// Reads every level that holds in `workdir`.
///
/// # Errors
/// A policy that cannot be read, means nothing, or is the user's and not signed by the user.
pub(in crate::verbs) fn trusting(workdir: &AbsPath, variables: &Variables) -> Result<Trusting, String> {
    let mut levels = vec![Level { origin: Origin::Embedded, policy: baseline(), believed: true }];
    let (mut warnings, mut refusals, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let settings = user_directory(variables).map(|settings| path_of(&settings));
    let own = settings.as_deref().map_or(Ok(Vec::new()), own::keys).map_err(|problem| problem.to_string())?;
    let own: Vec<Publisher> =
        own.into_iter().map(|key| Publisher::keyed(key.id.as_str(), key.id.as_str(), key.public)).collect();
    let mut anchors = own.clone();
    let (mut user, mut user_stops) = (None, false);
    if let Some((path, bytes, policy)) = settings.map(|settings| found(&settings)).transpose()?.flatten() {
        if let Err(why) = signer(&path, &bytes, &own) {
            return Err(format!("{}: {why}; sign it with `nono trust sign-policy --user`", shown(&path)));
        }
        anchors.extend(policy.publishers.iter().cloned());
        user = Some(policy.enforcement);
        user_stops = policy.enforcement > Enforcement::Audit || policy.blocklist != Blocklist::default();
        levels.push(Level { origin: Origin::User, policy, believed: true });
    }
    let (mut newest, mut older) = (Vec::new(), Vec::new());
    let mut scope = workdir.clone();
    for directory in projects(workdir) {
        let Some((path, bytes, policy)) = found(&path_of(&directory))? else { continue };
        let signed = signer(&path, &bytes, &anchors);
        if let Ok(time) = &signed {
            match newest::compare(&directory, *time, variables)? {
                Age::Known => {}
                Age::Newest(policy) => newest.push(policy),
                Age::Older(known) => older.push(older_sentence(&path, &known)),
            }
        }
        if let Err(why) = &signed {
            let sentence = format!("{}: {why}; its publishers are not believed", shown(&path));
            // A policy that was replaced may have lost the patterns that the signed one had.
            match user {
                Some(Enforcement::Deny) => refusals.push(sentence),
                _ => warnings.push(format!("{sentence}; when it is yours, sign it with `nono trust sign-policy`")),
            }
        }
        if user.is_none() {
            warnings.push(NO_ANCHOR.to_owned());
        }
        files.extend(
            [FILE_NAME, "trust-policy.json.bundle", PROJECT_BUNDLE].map(|name| directory.join(name.as_bytes())),
        );
        scope = directory.clone();
        levels.push(Level { origin: Origin::Project(directory), policy, believed: signed.is_ok() });
    }
    warnings.dedup();
    let refuses = levels.iter().any(|level| level.policy.refuse_older_policies);
    (if refuses { &mut refusals } else { &mut warnings }).append(&mut older);
    // The name that a policy gives to a key of the user's is the better one.
    let named: Vec<&Publisher> =
        levels.iter().filter(|level| level.believed).flat_map(|level| &level.policy.publishers).collect();
    let own: Vec<Publisher> =
        own.into_iter().filter(|own| !named.iter().any(|named| named.identity == own.identity)).collect();
    Ok(Trusting { rules: Rules::new(&levels, &[scope], &own), files, warnings, refusals, user_stops, newest })
}

fn older_sentence(path: &Path, known: &Path) -> String {
    format!("{}: it was signed before another one that was used here ({} says when)", shown(path), shown(known))
}

/// The policy in `file` alone, which the user named.
///
/// # Errors
/// It cannot be read, or means nothing.
pub(in crate::verbs) fn trusting_file(file: &Path, workdir: &AbsPath) -> Result<Trusting, String> {
    let bytes =
        read_up_to(file, policy::LARGEST).map_err(|error| format!("{} cannot be read: {error}", shown(file)))?;
    let policy = policy::read(&bytes).map_err(|why| format!("{}: {why}", shown(file)))?;
    let level = Level { origin: Origin::Project(workdir.clone()), policy, believed: true };
    let rules = Rules::new(&[level], std::slice::from_ref(workdir), &[]);
    Ok(Trusting {
        rules,
        files: Vec::new(),
        warnings: Vec::new(),
        refusals: Vec::new(),
        user_stops: false,
        newest: Vec::new(),
    })
}

/// The directories from `workdir` up to the root of the outermost repository, so that one put inside of it hides nothing;
/// without any, as far as they belong to the same user.
fn projects(workdir: &AbsPath) -> Vec<AbsPath> {
    let owner = |place: &AbsPath| fs::metadata(path_of(place)).map(|found| found.uid()).ok();
    let is_repository = |place: &AbsPath| fs::symlink_metadata(path_of(place).join(REPOSITORY)).is_ok();
    let own = owner(workdir);
    let above = |place: &AbsPath| place.parent().filter(|above| owner(above) == own);
    let mut all: Vec<AbsPath> = std::iter::successors(Some(workdir.clone()), above).collect();
    if let Some(outermost) = all.iter().rposition(is_repository) {
        all.truncate(outermost.saturating_add(1));
    }
    all
}

/// The root of the project that `directory` lies in: the nearest one above with a policy, no further than the repository,
/// whose root it is where no policy is found. `directory` is absolute and without symbolic links.
pub(in crate::verbs) fn project_root(directory: &Path) -> Option<&Path> {
    let has = |place: &Path, name: &str| fs::symlink_metadata(place.join(name)).is_ok();
    let owner = |place: &Path| fs::metadata(place).map(|found| found.uid()).ok();
    let own = owner(directory);
    // What lies above directories of the same user is somebody else's.
    directory
        .ancestors()
        .take_while(|place| owner(place) == own)
        .find(|place| has(place, FILE_NAME) || has(place, REPOSITORY))
}

fn found(directory: &Path) -> Result<Option<(PathBuf, Vec<u8>, Policy)>, String> {
    let path = directory.join(FILE_NAME);
    match read_up_to(&path, policy::LARGEST) {
        Ok(bytes) => match policy::read(&bytes) {
            Ok(policy) => Ok(Some((path, bytes, policy))),
            Err(why) => Err(format!("{}: {why}", shown(&path))),
        },
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}", shown(&path))),
    }
}

/// When one of `publishers` signed the policy, where the signature says it.
fn signer(path: &Path, bytes: &[u8], publishers: &[Publisher]) -> Result<Option<u64>, String> {
    let mut place = path.as_os_str().to_owned();
    place.push(".bundle");
    let bundle = read_up_to(Path::new(&place), crate::trust::bundle::LARGEST).map_err(|error| {
        match error.kind() == ErrorKind::NotFound {
            true => "it is not signed".to_owned(),
            false => format!("its bundle cannot be read: {error}"),
        }
    })?;
    policy_signed_at(bytes, &bundle, publishers).map_err(|failure| failure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_policy_above_is_the_project_s_and_no_repository_is_left() {
        let base = std::env::temp_dir().join(format!("nono-project-{}", std::process::id()));
        fs::create_dir_all(base.join("repository/.git")).unwrap();
        fs::create_dir_all(base.join("repository/part/deep")).unwrap();
        let repository = base.join("repository");
        assert_eq!(project_root(&repository.join("part/deep")), Some(repository.as_path()));
        fs::write(repository.join("part").join(FILE_NAME), "{}").unwrap();
        assert_eq!(project_root(&repository.join("part/deep")), Some(repository.join("part").as_path()));
        // What lies above the repository is somebody else's.
        fs::write(base.join(FILE_NAME), "{}").unwrap();
        assert_eq!(project_root(&repository), Some(repository.as_path()));
        fs::remove_dir_all(base).unwrap();
    }
}
