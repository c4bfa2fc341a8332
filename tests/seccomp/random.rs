//! Rules that nobody would write: any bytes are a table and calls to try it with. Shared with the fuzzer.

use nono::enforce::bpf::interpret::{check, execute};
use nono::enforce::bpf::{Action, Argument, Condition, Data, Program, Rule, Test, Width, compile};
use syscalls::abi::filter::{MAX_INSTRUCTIONS, X32_BIT};
use syscalls::abi::{Arch, Syscall};

/// Reads `bytes` as rules, compiles them, and compares the instructions' answer with the rules' for calls near them.
///
/// # Errors
/// The first disagreement, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let mut source = Source { bytes };
    let arch = if source.byte().is_multiple_of(2) { Arch::X86_64 } else { Arch::Aarch64 };
    let outlines = outlines(&mut source);
    // A rule borrows its conditions and a condition its values, so each is stored before the next is made.
    let conditions: Vec<Vec<Condition<'_>>> =
        outlines.iter().map(|outline| outline.conditions.iter().map(ConditionOutline::condition).collect()).collect();
    let rules = outlines.iter().zip(&conditions);
    let rules = rules.map(|(outline, when)| Rule { call: outline.call, when, then: outline.then }).collect();
    let program = Program { rules };
    let instructions = compile(&program, arch);
    if instructions.len() <= MAX_INSTRUCTIONS {
        check(&instructions).map_err(|fault| fault.to_string())?;
    }
    for data in calls(&mut source, &outlines, arch) {
        let meant = program.answer(arch, &data);
        let answered = execute(&instructions, &data).map(|(action, _)| action);
        if answered != Ok(meant) {
            return Err(format!("{data:x?} should get {meant:?} and gets {answered:?} on {arch:?} from {program:#?}"));
        }
    }
    Ok(())
}

/// A rule before its parts borrow from each other.
struct Outline {
    call: Syscall,
    conditions: Vec<ConditionOutline>,
    then: Action,
}

struct ConditionOutline {
    argument: Argument,
    width: Width,
    kind: u8,
    mask: u64,
    values: Vec<u64>,
}

impl ConditionOutline {
    fn condition(&self) -> Condition<'_> {
        let Self { argument, width, kind, mask, ref values } = *self;
        let test = match kind % 3 {
            0 => Test::AnyBit(mask),
            1 => Test::NoneOf { mask, values },
            _ => Test::OneOf { mask, values },
        };
        Condition { argument, width, test }
    }
}

/// Bytes, and zeros after the last.
struct Source<'b> {
    bytes: &'b [u8],
}

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// Small, or with bits in one half or both.
    fn number(&mut self) -> u64 {
        let (kind, low) = (self.byte(), u64::from(self.byte()));
        match kind % 6 {
            0 => low,
            1 => low << 32 | low,
            2 => 1 << (low % 64),
            3 => u64::MAX ^ low,
            4 => u64::from(u32::MAX) ^ low,
            _ => (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte())),
        }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = usize::from(self.byte()) << 8 | usize::from(self.byte());
        from[index % from.len()]
    }
}

const ARGUMENTS: [Argument; 6] = [Argument::A0, Argument::A1, Argument::A2, Argument::A3, Argument::A4, Argument::A5];

fn outlines(source: &mut Source<'_>) -> Vec<Outline> {
    let count = source.byte();
    // Few calls with many rules find other mistakes than many calls with few.
    let calls: Vec<Syscall> = (0..=source.byte() % 64).map(|_| source.pick(Syscall::ALL)).collect();
    (0..count)
        .map(|_| Outline {
            call: source.pick(&calls),
            conditions: (0..source.byte() % 4).map(|_| condition(source)).collect(),
            then: match source.byte() {
                0..=79 => Action::Allow,
                80..=99 => Action::KillProcess,
                number => Action::Errno(u16::from(number) % 7),
            },
        })
        .collect()
}

fn condition(source: &mut Source<'_>) -> ConditionOutline {
    ConditionOutline {
        argument: ARGUMENTS[usize::from(source.byte()) % ARGUMENTS.len()],
        width: if source.byte().is_multiple_of(2) { Width::Int } else { Width::Long },
        kind: source.byte(),
        mask: source.number(),
        values: (0..source.byte() % 6).map(|_| source.number()).collect(),
    }
}

/// Calls that come near what the rules look for, and calls of what is left of the bytes.
fn calls(source: &mut Source<'_>, outlines: &[Outline], arch: Arch) -> Vec<Data> {
    let conditions = || outlines.iter().flat_map(|outline| &outline.conditions);
    let mut values: Vec<u64> = conditions().flat_map(|condition| &condition.values).copied().collect();
    values.extend(conditions().map(|condition| condition.mask));
    values.extend([0, 1, u64::MAX]);
    let mut numbers: Vec<u32> =
        outlines.iter().filter_map(|outline| outline.call.number(arch)).map(u32::from).collect();
    numbers.extend([0, u32::from(Syscall::HIGHEST), u32::from(Syscall::HIGHEST) + 1, X32_BIT, u32::MAX]);
    let mut calls: Vec<Data> =
        numbers.iter().map(|number| Data { number: *number, arch: arch.audit(), arguments: [0; 6] }).collect();
    for _ in 0..64 {
        let number = source.pick(&numbers).wrapping_add(u32::from(source.byte() / 250));
        let arguments = [(); 6].map(|()| source.pick(&values) ^ u64::from(source.byte() / 200));
        let arch = if source.byte() == 255 { u32::from(source.byte()) } else { arch.audit() };
        calls.push(Data { number, arch, arguments });
    }
    calls
}
