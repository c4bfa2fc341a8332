//! The right edge of a growing tree: enough to add leaves and to know the root, in memory that grows with the height.

use super::{Hash, empty_root, node_hash};

/// The roots of the complete subtrees that a tree consists of, the largest first (RFC 6962, section 2.1: the split is at
/// the largest power of two).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One for each bit that is set in `size`.
    complete: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves with these complete subtrees; `None` when their number does not fit.
    pub fn from_parts(size: u64, complete: Vec<Hash>) -> Option<Self> {
        let fits = u32::try_from(complete.len()).is_ok_and(|count| count == size.count_ones());
        fits.then_some(Self { size, complete })
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The complete subtrees, the largest first.
    pub fn complete(&self) -> &[Hash] {
        &self.complete
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut subtree = leaf;
        for _ in 0..self.size.trailing_ones() {
            // There is one for each bit of the size.
            let Some(left) = self.complete.pop() else { break };
            subtree = node_hash(&left, &subtree);
        }
        self.complete.push(subtree);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut subtrees = self.complete.iter().rev();
        let Some(smallest) = subtrees.next() else { return empty_root() };
        subtrees.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::merkle::leaf_hash;

    /// `MTH` as RFC 6962, section 2.1, writes it.
    pub(crate) fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let split = 1_usize << (usize::BITS - 1 - (leaves.len() - 1).leading_zeros());
                node_hash(&by_definition(&leaves[..split]), &by_definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_for_every_size() {
        let leaves: Vec<Hash> = (0_u32..300).map(|number| leaf_hash(&number.to_be_bytes())).collect();
        let mut frontier = Frontier::default();
        for size in 0..=leaves.len() {
            assert_eq!(frontier.root(), by_definition(&leaves[..size]), "size {size}");
            let again = Frontier::from_parts(frontier.size(), frontier.complete().to_vec());
            assert_eq!(again.as_ref(), Some(&frontier));
            leaves.get(size).inspect(|leaf| frontier.push(**leaf));
        }
    }

    #[test]
    fn a_frontier_with_the_wrong_number_of_subtrees_is_refused() {
        assert_eq!(Frontier::from_parts(3, vec![[0; 32]]), None);
        assert_eq!(Frontier::from_parts(0, vec![[0; 32]]), None);
        assert!(Frontier::from_parts(0, Vec::new()).is_some());
    }
}
