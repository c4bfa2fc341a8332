//! The kernel's reading of a filter: its checks at load time and its execution, for the subset [`super::compile()`] emits.
//!
//! Nothing at run time calls this. It is the reference that the tests and the fuzzer hold compiled programs against.

use std::fmt;

use syscalls::abi::SockFilter;
use syscalls::abi::filter::{MAX_INSTRUCTIONS, answer, code, data};

use super::{Action, Data};

/// Why the kernel would refuse a program, or why its answer has no name here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The instruction at this index has a code outside the subset, or an operand that makes no sense with it.
    BadInstruction(usize),
    /// The jump at this index leaves the program.
    JumpOutside(usize),
    /// The last instruction does not answer.
    NoAnswerAtEnd,
    /// An answer this program knows no action for.
    UnknownAnswer(u32),
    /// Empty, or longer than the kernel loads.
    WrongLength(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadInstruction(index) => write!(out, "instruction {index} is not one of a filter"),
            Self::JumpOutside(index) => write!(out, "instruction {index} jumps out of the program"),
            Self::NoAnswerAtEnd => out.write_str("the last instruction does not answer"),
            Self::UnknownAnswer(value) => write!(out, "{value:#010x} is no known answer"),
            Self::WrongLength(length) => {
                write!(out, "the program has {length} instructions, of at least 1 and at most {MAX_INSTRUCTIONS}")
            }
        }
    }
}

impl std::error::Error for Fault {}

/// What the kernel checks when it loads a filter: `bpf_check_classic` and `seccomp_check_filter`.
///
/// # Errors
/// The first fault, in the order of the program.
pub fn check(program: &[SockFilter]) -> Result<(), Fault> {
    if program.is_empty() || program.len() > MAX_INSTRUCTIONS {
        return Err(Fault::WrongLength(program.len()));
    }
    for (index, instruction) in program.iter().enumerate() {
        let furthest = match instruction.code {
            code::AND | code::RETURN => 0,
            code::LOAD if instruction.k < data::SIZE && instruction.k % 4 == 0 => 0,
            code::JUMP => usize::try_from(instruction.k).unwrap_or(usize::MAX),
            code::JUMP_EQUAL | code::JUMP_AT_LEAST | code::JUMP_ANY_BIT => {
                usize::from(instruction.jt.max(instruction.jf))
            }
            _ => return Err(Fault::BadInstruction(index)),
        };
        let jumps = !matches!(instruction.code, code::LOAD | code::AND | code::RETURN);
        if jumps && furthest >= program.len() - index - 1 {
            return Err(Fault::JumpOutside(index));
        }
    }
    match program.last() {
        Some(last) if last.code == code::RETURN => Ok(()),
        Some(_) | None => Err(Fault::NoAnswerAtEnd),
    }
}

/// What `program` answers to `data`, and how many instructions that took.
///
/// # Errors
/// A fault of [`check`], met on the way or not, or an answer no [`Action`] stands for.
pub fn run(program: &[SockFilter], data: &Data) -> Result<(Action, usize), Fault> {
    check(program)?;
    execute(program, data)
}

/// [`run`] for a program that was checked once and is run many times.
///
/// # Errors
/// A fault met on the way.
pub fn execute(program: &[SockFilter], data: &Data) -> Result<(Action, usize), Fault> {
    let mut word = 0_u32;
    let mut index = 0_usize;
    // Every step moves forward, so there are at most as many as instructions.
    for steps in 1..=program.len() {
        let instruction = program.get(index).ok_or(Fault::JumpOutside(index))?;
        let branch = |holds: bool| usize::from(if holds { instruction.jt } else { instruction.jf });
        let skip = match instruction.code {
            code::LOAD => {
                word = load(data, instruction.k).ok_or(Fault::BadInstruction(index))?;
                0
            }
            code::AND => {
                word &= instruction.k;
                0
            }
            code::JUMP => usize::try_from(instruction.k).unwrap_or(usize::MAX),
            code::JUMP_EQUAL => branch(word == instruction.k),
            code::JUMP_AT_LEAST => branch(word >= instruction.k),
            code::JUMP_ANY_BIT => branch(word & instruction.k != 0),
            code::RETURN => return action(instruction.k).map(|action| (action, steps)),
            _ => return Err(Fault::BadInstruction(index)),
        };
        index = index.saturating_add(1).saturating_add(skip);
    }
    Err(Fault::NoAnswerAtEnd)
}

/// The 32-bit word at `offset` of `struct seccomp_data`. The instruction pointer, at 8, is always zero here.
fn load(data: &Data, offset: u32) -> Option<u32> {
    if !offset.is_multiple_of(4) {
        return None;
    }
    match offset {
        data::NUMBER => Some(data.number),
        data::ARCH => Some(data.arch),
        8 | 12 => Some(0),
        _ => {
            let index = usize::try_from(offset.checked_sub(data::ARGUMENTS)? / 8).ok()?;
            let whole = *data.arguments.get(index)?;
            let half = if offset.is_multiple_of(8) { whole } else { whole >> 32 };
            u32::try_from(half & u64::from(u32::MAX)).ok()
        }
    }
}

/// The action that `encoded` stands for.
fn action(encoded: u32) -> Result<Action, Fault> {
    let number = encoded & !answer::ACTION;
    match (encoded & answer::ACTION, u16::try_from(number)) {
        (answer::ALLOW, Ok(0)) => Ok(Action::Allow),
        (answer::ERRNO, Ok(number)) => Ok(Action::Errno(number)),
        (answer::KILL_PROCESS, Ok(0)) => Ok(Action::KillProcess),
        (answer::USER_NOTIF, Ok(0)) => Ok(Action::Notify),
        _ => Err(Fault::UnknownAnswer(encoded)),
    }
}
