//! Proofs that a leaf is in a tree, and that one tree is the beginning of another (RFC 6962, section 2.1; verified as
//! RFC 9162, sections 2.1.3.2 and 2.1.4.2, says).

use std::fmt;
use std::ops::Range;

use super::frontier::Frontier;
use super::{Hash, node_hash};

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The leaf's index is not below the size of the tree, or the smaller tree is larger.
    OutOfRange,
    /// The proof leads to another root.
    Root,
    /// The proof has too few or too many hashes.
    WrongLength,
}

/// Checks that `leaf` is number `index` of the tree with `size` leaves and the root `root` (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// Why it does not follow from `proof`.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut node, mut last) = (index, size.saturating_sub(1));
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match last {
        0 if hash == *root => Ok(()),
        0 => Err(ProofError::Root),
        _ => Err(ProofError::WrongLength),
    }
}

/// Checks that the tree of `old.0` leaves with the root `old.1` is the beginning of `new` (RFC 9162, section 2.1.4.2).
/// Nothing but a tree without leaves is consistent with one, so an empty tree proves nothing about a larger one.
///
/// # Errors
/// Why it does not follow from `proof`.
pub fn verify_consistency(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> Result<(), ProofError> {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size > new_size || (old_size == 0 && new_size != 0) {
        return Err(ProofError::OutOfRange);
    }
    if old_size == new_size {
        return match (proof.is_empty(), old_root == new_root) {
            (false, _) => Err(ProofError::WrongLength),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    // A tree of a power of two is itself a node of the larger one.
    let (start, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::WrongLength)?;
        (first, rest)
    };
    let skipped = old_size.saturating_sub(1).trailing_ones();
    let shifted = |number: u64| number.saturating_sub(1).checked_shr(skipped).unwrap_or(0);
    let (mut node, mut last) = (shifted(old_size), shifted(new_size));
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match last {
        0 if old_hash == *old_root && new_hash == *new_root => Ok(()),
        0 => Err(ProofError::Root),
        _ => Err(ProofError::WrongLength),
    }
}

/// Makes a proof out of leaves that pass by once: each hash of a proof is the root of a range of them. Its memory grows
/// with the height of the tree only.
#[derive(Clone, Debug)]
pub struct Builder {
    parts: Vec<(Range<u64>, Frontier)>,
    next: u64,
    size: u64,
}

impl Builder {
    /// A proof that leaf `index` is in a tree of `size`: `PATH(m, D[n])` of RFC 6962, section 2.1.1. `None` when there is
    /// no such leaf.
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        let mut ranges = Vec::new();
        let mut tree = 0..size;
        if index >= size {
            return None;
        }
        while let Some(middle) = split(&tree) {
            let (left, right) = (tree.start..middle, middle..tree.end);
            let (inside, beside) = if index < middle { (left, right) } else { (right, left) };
            ranges.push(beside);
            tree = inside;
        }
        Some(Self::of(ranges, size))
    }

    /// A proof that the tree of the first `old` leaves is the beginning of that of `new`: `PROOF(m, D[n])` of RFC 6962,
    /// section 2.1.2. `None` when it is not smaller or equal, or empty.
    pub fn consistency(old: u64, new: u64) -> Option<Self> {
        if old == 0 || old > new {
            return None;
        }
        let mut ranges = Vec::new();
        let mut tree = 0..new;
        // Whether the old tree is a subtree whose root whoever verifies knows.
        let mut known = true;
        while tree.end != old {
            let middle = split(&tree)?;
            let (left, right) = (tree.start..middle, middle..tree.end);
            if old <= middle {
                ranges.push(right);
                tree = left;
            } else {
                ranges.push(left);
                tree = right;
                known = false;
            }
        }
        if !known {
            ranges.push(tree);
        }
        Some(Self::of(ranges, new))
    }

    /// Takes the next leaf.
    pub fn push(&mut self, leaf: &Hash) {
        let part = self.parts.iter_mut().find(|(range, _)| range.contains(&self.next));
        if let Some((_, frontier)) = part {
            frontier.push(*leaf);
        }
        self.next = self.next.saturating_add(1);
    }

    /// The proof, from the leaf to the root; `None` before all leaves have passed.
    pub fn finish(self) -> Option<Vec<Hash>> {
        (self.next >= self.size).then(|| self.parts.iter().rev().map(|(_, frontier)| frontier.root()).collect())
    }

    fn of(ranges: Vec<Range<u64>>, size: u64) -> Self {
        let parts = ranges.into_iter().map(|range| (range, Frontier::default())).collect();
        Self { parts, next: 0, size }
    }
}

/// Where a tree of two leaves or more is split: at the largest power of two below its size (RFC 6962, section 2.1).
fn split(tree: &Range<u64>) -> Option<u64> {
    let size = tree.end.checked_sub(tree.start).filter(|&size| size > 1)?;
    let largest = 1_u64.checked_shl(size.saturating_sub(1).ilog2())?;
    tree.start.checked_add(largest)
}

impl fmt::Display for ProofError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::OutOfRange => "it is about a leaf or a tree that is not part of the larger tree",
            Self::Root => "it leads to another root",
            Self::WrongLength => "it has too few or too many hashes",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::frontier::tests::by_definition;
    use crate::merkle::leaf_hash;

    const MOST: u64 = 100;

    fn leaves() -> Vec<Hash> {
        (0..MOST).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    fn built(builder: Option<Builder>, leaves: &[Hash]) -> Vec<Hash> {
        let mut builder = builder.expect("a proof exists");
        leaves.iter().for_each(|leaf| builder.push(leaf));
        builder.finish().expect("all leaves have passed")
    }

    fn changed(hash: &Hash) -> Hash {
        let mut other = *hash;
        other[17] ^= 4;
        other
    }

    #[test]
    fn each_leaf_of_each_tree_is_proved_and_no_change_of_the_proof_is() {
        let all = leaves();
        for size in 1..=MOST {
            let tree = &all[..size as usize];
            let root = by_definition(tree);
            for index in 0..size {
                let leaf = &tree[index as usize];
                let proof = built(Builder::inclusion(index, size), tree);
                assert_eq!(verify_inclusion(index, size, leaf, &proof, &root), Ok(()), "{index} of {size}");
                assert!(verify_inclusion(index, size, &changed(leaf), &proof, &root).is_err());
                assert!(verify_inclusion(index, size, leaf, &proof, &changed(&root)).is_err());
                assert!(verify_inclusion(index ^ 1, size, leaf, &proof, &root).is_err() || size == 1);
                for at in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[at] = changed(&proof[at]);
                    assert!(verify_inclusion(index, size, leaf, &wrong, &root).is_err(), "{index} of {size}, {at}");
                    wrong.remove(at);
                    assert!(verify_inclusion(index, size, leaf, &wrong, &root).is_err());
                }
                let longer = [proof, vec![root]].concat();
                assert!(verify_inclusion(index, size, leaf, &longer, &root).is_err());
            }
            assert!(Builder::inclusion(size, size).is_none());
            assert_eq!(verify_inclusion(size, size, &root, &[], &root), Err(ProofError::OutOfRange));
        }
    }

    #[test]
    fn each_tree_is_proved_to_begin_each_larger_one_and_no_change_of_the_proof_is() {
        let all = leaves();
        for new in 1..=MOST {
            let new_root = by_definition(&all[..new as usize]);
            for old in 1..=new {
                let old_root = by_definition(&all[..old as usize]);
                let proof = built(Builder::consistency(old, new), &all[..new as usize]);
                let verify = |proof: &[Hash]| verify_consistency((old, &old_root), (new, &new_root), proof);
                assert_eq!(verify(&proof), Ok(()), "{old} of {new}");
                assert!(verify_consistency((old, &changed(&old_root)), (new, &new_root), &proof).is_err());
                assert!(verify_consistency((old, &old_root), (new, &changed(&new_root)), &proof).is_err());
                for at in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[at] = changed(&proof[at]);
                    assert!(verify(&wrong).is_err(), "{old} of {new}, {at}");
                    wrong.remove(at);
                    assert!(verify(&wrong).is_err(), "{old} of {new} without {at}");
                }
                assert!(verify(&[proof, vec![new_root]].concat()).is_err());
            }
        }
        assert!(Builder::consistency(0, 4).is_none());
        assert!(Builder::consistency(5, 4).is_none());
    }

    #[test]
    fn the_largest_sizes_are_looked_at_without_overflow() {
        let hash = leaf_hash(b"");
        let proof = vec![hash; 64];
        assert!(verify_inclusion(u64::MAX - 1, u64::MAX, &hash, &proof, &hash).is_err());
        assert!(verify_inclusion(u64::MAX, u64::MAX, &hash, &proof, &hash).is_err());
        assert!(verify_consistency((u64::MAX - 1, &hash), (u64::MAX, &hash), &proof).is_err());
        assert!(verify_consistency((1 << 63, &hash), (u64::MAX, &hash), &proof).is_err());
        assert!(Builder::inclusion(u64::MAX - 1, u64::MAX).is_some());
    }
}
