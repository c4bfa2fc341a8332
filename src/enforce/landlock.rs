//! A plan as Landlock rules: which rights are handled, and which each object gets. See `landlock(7)`.

use syscalls::abi::landlock::{RulesetAttr, VERSIONS, attribute_size, fs, net, scope};

use crate::plan::{Access, Handle, PathKind, Plan};

/// Rules for one ruleset, ready to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub handled: RulesetAttr,
    /// Bytes of `handled` that this kernel knows.
    pub size: usize,
    pub objects: Vec<(Handle, u64)>,
    pub ports: Vec<(u16, u64)>,
}

const WRITE_BENEATH: u64 = fs::REMOVE_DIR
    | fs::REMOVE_FILE
    | fs::MAKE_DIR
    | fs::MAKE_REG
    | fs::MAKE_SOCK
    | fs::MAKE_FIFO
    | fs::MAKE_SYM
    | fs::REFER;

/// The rules of `plan` on a kernel with Landlock `abi`: every right that kernel has is handled, so what no rule grants
/// is refused, TCP included.
pub fn rules(plan: &Plan, abi: u32) -> Rules {
    let handled = handled(abi);
    let mut objects: Vec<(Handle, u64)> = Vec::with_capacity(plan.grants.len());
    for grant in &plan.grants {
        let rights = rights(grant.access, grant.kind) & handled.handled_access_fs;
        if rights != 0 {
            objects.push((grant.handle, rights));
        }
    }
    if handled.handled_access_fs & fs::RESOLVE_UNIX != 0 {
        objects.extend(plan.unix_sockets.iter().map(|socket| (socket.handle, fs::RESOLVE_UNIX)));
    }
    let mut ports = Vec::new();
    // A supervisor binds on the program's behalf, to the very address; the kernel's rule is about ports alone.
    if handled.handled_access_net & net::BIND_TCP != 0 && !plan.is_supervised() {
        let listen = plan.profile.network.iter().flat_map(|network| &network.listen);
        ports.extend(listen.map(|given| (given.value.port, net::BIND_TCP)));
    }
    Rules { handled, size: attribute_size(abi), objects, ports }
}

/// Everything a kernel with Landlock `abi` can refuse.
pub fn handled(abi: u32) -> RulesetAttr {
    let mut all = RulesetAttr::default();
    for version in VERSIONS.iter().filter(|version| version.abi <= abi) {
        all.handled_access_fs |= version.fs;
        all.handled_access_net |= version.net;
        all.scoped |= version.scope;
    }
    all
}

/// A ruleset that keeps signals among its own processes. The processes around the program are held by it, so that one
/// `kill(2)` reaches them and everything they started, and nothing else. `None` before ABI 6.
///
/// A domain that does not handle `REFER` refuses every move between directories, so it is handled, and the caller grants
/// it everywhere.
pub fn family(abi: u32) -> Option<(RulesetAttr, usize)> {
    let scoped = handled(abi).scoped & scope::SIGNAL;
    let attribute = RulesetAttr { scoped, handled_access_fs: fs::REFER, ..RulesetAttr::default() };
    (scoped != 0).then_some((attribute, attribute_size(abi)))
}

/// What `access` means for an object of `kind`. Rights for directories on anything else are an error for the kernel.
fn rights(access: Access, kind: PathKind) -> u64 {
    let mut rights = 0;
    if access.read {
        rights |= fs::READ_FILE;
    }
    if access.write {
        rights |= fs::WRITE_FILE | fs::TRUNCATE;
    }
    match kind {
        // Never MAKE_CHAR and MAKE_BLOCK: a device made inside would be a way around every rule about devices.
        PathKind::Directory => {
            rights |= if access.read { fs::READ_DIR } else { 0 };
            rights |= if access.execute { fs::EXECUTE } else { 0 };
            rights |= if access.write { WRITE_BENEATH } else { 0 };
        }
        PathKind::File => rights |= if access.execute { fs::EXECUTE } else { 0 },
        // A device that the policy names is one whose requests it wants answered; a directory of devices is not.
        PathKind::CharacterDevice => rights |= if access == Access::NONE { 0 } else { fs::IOCTL_DEV },
        PathKind::Other | PathKind::Socket => {}
    }
    rights
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Access = Access { read: true, write: true, execute: true };

    #[test]
    fn each_abi_handles_what_its_kernel_has() {
        assert_eq!(handled(0), RulesetAttr::default());
        assert_eq!(handled(1).handled_access_fs, (1 << 13) - 1);
        assert_eq!(handled(3).handled_access_fs, (1 << 15) - 1);
        assert_eq!(handled(3).handled_access_net, 0);
        assert_eq!(handled(7).handled_access_fs, (1 << 16) - 1);
        assert_eq!(handled(7).handled_access_net, 3);
        assert_eq!(handled(7).scoped, 3);
        assert_eq!(handled(11).handled_access_fs, (1 << 17) - 1);
        assert_eq!(handled(99), handled(11));
    }

    #[test]
    fn a_file_gets_no_right_that_is_for_directories() {
        let for_files = fs::EXECUTE | fs::WRITE_FILE | fs::READ_FILE | fs::TRUNCATE | fs::IOCTL_DEV;
        for kind in [PathKind::CharacterDevice, PathKind::File, PathKind::Other, PathKind::Socket] {
            assert_eq!(rights(ALL, kind) & !for_files, 0, "{kind:?}");
        }
    }

    #[test]
    fn no_access_makes_devices() {
        assert_eq!(rights(ALL, PathKind::Directory) & (fs::MAKE_CHAR | fs::MAKE_BLOCK | fs::IOCTL_DEV), 0);
    }

    #[test]
    fn writing_does_not_read_and_reading_does_not_write() {
        let read = rights(Access { write: false, ..ALL }, PathKind::Directory);
        assert_eq!(read, fs::READ_FILE | fs::READ_DIR | fs::EXECUTE);
        let write = rights(Access { write: true, ..Access::NONE }, PathKind::Directory);
        assert_eq!(write & read, 0);
    }

    #[test]
    fn the_family_ruleset_exists_where_signals_can_be_scoped() {
        assert_eq!(family(5), None);
        assert_eq!(family(6).map(|(attr, size)| (attr.scoped, size)), Some((scope::SIGNAL, 24)));
    }
}
