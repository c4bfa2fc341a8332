//! Filters as data: rules about system calls and their scalar arguments, what they mean, and their compiled form.
//!
//! [`Program::answer`] is the meaning, [`compile::compile`] the instructions, [`interpret::run`] the kernel's reading of
//! them. The tests and the fuzzer hold the three against each other.

pub mod compile;
pub mod interpret;

use syscalls::abi::filter::{answer, errno};
use syscalls::abi::{Arch, Syscall};

pub use self::compile::compile;

/// What the kernel does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub enum Action {
    Allow,
    /// The call fails with this number and does nothing.
    Errno(u16),
    /// Every thread ends as by an uncatchable `SIGSYS`.
    KillProcess,
    /// The call waits for the answer of whoever has the filter's listener (`seccomp_unotify(2)`).
    Notify,
}

/// One of the six arguments of a call, counted as in `struct seccomp_data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Argument {
    A0,
    A1,
    A2,
    A3,
    A4,
    A5,
}

/// How much of an argument the kernel looks at. It drops the high half of an `int`, so a rule about one must as well:
/// comparing all 64 bits would let `TIOCSTI + (1 << 32)` pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// `int`, `unsigned int`: the low 32 bits.
    Int,
    /// `long`, `size_t`, a pointer: all 64 bits.
    Long,
}

/// What an argument is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test<'t> {
    /// Has at least one of these bits.
    AnyBit(u64),
    /// With the mask applied, is none of the values.
    NoneOf { mask: u64, values: &'t [u64] },
    /// With the mask applied, is one of the values.
    OneOf { mask: u64, values: &'t [u64] },
}

/// A statement about one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition<'t> {
    pub argument: Argument,
    pub width: Width,
    pub test: Test<'t>,
}

/// The answer to a call when every condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'t> {
    pub call: Syscall,
    pub when: &'t [Condition<'t>],
    pub then: Action,
}

/// Rules in order: the first of a call that holds decides it. A call without one passes; a number that names no call of
/// the architecture gets `ENOSYS`, which is what a kernel without that call answers.
#[derive(Clone, Debug, Default)]
pub struct Program<'t> {
    pub rules: Vec<Rule<'t>>,
}

/// `struct seccomp_data`: what a filter sees of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    pub number: u32,
    /// `AUDIT_ARCH_*`.
    pub arch: u32,
    pub arguments: [u64; 6],
}

impl Program<'_> {
    /// What the rules say about `data` on a machine of architecture `arch`. This defines what a compiled filter must
    /// answer.
    pub fn answer(&self, arch: Arch, data: &Data) -> Action {
        if data.arch != arch.audit() {
            return Action::KillProcess;
        }
        let named = |call: &&Syscall| call.number(arch).is_some_and(|number| u32::from(number) == data.number);
        let Some(call) = Syscall::ALL.iter().find(named) else {
            return Action::Errno(errno::ENOSYS);
        };
        let decides = |rule: &&Rule<'_>| rule.call == *call && rule.when.iter().all(|condition| condition.holds(data));
        self.rules.iter().find(decides).map_or(Action::Allow, |rule| rule.then)
    }
}

impl Condition<'_> {
    /// Whether the statement is true of `data`.
    pub fn holds(&self, data: &Data) -> bool {
        let [a0, a1, a2, a3, a4, a5] = data.arguments;
        let whole = match self.argument {
            Argument::A0 => a0,
            Argument::A1 => a1,
            Argument::A2 => a2,
            Argument::A3 => a3,
            Argument::A4 => a4,
            Argument::A5 => a5,
        };
        let seen = match self.width {
            Width::Int => whole & u64::from(u32::MAX),
            Width::Long => whole,
        };
        match self.test {
            Test::AnyBit(bits) => seen & bits != 0,
            Test::NoneOf { mask, values } => !values.contains(&(seen & mask)),
            Test::OneOf { mask, values } => values.contains(&(seen & mask)),
        }
    }
}

impl Action {
    /// `SECCOMP_RET_*` with its data.
    pub const fn encode(self) -> u32 {
        match self {
            Self::Allow => answer::ALLOW,
            Self::Errno(number) => answer::ERRNO | number as u32,
            Self::KillProcess => answer::KILL_PROCESS,
            Self::Notify => answer::USER_NOTIF,
        }
    }
}

/// Shorthand in which tables of rules are written.
pub mod write {
    use super::{Action, Argument, Condition, Rule, Syscall, Test, Width};

    /// An argument and how much of it counts.
    #[derive(Clone, Copy, Debug)]
    pub struct Value {
        argument: Argument,
        width: Width,
        mask: u64,
    }

    /// An `int` argument.
    pub const fn int(argument: Argument) -> Value {
        Value { argument, width: Width::Int, mask: u32::MAX as u64 }
    }

    /// A `long` or pointer argument.
    pub const fn long(argument: Argument) -> Value {
        Value { argument, width: Width::Long, mask: u64::MAX }
    }

    impl Value {
        /// Only these bits count.
        pub const fn masked(self, mask: u64) -> Self {
            Self { mask, ..self }
        }

        pub const fn is(self, values: &[u64]) -> Condition<'_> {
            self.condition(Test::OneOf { mask: self.mask, values })
        }

        pub const fn is_not(self, values: &[u64]) -> Condition<'_> {
            self.condition(Test::NoneOf { mask: self.mask, values })
        }

        pub const fn has_any(self, bits: u64) -> Condition<'static> {
            self.condition(Test::AnyBit(bits))
        }

        pub const fn is_not_zero(self) -> Condition<'static> {
            self.condition(Test::AnyBit(self.mask))
        }

        const fn condition(self, test: Test<'_>) -> Condition<'_> {
            Condition { argument: self.argument, width: self.width, test }
        }
    }

    /// Every use of `call`.
    pub const fn always(call: Syscall, then: Action) -> Rule<'static> {
        Rule { call, when: &[], then }
    }

    /// The uses of `call` of which every condition holds.
    pub const fn when<'t>(call: Syscall, when: &'t [Condition<'t>], then: Action) -> Rule<'t> {
        Rule { call, when, then }
    }
}
