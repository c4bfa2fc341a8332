//! Addresses that stand for names. They belong to ranges that no host of the Internet has, so that a connection to one of
//! them says which name was looked up.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeMap;
use std::sync::Arc;

/// 198.18.0.0/15 is for benchmarks between networks (RFC 2544), fd00::/8 for networks of one's own (RFC 4193).
const V4_BASE: u32 = 198 << 24 | 18 << 16 | 1 << 8;
const V4_END: u32 = 198 << 24 | 20 << 16;
const V6_BASE: u128 = 0xfd6e_6f6e_6f00 << 80 | 1 << 32;

/// Addresses that one name can have of each family: a program that tries one after the other can do so.
pub const SLOTS: u32 = 4;
/// Names of one run that a program may choose. Past these none is handed out: an address never comes to mean another name.
/// Half of them are kept from names that no rule covers.
pub const MOST_CHOSEN: usize = 8192;
pub const MOST_UNCOVERED: usize = MOST_CHOSEN / 2;
/// All that there is room for.
const MOST_NAMES: usize = (V4_END - V4_BASE) as usize / SLOTS as usize;

/// The names that have addresses, numbered in the order in which they were looked up.
#[derive(Debug, Default)]
pub struct Pool {
    names: Vec<Arc<str>>,
    numbers: BTreeMap<Arc<str>, u32>,
    chosen: usize,
    uncovered: usize,
}

/// What a policy has about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    ByNoRule,
    BySuffix,
    Itself,
}

/// What an address of the pool stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    pub name: Arc<str>,
    /// Which of the name's addresses, counted from 0.
    pub slot: usize,
}

impl Pool {
    /// The number of `name`, which is in lower case; `None` when there are too many names.
    pub fn number(&mut self, name: &str, covered: Covered) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let (is_chosen, is_uncovered) = (covered != Covered::Itself, covered == Covered::ByNoRule);
        let is_too_many = self.names.len() >= MOST_NAMES
            || is_chosen && self.chosen >= MOST_CHOSEN
            || is_uncovered && self.uncovered >= MOST_UNCOVERED;
        let number = u32::try_from(self.names.len()).ok().filter(|_| !is_too_many)?;
        self.chosen = self.chosen.saturating_add(usize::from(is_chosen));
        self.uncovered = self.uncovered.saturating_add(usize::from(is_uncovered));
        let name: Arc<str> = Arc::from(name);
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Some(number)
    }

    /// What `address` stands for, if it was handed out.
    pub fn meaning(&self, address: IpAddr) -> Option<StandIn> {
        let place = match address.to_canonical() {
            IpAddr::V4(v4) => v4.to_bits().checked_sub(V4_BASE)?,
            IpAddr::V6(v6) => u32::try_from(v6.to_bits().checked_sub(V6_BASE)?).ok()?,
        };
        let name = self.names.get(usize::try_from(place / SLOTS).ok()?)?;
        Some(StandIn { name: Arc::clone(name), slot: usize::try_from(place % SLOTS).ok()? })
    }
}

/// The address of slot `slot` of the name with `number`.
pub fn v4(number: u32, slot: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(V4_BASE.saturating_add(place(number, slot)))
}

/// As [`v4`].
pub fn v6(number: u32, slot: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(V6_BASE.saturating_add(u128::from(place(number, slot))))
}

fn place(number: u32, slot: u32) -> u32 {
    number.saturating_mul(SLOTS).saturating_add(slot % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::host::private_kind;

    #[test]
    fn an_address_means_the_name_it_was_handed_out_for() {
        let mut pool = Pool::default();
        let numbers: Vec<u32> =
            ["a.example", "b.example", "a.example"].map(|name| pool.number(name, Covered::BySuffix).unwrap()).into();
        assert_eq!(numbers, [0, 1, 0]);
        for (number, name) in [(0, "a.example"), (1, "b.example")] {
            for slot in 0..SLOTS {
                let expected = Some(StandIn { name: Arc::from(name), slot: slot as usize });
                assert_eq!(pool.meaning(v4(number, slot).into()), expected);
                assert_eq!(pool.meaning(v4(number, slot).to_ipv6_mapped().into()), expected);
                assert_eq!(pool.meaning(v6(number, slot).into()), expected);
            }
        }
    }

    #[test]
    fn what_was_not_handed_out_means_nothing() {
        let mut pool = Pool::default();
        assert_eq!(pool.meaning(v4(0, 0).into()), None);
        pool.number("a.example", Covered::BySuffix).unwrap();
        for address in [v4(1, 0).into(), v6(1, 0).into(), IpAddr::from([198, 18, 0, 255]), IpAddr::from([10, 0, 0, 1])]
        {
            assert_eq!(pool.meaning(address), None, "{address}");
        }
        assert_eq!(pool.meaning("fd6e:6f6e:6f00::".parse().unwrap()), None);
        assert_eq!(pool.meaning("ffff::".parse().unwrap()), None);
    }

    #[test]
    fn a_full_pool_hands_nothing_out_and_keeps_what_it_has() {
        let mut pool = Pool::default();
        for number in 0..MOST_CHOSEN {
            assert!(pool.number(&format!("n{number}.example"), Covered::BySuffix).is_some());
        }
        assert_eq!(pool.number("one.more.example", Covered::BySuffix), None);
        assert_eq!(pool.number("n5.example", Covered::BySuffix), Some(5));
        for number in MOST_CHOSEN..MOST_NAMES {
            assert!(pool.number(&format!("n{number}.example"), Covered::Itself).is_some());
        }
        assert_eq!(pool.number("one.more.example", Covered::Itself), None);
    }

    #[test]
    fn names_without_a_rule_leave_half_of_it_to_the_others() {
        let mut pool = Pool::default();
        for number in 0..MOST_UNCOVERED {
            assert!(pool.number(&format!("n{number}.example"), Covered::ByNoRule).is_some());
        }
        assert_eq!(pool.number("one.more.example", Covered::ByNoRule), None);
        assert!(
            pool.number("n5.example", Covered::ByNoRule).is_some()
                && pool.number("covered.example", Covered::BySuffix).is_some()
        );
    }

    #[test]
    fn every_address_of_the_pool_is_a_private_one() {
        let last = u32::try_from(MOST_NAMES).unwrap() - 1;
        for (number, slot) in [(0, 0), (last, SLOTS - 1)] {
            assert!(private_kind(v4(number, slot).into()).is_some_and(|kind| kind.contains("198.18.0.0/15")));
            assert!(private_kind(v6(number, slot).into()).is_some());
        }
    }
}
