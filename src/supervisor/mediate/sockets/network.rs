//! Where connections and datagrams to the Internet go: what was written, the host that a name stands for, or the name server
//! of this process.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::slice;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use syscalls::Errno;
use syscalls::notify::Listener;
use syscalls::{file, socket};

use super::inet::Anywhere;
use super::senders::Senders;
use crate::approval::{AskedOperation, Host, Question, Subject};
use crate::audit::record::Disposition;
use crate::network::home::{decide_here, home};
use crate::network::names::{Names, real};
use crate::network::pool::StandIn;
use crate::network::resolver;
use crate::network::stub::Stub;
use crate::plan::explain::{Explanation, explain, explain_led_to};
use crate::plan::network::{connects, has_names, lead_to, look_up};
use crate::plan::{Operation, Plan, Verdict, decide};
use crate::profile::abs_path::AbsPath;
use crate::profile::host::Target;
use crate::supervisor::account::Account;
use crate::supervisor::mediate::caller::Caller;
use crate::supervisor::questions::Questions;
use crate::supervisor::recorder::Recorder;

/// The port of name servers (RFC 1035, section 4.2).
const NAME_SERVER: u16 = 53;

/// The policy's network, for everything that acts on sockets.
#[derive(Debug)]
pub(in crate::supervisor::mediate) struct Network {
    pub(super) plan: Arc<Plan>,
    pub(super) listener: Arc<Listener>,
    pub(super) account: Arc<Account>,
    pub(super) recorder: Arc<Recorder>,
    /// `None` where nobody is asked.
    questions: Option<Arc<Questions>>,
    /// `None` where the policy has no names.
    names: Option<(Arc<Names>, Arc<Stub>)>,
    pub(super) senders: Senders,
    pub(super) anywhere: Anywhere,
    /// Where `/etc/hosts` is and what programs read there, if that is something else.
    hosts: OnceLock<Option<(AbsPath, OwnedFd)>>,
}

/// Of a name that nobody looked up only this family is answered: it is not known whether there is the other.
const OVER_IPV4: &str = "its name has addresses of IPv6 alone, and a host that is asked about is reached over IPv4; a rule \
                         with its name opens both";

/// What a program wants to reach, as it wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) address: SocketAddr,
    pub(super) udp: bool,
    /// `connect(2)` of a datagram socket, which sends nothing: resolvers order a name's addresses that way (RFC 6724).
    pub(super) probe: bool,
}

/// Where it goes.
pub(super) enum Settled {
    At(SocketAddr),
    NameServer(SocketAddr),
    /// Nowhere, though the host can be reached, and a resolver sees that by a `connect(2)` that works.
    Closed(SocketAddr),
    /// Where it is allowed after somebody was asked. Done as this process itself.
    Asked(Box<dyn FnOnce() -> Result<SocketAddr, Errno> + Send>),
    /// After something that takes time.
    Later(Box<dyn FnOnce() -> Result<SocketAddr, Errno> + Send>),
}

impl Network {
    /// The network of `plan`. Names are served where there are some, and loopback to serve them on.
    pub(in crate::supervisor::mediate) fn new(
        plan: &Arc<Plan>,
        listener: &Arc<Listener>,
        account: &Arc<Account>,
        questions: Option<&Arc<Questions>>,
        recorder: &Arc<Recorder>,
    ) -> Arc<Self> {
        let names = has_names(plan).then(|| {
            let (heard, recorder) = (Arc::clone(account), Arc::clone(recorder));
            let refused = move |name: &str, told: Explanation| {
                // Nothing goes through here, so nothing is kept back when the log is lost.
                let _ = recorder.note("dns.query", name.as_bytes(), Disposition::Denied, |fields| {
                    fields.text("rule", &told.reason);
                });
                heard.denied(|| told);
            };
            let names = Arc::new(Names::new(Arc::clone(plan), Box::new(refused)));
            let stub = Arc::new(Stub::open(Arc::clone(&names)).ok()?);
            stub.serve().ok()?;
            Some((names, stub))
        });
        Arc::new(Self {
            plan: Arc::clone(plan),
            listener: Arc::clone(listener),
            account: Arc::clone(account),
            questions: questions.cloned(),
            recorder: Arc::clone(recorder),
            names: names.flatten(),
            senders: Senders::default(),
            anywhere: Anywhere::default(),
            hosts: OnceLock::new(),
        })
    }

