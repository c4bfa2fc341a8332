//! What connections to an allowed address of loopback cost under nono, beside bare ones in the same run: one connect, bytes
//! over a connection that stands, and a thousand connects at once, which must all succeed.
//!
//! It prints medians and ratios and judges nothing else. An argument names another nono to measure, such as the static one.

#[path = "harness/measure.rs"]
mod measure;
#[path = "harness/place.rs"]
#[expect(dead_code, reason = "other benches use the rest of it")]
mod place;

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use measure::{Way, compare};
use place::{Place, words};

const ROUNDS: usize = 7;
const CONNECTS: u32 = 500;
const AT_ONCE: usize = 1000;
/// So many that no queue of connects that wait (`listen(2)`) is ever full.
const LISTENERS: usize = 10;
/// How much goes over one connection, in MiB, and at once, in bytes.
const MEBIBYTES: u16 = 512;
const PIECE: usize = 64 * 1024;
/// The words of the command line with which this program is what it measures.
const CONNECT: &str = "--connect";
const STREAM: &str = "--stream";
const TOGETHER: &str = "--together";

fn main() -> io::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let addresses: Vec<SocketAddr> = words.iter().skip(1).filter_map(|word| word.parse().ok()).collect();
    let address = || addresses.first().copied().ok_or_else(|| io::Error::other("no address"));
    let taken = match words.first().map(String::as_str) {
        Some(CONNECT) => one_by_one(address()?)?,
        Some(STREAM) => stream(address()?)?,
        Some(TOGETHER) => together(&addresses)?,
        _ => return bench().map(|()| ExitCode::SUCCESS),
    };
    writeln!(io::stdout(), "{taken}")?;
    Ok(ExitCode::SUCCESS)
}

fn bench() -> io::Result<()> {
    let place = Place::new("connect")?;
    let mut addresses = Vec::new();
    for _ in 0..LISTENERS {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        addresses.push(listener.local_addr()?.to_string());
        // It ends with the bench.
        thread::spawn(move || serve(&listener));
    }
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let (own, nono, folder) = (place.program.as_str(), place.nono.as_str(), place.path(""));
    let run = [nono, "run", "-s", "--read", &folder, "--allow-host", "127.0.0.1", "--"];
    let under = |before: &[&str], mode: &str| {
        let words = words(&[before, &[own, mode], &addresses]);
        move || number(&words)
    };
    let ways = |mode| [Way::new("bare", under(&[], mode)), Way::new("nono", under(&run, mode))];
    compare(&format!("one connect to 127.0.0.1, {nono}"), "us", ROUNDS, &mut ways(CONNECT), &[0])?;
    let title = format!("{MEBIBYTES} MiB over one connection, {nono}");
    compare(&title, "MiB/s", ROUNDS, &mut ways(STREAM), &[0])?;
    compare(&format!("{AT_ONCE} connects at once, {nono}"), "ms", ROUNDS, &mut ways(TOGETHER), &[0])
}

/// Accepts whoever comes. Who sends something is read to the end and answered with a byte.
fn serve(listener: &TcpListener) {
    for mut peer in listener.incoming().flatten() {
        let answered = move || {
            let mut piece = vec![0; PIECE];
            let mut received = 0;
            while let Ok(length @ 1..) = peer.read(&mut piece) {
                received += length;
            }
            if received > 0 { peer.write_all(&[1]) } else { Ok(()) }
        };
        thread::spawn(answered);
    }
}

/// Microseconds of one connect, of many one after the other.
fn one_by_one(address: SocketAddr) -> io::Result<f64> {
    let mut taken = 0.0;
    for _ in 0..CONNECTS {
        let start = Instant::now();
        let mut stream = TcpStream::connect(address)?;
        taken += start.elapsed().as_secs_f64();
        // The next one waits until the peer has seen this one and closed it.
        stream.shutdown(Shutdown::Write)?;
        stream.read_to_end(&mut Vec::new())?;
    }
    Ok(taken * 1e6 / f64::from(CONNECTS))
}

/// MiB per second, from the first byte until the peer has read the last.
fn stream(address: SocketAddr) -> io::Result<f64> {
    let mut stream = TcpStream::connect(address)?;
    let piece = vec![7; PIECE];
    let start = Instant::now();
    for _ in 0..usize::from(MEBIBYTES) * (1024 * 1024 / PIECE) {
        stream.write_all(&piece)?;
    }
    stream.shutdown(Shutdown::Write)?;
    stream.read_exact(&mut [0])?;
    Ok(f64::from(MEBIBYTES) / start.elapsed().as_secs_f64())
}

/// Milliseconds until each of many threads that start together has its connection. One that fails is an error.
fn together(addresses: &[SocketAddr]) -> io::Result<f64> {
    let barrier = Barrier::new(AT_ONCE + 1);
    let connect = &|address| {
        barrier.wait();
        TcpStream::connect(address)
    };
    let each = addresses.iter().copied().cycle().take(AT_ONCE);
    thread::scope(|scope| {
        let threads: Vec<_> = each.map(|address| scope.spawn(move || connect(address))).collect();
        barrier.wait();
        let start = Instant::now();
        let mut streams = Vec::with_capacity(AT_ONCE);
        for thread in threads {
            streams.push(thread.join().map_err(|_| io::Error::other("a thread failed"))??);
        }
        Ok(start.elapsed().as_secs_f64() * 1e3)
    })
}

/// What the command itself says it took.
fn number(words: &[String]) -> io::Result<f64> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().parse();
    said.map_err(|_| io::Error::other(format!("{words:?} failed")))
}
