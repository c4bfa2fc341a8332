//! The row of `nono why`.

use crate::cli::nearest::nearest;
use crate::cli::parse::Words;
use crate::cli::table::{Kind, Value, Verb};
use crate::cli::usage::{UsageError, quoted};
use crate::cli::{Command, Question, Why, flags};

use super::run;

pub(crate) static WHY: Verb = Verb {
    name: "why",
    aliases: &[],
    summary: "ask whether something would be allowed, and by which rule",
    about: &[
        "Answers from the same policy and by the same rules that `nono run` with these flags would use, without starting \
         anything: yes or no, the rule that decides with its file and line, and the smallest change that would allow it, \
         or that none may.",
        "TARGET is a path for read and write, a path or a program's name for exec, HOST[:PORT] for connect (port 443 when none \
         is given), the path of a socket for unix, and PORT or ADDRESS:PORT for listen. Symbolic links are followed.",
        "exec is about the file itself: the interpreter that a script names in its first line, and the loader of a dynamically \
         linked program, are questions of their own.",
        run::POLICY,
    ],
    usage: "read|write|exec|connect|unix|listen TARGET",
    operands: &[
        Value { name: "QUESTION", kind: Kind::Words(&["read", "write", "exec", "connect", "unix", "listen"]) },
        Value { name: "TARGET", kind: Kind::Path },
    ],
    groups: &[&flags::POLICY, &flags::ANSWER],
    verbs: &[],
    exits: &[("0", "it would be allowed"), ("1", "it would not be allowed"), super::WRONG, super::UNKNOWN],
    environment: &[super::NONO_PROFILE],
    examples: &[
        ("Ask about a file under a profile:", "nono why read ~/.ssh/id_rsa --profile python-dev"),
        ("Ask about a host, for a program to read:", "nono why connect api.example.com:443 -p ./agent.json --json"),
    ],
    build,
};

fn build(mut words: Words) -> Result<Command, UsageError> {
    let sandbox = flags::sandbox(&words)?;
    let json = words.switch(&flags::JSON);
    let mut operands = words.operands().into_iter();
    let Some(asked) = operands.next() else {
        return Err(words.missing("needs a question and a target"));
    };
    let question = match asked.to_str() {
        Some("connect") => Question::Connect,
        Some("exec") => Question::Exec,
        Some("listen") => Question::Listen,
        Some("read") => Question::Read,
        Some("unix") => Question::Unix,
        Some("write") => Question::Write,
        _ => return Err(unknown(&words, &asked)),
    };
    match (operands.next(), operands.next()) {
        (None, _) => Err(words.missing("needs a target")),
        (Some(target), _) if target.is_empty() => Err(words.fault("the target is an empty word")),
        (Some(_), Some(extra)) => Err(words.fault(format!("{} is one target too many", quoted(extra)))),
        (Some(target), None) => Ok(Command::Why(Why { sandbox, json, question, target })),
    }
}

fn unknown(words: &Words, asked: &std::ffi::OsStr) -> UsageError {
    let known = ["read", "write", "exec", "connect", "unix", "listen"];
    let hint = match nearest(&asked.to_string_lossy(), known.into_iter()) {
        Some(close) => format!("; did you mean `{close}`?"),
        None => format!("; it asks about {}", known.join(", ")),
    };
    words.fault(format!("{} is not a question of `{}`{hint}", quoted(asked), words.path()))
}
