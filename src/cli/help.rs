//! Help: `-h`, where each verb and flag has one line, and `--help`, which says everything.

use super::table::{Entry, Flag, Verb};

/// Columns of a line of help.
pub(crate) const WIDTH: usize = 80;
/// Where the text beside a flag's names begins in the short help.
const BESIDE_FLAG: usize = 32;
/// Where the text beside a verb, a status or a variable begins.
const BESIDE_NAME: usize = 20;

/// The help of `verb`, which the words `path` lead to.
pub(crate) fn text(verb: &'static Verb, path: &str, long: bool) -> String {
    let mut out = format!("{path} - {}\n\nUsage: {}\n", verb.summary, verb.usage_line(path));
    if long {
        for paragraph in verb.about {
            out.push('\n');
            out.push_str(&wrapped(paragraph, 0));
        }
    }
    if !verb.verbs.is_empty() {
        out.push_str("\nVerbs:\n");
        for beneath in verb.verbs {
            out.push_str(&row(beneath.name, BESIDE_NAME, beneath.summary));
        }
    }
    for group in verb.groups {
        let title = if verb.groups.len() == 1 { "Flags" } else { group.title };
        out.push_str(&format!("\n{title}:\n"));
        for &flag in group.flags {
            out.push_str(&if long { long_flag(flag) } else { row(&flag.spelling(), BESIDE_FLAG, flag.help) });
        }
    }
    if long {
        out.push_str(&entries("Exit status", verb.exits));
        out.push_str(&entries("Environment", verb.environment));
        out.push_str(&examples(verb.examples));
        out.push_str(&other_names(verb, path));
    } else {
        out.push('\n');
        out.push_str(&wrapped(&format!("`{path} --help` says more."), 0));
    }
    out
}

/// `help` and `about` of `flag` as sentences, with what its row implies.
pub(crate) fn sentences(flag: &Flag) -> String {
    let mut text = format!("{}.", flag.help);
    if !flag.about.is_empty() {
        text.push(' ');
        text.push_str(flag.about);
    }
    if flag.many {
        text.push_str(" May be given more than once.");
    }
    if !flag.aliases.is_empty() {
        let names: Vec<String> = flag.aliases.iter().map(|name| format!("--{name}")).collect();
        text.push_str(&format!(" Also accepted as {}.", names.join(" and ")));
    }
    text
}

/// The other names of `verb`, as `nono` accepts them.
pub(crate) fn aliases(verb: &Verb) -> Vec<String> {
    verb.aliases.iter().map(|words| format!("nono {}", words.join(" "))).collect()
}

fn long_flag(flag: &Flag) -> String {
    format!("  {}\n{}", flag.spelling(), wrapped(&sentences(flag), 10))
}

fn entries(title: &str, entries: &[Entry]) -> String {
    let mut out = String::new();
    if !entries.is_empty() {
        out.push_str(&format!("\n{title}:\n"));
    }
    for (name, meaning) in entries {
        out.push_str(&row(name, BESIDE_NAME, meaning));
    }
    out
}

fn examples(entries: &[Entry]) -> String {
    let mut out = String::new();
    if !entries.is_empty() {
        out.push_str("\nExamples:\n");
    }
    for (meaning, command) in entries {
        out.push_str(&wrapped(meaning, 2));
        out.push_str(&format!("      {command}\n"));
    }
    out
}

fn other_names(verb: &Verb, path: &str) -> String {
    match aliases(verb).as_slice() {
        [] => String::new(),
        names => format!("\n{}", wrapped(&format!("`{}` is accepted for `{path}`.", names.join("`, `")), 0)),
    }
}

/// `name` indented by two columns, and `text` beside it, from column `beside` on; below it where both do not fit.
fn row(name: &str, beside: usize, text: &str) -> String {
    let text = wrapped(text, beside);
    let gap = beside.saturating_sub(2).max(name.chars().count() + 2);
    let both = format!("  {name:<gap$}{}", text.trim_start());
    let fits = both.lines().next().is_none_or(|first| first.chars().count() <= WIDTH);
    if fits { both } else { format!("  {name}\n{text}") }
}

/// `text` in lines that begin at column `indent` and end before [`WIDTH`]; a word that is too long gets a line of its own.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
    out
}
