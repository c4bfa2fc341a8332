//! Which entries of a list came before.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};

/// How many places of the table are looked at for one key; more are taken in a row only if somebody chose the keys.
const MOST_LOOKS: usize = 64;

/// For each key, whether it is met for the first time.
///
/// Keys stand in a table at their fingerprints, which are quick to make: lists of hundreds of paths are gone through at every
/// start.
pub fn firsts<K: Hash + Eq>(keys: impl Iterator<Item = K>) -> Vec<bool> {
    let keys: Vec<K> = keys.collect();
    if keys.len() < 2 {
        return vec![true; keys.len()];
    }
    // At least half of it stays free. The places of the keys that were met, one higher; 0 is free.
    let mut table = vec![0_u32; keys.len().saturating_mul(2).next_power_of_two()];
    let last = table.len().saturating_sub(1);
    let mut first = Vec::with_capacity(keys.len());
    for key in &keys {
        let mut looks = (usize::try_from(fingerprint(key)).unwrap_or_default()..).take(MOST_LOOKS);
        let met = loop {
            let Some(place) = looks.next().and_then(|place| table.get_mut(place & last)) else {
                return hashed(&keys);
            };
            if *place == 0 {
                *place = u32::try_from(first.len()).map_or(u32::MAX, |place| place.saturating_add(1));
                break false;
            }
            if usize::try_from(*place - 1).is_ok_and(|place| keys.get(place) == Some(key)) {
                break true;
            }
        };
        first.push(!met);
    }
    first
}

/// The same for keys that nobody can choose so that it takes long.
fn hashed<K: Hash + Eq>(keys: &[K]) -> Vec<bool> {
    let mut seen = HashSet::with_capacity(keys.len());
    keys.iter().map(|key| seen.insert(key)).collect()
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
        // The high bits are the ones that every word had its part in. Half of the word leaves room to count from it.
        self.0 >> 32
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
        for (count, distinct) in [
            (0, 1),
            (1, 1),
            (7, 3),
            (100, 9),
            (100, 15),
            (100, 16),
            (100, 17),
            (500, 60),
            (500, 64),
            (500, 65),
            (2000, 900),
        ] {
            let keys: Vec<usize> = (0..count).map(|place| place * 7 % distinct).collect();
            let texts: Vec<String> = keys.iter().map(|key| "/a".repeat(*key)).collect();
            assert_eq!(firsts(keys.iter()), expected(&keys));
            assert_eq!(firsts(texts.iter()), expected(&keys));
            assert_eq!(firsts(keys.iter().map(|key| Alike(*key))), expected(&keys));
        }
    }
}
