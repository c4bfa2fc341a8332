//! The known name that a mistyped one was probably meant to be.

/// Longer words are not names, and comparing them would cost their length squared.
const LONGEST: usize = 64;

/// The candidate with the fewest single-character edits, when they are few for the word's length.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > LONGEST {
        return None;
    }
    let most = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(edits, _)| edits <= most)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// Edits that turn one word into the other: insert, remove or replace a character, or exchange two neighbours
/// (the optimal string alignment distance). Case is no difference worth more than nothing.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (down, &one) in left.iter().enumerate() {
        let mut next = vec![down.saturating_add(1)];
        for (across, &other) in right.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX);
            let after = across.saturating_add(1);
            let mut least = at(&row, across).saturating_add(usize::from(one != other));
            least = least.min(at(&row, after).saturating_add(1)).min(at(&next, across).saturating_add(1));
            let swapped = across > 0
                && down > 0
                && left.get(down.wrapping_sub(1)) == Some(&other)
                && right.get(across.wrapping_sub(1)) == Some(&one);
            if swapped {
                least = least.min(at(&before, across.wrapping_sub(1)).saturating_add(1));
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        let words = ["allow", "read", "write", "deny", "groups", "unix_sockets"];
        for (typed, meant) in [
            ("alow", Some("allow")),
            ("allwo", Some("allow")),
            ("Deny", Some("deny")),
            ("raed", Some("read")),
            ("group", Some("groups")),
            ("unix-sockets", Some("unix_sockets")),
            ("network", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, words), meant, "{typed}");
        }
        assert_eq!(nearest(&"a".repeat(1_000_000), words), None);
    }

    #[test]
    fn distance_counts_edits() {
        for (left, right, edits) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("ab", "ba", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(left, right), edits, "{left} {right}");
        }
    }
}
