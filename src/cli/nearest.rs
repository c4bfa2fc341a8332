//! The known word that a mistyped one was meant to be.

/// Longer words are not compared: no known word comes near.
const LONGEST: usize = 64;

/// The word of `known` that needs the fewest single-character changes to become `word`, if it is close enough to have
/// been meant: one change in three characters. A word that `word` is the beginning of is close too.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = word.chars().take(LONGEST + 1).collect();
    if typed.is_empty() || typed.len() > LONGEST {
        return None;
    }
    let close = |candidate: &&'a str| {
        let letters: Vec<char> = candidate.chars().collect();
        let most = (letters.len().max(typed.len()) / 3).max(1);
        let changes = distance(&typed, &letters);
        let beginning = typed.len() > 1 && candidate.starts_with(word);
        (changes <= most || beginning).then_some(changes)
    };
    known
        .filter_map(|candidate| Some((close(&candidate)?, candidate)))
        .min_by_key(|(changes, _)| *changes)
        .map(|(_, candidate)| candidate)
}

/// How many insertions, removals, replacements and swaps of neighbours lead from `left` to `right` (the optimal string
/// alignment distance).
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut last_left = None;
    for (row, &a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut beside = row + 1;
        let mut last_right = None;
        for (column, &b) in right.iter().enumerate() {
            let at = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut cost = at(&above, column) + usize::from(a != b);
            cost = cost.min(at(&above, column + 1) + 1).min(beside + 1);
            if last_left == Some(b) && last_right == Some(a) && column > 0 {
                cost = cost.min(at(&before, column - 1) + 1);
            }
            current.push(cost);
            beside = cost;
            last_right = Some(b);
        }
        before = std::mem::replace(&mut above, current);
        last_left = Some(a);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(left: &str, right: &str) -> usize {
        let letters = |word: &str| word.chars().collect::<Vec<_>>();
        distance(&letters(left), &letters(right))
    }

    #[test]
    fn a_swap_of_neighbours_is_one_change() {
        assert_eq!(between("rnu", "run"), 1);
        assert_eq!(between("", "run"), 3);
        assert_eq!(between("run", ""), 3);
        assert_eq!(between("kitten", "sitting"), 3);
        assert_eq!(between("same", "same"), 0);
    }

    #[test]
    fn only_a_word_that_is_close_is_offered() {
        let known = ["run", "shell", "profiles"];
        assert_eq!(nearest("rum", known.into_iter()), Some("run"));
        assert_eq!(nearest("prof", known.into_iter()), Some("profiles"));
        assert_eq!(nearest("zebra", known.into_iter()), None);
        assert_eq!(nearest("", known.into_iter()), None);
        assert_eq!(nearest(&"run".repeat(100_000), known.into_iter()), None);
    }
}
