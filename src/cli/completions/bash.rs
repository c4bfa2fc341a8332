//! The script for `bash(1)`.

use super::{Place, before_value, choices, names, places, spellings};
use crate::cli::table::Kind;

/// What is between the parts that the table fills in.
const HEAD: &str = r#"# Completions of bash for nono, from `nono --generate bash`.
_nono() {
    local cur=${COMP_WORDS[COMP_CWORD]} at=nono kind= dashes= word i
    local -i count=0
    [[ $cur == '=' ]] && cur=
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -n $kind ]]; then
            [[ $word == '=' ]] || kind=
            continue
        fi
        # bash takes NAME=VALUE and HOST:PORT apart: the tail is no word of its own.
        if [[ $word == [:=] ]]; then
            ((++i == COMP_CWORD)) && return
            continue
        fi
        if [[ -z $dashes && $word == -* ]]; then
            [[ $word == -- ]] && dashes=1
            case "$at|$word" in
"#;

const OPERANDS: &str = r#"            esac
            continue
        fi
        case "$at|$word" in
"#;

const FLAGS: &str = r#"            *) count+=1 ;;
        esac
    done
    if [[ -z $kind && -z $dashes && $cur == -* ]]; then
        case $at in
"#;

const WANTED: &str = r#"        esac
    elif [[ -z $kind ]]; then
        case "$at|$count" in
"#;

const TAIL: &str = r#"        esac
    fi
    case $kind in
        '' | @text) ;;
        @command) _nono_command "$COMP_CWORD" ;;
        @directory)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        @path)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        @profile)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$cur"; compgen -f -X '!*.json' -- "$cur") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur") ;;
    esac
}

# Completes a command that begins at word $1 as if nothing stood before it.
_nono_command() {
    if declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif (($1 == COMP_CWORD)); then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
    fi
}

complete -F _nono nono
"#;

/// The whole script.
pub(crate) fn script() -> String {
    let (mut values, mut verbs, mut flags, mut operands) = (String::new(), String::new(), String::new(), String::new());
    for place in places() {
        let path = &place.path;
        for flag in place.verb.flags() {
            if let Some(value) = flag.value {
                let arms: Vec<String> = before_value(flag).iter().map(|name| format!("'{path}|{name}'")).collect();
                values.push_str(&format!(
                    "                {}) kind='{}' ;;\n",
                    arms.join(" | "),
                    word(value.kind, &place)
                ));
            }
        }
        for verb in place.verb.verbs {
            let arms: Vec<String> = names(verb).map(|name| format!("'{path}|{name}'")).collect();
            verbs.push_str(&format!("            {}) at='{path} {}' ;;\n", arms.join(" | "), verb.name));
        }
        if place.verb.runs_a_command() {
            verbs.push_str(&format!(
                "            '{path}|'*)\n                _nono_command \"$i\"\n                return ;;\n"
            ));
        }
        let all: Vec<String> = place.verb.flags().flat_map(spellings).collect();
        flags.push_str(&format!("            '{path}') kind='{}' ;;\n", all.join(" ")));
        operands.push_str(&operand_arms(&place));
    }
    [HEAD, &values, OPERANDS, &verbs, FLAGS, &flags, WANTED, &operands, TAIL].concat()
}

/// What the operands of `place` are: the last arm is for every further one, unless a command begins.
fn operand_arms(place: &Place) -> String {
    let mut arms = String::new();
    let last = place.verb.operands.len().saturating_sub(1);
    for (index, operand) in place.verb.operands.iter().enumerate() {
        let count = if index == last { "'*".to_owned() } else { format!("{index}'") };
        arms.push_str(&format!("            '{}|{count}) kind='{}' ;;\n", place.path, word(operand.kind, place)));
    }
    arms
}

/// `kind` as the script calls it: a word with `@`, or the words to choose from.
fn word(kind: Kind, place: &Place) -> String {
    match kind {
        Kind::Command => "@command".to_owned(),
        Kind::Directory => "@directory".to_owned(),
        Kind::Path => "@path".to_owned(),
        Kind::Profile => "@profile".to_owned(),
        Kind::Text => "@text".to_owned(),
        Kind::Verb | Kind::Words(_) => choices(kind, place).unwrap_or_default(),
    }
}
