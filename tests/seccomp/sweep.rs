//! Every rule against every number and argument edge: the instructions answer what the table says.

use std::collections::BTreeSet;

use nono::enforce::bpf::{Action, Argument, Data, Program, Rule, Test, interpret};
use nono::enforce::seccomp::{filter, rules};
use syscalls::abi::filter::{MAX_INSTRUCTIONS, X32_BIT, code, data};
use syscalls::abi::{Arch, SockFilter, Syscall};

use crate::{CLOSED, NETWORKED, OPEN, SUPERVISED, every_option};

const ARCHITECTURES: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

#[test]
fn instructions_answer_what_the_table_says() {
    for options in [OPEN, CLOSED, SUPERVISED, NETWORKED] {
        let program = rules(&options);
        for arch in ARCHITECTURES {
            let instructions = filter(&options, arch);
            interpret::check(&instructions).unwrap();
            for number in (0..=600).chain((0..=600).map(|number| number | X32_BIT)).chain([1 << 31, u32::MAX]) {
                for arguments in edges(&program, arch, number) {
                    compare(&program, &instructions, arch, Data { number, arch: arch.audit(), arguments });
                }
            }
        }
    }
}

#[test]
fn a_call_of_another_architecture_is_killed() {
    const I386: u32 = 0x4000_0003;
    const ARM: u32 = 0x4000_0028;
    for options in every_option() {
        for arch in ARCHITECTURES {
            let instructions = filter(&options, arch);
            let others = [0, 1, I386, ARM, u32::MAX, Arch::X86_64.audit(), Arch::Aarch64.audit()];
            for other in others.into_iter().filter(|other| *other != arch.audit()) {
                for number in (0..=600).chain([X32_BIT, u32::MAX]) {
                    let data = Data { number, arch: other, arguments: [0; 6] };
                    assert_eq!(interpret::execute(&instructions, &data).unwrap().0, Action::KillProcess);
                }
            }
        }
    }
}

#[test]
fn numbers_above_the_last_audited_do_not_exist() {
    for options in every_option() {
        for arch in ARCHITECTURES {
            let instructions = filter(&options, arch);
            for number in (u32::from(Syscall::HIGHEST) + 1..=600).chain((0..=600).map(|n| n | X32_BIT)) {
                let data = Data { number, arch: arch.audit(), arguments: [0; 6] };
                assert_eq!(interpret::execute(&instructions, &data).unwrap().0, Action::Errno(38), "{number}");
            }
        }
    }
}

#[test]
fn a_call_costs_few_instructions() {
    for options in every_option() {
        for arch in ARCHITECTURES {
            let instructions = filter(&options, arch);
            assert!(instructions.len() < MAX_INSTRUCTIONS / 4, "{} instructions", instructions.len());
            for number in 0..=600 {
                let data = Data { number, arch: arch.audit(), arguments: [0; 6] };
                let (answer, steps) = interpret::execute(&instructions, &data).unwrap();
                assert!(steps <= 50, "{number} takes {steps} instructions to get {answer:?}");
            }
        }
    }
}

/// The kernel stops running a filter for calls that pass whatever their arguments are, when it can tell.
#[test]
fn a_call_without_rules_passes_without_a_look_at_its_arguments() {
    for options in every_option() {
        let program = rules(&options);
        for arch in ARCHITECTURES {
            let instructions = filter(&options, arch);
            for call in Syscall::ALL {
                let Some(number) = call.number(arch) else { continue };
                let depends = program.rules.iter().any(|rule| rule.call == *call);
                let looks = loads_an_argument(&instructions, u32::from(number));
                assert!(depends || !looks, "{} passes always, but its arguments are looked at", call.name());
            }
        }
    }
}

/// Whether the way of `number` through the program loads anything besides the number and the architecture.
fn loads_an_argument(instructions: &[SockFilter], number: u32) -> bool {
    let (mut index, mut word) = (0, 0);
    loop {
        let instruction = instructions[index];
        let branch = |holds: bool| usize::from(if holds { instruction.jt } else { instruction.jf });
        index += 1 + match instruction.code {
            code::LOAD if instruction.k == data::NUMBER => {
                word = number;
                0
            }
            code::LOAD if instruction.k == data::ARCH => {
                assert_eq!(instructions[index + 1].code, code::JUMP_EQUAL);
                word = instructions[index + 1].k;
                0
            }
            code::LOAD => return true,
            code::JUMP => instruction.k as usize,
            code::JUMP_EQUAL => branch(word == instruction.k),
            code::JUMP_AT_LEAST => branch(word >= instruction.k),
            _ => return false,
        };
    }
}

fn compare(program: &Program<'_>, instructions: &[SockFilter], arch: Arch, data: Data) {
    let meant = program.answer(arch, &data);
    let answered = interpret::execute(instructions, &data).map(|(action, _)| action);
    assert_eq!(answered, Ok(meant), "{arch:?} {data:x?}");
}

/// Arguments worth trying for `number`: all combinations of the edges of what its rules look at, and each of the other
/// arguments alone at extremes.
fn edges(program: &Program<'_>, arch: Arch, number: u32) -> Vec<[u64; 6]> {
    let of_call = |rule: &&Rule<'_>| rule.call.number(arch).is_some_and(|own| u32::from(own) == number);
    let conditions: Vec<_> = program.rules.iter().filter(of_call).flat_map(|rule| rule.when).collect();
    let mut all = vec![[0; 6]];
    for (index, argument) in ARGUMENTS.into_iter().enumerate() {
        let mut values = BTreeSet::new();
        for condition in conditions.iter().filter(|condition| condition.argument == argument) {
            values.extend(around(condition.test));
        }
        if values.is_empty() {
            all.extend([1, u64::MAX].map(|value| with([0; 6], index, value)));
        } else {
            values.extend([0, 1, 1 << 32, u64::from(u32::MAX), u64::MAX]);
            all = all.iter().flat_map(|base| values.iter().map(|value| with(*base, index, *value))).collect();
        }
    }
    all
}

const ARGUMENTS: [Argument; 6] = [Argument::A0, Argument::A1, Argument::A2, Argument::A3, Argument::A4, Argument::A5];

/// A test's own values, with a bit more or less, and with high bits that an `int` does not have.
fn around(test: Test<'_>) -> Vec<u64> {
    let values: Vec<u64> = match test {
        Test::AnyBit(bits) => {
            (0..64).map(|bit| 1 << bit).filter(|bit| bits & bit != 0 || bit.count_zeros() == 0).collect()
        }
        Test::NoneOf { values, mask } | Test::OneOf { values, mask } => {
            values.iter().flat_map(|value| [*value, value | (!mask & 0xFFFF_FFFF)]).collect()
        }
    };
    let near =
        |value: u64| [value, value ^ 1, value.wrapping_add(1), value.wrapping_sub(1), value | 1 << 32, value << 32];
    values.into_iter().flat_map(near).collect()
}

fn with(mut arguments: [u64; 6], index: usize, value: u64) -> [u64; 6] {
    arguments[index] = value;
    arguments
}
