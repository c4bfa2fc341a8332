//! Which paths a source file names, and where in the program they lead.

use crate::source::{Source, Token, is_name};

/// A path of two or more names, or one that a `use` brings in.
#[derive(Debug, PartialEq)]
pub(crate) struct Named {
    /// From the crate's root, when the path began with `crate`, `self`, `super` or the crate's own name.
    pub(crate) inside: bool,
    pub(crate) names: Vec<String>,
    pub(crate) line: usize,
}

/// Every path that `source` names outside of comments and literals.
pub(crate) fn named(source: &Source) -> Vec<Named> {
    let tokens = source.tokens();
    let mut reader = Reader { tokens: &tokens, at: 0, found: Vec::new() };
    let mut module = module_of(&source.name);
    // The braces that are open, and whether each belongs to an inline module.
    let mut open: Vec<bool> = Vec::new();
    while let Some(token) = reader.peek() {
        match token.text {
            "use" if reader.text_at(1) != "<" => {
                reader.at += 1;
                reader.use_tree(&module, &[]);
            }
            "mod" if reader.text_at(2) == "{" => {
                module.push(reader.text_at(1).to_owned());
                open.push(true);
                reader.at += 3;
            }
            "{" => {
                open.push(false);
                reader.at += 1;
            }
            "}" => {
                if open.pop() == Some(true) {
                    module.pop();
                }
                reader.at += 1;
            }
            text if is_name(text) => reader.path(&module),
            _ => reader.at += 1,
        }
    }
    reader.found
}

/// The module a file under `src/` is: `src/plan/mod.rs` is `plan`, `src/plan/build.rs` is `plan::build`.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_prefix("src/").unwrap_or(file).trim_end_matches(".rs");
    let mut names: Vec<String> = path.split('/').map(str::to_owned).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    found: Vec<Named>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn text_at(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    /// A path in an expression or a type: names joined by `::`.
    fn path(&mut self, module: &[String]) {
        let line = self.tokens[self.at].line;
        let mut names = vec![self.text_at(0)];
        self.at += 1;
        while self.text_at(0) == "::" && is_name(self.text_at(1)) {
            names.push(self.text_at(1));
            self.at += 2;
        }
        if names.len() > 1 {
            self.found.push(resolve(module, &names, line));
        }
    }

    /// One branch of a `use`, beneath `prefix`; stops at the `,`, `}` or `;` that ends it.
    fn use_tree(&mut self, module: &[String], prefix: &[&'a str]) {
        let mut names = prefix.to_vec();
        while let Some(token) = self.peek() {
            match token.text {
                "{" => return self.use_list(module, &names),
                "::" => self.at += 1,
                "as" => self.at += 2,
                "," | "}" | ";" => {
                    self.found.push(resolve(module, &names, token.line));
                    return;
                }
                name => {
                    names.push(name);
                    self.at += 1;
                }
            }
        }
    }

    fn use_list(&mut self, module: &[String], prefix: &[&'a str]) {
        self.at += 1;
        loop {
            match self.text_at(0) {
                "" => return,
                "," => self.at += 1,
                "}" => {
                    self.at += 1;
                    return;
                }
                _ => self.use_tree(module, prefix),
            }
        }
    }
}

fn resolve(module: &[String], names: &[&str], line: usize) -> Named {
    let mut base = module.to_vec();
    let mut rest = names;
    let mut inside = false;
    while let Some((first, tail)) = rest.split_first() {
        match *first {
            "crate" | "nono" if !inside => base.clear(),
            "self" if !inside => {}
            "super" => {
                base.pop();
            }
            _ => break,
        }
        inside = true;
        rest = tail;
    }
    let mut resolved = if inside { base } else { Vec::new() };
    resolved.extend(rest.iter().map(|name| (*name).to_owned()));
    Named { inside, names: resolved, line }
}

mod tests {
    use super::*;

    fn names(file: &str, text: &str) -> Vec<(bool, String)> {
        let source = Source::new(file.into(), text.into());
        named(&source).into_iter().map(|named| (named.inside, named.names.join("::"))).collect()
    }

    #[test]
    fn a_use_list_is_taken_apart() {
        let found = names("src/plan/build.rs", "use std::{fs, io::{self, Read as R}};\nuse crate::profile::*;");
        let expected = ["std::fs", "std::io::self", "std::io::Read", "profile::*"];
        assert_eq!(found.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), expected);
        assert!(!found[0].0 && found[3].0);
    }

    #[test]
    fn super_climbs_from_the_module_it_stands_in() {
        let text = "fn f() { super::a::b(); }\nmod tests { use super::c; }\nuse super::super::enforce;";
        let found = names("src/plan/build.rs", text);
        let expected = ["plan::a::b", "plan::build::c", "enforce"];
        assert_eq!(found.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), expected);
    }
}
