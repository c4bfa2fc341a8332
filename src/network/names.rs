//! The policy's names: what is said about each when a program looks it up.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::dns::query::{Query, Reply};
use super::dns::{A, Code};
use super::hosts;
use super::pool::{self, Covered, MOST_CHOSEN, MOST_UNCOVERED, Pool, SLOTS, StandIn};
use super::resolver::{self, Failure, Found, Outcome, Resolver};
use crate::plan::explain::{Explanation, explain_look_up, explain_too_many};
use crate::plan::{Plan, Reason, Verdict, network};
use crate::profile::host::{Host, Target};

/// Seconds for which a program may keep an address.
const HOLDS: u32 = 30;

/// Names, the addresses that stand for them, and who they really are.
pub struct Names {
    plan: Arc<Plan>,
    pool: Mutex<Pool>,
    pub resolver: Resolver,
    /// Suffixes that programs try behind a name.
    search: Vec<String>,
    /// Hears of each name that is not looked up.
    refused: Hearer,
}

/// What hears of a name that is not looked up, and why.
pub type Hearer = Box<dyn Fn(&str, Explanation) + Send + Sync>;

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Now {
        code: Code,
        addresses: Vec<IpAddr>,
    },
    /// The name is allowed, and has to be looked up first.
    Later(String),
}

impl Names {
    /// The names of `plan`. `refused` hears of each that is asked for and not allowed.
    pub fn new(plan: Arc<Plan>, refused: Hearer) -> Self {
        let (pool, resolver, search) = (Mutex::default(), Resolver::default(), resolver::search());
        Self { plan, pool, resolver, search, refused }
    }

    /// What `address` stands for.
    pub fn meaning(&self, address: IpAddr) -> Option<StandIn> {
        self.pool().meaning(address)
    }

    /// Answers a query as far as that takes no time.
    pub fn answer(&self, query: &Query) -> Said {
        let no_such_name = Said::Now { code: Code::NoSuchName, addresses: Vec::new() };
        let Some(name) = &query.name else { return no_such_name };
        // RFC 6761, section 6.3.
        if name == "localhost" || name.ends_with(".localhost") {
            let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Said::Now { code: Code::NoError, addresses: own.to_vec() };
        }
        // `1.2.3.4` is an address, and no name whatever its shape.
        let Ok(Target::Name(target)) = Target::parse(name).map_err(drop) else { return no_such_name };
        match network::look_up(&self.plan, &Target::Name(target)) {
            Verdict::Allow(_) if !query.is_for_address() => Said::Now { code: Code::NoError, addresses: Vec::new() },
            Verdict::Allow(_) => match self.resolver.known(name) {
                Some(outcome) => self.said(query, name, &outcome),
                None => Said::Later(name.clone()),
            },
            // Who it is gets looked up when somebody is asked about a connection to it, and not before.
            Verdict::Ask(_) if !self.is_allowed_without_suffix(name) => {
                let first = if query.is_for_address() && query.kind == A { 1 } else { 0 };
                self.stand_ins(query, name, first)
            }
            verdict @ (Verdict::Ask(_) | Verdict::Deny(_)) => {
                if self.without_suffix(name).is_none() {
                    (self.refused)(name, explain_look_up(&self.plan, name, &verdict));
                }
                no_such_name
            }
        }
    }

    /// The answer, once the name was looked up.
    pub fn said(&self, query: &Query, name: &str, outcome: &Outcome) -> Said {
        let failed = |code| Said::Now { code, addresses: Vec::new() };
        match outcome {
            Ok(found) => {
                let real = if query.kind == A { &found.v4 } else { &found.v6 };
                self.stand_ins(query, name, real.len())
            }
            Err(Failure::NoSuchName) => failed(Code::NoSuchName),
            Err(Failure::Unknown(_)) => failed(Code::ServerFailure),
        }
    }

    /// `/etc/hosts` as programs see it: a name that the policy allows has the addresses that stand for it. `None` when that
    /// is the same.
    pub fn hosts(&self) -> Option<String> {
        let is_own = |address: IpAddr| address.is_loopback() || address.is_unspecified() || address.is_multicast();
        hosts::rewritten(&resolver::hosts_file(), |name, address| {
            let allowed = matches!(network::look_up(&self.plan, &Target::Name(name.to_owned())), Verdict::Allow(_));
            if is_own(address) || !allowed {
                return None;
            }
            let number = self.number(name)?;
            Some(if address.is_ipv4() { pool::v4(number, 0).into() } else { pool::v6(number, 0).into() })
        })
    }

    /// As many addresses as the name has, of the family that is asked for.
    fn stand_ins(&self, query: &Query, name: &str, count: usize) -> Said {
        let count = u32::try_from(count).unwrap_or(SLOTS).min(SLOTS);
        if count == 0 {
            return Said::Now { code: Code::NoError, addresses: Vec::new() };
        }
        let Some(number) = self.number(name) else {
            return Said::Now { code: Code::ServerFailure, addresses: Vec::new() };
        };
        let stand_in = |slot| -> IpAddr {
            if query.kind == A { pool::v4(number, slot).into() } else { pool::v6(number, slot).into() }
        };
        Said::Now { code: Code::NoError, addresses: (0..count).map(stand_in).collect() }
    }

    /// The number of the name's addresses. Whoever wants one hears when there are no more.
    fn number(&self, name: &str) -> Option<u32> {
        let covered = match network::look_up(&self.plan, &Target::Name(name.to_owned())) {
            Verdict::Allow(Reason::Host(given)) if matches!(given.value.host, Host::Name(_)) => Covered::Itself,
            Verdict::Allow(_) => Covered::BySuffix,
            Verdict::Ask(_) | Verdict::Deny(_) => Covered::ByNoRule,
        };
        let number = self.pool().number(name, covered);
        if number.is_none() {
            let most = if covered == Covered::ByNoRule { MOST_UNCOVERED } else { MOST_CHOSEN };
            (self.refused)(name, explain_too_many(most));
        }
        number
    }

    /// The name before one of the suffixes that programs try.
    fn without_suffix<'n>(&self, name: &'n str) -> Option<&'n str> {
        self.search.iter().find_map(|suffix| name.strip_suffix(suffix.as_str())?.strip_suffix('.'))
    }

    /// Whether the name is an allowed one with such a suffix: the program will ask for that next.
    fn is_allowed_without_suffix(&self, name: &str) -> bool {
        let allowed =
            |name: &str| matches!(network::look_up(&self.plan, &Target::Name(name.to_owned())), Verdict::Allow(_));
        self.without_suffix(name).is_some_and(allowed)
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        // Every change of the pool is whole, so a panic elsewhere leaves it usable.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    /// As a message for whoever asked; `None` while it is not known.
    pub fn reply(&self) -> Option<Reply<'_>> {
        match self {
            Self::Later(_) => None,
            Self::Now { code: Code::NoError, addresses } => Some(Reply::Addresses { addresses, seconds: HOLDS }),
            Self::Now { code, .. } => Some(Reply::Failed(*code)),
        }
    }
}

/// The real addresses of the family of `stand_in`, beginning with the one that its slot means.
pub fn real(found: &Found, v6: bool, slot: usize) -> Vec<IpAddr> {
    let all = if v6 { &found.v6 } else { &found.v4 };
    let first = slot.checked_rem(all.len()).unwrap_or(0);
    all.iter().cycle().skip(first).take(all.len()).copied().collect()
}

impl fmt::Debug for Names {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Names").finish_non_exhaustive()
    }
}
