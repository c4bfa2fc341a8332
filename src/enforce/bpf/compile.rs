//! Rules to instructions.
//!
//! Jumps of a filter only go forward, so the program is written from its end: whatever an instruction jumps to is already
//! there, and every distance is known when it is needed.
//!
//! The number is found by halving: a call costs about eight comparisons however many rules there are. What a number alone
//! decides is decided without looking at an argument, which is how the kernel recognises calls that always pass and stops
//! running the filter for them (`seccomp_is_const_allow`).

use std::collections::BTreeMap;

use syscalls::abi::filter::{code, data, errno};
use syscalls::abi::{Arch, SockFilter, Syscall};

use super::{Action, Argument, Condition, Program, Rule, Test, Width};

/// The instructions of `program` on `arch`.
///
/// The kernel refuses more than [`syscalls::abi::filter::MAX_INSTRUCTIONS`] of them when the filter is loaded.
pub fn compile(program: &Program<'_>, arch: Arch) -> Vec<SockFilter> {
    let mut code = Assembler { reversed: Vec::with_capacity(USUAL_LENGTH), ..Assembler::default() };
    let spans = spans(program, arch, &mut code);
    let search = code.search(&spans);
    let search = code.load(data::NUMBER, search);
    let foreign = code.answer(Action::KillProcess);
    let check = code.branch(code::JUMP_EQUAL, arch.audit(), search, foreign);
    code.load(data::ARCH, check);
    code.finish()
}

/// A few more instructions than filters have.
const USUAL_LENGTH: usize = 400;

/// Numbers from `first` up to the next span's.
#[derive(Clone, Copy)]
struct Span {
    first: u32,
    target: Target,
}

/// What a number leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Answer(Action),
    Block(Place),
}

