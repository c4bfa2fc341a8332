//! The man page: `man(7)` macros, every verb on one page.

use super::help;
use super::table::{Entry, Flag, FlagGroup, Verb};
use super::verbs::NONO;
use super::{VERSION, flags};

/// The whole page.
pub(crate) fn page() -> String {
    let mut page = Page(format!(".TH NONO 1 \"\" \"nono {}\" \"User Commands\"\n", escaped(VERSION)));
    page.section("NAME");
    page.text(&format!("nono - {}", NONO.summary));
    page.section("SYNOPSIS");
    for verb in NONO.verbs {
        page.synopsis(verb, &format!("nono {}", verb.name));
    }
    for flag in NONO.flags() {
        page.line(&format!(".br\n.B nono {}", escaped(flag.spelling().trim_start())));
    }
    page.section("DESCRIPTION");
    page.paragraphs(NONO.about);
    page.section("VERBS");
    for verb in NONO.verbs {
        page.verb(verb, &format!("nono {}", verb.name));
    }
    page.section("POLICY FLAGS");
    page.text("They mean the same for every verb that takes them.");
    page.flags(flags::POLICY.flags.iter().copied());
    page.section("FLAGS WITHOUT A VERB");
    page.flags(NONO.flags());
    page.section("ENVIRONMENT");
    page.entries(NONO.environment);
    page.section("EXAMPLES");
    page.examples(NONO.examples);
    page.0
}

/// The page so far.
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.line(&format!(".SH {}", escaped(title)));
    }

    fn text(&mut self, text: &str) {
        self.line(&escaped(text));
    }

    fn paragraphs(&mut self, paragraphs: &[&str]) {
        for paragraph in paragraphs {
            self.line(".PP");
            self.text(paragraph);
        }
    }

    fn synopsis(&mut self, verb: &'static Verb, path: &str) {
        self.line(".br");
        self.line(&format!(".B {}", escaped(path)));
        let usage = verb.usage_line(path);
        self.text(usage.strip_prefix(path).unwrap_or_default().trim_start());
    }

    fn verb(&mut self, verb: &'static Verb, path: &str) {
        self.line(&format!(".SS {}", escaped(path)));
        let mut letters = verb.summary.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        self.text(&format!("{}{}.", first.map_or_else(String::new, String::from), letters.as_str()));
        self.line(".PP");
        self.synopsis(verb, path);
        self.paragraphs(verb.about);
        let names = help::aliases(verb);
        if !names.is_empty() {
            self.paragraphs(&[&format!("{} is accepted too.", names.join(", "))]);
        }
        for group in verb.groups {
            if is_policy(group) {
                self.paragraphs(&["Takes the policy flags below."]);
            } else {
                self.flags(group.flags.iter().copied());
            }
        }
        if !verb.exits.is_empty() {
            self.paragraphs(&["Exit status:"]);
            self.entries(verb.exits);
        }
        self.examples(verb.examples);
        for beneath in verb.verbs {
            self.verb(beneath, &format!("{path} {}", beneath.name));
        }
    }

    fn flags(&mut self, flags: impl Iterator<Item = &'static Flag>) {
        for flag in flags {
            self.line(".TP");
            self.line(&format!(".B {}", escaped(flag.spelling().trim_start())));
            self.text(&help::sentences(flag));
        }
    }

    fn entries(&mut self, entries: &[Entry]) {
        for (name, meaning) in entries {
            self.line(".TP");
            self.line(&format!(".B {}", escaped(name)));
            self.text(meaning);
        }
    }

    fn examples(&mut self, entries: &[Entry]) {
        for (meaning, command) in entries {
            self.paragraphs(&[meaning]);
            self.line(".PP\n.RS\n.EX");
            self.text(command);
            self.line(".EE\n.RE");
        }
    }
}

/// Whether the page describes `group` once, for all verbs.
fn is_policy(group: &'static FlagGroup) -> bool {
    std::ptr::eq(group, &flags::POLICY)
}

/// `text` with nothing that `groff(7)` would act on: a backslash, a dash that must stay one, the accents that ASCII quotes
/// stand for, and a control character at the beginning of a line.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '`' => out.push_str("\\(ga"),
            '\'' => out.push_str("\\(aq"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            '"' => out.push_str("\\(dq"),
            '.' if out.is_empty() => out.push_str("\\&."),
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_a_request_of_groff() {
        assert_eq!(escaped(".so -x"), "\\&.so \\-x");
        assert_eq!(escaped("'a' \\n ~"), "\\(aqa\\(aq \\en \\(ti");
    }

    #[test]
    fn the_page_describes_every_verb_and_flag() {
        fn check(page: &str, verb: &'static Verb, path: &str) {
            assert!(page.contains(&escaped(path)), "{path}");
            for flag in verb.flags() {
                assert!(page.contains(&escaped(flag.spelling().trim_start())), "{path} --{}", flag.long);
            }
            for beneath in verb.verbs {
                check(page, beneath, &format!("{path} {}", beneath.name));
            }
        }
        check(&page(), &NONO, "nono");
    }
}
