//! Merkle trees of RFC 6962 and what is said about them: proofs, signed checkpoints, and files that carry both.
//!
//! Pure: bytes in, values or an error out. The formats are those of C2SP (`signed-note`, `tlog-checkpoint`, `tlog-proof`,
//! `tlog-cosignature`, `tlog-witness`, `tlog-policy`), so that others' tools read what nono writes.

pub mod checkpoint;
pub mod frontier;
pub mod key;
pub mod note;
pub mod policy;
pub mod proof;
pub mod proof_file;
pub mod witness;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

/// A SHA-256 hash: of a leaf, a node or a whole tree.
pub type Hash = [u8; 32];

/// The bytes that set leaves and nodes apart (RFC 6962, section 2.1).
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// The hash of a leaf with the content `entry` (RFC 6962, section 2.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([LEAF]);
    hasher.update(entry);
    hasher.finalize().into()
}

/// The hash of the node above `left` and `right` (RFC 6962, section 2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [NODE; 65];
    let (_, rest) = bytes.split_at_mut(1);
    let (first, second) = rest.split_at_mut(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The root of the tree without leaves (RFC 6962, section 2.1).
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A number as C2SP `tlog-checkpoint` writes it: decimal digits, without zeros before them.
fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (text == "0" || !text.starts_with('0')) { text.parse().ok() } else { None }
}

/// A hash as the formats of C2SP write it.
fn hash_from_base64(text: &str) -> Option<Hash> {
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of `rfc6962_test.go` in transparency-dev/merkle.
    #[test]
    fn leaves_and_nodes_hash_as_others_have_it() {
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(hex(leaf_hash(b"L123456")), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
        assert_eq!(hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let node = Sha256::digest([&[NODE][..], b"N123", b"N456"].concat());
        assert_eq!(hex(node.into()), "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb");
    }
}
