//! Questions to a name server, and its answers.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::reader::{Reader, host_name};
use super::{A, AAAA, Broken, CNAME, HEADER, IN, flag};

/// Records of an answer that are looked at, aliases that are followed, addresses that are kept.
const MOST_RECORDS: usize = 256;
const MOST_ALIASES: usize = 16;
const MOST_ADDRESSES: usize = 32;

/// What a name server says about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Addresses of the asked kind, perhaps none, and the seconds they hold.
    Addresses {
        addresses: Vec<IpAddr>,
        seconds: u32,
    },
    /// The server could not or would not say: the number is its `RCODE`.
    Failed(u8),
    NoSuchName,
    /// It did not fit into a datagram; a stream has room.
    Truncated,
}

/// The question for addresses of `kind` of `name`, which is a host name.
///
/// # Errors
/// [`Broken::Name`] for an empty label or one of more than 63 bytes, or a name that is too long.
pub fn question(id: u16, name: &str, kind: u16) -> Result<Vec<u8>, Broken> {
    let mut message = Vec::with_capacity(HEADER.saturating_add(name.len()).saturating_add(6));
    for number in [id, flag::RECURSION_DESIRED, 1, 0, 0, 0] {
        message.extend(number.to_be_bytes());
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length)).ok_or(Broken::Name)?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    if message.len() > HEADER.saturating_add(254) {
        return Err(Broken::Name);
    }
    message.push(0);
    message.extend(kind.to_be_bytes());
    message.extend(IN.to_be_bytes());
    Ok(message)
}

/// Reads the answer to [`question`] of the same arguments.
///
/// # Errors
/// Why it is no such answer; whoever waits for one goes on waiting.
pub fn parse(message: &[u8], id: u16, name: &str, kind: u16) -> Result<Answer, Broken> {
    let mut reader = Reader::new(message);
    let (got, flags) = (reader.number()?, reader.number()?);
    let [questions, answers, _, _] = [reader.number()?, reader.number()?, reader.number()?, reader.number()?];
    if got != id || flags & flag::RESPONSE == 0 || flags & flag::OPCODE != 0 || questions != 1 {
        return Err(Broken::Other);
    }
    let asked = host_name(&reader.name()?);
    if asked.as_deref() != Some(name) || reader.number()? != kind || reader.number()? != IN {
        return Err(Broken::Other);
    }
    if flags & flag::TRUNCATED != 0 {
        return Ok(Answer::Truncated);
    }
    match flags & flag::RCODE {
        0 => {
            let records = records(&mut reader, usize::from(answers))?;
            Ok(follow(&records, name, kind))
        }
        3 => Ok(Answer::NoSuchName),
        code => Ok(Answer::Failed(u8::try_from(code).unwrap_or(u8::MAX))),
    }
}

/// A record of use here.
#[derive(Debug)]
struct Record {
    name: String,
    seconds: u32,
    data: Data,
}

#[derive(Debug)]
enum Data {
    Address(IpAddr),
    Alias(String),
}

fn records(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Record>, Broken> {
    let mut records = Vec::new();
    for _ in 0..count.min(MOST_RECORDS) {
        let name = host_name(&reader.name()?);
        let (kind, class) = (reader.number()?, reader.number()?);
        let seconds = reader.long()?;
        let length = usize::from(reader.number()?);
        let mut inside = *reader;
        let data = reader.bytes(length)?;
        let data = match kind {
            A => <[u8; 4]>::try_from(data).ok().map(|octets| Data::Address(Ipv4Addr::from(octets).into())),
            AAAA => <[u8; 16]>::try_from(data).ok().map(|octets| Data::Address(Ipv6Addr::from(octets).into())),
            CNAME => host_name(&inside.name()?).map(Data::Alias),
            _ => None,
        };
        if let (Some(name), Some(data), IN) = (name, data, class) {
            records.push(Record { name, seconds, data });
        }
    }
    Ok(records)
}

/// The addresses of `name`, aliases followed within the answer.
fn follow(records: &[Record], name: &str, kind: u16) -> Answer {
    let mut name = name;
    let mut seconds = u32::MAX;
    for _ in 0..MOST_ALIASES {
        let alias = records.iter().find_map(|record| match &record.data {
            Data::Alias(target) if record.name == name => Some((target, record.seconds)),
            Data::Alias(_) | Data::Address(_) => None,
        });
        let Some((target, holds)) = alias else { break };
        name = target;
        seconds = seconds.min(holds);
    }
    let mut addresses = Vec::new();
    for record in records.iter().filter(|record| record.name == name) {
        if let Data::Address(address) = record.data
            && address.is_ipv4() == (kind == A)
            && addresses.len() < MOST_ADDRESSES
            && !addresses.contains(&address)
        {
            addresses.push(address);
            seconds = seconds.min(record.seconds);
        }
    }
    Answer::Addresses { seconds: if addresses.is_empty() { 0 } else { seconds }, addresses }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(records: &[u8], count: u16, flags: u16) -> Vec<u8> {
        let mut message = question(7, "a.example", A).unwrap();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[6..8].copy_from_slice(&count.to_be_bytes());
        [&message[..], records].concat()
    }

    const ADDRESS: &[u8] = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04";
    const ALIAS: &[u8] = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x05\x00\x04\x01b\xc0\x0e";
    const OF_ALIAS: &[u8] = b"\xc0\x27\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x05\x06\x07\x08";

    fn read(message: &[u8]) -> Result<Answer, Broken> {
        parse(message, 7, "a.example", A)
    }

    #[test]
    fn addresses_are_read_through_aliases() {
        let addresses = vec![IpAddr::from([1, 2, 3, 4])];
        assert_eq!(read(&message(ADDRESS, 1, 0x8180)), Ok(Answer::Addresses { addresses, seconds: 60 }));
        let both = [ALIAS, OF_ALIAS].concat();
        let addresses = vec![IpAddr::from([5, 6, 7, 8])];
        assert_eq!(read(&message(&both, 2, 0x8180)), Ok(Answer::Addresses { addresses, seconds: 5 }));
        assert_eq!(read(&message(b"", 0, 0x8180)), Ok(Answer::Addresses { addresses: vec![], seconds: 0 }));
    }

    #[test]
    fn an_alias_to_itself_has_no_address() {
        let looping = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x05\x00\x02\xc0\x0c";
        assert_eq!(read(&message(looping, 1, 0x8180)), Ok(Answer::Addresses { addresses: vec![], seconds: 0 }));
    }

    #[test]
    fn what_answers_something_else_is_no_answer() {
        let good = message(ADDRESS, 1, 0x8180);
        assert_eq!(parse(&good, 8, "a.example", A), Err(Broken::Other));
        assert_eq!(parse(&good, 7, "b.example", A), Err(Broken::Other));
        assert_eq!(parse(&good, 7, "a.example", AAAA), Err(Broken::Other));
        assert_eq!(read(&message(ADDRESS, 1, 0x0100)), Err(Broken::Other), "a query");
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn failures_are_told_apart() {
        assert_eq!(read(&message(b"", 0, 0x8183)), Ok(Answer::NoSuchName));
        assert_eq!(read(&message(b"", 0, 0x8182)), Ok(Answer::Failed(2)));
        assert_eq!(read(&message(b"", 0, 0x8380)), Ok(Answer::Truncated));
    }

    #[test]
    fn a_question_has_a_name_of_labels() {
        for name in ["", ".", "a..b", "a.", &"a".repeat(64), &["a"; 130].join(".")] {
            assert_eq!(question(1, name, A), Err(Broken::Name), "{name}");
        }
        assert!(question(1, &["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)].join("."), A).is_ok());
    }
}
