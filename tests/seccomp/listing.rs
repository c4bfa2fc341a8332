//! The filter as text, compared with a file: whoever changes a rule sees what the kernel will see.
//! `NONO_BLESS=1 cargo test --test seccomp` writes the files anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use nono::enforce::seccomp::{Options, filter};
use syscalls::abi::filter::{answer, code, data};
use syscalls::abi::{Arch, SockFilter, Syscall};

use crate::{CLOSED, NETWORKED, OPEN, SUPERVISED};

#[test]
fn the_listing_for_x86_64_is_the_one_on_file() {
    compare("seccomp-x86_64.txt", Arch::X86_64);
}

#[test]
fn the_listing_for_aarch64_is_the_one_on_file() {
    compare("seccomp-aarch64.txt", Arch::Aarch64);
}

#[track_caller]
fn compare(file: &str, arch: Arch) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let mut text = String::new();
    for (title, options) in [("open", OPEN), ("closed", CLOSED), ("supervised", SUPERVISED), ("networked", NETWORKED)] {
        writeln!(text, "# {title}: {options:?}\n").unwrap();
        text += &listing(&options, arch);
        text.push('\n');
    }
    if std::env::var_os("NONO_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    let differs = kept.lines().zip(text.lines()).find(|(kept, made)| kept != made);
    assert!(kept == text, "{file} differs, first at {differs:?}; NONO_BLESS=1 writes it anew");
}

/// Every call that does not simply pass, then the instructions.
fn listing(options: &Options, arch: Arch) -> String {
    let instructions = filter(options, arch);
    let mut text = String::new();
    for call in Syscall::ALL {
        let Some(number) = call.number(arch) else { continue };
        let outcome = outcome(&instructions, number, arch);
        if outcome != "passes" {
            writeln!(text, "{number:>3} {:<24} {outcome}", call.name()).unwrap();
        }
    }
    text.push('\n');
    for (index, instruction) in instructions.iter().enumerate() {
        writeln!(text, "{index:>4}  {}", words(index, instruction, arch)).unwrap();
    }
    text
}

/// What happens to a call: one answer, or where its conditions start.
fn outcome(instructions: &[SockFilter], number: u16, arch: Arch) -> String {
    let mut index = 0;
    let mut word = 0;
    loop {
        let instruction = &instructions[index];
        let branch = |holds: bool| usize::from(if holds { instruction.jt } else { instruction.jf });
        index += 1 + match (instruction.code, instruction.k) {
            (code::LOAD, data::NUMBER) => {
                word = number.into();
                0
            }
            (code::LOAD, data::ARCH) => {
                word = arch.audit();
                0
            }
            (code::LOAD, _) => return format!("depends, see {index}"),
            (code::JUMP, k) => k as usize,
            (code::JUMP_EQUAL, k) => branch(word == k),
            (code::JUMP_AT_LEAST, k) => branch(word >= k),
            (code::RETURN, k) => return answer_words(k),
            (other, _) => panic!("no code {other:#x} before the arguments"),
        };
    }
}

/// One instruction, with the indices it goes to.
fn words(index: usize, instruction: &SockFilter, arch: Arch) -> String {
    let k = instruction.k;
    let goes = |test: String| {
        let (yes, no) = (index + 1 + usize::from(instruction.jt), index + 1 + usize::from(instruction.jf));
        format!("{test:<36} then {yes} else {no}")
    };
    let named = || match Syscall::ALL.iter().find(|call| call.number(arch).is_some_and(|number| u32::from(number) == k))
    {
        Some(call) => format!("at least {k} ({})", call.name()),
        None => format!("at least {k}"),
    };
    match instruction.code {
        code::LOAD => match k {
            data::NUMBER => "load number".into(),
            data::ARCH => "load architecture".into(),
            _ => {
                let half = if k.is_multiple_of(8) { "low" } else { "high" };
                format!("load {half} half of argument {}", (k - data::ARGUMENTS) / 8)
            }
        },
        code::AND => format!("and {k:#x}"),
        code::JUMP => format!("go to {}", index + 1 + k as usize),
        code::JUMP_EQUAL => goes(format!("equal {k:#x}")),
        code::JUMP_AT_LEAST => goes(named()),
        code::JUMP_ANY_BIT => goes(format!("any bit of {k:#x}")),
        code::RETURN => answer_words(k),
        other => panic!("{other:#x} is no instruction of a filter"),
    }
}

fn answer_words(encoded: u32) -> String {
    match encoded & answer::ACTION {
        answer::ALLOW => "passes".into(),
        answer::KILL_PROCESS => "kills the process".into(),
        answer::USER_NOTIF => "waits for the supervisor".into(),
        answer::ERRNO => match encoded & !answer::ACTION {
            1 => "EPERM".into(),
            13 => "EACCES".into(),
            16 => "EBUSY".into(),
            38 => "ENOSYS".into(),
            93 => "EPROTONOSUPPORT".into(),
            97 => "EAFNOSUPPORT".into(),
            number => format!("error {number}"),
        },
        other => panic!("{other:#x} is no answer"),
    }
}
