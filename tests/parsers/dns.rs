//! Messages of the domain name system, hostile ones included. Shared with the fuzzer.

use std::net::IpAddr;

use nono::network::dns::answer::{self, Answer};
use nono::network::dns::query::{self, Reply};
use nono::network::dns::{A, AAAA, Code, configuration};
use nono::network::hosts;

/// Reads `bytes` as a query, as an answer, and as the files beside them.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    queries(bytes)?;
    answers(bytes)?;
    let text = String::from_utf8_lossy(bytes);
    let configuration = configuration::parse(bytes);
    if configuration.servers.is_empty() || configuration.servers.len() > 3 || configuration.attempts == 0 {
        return Err(format!("{configuration:?} asks nobody, or everybody"));
    }
    if hosts::rewritten(&text, |_, _| None).is_some() {
        return Err("a file changed although nothing stands in".to_owned());
    }
    Ok(())
}

/// A query that is read has a reply that repeats its question, and that fits where it has to.
fn queries(bytes: &[u8]) -> Result<(), String> {
    let query = match query::parse(bytes) {
        Ok(query) => query,
        Err(Some(refusal)) if refusal.len() != 12 || refusal.get(..2) != bytes.get(..2) => {
            return Err(format!("a refusal is no header: {refusal:?}"));
        }
        Err(_) => return Ok(()),
    };
    let addresses: Vec<IpAddr> = (0..200).map(|last| IpAddr::from([198, 18, 1, last])).collect();
    for reply in [Reply::Addresses { addresses: &addresses, seconds: 30 }, Reply::Failed(Code::NoSuchName)] {
        let datagram = query.datagram(&reply);
        let stream = query.reply(&reply);
        if datagram.len() > 1232 || u16::try_from(stream.len()).is_err() || datagram.len() > stream.len() {
            return Err(format!("{} and {} bytes", datagram.len(), stream.len()));
        }
        let Some(name) = query.name.as_deref().filter(|_| query.is_for_address()) else { continue };
        let id = bytes.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
        match (answer::parse(&stream, id, name, query.kind), &reply) {
            (Ok(Answer::NoSuchName), Reply::Failed(_)) => {}
            (Ok(Answer::Addresses { addresses, .. }), _) if addresses.is_empty() == (query.kind == AAAA) => {}
            other => return Err(format!("the own reply is read as {other:?}")),
        }
    }
    Ok(())
}

/// Whatever a name server says, what is taken from it is of the asked kind, and bounded.
fn answers(bytes: &[u8]) -> Result<(), String> {
    let id = bytes.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    for kind in [A, AAAA] {
        if let Ok(Answer::Addresses { addresses, .. }) = answer::parse(bytes, id, "a.example", kind) {
            let of_kind = addresses.iter().all(|address| address.is_ipv4() == (kind == A));
            if !of_kind || addresses.len() > 32 {
                return Err(format!("{addresses:?} for kind {kind}"));
            }
        }
    }
    if let Ok(Answer::Addresses { .. }) = answer::parse(bytes, id.wrapping_add(1), "a.example", A) {
        return Err("an answer to another question is taken".to_owned());
    }
    Ok(())
}
