//! Questions that nobody would ask: any bytes are names, and none of them may look like anything else. Shared with the
//! fuzzer.

use nono::approval::terminal::answer;
use nono::approval::terminal::prompt::{Prompt, prompt};
use nono::approval::{AskedOperation, Change, Object, Process, Question, Subject};
use nono::plan::Access;
use nono::profile::abs_path::AbsPath;

/// Where facts begin: every line of theirs has a label or spaces before.
const INDENT: usize = 13;

/// Reads `bytes` as a question, and looks at its text as a terminal would.
///
/// # Errors
/// What is wrong with the text, in words.
pub(crate) fn is_harmless(bytes: &[u8]) -> Result<(), String> {
    let (question, columns) = question(bytes);
    let Prompt { heading, facts, choices, request } = prompt(&question, u64::MAX, columns);
    let whole = [heading.as_str(), &facts, &choices, &request, &question.advice()].concat();
    if let Some(character) = whole.chars().find(|character| *character != '\n' && is_obeyed(*character)) {
        return Err(format!("{character:?} is in {whole:?}"));
    }
    if whole.len() > 32_000 {
        return Err(format!("a question of {} bytes", whole.len()));
    }
    let labels = facts.lines().filter(|line| line.get(2..3).is_some_and(|first| first != " ")).count();
    // Each fact once, whatever the names say.
    let known = 6
        + usize::from(matches!(&question.object, Subject::File(object) if object.typed.is_some()))
        + usize::from(question.process.directory.is_some());
    if labels != known + 1 {
        return Err(format!("{labels} facts in {facts}"));
    }
    for line in facts.lines() {
        let width = line.chars().count();
        if !line.starts_with("  ") || width > columns.max(INDENT + 17) {
            return Err(format!("{line:?} in {columns} columns"));
        }
    }
    // A name typed as an answer is no yes by accident: only one letter is.
    let reply = answer::parse(bytes, &question.offered());
    if matches!(reply, answer::Reply::Yes(_)) && !bytes.iter().any(|byte| b"yodYOD".contains(byte)) {
        return Err(format!("{reply:?} for {bytes:?}"));
    }
    Ok(())
}

fn question(bytes: &[u8]) -> (Question, usize) {
    let (head, names) = bytes.split_at(bytes.len().min(2));
    let flags = head.first().copied().unwrap_or(0);
    let columns = usize::from(head.get(1).copied().unwrap_or(80));
    let mut names = names.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let mut name = || names.next().unwrap_or_default();
    let path = |name: Vec<u8>| AbsPath::new(&[b"/", name.as_slice()].concat());
    let bit = |number: u8| flags & (1 << number) != 0;
    let operation = match flags & 3 {
        0 => AskedOperation::Change(change(flags, &mut name)),
        1 => AskedOperation::ConnectUnix,
        2 => AskedOperation::Connect,
        _ => AskedOperation::Open(Access { read: bit(2), write: bit(3), execute: bit(4) }),
    };
    let object = Subject::File(Object {
        real: path(name()).unwrap_or_else(AbsPath::root),
        typed: bit(5).then(&mut name),
        identity: bit(6).then_some((1, 2)),
    });
    let process = Process {
        pid: i32::MAX,
        parent: i32::MIN,
        executable: path(name()),
        directory: if bit(7) { path(name()) } else { None },
        user: 0,
    };
    let mut text = || String::from_utf8_lossy(&name()).into_owned();
    (Question { operation, object, process, reason: text(), profile: text() }, columns)
}

fn change(flags: u8, name: &mut impl FnMut() -> Vec<u8>) -> Change {
    match flags >> 2 & 3 {
        0 => Change::RenameTo(AbsPath::new(&[b"/", name().as_slice()].concat()).unwrap_or_else(AbsPath::root)),
        1 => Change::Symlink { target: name() },
        2 => Change::Attribute { name: name() },
        _ => Change::Mode(u32::from(flags)),
    }
}

/// Characters that a terminal does something for, or shows nothing for.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{2800}'
            | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
