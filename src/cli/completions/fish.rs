//! The script for `fish(1)`.

use super::{Place, before_value, choices, names, places};
use crate::cli::table::{Flag, Kind};

const HEAD: &str = r"# Completions of fish for nono, from `nono --generate fish`.

# Prints the verb that the words before the cursor lead to, how many operands it has so far, and which word begins a
# command.
function __nono_place
    set -l at nono
    set -l count 0
    set -l first 0
    set -l value 0
    set -l index 1
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        set index (math $index + 1)
        if test $value = 1
            set value 0
            continue
        end
        if test $first -gt 0
            set count (math $count + 1)
            continue
        end
        switch $at'|'$word
";

const OPERANDS: &str = r#"            case '*|-*'
                true
"#;

const TAIL: &str = r#"            case '*'
                set count (math $count + 1)
        end
    end
    printf '%s\n' $at $count $first
end

# Whether the cursor is at verb $argv[1], after at least $argv[2] and at most $argv[3] operands.
function __nono_at
    set -l place (__nono_place)
    test "$place[1]" = "$argv[1]" -a $place[2] -ge $argv[2] -a $place[2] -le $argv[3]
end

# Completes a command as if nothing stood before it.
function __nono_command
    set -l place (__nono_place)
    set -l before
    if test $place[3] -gt 0
        set -l words (commandline -opc)
        set before $words[$place[3]..-1]
    end
    set -l current (commandline -ct)
    if test $place[3] -eq 0; and string match -q -- '-*' $current
        return
    end
    complete -C (string join ' ' -- (string escape -- $before) $current)
end

complete -c nono -f
"#;

/// The most operands that are counted.
const MANY: usize = 9999;

/// The whole script.
pub(crate) fn script() -> String {
    let mut walk = String::new();
    let mut commands = String::new();
    let mut rows = String::new();
    for place in places() {
        for verb in place.verb.verbs {
            let words: Vec<String> = names(verb).map(|name| quoted(&format!("{}|{name}", place.path))).collect();
            let path = quoted(&format!("{} {}", place.path, verb.name));
            walk.push_str(&format!("            case {}\n                set at {path}\n", words.join(" ")));
            let condition = condition(&place, 0, 0);
            rows.push_str(&format!("complete -c nono -n {condition} -a {} -d {}\n", verb.name, quoted(verb.summary)));
        }
        let valued: Vec<String> =
            place.verb.flags().flat_map(before_value).map(|name| quoted(&format!("{}|{name}", place.path))).collect();
        if !valued.is_empty() {
            walk.push_str(&format!("            case {}\n                set value 1\n", valued.join(" ")));
        }
        if place.verb.runs_a_command() {
            let path = quoted(&format!("{}|*", place.path));
            commands.push_str(&format!(
                "            case {path}\n                set count 1\n                set first $index\n"
            ));
        }
        place.verb.flags().for_each(|flag| rows.push_str(&flag_row(flag, &place)));
        if place.verb.verbs.is_empty() {
            rows.push_str(&operand_rows(&place));
        }
    }
    [HEAD, &walk, OPERANDS, &commands, TAIL, &rows].concat()
}

/// The test of `-n` for the operands from `least` to `most` of `place`.
fn condition(place: &Place, least: usize, most: usize) -> String {
    format!("\"__nono_at '{}' {least} {most}\"", place.path)
}

fn flag_row(flag: &Flag, place: &Place) -> String {
    let most = if place.verb.runs_a_command() { 0 } else { MANY };
    let short = flag.short.map_or_else(String::new, |short| format!(" -s {short}"));
    let value = match flag.value.map(|value| value.kind) {
        None => String::new(),
        Some(kind @ (Kind::Path | Kind::Text)) => format!(" -r{}", files(kind)),
        Some(kind) => format!(" -x -a {}", words(kind, place)),
    };
    let condition = condition(place, 0, most);
    format!("complete -c nono -n {condition}{short} -l {}{value} -d {}\n", flag.long, quoted(flag.help))
}

fn operand_rows(place: &Place) -> String {
    if place.verb.runs_a_command() {
        return format!("complete -c nono -n {} -a '(__nono_command)'\n", condition(place, 0, MANY));
    }
    let last = place.verb.operands.len().saturating_sub(1);
    let row = |(index, kind): (usize, Kind)| {
        let condition = condition(place, index, if index == last { MANY } else { index });
        match kind {
            Kind::Path | Kind::Text => format!("complete -c nono -n {condition}{}\n", files(kind)),
            Kind::Command | Kind::Directory | Kind::Profile | Kind::Verb | Kind::Words(_) => {
                format!("complete -c nono -n {condition} -a {}\n", words(kind, place))
            }
        }
    };
    place.verb.operands.iter().map(|operand| operand.kind).enumerate().map(row).collect()
}

fn files(kind: Kind) -> &'static str {
    if kind == Kind::Path { " -F" } else { " -f" }
}

fn words(kind: Kind, place: &Place) -> String {
    match kind {
        Kind::Command => "'(__fish_complete_command)'".to_owned(),
        Kind::Directory => "'(__fish_complete_directories)'".to_owned(),
        Kind::Profile => "'(__fish_complete_suffix .json)'".to_owned(),
        Kind::Path | Kind::Text | Kind::Verb | Kind::Words(_) => quoted(&choices(kind, place).unwrap_or_default()),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