/// Rules of one call: conditions that must all hold, and the answer then.
type Branches<'p> = Vec<(&'p [Condition<'p>], Action)>;

/// What decides one call.
enum Decision<'p> {
    Action(Action),
    /// Rules with conditions, of which the last has none.
    Rules(Branches<'p>),
}

/// Every number from zero to `u32::MAX` in spans that share an answer. Writes the rules with conditions, those that
/// several calls have in common once.
fn spans<'p>(program: &Program<'p>, arch: Arch, code: &mut Assembler) -> Vec<Span> {
    // The number of each rule's call, and the place of the rule: rules of one call stay in their order.
    let numbered = program.rules.iter().zip(0_u32..);
    let mut order: Vec<(u16, u32)> =
        numbered.filter_map(|(rule, place)| Some((rule.call.number(arch)?, place))).collect();
    order.sort_unstable();
    let mut order = order.as_slice();

    let unknown = Target::Answer(Action::Errno(errno::ENOSYS));
    let mut blocks: Vec<(Branches<'p>, Place)> = Vec::new();
    let mut spans: Vec<Span> = Vec::with_capacity(USUAL_LENGTH / 2);
    let mut next = 0;
    for number in Syscall::numbers(arch) {
        let own;
        (own, order) = order.split_at(order.iter().take_while(|(of, _)| *of == number).count());
        let number = u32::from(number);
        if next < number {
            extend(&mut spans, next, unknown);
        }
        // Most calls have no rule.
        let target = match own {
            [] => Target::Answer(Action::Allow),
            _ => target(program, own, code, &mut blocks),
        };
        extend(&mut spans, number, target);
        next = number + 1;
    }
    // Numbers above the last, those of the x32 table, and -1.
    extend(&mut spans, next, unknown);
    spans
}

/// What the rules of one call, whose places `own` has, come to. Those that are in `blocks` are there already.
fn target<'p>(
    program: &Program<'p>,
    own: &[(u16, u32)],
    code: &mut Assembler,
    blocks: &mut Vec<(Branches<'p>, Place)>,
) -> Target {
    let own = own.iter().filter_map(|(_, place)| program.rules.get(usize::try_from(*place).ok()?));
    match simplified(own) {
        Decision::Action(action) => Target::Answer(action),
        Decision::Rules(branches) => match blocks.iter().find(|(known, _)| *known == branches) {
            Some((_, place)) => Target::Block(*place),
            None => {
                let place = code.rules(&branches);
                blocks.push((branches, place));
                Target::Block(place)
            }
        },
    }
}

/// Adds what starts at `first`, unless the span before already leads there.
fn extend(spans: &mut Vec<Span>, first: u32, target: Target) {
    if spans.last().is_none_or(|before| before.target != target) {
        spans.push(Span { first, target });
    }
}

/// The rules of one call without those that can never be reached or change nothing.
fn simplified<'r, 'p: 'r>(rules: impl Iterator<Item = &'r Rule<'p>>) -> Decision<'p> {
    let mut kept: Branches<'p> = Vec::new();
    let mut last = Action::Allow;
    for rule in rules {
        if rule.when.is_empty() {
            last = rule.then;
            break;
        }
        kept.push((rule.when, rule.then));
    }
    while kept.last().is_some_and(|(_, then)| *then == last) {
        kept.pop();
    }
    if kept.is_empty() {
        return Decision::Action(last);
    }
    kept.push((&[], last));
    Decision::Rules(kept)
}

/// An instruction's place, counted from the end of the program: the last instruction is at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(usize);

/// A program that grows at its front.
#[derive(Default)]
struct Assembler {
    /// The last instruction first.
    reversed: Vec<SockFilter>,
    /// Where each answer was written last.
    answers: BTreeMap<Action, Place>,
}

/// A jump that reaches further than this many instructions goes through a second one.
const REACH: usize = 250;

impl Assembler {
    fn finish(mut self) -> Vec<SockFilter> {
        self.reversed.reverse();
        self.reversed
    }

    fn top(&self) -> Place {
        Place(self.reversed.len())
    }

    fn push(&mut self, code: u16, jt: u8, jf: u8, k: u32) -> Place {
        self.reversed.push(SockFilter { code, jt, jf, k });
        self.top()
    }

    /// How many instructions a jump written now would skip to get to `target`.
    fn distance(&self, target: Place) -> usize {
        self.top().0.saturating_sub(target.0)
    }

    /// An instruction that answers `action`: one already there when a jump can reach it.
    fn answer(&mut self, action: Action) -> Place {
        match self.answers.get(&action) {
            Some(place) if self.distance(*place) <= REACH => *place,
            Some(_) | None => {
                let place = self.push(code::RETURN, 0, 0, action.encode());
                self.answers.insert(action, place);
                place
            }
        }
    }

    /// Makes `target` the next instruction, by a jump to it if it is not.
    fn next(&mut self, target: Place) {
        let distance = self.distance(target);
        if distance > 0 {
            // A program longer than 32 bits can count is far beyond what the kernel loads.
            self.push(code::JUMP, 0, 0, u32::try_from(distance).unwrap_or(u32::MAX));
        }
    }

    /// A place from which `target` is reached and which is itself near.
    fn near(&mut self, target: Place) -> Place {
        if self.distance(target) <= REACH {
            return target;
        }
        self.next(target);
        self.top()
    }

    fn load(&mut self, offset: u32, then: Place) -> Place {
        self.next(then);
        self.push(code::LOAD, 0, 0, offset)
    }

    fn branch(&mut self, code: u16, k: u32, yes: Place, no: Place) -> Place {
        if yes == no {
            return yes;
        }
        // `near` moves what it is called for last at most one further away; REACH leaves room for that.
        let yes = self.near(yes);
        let no = self.near(no);
        let jt = u8::try_from(self.distance(yes)).unwrap_or(u8::MAX);
        let jf = u8::try_from(self.distance(no)).unwrap_or(u8::MAX);
        self.push(code, jt, jf, k)
    }

    /// Finds the span of the loaded number.
    fn search(&mut self, spans: &[Span]) -> Place {
        let (low, high) = spans.split_at(spans.len() / 2);
        match (low, high) {
            ([], [span]) => match span.target {
                Target::Answer(action) => self.answer(action),
                Target::Block(place) => place,
            },
            (_, [middle, ..]) => {
                let above = self.search(high);
                let below = self.search(low);
                self.branch(code::JUMP_AT_LEAST, middle.first, above, below)
            }
            // No span at all: nothing is known, nothing passes.
            (_, []) => self.answer(Action::KillProcess),
        }
    }

    /// Rules tried in order; the last has no condition.
    fn rules(&mut self, rules: &[(&[Condition<'_>], Action)]) -> Place {
        let mut otherwise = self.answer(Action::KillProcess);
        for (conditions, then) in rules.iter().rev() {
            let mut place = self.answer(*then);
            for condition in conditions.iter().rev() {
                place = self.condition(condition, place, otherwise);
            }
            otherwise = place;
        }
        otherwise
    }

    fn condition(&mut self, condition: &Condition<'_>, yes: Place, no: Place) -> Place {
        let offset = argument_offset(condition.argument);
        match (condition.test, condition.width) {
            (Test::AnyBit(bits), Width::Int) => self.any_bit(offset, low(bits), yes, no),
            (Test::AnyBit(bits), Width::Long) => {
                let rest = self.any_bit(offset, low(bits), yes, no);
                self.any_bit(offset + 4, high(bits), yes, rest)
            }
            (Test::NoneOf { mask, values }, Width::Int) => self.int_is(offset, mask, values, no, yes),
            (Test::NoneOf { mask, values }, Width::Long) => self.long_is(offset, mask, values, no, yes),
            (Test::OneOf { mask, values }, Width::Int) => self.int_is(offset, mask, values, yes, no),
            (Test::OneOf { mask, values }, Width::Long) => self.long_is(offset, mask, values, yes, no),
        }
    }

    fn any_bit(&mut self, offset: u32, bits: u32, yes: Place, no: Place) -> Place {
        if bits == 0 {
            return no;
        }
        let place = self.branch(code::JUMP_ANY_BIT, bits, yes, no);
        if place == yes { place } else { self.load(offset, place) }
    }

    fn int_is(&mut self, offset: u32, mask: u64, values: &[u64], yes: Place, no: Place) -> Place {
        let mut place = no;
        // A value with high bits is never equal to an int.
        for value in values.iter().rev().filter(|value| high(**value) == 0) {
            place = self.branch(code::JUMP_EQUAL, low(*value), yes, place);
        }
        if place == no || place == yes { place } else { self.load_masked(offset, low(mask), place) }
    }

    fn long_is(&mut self, offset: u32, mask: u64, values: &[u64], yes: Place, no: Place) -> Place {
        let mut place = no;
        for value in values.iter().rev() {
            let equal = self.branch(code::JUMP_EQUAL, low(*value), yes, place);
            let equal = self.load_masked(offset, low(mask), equal);
            let equal = self.branch(code::JUMP_EQUAL, high(*value), equal, place);
            place = self.load_masked(offset + 4, high(mask), equal);
        }
        place
    }

    fn load_masked(&mut self, offset: u32, mask: u32, then: Place) -> Place {
        let then = if mask == u32::MAX {
            then
        } else {
            self.next(then);
            self.push(code::AND, 0, 0, mask)
        };
        self.load(offset, then)
    }
}

/// The offset of an argument's low half; the high half is four bytes on.
fn argument_offset(argument: Argument) -> u32 {
    let index = match argument {
        Argument::A0 => 0,
        Argument::A1 => 1,
        Argument::A2 => 2,
        Argument::A3 => 3,
        Argument::A4 => 4,
        Argument::A5 => 5,
    };
    data::ARGUMENTS + 8 * index
}

fn low(value: u64) -> u32 {
    // Dropping the high half is what is asked for.
    value as u32
}

fn high(value: u64) -> u32 {
    low(value >> 32)
}
