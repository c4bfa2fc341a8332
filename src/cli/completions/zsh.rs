//! The script for `zsh(1)`: one function for each verb, in the terms of `_arguments` (zshcompsys(1)).

use super::{Place, choices, names, places};
use crate::cli::table::{Flag, Kind};

/// The whole script. It works from a directory of `fpath` and when it is evaluated.
pub(crate) fn script() -> String {
    let mut out = "#compdef nono\n# Completions of zsh for nono, from `nono --generate zsh`.\n".to_owned();
    for place in places() {
        out.push_str(&function(&place));
    }
    out.push_str("\nif [[ ${funcstack[1]} == _nono ]]; then\n    _nono \"$@\"\nelse\n    compdef _nono nono\nfi\n");
    out
}

fn function(place: &Place) -> String {
    let mut out = format!("\n{}() {{\n", function_name(&place.path));
    let specs: String = place.verb.flags().map(|flag| format!(" \\\n        {}", flag_spec(flag, place))).collect();
    if place.verb.verbs.is_empty() {
        let operands: String = operand_specs(place).iter().map(|spec| format!(" \\\n        {spec}")).collect();
        out.push_str(&format!("    _arguments -s -S{specs}{operands}\n}}\n"));
        return out;
    }
    out.push_str("    local curcontext=$curcontext state line ret=1\n    local -A opt_args\n    local -a verbs\n");
    out.push_str(&format!(
        "    _arguments -C -s -S{specs} \\\n        '1: :->verb' \\\n        '*:: :->rest' && ret=0\n"
    ));
    out.push_str("    case $state in\n        verb)\n            verbs=(\n");
    for verb in place.verb.verbs {
        out.push_str(&format!("                {}\n", quoted(&format!("{}:{}", verb.name, colons(verb.summary)))));
    }
    out.push_str("            )\n            _describe -t verbs verb verbs && ret=0 ;;\n        rest)\n            case $words[1] in\n");
    for verb in place.verb.verbs {
        let arms: Vec<&str> = names(verb).collect();
        let path = format!("{} {}", place.path, verb.name);
        out.push_str(&format!("                {}) {} && ret=0 ;;\n", arms.join("|"), function_name(&path)));
    }
    out.push_str("            esac ;;\n    esac\n    return ret\n}\n");
    out
}

/// Such as `_nono_profiles_show`.
fn function_name(path: &str) -> String {
    format!("_{}", path.replace([' ', '-'], "_"))
}

fn flag_spec(flag: &Flag, place: &Place) -> String {
    let (after_short, after_long) = if flag.value.is_some() { ("+", "=") } else { ("", "") };
    let brackets = flag.help.replace('[', "\\[").replace(']', "\\]");
    let value =
        flag.value.map_or_else(String::new, |value| format!(":{}:{}", colons(value.name), action(value.kind, place)));
    let rest = format!("[{}]{value}", colons(&brackets));
    let long = format!("--{}{after_long}", flag.long);
    match (flag.short, flag.many) {
        (None, false) => quoted(&format!("{long}{rest}")),
        (None, true) => quoted(&format!("*{long}{rest}")),
        (Some(short), true) => format!("'*'{{-{short}{after_short},{long}}}{}", quoted(&rest)),
        (Some(short), false) => {
            format!("'(-{short} --{})'{{-{short}{after_short},{long}}}{}", flag.long, quoted(&rest))
        }
    }
}

fn operand_specs(place: &Place) -> Vec<String> {
    if place.verb.runs_a_command() {
        return vec!["'(-)1:command: _command_names -e'".to_owned(), "'*:: : _normal'".to_owned()];
    }
    let last = place.verb.operands.len().saturating_sub(1);
    let each = place.verb.operands.iter().enumerate().map(|(index, operand)| {
        let position = if index == last { "*".to_owned() } else { (index + 1).to_string() };
        quoted(&format!("{position}:{}:{}", colons(operand.name), action(operand.kind, place)))
    });
    each.collect()
}

fn action(kind: Kind, place: &Place) -> String {
    match kind {
        Kind::Command => "_command_names -e".to_owned(),
        Kind::Directory => "_files -/".to_owned(),
        Kind::Path => "_files".to_owned(),
        Kind::Profile => "_files -g \"*.json\"".to_owned(),
        // A single space completes nothing and shows the message.
        Kind::Text => " ".to_owned(),
        Kind::Verb | Kind::Words(_) => format!("({})", choices(kind, place).unwrap_or_default()),
    }
}

fn colons(text: &str) -> String {
    text.replace(':', "\\:")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