    /// What programs read in the place of the file at `path`: of `/etc/hosts`, when it has names of the policy.
    pub(in crate::supervisor::mediate) fn instead_of(&self, path: &AbsPath) -> Option<BorrowedFd<'_>> {
        let made = || {
            let (names, _) = self.names.as_ref()?;
            let path = AbsPath::new(resolver::hosts_path()?.as_os_str().as_bytes())?;
            Some((path, file::sealed(names.hosts()?.as_bytes()).ok()?))
        };
        let (hosts, content) = self.hosts.get_or_init(made).as_ref()?;
        (hosts == path).then(|| content.as_fd())
    }

    /// Whether the policy lets anything be connected to.
    pub(super) fn connects(&self) -> bool {
        connects(&self.plan)
    }

    /// Decides where `wanted` leads.
    ///
    /// # Errors
    /// `EACCES` where the policy refuses it.
    pub(super) fn settle(self: &Arc<Self>, caller: Caller, wanted: Wanted) -> Result<Settled, Errno> {
        let Wanted { address, udp, probe } = wanted;
        let (ip, port) = (address.ip().to_canonical(), address.port());
        if let Some(stand_in) = self.names.as_ref().and_then(|(names, _)| names.meaning(ip)) {
            return self.settle_name(caller, wanted, stand_in);
        }
        let operation = Operation::Connect { target: Target::Address(ip), port, udp };
        let verdict = decide_here(&self.plan, &operation);
        self.recorder.decided(caller.id, slice::from_ref(&operation), &verdict, false);
        match (verdict, &self.names) {
            (Verdict::Allow(_), _) => Ok(Settled::At(address)),
            (Verdict::Ask(_) | Verdict::Deny(_), Some((_, stub))) if port == NAME_SERVER => {
                let own = stub.address(ip.is_ipv6(), udp).or_else(|| stub.address(false, udp));
                if own.is_some() {
                    self.recorder.served(caller.id, &operation, "nono answers for name servers");
                }
                own.map(Settled::NameServer).ok_or(Errno::ACCESS)
            }
            (verdict @ Verdict::Ask(_), _) => {
                let reason = explain(&self.plan, &operation, &verdict).reason;
                let host = Host { target: Target::Address(ip), port, udp, addresses: vec![ip] };
                self.settle_by_asking(caller, host, reason, move |_| Ok(vec![address]))
            }
            (verdict @ Verdict::Deny(_), _) => {
                if !(probe && ip.is_loopback()) {
                    self.account.denied(|| explain(&self.plan, &operation, &verdict));
                }
                Err(Errno::ACCESS)
            }
        }
    }

    fn settle_name(self: &Arc<Self>, caller: Caller, wanted: Wanted, stand_in: StandIn) -> Result<Settled, Errno> {
        let Some((names, stub)) = &self.names else { return Err(Errno::ACCESS) };
        let target = Target::Name(stand_in.name.to_string());
        let operation = Operation::Connect { target: target.clone(), port: wanted.address.port(), udp: wanted.udp };
        let verdict = decide(&self.plan, &operation);
        self.recorder.decided(caller.id, slice::from_ref(&operation), &verdict, false);
        match verdict {
            Verdict::Allow(_) => match names.resolver.known(&stand_in.name) {
                Some(outcome) => self.led(caller, wanted, &stand_in, &outcome, 1).and_then(first).map(Settled::At),
                None => {
                    let (network, names) = (Arc::clone(self), Arc::clone(names));
                    Ok(Settled::Later(Box::new(move || {
                        let outcome = names.resolver.addresses(&stand_in.name);
                        network.led(caller, wanted, &stand_in, &outcome, 1).and_then(first)
                    })))
                }
            },
            verdict @ Verdict::Ask(_)
                if !matches!(look_up(&self.plan, &target), Verdict::Allow(_)) || !wanted.probe =>
            {
                let reason = explain(&self.plan, &operation, &verdict).reason;
                let names = Arc::clone(names);
                let what = operation.to_string();
                let host = Host { target, port: wanted.address.port(), udp: wanted.udp, addresses: Vec::new() };
                self.settle_by_asking(caller, host, reason, move |network| {
                    network.looked_up(caller, wanted, &stand_in, &names, what)
                })
            }
            Verdict::Ask(_) | Verdict::Deny(_)
                if wanted.probe && matches!(look_up(&self.plan, &target), Verdict::Allow(_)) =>
            {
                let v6 = wanted.address.ip().to_canonical().is_ipv6();
                let known = names.resolver.known(&stand_in.name).and_then(Result::ok);
                let first = known.and_then(|found| real(&found, v6, stand_in.slot).first().copied());
                reached(SocketAddr::new(first.ok_or(Errno::ACCESS)?, wanted.address.port()))?;
                let closed = stub.closed(v6).or_else(|| stub.closed(false));
                if closed.is_some() {
                    self.recorder.served(
                        caller.id,
                        &operation,
                        "a look at the way to a host that a rule names sends nothing",
                    );
                }
                closed.map(Settled::Closed).ok_or(Errno::ACCESS)
            }
            verdict @ (Verdict::Ask(_) | Verdict::Deny(_)) => {
                self.account.denied(|| explain(&self.plan, &operation, &verdict));
                Err(Errno::ACCESS)
            }
        }
    }

    /// Asks about `host` once `find` has its addresses, the first of which is the one that is connected to.
    fn settle_by_asking(
        self: &Arc<Self>,
        caller: Caller,
        mut host: Host,
        reason: String,
        find: impl FnOnce(&Self) -> Result<Vec<SocketAddr>, Errno> + Send + 'static,
    ) -> Result<Settled, Errno> {
        let questions = self.questions.clone().ok_or(Errno::ACCESS)?;
        let (process, network) = (caller.describe(), Arc::clone(self));
        // What was read about the caller is its own only if it still waits.
        self.check_still_waits(caller)?;
        Ok(Settled::Asked(Box::new(move || {
            let found = find(&network)?;
            host.addresses = found.iter().map(|address| address.ip().to_canonical()).collect();
            let real = first(found)?;
            if questions.covers_host(&host) {
                network.recorder.covered(caller.id);
                return Ok(real);
            }
            let question = Question {
                operation: AskedOperation::Connect,
                object: Subject::Host(host),
                process,
                reason,
                profile: network.plan.profile.name.clone(),
            };
            let began = Instant::now();
            let (answered, evidence) = questions.ask(&question, &|| network.check_still_waits(caller).is_ok());
            // Without a record a yes has no effect.
            let recorded =
                network.recorder.settled(caller.id, &question, (&answered, evidence.as_deref()), began.elapsed());
            recorded.map_err(|_| Errno::IO)?;
            if let Some(why) = answered.refusal() {
                network.account.refused(&question, why);
                return Err(Errno::ACCESS);
            }
            Ok(real)
        })))
    }

    /// The addresses of a name that no rule covers, which is looked up no more often than somebody may be asked.
    fn looked_up(
        &self,
        caller: Caller,
        wanted: Wanted,
        stand_in: &StandIn,
        names: &Names,
        what: String,
    ) -> Result<Vec<SocketAddr>, Errno> {
        let may_look_up = |questions: &Arc<Questions>| questions.may_look_up();
        let known = names.resolver.known(&stand_in.name).is_some();
        if !known && !self.questions.as_ref().is_some_and(may_look_up) {
            self.account.too_many(what);
            return Err(Errno::ACCESS);
        }
        let outcome = names.resolver.addresses(&stand_in.name);
        if outcome.as_ref().is_ok_and(|found| found.v4.is_empty() && !found.v6.is_empty()) {
            self.account.kept_back(what, None, OVER_IPV4);
        }
        self.led(caller, wanted, stand_in, &outcome, usize::MAX)
    }

    /// The addresses of the name that the policy lets it lead to, at least one and at the most `most`. A connection goes to
    /// the first.
    fn led(
        &self,
        caller: Caller,
        wanted: Wanted,
        stand_in: &StandIn,
        outcome: &resolver::Outcome,
        most: usize,
    ) -> Result<Vec<SocketAddr>, Errno> {
        let (port, udp) = (wanted.address.port(), wanted.udp);
        let found = outcome.as_ref().map_err(|_| Errno::HOST_UNREACHABLE)?;
        let operation = Operation::Connect { target: Target::Name(stand_in.name.to_string()), port, udp };
        let (Verdict::Allow(by_name) | Verdict::Ask(by_name) | Verdict::Deny(by_name)) = decide(&self.plan, &operation);
        let (mut open, mut refused) = (Vec::new(), None);
        for address in real(found, wanted.address.ip().to_canonical().is_ipv6(), stand_in.slot) {
            if open.len() >= most {
                break;
            }
            match lead_to(&self.plan, by_name.clone(), address, port, udp, home(address)) {
                Verdict::Allow(_) => open.push(SocketAddr::new(address, port)),
                verdict @ (Verdict::Ask(_) | Verdict::Deny(_)) => {
                    refused.get_or_insert((address, verdict));
                }
            }
        }
        if !open.is_empty() {
            return Ok(open);
        }
        let Some((address, verdict)) = refused else { return Err(Errno::HOST_UNREACHABLE) };
        self.recorder.decided(caller.id, slice::from_ref(&operation), &verdict, false);
        self.account.denied(|| explain_led_to(&self.plan, &operation, address, &verdict));
        Err(Errno::ACCESS)
    }

    /// Lets `socket` ask the name server here.
    ///
    /// # Errors
    /// Those of `bind(2)`.
    pub(super) fn know(&self, socket: &OwnedFd, v6: bool, udp: bool) -> Result<(), Errno> {
        let Some((_, stub)) = &self.names else { return Err(Errno::ACCESS) };
        let mut own = socket::own_address(socket.as_fd())?;
        if own.port() == 0 {
            // As the kernel would do with the first packet; the port is known before it is used.
            let any: SocketAddr = if v6 { ([0_u16; 8], 0).into() } else { ([0_u8; 4], 0).into() };
            match socket::bind(socket.as_fd(), &socket::address::encode(&any)) {
                // Bound by another thread meanwhile, or connected.
                Ok(()) | Err(Errno::INVALID) => {}
                Err(errno) => return Err(errno),
            }
            own = socket::own_address(socket.as_fd())?;
        }
        stub.know(own.port(), udp);
        Ok(())
    }

    /// Whether the notification is still of the thread that everything was read from.
    pub(super) fn check_still_waits(&self, caller: Caller) -> Result<(), Errno> {
        self.listener.still_waits(caller.id).map_err(|_| Errno::NO_SUCH_PROCESS)
    }
}

fn first(addresses: Vec<SocketAddr>) -> Result<SocketAddr, Errno> {
    addresses.into_iter().next().ok_or(Errno::HOST_UNREACHABLE)
}

/// Whether there is a way to `address`: nothing is sent.
///
/// # Errors
/// Those of `connect(2)`.
fn reached(address: SocketAddr) -> Result<(), Errno> {
    let any: SocketAddr = if address.is_ipv6() { ([0_u16; 8], 0).into() } else { ([0_u8; 4], 0).into() };
    let reached = UdpSocket::bind(any).and_then(|socket| socket.connect(address));
    reached.map_err(|error| Errno(error.raw_os_error().unwrap_or(Errno::ACCESS.0)))
}
