//! Completion scripts for shells. Each one walks the words before the cursor as the parser would, far enough to know the
//! verb, and offers what the table has there.

pub(crate) mod bash;
pub(crate) mod fish;
pub(crate) mod zsh;

use super::table::{Flag, Kind, Verb};
use super::verbs::NONO;

/// A verb, and the words that lead to it.
struct Place {
    verb: &'static Verb,
    /// Such as `nono profiles show`.
    path: String,
}

/// Every verb, each before those beneath it.
fn places() -> Vec<Place> {
    let mut found = vec![Place { verb: &NONO, path: NONO.name.to_owned() }];
    let mut next = 0;
    while let Some(Place { verb, path }) = found.get(next) {
        let beneath: Vec<Place> =
            verb.verbs.iter().map(|&verb| Place { verb, path: format!("{path} {}", verb.name) }).collect();
        found.extend(beneath);
        next += 1;
    }
    found
}

/// The names a shell offers for `flag`.
fn spellings(flag: &Flag) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    short.into_iter().chain([format!("--{}", flag.long)]).collect()
}

/// The names after which the next word is the value of `flag`, aliases among them; none for a switch.
fn before_value(flag: &Flag) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    let all = short.into_iter().chain(flag.longs().map(|long| format!("--{long}")));
    if flag.value.is_some() { all.collect() } else { Vec::new() }
}

/// The single words that lead from `place` to the verb `to` beneath it.
fn names(to: &Verb) -> impl Iterator<Item = &'static str> {
    let aliases = to.aliases.iter().filter_map(|alias| match alias {
        [word] => Some(*word),
        _ => None,
    });
    std::iter::once(to.name).chain(aliases)
}

/// The words to choose from where `kind` is wanted at `place`, separated by spaces; `None` when there is no fixed list.
fn choices(kind: Kind, place: &Place) -> Option<String> {
    match kind {
        Kind::Words(words) => Some(words.join(" ")),
        Kind::Verb => {
            let verbs = if place.verb.verbs.is_empty() { NONO.verbs } else { place.verb.verbs };
            Some(verbs.iter().map(|verb| verb.name).collect::<Vec<_>>().join(" "))
        }
        Kind::Command | Kind::Directory | Kind::Path | Kind::Profile | Kind::Text => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_mentions_every_verb_and_flag() {
        for place in places() {
            for (shell, script) in [("bash", bash::script()), ("zsh", zsh::script()), ("fish", fish::script())] {
                assert!(script.contains(place.verb.name), "{shell}: {}", place.path);
                for flag in place.verb.flags() {
                    let long = if shell == "fish" { format!("-l {}", flag.long) } else { format!("--{}", flag.long) };
                    assert!(script.contains(&long), "{shell}: {} {long}", place.path);
                }
            }
        }
    }
}
