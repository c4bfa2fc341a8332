//! Which entries of a list came before.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};

/// As many different keys with one fingerprint are still compared with each other. There are no more unless somebody chose them.
const FEW: usize = 16;

/// For each key, whether it is met for the first time.
///
/// The keys are sorted by a fingerprint that is quick to make: lists of hundreds of paths are gone through at every start.
pub fn firsts<K: Hash + Eq>(keys: impl Iterator<Item = K>) -> Vec<bool> {
    let keys: Vec<K> = keys.collect();
    let mut first = vec![true; keys.len()];
    let mut order: Vec<(u64, usize)> = keys.iter().map(fingerprint).zip(0..).collect();
    order.sort_unstable();
    for alike in order.chunk_by(|one, other| one.0 == other.0).filter(|alike| alike.len() > 1) {
        let mut compared: Vec<&K> = Vec::new();
        let mut hashed: HashSet<&K> = HashSet::new();
        for (_, place) in alike {
            let (Some(key), Some(first)) = (keys.get(*place), first.get_mut(*place)) else { continue };
            *first = match compared.len() < FEW {
                true => !compared.contains(&key),
                false => !compared.contains(&key) && hashed.insert(key),
            };
            if *first && compared.len() < FEW {
                compared.push(key);
            }
        }
    }
    first
}

fn fingerprint<K: Hash>(key: &K) -> u64 {
    let mut fingerprint = Fingerprint(0);
    key.hash(&mut fingerprint);
    fingerprint.finish()
}

/// Eight bytes at a time, each multiplied into what the ones before left.
struct Fingerprint(u64);

impl Fingerprint {
    fn take(&mut self, word: u64) {
        // An odd number with about as many ones as zeros: the golden ratio's fraction in 64 bits.
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        let words = bytes.chunks_exact(8);
        let rest = words.remainder().iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        words.for_each(|word| self.take(word.try_into().map_or(0, u64::from_le_bytes)));
        self.take(rest);
    }

    fn write_usize(&mut self, number: usize) {
        self.take(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.take(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that has the fingerprint of all others.
    #[derive(PartialEq, Eq)]
    struct Alike(usize);

    impl Hash for Alike {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }

    #[test]
    fn the_first_of_equal_keys_is_told_from_those_that_follow() {
        let expected = |keys: &[usize]| -> Vec<bool> {
            keys.iter().enumerate().map(|(place, key)| !keys[..place].contains(key)).collect()
        };
        for (count, distinct) in [(0, 1), (1, 1), (7, 3), (100, 9), (100, 15), (100, 16), (100, 17), (500, 60)] {
            let keys: Vec<usize> = (0..count).map(|place| place * 7 % distinct).collect();
            let texts: Vec<String> = keys.iter().map(|key| "/a".repeat(*key)).collect();
            assert_eq!(firsts(keys.iter()), expected(&keys));
            assert_eq!(firsts(texts.iter()), expected(&keys));
            assert_eq!(firsts(keys.iter().map(|key| Alike(*key))), expected(&keys));
        }
    }
}
